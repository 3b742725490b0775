"""Names: a surname that goes from parent to child, and given names of the time of birth."""

from __future__ import annotations

import re

import numpy as np
from numpy.random import Generator

from smartgov.engines.population import margins
from smartgov.engines.population.people import MALE, NOBODY, People

_SURNAMES = re.findall(r"(\D)(\d+) ?", margins.SURNAMES)
_MOTHERS_SURNAME = 0.05
_ONE_CHARACTER = 0.03


def make_names(draw: Generator, people: People) -> list[str]:
    """A full name for each person; parents come first in the columns, so a surname is known when it is needed."""
    weights = np.array([float(weight) for _, weight in _SURNAMES])
    drawn = draw.choice(len(_SURNAMES), size=len(people), p=weights / weights.sum())
    after_mother = draw.random(len(people)) < _MOTHERS_SURNAME
    names: list[str] = []
    for index in range(len(people)):
        parent = people.mother[index] if after_mother[index] else people.father[index]
        parent = people.mother[index] if parent == NOBODY else parent
        surname = _SURNAMES[drawn[index]][0] if parent == NOBODY else names[parent][0]
        names.append(surname + _given(draw, people.born_on(index).year, int(people.sex[index])))
    return names


def _given(draw: Generator, year: int, sex: int) -> str:
    _, male, female = next(era for era in margins.GIVEN if year < era[0])
    characters = male if sex == MALE else female
    first, second = draw.integers(0, len(characters), 2)
    if draw.random() < _ONE_CHARACTER:
        return characters[first]
    return characters[first] + characters[second if second != first else (second + 1) % len(characters)]
