"""A table of one to three dimensions with its margins, and how it is counted from rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from smartgov.engines.deid.installed import analysis
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

with analysis():
    import duckdb
    import numpy as np
    import pyarrow as pa
    from scipy.sparse import coo_array

MOST_DIMENSIONS = 3
TOTAL = "合計"


@dataclass(frozen=True, slots=True, eq=False)
class Cube:
    """Values by the labels of each dimension; where `margins` is true the last label is the total of the others.

    `values` has one axis per dimension. Every line along a dimension with a margin sums to its last cell: these sums
    are what a reader can compute with, and all that `lines` states.
    """

    names: tuple[str, ...]
    labels: tuple[tuple[str, ...], ...]
    margins: tuple[bool, ...]
    values: np.ndarray

    @property
    def shape(self) -> tuple[int, ...]:
        """Cells along each dimension, totals included."""
        return tuple(len(labels) for labels in self.labels)

    def lines(self, cells: np.ndarray) -> coo_array:
        """The sums that bind `cells` (flat places): rows are lines, entries 1, or -1 for the line's total."""
        where = np.unravel_index(cells, self.shape)
        rows, columns, signs, start = [], [], [], 0
        for axis, margin in enumerate(self.margins):
            if not margin:
                continue
            others = [k for k in range(len(self.shape)) if k != axis]
            sizes = tuple(self.shape[k] for k in others)
            line = np.ravel_multi_index(tuple(where[k] for k in others), sizes) if others else np.zeros_like(cells)
            rows.append(start + line)
            columns.append(np.arange(len(cells)))
            signs.append(np.where(where[axis] == self.shape[axis] - 1, -1.0, 1.0))
            start += int(np.prod(sizes)) if others else 1
        if not rows:
            return coo_array((0, len(cells)))
        entries = (np.concatenate(signs), (np.concatenate(rows), np.concatenate(columns)))
        return coo_array(entries, shape=(start, len(cells)))

    def is_total(self) -> np.ndarray:
        """In how many dimensions each cell is a total (0 for inner cells)."""
        depth = np.zeros(self.shape, dtype=np.int64)
        for axis, margin in enumerate(self.margins):
            if margin:
                last = [slice(None)] * len(self.shape)
                last[axis] = slice(-1, None)
                depth[tuple(last)] += 1
        return depth

    def place(self, flat: int) -> dict[str, str]:
        """The labels of one cell by dimension."""
        where = np.unravel_index(flat, self.shape)
        return {name: self.labels[k][int(where[k])] for k, name in enumerate(self.names)}

    def columns(self) -> dict[str, pa.Array]:
        """The labels of every cell in flat order, one column per dimension."""
        where = np.unravel_index(np.arange(self.values.size), self.shape)
        return {
            name: pa.DictionaryArray.from_arrays(pa.array(where[k].astype(np.int32)), pa.array(self.labels[k])).cast(
                pa.string()
            )
            for k, name in enumerate(self.names)
        }


@dataclass(frozen=True, slots=True, eq=False)
class Tabulated:
    """A cube counted from rows: beside the values, who stands behind each cell.

    `contributors` is the number of units in each cell, `largest` (shape + n) their greatest contributions, falling; for
    counts `values` equals `contributors`, and `largest` is None.
    """

    cube: Cube
    contributors: np.ndarray
    largest: np.ndarray | None
    counts: bool


def tabulate(
    table: pa.Table | str,
    by: Sequence[str],
    *,
    value: str | None = None,
    unit: str | None = None,
    labels: Mapping[str, Sequence[str]] | None = None,
    total: str = TOTAL,
    top: int = 2,
) -> Tabulated:
    """Count rows (or distinct `unit`s), or sum `value` over them, by one to three columns, with every margin.

    `table` is Arrow or the path of a Parquet file; `labels` fixes order and empty categories of a dimension. `top` is
    how many largest contributions dominance rules need. Fails closed on NULL, negative values and labels that are not
    listed (Problem `cells-invalid`).
    """
    if not 1 <= len(by) <= MOST_DIMENSIONS or len(set(by)) != len(by):
        raise invalid("A table has one to three different dimensions.", "表須有一至三個不同的維度。")
    with duckdb.connect() as db:
        relation = db.read_parquet(table) if isinstance(table, str) else db.from_arrow(table)
        relation.create_view("source")
        _refuse_strange(db, relation.columns, [*by, *filter(None, (value, unit))], by, value)
        known = tuple(_labels(db, name, (labels or {}).get(name), total) for name in by)
        rows = db.sql(_query(by, value, unit, top)).to_arrow_table()
    return _filled(tuple(by), known, rows, value is None, top)


