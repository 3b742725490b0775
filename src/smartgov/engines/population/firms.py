"""Companies and their responsible persons; construction firms; site directors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from smartgov.engines.population import margins
from smartgov.engines.population.frame import CODES
from smartgov.engines.population.people import MALE, NEVER, YEAR, Ints, People
from smartgov.engines.population.schooling import FIELDS, Schooling
from smartgov.engines.population.streams import Array, Flags, Floats, picked

NO_COMPANY, OTHER, CONSTRUCTION = range(3)
GRADES = {name: code for code, name in enumerate(CODES["construction_grade"])}
EXAMS = {name: code for code, name in enumerate(CODES["sd_exam"])}
_CONSTRUCTION_SHARE = 0.05
_GRADE_SHARES = (0.0, 0.15, 0.07, 0.48, 0.04, 0.26)
_CAPITAL = np.array([0, 22_500_000, 12_000_000, 3_600_000, 5_000_000, 1_000_000])


@dataclass(slots=True)
class Firms:
    """Columns over people: the company each is responsible for, and what counts for a site director's licence."""

    kind: Array
    grade: Array
    capital: Array
    registered: Ints
    permit: Ints
    turnover: Array
    grade_years: Array
    name: Array  # position in the table of made-up company names
    exam: Array
    experience: Array
    course: Flags
    licensed: Ints
    retraining: Array
    applied: Flags  # a construction permit's registration was applied for


def make_firms(draw: Generator, people: People, age: Floats, today: int, schooling: Schooling) -> Firms:
    """Who runs what; young construction firms have a permit and not yet a registration."""
    size = len(people)
    rate = margins.TARGETS["companies"]["values"]["all"] * np.interp(
        age, (24, 30, 50, 65, 80), (0.0, 0.7, 2.2, 1.6, 0.3)
    )
    runs = people.alive & (draw.random(size) < rate * np.where(people.sex == MALE, 1.35, 0.65))
    builds = runs & (draw.random(size) < _CONSTRUCTION_SHARE)
    kind = np.where(builds, CONSTRUCTION, np.where(runs, OTHER, NO_COMPANY)).astype(np.int8)
    registered = np.where(runs, today - draw.exponential(9 * YEAR, size) - 10, NEVER)
    registered = np.where(runs, np.maximum(registered, people.born + 22 * YEAR), NEVER).astype(np.int32)
    grade = np.where(builds, picked(draw, _GRADE_SHARES, size), 0).astype(np.int8)
    young = builds & (today - registered < 400)
    grade[young & (draw.random(size) < 0.6)] = GRADES["none"]
    permit = np.where(builds, np.maximum(registered - draw.integers(0, 90, size), registered - 90), NEVER)
    grade_years = np.where(grade > 0, np.minimum((today - registered) / YEAR, draw.integers(0, 12, size)), 0)
    turnover = np.where(grade > 0, draw.lognormal(17.3, 1.3, size), 0).astype(np.int64)
    capital = np.where(runs, draw.lognormal(14.3, 1.2, size), 0).astype(np.int64) // 10_000 * 10_000
    capital = np.where(builds, np.maximum(_CAPITAL[grade], capital), capital)
    exam, experience, course = _builders(draw, people, age, schooling, builds)
    qualified = course & (experience >= 3)
    licensed = np.where(qualified & (draw.random(size) < 0.7), today - draw.exponential(3.5 * YEAR, size) - 5, NEVER)
    licensed = np.where(licensed < people.born + 24 * YEAR, NEVER, licensed).astype(np.int32)
    return Firms(
        kind=kind,
        grade=grade,
        capital=capital,
        registered=registered,
        permit=permit.astype(np.int32),
        turnover=turnover,
        grade_years=grade_years.astype(np.int8),
        name=draw.integers(0, 2**31 - 1, size),
        exam=exam,
        experience=experience,
        course=course,
        licensed=licensed,
        retraining=np.where(licensed != NEVER, draw.integers(0, 9, size) * 8, 0).astype(np.int16),
        applied=builds & ((grade > 0) | (draw.random(size) < 0.35)),
    )


def _builders(
    draw: Generator, people: People, age: Floats, schooling: Schooling, builds: Flags
) -> tuple[Array, Array, Flags]:
    size = len(people)
    trained = (schooling.field == FIELDS["civil"]) | (schooling.field == FIELDS["architecture"])
    rate = np.where(people.sex == MALE, 0.075, 0.012) + trained * 0.45 + builds * 0.6
    at_work = people.alive & (age >= 20) & (age < 68) & (draw.random(size) < rate)
    years = np.where(at_work, np.minimum(draw.gamma(1.6, 6, size), np.maximum(age - 19, 0)), 0).astype(np.int8)
    exam = np.where(at_work, picked(draw, (0.80, 0.04, 0.12, 0.04), size), 0).astype(np.int8)
    course = at_work & (years >= 2) & (draw.random(size) < np.where(trained | (exam > 0), 0.3, 0.05))
    return exam, years, course
