"""Homogeneity: everybody of a class has the same sensitive value, so that finding the class is enough.

A. Machanavajjhala et al., l-diversity: privacy beyond k-anonymity (ACM TKDD 1, 2007).
"""

from __future__ import annotations

from smartgov.engines.deid.attacks.target import Finding, Target, each_sensitive, whole
from smartgov.engines.deid.installed import analysis
from smartgov.shared.text import Text

with analysis():
    import duckdb


def run(target: Target) -> list[Finding]:
    """One finding a sensitive column: rows in classes with one value only, values that nearly everybody has aside."""
    return each_sensitive(target, "homogeneity", _judged)


def _judged(db: duckdb.DuckDBPyConnection, target: Target, attribute: str) -> Finding:
    common = target.thresholds.common
    db.execute(
        "CREATE OR REPLACE TEMP TABLE same AS SELECT v.c, sum(v.c) OVER () AS together, o.share FROM val v JOIN "
        "(SELECT value, sum(c) / sum(sum(c)) OVER () AS share FROM val GROUP BY value) o "
        "ON v.value IS NOT DISTINCT FROM o.value WHERE v.c = v.n"
    )
    told = whole(db, f"SELECT sum(c) FROM same WHERE share < {common}")  # noqa: S608 - a number
    number = whole(db, f"SELECT count(*) FROM same WHERE share < {common}")  # noqa: S608 - a number
    tame = whole(db, f"SELECT count(*) FROM same WHERE share >= {common}")  # noqa: S608 - a number
    evidence = {"attribute": attribute, "classes": number, "rows": told, "classes_with_the_common_value": tame}
    if told:
        sentence = Text(
            "{number:,} classes with {told:,} rows have one value of {attribute}: whoever finds the class knows it.",
            "有 {number:,} 個等價類（{told:,} 列）之「{attribute}」僅有一個值：找到等價類即得知其值。",
        )
    else:
        sentence = Text("No class gives {attribute} away.", "沒有任何等價類洩漏「{attribute}」。")
    text = sentence.format(number=number, told=told, attribute=attribute)
    return Finding("homogeneity", not told, "high", float(told), 0.0, text, evidence)
