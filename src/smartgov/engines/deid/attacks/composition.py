"""Composition: releases that are safe one by one are not safe together.

S. Ganta et al., Composition attacks and auxiliary information in data privacy (KDD 2008). Somebody who is in several
releases lies in one class of each: only rows that fit all of them remain, and only sensitive values that all of these
classes have. So k is checked again on the join of all releases of a source (who shares the labels of every one of
them), and the sensitive values are intersected.
"""

from __future__ import annotations

from collections.abc import Sequence

from smartgov.engines.deid.attacks.target import Finding, Target, classes, histogram, not_run, people, whole
from smartgov.engines.deid.installed import analysis
from smartgov.engines.deid.relations import columns, listed, opened
from smartgov.shared.text import Text

with analysis():
    import duckdb


def run(target: Target, earlier: Sequence[Target] = ()) -> list[Finding]:
    """One finding for k on the join of all releases, and one for each sensitive column that an earlier one shares."""
    if not earlier:
        return [not_run("composition", Text("There is no earlier release of this source.", "此來源無先前釋出。"))]
    with opened(s=target.source) as db:
        known = columns(db, "s")
        usable = [other for other in earlier if all(name in known for name in other.quasi)]
        for number, one in enumerate((target, *usable)):
            _placed(db, one, number)
        findings = [_joined(db, target, usable)]
        for number, other in enumerate(usable, 1):
            shared = [name for name in target.sensitive if name in other.sensitive]
            findings += [_intersected(db, target, other, number, name) for name in shared]
    return findings


def _placed(db: duckdb.DuckDBPyConnection, one: Target, number: int) -> None:
    """Tables `in<number>` (the source's people: labels, class) and `val<number>_<place>` (values a class)."""
    with opened(r=one.release) as own:
        classes(own, one)
        values = []
        for attribute in one.sensitive:
            histogram(own, one, attribute)
            values.append(own.execute("SELECT cls, CAST(value AS VARCHAR) AS value FROM val").to_arrow_table())
        found = own.execute("SELECT * FROM cls").to_arrow_table()
    db.register(f"r{number}", found)
    db.execute(f"CREATE OR REPLACE TEMP TABLE cls AS SELECT * FROM r{number}")  # noqa: S608 - a number
    people(db, one)
    db.execute(f"CREATE TEMP TABLE in{number} AS SELECT {listed(one.quasi)}, min(cls) AS cls FROM ppl GROUP BY ALL")  # noqa: S608
    for attribute, table in zip(one.sensitive, values, strict=True):
        db.register(f"val{number}_{attribute}", table)


def _joined(db: duckdb.DuckDBPyConnection, target: Target, earlier: Sequence[Target]) -> Finding:
    """k on the join: people of the source by the class they have in every release (absent: suppressed there)."""
    k = target.thresholds.k
    joins, numbers = [], []
    for number, one in enumerate((target, *earlier)):
        same = " AND ".join(f'CAST(s."{name}" AS VARCHAR) = in{number}."{name}"' for name in one.quasi)
        joins.append(f"LEFT JOIN in{number} ON {same}")
        numbers.append(f"in{number}.cls AS c{number}")
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE joint AS SELECT {', '.join(numbers)}, count(*) AS m FROM s {' '.join(joins)} "  # noqa: S608
        "GROUP BY ALL"
    )
    present = " AND ".join(f"c{number} IS NOT NULL" for number in range(len(numbers)))
    few = whole(db, f"SELECT sum(m) FROM joint WHERE m < {k} AND {present}")  # noqa: S608 - numbers
    fewest = whole(db, f"SELECT min(m) FROM joint WHERE {present}")  # noqa: S608 - numbers
    evidence = {"earlier": [one.name for one in earlier], "k_on_the_join": fewest, "people_below_k": few}
    if few:
        sentence = Text(
            "Together with {number} earlier releases, {few:,} people share all their labels with fewer than {k}; "
            "k on the join is {fewest}.",
            "與先前 {number} 次釋出合併，有 {few:,} 人之全部標籤僅與不足 {k} 人相同；合併後之 k 為 {fewest}。",
        )
    else:
        sentence = Text(
            "On the join with {number} earlier releases k is still {fewest}.",
            "與先前 {number} 次釋出合併後，k 仍為 {fewest}。",
        )
    text = sentence.format(number=len(earlier), few=few, k=k, fewest=fewest)
    return Finding("composition", not few, "high", float(few), 0.0, text, evidence)


def _intersected(db: duckdb.DuckDBPyConnection, target: Target, other: Target, number: int, name: str) -> Finding:
    """People whose sensitive value is the only one that both of their classes have."""
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE told AS SELECT a.cls AS c0, b.cls AS c{number}, count(*) AS kinds "  # noqa: S608
        f'FROM (SELECT DISTINCT c0, c{number} FROM joint) j JOIN "val0_{name}" a ON a.cls = j.c0 '
        f'JOIN "val{number}_{name}" b ON b.cls = j.c{number} AND a.value = b.value GROUP BY a.cls, b.cls'
    )
    alone = 'SELECT {key} FROM "val{place}_{name}" GROUP BY cls HAVING count(*) = 1'
    already = " AND ".join(
        f"j.c{place} NOT IN ({alone.format(key='cls', place=place, name=name)})" for place in (0, number)
    )
    found = whole(
        db,
        f"SELECT sum(j.m) FROM joint j JOIN told USING (c0, c{number}) WHERE kinds = 1 AND {already}",  # noqa: S608
    )
    evidence = {"earlier": other.name, "attribute": name, "people": found}
    if found:
        sentence = Text(
            "Only one value of {name} fits both this release and {other} for {found:,} people.",
            "對 {found:,} 人而言，僅有一個「{name}」值同時符合本次釋出與 {other}。",
        )
    else:
        sentence = Text(
            "This release and {other} together give no value of {name} away.",
            "本次釋出與 {other} 合併並未洩漏任何「{name}」值。",
        )
    text = sentence.format(name=name, other=other.name, found=found)
    return Finding("composition", not found, "high", float(found), 0.0, text, evidence)
