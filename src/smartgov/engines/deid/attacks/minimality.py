"""Minimality: a method that generalises no more than it must tells, by what it did, what would have been wrong.

R. Wong et al., Minimality attack in privacy preserving data publishing (VLDB 2007). The attacker knows everybody's
quasi-identifiers and the policy, and asks why the level below was not chosen. Where all its classes are large enough,
sensitive values must have been the reason: some smaller class has fewer than l of them. If only few smaller classes
can be that one, the attacker believes of each that it is. k-anonymity alone looks at no sensitive value, so it tells
nothing this way.
"""

from __future__ import annotations

from dataclasses import replace

from smartgov.engines.deid.attacks.target import Finding, Target, classes, histogram, not_run, whole
from smartgov.engines.deid.installed import analysis
from smartgov.engines.deid.relations import listed, opened, quoted
from smartgov.shared.text import Text

with analysis():
    import duckdb


def run(target: Target) -> list[Finding]:
    """One finding a sensitive column: the attacker's belief that one certain smaller class is the reason."""
    asked = [name for name in target.sensitive if target.thresholds.l_of(name) >= 2]
    if not asked:
        why = Text(
            "The policy looks at no sensitive value, so its choices tell none.",
            "政策未參照敏感值，其選擇亦不洩漏敏感值。",
        )
        return [not_run("minimality", why)]
    if not target.finer:
        return [not_run("minimality", Text("Nothing was generalised.", "未作任何概化。"))]
    with opened(r=target.release, s=target.source) as db:
        return [_judged(db, target, attribute) for attribute in asked]


def _judged(db: duckdb.DuckDBPyConnection, target: Target, attribute: str) -> Finding:
    limits, most = target.thresholds, int(target.thresholds.l_of(attribute)) - 1
    classes(db, target)
    histogram(db, target, attribute)
    # Could a part of s rows have fewer than l values? Only if the class's l-1 most frequent ones fill it.
    db.execute(
        "CREATE OR REPLACE TEMP TABLE fill AS SELECT cls, sum(c) AS top FROM (SELECT cls, c, row_number() OVER "  # noqa: S608
        f"(PARTITION BY cls ORDER BY c DESC) AS place FROM val) WHERE place <= {most} GROUP BY cls"
    )
    belief, asked, column = 0.0, 0, ""
    for name, finer in target.finer.items():
        smallest, possible = _parts(db, replace(target, labels={**target.labels, name: finer}), target, name)
        if smallest < limits.k:
            continue  # the level below was not chosen because of k, which everybody can see
        asked += 1
        here = 1 / possible if possible else 0.0
        if here > belief:
            belief, column = here, name
    evidence = {"attribute": attribute, "levels_explained_by_values_alone": asked, "column": column}
    passed = belief <= limits.belief
    if passed:
        sentence = Text(
            "Knowing the method tells no more about {attribute}: the belief in any one part is at most {belief:.0%}.",
            "知悉方法並不多洩漏「{attribute}」：對任一部分的推定把握至多 {belief:.0%}。",
        )
    else:
        sentence = Text(
            "One level finer in {column} must have failed because of {attribute}, and the attacker may name the group "
            "with {belief:.0%} certainty.",
            "「{column}」細一層必因「{attribute}」而不合格，攻擊者可以 {belief:.0%} 把握指出是哪一群。",
        )
    text = sentence.format(attribute=attribute, belief=belief, column=column)
    return Finding("minimality", passed, "medium", belief, limits.belief, text, evidence)


def _parts(db: duckdb.DuckDBPyConnection, below: Target, target: Target, name: str) -> tuple[int, int]:
    """(size of the smallest class one level finer, how many finer classes could lack values), from people alone."""
    db.register("coarse", target.labels[name])
    db.register("fine", below.labels[name])
    rest = [other for other in target.quasi if other != name]
    joins, labels = [f"JOIN coarse c ON CAST(s.{quoted(name)} AS VARCHAR) = c.value"], [f"c.label AS {quoted(name)}"]
    joins.append(f"JOIN fine f ON CAST(s.{quoted(name)} AS VARCHAR) = f.value")
    for place, other in enumerate(rest):
        if other in target.labels:
            db.register(f"rest{place}", target.labels[other])
            joins.append(f"JOIN rest{place} ON CAST(s.{quoted(other)} AS VARCHAR) = rest{place}.value")
            labels.append(f"rest{place}.label AS {quoted(other)}")
        else:
            labels.append(f"CAST(s.{quoted(other)} AS VARCHAR) AS {quoted(other)}")
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE part AS SELECT {', '.join(labels)}, f.label AS finer_label, count(*) AS size "  # noqa: S608
        f"FROM s {' '.join(joins)} GROUP BY ALL"
    )
    possible = whole(
        db,
        f"SELECT count(*) FROM part JOIN cls USING ({listed(target.quasi)}) JOIN fill USING (cls) WHERE top >= size",  # noqa: S608
    )
    return whole(db, "SELECT min(size) FROM part"), possible
