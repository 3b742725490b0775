"""Privacy models: what a class has to fulfil, and what a whole release fulfils.

Every model answers for all classes at once. `holds(classes)` is a mask over the classes; `measure(classes)` is the
figure the model is named after for the table at hand (the smallest class, the fewest values, the largest distance).

Sources: k-anonymity, Sweeney 2002; k-map, Sweeney 2001; l-diversity, Machanavajjhala et al. 2007 (definition 4.1
entropy, 4.2 recursive); t-closeness, Li, Li and Venkatasubramanian 2007 (equal, ordered, hierarchical distance);
delta-presence, Nergiz, Atzori and Clifton 2007; delta-disclosure privacy, Brickell and Shmatikov 2008.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, TypeAlias

from smartgov.engines.deid.classes import Classes, Spread
from smartgov.engines.deid.hierarchy import Hierarchy
from smartgov.engines.deid.installed import analysis
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

with analysis():
    import numpy as np
    from numpy.typing import NDArray

Mask: TypeAlias = "NDArray[np.bool_]"
Figures: TypeAlias = "NDArray[np.float64]"


class Model(Protocol):
    """What the search and the checks need of a model."""

    kind: ClassVar[str]

    @property
    def sensitive(self) -> str | None:
        """The sensitive attribute that it protects, if any."""
        ...

    @property
    def smallest_class(self) -> int:
        """A class with fewer rows cannot hold; what lets the search rule out a node from a coarser look."""
        ...

    @property
    def monotone(self) -> bool:
        """Whether merging classes that all hold makes a class that holds."""
        ...

    def holds(self, classes: Classes) -> Mask:
        """For each class whether it fulfils the model; an empty class does."""
        ...

    def measure(self, classes: Classes) -> float:
        """The model's figure over all classes with rows."""
        ...

    def as_dict(self) -> dict[str, Any]:
        """As it stands in a policy."""
        ...


