"""The lattice of levels, and what can be said about all its nodes from tables of three attributes at a time.

Leaving attributes out makes classes larger. So rows that lie in too small a class of three attributes lie in one of all,
and sums of squares of three attributes, spread evenly over what the others could distinguish, bound those of all from
below (Cauchy and Schwarz). Both are found for every node at once, without looking at the table again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
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
_MOST_CELLS = 1 << 23


@dataclass(frozen=True)
class Lattice:
    """All nodes: a level for each attribute. A node's number is its place in an array of `shape`."""

    hierarchies: tuple[Hierarchy, ...]

    def __post_init__(self) -> None:
        if len(self) > MOST_NODES:
            raise Problem(
                "deid-lattice-too-large",
                422,
                what=Text("There are too many combinations of levels for an optimal search.", "層級組合過多，無法進行最佳化搜尋。"),
                why=Text(f"{len(self)} combinations; at most {MOST_NODES}.", f"共 {len(self)} 種組合，上限 {MOST_NODES}。"),
                todo=Text("Use method mondrian, or fewer quasi-identifiers or levels.", "請改用 mondrian 方法，或減少準識別欄位或層級。"),
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
    """What three attributes at a time say about every node."""
    shape, many = lattice.shape, len(lattice.shape)
    failing = np.zeros(shape, dtype=np.int64)
    squares = np.zeros(shape)
    spans = [size.reshape([-1 if i == a else 1 for i in range(many)]) for a, size in enumerate(lattice.sizes())]
    everything = prod(spans[1:], start=spans[0])
    classes = np.minimum(everything, float(base.counts.sum()))
    for chosen, table in _projections(lattice, base, min(3, many)):
        own = np.zeros([shape[a] for a in chosen], dtype=np.int64)
        square, cells = np.zeros(own.shape), np.zeros(own.shape)
        for levels, counts in _rollups(lattice, chosen, table):
            own[levels] = counts[counts < k].sum()
            square[levels] = float(np.dot(counts.ravel(), counts.ravel()))
            cells[levels] = np.count_nonzero(counts)
        place = [shape[a] if a in chosen else 1 for a in range(many)]
        others = everything / prod((spans[a] for a in chosen[1:]), start=spans[chosen[0]])
        np.maximum(failing, own.reshape(place), out=failing)
        np.maximum(squares, square.reshape(place) / others, out=squares)
        np.minimum(classes, cells.reshape(place) * others, out=classes)
    return Outlook(failing.ravel(), squares.ravel(), classes.ravel())


def _projections(lattice: Lattice, base: Tally, many: int) -> Iterator[tuple[tuple[int, ...], Ints]]:
    """For every choice of `many` attributes its counts, as an array of all combinations; too large ones are left out.

    Attributes are left out one by one, the largest first, so that most tables come from small ones.
    """
    sizes = [h.size(0) for h in lattice.hierarchies]
    made: dict[frozenset[int], Tally] = {frozenset(range(len(sizes))): base}
    for chosen in combinations(range(len(sizes)), many):
        if prod(sizes[a] for a in chosen) > _MOST_CELLS:
            continue
        kept = frozenset(range(len(sizes)))
        table = base
        for out in sorted(kept - set(chosen), key=lambda a: -sizes[a]):
            kept -= {out}
            if kept not in made:
                node = tuple(0 if a in kept else GONE for a in range(len(sizes)))
                made[kept] = roll(table, node, lattice.hierarchies)
            table = made[kept]
        dense = np.zeros(prod(sizes[a] for a in chosen), dtype=np.int64)
        dense[table.keys()] = table.counts
        yield chosen, dense.reshape([sizes[a] for a in chosen])


def _rollups(lattice: Lattice, chosen: tuple[int, ...], table: Ints) -> Iterator[tuple[tuple[int, ...], Ints]]:
    """The table at every combination of levels; codes are in an order in which groups are runs."""

    def along(axis: int, counts: Ints, levels: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], Ints]]:
        if axis == len(chosen):
            yield levels, counts
            return
        hierarchy = lattice.hierarchies[chosen[axis]]
        for level in range(hierarchy.levels):
            if level:
                starts = np.searchsorted(hierarchy.step(level - 1, level), np.arange(hierarchy.size(level)))
                counts = np.add.reduceat(counts, starts, axis=axis)
            yield from along(axis + 1, counts, (*levels, level))

    yield from along(0, table, ())
