"""Who lives in a village: births, sexes, couples and parents. Kinship never leaves the village."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from smartgov.engines.population import margins
from smartgov.engines.population.streams import interpolated

YEAR = 365.2425
MALE, FEMALE = 1, 2
SINGLE, MARRIED, DIVORCED, WIDOWED = range(4)
MARITAL = ("single", "married", "divorced", "widowed")
NOBODY = -1
_SIBLING_GAP = 300  # days between births of one mother, twins aside
_MOST_CHILDREN = 6
_MATCHING_ROUNDS = 12

Ints = NDArray[np.int32]
Indexes = NDArray[np.signedinteger]


@dataclass(slots=True)
class People:
    """Columns of people, the oldest first; relatives are indexes into the same columns or `NOBODY`.

    `partner` is the present or former husband or wife; `spouse` only the present one. `born` counts days from 1970.
    """

    born: Ints
    sex: Ints
    marital: Ints
    partner: Ints
    mother: Ints
    father: Ints

    def __len__(self) -> int:
        return len(self.born)

    @property
    def spouse(self) -> Ints:
        """The present husband or wife of each person."""
        return np.where(self.marital == MARRIED, self.partner, NOBODY).astype(np.int32)

    def born_on(self, index: int) -> date:
        """The birth date of a person."""
        return date.fromordinal(int(self.born[index]) + _EPOCH)

    def children(self) -> list[list[int]]:
        """The children of each mother, the eldest first."""
        found: list[list[int]] = [[] for _ in range(len(self))]
        for child, mother in enumerate(self.mother):
            if mother != NOBODY:
                found[mother].append(child)
        return found


_EPOCH = date(1970, 1, 1).toordinal()


def days(day: date) -> int:
    """Days from 1970 to `day`."""
    return day.toordinal() - _EPOCH


def make_people(draw: Generator, size: int, on: date) -> People:
    """`size` living people on the day `on`."""
    born = _births(draw, size, days(on))
    age = (days(on) - born) / YEAR
    share = np.where(age < 65, margins.FEMALE_SHARE_YOUNG, margins.FEMALE_SHARE_OLD)
    sex = np.where(draw.random(size) < share, FEMALE, MALE).astype(np.int32)
    nobody = np.full(size, NOBODY, dtype=np.int32)
    people = People(born, sex, np.zeros(size, dtype=np.int32), nobody.copy(), nobody.copy(), nobody.copy())
    _marry(draw, people, age)
    _give_parents(draw, people, age)
    return people


def _births(draw: Generator, size: int, today: int) -> Ints:
    shares = np.array(margins.AGE_GROUPS, dtype=float)
    group = draw.choice(len(shares), size=size, p=shares / shares.sum())
    age_in_days = (group + draw.random(size)) * 5 * YEAR
    # Nobody was born in the last 60 days: those births are still being registered.
    return np.sort((today - np.maximum(age_in_days, 61)).astype(np.int32))


def _marry(draw: Generator, people: People, age: NDArray[np.float64]) -> None:
    """Couples of like age; those whose marriage ended by death have no partner any more."""
    married_once = draw.random(len(people)) < interpolated(age, margins.EVER_MARRIED, start=20, step=5)
    married_once &= age >= 20
    widowed = married_once & (draw.random(len(people)) < interpolated(age, margins.WIDOWED, start=20, step=5))
    people.marital[widowed] = WIDOWED
    paired = married_once & ~widowed
    order = people.born + draw.normal(0, 2 * YEAR, len(people))
    men = np.flatnonzero(paired & (people.sex == MALE))
    women = np.flatnonzero(paired & (people.sex == FEMALE))
    count = min(len(men), len(women))
    men = np.sort(draw.choice(men, count, replace=False))
    women = np.sort(draw.choice(women, count, replace=False))
    men, women = men[np.argsort(order[men], kind="stable")], women[np.argsort(order[women], kind="stable")]
    parted = draw.random(count) < interpolated(age[women], margins.DIVORCED, start=20, step=5)
    people.partner[men], people.partner[women] = women, men
    people.marital[men] = people.marital[women] = np.where(parted, DIVORCED, MARRIED)


def _give_parents(draw: Generator, people: People, age: NDArray[np.float64]) -> None:
    """A mother of fitting age for each person who has a living one; her husband is the father."""
    mothers = np.flatnonzero((people.sex == FEMALE) & (people.marital != SINGLE))
    has_mother = draw.random(len(people)) < interpolated(age, margins.MOTHER_ALIVE, start=0, step=10)
    waiting = np.flatnonzero(has_mother)
    for _ in range(_MATCHING_ROUNDS):
        if not len(waiting):
            break
        _propose(draw, people, waiting, mothers)
        _refuse_close_siblings(people)
        waiting = waiting[people.mother[waiting] == NOBODY]
    known = people.mother != NOBODY
    people.father[known] = people.partner[people.mother[known]]
    too_young = known & (people.father != NOBODY) & (people.born - people.born[people.father] < 18 * YEAR)
    people.father[too_young] = NOBODY


def _propose(draw: Generator, people: People, waiting: Indexes, mothers: Indexes) -> None:
    wished = draw.normal(margins.MOTHER_AGE_MEAN, margins.MOTHER_AGE_SPREAD, len(waiting)) * YEAR
    place = np.searchsorted(people.born[mothers], people.born[waiting] - wished)
    place = np.clip(place + draw.integers(-3, 4, len(waiting)), 0, len(mothers) - 1)
    chosen = mothers[place].astype(np.int32)
    age_then = (people.born[waiting] - people.born[chosen]) / YEAR
    fits = (age_then >= margins.MOTHER_AGE_MIN) & (age_then <= margins.MOTHER_AGE_MAX)
    fits &= people.partner[waiting] != people.partner[chosen]
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
