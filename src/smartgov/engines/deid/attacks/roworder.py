"""Row order: the release keeps the order of a file, and its place in the class says who a row is.

The attacker takes the people of each class in an order that an outside file may have (as the source lies, or by any of
its columns, for example the exact date of birth), and matches the first of them with the first row of the class, and so
on. Where the other columns of the release agree more often than chance allows, the order told them. Only classes of
two and more rows that differ can tell anything, so only those count.
"""

from __future__ import annotations

from smartgov.engines.deid.attacks.target import Finding, Target, classes, not_run, people
from smartgov.engines.deid.installed import analysis
from smartgov.engines.deid.relations import columns, count, listed, opened, quoted
from smartgov.engines.deid.risk import unsuppressed
from smartgov.shared.text import Text

with analysis():
    import duckdb

ROWS = 200_000


def run(target: Target) -> list[Finding]:
    """One finding: how much better than chance the best order finds rows. At most about `ROWS` rows are tried."""
    with opened(r=target.release, s=target.source) as db:
        ours, theirs = columns(db, "r"), columns(db, "s")
        shown = [name for name in ours if name not in target.quasi and name in theirs]
        if not shown:
            why = Text("Besides the labels no column of the source is in it.", "除標籤外未含來源之任何欄位。")
            return [not_run("row order", why)]
        part = max(1, round(count(db, "r") / ROWS))
        _placed(db, target, shown, part)
        expected = _chance(db)
        orders = {"": "place", **{name: quoted("by " + name) for name in theirs}}
        hits = {}
        for order, key in orders.items():
            for way in ("ASC", "DESC"):
                hits[f"{order} {way}".strip()] = _matched(db, f"{key} {way}, place {way}")
    rows, chance = expected
    if not rows:
        why = Text("Rows of a class do not differ otherwise.", "等價類內各列別無差異。")
        return [not_run("row order", why)]
    order, best = max(hits.items(), key=lambda hit: hit[1])
    excess = best / rows - chance
    # Best of many tries: what chance alone reaches is some standard errors above its mean.
    limit = max(target.thresholds.excess, 6 * (chance * (1 - chance) / rows) ** 0.5)
    evidence = {"order": order.replace(" ASC", ""), "rows": rows, "matched": best, "by_chance": round(chance * rows)}
    return [_said(excess, limit, order, evidence)]


def _said(excess: float, limit: float, order: str, evidence: dict[str, object]) -> Finding:
    by = order.removesuffix(" ASC").removesuffix(" DESC").strip()
    where = (
        Text(f"by {by}", f"依「{by}」") if by not in ("", "ASC", "DESC") else Text("as the source lies", "依原始檔順序")
    )
    if excess > limit:
        sentence = Text(
            "People put in order ({where}) match rows {excess:.1%} more often than by chance.",
            "將人員排序（{where}）後，對應資料列之比例較隨機高出 {excess:.1%}。",
        )
    else:
        sentence = Text(
            "No order of the source finds rows better than chance does (at most {excess:.2%} more).",
            "依來源之任何順序均未較隨機更能找到資料列（至多高出 {excess:.2%}）。",
        )
    passed = excess <= limit
    text = sentence.format(where=where, excess=max(excess, 0.0))
    return Finding("row order", passed, "high", excess, limit, text, evidence)


def _placed(db: duckdb.DuckDBPyConnection, target: Target, shown: list[str], part: int) -> None:
    """Tables `rel` and `org`: class, place and the shown columns as one text, of one class in `part`."""
    text = " || chr(31) || ".join(f"coalesce(CAST({quoted(name)} AS VARCHAR), '')" for name in shown)
    keys = ", ".join(f"CAST({quoted(name)} AS VARCHAR)" for name in target.quasi)
    pick = f"hash({keys}) % {part} = 0" if part > 1 else "true"
    db.execute(
        f"CREATE TEMP TABLE rel AS SELECT place, cls, row_number() OVER (PARTITION BY cls ORDER BY place) AS nth, "  # noqa: S608
        f"shown FROM (SELECT row_number() OVER () AS place, hash({keys}) AS cls, {text} AS shown, "
        f"{listed(target.quasi)} FROM r) "
        f"WHERE ({unsuppressed(target.quasi)}) AND {pick}"
    )
    classes(db, target)
    people(db, target)
    ordered = ", ".join(f"o.{quoted(name)} AS {quoted('by ' + name)}" for name in columns(db, "s"))
    shown_of = " || chr(31) || ".join(f"coalesce(CAST(o.{quoted(name)} AS VARCHAR), '')" for name in shown)
    same = " AND ".join(f"CAST(o.{quoted(name)} AS VARCHAR) = own.{quoted(name)}" for name in target.quasi) or "true"
    db.execute(
        f"CREATE TEMP TABLE org AS SELECT * FROM (SELECT o.place, hash({listed(target.quasi, 'cls.')}) AS cls, "  # noqa: S608
        f"{shown_of} AS shown, {ordered} FROM (SELECT row_number() OVER () AS place, * FROM s) o JOIN own ON {same} "
        "JOIN placed ON placed.id = own.id JOIN cls ON cls.cls = placed.cls) "
        "WHERE cls IN (SELECT DISTINCT cls FROM rel)"
    )


def _chance(db: duckdb.DuckDBPyConnection) -> tuple[int, float]:
    """(rows in classes that differ inside, the share that a random order within them would match)."""
    row = db.execute(
        "SELECT coalesce(sum(n), 0), coalesce(sum(hit) / sum(n), 0) FROM (SELECT cls, sum(c) AS n, "
        "sum(c * c) / sum(c) AS hit FROM (SELECT cls, shown, count(*) AS c FROM rel GROUP BY cls, shown) "
        "GROUP BY cls HAVING count(*) > 1)"
    ).fetchone()
    assert row is not None
    return int(row[0]), float(row[1])


def _matched(db: duckdb.DuckDBPyConnection, order: str) -> int:
    row = db.execute(
        "SELECT count(*) FROM rel JOIN (SELECT cls, shown, row_number() OVER (PARTITION BY cls "  # noqa: S608 - quoted
        f"ORDER BY {order}) AS nth FROM org) o USING (cls, nth) WHERE rel.shown = o.shown AND cls IN "
        "(SELECT cls FROM rel GROUP BY cls HAVING count(DISTINCT shown) > 1)"
    ).fetchone()
    assert row is not None
    return int(row[0])
