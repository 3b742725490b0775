"""Counts of children, births and their notifications, and the registration of persons and moves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from smartgov.engines.population import margins
from smartgov.engines.population.people import FEMALE, MALE, MARRIED, NEVER, NOBODY, YEAR, Ints, People
from smartgov.engines.population.streams import Array, Floats

_NOTIFIED_WITHIN = 60  # days: a birth of these days may still be unregistered
_UNREGISTERED = 4  # such births in a village of 10,000


@dataclass(slots=True)
class Families:
    """Columns over people."""

    order: Array  # birth order among the mother's children; 0 when the mother is not known
    under: dict[int, Array]  # age -> children below it
    youngest: Ints  # birth day of the youngest registered child


@dataclass(slots=True)
class Births:
    """Columns of hospitals' notifications; `child` is NOBODY while the child is not registered."""

    mother: Ints
    child: Ints
    sex: Ints
    born: Ints
    weight: Ints
    weeks: Ints
    order: Ints
    hospital: Ints
    notified: Ints

    def __len__(self) -> int:
        return len(self.mother)


def count_children(people: People, today: int) -> Families:
    """Children of each person, as mother or father; the dead count as they did in life."""
    size = len(people)
    under = {years: np.zeros(size, dtype=np.int8) for years in (2, 3, 15, 18)}
    youngest = np.full(size, NEVER, dtype=np.int32)
    for parent in (people.mother, people.father):
        known = (parent != NOBODY) & people.alive
        np.maximum.at(youngest, parent[known], people.born[known])
        for years in under:
            small = known & (people.born > today - years * YEAR)
            under[years] += np.bincount(parent[small], minlength=size).astype(np.int8)
    return Families(_order(people), under, youngest)


def _order(people: People) -> Array:
    sorted_ = np.lexsort((np.arange(len(people)), people.mother))
    mothers = people.mother[sorted_]
    starts = np.concatenate([[True], mothers[1:] != mothers[:-1]])
    place = np.arange(len(people))
    rank = place - np.maximum.accumulate(np.where(starts, place, 0)) + 1
    order = np.zeros(len(people), dtype=np.int8)
    order[sorted_] = np.where(mothers == NOBODY, 0, rank)
    return order


def make_births(draw: Generator, people: People, families: Families, today: int) -> Births:
    """Notifications of the children born in the last six years, and of a few who are not registered yet."""
    child = np.flatnonzero((people.mother != NOBODY) & (people.born >= today - int(6 * YEAR)))
    fresh = _mothers_to_be(draw, people, families, today)
    fresh = fresh[: round(_UNREGISTERED * len(people) / 10_000)]
    mother = np.concatenate([people.mother[child], fresh]).astype(np.int32)
    late = today - draw.integers(1, 30, len(fresh))
    born = np.concatenate([people.born[child], late]).astype(np.int32)
    sex = np.where(draw.random(len(mother)) < margins.FEMALE[0], FEMALE, MALE).astype(np.int32)
    sex[: len(child)] = people.sex[child]
    count = np.bincount(people.mother[people.mother != NOBODY], minlength=len(people))
    order = np.concatenate([families.order[child], count[fresh] + 1]).astype(np.int32)
    child = np.concatenate([child, np.full(len(fresh), NOBODY)]).astype(np.int32)
    return _sorted(measured(draw, mother=mother, child=child, sex=sex, born=born, order=order))


def measured(draw: Generator, *, mother: Ints, child: Ints, sex: Ints, born: Ints, order: Ints) -> Births:
    """Births with plausible measures, notified within the seven days that the law gives the hospital."""
    count = len(mother)
    weeks = np.clip(np.rint(draw.normal(38.6, 1.6, count)), 27, 42).astype(np.int32)
    weight = np.clip(draw.normal(3_080 + (weeks - 39) * 150, 330), 700, 5_000).astype(np.int32) // 5 * 5
    hospital = draw.integers(0, len(margins.HOSPITALS), count).astype(np.int32)
    notified = (born + draw.integers(1, 4, count)).astype(np.int32)
    return Births(mother, child, sex, born, weight, weeks, order, hospital, notified)


