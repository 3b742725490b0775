"""Skewness: a class where a rare sensitive value is so frequent that an attacker may believe it of its people.

N. Li et al., t-closeness: privacy beyond k-anonymity and l-diversity (ICDE 2007), section 3. Reported is also the
largest distance between a class's distribution and everybody's (equal distance, half the sum of differences); it is
held against t where the policy states one.
"""

from __future__ import annotations

from smartgov.engines.deid.attacks.target import Finding, Target, each_sensitive, whole
from smartgov.engines.deid.installed import analysis
from smartgov.engines.deid.relations import one
from smartgov.shared.text import Text

with analysis():
    import duckdb


def run(target: Target) -> list[Finding]:
    """One finding a sensitive column: rows whose rare value is believed in their class with `belief` or more."""
    return each_sensitive(target, "skewness", _judged)


def _judged(db: duckdb.DuckDBPyConnection, target: Target, attribute: str) -> Finding:
    limits = target.thresholds
    # Where the policy's models are known, `models` holds t against the distribution of the whole source.
    t = None if target.models else limits.t_of(attribute)
    db.execute(
        "CREATE OR REPLACE TEMP TABLE overall AS "
        "SELECT value, sum(c)::DOUBLE / sum(sum(c)) OVER () AS share FROM val GROUP BY value"
    )
    db.execute(
        "CREATE OR REPLACE TEMP TABLE skew AS SELECT v.cls, v.c, v.c::DOUBLE / v.n AS here, o.share "
        "FROM val v JOIN overall o ON v.value IS NOT DISTINCT FROM o.value"
    )
    # Half the sum of |here - share| over all values: those absent from a class add their share.
    far = float(
        one(db, "SELECT max(d) FROM (SELECT (sum(abs(here - share)) + 1 - sum(share)) / 2 AS d FROM skew GROUP BY cls)")
        or 0.0
    )
    where = f"here >= {limits.belief} AND share <= {limits.rare}"
    told = whole(db, f"SELECT sum(c) FROM skew WHERE {where}")  # noqa: S608 - numbers
    number = whole(db, f"SELECT count(DISTINCT cls) FROM skew WHERE {where}")  # noqa: S608 - numbers
    gain = float(one(db, f"SELECT max(here / share) FROM skew WHERE {where}") or 0.0)  # noqa: S608 - numbers
    beyond = t is not None and far > t + 1e-12
    evidence = {"attribute": attribute, "classes": number, "rows": told, "largest_gain": gain, "largest_t": far}
    if told:
        sentence = Text(
            "In {number:,} classes a value of {attribute} that at most {rare:.0%} of all have is believed with "
            "{belief:.0%} or more ({told:,} rows).",
            "在 {number:,} 個等價類中，「{attribute}」之少見值（全體至多 {rare:.0%}）"
            "可被以 {belief:.0%} 以上的把握推定（{told:,} 列）。",
        )
    elif beyond:
        sentence = Text(
            "The values of {attribute} in some class are {far:.3f} from everybody's, more than t = {t}.",
            "某等價類之「{attribute}」分布與全體相距 {far:.3f}，超過 t＝{t}。",
        )
    else:
        sentence = Text(
            "No rare value of {attribute} becomes likely in any class; the largest distance is {far:.3f}.",
            "「{attribute}」之少見值在任何等價類中均未變得可能；最大距離為 {far:.3f}。",
        )
    text = sentence.format(
        number=number, attribute=attribute, rare=limits.rare, belief=limits.belief, told=told, far=far, t=t
    )
    return Finding("skewness", not (told or beyond), "medium", float(told), 0.0, text, evidence)
