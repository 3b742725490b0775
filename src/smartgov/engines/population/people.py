"""Who lives in a village: births, deaths, sexes, couples and parents. Kinship never leaves the village."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from smartgov.engines.population import margins
from smartgov.engines.population.streams import Flags, Floats, interpolated, picked

YEAR = 365.2425
MALE, FEMALE = 1, 2
SINGLE, MARRIED, DIVORCED, WIDOWED = range(4)
MARITAL = ("single", "married", "divorced", "widowed")
NOBODY = -1
NEVER = int(np.iinfo(np.int32).min)
"""In a column of days: there is no such day."""
_SIBLING_GAP = 300  # days between births of one mother, twins aside
_MOST_CHILDREN = 6
_MATCHING_ROUNDS = 12
_MOST_YEARS_BETWEEN = 15
_YOUNGEST = 14  # days: children younger than this are still being registered
DEAD_DAYS = 730
_TWINS = 0.012

Ints = NDArray[Any]
Indexes = NDArray[np.signedinteger]


@dataclass(slots=True)
class People:
    """Columns of people, the oldest first; relatives are indexes into the same columns or `NOBODY`.

    `partner` is the present or former husband or wife; `spouse` only the present one. `born` and `died` count days from
    1970; `died` is `NEVER` for the living. Those who died within two years are kept, with the marital status they had.
    """

    born: Ints
    died: Ints
    sex: Ints
    marital: Ints
    partner: Ints
    mother: Ints
    father: Ints

    def __len__(self) -> int:
        return len(self.born)

    @property
    def alive(self) -> Flags:
        """Who lives."""
        found: Flags = self.died == NEVER
        return found

    @property
    def spouse(self) -> Ints:
        """The present husband or wife of each person (of the dead: at death)."""
        return np.where(self.marital == MARRIED, self.partner, NOBODY).astype(np.int32)

    def ages(self, today: int) -> Floats:
        """Ages in years today, of the dead at death."""
        return (np.where(self.alive, today, self.died) - self.born) / YEAR

    def born_on(self, index: int) -> date:
        """The birth date of a person."""
        return date.fromordinal(int(self.born[index]) + _EPOCH)

    def children(self) -> list[list[int]]:
        """The children of each mother, the eldest first."""
        found: list[list[int]] = [[] for _ in range(len(self))]
        for child in np.flatnonzero(self.mother != NOBODY):
            found[self.mother[child]].append(int(child))
        return found


_EPOCH = date(1970, 1, 1).toordinal()


def days(day: date) -> int:
    """Days from 1970 to `day`."""
    return day.toordinal() - _EPOCH


def day_of(count: int) -> date:
    """The day so many days after 1 January 1970."""
    return date.fromordinal(int(count) + _EPOCH)


def make_people(draw: Generator, size: int, on: date) -> People:
    """`size` living people on the day `on`, and those who died within two years before."""
    dead = int(draw.binomial(2 * size, margins.DEATHS))
    today = days(on)
    died = today - draw.integers(1, DEAD_DAYS + 1, dead)
    born = np.concatenate(
        [_births(draw, size, on, margins.AGE_GROUPS), died - _ages_at_death(draw, dead)],
        dtype=np.int32,
        casting="unsafe",
    )
    died = np.concatenate([np.full(size, NEVER), died]).astype(np.int32)
    order = np.argsort(born, kind="stable")
    born, died = born[order], died[order]
    age = (today - born) / YEAR
    share = interpolated(age, margins.FEMALE, start=0, step=15)
    sex = np.where(draw.random(len(born)) < share, FEMALE, MALE).astype(np.int32)
    nobody = np.full(len(born), NOBODY, dtype=np.int32)
    people = People(born, died, sex, np.zeros(len(born), dtype=np.int32), nobody, nobody.copy(), nobody.copy())
    _marry(draw, people, age)
    _give_parents(draw, people, age)
    _make_twins(draw, people, age)
    _widow(people)
    return people


def _births(draw: Generator, size: int, on: date, groups: tuple[int, ...]) -> NDArray[np.int64]:
    """Birth days of the living: years of age by group, then a month by its share of births, then a day."""
    age = picked(draw, groups, size) * 5 + draw.integers(0, 5, size)
    month = picked(draw, margins.BIRTH_MONTHS, size)
    first = np.datetime64(f"{on.year}-01", "M") + month - 12 * age
    day = first.astype("M8[D]").astype(np.int64)
    length = (first + 1).astype("M8[D]").astype(np.int64) - day
    born = day + (draw.random(size) * length).astype(np.int64)
    last = (np.datetime64(on, "M") - 12 * age).astype("M8[D]").astype(np.int64) + on.day - 1
    late = born > last  # that birthday is still to come: a year earlier
    shifted = (first - 12).astype("M8[D]").astype(np.int64) + (born - day)
    return np.minimum(np.where(late, shifted, born), days(on) - _YOUNGEST)


def _ages_at_death(draw: Generator, count: int) -> NDArray[np.int64]:
    group = picked(draw, margins.AGE_AT_DEATH, count)
    return ((group + draw.random(count)) * 5 * YEAR).astype(np.int64) + 30


def _marry(draw: Generator, people: People, age: Floats) -> None:
    """Couples of like age; those whose marriage ended by death have no partner any more."""
    married_once = draw.random(len(people)) < interpolated(age, margins.EVER_MARRIED, start=20, step=5)
    married_once &= age >= 20
    widowed = married_once & (draw.random(len(people)) < interpolated(age, margins.WIDOWED, start=20, step=5))
    people.marital[widowed] = WIDOWED
    paired = married_once & ~widowed
    order = people.born + draw.normal(0, 2 * YEAR, len(people))
    order -= np.where(people.sex == MALE, 0, 2 * YEAR)  # wives are two years younger
    men = np.flatnonzero(paired & (people.sex == MALE))
    women = np.flatnonzero(paired & (people.sex == FEMALE))
    count = min(len(men), len(women))
    men = np.sort(draw.permutation(men)[:count])
    women = np.sort(draw.permutation(women)[:count])
    men, women = men[np.argsort(order[men], kind="stable")], women[np.argsort(order[women], kind="stable")]
    near = np.abs(people.born[men] - people.born[women]) < _MOST_YEARS_BETWEEN * YEAR
    men, women = men[near], women[near]
    parted = draw.random(len(women)) < interpolated(age[women], margins.DIVORCED, start=20, step=5)
    people.partner[men], people.partner[women] = women, men
    people.marital[men] = people.marital[women] = np.where(parted, DIVORCED, MARRIED)


def _give_parents(draw: Generator, people: People, age: Floats) -> None:
    """A mother of fitting age for each person who has a living one; her husband is the father."""
    mothers = np.flatnonzero((people.sex == FEMALE) & (people.marital != SINGLE))
    has_mother = draw.random(len(people)) < interpolated(age, margins.MOTHER_ALIVE, start=0, step=10)
    waiting = np.flatnonzero(has_mother)
    for _ in range(_MATCHING_ROUNDS):
        if not len(waiting) or not len(mothers):
            break
        _propose(draw, people, waiting, mothers)
        _refuse_close_siblings(people)
        waiting = waiting[people.mother[waiting] == NOBODY]
    known = people.mother != NOBODY
    people.father[known] = people.partner[people.mother[known]]
    father = people.father
    wrong = known & (father != NOBODY) & (people.born - people.born[father] < 18 * YEAR)
    wrong |= known & (father != NOBODY) & (people.died[father] != NEVER) & (people.died[father] < people.born)
    people.father[wrong] = NOBODY


def _propose(draw: Generator, people: People, waiting: Indexes, mothers: Indexes) -> None:
    wished = draw.normal(margins.MOTHER_AGE_MEAN, margins.MOTHER_AGE_SPREAD, len(waiting)) * YEAR
    place = np.searchsorted(people.born[mothers], people.born[waiting] - wished)
    place = np.clip(place + draw.integers(-3, 4, len(waiting)), 0, len(mothers) - 1)
    chosen = mothers[place].astype(np.int32)
    age_then = (people.born[waiting] - people.born[chosen]) / YEAR
    fits = (age_then >= margins.MOTHER_AGE_MIN) & (age_then <= margins.MOTHER_AGE_MAX)
    fits &= people.partner[waiting] != people.partner[chosen]
    fits &= (people.died[chosen] == NEVER) | (people.died[chosen] >= people.born[waiting])
    people.mother[waiting[fits]] = chosen[fits]


def _refuse_close_siblings(people: People) -> None:
    """Take the mother from children born too close to an elder one or after many, and from siblings who are married."""
    order = np.lexsort((people.born, people.mother))
    same = people.mother[order[1:]] == people.mother[order[:-1]]
    gap = people.born[order[1:]] - people.born[order[:-1]]
    many = people.mother[order[_MOST_CHILDREN:]] == people.mother[order[:-_MOST_CHILDREN]]
    people.mother[order[1:][same & (gap < _SIBLING_GAP)]] = NOBODY
    people.mother[order[_MOST_CHILDREN:][many]] = NOBODY
    paired = np.flatnonzero(people.partner != NOBODY)
    siblings = people.mother[paired] == people.mother[people.partner[paired]]
    people.mother[paired[siblings]] = NOBODY


def _make_twins(draw: Generator, people: People, age: Floats) -> None:
    """The next in the column becomes a twin, where both are young and single; birth days stay in order."""
    first = np.flatnonzero((age[:-1] < 25) & (people.mother[:-1] != NOBODY) & (draw.random(len(age) - 1) < _TWINS))
    first = first[np.concatenate([[True], np.diff(first) > 1])[: len(first)]]
    second = first + 1
    single = (people.marital[first] == SINGLE) & (people.marital[second] == SINGLE)
    single &= (people.born[second] - people.born[first] < 60) & (people.died[second] == NEVER)
    first, second = first[single], second[single]
    for column in (people.born, people.mother, people.father):
        column[second] = column[first]
    people.sex[second] = np.where(draw.random(len(second)) < 0.65, people.sex[first], people.sex[second])


def _widow(people: People) -> None:
    """Whoever survives a spouse who died is widowed; of two who died, neither is."""
    dead = np.flatnonzero(~people.alive & (people.marital == MARRIED))
    left = people.partner[dead]
    people.marital[left[people.alive[left]]] = WIDOWED
