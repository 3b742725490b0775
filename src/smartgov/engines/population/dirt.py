"""Known dirt: which rows of which register are wrong, and how. Rates are `margins.DIRT`; a cast is spared."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from smartgov.engines.population import margins, places
from smartgov.engines.population.people import NEVER
from smartgov.engines.population.streams import Array, Flags, stream
from smartgov.engines.population.village import Village

_FULL_WIDTH = 0xFEE0
_PRIVATE = 0xE000  # where systems kept in Big5 put letters that Big5 lacks
_RARE = np.array([ord(letter) for letter in margins.RARE], dtype=np.uint16)


@dataclass(frozen=True, slots=True)
class Dirt:
    """The dirt of one village."""

    village: Village
    clean: Collection[int] = ()

    def hits(self, kind: str, persons: Array) -> Flags:
        """Which of these rows, each about a person, carry this dirt."""
        draw = stream(self.village.seed, self.village.number, f"dirt.{kind}")
        found: Flags = draw.random(len(persons)) < margins.DIRT[kind]
        if self.clean:
            found &= ~np.isin(persons, list(self.clean))
        return found

    def full_width(self, letters: Array, rows: Flags) -> Array:
        """Digits in full-width form in these rows."""
        digit = (letters >= ord("0")) & (letters <= ord("9")) & rows[:, None]
        return np.where(digit, letters + _FULL_WIDTH, letters).astype(np.uint16)

    def big5(self, letters: Array, rows: Flags) -> Array:
        """What is left of letters that Big5 lacks: a question mark, or a code point of the private area."""
        rare = np.isin(letters, _RARE) & rows[:, None]
        private = _PRIVATE + np.searchsorted(np.sort(_RARE), letters)
        left = np.where(np.arange(len(letters))[:, None] % 2 == 0, ord("?"), private)
        return np.where(rare, left, letters).astype(np.uint16)

    def swapped(self, days: Array, rows: Flags) -> Array:
        """Dates whose day and month changed places, where that is a date too."""
        found = days.copy()
        which = np.flatnonzero(rows & (days != NEVER))
        stamp = days[which].astype("M8[D]")
        month = stamp.astype("M8[M]")
        day = (stamp - month.astype("M8[D]")).astype(np.int64) + 1
        of_year = (month - stamp.astype("M8[Y]").astype("M8[M]")).astype(np.int64) + 1
        can = day <= 12
        other = stamp[can].astype("M8[Y]").astype("M8[M]") + (day[can] - 1)
        found[which[can]] = other.astype("M8[D]").astype(np.int64) + of_year[can] - 1
        return found

    def township(self, index: Array, rows: Flags) -> Array:
        """Township names with the variant 台 in these rows (positions in `township_words`)."""
        return np.where(rows, index + len(places.places().names), index)


@lru_cache(maxsize=1)
def township_words() -> tuple[str, ...]:
    """The full names of the townships, and after them the same with 台 for 臺."""
    names = places.full_names()
    return names + tuple(name.replace("臺", "台") for name in names)
