"""Columns of registers as arrays, and the rows that a small register takes from them.

A table is a dictionary of columns of one length. Text is a matrix of code points (uint8 or uint16), one row a value, in
which zeros stand for nothing anywhere; a row of zeros is NULL. So text is joined by putting matrices beside each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smartgov.engines.population.people import NEVER, day_of
from smartgov.engines.population.streams import Array, Flags

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Letters:
    """Text as code points."""

    codes: Array

    def __len__(self) -> int:
        return len(self.codes)

    def values(self) -> list[str | None]:
        """The texts, None for NULL."""
        return ["".join(map(chr, filter(None, row))) or None for row in self.codes.tolist()]


@dataclass(frozen=True, slots=True)
class Words:
    """Text from a short list; a negative index is NULL."""

    index: Array
    words: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.index)

    def values(self) -> list[str | None]:
        """The words, None for NULL."""
        return [None if at < 0 else self.words[at] for at in self.index.tolist()]


@dataclass(frozen=True, slots=True)
class Days:
    """Dates as days from 1970, NEVER for NULL."""

    days: Array

    def __len__(self) -> int:
        return len(self.days)

    def values(self) -> list[str | None]:
        """ISO dates, None for NULL."""
        return [None if day == NEVER else day_of(day).isoformat() for day in self.days.tolist()]


@dataclass(frozen=True, slots=True)
class Numbers:
    """Integers or flags; NULL where `known` is false."""

    numbers: Array
    known: Flags | None = None

    def __len__(self) -> int:
        return len(self.numbers)

    def values(self) -> list[int | None]:
        """The numbers, None for NULL."""
        known = [True] * len(self) if self.known is None else self.known.tolist()
        return [number if here else None for number, here in zip(self.numbers.tolist(), known, strict=True)]


Column = Letters | Words | Days | Numbers
Table = dict[str, Column]


def rows(table: Table) -> Iterator[Row]:
    """The rows of a table, with dates in ISO form."""
    names = list(table)
    for values in zip(*(column.values() for column in table.values()), strict=True):
        yield dict(zip(names, values, strict=True))


def taken(column: Column, which: Array) -> Column:
    """The rows `which` of a column."""
    if isinstance(column, Letters):
        return Letters(column.codes[which])
    if isinstance(column, Words):
        return Words(column.index[which], column.words)
    if isinstance(column, Days):
        return Days(column.days[which])
    return Numbers(column.numbers[which], None if column.known is None else column.known[which])


def texts(words: Sequence[str]) -> NDArray[np.uint16]:
    """A matrix of code points of some words."""
    width = max(map(len, words), default=1)
    found = np.zeros((len(words), width), dtype=np.uint16)
    for at, word in enumerate(words):
        found[at, : len(word)] = [ord(letter) for letter in word]
    return found


def digits(numbers: Array, width: int, *, leading: bool = False) -> NDArray[np.uint16]:
    """Numbers as text; without `leading`, zeros in front are left out."""
    found = np.zeros((len(numbers), width), dtype=np.uint16)
    rest = np.asarray(numbers, dtype=np.int64)
    for place in range(width - 1, -1, -1):
        shown = leading | (rest > 0) | (place == width - 1)
        rest, digit = np.divmod(rest, 10)
        found[:, place] = np.where(shown, digit + ord("0"), 0)
    return found


def where(rows_: Flags, text: str) -> NDArray[np.uint16]:
    """`text` in the rows that are true, nothing in the others."""
    letters = texts([text])[0]
    return np.where(rows_[:, None], letters[None, :], 0).astype(np.uint16)


def beside(parts: Iterable[Array]) -> NDArray[np.uint16]:
    """Texts joined row by row."""
    return np.hstack([np.asarray(part, dtype=np.uint16) for part in parts])
