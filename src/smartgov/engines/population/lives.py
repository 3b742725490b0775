"""What happens to people: work and its insurance, births, childcare, tax, bank accounts. Columns of plain records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.random import Generator

from smartgov.engines.population import margins
from smartgov.engines.population.people import FEMALE, MARRIED, NOBODY, YEAR, People, days

WAGE_MONTHS = 12


@dataclass(frozen=True, slots=True)
class Job:
    """A spell of labour insurance; `to_date` is None while it lasts."""

    person: int
    employer: str
    from_date: date
    to_date: date | None
    wage: int


@dataclass(frozen=True, slots=True)
class Birth:
    """A hospital's notification; `child` is NOBODY while the child is not yet registered."""

    mother: int
    child: int
    child_sex: int
    born_on: date
    weight_g: int
    gestation_weeks: int
    order: int
    hospital: str
    notified_on: date


@dataclass(frozen=True, slots=True)
class Account:
    """A bank account that the tax office knows."""

    person: int
    bank_code: str
    number: str


def make_jobs(draw: Generator, people: People, on: date) -> list[Job]:
    """The present jobs of the village, with the wage grade of each."""
    age = (days(on) - people.born) / YEAR
    rate = np.interp(age, list(margins.EMPLOYED), list(margins.EMPLOYED.values()), left=0.0, right=0.0)
    workers = np.flatnonzero((age >= 18) & (age < 65) & (draw.random(len(people)) < rate))
    employers = _employers(draw)
    weights = np.array(margins.WAGE_WEIGHTS, dtype=float)
    wages = draw.choice(margins.WAGE_GRADES, size=len(workers), p=weights / weights.sum())
    lasted = np.minimum(draw.exponential(5 * YEAR, len(workers)) + 20, (age[workers] - 17.5) * YEAR).astype(int)
    places = draw.integers(0, len(employers), len(workers))
    return [
        Job(int(person), employers[place], on - timedelta(days=int(length)), None, int(wage))
        for person, place, length, wage in zip(workers, places, lasted, wages, strict=True)
    ]


def _employers(draw: Generator) -> list[str]:
    stems, kinds = margins.EMPLOYER_STEMS, margins.EMPLOYER_KINDS
    picks = draw.integers(0, len(stems), (margins.EMPLOYERS_PER_VILLAGE, 2))
    return [f"{stems[a]}{stems[b]}{kinds[int(draw.integers(0, len(kinds)))]}" for a, b in picks]


def make_births(draw: Generator, people: People, on: date) -> list[Birth]:
    """The notifications of the children born in the last six years."""
    first_day = days(on) - int(6 * YEAR)
    births = []
    for mother, children in enumerate(people.children()):
        for order, child in enumerate(children, start=1):
            if people.born[child] >= first_day:
                born_on, sex = people.born_on(child), int(people.sex[child])
                births.append(birth(draw, mother, order=order, born_on=born_on, child=child, sex=sex))
    return sorted(births, key=lambda one: (one.born_on, one.mother))


def birth(
    draw: Generator, mother: int, *, order: int, born_on: date, child: int = NOBODY, sex: int | None = None
) -> Birth:
    """One notification with plausible measures, sent within the seven days that the law gives the hospital."""
    weeks = int(np.clip(round(draw.normal(38.6, 1.6)), 27, 42))
    weight = int(np.clip(draw.normal(3_080 + (weeks - 39) * 150, 330), 700, 5_000)) // 5 * 5
    return Birth(
        mother=mother,
        child=child,
        child_sex=sex or (FEMALE if draw.random() < margins.FEMALE_SHARE_YOUNG else 1),
        born_on=born_on,
        weight_g=weight,
        gestation_weeks=weeks,
        order=order,
        hospital=str(draw.choice(margins.HOSPITALS)),
        notified_on=born_on + timedelta(days=int(draw.integers(1, 4))),
    )


def make_accounts(draw: Generator, people: People, on: date) -> list[Account]:
    """Accounts for tax refunds: four adults in five have one."""
    adult = (days(on) - people.born) / YEAR >= 20
    holders = np.flatnonzero(adult & (draw.random(len(people)) < 0.8))
    banks = draw.integers(0, len(margins.BANKS), len(holders))
    numbers = draw.integers(0, 10**12, len(holders))
    return [
        Account(int(person), margins.BANKS[bank], f"{number:012d}")
        for person, bank, number in zip(holders, banks, numbers, strict=True)
    ]


def health_insurance(people: People, jobs: list[Job], on: date) -> Iterator[tuple[int, str, int]]:
    """Each person, the category they are insured in, and the person they are insured through (or NOBODY)."""
    at_work = {job.person for job in jobs}
    age = (days(on) - people.born) / YEAR
    for index in range(len(people)):
        if index in at_work:
            yield index, "employee", NOBODY
        elif (holder := _insured_through(people, at_work, index, float(age[index]))) != NOBODY:
            yield index, "dependent", holder
        else:
            yield index, "resident", NOBODY


def _insured_through(people: People, at_work: set[int], index: int, age: float) -> int:
    nearest = [int(people.mother[index]), int(people.father[index])] if age < 25 else []
    if people.marital[index] == MARRIED:
        nearest.append(int(people.partner[index]))
    return next((person for person in nearest if person in at_work), NOBODY)
