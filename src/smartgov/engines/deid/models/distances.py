"""Models of how far the sensitive values of a class are from everybody's: t-closeness and delta-disclosure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from smartgov.engines.deid.classes import Classes, Spread
from smartgov.engines.deid.hierarchy import Hierarchy
from smartgov.engines.deid.installed import analysis
from smartgov.engines.deid.models.model import Figures, Mask, OfAttribute, check
from smartgov.engines.deid.models.values import spread_of

with analysis():
    import numpy as np


@dataclass(frozen=True)
class TCloseness(OfAttribute):
    """The sensitive values of a class are spread as in the whole table, but for an earth mover's distance of `t`.

    `distance`: `equal` (any two values are 1 apart), `ordered` (neighbours in `order` are 1/(m-1) apart; without one
    the values stand in that of their codes), or `hierarchical` (the level at which two values meet, by the height).
    """

    t: float
    distance: str = "equal"
    hierarchy: Hierarchy | None = field(default=None, compare=False)
    order: tuple[int, ...] = ()
    kind: ClassVar[str] = "t-closeness"
    monotone: ClassVar[bool] = True
    smallest_class: ClassVar[int] = 1

    def __post_init__(self) -> None:
        check(0 <= self.t <= 1, self.kind, "t lies between 0 and 1", "t 須介於 0 與 1")
        known = self.distance in {"equal", "ordered", "hierarchical"}
        check(
            known,
            self.kind,
            "the distance is equal, ordered or hierarchical",
            "distance 須為 equal、ordered 或 hierarchical",
        )

    def holds(self, classes: Classes) -> Mask:
        """A distance of at most t, with room for rounding in the sums."""
        return np.asarray((self.distances(classes) <= self.t + 1e-12) | (classes.sizes == 0))

    def measure(self, classes: Classes) -> float:
        """The largest distance."""
        there = self.distances(classes)[classes.sizes > 0]
        return float(there.max()) if len(there) else 0.0

    def distances(self, classes: Classes) -> Figures:
        """The earth mover's distance of every class."""
        spread = spread_of(classes, self.attribute)
        overall = spread.overall / max(int(spread.overall.sum()), 1)
        if self.distance == "equal":
            share = spread.counts / classes.sizes[spread.which]
            part = np.abs(share - overall[spread.codes]) - overall[spread.codes]
            return np.asarray((1 + np.bincount(spread.which, part, minlength=len(classes))) / 2)
        found = np.zeros(len(classes))
        block = max(1, (1 << 24) // spread.size)
        for first in range(0, len(classes), block):
            last = min(first + block, len(classes))
            excess = _shares(spread, classes, first, last) - overall
            found[first:last] = self._ordered(excess) if self.distance == "ordered" else self._hierarchical(excess)
        return found

    def _ordered(self, excess: Figures) -> Figures:
        if self.order:
            excess = excess[:, np.array(self.order)]
        return np.asarray(np.abs(np.cumsum(excess, axis=1)).sum(axis=1) / max(excess.shape[1] - 1, 1))

    def _hierarchical(self, excess: Figures) -> Figures:
        """Sum over the inner nodes of level/height times what has to move through them (Li et al. 2007, 3.4)."""
        tree = self.hierarchy
        if tree is None:
            raise ValueError("a hierarchical distance needs a hierarchy")
        cost = np.zeros(len(excess))
        below = excess
        for level in range(1, tree.levels):
            starts = tree.runs[level]
            out = np.add.reduceat(np.maximum(below, 0), starts, axis=1)
            into = np.add.reduceat(np.maximum(-below, 0), starts, axis=1)
            cost += level / tree.height * np.minimum(out, into).sum(axis=1)
            below = out - into
        return cost

    def as_dict(self) -> dict[str, Any]:
        """`{model, attribute, t, distance}`."""
        return {"model": self.kind, "attribute": self.attribute, "t": self.t, "distance": self.distance}


@dataclass(frozen=True)
class DeltaDisclosure(OfAttribute):
    """No value's share in a class differs from its share in the table by a factor of 2^delta or more."""

    delta: float
    kind: ClassVar[str] = "delta-disclosure"
    monotone: ClassVar[bool] = False
    smallest_class: ClassVar[int] = 1

    def __post_init__(self) -> None:
        check(self.delta > 0, self.kind, "delta is above 0", "delta 須大於 0")

    def holds(self, classes: Classes) -> Mask:
        """Every |log2| is below delta."""
        return np.asarray((self._largest(classes) < self.delta) | (classes.sizes == 0))

    def measure(self, classes: Classes) -> float:
        """The largest |log2(share in class / share in table)|."""
        return float(self._largest(classes).max(initial=0.0))

    def _largest(self, classes: Classes) -> Figures:
        spread = spread_of(classes, self.attribute)
        overall = spread.overall / max(int(spread.overall.sum()), 1)
        share = spread.counts / classes.sizes[spread.which]
        found = np.zeros(len(classes))
        np.maximum.at(found, spread.which, np.abs(np.log2(share / overall[spread.codes])))
        return found

    def as_dict(self) -> dict[str, Any]:
        """`{model, attribute, delta}`."""
        return {"model": self.kind, "attribute": self.attribute, "delta": self.delta}


def _shares(spread: Spread, classes: Classes, first: int, last: int) -> Figures:
    """Shares of every value in classes `first` up to `last`, one row a class."""
    low, high = np.searchsorted(spread.which, [first, last])
    table = np.zeros((last - first, spread.size))
    which = spread.which[low:high]
    table[which - first, spread.codes[low:high]] = spread.counts[low:high] / classes.sizes[which]
    return table
