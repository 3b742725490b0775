"""Counted tables: which combinations of values there are, and how many rows have each; and rolling them up.

The search asks thousands of times what the class sizes at certain levels are. A tally answers without going back to the
rows: it holds each distinct combination once, as codes, and a coarser tally is made from a finer one. Codes of several
columns are fused into one 16-bit column, so that generalising eight attributes is two or three look-ups a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import TypeAlias

from smartgov.engines.deid.hierarchy import Hierarchy
from smartgov.engines.deid.installed import analysis

with analysis():
    import numpy as np
    from numpy.typing import NDArray

Ints: TypeAlias = "NDArray[np.int64]"
Node: TypeAlias = "tuple[int, ...]"
"""A level for each quasi-identifier; `GONE` leaves an attribute out altogether."""
GONE = -1
_FUSED = 1 << 16
_DENSE = 1 << 22
"""Up to so many possible keys counting goes into an array of all of them; beyond, sorting is faster."""


@dataclass(frozen=True)
class Tally:
    """Distinct keys, ascending, and how many rows have each.

    A key is a number in mixed radix: its digits are the codes of the quasi-identifiers at `node`, then those of the
    sensitive attributes, most significant first. `population` counts the same key in a population table.
    """

    node: Node
    sizes: tuple[int, ...]
    fused: tuple[NDArray[np.uint16] | NDArray[np.uint32], ...]
    counts: Ints
    population: Ints | None = None

    def __len__(self) -> int:
        return len(self.counts)

    @property
    def nbytes(self) -> int:
        """Memory that it takes."""
        extra = 0 if self.population is None else self.population.nbytes
        return sum(column.nbytes for column in self.fused) + self.counts.nbytes + extra

    def keys(self) -> Ints:
        """The keys as numbers."""
        key = np.zeros(len(self), dtype=np.int64)
        for column, group in zip(self.fused, fusion(self.sizes), strict=True):
            key *= prod(self.sizes[i] for i in group)
            key += column
        return key


def fusion(sizes: Sequence[int]) -> list[tuple[int, ...]]:
    """Neighbouring digits that share a column: as many as fit into 16 bits."""
    groups: list[tuple[int, ...]] = []
    for digit, size in enumerate(sizes):
        if groups and prod(sizes[i] for i in groups[-1]) * size <= _FUSED:
            groups[-1] = (*groups[-1], digit)
        else:
            groups.append((digit,))
    return groups


def strides(sizes: Sequence[int]) -> list[int]:
    """What one step of each digit adds to a key."""
    found = [1] * len(sizes)
    for digit in range(len(sizes) - 2, -1, -1):
        found[digit] = found[digit + 1] * sizes[digit + 1]
    return found


def of_keys(node: Node, sizes: Sequence[int], keys: Ints, counts: Ints, population: Ints | None = None) -> Tally:
    """A tally of keys that are distinct and ascending."""
    steps = strides(sizes)
    columns: list[NDArray[np.uint16] | NDArray[np.uint32]] = []
    for group in fusion(sizes):
        span = prod(sizes[i] for i in group)
        digits = keys // steps[group[-1]] % span
        columns.append(digits.astype(np.uint16) if span <= _FUSED else digits.astype(np.uint32))
    return Tally(node, tuple(sizes), tuple(columns), counts, population)


def grouped(keys: Ints, counts: Ints | None, space: int) -> tuple[Ints, Ints]:
    """Distinct keys below `space`, ascending, with the sum of their counts (rows, where `counts` is None)."""
    if not len(keys):
        return keys, np.zeros(0, dtype=np.int64)
    if space <= _DENSE:
        if counts is None:
            tally = np.bincount(keys, minlength=space)
        else:
            tally = np.bincount(keys, weights=counts, minlength=space).astype(np.int64)
        there = np.flatnonzero(tally)
        return there, tally[there]
    if counts is None:
        ordered = np.sort(keys)
        starts = _starts(ordered)
        return ordered[starts], np.diff(np.append(starts, len(ordered)))
    bits = int(counts.max()).bit_length()
    if (space - 1).bit_length() + bits <= 63:
        # Key and count in one word: sorting words is several times faster than sorting places.
        words = keys << bits
        words |= counts
        words.sort()
        counts = words & ((1 << bits) - 1)
        words >>= bits
        starts = _starts(words)
        return words[starts], np.add.reduceat(counts, starts)
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    starts = _starts(ordered)
    return ordered[starts], np.add.reduceat(counts[order], starts)


def roll(tally: Tally, node: Node, hierarchies: Sequence[Hierarchy]) -> Tally:
    """The same rows at coarser levels; every level of `node` is at or above the tally's, or `GONE`."""
    if node == tally.node:
        return tally
    quasi = len(hierarchies)
    sizes = [*(size_at(h, level) for h, level in zip(hierarchies, node, strict=True)), *tally.sizes[quasi:]]
    keys = _rolled_keys(tally, node, sizes, hierarchies)
    if tally.population is None:
        found, counts = grouped(keys, tally.counts, prod(sizes))
        return of_keys(node, sizes, found, counts)
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    starts = _starts(ordered)
    counts = np.add.reduceat(tally.counts[order], starts)
    population = np.add.reduceat(tally.population[order], starts)
    return of_keys(node, sizes, ordered[starts], counts, population)


def size_at(hierarchy: Hierarchy, level: int) -> int:
    """How many values an attribute has at a level."""
    return 1 if level == GONE else hierarchy.size(level)


def _rolled_keys(tally: Tally, node: Node, sizes: Sequence[int], hierarchies: Sequence[Hierarchy]) -> Ints:
    """The new key of every row: a look-up in each fused column, added up."""
    steps = strides(sizes)
    key: Ints | None = None
    for column, group in zip(tally.fused, fusion(tally.sizes), strict=True):
        table = np.zeros(1, dtype=np.int64)
        for digit in group:
            part = _step(tally, node, digit, hierarchies) * steps[digit]
            table = (table[:, None] + part[None, :]).ravel()
        if not table.any():
            continue
        found = table[column]
        key = found if key is None else np.add(key, found, out=key)
    return np.zeros(len(tally), dtype=np.int64) if key is None else key


def _step(tally: Tally, node: Node, digit: int, hierarchies: Sequence[Hierarchy]) -> Ints:
    """From the tally's code of a digit to the new one."""
    if digit >= len(hierarchies):  # a sensitive attribute
        return np.arange(tally.sizes[digit], dtype=np.int64)
    low, high = tally.node[digit], node[digit]
    if GONE in (low, high):
        return np.zeros(tally.sizes[digit], dtype=np.int64)
    return hierarchies[digit].step(low, high)


def _starts(ordered: Ints) -> Ints:
    """Where each run of equal keys begins."""
    change = np.empty(len(ordered), dtype=bool)
    change[:1] = True
    np.not_equal(ordered[1:], ordered[:-1], out=change[1:])
    return np.flatnonzero(change)


def quasi_only(tally: Tally, hierarchies: Sequence[Hierarchy]) -> Tally:
    """The same rows without the sensitive attributes."""
    quasi = len(hierarchies)
    if len(tally.sizes) == quasi:
        return tally
    keys = tally.keys() // prod(tally.sizes[quasi:])
    starts = _starts(keys)
    population = None if tally.population is None else np.add.reduceat(tally.population, starts)
    return of_keys(tally.node, tally.sizes[:quasi], keys[starts], np.add.reduceat(tally.counts, starts), population)
