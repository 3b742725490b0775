"""What a release is still good for: errors of counting queries, and how well a classifier learns from it.

Risk without utility is easy: release nothing. Both measures compare the release with its source.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from smartgov.engines.deid.installed import analysis
from smartgov.engines.deid.relations import Source, count, listed, opened, quoted
from smartgov.engines.deid.risk import SUPPRESSED

with analysis():
    import duckdb
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

QUERIES = 400
_SELECTED = 0.3  # of each attribute's values, at most, as in X. Xiao, Y. Tao, Anatomy (VLDB 2006)
_SANITY = 0.001  # of all rows: below that a relative error says nothing
_LEARN = 100_000
_FOLDS = 5


@dataclass(frozen=True, slots=True)
class QueryError:
    """Relative errors of random counting queries over pairs of quasi-identifiers."""

    median: float
    mean: float
    ninth: float
    queries: int


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How often a naive Bayes classifier is right about `attribute`, cross-validated on up to `rows` rows."""

    attribute: str
    source: float
    release: float
    guessing: float
    rows: int

    @property
    def kept(self) -> float:
        """Share of what learning gains over guessing that the release keeps; 1 when the source teaches nothing."""
        gain = self.source - self.guessing
        return 1.0 if gain <= 0 else max(0.0, (self.release - self.guessing) / gain)


