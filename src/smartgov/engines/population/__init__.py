"""The synthetic country: villages of 10,000 made-up people and the registers that agencies keep about them."""

from smartgov.engines.population.margins import DIRT
from smartgov.engines.population.registers import registers
from smartgov.engines.population.village import (
    NEWBORN_SERIALS,
    SIZE,
    VILLAGES,
    Persona,
    Village,
    build_village,
    personas,
)

__all__ = [
    "DIRT",
    "NEWBORN_SERIALS",
    "SIZE",
    "VILLAGES",
    "Persona",
    "Village",
    "build_village",
    "personas",
    "registers",
]