def _query(by: Sequence[str], value: str | None, unit: str | None, top: int) -> str:
    """One pass for all margins: CUBE gives every combination of a dimension's label and its total (NULL)."""
    names = ", ".join(f"CAST({_quoted(name)} AS VARCHAR) AS d{k}" for k, name in enumerate(by))
    dims = ", ".join(f"d{k}" for k in range(len(by)))
    amount = f"CAST({_quoted(value)} AS DOUBLE)" if value else "1"
    who = f", {_quoted(unit)} AS u" if unit else ""
    rows = f"SELECT {names}, {amount} AS v{who} FROM source"  # noqa: S608 - names are columns of the table, quoted
    if not unit:
        per = f"SELECT {dims}, v AS s FROM ({rows})"  # noqa: S608 - as above
        cube = f"CUBE ({dims})"
        return f"SELECT {dims}, count(*) AS n, sum(s) AS total, max(s, {top}) AS top FROM ({per}) GROUP BY {cube}"  # noqa: S608
    per = f"SELECT {dims}, u, sum(v) AS s FROM ({rows}) GROUP BY u, CUBE ({dims})"  # noqa: S608 - as above
    return f"SELECT {dims}, count(*) AS n, sum(s) AS total, max(s, {top}) AS top FROM ({per}) GROUP BY {dims}"  # noqa: S608


def _filled(
    by: tuple[str, ...], known: tuple[tuple[str, ...], ...], rows: pa.Table, counts: bool, top: int
) -> Tabulated:
    shape = tuple(len(labels) for labels in known)
    places = []
    for k, labels in enumerate(known):
        order = {label: place for place, label in enumerate(labels)}
        places.append([order[label] if label is not None else shape[k] - 1 for label in rows[f"d{k}"].to_pylist()])
    values, contributors = np.zeros(shape), np.zeros(shape, dtype=np.int64)
    where = tuple(np.array(place, dtype=np.int64) for place in places)
    contributors[where] = rows["n"].to_numpy()
    values[where] = rows["n"].to_numpy() if counts else rows["total"].to_numpy()
    largest = None
    if not counts:
        largest = np.zeros((*shape, top))
        largest[where] = [(row + [0.0] * top)[:top] for row in rows["top"].to_pylist()]
    cube = Cube(by, known, (True,) * len(by), values)
    if counts:
        _refuse_overlap(cube)
    return Tabulated(cube, contributors, largest, counts)


def _refuse_overlap(cube: Cube) -> None:
    """A unit in two cells of a line makes the total smaller than its parts: nothing could be proven from such sums."""
    sums = cube.lines(np.arange(cube.values.size)) @ cube.values.ravel()
    if np.any(sums != 0):
        raise invalid(
            "One unit stands in several cells of a line, so that parts do not add up to the total.",
            "同一單位出現於同一列的多格，使各格之和不等於合計。",
        )


def _refuse_strange(
    db: duckdb.DuckDBPyConnection, columns: list[str], used: list[str], by: Sequence[str], value: str | None
) -> None:
    if absent := [name for name in used if name not in columns]:
        raise invalid(f"There is no column {absent[0]}.", f"沒有欄位 {absent[0]}。")
    for name in used:
        if db.sql(f"SELECT count(*) FROM source WHERE {_quoted(name)} IS NULL").fetchall()[0][0]:  # noqa: S608 - quoted
            raise invalid(f"Column {name} has missing values.", f"欄位 {name} 有缺值。")
    if value:
        amount = f"TRY_CAST({_quoted(value)} AS DOUBLE)"
        strange = f"SELECT count(*) FROM source WHERE coalesce(NOT ({amount} >= 0 AND {amount} < 1e15), true)"  # noqa: S608
        if db.sql(strange).fetchall()[0][0]:
            raise invalid(f"Column {value} must hold numbers from 0 up.", f"欄位 {value} 須為 0 以上之數字。")


def _labels(db: duckdb.DuckDBPyConnection, name: str, given: Sequence[str] | None, total: str) -> tuple[str, ...]:
    sql = f"SELECT DISTINCT CAST({_quoted(name)} AS VARCHAR) FROM source ORDER BY 1"  # noqa: S608 - quoted
    found = [row[0] for row in db.sql(sql).fetchall()]
    labels = list(found if given is None else given)
    if strange := sorted(set(found) - set(labels)):
        raise invalid(f"{name} has the value {strange[0]}, which is not listed.", f"{name} 有未列出之值 {strange[0]}。")
    if total in labels or len(set(labels)) != len(labels):
        raise invalid(f"{name}: a label appears twice, or is the total's.", f"{name}：標籤重複或與合計同名。")
    if not labels:
        raise invalid(f"{name} has no values.", f"{name} 沒有任何值。")
    return (*labels, total)


def _quoted(name: str | None) -> str:
    return '"' + (name or "").replace('"', '""') + '"'


def invalid(why_en: str, why_zh: str, **extra: Any) -> Problem:
    """A table that nothing can be said about."""
    return Problem(
        "cells-invalid",
        422,
        what=Text("The table cannot be protected.", "此表無法進行保護。"),
        why=Text(why_en, why_zh),
        todo=Text("Mend the table or its description.", "請修正表或其描述。"),
        **extra,
    )
