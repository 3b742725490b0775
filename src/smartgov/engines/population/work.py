"""Work and its insurance: who is insured where, since when, on which wage; who left a job and what followed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from smartgov.engines.population import margins
from smartgov.engines.population.people import FEMALE, MALE, NEVER, YEAR, Ints, People
from smartgov.engines.population.schooling import LEVELS, SCHOOLS, Schooling
from smartgov.engines.population.streams import Array, Flags, Floats

NONE, LABOUR, FARMERS, PUBLIC, PENSION = range(5)
"""The insurance a person is in today (of the dead: at death)."""
NP_AMOUNT = 20_922  # insured monthly amount of the national pension since 2024, rounded knowledge
PENSION_SINCE = 14_153  # 1 October 2008, in days
_FIRST_LABOUR_AGE = 17
_EMPLOYED_ARE_BETTER_OFF = 0.925  # ranks are drawn among all adults, and the targets are of employees


@dataclass(slots=True)
class Work:
    """Columns over people. Days count from 1970, `NEVER` where there is none; wages are monthly."""

    insurance: Array
    union: Flags
    employer: Ints
    since: Ints  # start of the present labour insurance, or of the last one
    left: Ints  # end of the last job, of those who are not in one or were between two within two years
    involuntary: Flags
    days: Ints  # of labour insurance in all
    salary: Ints  # what is really earned a month
    wage: Ints  # the insured grade
    employment_days: Array  # of employment insurance within three years
    seeker: Ints
    training: Ints
    benefit_months: Array
    again: Ints  # insured again after an unemployment
    leave: Ints
    leave_months: Array
    farmer_days: Ints
    pension_days: Ints
    income: Ints


def make_work(draw: Generator, people: People, age: Floats, today: int, schooling: Schooling, rural: Floats) -> Work:
    """The working life of each person up to today."""
    size = len(people)
    ends = np.where(people.alive, today, people.died)
    insurance, ever = _insurances(draw, people, age, schooling, rural)
    salary = _salaries(draw, people, age, schooling)
    wage = _graded(salary)
    labour = insurance == LABOUR
    lasted = np.minimum(draw.exponential(5.5 * YEAR, size) + 20, np.maximum(age - _FIRST_LABOUR_AGE, 0.1) * YEAR)
    since = np.where(labour, ends - lasted, NEVER).astype(np.int32)
    employer = draw.integers(0, margins.EMPLOYERS_PER_VILLAGE, size).astype(np.int32)
    gone = (insurance != LABOUR) & ever & (age > _FIRST_LABOUR_AGE + 1.5)
    left = np.where(gone, ends - draw.exponential(np.where(age < 60, 4.0, 7.0) * YEAR, size) - 3, NEVER)
    left = np.where(gone, np.maximum(left, people.born + (_FIRST_LABOUR_AGE + 1) * YEAR), left).astype(np.int32)
    since = np.where(gone, np.maximum(left - lasted, people.born + _FIRST_LABOUR_AGE * YEAR), since).astype(np.int32)
    before = np.maximum(age - 20, 0) * YEAR * draw.random(size) * 0.7
    spell = np.where(labour, ends - since, np.where(gone, left - since, 0))
    days = np.where(labour | gone, spell + before, 0).astype(np.int32)
    days = np.minimum(days, np.maximum(age - 15, 0) * YEAR).astype(np.int32)
    work = Work(
        insurance=insurance,
        union=(labour | gone) & (draw.random(size) < margins.UNION),
        employer=employer,
        since=since,
        left=left,
        involuntary=np.zeros(size, dtype=np.bool_),
        days=days,
        salary=salary,
        wage=wage,
        employment_days=np.zeros(size, dtype=np.int16),
        seeker=np.full(size, NEVER, dtype=np.int32),
        training=np.full(size, NEVER, dtype=np.int32),
        benefit_months=np.zeros(size, dtype=np.int8),
        again=np.full(size, NEVER, dtype=np.int32),
        leave=np.full(size, NEVER, dtype=np.int32),
        leave_months=np.zeros(size, dtype=np.int8),
        farmer_days=np.zeros(size, dtype=np.int32),
        pension_days=np.zeros(size, dtype=np.int32),
        income=np.zeros(size, dtype=np.int32),
    )
    _lose_jobs(draw, people, work, age, today)
    _count_days(draw, people, work, age, today)
    _earn(draw, work, age, today)
    return work


def _insurances(
    draw: Generator, people: People, age: Floats, schooling: Schooling, rural: Floats
) -> tuple[Array, Flags]:
    size = len(people)
    rates = [np.interp(age, np.arange(15, 70, 5), table, left=0.0, right=0.0) for table in margins.LABOUR]
    rate = np.where(people.sex == MALE, *rates)
    rate = np.where(schooling.school >= SCHOOLS["senior"], rate * 0.35, rate)
    rate[age >= 65] = 0.0
    chance = draw.random(size)
    insurance = np.full(size, NONE, dtype=np.int8)
    insurance[chance < rate] = LABOUR
    tilled = np.interp(age, np.arange(15, 95, 10), margins.FARMERS, left=0.0) * np.interp(rural, (0, 1), (0.25, 2.3))
    insurance[(chance >= rate) & (draw.random(size) < tilled / np.maximum(1 - rate, 0.05))] = FARMERS
    educated = schooling.education >= LEVELS["junior_college"]
    insurance[(age >= 23) & (age < 65) & educated & (draw.random(size) < margins.PUBLIC * 2)] = PUBLIC
    insurance[(insurance == NONE) & (age >= 25) & (age < 65) & (draw.random(size) < margins.PENSIONED)] = PENSION
    ever = draw.random(size) < np.interp(age, (16, 20, 30, 65, 80, 95), (0.0, 0.25, 0.8, 0.86, 0.7, 0.4))
    return insurance, ever & (insurance != PUBLIC)


def _salaries(draw: Generator, people: People, age: Floats, schooling: Schooling) -> Ints:
    """Yearly earnings by rank within the village: school, age and luck; then a month's share of it."""
    score = schooling.education * 0.22 + np.interp(age, (18, 30, 45, 55, 65), (-1.2, -0.3, 0.35, 0.3, -0.4))
    score = score + np.where(people.sex == FEMALE, -0.22, 0.0) + draw.normal(0, 0.9, len(people))
    adult = np.flatnonzero((age >= 18) & (age < 65))
    rank = np.zeros(len(people))
    rank[adult[np.argsort(score[adult], kind="stable")]] = (np.arange(len(adult)) + 0.5) / max(len(adult), 1)
    points = np.concatenate([[0.0], np.arange(1, 10) / 10, [0.95, 0.99, 0.999, 1.0]])
    tops = (margins.WAGE_DECILES[-1] * 1.35, margins.WAGE_DECILES[-1] * 2.3, margins.WAGE_DECILES[-1] * 5, 15_000_000)
    values = np.concatenate([[311_000], margins.WAGE_DECILES, tops])
    yearly = np.interp(rank, points, values)
    monthly: Ints = np.maximum(yearly * _EMPLOYED_ARE_BETTER_OFF / 13, margins.WAGE_GRADES[0] * 0.8).astype(np.int32)
    return monthly


