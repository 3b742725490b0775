"""Linkage: somebody holds a file with names (a voter roll, a membership list) and looks its people up in the release.

The attacker transforms and generalises the outside file as the release was, which the published policy allows, and
joins on every column that both have. A person who matches fewer than k rows is found, or nearly. Without an outside
file the source itself is the attacker's file: nobody could know the quasi-identifiers better. What a key made of them
is then taken as known (`picture`). Rows of the release that nobody of the source can be behind show that it was made
from another table, or otherwise than said; people would be missed, so that is a finding too.
"""

from __future__ import annotations

from typing import Any

from smartgov.engines.deid.attacks.picture import Seen
from smartgov.engines.deid.attacks.target import Finding, Target, classes, people, whole
from smartgov.engines.deid.relations import Source, columns, listed, opened
from smartgov.shared.text import Text


def run(target: Target, outside: Source | None = None, notes: Seen | None = None) -> list[Finding]:
    """One finding: how many people of the outside file match between 1 and k-1 rows.

    Both files come as the release's attacker sees them; `notes` says what that took.
    """
    k = target.thresholds.k
    file = target.source if outside is None else outside
    with opened(r=target.release, s=file) as db:
        theirs, ours = columns(db, "s"), columns(db, "r")
        quasi = tuple(name for name in target.quasi if name in theirs)
        more = () if outside is None else tuple(name for name in ours if name in theirs and name not in target.quasi)
        known = Target(target.release, file, quasi or more, labels=target.labels, thresholds=target.thresholds)
        classes(db, known, more=more if quasi else ())
        people(db, known, quasi=quasi, more=more)
        names = listed((*quasi, *more))
        db.execute(f"CREATE TEMP TABLE hit AS SELECT any_value(m) AS m, sum(n) AS n FROM ppl GROUP BY {names}")  # noqa: S608
        found = whole(db, f"SELECT sum(m) FROM hit WHERE n < {k}")  # noqa: S608 - a number
        sure = whole(db, "SELECT sum(m) FROM hit WHERE n = 1")
        matched = whole(db, "SELECT sum(m) FROM hit")
        fewest = whole(db, "SELECT min(n) FROM hit")
        strange = 0 if outside is not None else whole(db, _UNEXPLAINED)
    evidence: dict[str, Any] = {
        "columns": [*quasi, *more], "outside": outside is not None, "people_matched": matched,
        "people_below_k": found, "people_with_one_row": sure, "fewest_rows": fewest, "rows_unexplained": strange,
    }  # fmt: skip
    if notes is not None:
        evidence |= {
            "key_taken_as_known": list(notes.known), "behind_a_key": list(notes.unfollowed),
            "values_unusable": dict(notes.unusable),
        }  # fmt: skip
    who = Text("an outside file", "外部檔案") if outside is not None else Text("the source itself", "原始資料本身")
    sentence = _STRANGE if strange else _FOUND if found else _NOBODY
    text = sentence.format(who=who, found=found, sure=sure, k=k, matched=matched, strange=strange)
    text = _with_notes(text, notes)
    return [Finding("linkage", not (found or strange), "high", float(max(found, strange)), 0.0, text, evidence)]


def _with_notes(text: Text, notes: Seen | None) -> Text:
    """What the attacker was assumed to know, and what not, in the finding itself."""
    if notes is None:
        return text
    for names, sentence in ((notes.known, _KNOWN), (notes.unfollowed, _BEHIND)):
        if names:
            said = sentence.format(names=Text(", ".join(names), "、".join(names)))
            text = Text(f"{text.en} {said.en}", f"{text.zh}{said.zh}")
    return text


_UNEXPLAINED = (
    "SELECT sum(n - coalesce(there, 0)) FROM (SELECT cls.n, p.there FROM cls LEFT JOIN "
    "(SELECT cls, sum(m) AS there FROM ppl GROUP BY cls) p USING (cls)) WHERE n > coalesce(there, 0)"
)
_FOUND = Text(
    "With {who}, {found:,} people match fewer than {k} rows, and {sure:,} of them exactly one.",
    "以{who}比對，有 {found:,} 人對應少於 {k} 列，其中 {sure:,} 人僅對應一列。",
)
_NOBODY = Text(
    "With {who}, nobody of {matched:,} people matches fewer than {k} rows.",
    "以{who}比對，{matched:,} 人之中無人對應少於 {k} 列。",
)
_STRANGE = Text(
    "Nobody of the source can be behind {strange:,} rows: the release was made from another table, key or policy.",
    "有 {strange:,} 列無法對應來源中之任何人：釋出檔係由其他資料表、金鑰或政策產生。",
)
_KNOWN = Text(
    "The attacker was taken to know what the key made of {names}.", "假設攻擊者知悉 {names} 經金鑰處理後之值。"
)
_BEHIND = Text(
    "{names} could not be used: a key stands between the file and the release.",
    "{names} 無法用於比對：檔案與釋出檔之間隔有金鑰。",
)
