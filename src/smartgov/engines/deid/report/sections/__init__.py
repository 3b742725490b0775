"""What the pack tells, in the order of CNS 29100-2's process: scope, roles, inventory, thresholds, method, result,
re-identification test, utility, approval, review. Blocks know nothing of HTML or PDF.
"""

from __future__ import annotations

from smartgov.engines.deid.attacks import Finding
from smartgov.engines.deid.report.pack import Pack
from smartgov.engines.deid.report.sections import decided, measured, treated
from smartgov.engines.deid.report.sections.blocks import (
    Block,
    Cell,
    Facts,
    Findings,
    Picture,
    Section,
    Table,
    Words,
    percent,
    when,
)
from smartgov.engines.deid.report.words import ATTACKS, PROMISES, SEVERITIES
from smartgov.shared.text import Text

__all__ = [
    "Block", "Cell", "Facts", "Findings", "Picture", "Section", "Table", "Words", "figures", "headline", "outcome",
    "percent", "sections", "under",
]  # fmt: skip


def headline(pack: Pack) -> tuple[bool, Text, Text]:
    """(whether all attacks failed, the verdict, one sentence why)."""
    ran = [finding for finding in pack.findings if finding.ran]
    lost = [finding for finding in pack.findings if not finding.passed]
    if lost:
        names = list(dict.fromkeys(finding.attack for finding in lost))
        en, zh = ", ".join(ATTACKS[name].en for name in names), "、".join(ATTACKS[name].zh for name in names)
        return (
            False,
            Text("Must not be released", "不得釋出"),
            Text(
                f"{len(lost)} of {len(ran)} attacks succeeded: {en}.",
                f"{len(ran)} 項攻擊中有 {len(lost)} 項成功：{zh}。",
            ),
        )
    return (
        True,
        Text("All attacks failed", "所有攻擊均未成功"),
        Text(
            f"{len(ran)} tests of re-identification found nobody; thresholds are kept.",
            f"{len(ran)} 項重新識別測試均未找出任何人，符合各項門檻。",
        ),
    )


def figures(pack: Pack) -> list[tuple[Text, str, Text]]:
    """The four figures at the top: (name, value, what it means)."""
    found = pack.risk
    return [
        (
            Text("k", "k 值"),
            f"{found.k:,}",
            Text(
                f"rows of the smallest class; at least {pack.target.thresholds.k}",
                f"最小等價類列數；門檻 {pack.target.thresholds.k}",
            ),
        ),
        (
            Text("Highest risk", "最高風險"),
            percent(found.prosecutor.highest),
            Text("for the easiest person to find", "最容易被找到者"),
        ),
        (
            Text("Average risk", "平均風險"),
            percent(found.marketer),
            Text("share of people found by a marketer", "行銷者可找出之比例"),
        ),
        (
            Text("Unique people", "母體唯一"),
            percent(pack.uniqueness.share),
            Text("estimated share of the population", "推估占母體比例"),
        ),
    ]


def sections(pack: Pack) -> list[Section]:
    """All chapters."""
    return [
        decided.scope(pack),
        decided.roles(pack),
        treated.inventory(pack),
        treated.thresholds(pack),
        treated.method(pack),
        measured.result(pack),
        measured.test(pack),
        measured.utility(pack),
        decided.approval(pack),
        decided.review(pack),
        decided.integrity(pack),
    ]


def under(pack: Pack) -> Text:
    """The line below the title."""
    told = Text("In the terms of CNS 29100-2. Measured {at}.", "依 CNS 29100-2 之架構。量測於{at}。")
    return told.format(at=when(pack.made_at))


def outcome(finding: Finding) -> Text:
    """What a finding's label says."""
    if not finding.ran:
        return Text("Nothing to attack", "無可攻擊")
    if finding.attack in PROMISES:
        return Text("Kept", "符合") if finding.passed else Text("Broken", "不符")
    return (
        Text("Failed: nobody found", "未成功")
        if finding.passed
        else Text(f"Succeeded ({SEVERITIES[finding.severity].en})", f"攻擊成功（{SEVERITIES[finding.severity].zh}）")
    )
