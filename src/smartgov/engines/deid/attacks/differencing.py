"""Differencing: two releases of one source are subtracted, and what is left are a few people.

This month minus last month, a region with and without one office. The attacker brings both releases to the finest
labels that both can be told in and compares the counts of every cell. A difference of 1 to k-1 people singles out those
who were added, removed or suppressed; where it lies in one sensitive value, that is known too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from smartgov.engines.deid.attacks.picture import Joint, joint
from smartgov.engines.deid.attacks.target import Finding, Target, not_run, whole
from smartgov.engines.deid.installed import analysis
from smartgov.engines.deid.relations import columns, listed, one, opened, quoted
from smartgov.engines.deid.risk import unsuppressed
from smartgov.shared.text import Text

with analysis():
    import duckdb
    import pyarrow as pa


def run(target: Target, earlier: Sequence[Target] = (), view: Joint | None = None) -> list[Finding]:
    """One finding for each earlier release of the same source.

    `view` is the source as each of the releases transformed it (`picture.joint`, in the same order).
    """
    if not earlier:
        return [not_run("differencing", Text("There is no earlier release of this source.", "此來源無先前釋出。"))]
    if view is None:
        with joint(target.source, (target, *earlier)) as made:
            return run(target, earlier, made)
    return [_judged(target, other, number, view) for number, other in enumerate(earlier, 1)]


def _judged(target: Target, other: Target, number: int, view: Joint) -> Finding:
    k = target.thresholds.k
    with opened(a=target.release, b=other.release, s=view.file) as db:
        shared = [name for name in target.quasi if name in other.quasi]
        told = [
            name
            for name in target.sensitive
            if name in other.sensitive and name in columns(db, "a") and name in columns(db, "b")
        ]
        used = _common(db, shared, target, other, lambda name: _met(db, name, number, view))
        for side, quasi in (("a", target.quasi), ("b", other.quasi)):
            _counted(db, side, quasi, used, told)

        db.execute(f"CREATE TEMP TABLE gap AS {_difference(used)}")
        cells = whole(db, f"SELECT count(*) FROM gap WHERE abs(d) BETWEEN 1 AND {k - 1}")  # noqa: S608 - a number
        people = whole(db, f"SELECT sum(abs(d)) FROM gap WHERE abs(d) BETWEEN 1 AND {k - 1}")  # noqa: S608 - a number
        values = {name: _valued(db, used, name, k) for name in told}
    evidence = {
        "earlier": other.name, "columns": [name for name, _ in used], "cells": cells, "people": people,
        "sensitive_values_told": values,
    }  # fmt: skip
    if cells:
        sentence = Text(
            "Subtracting the release {name} leaves {people:,} people in {cells:,} cells of fewer than {k}.",
            "與釋出 {name} 相減，於 {cells:,} 格中剩下 {people:,} 人，每格少於 {k} 人。",
        )
    else:
        sentence = Text(
            "Subtracting the release {name} leaves no cell of fewer than {k}.",
            "與釋出 {name} 相減，未剩下少於 {k} 人之格。",
        )
    text = sentence.format(name=other.name, people=people, cells=cells, k=k)
    return Finding("differencing", not cells, "high", float(people), 0.0, text, evidence)


def _common(
    db: duckdb.DuckDBPyConnection,
    shared: Sequence[str],
    target: Target,
    other: Target,
    met: Callable[[str], str | None],
) -> list[tuple[str, dict[str, str]]]:
    """The columns both can be told in, each with the view whose labels are mapped (view -> name of the map).

    Where both transformed a column alike, labels meet in its values; else in those that the same people `met` in.
    """
    used: list[tuple[str, dict[str, str]]] = []
    for name in shared:
        left, right = target.labels.get(name), other.labels.get(name)
        alike = target.changes.same(other.changes, name)
        if left is None and right is None and alike:
            used.append((name, {}))
            continue
        pairs = "SELECT DISTINCT l.label AS l, r.label AS r FROM left_map l JOIN right_map r USING (value)"
        if not alike:
            values = met(name)
            if values is None:
                continue
            told = "coalesce(left_map.label, v.l) AS l, coalesce(right_map.label, v.r) AS r"
            sides = "LEFT JOIN left_map ON v.l = left_map.value LEFT JOIN right_map ON v.r = right_map.value"
            pairs = f"SELECT DISTINCT {told} FROM ({values}) v {sides}"  # noqa: S608 - quoted
        db.register("left_map", left if left is not None else _unchanged(right))
        db.register("right_map", right if right is not None else _unchanged(left))
        for view, start, end in (("a", "l", "r"), ("b", "r", "l")):
            if not whole(db, f"SELECT max(c) > 1 FROM (SELECT count(*) AS c FROM ({pairs}) GROUP BY {start})"):  # noqa: S608
                table = f"to_{view}_{len(used)}"
                db.execute(f'CREATE TEMP TABLE "{table}" AS SELECT {start} AS label, {end} AS up FROM ({pairs})')  # noqa: S608
                used.append((name, {view: table}))
                break
    return used


def _met(db: duckdb.DuckDBPyConnection, name: str, number: int, view: Joint) -> str | None:
    """SQL for the pairs of values that people of the source have in both releases, or None behind a lost key."""
    ours, theirs = view.columns.get((0, name)), view.columns.get((number, name))
    if ours is None or theirs is None or number in view.locked or name in view.lost.get(number, ()):
        return None
    sides = f"CAST({quoted(ours)} AS VARCHAR) AS l, CAST({quoted(theirs)} AS VARCHAR) AS r"
    return f"SELECT DISTINCT {sides} FROM s WHERE {quoted(ours)} IS NOT NULL AND {quoted(theirs)} IS NOT NULL"  # noqa: S608


def _unchanged(labels: pa.Table | None) -> pa.Table:
    if labels is None:
        return pa.table({"value": pa.array([], pa.string()), "label": pa.array([], pa.string())})
    values = labels["value"].combine_chunks().unique()
    return pa.table({"value": values, "label": values})


def _counted(
    db: duckdb.DuckDBPyConnection,
    view: str,
    quasi: Sequence[str],
    used: list[tuple[str, dict[str, str]]],
    told: Sequence[str],
) -> None:
    joins, labels = [], []
    for name, maps in used:
        text = f"CAST({view}.{quoted(name)} AS VARCHAR)"
        if view in maps:
            table = maps[view]
            # A label that no value met (somebody is gone since) stays a cell of its own.
            joins.append(f'LEFT JOIN "{table}" ON {text} = "{table}".label')
            labels.append(f'coalesce("{table}".up, {text}) AS {quoted(name)}')
        else:
            labels.append(f"{text} AS {quoted(name)}")
    extra = [f"CAST({view}.{quoted(name)} AS VARCHAR) AS {quoted('value of ' + name)}" for name in told]
    chosen = ", ".join([*labels, *extra, "count(*) AS n"])
    only = unsuppressed(quasi)
    db.execute(
        f"CREATE TEMP TABLE counted_{view} AS SELECT {chosen} FROM (SELECT * FROM {view} WHERE {only}) {view} "  # noqa: S608
        f"{' '.join(joins)} GROUP BY ALL"
    )


def _difference(used: list[tuple[str, dict[str, str]]], *more: str) -> str:
    """SQL for the counts of `a` minus those of `b`, by cell; people that only one of them has count whole."""
    keys = [name for name, _ in used] + list(more)
    chosen = listed(keys) + ", " if keys else ""
    grouped = f" GROUP BY {listed(keys)}" if keys else ""
    return (
        f"SELECT {chosen}sum(n) AS d FROM (SELECT {chosen}n FROM counted_a UNION ALL "  # noqa: S608 - quoted
        f"SELECT {chosen}-n FROM counted_b){grouped}"
    )


def _valued(db: duckdb.DuckDBPyConnection, used: list[tuple[str, dict[str, str]]], name: str, k: int) -> int:
    """In how many small gaps all people have one and the same value of the sensitive column `name`."""
    keys = listed([part for part, _ in used])
    if not keys:
        return 0
    by_value = _difference(used, "value of " + name)
    return int(
        one(
            db,
            f"SELECT count(*) FROM (SELECT {keys}, sum(d) AS d, count(*) FILTER (d <> 0) AS kinds FROM ({by_value}) "  # noqa: S608
            f"GROUP BY {keys}) WHERE abs(d) BETWEEN 1 AND {k - 1} AND kinds = 1",
        )
    )
