"""Why a configuration, an offer or a change of key is not accepted."""

from __future__ import annotations

from smartgov.shared.problems import Problem
from smartgov.shared.text import Text


def refused(why_en: str, why_zh: str) -> Problem:
    """Metadata that does not verify; what was in force before stays in force."""
    return Problem(
        "configuration-invalid",
        422,
        what=Text("The configuration of T-Road is not accepted.", "T-Road 設定未被接受。"),
        why=Text(why_en, why_zh),
        todo=Text("The last accepted one stays in force. Tell the centre.", "先前接受的設定仍有效，請通知管理中心。"),
    )


def offer_invalid(why_en: str, why_zh: str) -> Problem:
    """An offer that its member did not sign, or that speaks for another member."""
    return Problem(
        "offer-invalid",
        422,
        what=Text("A member's list of services and rights is not accepted.", "成員的服務與權限清單未被接受。"),
        why=Text(why_en, why_zh),
        todo=Text("Sign it again with the member's own key.", "請以該成員自己的金鑰重新簽署。"),
    )