def _graded(salary: Ints) -> Ints:
    """The insured grade of a salary: the next grade up, at most the highest."""
    place = np.searchsorted(margins.WAGE_GRADES, salary)
    grades: Ints = np.array(margins.WAGE_GRADES, dtype=np.int32)[np.minimum(place, len(margins.WAGE_GRADES) - 1)]
    return grades


def _lose_jobs(draw: Generator, people: People, work: Work, age: Floats, today: int) -> None:
    """Why people left, and what those did who lost a job; some are back at work already."""
    size = len(people)
    back = (work.insurance == LABOUR) & (work.since > today - 2 * YEAR) & (draw.random(size) < 0.07) & ~work.union
    back &= people.alive & (age > 22)
    gap = draw.integers(30, 200, size)
    work.left = np.where(back, work.since - gap, work.left).astype(np.int32)
    work.again = np.where(back, work.since, NEVER).astype(np.int32)
    working_age = (age >= 18) & (age < 65) & people.alive & (work.left != NEVER)
    work.involuntary = working_age & (back | (draw.random(size) < 0.28))
    recent = work.involuntary & (work.left > today - 400) & ~work.union & ~back
    seeks = recent & (draw.random(size) < 0.75)
    work.seeker = np.where(seeks, work.left + 3 + draw.integers(0, 25, size), NEVER).astype(np.int32)
    work.seeker[work.seeker > today] = NEVER
    trains = (work.seeker != NEVER) & (draw.random(size) < 0.09)
    begins = work.seeker + 20 + draw.integers(0, 60, size)
    work.training = np.where(trains & (begins <= today) & (begins > today - 150), begins, NEVER).astype(np.int32)
    months = np.clip((today - work.seeker - 14) // 30, 0, np.where(age >= 45, 9, 6))
    paid = (work.seeker != NEVER) & (draw.random(size) < 0.8)
    work.benefit_months = np.where(paid, months, 0).astype(np.int8)
    work.benefit_months[back] = np.clip((gap[back] - 20) // 30, 0, 5)


def _count_days(draw: Generator, people: People, work: Work, age: Floats, today: int) -> None:
    """Employment insurance within three years; days of the farmers' insurance and of the national pension."""
    size = len(people)
    end = np.where(
        (work.insurance == LABOUR) & (work.again == NEVER), today, np.where(work.left != NEVER, work.left, today)
    )
    start = np.where(work.again != NEVER, end - draw.integers(200, 1_000, size), work.since)
    inside = np.clip(end - np.maximum(start, end - 3 * 365), 0, 3 * 365)
    in_it = ((work.insurance == LABOUR) | (work.left != NEVER)) & ~work.union
    work.employment_days = np.where(in_it, inside, 0).astype(np.int16)
    ends = np.where(people.alive, today, people.died)
    grown = np.maximum(ends - people.born - 25 * YEAR, 30)
    tilling = np.minimum(grown, draw.gamma(4.0, 6.5 * YEAR, size))
    work.farmer_days = np.where(work.insurance == FARMERS, tilling, 0).astype(np.int32)
    room = np.clip(
        np.minimum(ends, people.born + 65 * YEAR) - np.maximum(PENSION_SINCE, people.born + 25 * YEAR), 0, None
    )
    share = np.where(work.insurance == PENSION, draw.uniform(0.15, 1, size), draw.uniform(0, 0.5, size))
    never = draw.random(size) < np.where(work.insurance == PENSION, 0.0, 0.45)
    never |= (work.insurance == FARMERS) | (work.insurance == PUBLIC)
    work.pension_days = np.where(never, 0, room * share).astype(np.int32)


def _earn(draw: Generator, work: Work, age: Floats, today: int) -> None:
    """Income of the last year: salaries, and what savings and land yield."""
    size = len(age)
    months = np.clip((today - work.since) / 30.4, 0, 13)
    earned = np.where(work.insurance == LABOUR, work.salary * months, 0.0)
    earned = np.where(work.insurance == PUBLIC, np.maximum(work.salary, 42_000) * 13.5, earned)
    earned = np.where(work.insurance == FARMERS, draw.gamma(2.0, 60_000, size), earned)
    lately = (work.left != NEVER) & (work.left > today - 365) & (work.again == NEVER)
    earned = np.where(lately, work.salary * (work.left - today + 365) / 30.4, earned)
    informal = (work.insurance == PENSION) & (draw.random(size) < 0.35)
    earned = np.where(informal, draw.gamma(2.0, 90_000, size), earned)
    yields = np.where(age >= 20, draw.lognormal(8.0, 1.9, size) * np.interp(age, (20, 60), (0.3, 1.8)), 0.0)
    work.income = np.minimum(earned + yields, 100_000_000).astype(np.int32)


def take_leave(draw: Generator, work: Work, people: People, youngest: Ints, today: int) -> None:
    """Unpaid parental leave of insured parents of a child below three (`youngest` holds birth days)."""
    size = len(people)
    fits = (work.insurance == LABOUR) & ~work.union & (youngest != NEVER) & (youngest > today - 3 * YEAR)
    fits &= work.since < today - 200
    taken = fits & (draw.random(size) < np.where(people.sex == FEMALE, 0.17, 0.045))
    begins = np.maximum(youngest + 56, today - draw.integers(1, 300, size))
    work.leave = np.where(taken & (begins < today), begins, NEVER).astype(np.int32)
    work.leave_months = np.where(work.leave != NEVER, draw.integers(1, 13, size), 0).astype(np.int8)
