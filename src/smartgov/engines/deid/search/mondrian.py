"""Mondrian: local recoding by halving (LeFevre, DeWitt and Ramakrishnan 2006), where an optimal search cannot go.

The rows are halved at the median of the attribute that is spread widest, as long as both halves fulfil every model.
Each part is then written with the finest level at which all its values are one, so a value may be written differently
in different parts. It proves no optimum; the release says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

from smartgov.engines.deid.classes import Classes, classes_of
from smartgov.engines.deid.hierarchy import Hierarchy
from smartgov.engines.deid.installed import analysis
from smartgov.engines.deid.models import Mask, Model, holding
from smartgov.engines.deid.tally import Ints, Tally, of_keys, strides

with analysis():
    import numpy as np


@dataclass(frozen=True)
class Partition:
    """Classes of local recoding: `part[i]` is the class of the i-th distinct quasi-identifier combination `keys[i]`.

    `levels` and `codes` say for each class and attribute how its value is written.
    """

    keys: Ints
    part: Ints
    levels: Ints
    codes: Ints


def partition(
    base: Tally,
    trees: tuple[Hierarchy, ...],
    models: tuple[Model, ...],
    sensitive: tuple[str, ...] = (),
    *,
    cancelled: Callable[[], bool] | None = None,
) -> Partition | None:
    """Halve until no half would hold; None when the whole table does not hold, or when cancelled."""
    below = prod(base.sizes[len(trees) :])
    keys = base.keys()
    own = keys // below
    columns = [own // step % size for step, size in zip(strides(base.sizes[: len(trees)]), base.sizes, strict=False)]
    widths = [max(size - 1, 1) for size in base.sizes[: len(trees)]]
    part = np.zeros(len(base), dtype=np.int64)
    if not holding(models, classes_of(_merged(base, part, trees), sensitive)).all():
        return None
    open_parts, parts = [np.arange(len(base))], 0
    while open_parts:
        if cancelled is not None and cancelled():
            return None
        rows = open_parts.pop()
        cut = _cut(base, rows, columns, widths, trees, models, sensitive)
        if cut is None:
            part[rows] = parts
            parts += 1
        else:
            open_parts += [rows[cut], rows[~cut]]
    first = np.flatnonzero(np.concatenate([[True], own[1:] != own[:-1]]))
    levels, codes = _written(part, parts, columns, trees)
    return Partition(own[first], part[first], levels, codes)


def classes_by_part(base: Tally, found: Partition, quasi: int, sensitive: tuple[str, ...]) -> Classes:
    """The classes of a partition; their keys are the numbers of the parts."""
    own = base.keys() // prod(base.sizes[quasi:])
    part = found.part[np.searchsorted(found.keys, own)]
    return classes_of(_renumbered(base, part, quasi, len(found.levels)), sensitive)


def _cut(
    base: Tally,
    rows: Ints,
    columns: list[Ints],
    widths: list[int],
    trees: tuple[Hierarchy, ...],
    models: tuple[Model, ...],
    sensitive: tuple[str, ...],
) -> Mask | None:
    """Which of the rows go to one half: at the weighted median of the widest attribute where both halves hold."""
    counts = base.counts[rows]
    least = max((model.smallest_class for model in models), default=1)
    if int(counts.sum()) < 2 * least:
        return None
    own = [column[rows] for column in columns]
    spans = [(int(column.max()) - int(column.min())) / width for column, width in zip(own, widths, strict=True)]
    for attribute in np.argsort(spans)[::-1]:
        if spans[attribute] == 0:
            return None
        column = own[attribute]
        mass = np.bincount(column - column.min(), counts)
        middle = int(np.searchsorted(np.cumsum(mass), counts.sum() / 2)) + int(column.min())
        for low in (column <= middle, column < middle):
            if low.all() or not low.any() or min(counts[low].sum(), counts[~low].sum()) < least:
                continue
            halves = classes_of(_renumbered(_rows_of(base, rows), low.astype(np.int64), len(trees), 2), sensitive)
            if holding(models, _whole(halves, base, sensitive)).all():
                return np.asarray(low)
    return None


def _whole(halves: Classes, base: Tally, sensitive: tuple[str, ...]) -> Classes:
    """Distances are measured against the whole table, not against the part at hand."""
    if not sensitive:
        return halves
    spreads = {}
    for place, name in enumerate(sensitive):
        spread = halves.spreads[name]
        quasi = len(base.sizes) - len(sensitive)
        codes = base.keys() // strides(base.sizes)[quasi + place] % base.sizes[quasi + place]
        overall = np.bincount(codes, base.counts, minlength=spread.size).astype(np.int64)
        spreads[name] = type(spread)(spread.which, spread.codes, spread.counts, spread.size, overall)
    return Classes(halves.node, halves.radix, halves.keys, halves.sizes, halves.population, spreads)


def _rows_of(base: Tally, rows: Ints) -> Tally:
    return Tally(base.node, base.sizes, tuple(column[rows] for column in base.fused), base.counts[rows])


def _merged(base: Tally, part: Ints, trees: tuple[Hierarchy, ...]) -> Tally:
    return _renumbered(base, part, len(trees), 1)


def _renumbered(base: Tally, part: Ints, quasi: int, parts: int) -> Tally:
    """The rows with their part's number in place of their quasi-identifiers."""
    rest = base.sizes[quasi:]
    below = prod(rest)
    keys = part * below + base.keys() % below
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    return of_keys((0,), (max(parts, 1), *rest), ordered[starts], np.add.reduceat(base.counts[order], starts))


def _written(part: Ints, parts: int, columns: list[Ints], trees: tuple[Hierarchy, ...]) -> tuple[Ints, Ints]:
    """For each part and attribute the finest level at which its lowest and its highest code are one, and that code.

    Groups are runs of codes, so lowest and highest decide.
    """
    levels = np.zeros((parts, len(trees)), dtype=np.int64)
    codes = np.zeros((parts, len(trees)), dtype=np.int64)
    for attribute, tree in enumerate(trees):
        low = np.full(parts, len(tree.rows), dtype=np.int64)
        high = np.zeros(parts, dtype=np.int64)
        np.minimum.at(low, part, columns[attribute])
        np.maximum.at(high, part, columns[attribute])
        level = np.full(parts, -1, dtype=np.int64)
        for height in range(tree.levels):
            one = (level < 0) & (tree.codes[height][low] == tree.codes[height][high])
            level[one] = height
            codes[one, attribute] = tree.codes[height][low[one]]
        levels[:, attribute] = level
    return levels, codes
