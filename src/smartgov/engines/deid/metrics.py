"""What a generalisation costs: the metrics by which the search compares nodes, and that a release reports.

All are costs: lower is better. They are defined as ARX defines them, so that ARX can judge our results:
discernibility (Bayardo and Agrawal 2005), average class size (LeFevre et al. 2006), loss (Iyengar 2002), non-uniform
entropy (Gionis and Tassa 2009) and precision (Sweeney 2002).

For the search each gives two lower bounds: from the levels of a node alone, and from the classes of any finer node.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from smartgov.engines.deid.classes import Classes
from smartgov.engines.deid.hierarchy import Hierarchy
from smartgov.engines.deid.installed import analysis
from smartgov.engines.deid.models import Figures, Mask
from smartgov.engines.deid.tally import Ints
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

with analysis():
    import numpy as np


@dataclass(frozen=True)
class Ground:
    """What costs are measured against: the table's rows, and how often each original value occurs."""

    rows: int
    hierarchies: tuple[Hierarchy, ...]
    marginals: tuple[Ints, ...]


class Metric(Protocol):
    """What the search needs of a metric."""

    kind: ClassVar[str]

    def by_levels(self, ground: Ground) -> list[Figures] | None:
        """For each attribute what each level costs at least; None where levels alone say nothing."""
        ...

    def combine(self, parts: Sequence[Figures]) -> Figures:
        """The cost of a node from what its attributes cost; broadcasts."""
        ...

    def at_least(self, ground: Ground, squares: Figures, inhabited: Figures, failing: Figures, k: int) -> Figures:
        """A lower bound from the classes of a finer node: `squares` and `failing` rows may be lower bounds themselves,
        `inhabited` an upper one; failing classes are smaller than `k`."""
        ...

    def score(self, ground: Ground, classes: Classes, held: Mask) -> float:
        """The cost of a node whose classes outside `held` are suppressed."""
        ...


@dataclass(frozen=True)
class Discernibility:
    """Each row costs the size of its class; a suppressed one as much as the whole table.

    `lenient` charges a suppressed row the size of its class only (the DM* of Bayardo and Agrawal).
    """

    lenient: bool = False
    kind: ClassVar[str] = "discernibility"

    def by_levels(self, ground: Ground) -> list[Figures] | None:
        """Levels alone say nothing."""
        return None

    def combine(self, parts: Sequence[Figures]) -> Figures:
        """Not by attribute."""
        raise NotImplementedError

    def at_least(self, ground: Ground, squares: Figures, inhabited: Figures, failing: Figures, k: int) -> Figures:
        """Squares only grow; each failing row costs the table instead of its class, which is smaller than k."""
        return squares if self.lenient else squares + failing * max(ground.rows - k + 1, 0)

    def score(self, ground: Ground, classes: Classes, held: Mask) -> float:
        """Sum of squares, exact."""
        if self.lenient:
            return float(classes.squares)
        kept = classes.sizes[held]
        return float(int(np.dot(kept, kept)) + ground.rows * (classes.rows - int(kept.sum())))


@dataclass(frozen=True)
class AverageClass:
    """Rows by classes; all suppressed rows together are one class more."""

    kind: ClassVar[str] = "average-class-size"

    def by_levels(self, ground: Ground) -> list[Figures] | None:
        """Levels alone say nothing."""
        return None

    def combine(self, parts: Sequence[Figures]) -> Figures:
        """Not by attribute."""
        raise NotImplementedError

    def at_least(self, ground: Ground, squares: Figures, inhabited: Figures, failing: Figures, k: int) -> Figures:
        """There are never more classes than at a finer node."""
        return ground.rows / np.maximum(inhabited, 1)

    def score(self, ground: Ground, classes: Classes, held: Mask) -> float:
        """Rows by classes."""
        there = classes.sizes > 0
        kept = int(np.count_nonzero(held & there))
        return ground.rows / (kept + (kept != classes.inhabited))


@dataclass(frozen=True)
class _ByValue:
    """Metrics that charge each value by how much it was generalised."""

    def at_least(self, ground: Ground, squares: Figures, inhabited: Figures, failing: Figures, k: int) -> Figures:
        """Classes say nothing that levels do not."""
        return np.zeros_like(squares)

    def combine(self, parts: Sequence[Figures]) -> Figures:
        """The sum."""
        return np.asarray(sum(parts))


