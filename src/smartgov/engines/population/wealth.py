"""Homes and land, vehicles, savings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from smartgov.engines.population import margins
from smartgov.engines.population.households import Households
from smartgov.engines.population.people import Ints, People
from smartgov.engines.population.streams import Array, Flags, Floats

_SECOND_HOME = 0.045


@dataclass(slots=True)
class Wealth:
    """Columns over people (a person has at most one home here); values in NT$, areas in m2."""

    owns: Flags
    lives_in: Flags
    let: Flags
    area: Ints
    urban: Flags
    land_value: Array
    house_value: Array
    granted: Flags
    field_area: Ints  # farm land
    movable: Ints
    cars: Array
    motorcycles: Array

    @property
    def property(self) -> Array:
        """Assessed value of land and housing of each person."""
        return self.land_value + self.house_value


def make_wealth(
    draw: Generator, people: People, homes: Households, age: Floats, income: Ints, rural: Floats, farmer: Flags
) -> Wealth:
    """What people own."""
    size = len(people)
    owns, lives_in = _owners(draw, people, homes, age)
    urban = owns & (draw.random(size) > rural * 0.8)
    flat = urban & (draw.random(size) < 0.62)
    area = np.where(flat, draw.integers(8, 60, size), np.where(urban, draw.integers(60, 420, size), 0))
    area = np.where(owns & ~urban, draw.integers(80, 1_000, size), area).astype(np.int32)
    price = np.where(urban, draw.lognormal(10.1, 0.7, size), draw.lognormal(8.2, 0.6, size))
    land_value = np.where(owns, area * price, 0).astype(np.int64)
    house_value = np.where(owns, draw.lognormal(12.9, 0.7, size), 0).astype(np.int64)
    let = owns & (draw.random(size) < np.where(lives_in, 0.04, 0.45))
    granted = owns & lives_in & ~let & (area <= np.where(urban, 300, 700)) & (draw.random(size) < 0.78)
    field = farmer & (draw.random(size) < 0.8)
    saved = draw.lognormal(11.9, 1.4, size) * np.interp(age, (0, 18, 30, 65), (0.02, 0.1, 0.6, 2.0))
    cars, motorcycles = _vehicles(draw, people, age, income)
    return Wealth(
        owns=owns,
        lives_in=lives_in,
        let=let,
        area=area,
        urban=urban,
        land_value=land_value,
        house_value=house_value,
        granted=granted,
        field_area=np.where(field, draw.integers(1_000, 15_000, size), 0).astype(np.int32),
        movable=np.minimum(saved, 500_000_000).astype(np.int32),
        cars=cars,
        motorcycles=motorcycles,
    )


def _owners(draw: Generator, people: People, homes: Households, age: Floats) -> tuple[Flags, Flags]:
    """Of each household that owns its home, one member (the head, or the head's spouse) owns it; some own a second."""
    chance = margins.TARGETS["home_own"]["values"]["all"]
    own = draw.random(len(homes)) < chance
    spouse = people.spouse[homes.head]
    hers = (spouse >= 0) & (draw.random(len(homes)) < 0.4)
    hers &= homes.of[spouse] == np.arange(len(homes))
    owner = np.where(hers & people.alive[spouse], spouse, homes.head)
    owner = owner[own & (homes.size > 0)]
    owner = owner[age[owner] >= 18]
    lives_in = np.zeros(len(people), dtype=np.bool_)
    lives_in[owner] = True
    second = ~lives_in & (age >= 30) & people.alive & (draw.random(len(people)) < _SECOND_HOME)
    return lives_in | second, lives_in


def _vehicles(draw: Generator, people: People, age: Floats, income: Ints) -> tuple[Array, Array]:
    adult = (age >= 18) & (age < 85) & people.alive
    rich = np.interp(income, (0, 500_000, 1_500_000), (0.6, 1.1, 1.7))
    cars = np.where(adult, draw.poisson(0.43 * rich), 0)
    motorcycles = np.where(adult, draw.poisson(0.76, len(age)), 0)
    return np.minimum(cars, 5).astype(np.int8), np.minimum(motorcycles, 5).astype(np.int8)
