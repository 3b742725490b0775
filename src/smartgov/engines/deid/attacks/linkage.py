"""Linkage: somebody holds a file with names (a voter roll, a membership list) and looks its people up in the release.

The attacker generalises the outside file as the release was generalised, which the published hierarchies allow, and
joins on every column that both have. A person who matches fewer than k rows is found, or nearly. Without an outside
file the source itself is the attacker's file: nobody could know the quasi-identifiers better.
"""

from __future__ import annotations

from smartgov.engines.deid.attacks.target import Finding, Target, classes, people, whole
from smartgov.engines.deid.relations import Source, columns, opened
from smartgov.shared.text import Text


def run(target: Target, outside: Source | None = None) -> list[Finding]:
    """One finding: how many people of the outside file match between 1 and k-1 rows."""
    k = target.thresholds.k
    file = target.source if outside is None else outside
    with opened(r=target.release, s=file) as db:
        theirs, ours = columns(db, "s"), columns(db, "r")
        quasi = tuple(name for name in target.quasi if name in theirs)
        more = () if outside is None else tuple(name for name in ours if name in theirs and name not in target.quasi)
        known = Target(target.release, file, quasi or more, labels=target.labels, thresholds=target.thresholds)
        classes(db, known, more=more if quasi else ())
        people(db, known, quasi=quasi, more=more)
        names = ", ".join(f'"{name}"' for name in (*quasi, *more))
        db.execute(
            f"CREATE TEMP TABLE hit AS SELECT any_value(m) AS m, sum(n) AS n FROM ppl GROUP BY {names}"  # noqa: S608 - columns
        )
        found = whole(db, f"SELECT sum(m) FROM hit WHERE n < {k}")  # noqa: S608 - a number
        sure = whole(db, "SELECT sum(m) FROM hit WHERE n = 1")
        matched = whole(db, "SELECT sum(m) FROM hit")
        fewest = whole(db, "SELECT min(n) FROM hit")
    evidence = {
        "columns": [*quasi, *more], "outside": outside is not None, "people_matched": matched,
        "people_below_k": found, "people_with_one_row": sure, "fewest_rows": fewest,
    }  # fmt: skip
    who = Text("an outside file", "外部檔案") if outside is not None else Text("the source itself", "原始資料本身")
    if found:
        sentence = Text(
            "With {who}, {found:,} people match fewer than {k} rows, and {sure:,} of them exactly one.",
            "以{who}比對，有 {found:,} 人對應少於 {k} 列，其中 {sure:,} 人僅對應一列。",
        )
    else:
        sentence = Text(
            "With {who}, nobody of {matched:,} people matches fewer than {k} rows.",
            "以{who}比對，{matched:,} 人之中無人對應少於 {k} 列。",
        )
    text = sentence.format(who=who, found=found, sure=sure, k=k, matched=matched)
    return [Finding("linkage", not found, "high", float(found), 0.0, text, evidence)]
