"""Who lives with whom, and where."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from smartgov.engines.population import margins
from smartgov.engines.population.people import MALE, MARRIED, NOBODY, YEAR, People

_COUPLE_WITH_HIS_PARENTS = 0.15
_ADULT = 20


@dataclass(frozen=True, slots=True)
class Household:
    """One household; `head` is a person's index."""

    head: int
    township: str
    address: str


def make_households(draw: Generator, people: People, today: int, village: int) -> tuple[list[Household], list[int]]:
    """The households, and the household of each person."""
    with_parents = draw.random(len(people))
    age = (today - people.born) / YEAR
    heads: list[int] = []
    of: list[int] = [NOBODY] * len(people)
    for index in range(len(people)):  # the oldest first: parents are settled before their children
        if of[index] != NOBODY:
            continue
        settled = _parents_household(people, of, index)
        if settled == NOBODY or with_parents[index] >= _chance_to_stay(people, index, float(age[index])):
            settled = len(heads)
            heads.append(index)
        of[index] = settled
        if people.marital[index] == MARRIED:
            of[people.partner[index]] = settled
    return _addresses(draw, heads, village), of


def _parents_household(people: People, of: list[int], index: int) -> int:
    for parent in (people.mother[index], people.father[index]):
        if parent != NOBODY:
            return int(of[parent])
    return NOBODY


def _chance_to_stay(people: People, index: int, age: float) -> float:
    if age < _ADULT:
        return 1.0
    if people.marital[index] == MARRIED:
        return _COUPLE_WITH_HIS_PARENTS if people.sex[index] == MALE else 0.02
    return float(np.interp(age, (20, 30, 40, 60), (0.95, 0.65, 0.4, 0.3)))


def _addresses(draw: Generator, heads: list[int], village: int) -> list[Household]:
    county, townships = margins.TOWNSHIPS[village % len(margins.TOWNSHIPS)]
    picks = zip(
        heads,
        draw.integers(0, len(townships), len(heads)),
        draw.integers(0, len(margins.ROADS), len(heads)),
        draw.integers(1, 900, len(heads)),
        draw.integers(0, 12, len(heads)),
        strict=True,
    )
    return [
        Household(
            head, f"{county}{townships[t]}", f"{margins.ROADS[r]}{number}號" + (f"{floor}樓" if floor > 1 else "")
        )
        for head, t, r, number, floor in picks
    ]