@dataclass(frozen=True)
class KAnonymity:
    """Every class has at least `k` rows."""

    k: int
    kind: ClassVar[str] = "k-anonymity"
    sensitive: ClassVar[str | None] = None
    monotone: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _check(self.k >= 1, self.kind, "k is a whole number of at least 1", "k 須為 1 以上之整數")

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
        _check(self.k >= 1, self.kind, "k is a whole number of at least 1", "k 須為 1 以上之整數")

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
        _check(
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


@dataclass(frozen=True)
class DistinctL:
    """At least `l` different sensitive values in a class."""

    attribute: str
    l: int  # noqa: E741 - the model's own name
    kind: ClassVar[str] = "distinct-l-diversity"
    monotone: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _check(self.l >= 1, self.kind, "l is a whole number of at least 1", "l 須為 1 以上之整數")

    @property
    def sensitive(self) -> str:
        """The attribute."""
        return self.attribute

    @property
    def smallest_class(self) -> int:
        """l rows are needed for l values."""
        return self.l

    def holds(self, classes: Classes) -> Mask:
        """At least l values."""
        return np.asarray((self._values(classes) >= self.l) | (classes.sizes == 0))

    def measure(self, classes: Classes) -> float:
        """The fewest values in a class."""
        there = self._values(classes)[classes.sizes > 0]
        return float(there.min()) if len(there) else 0.0

    def _values(self, classes: Classes) -> NDArray[np.int64]:
        return np.bincount(spread_of(classes, self.attribute).which, minlength=len(classes))

    def as_dict(self) -> dict[str, Any]:
        """`{model, attribute, l}`."""
        return {"model": self.kind, "attribute": self.attribute, "l": self.l}


@dataclass(frozen=True)
class EntropyL:
    """The entropy of the sensitive values in a class is at least log(`l`)."""

    attribute: str
    l: float  # noqa: E741 - the model's own name
    kind: ClassVar[str] = "entropy-l-diversity"
    monotone: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _check(self.l >= 1, self.kind, "l is a number of at least 1", "l 須為 1 以上之數")

    @property
    def sensitive(self) -> str:
        """The attribute."""
        return self.attribute

    @property
    def smallest_class(self) -> int:
        """An entropy of log l needs l values at least."""
        return int(np.ceil(self.l))

    def holds(self, classes: Classes) -> Mask:
        """exp(entropy) is at least l; with room for the last bits of a logarithm."""
        return np.asarray((self._effective(classes) >= self.l * (1 - 1e-12)) | (classes.sizes == 0))

    def measure(self, classes: Classes) -> float:
        """The smallest exp(entropy): how many equally frequent values it is worth."""
        there = self._effective(classes)[classes.sizes > 0]
        return float(there.min()) if len(there) else 0.0

    def _effective(self, classes: Classes) -> Figures:
        spread = spread_of(classes, self.attribute)
        share = spread.counts / classes.sizes[spread.which]
        return np.asarray(np.exp(np.bincount(spread.which, -share * np.log(share), minlength=len(classes))))

    def as_dict(self) -> dict[str, Any]:
        """`{model, attribute, l}`."""
        return {"model": self.kind, "attribute": self.attribute, "l": self.l}


@dataclass(frozen=True)
class RecursiveL:
    """Recursive (c, l): the most frequent value is rarer than c times all from the l-th most frequent on."""

    attribute: str
    c: float
    l: int  # noqa: E741 - the model's own name
    kind: ClassVar[str] = "recursive-l-diversity"
    monotone: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _check(self.l >= 1 and self.c > 0, self.kind, "l is at least 1 and c above 0", "l 須為 1 以上且 c 須大於 0")

    @property
    def sensitive(self) -> str:
        """The attribute."""
        return self.attribute

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


@dataclass(frozen=True)
class TCloseness:
    """The sensitive values of a class are spread as in the whole table, but for an earth mover's distance of `t`.

    `distance`: `equal` (any two values are 1 apart), `ordered` (neighbours in `order` are 1/(m-1) apart; without one
    the values stand in that of their codes), or `hierarchical` (the level at which two values meet, by the height).
    """

    attribute: str
    t: float
    distance: str = "equal"
    hierarchy: Hierarchy | None = field(default=None, compare=False)
    order: tuple[int, ...] = ()
    kind: ClassVar[str] = "t-closeness"
    monotone: ClassVar[bool] = True
    smallest_class: ClassVar[int] = 1

    def __post_init__(self) -> None:
        _check(0 <= self.t <= 1, self.kind, "t lies between 0 and 1", "t 須介於 0 與 1")
        known = self.distance in {"equal", "ordered", "hierarchical"}
        _check(
            known,
            self.kind,
            "the distance is equal, ordered or hierarchical",
            "distance 須為 equal、ordered 或 hierarchical",
        )

    @property
    def sensitive(self) -> str:
        """The attribute."""
        return self.attribute

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
            starts = np.searchsorted(tree.step(level - 1, level), np.arange(tree.size(level)))
            out = np.add.reduceat(np.maximum(below, 0), starts, axis=1)
            into = np.add.reduceat(np.maximum(-below, 0), starts, axis=1)
            cost += level / tree.height * np.minimum(out, into).sum(axis=1)
            below = out - into
        return cost

    def as_dict(self) -> dict[str, Any]:
        """`{model, attribute, t, distance}`."""
        return {"model": self.kind, "attribute": self.attribute, "t": self.t, "distance": self.distance}


@dataclass(frozen=True)
class DeltaDisclosure:
    """No value's share in a class differs from its share in the table by a factor of 2^delta or more."""

    attribute: str
    delta: float
    kind: ClassVar[str] = "delta-disclosure"
    monotone: ClassVar[bool] = False
    smallest_class: ClassVar[int] = 1

    def __post_init__(self) -> None:
        _check(self.delta > 0, self.kind, "delta is above 0", "delta 須大於 0")

    @property
    def sensitive(self) -> str:
        """The attribute."""
        return self.attribute

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


def spread_of(classes: Classes, attribute: str) -> Spread:
    """How a sensitive attribute is spread; it has to have been counted."""
    return classes.spreads[attribute]


def holding(models: tuple[Model, ...], classes: Classes) -> Mask:
    """The classes that fulfil every model."""
    mask = np.ones(len(classes), dtype=bool)
    for model in models:
        mask &= model.holds(classes)
    return mask


def model_from(spec: Mapping[str, Any], hierarchies: Mapping[str, Hierarchy]) -> Model:
    """A model from a policy's words, `{model: k-anonymity, k: 5}`; Problem `deid-model-invalid`."""
    words = dict(spec)
    kind = str(words.pop("model", ""))
    makers: dict[str, Any] = {
        m.kind: m for m in (KAnonymity, KMap, DPresence, DistinctL, EntropyL, RecursiveL, TCloseness, DeltaDisclosure)
    }
    if kind not in makers:
        raise _invalid(kind or "model", f"known models: {', '.join(makers)}", f"可用模型：{'、'.join(makers)}")
    if kind == TCloseness.kind and words.get("distance") == "hierarchical":
        words["hierarchy"] = hierarchies.get(str(words.get("attribute")))
        _check(
            words["hierarchy"] is not None,
            kind,
            "a hierarchical distance needs the attribute's hierarchy",
            "hierarchical 距離需要該屬性的概化階層",
        )
    try:
        made: Model = makers[kind](**words)
    except TypeError as error:
        raise _invalid(kind, str(error), str(error)) from error
    return made


def _shares(spread: Spread, classes: Classes, first: int, last: int) -> Figures:
    """Shares of every value in classes `first` up to `last`, one row a class."""
    low, high = np.searchsorted(spread.which, [first, last])
    table = np.zeros((last - first, spread.size))
    which = spread.which[low:high]
    table[which - first, spread.codes[low:high]] = spread.counts[low:high] / classes.sizes[which]
    return table


def _people(classes: Classes, kind: str) -> NDArray[np.int64]:
    if classes.population is None:
        raise _invalid(kind, "it needs a population table", "需要母體資料表")
    return classes.population


def _check(good: bool, kind: str, why_en: str, why_zh: str) -> None:
    if not good:
        raise _invalid(kind, why_en, why_zh)


def _invalid(kind: str, why_en: str, why_zh: str) -> Problem:
    return Problem(
        "deid-model-invalid",
        what=Text(f"The privacy model {kind} cannot be used so.", f"隱私模型 {kind} 設定有誤。"),
        why=Text(f"{why_en}.", f"{why_zh}。"),
        todo=Text("Mend `models` in the policy.", "請修正政策檔的 models。"),
    )
