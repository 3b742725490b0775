"""How likely somebody in a release is found again: prosecutor, journalist and marketer risk, population uniqueness.

All of it comes from class sizes. A class is the set of rows that share their quasi-identifiers; `Sizes` says how many
classes there are of each size, which DuckDB counts in seconds for a whole country and which is small ever after.

The three attackers are those of K. El Emam, Guide to the De-Identification of Personal Health Information (2013),
chapter 16: the prosecutor knows that a certain person is in the release; the journalist looks for anybody, and knows
only the population that the release was drawn from; the marketer wants as many as possible.
Suppressed rows belong to no class: they would make a large one, and flatter every figure here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from smartgov.engines.deid.installed import analysis
from smartgov.engines.deid.relations import Source, listed, one, opened, quoted
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

with analysis():
    import numpy as np
    from numpy.typing import NDArray

SUPPRESSED = "*"
Pairs: TypeAlias = "tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]"


@dataclass(frozen=True, slots=True)
class Sizes:
    """`counts[i]` classes have `sizes[i]` rows each; sizes ascend."""

    sizes: NDArray[np.int64]
    counts: NDArray[np.int64]

    @property
    def rows(self) -> int:
        """Rows in all classes."""
        return int(self.sizes @ self.counts)

    @property
    def classes(self) -> int:
        """Number of classes."""
        return int(self.counts.sum())

    @property
    def smallest(self) -> int:
        """The k of k-anonymity; 0 for a table without rows."""
        return int(self.sizes[0]) if len(self.sizes) else 0

    def of_size(self, size: int) -> int:
        """How many classes have exactly `size` rows."""
        return int(self.counts[self.sizes == size].sum())

    def rows_below(self, size: int) -> int:
        """Rows in classes smaller than `size`."""
        small = self.sizes < size
        return int(self.sizes[small] @ self.counts[small])

    @classmethod
    def of(cls, sizes: Sequence[int] | NDArray[np.int64]) -> Sizes:
        """From the size of every class, in any order."""
        kinds, counts = np.unique(np.asarray(sizes, dtype=np.int64), return_counts=True)
        return cls(kinds, counts.astype(np.int64))


@dataclass(frozen=True, slots=True)
class Attacker:
    """One attacker's three figures, each a probability or a share of rows (0 to 1)."""

    highest: float
    average: float
    at_risk: float


@dataclass(frozen=True, slots=True)
class Risk:
    """What the attackers reach in a release of `rows` rows in `classes` classes, at a risk `threshold`."""

    rows: int
    classes: int
    k: int
    suppressed: int
    threshold: float
    prosecutor: Attacker
    journalist: Attacker
    marketer: float
    uniques: float
    framed: bool


def unsuppressed(quasi: Sequence[str]) -> str:
    """The SQL condition for rows that were not suppressed: not every quasi-identifier is `*`."""
    return " OR ".join(f"CAST({quoted(name)} AS VARCHAR) IS DISTINCT FROM '{SUPPRESSED}'" for name in quasi) or "true"


def sizes(table: Source, quasi: Sequence[str]) -> Sizes:
    """The class sizes of a table over its quasi-identifiers, suppressed rows left out."""
    with opened(t=table) as db:
        found = db.execute(
            f"SELECT n, count(*) AS c FROM (SELECT count(*) AS n FROM t WHERE {unsuppressed(quasi)} "  # noqa: S608
            f"GROUP BY {listed(quasi)}) GROUP BY n ORDER BY n"
        ).fetchnumpy()
    return Sizes(found["n"].astype(np.int64), found["c"].astype(np.int64))


def suppressed(table: Source, quasi: Sequence[str]) -> int:
    """How many rows were suppressed."""
    with opened(t=table) as db:
        return int(one(db, f"SELECT count(*) FROM t WHERE NOT ({unsuppressed(quasi)})"))  # noqa: S608 - quoted


