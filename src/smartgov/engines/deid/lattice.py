"""The lattice of levels, and what can be said about all its nodes from tables of a few attributes at a time.

Leaving attributes out makes classes larger. So rows that lie in too small a class of some attributes lie in one of all,
and sums of squares of some attributes, spread evenly over what the others could distinguish, bound those of all from
below (Cauchy and Schwarz). Both are found for every node at once, without looking at the table again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import prod

from smartgov.engines.deid.hierarchy import Hierarchy
from smartgov.engines.deid.installed import analysis
from smartgov.engines.deid.models import Figures, Mask
from smartgov.engines.deid.tally import Ints, Node, Tally, fusion, strides
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

with analysis():
    import numpy as np

MOST_NODES = 1 << 22
MANY = (3, 4)
_MOST_CELLS = 1 << 20
_KEPT_BYTES = 96 << 20
_MANY_ROWS = 1 << 22


@dataclass(frozen=True)
class Lattice:
    """All nodes: a level for each attribute. A node's number is its place in an array of `shape`."""

    hierarchies: tuple[Hierarchy, ...]

    def __post_init__(self) -> None:
        if len(self) > MOST_NODES:
            raise Problem(
                "deid-lattice-too-large",
                422,
                what=Text(
                    "There are too many combinations of levels for an optimal search.",
                    "層級組合過多，無法進行最佳化搜尋。",
                ),
                why=Text(
                    f"{len(self)} combinations; at most {MOST_NODES}.", f"共 {len(self)} 種組合，上限 {MOST_NODES}。"
                ),
                todo=Text(
                    "Use method mondrian, or fewer quasi-identifiers or levels.",
                    "請改用 mondrian 方法，或減少準識別欄位或層級。",
                ),
            )

    @property
    def shape(self) -> tuple[int, ...]:
        """Levels of each attribute."""
        return tuple(h.levels for h in self.hierarchies)

    def __len__(self) -> int:
        return prod(self.shape)

    def levels(self, nodes: Ints) -> Ints:
        """A row of levels for each node number."""
        return np.stack(np.unravel_index(nodes, self.shape), axis=1)

    def node(self, number: int) -> Node:
        """The levels of one node."""
        return tuple(int(level) for level in np.unravel_index(number, self.shape))

    def number(self, node: Sequence[int]) -> int:
        """The number of a node."""
        return int(np.ravel_multi_index(tuple(node), self.shape))

    def sizes(self) -> list[Figures]:
        """For each attribute how many values each level has."""
        return [np.array([h.size(level) for level in range(h.levels)], dtype=float) for h in self.hierarchies]


@dataclass(frozen=True)
class Outlook:
    """For each node: rows that fail at least, squares at least, classes at most."""

    failing: Ints
    squares: Figures
    classes: Figures


def outlook(lattice: Lattice, base: Tally, k: int, most: int = 0, open_: Mask | None = None) -> Outlook:
    """What a few attributes at a time say about every node of `open_` (all) where at most `most` rows may fail.

    Nodes that turn out to fail are asked nothing more, so their figures are only as telling as it took.
    """
    shape, many = lattice.shape, len(lattice.shape)
    left = np.ones(shape, dtype=bool) if open_ is None else open_.reshape(shape).copy()
    failing = np.zeros(shape, dtype=np.int64)
    squares = np.zeros(shape)
    spans = [size.reshape([-1 if i == a else 1 for i in range(many)]) for a, size in enumerate(lattice.sizes())]
    everything = prod(spans[1:], start=spans[0])
    classes = np.minimum(everything, float(base.counts.sum()))
    floor = tuple(int(levels.min()) for levels in np.nonzero(left)) if left.any() else (0,) * many
    counter = _Counter(lattice.hierarchies, base, floor)
    for chosen in _choices(many):
        wanted: Mask = np.asarray(left.any(axis=tuple(a for a in range(many) if a not in chosen)))
        if not wanted.any():
            break
        first = [int(levels.min()) for levels in np.nonzero(wanted)]
        trees = [lattice.hierarchies[a] for a in chosen]
        combinations_there = prod(tree.size(level) for tree, level in zip(trees, first, strict=True))
        if not dense_pays(combinations_there, len(base), _MOST_CELLS):
            continue
        own = np.zeros(wanted.shape, dtype=np.int64)
        square, cells = np.zeros(own.shape), np.zeros(own.shape)
        for levels, counts in rollups(trees, counter.counts(chosen, first), first, wanted):
            flat = counts.ravel()
            own[levels] = flat[flat < k].sum()
            square[levels] = np.einsum("i,i->", flat, flat)  # np.dot would start threads for so little
            cells[levels] = np.count_nonzero(flat)
        place = [shape[a] if a in chosen else 1 for a in range(many)]
        others = everything / prod((spans[a] for a in chosen[1:]), start=spans[chosen[0]])
        np.maximum(failing, own.reshape(place), out=failing)
        np.maximum(squares, square.reshape(place) / others, out=squares)
        known = np.where(wanted, cells, np.inf)
        np.minimum(classes, known.reshape(place) * others, out=classes)
        left &= own.reshape(place) <= most
    return Outlook(failing.ravel(), squares.ravel(), classes.ravel())


