"""Composition: releases that are safe one by one are not safe together.

S. Ganta et al., Composition attacks and auxiliary information in data privacy (KDD 2008). Somebody who is in several
releases lies in one class of each: only rows that fit all of them remain, and only sensitive values that all of these
classes have. So k is checked again on the join of all releases of a source (who shares the labels of every one of
them), and the sensitive values are intersected. Each release may have transformed the source in a way of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from smartgov.engines.deid.attacks.picture import Joint, joint
from smartgov.engines.deid.attacks.target import (
    Finding,
    Target,
    classes,
    histogram,
    into_classes,
    not_run,
    whole,
)
from smartgov.engines.deid.installed import analysis
from smartgov.engines.deid.relations import opened, quoted
from smartgov.shared.text import Text

with analysis():
    import duckdb


def run(target: Target, earlier: Sequence[Target] = (), view: Joint | None = None) -> list[Finding]:
    """One finding for k on the join of all releases, and one for each sensitive column that an earlier one shares.

    `view` is the source as each of the releases transformed it (`picture.joint`, in the same order).
    """
    if not earlier:
        return [not_run("composition", Text("There is no earlier release of this source.", "此來源無先前釋出。"))]
    if view is None:
        with joint(target.source, (target, *earlier)) as made:
            return run(target, earlier, made)
    releases = [(number, _followed(one, number, view)) for number, one in enumerate((target, *earlier))]
    usable = [(number, one) for number, one in releases if _whole(one, number, view)]
    with opened(s=view.file) as db:
        every = list(dict.fromkeys(view.columns[number, name] for number, one in usable for name in one.quasi))
        text = ", ".join(f"CAST({quoted(name)} AS VARCHAR) AS {quoted(name)}" for name in every)
        db.execute(
            "CREATE TEMP TABLE base AS SELECT row_number() OVER () AS id, * FROM "  # noqa: S608 - quoted
            f"(SELECT {text}, count(*) AS m FROM s GROUP BY ALL)"
        )
        for number, one in usable:
            _placed(db, one, number, view)
        findings = [_joined(db, target, usable, view)]
        for number, other in usable[1:]:
            shared = [name for name in target.sensitive if name in other.sensitive]
            findings += [_intersected(db, target, other, number, name) for name in shared]
    left = [(number, one) for number, one in releases if (number, one) not in usable]
    return findings + [_unchecked(one, number, view) for number, one in left]


def _followed(one: Target, number: int, view: Joint) -> Target:
    """The release by the columns that can still be followed: a destroyed key lets nobody follow what it made."""
    lost = view.lost.get(number, ())
    return replace(one, quasi=tuple(name for name in one.quasi if name not in lost)) if lost else one


def _whole(one: Target, number: int, view: Joint) -> bool:
    return number not in view.locked and all((number, name) in view.columns for name in one.quasi)


def _unchecked(other: Target, number: int, view: Joint) -> Finding:
    """An earlier release that cannot be joined counts as broken: columns are gone, or its keys were not given."""
    if number in view.locked:
        text = Text(
            f"The release {other.name} cannot be joined: give the key file of project {view.locked[number]} too.",
            f"無法與釋出 {other.name} 合併檢查：請一併提供專案 {view.locked[number]} 之金鑰檔。",
        )
        return Finding("composition", False, "high", 1.0, 0.0, text, {"earlier": other.name, "keys": "missing"})
    gone = [name for name in other.quasi if (number, name) not in view.columns]
    text = Text(
        f"The release {other.name} cannot be joined: the source no longer has {', '.join(gone)}.",
        f"無法與釋出 {other.name} 合併檢查：來源已無欄位 {'、'.join(gone)}。",
    )
    return Finding("composition", False, "high", 1.0, 0.0, text, {"earlier": other.name, "columns": gone})


def _placed(db: duckdb.DuckDBPyConnection, one: Target, number: int, view: Joint) -> None:
    """Tables `in<number>` (the source's people: id in `base`, class) and `val<number>_<place>` (values a class)."""
    with opened(r=one.release) as own:
        classes(own, one)
        values = []
        for attribute in one.sensitive:
            histogram(own, one, attribute)
            values.append(own.execute("SELECT cls, CAST(value AS VARCHAR) AS value FROM val").to_arrow_table())
        found = own.execute("SELECT * FROM cls").to_arrow_table()
    db.register(f"r{number}", found)
    db.execute(f"CREATE OR REPLACE TEMP TABLE cls AS SELECT * FROM r{number}")  # noqa: S608 - a number
    columns = "".join(f", {quoted(view.columns[number, name])} AS {quoted(name)}" for name in one.quasi)
    db.execute(f"CREATE OR REPLACE TEMP VIEW own AS SELECT id{columns} FROM base")  # noqa: S608 - quoted
    joins = into_classes(db, one, "own", one.quasi)
    db.execute(
        f"CREATE TEMP TABLE in{number} AS SELECT own.id, min(cls.cls) AS cls FROM own {joins} GROUP BY own.id"  # noqa: S608
    )
    for attribute, table in zip(one.sensitive, values, strict=True):
        db.register(f"val{number}_{attribute}", table)


def _joined(
    db: duckdb.DuckDBPyConnection, target: Target, usable: Sequence[tuple[int, Target]], view: Joint
) -> Finding:
    """k on the join: people of the source by the class they have in every release (absent: suppressed there)."""
    k = target.thresholds.k
    earlier = [one for _, one in usable[1:]]
    joins = " ".join(f"LEFT JOIN in{number} USING (id)" for number, _ in usable)
    numbers = ", ".join(f"in{number}.cls AS c{number}" for number, _ in usable)
    db.execute(f"CREATE TEMP TABLE joint AS SELECT {numbers}, sum(m) AS m FROM base {joins} GROUP BY ALL")  # noqa: S608
    present = " AND ".join(f"c{number} IS NOT NULL" for number, _ in usable)
    few = whole(db, f"SELECT sum(m) FROM joint WHERE m < {k} AND {present}")  # noqa: S608 - numbers
    fewest = whole(db, f"SELECT min(m) FROM joint WHERE {present}")  # noqa: S608 - numbers
    evidence = {
        "earlier": [one.name for one in earlier], "k_on_the_join": fewest, "people_below_k": few,
        "key_destroyed": sorted({name for names in view.lost.values() for name in names}),
    }  # fmt: skip
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
    lists = [
        f"(SELECT cls, list(DISTINCT value) AS has FROM {quoted(f'val{place}_{name}')} GROUP BY cls)"  # noqa: S608
        for place in (0, number)
    ]
    found = whole(
        db,
        f"SELECT sum(j.m) FROM joint j JOIN {lists[0]} a ON a.cls = j.c0 JOIN {lists[1]} b ON b.cls = j.c{number} "  # noqa: S608
        "WHERE len(a.has) > 1 AND len(b.has) > 1 AND len(list_intersect(a.has, b.has)) = 1",
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
