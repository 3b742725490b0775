"""Which columns tell people apart: finding quasi-identifiers before anybody declares them.

Distinction is the share of rows that would stay if one row per combination were kept; separation the share of row
pairs that differ in the combination (R. Motwani, Y. Xu, Efficient algorithms for masking and finding
quasi-identifiers, VLDB workshop 2007). A minimal key is a set of columns that reaches `key_at` distinction while none
of its parts does. Sets are searched level by level over a seeded sample; what is found there is measured again on the
whole table, because a sample makes every column look more telling than it is: nothing is missed, and some are cleared.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from smartgov.engines.deid.installed import analysis
from smartgov.engines.deid.relations import Source, columns, count, listed, opened, quoted
from smartgov.engines.deid.risk import Sizes
from smartgov.shared.text import Text

with analysis():
    import duckdb
    import numpy as np
    from numpy.typing import NDArray

KEY_AT = 0.95
SAMPLE = 100_000
_IDENTIFYING, _CONSTANT = 0.9, 1


@dataclass(frozen=True, slots=True)
class Candidate:
    """A set of columns with what it tells: distinction, separation and the share of rows alone in their class."""

    columns: tuple[str, ...]
    distinction: float
    separation: float
    uniques: float


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What a column looks like (identifying, quasi, insensitive) and why; the steward decides."""

    column: str
    role: str
    why: Text


@dataclass(frozen=True, slots=True)
class Found:
    """All sets that were looked at, the minimal keys among them (measured on every row), and a role for each column."""

    candidates: list[Candidate]
    keys: list[Candidate]
    suggestions: list[Suggestion]
    rows: int
    sampled: int


def distinction(sizes: Sizes) -> float:
    """Classes by rows."""
    return sizes.classes / sizes.rows if sizes.rows else 0.0


def separation(sizes: Sizes) -> float:
    """Share of the pairs of rows that lie in different classes; 1 for a single row."""
    pairs = sizes.rows * (sizes.rows - 1) / 2
    together = float(sizes.counts @ (sizes.sizes * (sizes.sizes - 1) / 2.0))
    return 1 - together / pairs if pairs else 1.0


def find(
    table: Source, *, names: Sequence[str] | None = None, most: int = 4, key_at: float = KEY_AT, sample: int = SAMPLE
) -> Found:
    """Look at all sets of up to `most` of the columns `names` (default: all), smallest sets first.

    Sets that contain a key already are left out: everything above a key is one. Candidates come with the most telling
    first, by uniques, then by fewest columns.
    """
    with opened(t=table) as db:
        rows = count(db, "t")
        chosen = list(names) if names is not None else list(columns(db, "t"))
        codes = _codes(db, chosen, rows, sample)
        looked = _search(codes, most, key_at)
        keys = [_whole(db, found.columns) for found in looked if found.distinction >= key_at]
    keys = sorted((key for key in keys if key.distinction >= key_at), key=lambda key: (len(key.columns), key.columns))
    looked.sort(key=lambda found: (-found.uniques, len(found.columns), found.columns))
    sampled = len(next(iter(codes.values()))) if codes else 0
    return Found(looked, keys, [_suggested(name, looked, codes, rows) for name in chosen], rows, sampled)


def every(table: Source, names: Sequence[str]) -> list[Candidate]:
    """Every non-empty set of the columns on every row, least telling first: for a few columns."""
    sets = [part for length in range(1, len(names) + 1) for part in combinations(names, length)]
    with opened(t=table) as db:
        found = [_whole(db, part) for part in sets]
    return sorted(found, key=lambda one: (one.distinction, one.separation, len(one.columns), one.columns))