def _choices(many: int) -> Iterator[tuple[int, ...]]:
    """Attributes a few at a time, small sets first: what they rule out is not asked again."""
    for number in MANY if many >= MANY[0] else (many,):
        yield from combinations(range(many), number)


@dataclass(frozen=True)
class _Cover:
    """Counts by several attributes at some levels, from which those by fewer, or coarser ones, are added up."""

    attributes: tuple[int, ...]
    levels: tuple[int, ...]
    counts: Figures

    def holds(self, at: Mapping[int, int]) -> bool:
        """Whether counts by these attributes at these levels can be added up from it."""
        own = dict(zip(self.attributes, self.levels, strict=True))
        return all(attribute in own and own[attribute] <= level for attribute, level in at.items())


class _Counter:
    """Counts a table by a few of its attributes, at any levels.

    Going over all rows costs most, so it is done for as many attributes at once as an array may have, and what they
    tell is kept for the next few that are asked.
    """

    def __init__(self, trees: Sequence[Hierarchy], base: Tally, floor: Node) -> None:
        self._trees, self._groups, self._floor = trees, fusion(base.sizes), floor
        # NumPy looks up and counts by machine words and doubles; made once, not for every set of attributes. A whole
        # country's would take too much memory.
        self._columns = [column.astype(np.intp) if len(base) < _MANY_ROWS else column for column in base.fused]
        self._weights = base.counts.astype(np.float64)
        self._covers: list[_Cover] = []

    def counts(self, chosen: Sequence[int], levels: Sequence[int]) -> Figures:
        """An array of all combinations of the chosen attributes at these levels."""
        at = dict(zip(chosen, levels, strict=True))
        cover = next((one for one in self._covers if one.holds(at)), None)
        if cover is None:
            cover = self._counted(self._widened(chosen))
            self._covers.insert(0, cover)
            while sum(one.counts.nbytes for one in self._covers) > _KEPT_BYTES and len(self._covers) > 1:
                self._covers.pop()
        found = cover.counts.sum(axis=tuple(i for i, a in enumerate(cover.attributes) if a not in at))
        own = dict(zip(cover.attributes, cover.levels, strict=True))
        for axis, (attribute, level) in enumerate(at.items()):
            tree = self._trees[attribute]
            for step in range(own[attribute] + 1, level + 1):
                found = np.add.reduceat(found, tree.runs[step], axis=axis)
        return np.asarray(found)

    def _widened(self, chosen: Sequence[int]) -> tuple[int, ...]:
        """The chosen attributes and as many more, smallest first, as one array takes."""
        size = [tree.size(level) for tree, level in zip(self._trees, self._floor, strict=True)]
        most = min(_MOST_CELLS, len(self._weights))
        cells, taken = prod(size[a] for a in chosen), list(chosen)
        for attribute in sorted(set(range(len(size))) - set(chosen), key=lambda a: size[a]):
            if cells * size[attribute] > most:
                break
            cells *= size[attribute]
            taken.append(attribute)
        return tuple(sorted(taken))

    def _counted(self, attributes: tuple[int, ...]) -> _Cover:
        """Over all rows: a look-up in each fused column, added up, and counted."""
        sizes = [self._trees[a].size(self._floor[a]) for a in attributes]
        steps = dict(zip(attributes, strides(sizes), strict=True))
        key = np.zeros(0, dtype=np.int64)
        for column, group in zip(self._columns, self._groups, strict=True):
            if not any(digit in steps for digit in group):
                continue
            table = np.zeros(1, dtype=np.int64)
            for digit in group:
                codes = self._trees[digit].codes[self._floor[digit]]
                table = (table[:, None] + (codes * steps.get(digit, 0))[None, :]).ravel()
            found = table.take(column)
            key = np.add(key, found, out=key) if len(key) else found
        counted = np.bincount(key, self._weights, prod(sizes)).astype(np.float64, copy=False).reshape(sizes)
        return _Cover(attributes, tuple(self._floor[a] for a in attributes), counted)


def rollups(
    trees: Sequence[Hierarchy], table: Figures, first: Sequence[int], wanted: Mask
) -> Iterator[tuple[tuple[int, ...], Figures]]:
    """A table of all combinations at levels `first`, at every combination of levels that is `wanted`.

    Codes are in an order in which groups are runs, so that going up a level is adding up slices.
    """

    def along(axis: int, counts: Figures, levels: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], Figures]]:
        if axis == len(trees):
            yield levels, counts
            return
        for level in range(first[axis], trees[axis].levels):
            if level > first[axis]:
                counts = np.add.reduceat(counts, trees[axis].runs[level], axis=axis)
            if wanted[(*levels, level)].any():
                yield from along(axis + 1, counts, (*levels, level))

    yield from along(0, table, ())


def dense_pays(cells: int, rows: int, most: int) -> bool:
    """Whether an array of all combinations is quicker to add up than the combinations that there are."""
    return cells <= most and cells <= 16 * rows + (1 << 12)
