"""Chapters that tell what people decided: scope, roles, approval, review; and what binds the pack to its release."""

from __future__ import annotations

from smartgov.engines.deid.report.pack import Pack
from smartgov.engines.deid.report.sections.blocks import (
    Facts,
    Section,
    Words,
    when,
)
from smartgov.shared.text import Text


def scope(pack: Pack) -> Section:
    """What is released, why, and by which law."""
    about = pack.about
    return Section(
        "scope",
        Text("Scope", "適用範圍"),
        [
            Facts(
                [
                    (Text("Subject", "事項"), about.scope),
                    (Text("Purpose", "釋出目的"), about.purpose),
                    (Text("Legal basis", "法令依據"), about.legal_basis),
                    (Text("Source", "資料來源"), about.source),
                    (Text("Rows of the source", "來源列數"), f"{pack.rows:,}"),
                    (Text("Population", "母體人數"), f"{pack.population:,}"),
                ]
            )
        ],
    )


def roles(pack: Pack) -> Section:
    """Who answers for it."""
    about = pack.about
    return Section(
        "roles",
        Text("Roles", "角色與責任"),
        [
            Facts(
                [
                    (Text("PII controller", "個資控制者"), about.controller),
                    (Text("PII processor", "個資處理者"), about.processor),
                    (Text("Recipients", "接收者"), about.recipients),
                    (Text("Prepared by", "製作"), about.prepared_by),
                    (Text("Contact", "聯絡窗口"), about.contact),
                ]
            )
        ],
    )


def approval(pack: Pack) -> Section:
    """Who prepared, reviewed and approved it."""
    about = pack.about
    return Section(
        "approval",
        Text("Approval", "核准"),
        [
            Facts(
                [
                    (Text("Prepared by", "製作"), about.prepared_by),
                    (Text("Reviewed by", "審查"), about.reviewed_by),
                    (Text("Approved by", "核准"), about.approved_by),
                    (Text("Approved on", "核准日期"), about.approved_on),
                ]
            )
        ],
    )


def review(pack: Pack) -> Section:
    """When it is looked at again."""
    about = pack.about
    return Section(
        "review",
        Text("Periodic review", "定期審查"),
        [
            Words(
                Text(
                    "Files in the outside world change and attacks get better, so a risk measured today does not last.",
                    "外部資料與攻擊方法持續變化，今日量測之風險不會永久有效。",
                )
            ),
            Facts(
                [
                    (Text("Next review by", "下次審查期限"), about.review_on),
                    (Text("Earlier, if", "提前審查事由"), about.review_triggers),
                ]
            ),
        ],
    )


def integrity(pack: Pack) -> Section:
    """When it was measured, and the digests that bind the pack to the release."""
    return Section(
        "integrity",
        Text("Integrity", "完整性"),
        [
            Facts(
                [
                    (Text("Measured at", "量測時間"), when(pack.made_at)),
                    (Text("Digest of the findings (SHA-256)", "測試結果摘要（SHA-256）"), pack.findings_digest),
                    (
                        Text("Digest of the release (SHA-256)", "釋出檔摘要（SHA-256）"),
                        pack.digest or Text("not published", "尚未釋出"),
                    ),
                    (
                        Text("Head of the release ledger", "釋出帳冊鏈首"),
                        pack.head or Text("not published", "尚未釋出"),
                    ),
                ]
            )
        ],
    )
