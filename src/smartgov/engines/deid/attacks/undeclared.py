"""Undeclared identifiers: a column that nobody called a quasi-identifier tells nearly every row apart.

A row number, an exact amount, a time stamp to the second: whoever has it from elsewhere needs no class. Pseudonyms made
for this release alone are such columns on purpose and are named in `pseudonyms`; the linkage of two releases that carry
the same ones is composition's business.
"""

from __future__ import annotations

from collections.abc import Collection

from smartgov.engines.deid.attacks.target import Finding, Target
from smartgov.engines.deid.relations import columns, count, one, opened, quoted
from smartgov.shared.text import Text


def run(target: Target, pseudonyms: Collection[str] = ()) -> list[Finding]:
    """One finding: columns of the release that identify, by declaration or by what they tell."""
    limit = target.thresholds.unique
    with opened(r=target.release) as db:
        rows = count(db, "r")
        names = [name for name in columns(db, "r") if name not in target.quasi and name not in pseudonyms]
        told = {name: one(db, f"SELECT count(DISTINCT {quoted(name)}) FROM r") / max(rows, 1) for name in names}  # noqa: S608
    declared = [name for name in names if name in target.identifying]
    telling = [name for name, share in told.items() if share >= limit and rows > 1]
    bad = list(dict.fromkeys([*declared, *telling]))
    evidence = {"columns": bad, "declared_identifying": declared, "distinction": {name: told[name] for name in bad}}
    most = max(told.values(), default=0.0)
    if bad:
        text = Text(
            f"Columns that identify by themselves are in the release: {', '.join(bad)}.",
            f"釋出檔含可直接識別之欄位：{'、'.join(bad)}。",
        )
    else:
        text = Text(
            f"No column outside the quasi-identifiers tells more than {most:.0%} of the rows apart.",
            f"準識別符以外之欄位至多區分 {most:.0%} 的資料列。",
        )
    return [Finding("undeclared identifiers", not bad, "high", most, limit, text, evidence)]