@dataclass(frozen=True)
class Entropy(_ByValue):
    """Non-uniform entropy: the bits that generalisation takes, over all rows and attributes.

    `suppression` also charges suppressed rows what it takes to lose the rest of them.
    """

    suppression: bool = True
    kind: ClassVar[str] = "entropy"

    def by_levels(self, ground: Ground) -> list[Figures]:
        """- sum over original values of count * log2(count / count of the generalised value)."""
        found = []
        for hierarchy, counts in zip(ground.hierarchies, ground.marginals, strict=True):
            there = counts > 0
            bits = []
            for codes in hierarchy.codes:
                whole = np.bincount(codes, counts)[codes]
                bits.append(-float(np.sum(counts[there] * np.log2(counts[there] / whole[there]))))
            found.append(np.maximum(np.array(bits), 0.0))
        return found

    def score(self, ground: Ground, classes: Classes, held: Mask) -> float:
        """The bits of the levels, and those of suppression."""
        parts = [bits[level] for bits, level in zip(self.by_levels(ground), classes.node, strict=True)]
        if self.suppression and not held.all():
            parts = [part + _lost_bits(classes, ~held, i) for i, part in enumerate(parts)]
        return float(sum(parts))


@dataclass(frozen=True)
class Loss(_ByValue):
    """The share of the domain that a value stands for, between 0 and 1, as the geometric mean over the attributes."""

    kind: ClassVar[str] = "loss"

    def combine(self, parts: Sequence[Figures]) -> Figures:
        """The geometric mean of 1 + loss, less 1."""
        return np.asarray(np.exp(sum(np.log1p(part) for part in parts) / len(parts)) - 1)

    def by_levels(self, ground: Ground) -> list[Figures]:
        """The normalised mean share at each level."""
        found = []
        for hierarchy, counts in zip(ground.hierarchies, ground.marginals, strict=True):
            shares = [
                hierarchy.leaves(level)[codes] / len(hierarchy.rows) for level, codes in enumerate(hierarchy.codes)
            ]
            found.append(np.array([self._normal(ground, hierarchy, float((counts * share).sum())) for share in shares]))
        return found

    def score(self, ground: Ground, classes: Classes, held: Mask) -> float:
        """As by the levels, but a suppressed row has lost everything."""
        sizes, parts = classes.sizes, []
        for i, (hierarchy, level) in enumerate(zip(ground.hierarchies, classes.node, strict=True)):
            share = hierarchy.leaves(level)[classes.digits(i)] / len(hierarchy.rows)
            total = float((sizes * share)[held].sum()) + float(sizes[~held].sum())
            parts.append(np.array(self._normal(ground, hierarchy, total)))
        return float(self.combine(parts))

    @staticmethod
    def _normal(ground: Ground, hierarchy: Hierarchy, total: float) -> float:
        least = ground.rows / len(hierarchy.rows)
        return max((total - least) / (ground.rows - least), 0.0) if ground.rows > least else 0.0


@dataclass(frozen=True)
class Precision(_ByValue):
    """The level by the height, the arithmetic mean over the attributes; a suppressed row counts as 1."""

    kind: ClassVar[str] = "precision"

    def by_levels(self, ground: Ground) -> list[Figures]:
        """level / height / attributes."""
        many = len(ground.hierarchies)
        return [np.arange(h.levels) / max(h.height, 1) / many for h in ground.hierarchies]

    def score(self, ground: Ground, classes: Classes, held: Mask) -> float:
        """The mean over rows and attributes."""
        kept = int(classes.sizes[held].sum()) / max(ground.rows, 1)
        mean = sum(part[level] for part, level in zip(self.by_levels(ground), classes.node, strict=True))
        return float(kept * mean + (1 - kept))


METRICS: dict[str, Metric] = {
    "discernibility": Discernibility(),
    "discernibility-lenient": Discernibility(lenient=True),
    "average-class-size": AverageClass(),
    "entropy": Entropy(),
    "entropy-without-suppression": Entropy(suppression=False),
    "loss": Loss(),
    "precision": Precision(),
}


def metric_named(name: str) -> Metric:
    """The metric of that name; Problem `deid-metric-unknown` lists the names."""
    if name in METRICS:
        return METRICS[name]
    raise Problem(
        "deid-metric-unknown",
        what=Text(f"There is no metric {name!r}.", f"沒有名為 {name!r} 的衡量指標。"),
        why=Text(f"Known: {', '.join(METRICS)}.", f"可用：{'、'.join(METRICS)}。"),
        todo=Text("Choose one of them for `metric` in the policy.", "請於政策檔的 metric 擇一填寫。"),
    )


def described(ground: Ground, classes: Classes, held: Mask) -> dict[str, Any]:
    """Every metric for one node, by name."""
    return {name: metric.score(ground, classes, held) for name, metric in METRICS.items()}


def _lost_bits(classes: Classes, failing: Mask, attribute: int) -> float:
    counts = np.bincount(classes.digits(attribute)[failing], classes.sizes[failing])
    counts = counts[counts > 0]
    return max(-float(np.sum(counts * np.log2(counts / counts.sum()))), 0.0) if len(counts) else 0.0