def together(some: Births, more: Births) -> Births:
    """Both, in the order of the births."""
    return _sorted(Births(*(np.concatenate([getattr(some, name), getattr(more, name)]) for name in Births.__slots__)))


def _mothers_to_be(draw: Generator, people: People, families: Families, today: int) -> Ints:
    """Married women of 22 to 40 whose youngest child is at least two, in an order of chance."""
    age = people.ages(today)
    fits = (people.sex == FEMALE) & (people.marital == MARRIED) & people.alive & (age > 22) & (age < 40)
    fits &= (families.youngest < today - 2 * YEAR) & (families.under[18] < 3)
    return draw.permutation(np.flatnonzero(fits)).astype(np.int32)


def _sorted(births: Births) -> Births:
    order = np.lexsort((births.mother, births.born))
    return Births(*(getattr(births, name)[order] for name in Births.__slots__))


@dataclass(slots=True)
class Stays:
    """Columns over people: since when they are registered here, whence they came, and days in the country."""

    registered: Ints  # entry of the person in the household register
    since: Ints  # domicile in this county
    moved: Ints  # last move, NEVER for those who never did
    origin: Array  # township moved from, -1
    resident_days: Array
    wedding: Ints  # of the once married


def make_stays(draw: Generator, people: People, age: Floats, today: int, townships: Array, county: Array) -> Stays:
    """Registrations, moves and weddings. One in five who ever moved came from another county."""
    size = len(people)
    ends = np.where(people.alive, today, people.died)
    registered = people.born + np.minimum(draw.integers(2, 60, size), np.maximum(ends - people.born - 1, 1))
    moves = draw.random(size) < np.interp(age, (0, 5, 25, 40, 90), (0.03, 0.12, 0.35, 0.6, 0.6))
    back = draw.exponential(9 * YEAR, size)
    moved = np.where(moves, np.maximum(ends - back, registered + 1), NEVER).astype(np.int32)
    far = moves & (draw.random(size) < 0.35)
    origin = np.where(far, draw.integers(0, len(county), size), townships)
    near = moves & ~far
    origin = np.where(near, np.clip(townships + draw.integers(-2, 3, size), 0, len(county) - 1), origin)
    inside = county[origin] == county[townships]
    since = np.where(moves & ~inside, moved, registered).astype(np.int32)
    away = draw.random(size) < 0.025
    resident = np.where(away, draw.integers(0, 365, size), 365 - draw.integers(0, 12, size))
    resident = np.minimum(resident, np.maximum(ends - people.born, 1)).astype(np.int16)
    return Stays(
        registered=registered.astype(np.int32),
        since=since,
        moved=moved,
        origin=np.where(moves, origin, -1).astype(np.int16),
        resident_days=resident,
        wedding=_weddings(draw, people, today),
    )


def _weddings(draw: Generator, people: People, today: int) -> Ints:
    """The day of the wedding: both past twenty, before their first common child more often than not."""
    wedding = np.full(len(people), NEVER, dtype=np.int32)
    husbands = np.flatnonzero((people.sex == MALE) & (people.partner != NOBODY))
    wives = people.partner[husbands]
    grown = np.maximum(people.born[husbands], people.born[wives]) + int(20 * YEAR)
    first = np.full(len(people), today - 30, dtype=np.int32)
    known = np.flatnonzero(people.mother != NOBODY)
    np.minimum.at(first, people.mother[known], people.born[known])
    room = np.maximum(first[wives] - grown, 1)
    wedding[husbands] = grown + (room * draw.uniform(0.3, 0.98, len(wives))).astype(np.int32)
    wedding[wives] = wedding[husbands]
    return wedding
