"""Models of how many sensitive values a class has, and how evenly: l-diversity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from smartgov.engines.deid.classes import Classes, Spread
from smartgov.engines.deid.installed import analysis
from smartgov.engines.deid.models.model import Figures, Mask, OfAttribute, check

with analysis():
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class DistinctL(OfAttribute):
    """At least `l` different sensitive values in a class."""

    l: int  # noqa: E741 - the model's own name
    kind: ClassVar[str] = "distinct-l-diversity"
    monotone: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check(self.l >= 1, self.kind, "l is a whole number of at least 1", "l 須為 1 以上之整數")

    @property
    def smallest_class(self) -> int:
        """l rows are needed for l values."""
        return self.l

    def holds(self, classes: Classes) -> Mask:
        """At least l values."""
        return np.asarray((self._values(classes) >= self.l) | (classes.sizes == 0))

    def measure(self, classes: Classes) -> float:
        """The fewest values in a class."""
        return _least(classes, self._values(classes))

    def _values(self, classes: Classes) -> NDArray[np.int64]:
        return np.bincount(spread_of(classes, self.attribute).which, minlength=len(classes))

    def as_dict(self) -> dict[str, Any]:
        """`{model, attribute, l}`."""
        return {"model": self.kind, "attribute": self.attribute, "l": self.l}


@dataclass(frozen=True)
class EntropyL(OfAttribute):
    """The entropy of the sensitive values in a class is at least log(`l`)."""

    l: float  # noqa: E741 - the model's own name
    kind: ClassVar[str] = "entropy-l-diversity"
    monotone: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check(self.l >= 1, self.kind, "l is a number of at least 1", "l 須為 1 以上之數")

    @property
    def smallest_class(self) -> int:
        """An entropy of log l needs l values at least."""
        return int(np.ceil(self.l))

    def holds(self, classes: Classes) -> Mask:
        """exp(entropy) is at least l; with room for the last bits of a logarithm."""
        return np.asarray((self._effective(classes) >= self.l * (1 - 1e-12)) | (classes.sizes == 0))

    def measure(self, classes: Classes) -> float:
        """The smallest exp(entropy): how many equally frequent values it is worth."""
        return _least(classes, self._effective(classes))

    def _effective(self, classes: Classes) -> Figures:
        spread = spread_of(classes, self.attribute)
        share = spread.counts / classes.sizes[spread.which]
        return np.asarray(np.exp(np.bincount(spread.which, -share * np.log(share), minlength=len(classes))))

    def as_dict(self) -> dict[str, Any]:
        """`{model, attribute, l}`."""
        return {"model": self.kind, "attribute": self.attribute, "l": self.l}


@dataclass(frozen=True)
class RecursiveL(OfAttribute):
    """Recursive (c, l): the most frequent value is rarer than c times all from the l-th most frequent on."""

    c: float
    l: int  # noqa: E741 - the model's own name
    kind: ClassVar[str] = "recursive-l-diversity"
    monotone: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check(self.l >= 1 and self.c > 0, self.kind, "l is at least 1 and c above 0", "l 須為 1 以上且 c 須大於 0")

    @property
    def smallest_class(self) -> int:
        """l values need l rows."""
        return self.l

    def holds(self, classes: Classes) -> Mask:
        """r1 < c (r_l + ... + r_m)."""
        first, rest = self._heads(classes)
        return np.asarray(((rest > 0) & (first < self.c * rest)) | (classes.sizes == 0))

    def measure(self, classes: Classes) -> float:
        """The largest r1 / (r_l + ... + r_m): the smallest c (exclusive) for which it holds."""
        first, rest = self._heads(classes)
        there = classes.sizes > 0
        ratio = np.divide(first, rest, out=np.full(len(first), np.inf), where=rest > 0)
        return float(ratio[there].max(initial=0.0))

    def _heads(self, classes: Classes) -> tuple[Figures, Figures]:
        """For each class its most frequent count, and the sum from the l-th most frequent on."""
        spread = spread_of(classes, self.attribute)
        order = np.lexsort((-spread.counts, spread.which))
        which, counts = spread.which[order], spread.counts[order]
        starts = np.searchsorted(which, np.arange(len(classes)))
        rank = np.arange(len(which)) - starts[which]
        first = np.bincount(which[rank == 0], counts[rank == 0], minlength=len(classes))
        late = rank >= self.l - 1
        rest = np.bincount(which[late], counts[late], minlength=len(classes))
        return first.astype(float), rest.astype(float)

    def as_dict(self) -> dict[str, Any]:
        """`{model, attribute, c, l}`."""
        return {"model": self.kind, "attribute": self.attribute, "c": self.c, "l": self.l}


def _least(classes: Classes, figures: Figures | NDArray[np.int64]) -> float:
    """The least figure of a class with rows; 0 without one."""
    there = figures[classes.sizes > 0]
    return float(there.min()) if len(there) else 0.0


def spread_of(classes: Classes, attribute: str) -> Spread:
    """How a sensitive attribute is spread; it has to have been counted."""
    return classes.spreads[attribute]
