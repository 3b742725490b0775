"""The lattice of levels, and what can be said about all its nodes from tables of a few attributes at a time.

Leaving attributes out makes classes larger. So rows that lie in too small a class of some attributes lie in one of all,
and sums of squares of some attributes, spread evenly over what the others could distinguish, bound those of all from
below (Cauchy and Schwarz). Both are found for every node at once, without looking at the table again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod

from smartgov.engines.deid.hierarchy import Hierarchy
from smartgov.engines.deid.installed import analysis
from smartgov.engines.deid.models import Figures
from smartgov.engines.deid.tally import GONE, Ints, Node, Tally, roll
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

with analysis():
    import numpy as np

MOST_NODES = 1 << 22
MANY = (3, 4)
_MOST_CELLS = 1 << 20


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


def outlook(lattice: Lattice, base: Tally, k: int) -> Outlook:
    """What a few attributes at a time say about every node."""
    shape, many = lattice.shape, len(lattice.shape)
    failing = np.zeros(shape, dtype=np.int64)
    squares = np.zeros(shape)
    spans = [size.reshape([-1 if i == a else 1 for i in range(many)]) for a, size in enumerate(lattice.sizes())]
    everything = prod(spans[1:], start=spans[0])
    classes = np.minimum(everything, float(base.counts.sum()))
    for chosen, table in _projections(lattice, base):
        own = np.zeros([shape[a] for a in chosen], dtype=np.int64)
        square, cells = np.zeros(own.shape), np.zeros(own.shape)
        for levels, counts in rollups([lattice.hierarchies[a] for a in chosen], table):
            flat = counts.ravel()
            own[levels] = flat[flat < k].sum()
            square[levels] = float(np.dot(flat, flat))
            cells[levels] = np.count_nonzero(flat)
        place = [shape[a] if a in chosen else 1 for a in range(many)]
        others = everything / prod((spans[a] for a in chosen[1:]), start=spans[chosen[0]])
        np.maximum(failing, own.reshape(place), out=failing)
        np.maximum(squares, square.reshape(place) / others, out=squares)
        np.minimum(classes, cells.reshape(place) * others, out=classes)
    for axis in range(many):  # what fails fails at every finer node; what is large is larger at every coarser one
        backwards = tuple(slice(None, None, -1) if i == axis else slice(None) for i in range(many))
        failing = np.maximum.accumulate(failing[backwards], axis=axis)[backwards]
        squares = np.maximum.accumulate(squares, axis=axis)
        classes = np.minimum.accumulate(classes, axis=axis)
    return Outlook(failing.ravel(), squares.ravel(), classes.ravel())


def _projections(lattice: Lattice, base: Tally) -> Iterator[tuple[tuple[int, ...], Ints]]:
    """Counts of attributes taken three and four at a time, as arrays of all combinations; too large ones are left out.

    Attributes are left out one by one, the largest first, so that most tables come from small ones and each choice is
    met once.
    """
    sizes = [h.size(0) for h in lattice.hierarchies]
    order = sorted(range(len(sizes)), key=lambda a: -sizes[a])
    wanted = {len(sizes)} if len(sizes) < MANY[0] else set(MANY)

    def visit(kept: tuple[int, ...], table: Tally, start: int) -> Iterator[tuple[tuple[int, ...], Ints]]:
        cells = prod(sizes[a] for a in kept)
        if len(kept) in wanted and dense_pays(cells, len(table), _MOST_CELLS):
            dense = np.zeros(cells, dtype=np.int64)
            dense[table.keys()] = table.counts
            yield kept, dense.reshape([sizes[a] for a in kept])
        if len(kept) <= min(wanted):
            return
        for place in range(start, len(order)):
            if len(order) - place < len(kept) - max(wanted):
                break
            left = tuple(a for a in kept if a != order[place])
            node = tuple(0 if a in left else GONE for a in range(len(sizes)))
            yield from visit(left, roll(table, node, lattice.hierarchies), place + 1)

    yield from visit(tuple(range(len(sizes))), base, 0)


def rollups(
    trees: Sequence[Hierarchy], table: Ints, first: Sequence[int] = ()
) -> Iterator[tuple[tuple[int, ...], Ints]]:
    """A table of all combinations, at every combination of levels from `first` (0) on; further axes stay as they are.

    Codes are in an order in which groups are runs, so that going up a level is adding up slices.
    """
    start = list(first) or [0] * len(trees)

    def along(axis: int, counts: Ints, levels: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], Ints]]:
        if axis == len(trees):
            yield levels, counts
            return
        for level in range(start[axis], trees[axis].levels):
            if level > start[axis]:
                counts = np.add.reduceat(counts, runs(trees[axis], level), axis=axis)
            yield from along(axis + 1, counts, (*levels, level))

    yield from along(0, table, ())


def dense_pays(cells: int, rows: int, most: int) -> bool:
    """Whether an array of all combinations is quicker to add up than the combinations that there are."""
    return cells <= most and cells <= 16 * rows + (1 << 12)


def runs(tree: Hierarchy, level: int) -> Ints:
    """Where the groups of `level` begin among the codes of the level below."""
    return np.searchsorted(tree.step(level - 1, level), np.arange(tree.size(level)))
