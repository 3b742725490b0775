"""Columns that many registers have: keys, national ids, addresses."""

from __future__ import annotations

import numpy as np

from smartgov.engines.population import margins, tables
from smartgov.engines.population.ids import numbered
from smartgov.engines.population.people import NOBODY
from smartgov.engines.population.streams import Array
from smartgov.engines.population.tables import Letters
from smartgov.engines.population.village import Village


def key(village: Village, table: str, count: int) -> Letters:
    """Row keys that count up."""
    return Letters(numbered(table, village.number, np.arange(count)))


def ids_of(village: Village, persons: Array) -> Letters:
    """National ids; NULL for nobody."""
    found = village.numbers[persons]
    found[np.asarray(persons) == NOBODY] = 0
    return Letters(found)


def addresses(village: Village, persons: Array) -> Array:
    """Road, number and floor where these people are registered."""
    homes = village.homes
    at = homes.of[persons]
    floor = homes.floor[at]
    high = floor > 1
    storey = np.where(high[:, None], tables.digits(floor, 2), 0)
    return tables.beside(
        [
            tables.texts(margins.ROADS)[homes.road[at]],
            tables.digits(homes.number[at], 3),
            tables.where(np.ones(len(at), dtype=np.bool_), "號"),
            storey,
            tables.where(high, "樓"),
        ]
    )