def query_error(
    release: Source, source: Source, quasi: Sequence[str], labels: Mapping[str, pa.Table], *, seed: int = 7
) -> QueryError:
    """Ask `how many have a in A and b in B` for random sets A, B of original values, of the source and of the release.

    The release answers as an analyst would: a label that covers a set of values is spread over them evenly
    (K. LeFevre et al., Workload-aware anonymization, KDD 2006). Suppressed rows are simply missing.
    """
    draw = np.random.default_rng(seed)
    pairs: list[tuple[str, ...]] = [*combinations(quasi, 2)] or [(name,) for name in quasi]
    errors: list[float] = []
    with opened(r=release, s=source) as db:
        floor = max(count(db, "s") * _SANITY, 1.0)
        for pair in pairs:
            truth, spread = _tables(db, pair, labels)
            for _ in range(max(1, QUERIES // len(pairs))):
                chosen = [_some(draw, size) for size in truth.shape]
                real, told = _answer(truth, chosen), _answer(spread, chosen)
                errors.append(abs(told - real) / max(real, floor))
    found = np.array(errors)
    return QueryError(float(np.median(found)), float(found.mean()), float(np.quantile(found, 0.9)), len(errors))


def accuracy(release: Source, source: Source, features: Sequence[str], attribute: str, *, seed: int = 7) -> Accuracy:
    """Learn `attribute` from `features` on the source and on the release, and test each on rows it has not seen.

    Categorical naive Bayes with add-one smoothing; tables larger than `_LEARN` rows are sampled by seed. A
    suppressed row counts as what the release says of it, `*`.
    """
    with opened(r=release, s=source) as db:
        before, guess, _ = _validated(db, "s", features, attribute, seed)
        after, _, rows = _validated(db, "r", features, attribute, seed)
    return Accuracy(attribute, before, after, guess, rows)


def _tables(
    db: duckdb.DuckDBPyConnection, names: Sequence[str], labels: Mapping[str, pa.Table]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Counts by original values: true ones, and those of the release spread evenly over what each label covers."""
    values = [[row[0] for row in db.execute(_distinct(name)).fetchall()] for name in names]
    truth = _crossed(db, "s", names, values)
    told = [sorted({row[0] for row in db.execute(_distinct(name, "r")).fetchall()}) for name in names]
    spread = _crossed(db, "r", names, told)
    for axis, name in enumerate(names):
        weight = _weights(values[axis], told[axis], labels.get(name))
        spread = np.moveaxis(np.tensordot(weight, spread, axes=(0, axis)), 0, axis)
    return truth, spread


def _distinct(name: str, view: str = "s") -> str:
    return f"SELECT DISTINCT CAST({quoted(name)} AS VARCHAR) FROM {view} WHERE {quoted(name)} IS NOT NULL ORDER BY 1"  # noqa: S608


def _crossed(
    db: duckdb.DuckDBPyConnection, view: str, names: Sequence[str], values: Sequence[Sequence[str]]
) -> NDArray[np.float64]:
    places = [{value: place for place, value in enumerate(kinds)} for kinds in values]
    made = np.zeros([len(kinds) for kinds in values])
    text = ", ".join(f"CAST({quoted(name)} AS VARCHAR)" for name in names)
    for *cell, rows in db.execute(f"SELECT {text}, count(*) FROM {view} GROUP BY ALL").fetchall():  # noqa: S608 - quoted
        if None not in cell:
            made[tuple(where[value] for where, value in zip(places, cell, strict=True))] = rows
    return made


def _weights(values: Sequence[str], told: Sequence[str], labels: pa.Table | None) -> NDArray[np.float64]:
    """Row by label, column by value: the share of the label's rows that each value it covers gets."""
    place = {value: number for number, value in enumerate(values)}
    weight = np.zeros((len(told), len(values)))
    if labels is None:
        pairs = [(value, value) for value in told]
    else:
        pairs = list(zip(labels["value"].to_pylist(), labels["label"].to_pylist(), strict=True))
    row = {label: number for number, label in enumerate(told)}
    for value, label in pairs:
        if value in place and label in row and label != SUPPRESSED:
            weight[row[label], place[value]] = 1
    if SUPPRESSED in row and labels is not None and SUPPRESSED in set(labels["label"].to_pylist()):
        weight[row[SUPPRESSED]] = 1  # the whole attribute was generalised away: every value is possible
    total = weight.sum(axis=1, keepdims=True)
    even: NDArray[np.float64] = np.divide(weight, total, out=np.zeros_like(weight), where=total > 0)
    return even


def _some(draw: np.random.Generator, size: int) -> NDArray[np.int64]:
    number = max(1, int(draw.integers(1, max(2, round(size * _SELECTED) + 1))))
    return draw.choice(size, min(number, size), replace=False)


def _answer(counts: NDArray[np.float64], chosen: Sequence[NDArray[np.int64]]) -> float:
    return float(counts[np.ix_(*chosen)].sum())


def _validated(
    db: duckdb.DuckDBPyConnection, view: str, features: Sequence[str], attribute: str, seed: int
) -> tuple[float, float, int]:
    """(accuracy over the folds, accuracy of always guessing the most frequent value, rows used)."""
    rows = count(db, view)
    keep = f"USING SAMPLE reservoir({_LEARN} ROWS) REPEATABLE ({seed})" if rows > _LEARN else ""
    names = [*features, attribute]
    db.execute(f"SET threads=1; CREATE OR REPLACE TEMP TABLE learn AS SELECT {listed(names)} FROM {view} {keep}")  # noqa: S608
    db.execute("RESET threads")
    codes = [_coded(db, name) for name in names]
    truth, used = codes[-1], len(codes[-1])
    fold = np.random.default_rng(seed).integers(0, _FOLDS, used)
    right = sum(_right(codes[:-1], truth, fold == part) for part in range(_FOLDS))
    return right / used, float(np.bincount(truth).max() / used), used


def _coded(db: duckdb.DuckDBPyConnection, name: str) -> NDArray[np.int64]:
    sql = f"SELECT dense_rank() OVER (ORDER BY CAST({quoted(name)} AS VARCHAR)) - 1 AS code FROM learn ORDER BY rowid"  # noqa: S608
    found: NDArray[np.int64] = db.execute(sql).fetchnumpy()["code"].astype(np.int64)
    return found


def _right(features: Sequence[NDArray[np.int64]], truth: NDArray[np.int64], held: NDArray[np.bool_]) -> int:
    """How many held-out rows naive Bayes names rightly after learning from the others."""
    kinds = int(truth.max()) + 1
    prior = np.bincount(truth[~held], minlength=kinds) + 1.0
    score = np.log(prior / prior.sum())[None, :].repeat(int(held.sum()), axis=0)
    for feature in features:
        values = int(feature.max()) + 1
        seen = np.bincount(feature[~held] * kinds + truth[~held], minlength=values * kinds).reshape(values, kinds) + 1.0
        score += np.log(seen / seen.sum(axis=0))[feature[held]]
    return int((score.argmax(axis=1) == truth[held]).sum())
