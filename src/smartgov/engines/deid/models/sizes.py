"""Models of class sizes: rows of the table, and people of the population behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from smartgov.engines.deid.classes import Classes
from smartgov.engines.deid.installed import analysis
from smartgov.engines.deid.models.model import Figures, Mask, check, invalid

with analysis():
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class KAnonymity:
    """Every class has at least `k` rows."""

    k: int
    kind: ClassVar[str] = "k-anonymity"
    sensitive: ClassVar[str | None] = None
    monotone: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check(self.k >= 1, self.kind, "k is a whole number of at least 1", "k 須為 1 以上之整數")

    @property
    def smallest_class(self) -> int:
        """k."""
        return self.k

    def holds(self, classes: Classes) -> Mask:
        """At least k rows."""
        return np.asarray((classes.sizes >= self.k) | (classes.sizes == 0))

    def measure(self, classes: Classes) -> float:
        """The smallest class."""
        there = classes.sizes[classes.sizes > 0]
        return float(there.min()) if len(there) else 0.0

    def as_dict(self) -> dict[str, Any]:
        """`{model, k}`."""
        return {"model": self.kind, "k": self.k}


@dataclass(frozen=True)
class KMap:
    """Every class with rows has at least `k` people in the population table."""

    k: int
    kind: ClassVar[str] = "k-map"
    sensitive: ClassVar[str | None] = None
    monotone: ClassVar[bool] = True
    smallest_class: ClassVar[int] = 1

    def __post_init__(self) -> None:
        check(self.k >= 1, self.kind, "k is a whole number of at least 1", "k 須為 1 以上之整數")

    def holds(self, classes: Classes) -> Mask:
        """At least k people."""
        return np.asarray((_people(classes, self.kind) >= self.k) | (classes.sizes == 0))

    def measure(self, classes: Classes) -> float:
        """The fewest people behind a class."""
        there = _people(classes, self.kind)[classes.sizes > 0]
        return float(there.min()) if len(there) else 0.0

    def as_dict(self) -> dict[str, Any]:
        """`{model, k}`."""
        return {"model": self.kind, "k": self.k}


@dataclass(frozen=True)
class DPresence:
    """Whoever is in the population is in the table with a likelihood between `lowest` and `highest`."""

    lowest: float
    highest: float
    kind: ClassVar[str] = "d-presence"
    sensitive: ClassVar[str | None] = None
    monotone: ClassVar[bool] = True
    smallest_class: ClassVar[int] = 0

    def __post_init__(self) -> None:
        check(
            0 <= self.lowest <= self.highest <= 1,
            self.kind,
            "0 <= lowest <= highest <= 1",
            "須符合 0 ≤ lowest ≤ highest ≤ 1",
        )

    def holds(self, classes: Classes) -> Mask:
        """The share of the class's people who are in the table lies between the bounds; also where nobody is."""
        share = self._share(classes)
        return np.asarray((share >= self.lowest) & (share <= self.highest))

    def measure(self, classes: Classes) -> float:
        """The largest share."""
        return float(self._share(classes).max(initial=0.0))

    def _share(self, classes: Classes) -> Figures:
        people = _people(classes, self.kind)
        return np.divide(classes.sizes, people, out=np.ones(len(people)), where=people > 0)

    def as_dict(self) -> dict[str, Any]:
        """`{model, lowest, highest}`."""
        return {"model": self.kind, "lowest": self.lowest, "highest": self.highest}


def _people(classes: Classes, kind: str) -> NDArray[np.int64]:
    if classes.population is None:
        raise invalid(kind, "it needs a population table", "需要母體資料表")
    return classes.population
