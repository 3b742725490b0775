"""The 368 townships, and which of them a village lies in."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.random import Generator

from smartgov.engines.population.streams import Array, Floats
from smartgov.shared import content

SLOTS = 2_340
"""The country is a line of townships cut into so many villages; more villages begin again at its start."""
_STEP = 1_447  # prime to SLOTS: neighbours in number lie far apart, so every prefix is spread over the country


@dataclass(frozen=True, slots=True)
class Places:
    """The townships in the order of the data file; `code` of a township is its position plus one."""

    counties: tuple[str, ...]
    counties_en: tuple[str, ...]
    names: tuple[str, ...]
    names_en: tuple[str, ...]
    county: Array
    edges: Floats
    rural: Floats


@lru_cache(maxsize=1)
def places() -> Places:
    """The townships of the content folder. `edges` are cumulative shares; `rural` goes from 0 in a city to 1."""
    with (content.ROOT / "townships.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    counties = tuple(dict.fromkeys(row["county"] for row in rows))
    english = dict.fromkeys((row["county"], row["county_en"]) for row in rows)
    thousands = np.array([float(row["thousands"]) for row in rows])
    kind = {"鄉": 0.9, "鎮": 0.6, "市": 0.3, "區": 0.1}
    rural = [kind[row["township"][-1]] + (0.4 if float(row["thousands"]) < 40 else 0.0) for row in rows]
    return Places(
        counties=counties,
        counties_en=tuple(name for _, name in english),
        names=tuple(row["township"] for row in rows),
        names_en=tuple(row["township_en"] for row in rows),
        county=np.array([counties.index(row["county"]) for row in rows], dtype=np.int8),
        edges=np.concatenate([[0.0], np.cumsum(thousands) / thousands.sum()]),
        rural=np.minimum(rural, 1.0),
    )


def spread(draw: Generator, village: int, households: int) -> Array:
    """The township (position in the list) of each household: the village's cut of the line, in an order of chance."""
    slot = village * _STEP % SLOTS
    spots = (slot + (np.arange(households) + 0.5) / max(households, 1)) / SLOTS
    found = np.searchsorted(places().edges, spots, side="right") - 1
    mixed: Array = found[draw.permutation(households)].astype(np.int16)
    return mixed


def full_names() -> tuple[str, ...]:
    """County and township in one word, as registers write them."""
    each = places()
    return tuple(each.counties[county] + name for county, name in zip(each.county, each.names, strict=True))
