"""Names: a surname that goes from parent to child, and given names of the time of birth; three code points each."""

from __future__ import annotations

import re

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from smartgov.engines.population import margins
from smartgov.engines.population.people import MALE, NOBODY, YEAR, People
from smartgov.engines.population.streams import picked

Letters = NDArray[np.uint16]
_SURNAMES = re.findall(r"(\D)(\d+) ?", margins.SURNAMES)
_MOTHERS_SURNAME = 0.05
_ONE_CHARACTER = 0.03
_RARE = 0.012
_GENERATIONS = 6  # longest line of descent in a village


def make_names(draw: Generator, people: People) -> Letters:
    """The names of all, one row of three code points a person; zero where a name has only two."""
    size = len(people)
    surname = picked(draw, [float(weight) for _, weight in _SURNAMES], size)
    after_mother = draw.random(size) < _MOTHERS_SURNAME
    parent = np.where(after_mother | (people.father == NOBODY), people.mother, people.father)
    everybody = np.arange(size)
    line = np.where(parent == NOBODY, everybody, parent)
    for _ in range(_GENERATIONS):
        line = line[line]
    found = np.zeros((size, 3), dtype=np.uint16)
    found[:, 0] = np.array([ord(name) for name, _ in _SURNAMES], dtype=np.uint16)[surname[line]]
    found[:, 1:] = _given(draw, people)
    return found


def _given(draw: Generator, people: People) -> Letters:
    size = len(people)
    year = 1970 + (people.born / YEAR).astype(np.int64)
    era = np.searchsorted([limit for limit, _, _ in margins.GIVEN[:-1]], year, side="right")
    row = era * 2 + (people.sex != MALE)
    tables = [[ord(letter) for letter in letters] for _, *both in margins.GIVEN for letters in both]
    width = min(len(letters) for letters in tables)
    table = np.array([letters[:width] for letters in tables], dtype=np.uint16)
    first, step = draw.integers(0, width, size), draw.integers(1, width, size)
    given = np.stack([table[row, first], table[row, (first + step) % width]], axis=1)
    rare = draw.random(size) < _RARE
    letters = np.array([ord(letter) for letter in margins.RARE], dtype=np.uint16)
    given[rare, 1] = letters[draw.integers(0, len(letters), int(rare.sum()))]
    given[draw.random(size) < _ONE_CHARACTER, 1] = 0
    return given
