"""Who lives with whom, and where."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from smartgov.engines.population import margins, places
from smartgov.engines.population.people import FEMALE, MALE, MARRIED, NOBODY, WIDOWED, YEAR, Ints, People
from smartgov.engines.population.streams import Array, Flags, Floats

_COUPLE_WITH_HIS_PARENTS = 0.20
_COUPLE_WITH_HER_PARENTS = 0.04
_ADULT = 20
_ROUNDS = 5  # each doubles the length of the chains that are followed; 32 links are sixteen generations


@dataclass(slots=True)
class Households:
    """Columns of households, and the household `of` each person; `head` is a person, `size` counts the living."""

    of: Ints
    head: Ints
    size: Ints
    township: Array
    road: Array
    number: Array
    floor: Array

    def __len__(self) -> int:
        return len(self.head)


def make_households(draw: Generator, people: People, today: int, village: int) -> Households:
    """The households of a village. Children live with a parent; the lately dead belong where they lived."""
    of = _roots(draw, people, people.ages(today))
    alive = people.alive
    adult = alive & ((today - people.born) >= _ADULT * YEAR)
    roots, of = np.unique(of, return_inverse=True)
    of = of.astype(np.int32)
    head = np.full(len(roots), len(people), dtype=np.int32)
    for group in (adult, alive, np.ones(len(people), dtype=np.bool_)):  # the oldest adult; else whoever there is
        first = np.full(len(roots), len(people), dtype=np.int32)
        np.minimum.at(first, of[group], np.flatnonzero(group).astype(np.int32))
        head = np.where(head == len(people), first, head)
    size = np.bincount(of[alive], minlength=len(roots)).astype(np.int32)
    count = len(roots)
    return Households(
        of,
        head,
        size,
        places.spread(draw, village, count),
        draw.integers(0, len(margins.ROADS), count),
        draw.integers(1, 900, count),
        draw.integers(0, 12, count),
    )


def _roots(draw: Generator, people: People, age: Floats) -> Ints:
    """Whose household each person belongs to: links to a spouse or parent, followed to their end."""
    everybody = np.arange(len(people), dtype=np.int32)
    parent = _living_parent(people)
    stays = (parent != NOBODY) & (draw.random(len(people)) < _chance_to_stay(people, age))
    link = np.where(stays, parent, everybody)
    _keep_couples_together(people, link, stays)
    _settle_orphans(draw, people, link, age)
    _settle_the_old(draw, people, link, age)
    _settle_the_dead(people, link)
    for _ in range(_ROUNDS):
        link = link[link]
    return link.astype(np.int32)


def _living_parent(people: People) -> Ints:
    parent = np.full(len(people), NOBODY, dtype=np.int32)
    for column in (people.father, people.mother):  # the mother's household wins when the parents live apart
        lives = (column != NOBODY) & people.alive[column]
        parent = np.where(lives, column, parent)
    return parent


def _chance_to_stay(people: People, age: Floats) -> Floats:
    single = np.interp(age, (20, 30, 40, 60), (0.97, 0.80, 0.62, 0.50))
    couple = np.where(people.sex == MALE, _COUPLE_WITH_HIS_PARENTS, _COUPLE_WITH_HER_PARENTS)
    return np.where(age < _ADULT, 1.0, np.where(people.marital == MARRIED, couple, single))


def _keep_couples_together(people: People, link: Ints, stays: Flags) -> None:
    """One of a couple follows the other: the husband her when only she lives with parents, else she him."""
    wives = np.flatnonzero((people.marital == MARRIED) & (people.sex == FEMALE) & people.alive)
    wives = wives[people.alive[people.partner[wives]]]
    husbands = people.partner[wives]
    his = stays[wives] & ~stays[husbands]
    link[husbands[his]] = wives[his]
    link[wives[~his]] = husbands[~his]


def _settle_orphans(draw: Generator, people: People, link: Ints, age: Floats) -> None:
    """Children without a living parent live with a couple of the village."""
    orphans = np.flatnonzero((age < _ADULT) & (link == np.arange(len(people))) & people.alive)
    hosts = np.flatnonzero(
        (people.marital == MARRIED) & people.alive & (age > 40) & (age < 65) & (people.sex == FEMALE)
    )
    if len(hosts):
        link[orphans] = hosts[draw.integers(0, len(hosts), len(orphans))]


def _settle_the_old(draw: Generator, people: People, link: Ints, age: Floats) -> None:
    """Half of the widowed above 70 who head a household of their own live with a child who has one."""
    old = (age > 70) & (people.marital == WIDOWED) & people.alive & (draw.random(len(people)) < 0.5)
    child = np.full(len(people), NOBODY, dtype=np.int32)
    everybody = np.arange(len(people), dtype=np.int32)
    for column in (people.mother, people.father):
        apart = (column != NOBODY) & people.alive & (age >= _ADULT) & (link == everybody)
        child[column[apart]] = everybody[apart]
    moves = np.flatnonzero(old & (child != NOBODY) & (link == everybody) & ~np.isin(everybody, link[link != everybody]))
    link[moves] = child[moves]


def _settle_the_dead(people: People, link: Ints) -> None:
    dead = np.flatnonzero(~people.alive)
    child = np.full(len(people), NOBODY, dtype=np.int32)
    for column in (people.mother, people.father):
        known = np.flatnonzero((column != NOBODY) & people.alive)
        child[column[known]] = known
    partner = people.spouse[dead]
    with_partner = (partner != NOBODY) & people.alive[partner]
    home = np.where(with_partner, partner, np.where(child[dead] != NOBODY, child[dead], dead))
    link[dead] = home
