"""How much of a table is left in a release that lies row by row beside it, between 0 (nothing) and 1 (everything).

These judge releases made elsewhere, whose values may stand at different levels in the same column; our own releases
tell their costs by `metrics`. Defined as ARX's quality models and moda's PETWorks define them: average class size,
ambiguity (Goldberger and Tassa 2010) and non-uniform entropy (Gionis and Tassa 2009), each against best and worst case.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from smartgov.engines.deid.hierarchy import ALL, Hierarchy
from smartgov.engines.deid.installed import analysis
from smartgov.engines.deid.tally import Ints

with analysis():
    import numpy as np


def average_class(source: Sequence[Sequence[str]], release: Sequence[Sequence[str]]) -> float:
    """By the mean class size; columns of equal length, the quasi-identifiers of both tables in one order.

    Rows that are suppressed in every column are in no class.
    """
    rows = len(source[0])
    kept = [row for row in zip(*release, strict=True) if any(value != ALL for value in row)]
    least = rows / len(set(zip(*source, strict=True)))
    found = len(kept) / max(len(set(kept)), 1)
    return 1 - (found - least) / (rows - least)


def ambiguity(release: Sequence[Sequence[str]], trees: Sequence[Hierarchy]) -> float:
    """By how many original combinations a row may stand for."""
    rows, domain = len(release[0]), prod(len(tree.rows) for tree in trees)
    stands = np.ones(rows)
    for column, tree in zip(release, trees, strict=True):
        leaves = {
            label: int(count)
            for level in range(tree.levels)
            for label, count in zip(tree.labels[level], tree.leaves(level), strict=True)
        }
        stands *= np.array([leaves[value] for value in column])
    return float(1 - (stands.sum() - rows) / (rows * domain - rows))


def entropy(source: Sequence[Sequence[str]], release: Sequence[Sequence[str]], trees: Sequence[Hierarchy]) -> float:
    """By the bits that generalisation took, out of all bits of all columns."""
    parts = [_column(*columns) for columns in zip(source, release, trees, strict=True)]
    return 1 - sum(lost for lost, _ in parts) / sum(whole for _, whole in parts)


def _column(source: Sequence[str], release: Sequence[str], tree: Hierarchy) -> tuple[float, float]:
    """Bits lost and bits there were in one column: level by level, among the rows generalised at least so far."""
    places = {row[0]: place for place, row in enumerate(tree.rows)}
    codes = np.array([places[value] for value in source])
    levels = np.array([_level(tree, place, value) for place, value in zip(codes, release, strict=True)])
    lost, below = 0.0, 0
    for level in sorted(set(levels.tolist())):
        there = levels >= level
        fine = tree.codes[below][codes[there]]
        coarse = tree.codes[level][codes[there]]
        lost -= float(np.log2(np.bincount(fine)[fine] / np.bincount(coarse)[coarse]).sum())
        below = level
    return lost, _all_bits(codes)


def _all_bits(codes: Ints) -> float:
    counts = np.bincount(codes)
    return -float(np.log2(counts[codes] / len(codes)).sum())


def _level(tree: Hierarchy, place: int, value: str) -> int:
    """The finest level at which an original value is written so."""
    return next(level for level, label in enumerate(tree.rows[place]) if label == value)
