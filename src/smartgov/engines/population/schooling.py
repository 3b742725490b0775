"""School: what people completed, and where the young go now."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from smartgov.engines.population.frame import CODES
from smartgov.engines.population.people import FEMALE, People
from smartgov.engines.population.streams import Array, Flags, Floats

LEVELS = {name: code for code, name in enumerate(CODES["education"])}
FIELDS = {name: code for code, name in enumerate(CODES["study_field"])}
SCHOOLS = {name: code for code, name in enumerate(CODES["school_level"])}
# Highest level completed by birth year: shares in the order of the codes.
_BY_YEAR = (
    (1935, (0.19, 0.53, 0.11, 0.06, 0.05, 0.03, 0.03, 0.00, 0.00)),
    (1950, (0.035, 0.40, 0.17, 0.12, 0.13, 0.07, 0.055, 0.019, 0.001)),
    (1962, (0.004, 0.14, 0.18, 0.17, 0.22, 0.135, 0.105, 0.036, 0.010)),
    (1975, (0.002, 0.02, 0.08, 0.15, 0.25, 0.19, 0.20, 0.09, 0.018)),
    (1985, (0.002, 0.005, 0.03, 0.11, 0.14, 0.12, 0.42, 0.155, 0.018)),
    (1998, (0.002, 0.003, 0.02, 0.09, 0.11, 0.03, 0.62, 0.115, 0.010)),
)
_FIELD_SHARES = (0.0, 0.10, 0.22, 0.17, 0.025, 0.015, 0.09, 0.09, 0.10, 0.05, 0.08, 0.03, 0.11)
_PUBLIC = (0.0, 0.33, 0.97, 0.89, 0.60, 0.36)  # share of public schools by level
_KINDERGARTEN = (0.45, 0.72, 0.93, 0.96)  # at 2, 3, 4, 5 years


@dataclass(slots=True)
class Schooling:
    """Columns over people, coded as in the frame."""

    education: Array
    field: Array
    school: Array
    repeating: Flags
    public: Flags


def make_schooling(draw: Generator, people: People, age: Floats) -> Schooling:
    """What each person completed by their age, and which school they attend."""
    size = len(people)
    years = np.array([year for year, _ in _BY_YEAR], dtype=float)
    limits = np.cumsum([shares for _, shares in _BY_YEAR], axis=1)
    born = 1970 + people.born / 365.2425
    chance = draw.random(size) * 0.999
    steps = np.stack([np.interp(born, years, limits[:, level] / limits[:, -1]) for level in range(limits.shape[1])])
    level = np.minimum((chance >= steps).sum(axis=0), len(LEVELS) - 1).astype(np.int8)
    level = _cut_to_age(level, age)
    field = np.searchsorted(np.cumsum(_FIELD_SHARES) / sum(_FIELD_SHARES), draw.random(size), side="right")
    building = (field == FIELDS["civil"]) | (field == FIELDS["architecture"])
    field = np.where(building & (people.sex == FEMALE) & (draw.random(size) < 0.6), FIELDS["business"], field)
    field = np.where(level >= LEVELS["vocational"], field, np.where(level == LEVELS["senior"], FIELDS["general"], 0))
    school = _attended(draw, age, level)
    repeating = (school >= SCHOOLS["senior"]) & (draw.random(size) < 0.03)
    kept = np.array(_PUBLIC)[school]
    public = (school > 0) & (draw.random(size) < kept)
    return Schooling(level, np.minimum(field, len(FIELDS) - 1).astype(np.int8), school, repeating, public)


def _cut_to_age(level: Array, age: Floats) -> Array:
    most = np.searchsorted([12.0, 15.0, 18.0, 22.0, 24.0, 28.5], age, side="right")
    highest = np.array([0, 1, 2, LEVELS["vocational"], LEVELS["bachelor"], LEVELS["master"], LEVELS["doctor"]])[most]
    cut: Array = np.minimum(level, highest).astype(np.int8)
    return cut


def _attended(draw: Generator, age: Floats, level: Array) -> Array:
    chance = draw.random(len(age))
    school = np.zeros(len(age), dtype=np.int8)
    small = (age >= 2) & (age < 6.3)
    school[small & (chance < np.array(_KINDERGARTEN)[np.clip(age.astype(int) - 2, 0, 3)])] = SCHOOLS["kindergarten"]
    school[(age >= 6.3) & (age < 12.3)] = SCHOOLS["primary"]
    school[(age >= 12.3) & (age < 15.3)] = SCHOOLS["junior"]
    school[(age >= 15.3) & (age < 18.3) & (chance < 0.95)] = SCHOOLS["senior"]
    studies = np.interp(age, (18.3, 21.9, 22.1, 24.5, 25, 29, 35), (0.84, 0.80, 0.40, 0.30, 0.08, 0.02, 0.0))
    school[(age >= 18.3) & (age < 35) & (chance < studies)] = SCHOOLS["university"]
    return school
