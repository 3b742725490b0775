"""The synthetic country: villages of 10,000 made-up people and the registers that agencies keep about them."""

from smartgov.engines.population.cast import CastVillage, Persona, build_village, personas
from smartgov.engines.population.margins import DIRT
from smartgov.engines.population.served import registers
from smartgov.engines.population.village import NEWBORN_SERIALS, SIZE, VILLAGES, Village, make_village

__all__ = [
    "DIRT",
    "NEWBORN_SERIALS",
    "SIZE",
    "VILLAGES",
    "CastVillage",
    "Persona",
    "Village",
    "build_village",
    "make_village",
    "personas",
    "registers",
]