def _codes(db: duckdb.DuckDBPyConnection, names: Iterable[str], rows: int, sample: int) -> dict[str, NDArray[np.int64]]:
    """Each column of a repeatable sample as whole numbers, NULL a value of its own."""
    part = f" USING SAMPLE reservoir({sample} ROWS) REPEATABLE (7)" if rows > sample else ""
    db.execute("SET threads=1" if part else "SELECT 1")  # a reservoir repeats only within one thread
    db.execute(f"CREATE TEMP TABLE sampled AS SELECT * FROM t{part}")  # noqa: S608 - a whole number
    db.execute("RESET threads")
    ranks = {name: f"dense_rank() OVER (ORDER BY {quoted(name)})" for name in names}
    return {
        name: db.execute(f"SELECT {rank} AS code FROM sampled ORDER BY rowid").fetchnumpy()["code"].astype(np.int64)  # noqa: S608
        for name, rank in ranks.items()
    }


def _search(codes: dict[str, NDArray[np.int64]], most: int, key_at: float) -> list[Candidate]:
    looked: list[Candidate] = []
    level: dict[tuple[str, ...], NDArray[np.int64]] = {(name,): code for name, code in codes.items()}
    while level:
        following: dict[tuple[str, ...], NDArray[np.int64]] = {}
        dead: set[tuple[str, ...]] = set()
        for names, code in level.items():
            found = _candidate(names, Sizes.of(np.bincount(code)[1:] if len(code) else code))
            looked.append(found)
            if found.distinction >= key_at or len(names) == most:
                dead.add(names)
        alive = {names: code for names, code in level.items() if names not in dead}
        order = list(codes)
        for names, code in alive.items():
            for name in order[order.index(names[-1]) + 1 :]:
                joined = (*names, name)
                if all(part in alive for part in combinations(joined, len(names))):
                    following[joined] = _joined(code, codes[name])
        level = following
    return looked


def _joined(left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.int64]:
    """One code for each pair of codes that occurs, from 1."""
    pairs = left * (int(right.max()) + 1) + right
    codes: NDArray[np.int64] = np.unique(pairs, return_inverse=True)[1].astype(np.int64) + 1
    return codes


def _whole(db: duckdb.DuckDBPyConnection, names: tuple[str, ...]) -> Candidate:
    found = db.execute(
        f"SELECT n, count(*) AS c FROM (SELECT count(*) AS n FROM t GROUP BY {listed(names)}) GROUP BY n ORDER BY n"  # noqa: S608
    ).fetchnumpy()
    return _candidate(names, Sizes(found["n"].astype(np.int64), found["c"].astype(np.int64)))


def _candidate(names: tuple[str, ...], sizes: Sizes) -> Candidate:
    return Candidate(names, distinction(sizes), separation(sizes), sizes.of_size(1) / max(sizes.rows, 1))


def _suggested(name: str, looked: list[Candidate], codes: dict[str, NDArray[np.int64]], rows: int) -> Suggestion:
    """One column's role: identifying alone, quasi when sets with it single people out more than without it."""
    values = len(np.unique(codes[name]))
    alone = next(found for found in looked if found.columns == (name,))
    if values <= _CONSTANT:
        return Suggestion(name, "insensitive", Text("It has one value only.", "只有一個值。"))
    if alone.distinction >= _IDENTIFYING and rows > 1:
        share = f"{alone.distinction:.0%}"
        why = Text(f"Alone it tells {share} of the rows apart.", f"單獨即可區分 {share} 的資料列。")
        return Suggestion(name, "identifying", why)
    best = max((found for found in looked if name in found.columns), key=lambda found: found.uniques)
    if best.uniques <= 0:
        why = Text("No set of columns with it singles anybody out.", "與其他欄位之任何組合均無法單獨識別任何人。")
        return Suggestion(name, "insensitive", why)
    share, others = f"{best.uniques:.1%}", ", ".join(part for part in best.columns if part != name)
    if not others:
        why = Text(f"{share} of the rows are alone with its value.", f"{share} 的資料列其值獨一無二。")
    else:
        why = Text(
            f"With {others}, {share} of the rows are alone.",
            f"與 {others.replace(', ', '、')} 併用時，{share} 的資料列獨一無二。",
        )
    return Suggestion(name, "quasi", why)
