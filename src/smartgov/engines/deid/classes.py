"""Equivalence classes: the groups of rows that share their quasi-identifiers, and what is in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from math import prod

from smartgov.engines.deid.installed import analysis
from smartgov.engines.deid.tally import Ints, Node, Tally, strides

with analysis():
    import numpy as np


@dataclass(frozen=True)
class Spread:
    """How a sensitive attribute is spread over the classes: `counts[i]` rows of class `which[i]` have value `codes[i]`.

    `size` is how many values there are; `overall` counts each in the whole table. Ordered by class, then by value.
    """

    which: Ints
    codes: Ints
    counts: Ints
    size: int
    overall: Ints


@dataclass(frozen=True)
class Classes:
    """All classes of a table at one node; arrays have an entry a class.

    `keys` are numbers in mixed radix over `radix`, as in a tally. Classes without a row of the table itself (only
    possible with a population) have size 0.
    """

    node: Node
    radix: tuple[int, ...]
    keys: Ints
    sizes: Ints
    population: Ints | None = None
    spreads: dict[str, Spread] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.sizes)

    @cached_property
    def rows(self) -> int:
        """Rows of the table."""
        return int(self.sizes.sum())

    @cached_property
    def squares(self) -> int:
        """Sum of the squared class sizes, exact."""
        return int(np.dot(self.sizes, self.sizes))

    @cached_property
    def inhabited(self) -> int:
        """Classes with at least one row."""
        return int(np.count_nonzero(self.sizes))

    def digits(self, attribute: int) -> Ints:
        """The code of a quasi-identifier for every class."""
        return self.keys // strides(self.radix)[attribute] % self.radix[attribute]


def classes_of(tally: Tally, sensitive: tuple[str, ...] = ()) -> Classes:
    """The classes of a tally whose last digits are the `sensitive` attributes."""
    keys = tally.keys()
    if not sensitive:
        return Classes(tally.node, tally.sizes, keys, tally.counts, tally.population)
    quasi = len(tally.node)
    below = prod(tally.sizes[quasi:])
    own = keys // below
    change = np.flatnonzero(np.concatenate([[True], own[1:] != own[:-1]])) if len(own) else np.zeros(0, dtype=np.int64)
    which = np.cumsum(np.concatenate([[0], (own[1:] != own[:-1]).astype(np.int64)])) if len(own) else own
    sizes = np.add.reduceat(tally.counts, change)
    population = None if tally.population is None else np.add.reduceat(tally.population, change)
    steps = strides(tally.sizes)
    spreads = {}
    for place, name in enumerate(sensitive):
        size = tally.sizes[quasi + place]
        spreads[name] = _spread(which, keys // steps[quasi + place] % size, tally.counts, size)
    return Classes(tally.node, tally.sizes[:quasi], own[change], sizes, population, spreads)


def _spread(which: Ints, codes: Ints, counts: Ints, size: int) -> Spread:
    """Sum over whatever else distinguishes the rows."""
    there = counts > 0
    which, codes, counts = which[there], codes[there], counts[there]
    cells = which * size + codes
    order = np.argsort(cells, kind="stable")
    cells, counts = cells[order], counts[order]
    starts = np.flatnonzero(np.concatenate([[True], cells[1:] != cells[:-1]])) if len(cells) else cells
    summed = np.add.reduceat(counts, starts) if len(cells) else counts
    cells = cells[starts]
    overall = np.bincount(cells % size, weights=summed, minlength=size).astype(np.int64)
    return Spread(cells // size, cells % size, summed, size, overall)