def measure(table: Source, quasi: Sequence[str], *, threshold: float = 0.2, frame: Source | None = None) -> Risk:
    """The risk of a released table.

    `threshold` is the highest risk a row may carry (0.2: one in five) and only sets `at_risk`. `frame` is the
    population the release was drawn from, with the same columns, generalised alike; without it the journalist can do
    no better than the prosecutor is assumed to do, and that is what is reported (`framed` is False).
    """
    pairs = None if frame is None else _paired(table, frame, quasi)
    return of_sizes(sizes(table, quasi), suppressed(table, quasi), threshold=threshold, pairs=pairs)


def of_sizes(own: Sizes, hidden: int = 0, *, threshold: float = 0.2, pairs: Pairs | None = None) -> Risk:
    """The risk from class sizes alone; `pairs` are a frame's (size here, size there, number of such classes)."""
    if not own.rows:
        raise _empty()
    prosecutor = _attacker(own.sizes, own.sizes, own.counts, threshold)
    journalist, marketer = prosecutor, own.classes / own.rows
    if pairs is not None:
        small, large, counts = pairs
        journalist = _attacker(small, large, counts, threshold)
        marketer = journalist.average
        # jRc, equation 16.9: the average cannot be below what a random population member faces.
        floor = float(counts.sum() / (large @ counts))
        journalist = Attacker(journalist.highest, max(journalist.average, floor), journalist.at_risk)
    return Risk(
        own.rows,
        own.classes,
        own.smallest,
        hidden,
        threshold,
        prosecutor,
        journalist,
        marketer,
        own.of_size(1) / own.rows,
        pairs is not None,
    )


def curve(own: Sizes) -> list[tuple[float, float]]:
    """For each risk that occurs, ascending: the share of rows whose risk is at least that. For the picture."""
    risks = 1.0 / own.sizes[::-1]
    share = np.cumsum(own.sizes * own.counts)[::-1] / max(own.rows, 1)
    return [(float(risk), float(part)) for risk, part in zip(risks, share, strict=True)]


def _attacker(
    small: NDArray[np.int64], large: NDArray[np.int64], counts: NDArray[np.int64], threshold: float
) -> Attacker:
    """Figures over classes: `counts` classes of `small` rows, each `large` strong where the attacker looks."""
    risk = 1.0 / large
    weight = small * counts
    rows = float(weight.sum())
    return Attacker(
        float(risk.max()), float((weight * risk).sum() / rows), float(weight[risk > threshold].sum() / rows)
    )


def _paired(table: Source, frame: Source, quasi: Sequence[str]) -> Pairs:
    """(class size in the release, in the frame, number of such classes); every class must be in the frame."""
    same = " AND ".join(f"r.{quoted(name)} IS NOT DISTINCT FROM f.{quoted(name)}" for name in quasi)
    with opened(t=table, frame=frame) as db:
        found = db.execute(
            f"WITH r AS (SELECT {listed(quasi)}, count(*) AS n FROM t WHERE {unsuppressed(quasi)} "  # noqa: S608
            f"GROUP BY {listed(quasi)}), f AS (SELECT {listed(quasi)}, count(*) AS m FROM frame GROUP BY "
            f"{listed(quasi)}) SELECT n, coalesce(m, 0) AS m, count(*) AS c FROM r LEFT JOIN f ON {same} GROUP BY n, m"
        ).fetchnumpy()
    small, large, counts = (np.ma.getdata(found[name]).astype(np.int64) for name in ("n", "m", "c"))
    wrong = int(counts[large < small].sum())
    if wrong:
        raise Problem(
            "frame-too-small",
            422,
            what=Text("The population frame cannot be the population.", "母體檔不可能是此資料之母體。"),
            why=Text(
                f"{wrong} classes of the release have fewer people there than in the release.",
                f"釋出檔中有 {wrong} 個等價類在母體檔中的人數少於釋出檔。",
            ),
            todo=Text(
                "Give the whole population, generalised as the release is.", "請提供完整母體，並與釋出檔作相同概化。"
            ),
        )
    return small, large, counts


def _empty() -> Problem:
    return Problem(
        "release-empty",
        422,
        what=Text("There is nothing to measure.", "沒有可量測的資料。"),
        why=Text("The table has no rows that were not suppressed.", "資料表沒有未隱匿的資料列。"),
        todo=Text("Relax the policy, or do not release.", "請放寬政策，或不予釋出。"),
    )
