"""The ways in which the administration of T-Road refuses, in both languages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

ELSEWHERE = "gateway-elsewhere"


_COMES_BACK = Text(
    "Its operator looks after it. Nothing is lost: what waits goes on by itself when it is back.",
    "請洽其維運人員。資料不會遺失，閘道恢復後，等候中的工作會自動繼續。",
)
_OWN = "own"
"""The gateway of the agency that asks, unlike another member's."""


def gateway_unreachable(agency: str) -> Problem:
    """This agency's own gateway does not answer."""
    return Problem(
        "gateway-unreachable",
        503,
        what=Text("The gateway of this agency does not answer.", "本機關的資料交換閘道沒有回應。"),
        why=Text("It is stopped or restarting.", "閘道已停止或正在重新啟動。"),
        todo=_COMES_BACK,
        agency=agency,
        gateway=_OWN,
    )


def gateway_silent(agency: str, seconds: float) -> Problem:
    """This agency's own gateway took a question, and did not answer in time."""
    return Problem(
        "gateway-silent",
        504,
        what=Text("The gateway of this agency does not answer in time.", "本機關的資料交換閘道逾時未回應。"),
        why=Text(f"It was waited for {seconds:g} seconds.", f"已等候 {seconds:g} 秒。"),
        todo=_COMES_BACK,
        agency=agency,
        gateway=_OWN,
        seconds=seconds,
    )


def gateway_elsewhere(agency: str) -> Problem:
    """The gateway's home is not on this machine, so that its local door cannot be asked from here."""
    return Problem(
        ELSEWHERE,
        503,
        what=Text("This gateway runs on a machine of its own agency.", "此閘道在該機關的主機上執行。"),
        why=Text("Its figures are known to itself alone.", "其數字僅該閘道自己知道。"),
        todo=Text(
            "Its operator asks it with `smartgov gateway check`; whether it is reached says `smartgov gateway ping`.",
            "其維運人員可執行 `smartgov gateway check`；能否連通請執行 `smartgov gateway ping`。",
        ),
        agency=agency,
    )


def between_gateways(problem: Problem) -> Problem:
    """What one gateway holds against another, as an outage (502)."""
    return Problem(problem.slug, 502, what=problem.what, why=problem.why, todo=problem.todo, **problem.extra)


NOT_FROM_GATEWAY = Problem(
    "not-from-gateway",
    401,
    what=Text("This door is open to the agency's own gateway only.", "這個入口只供本機關的閘道使用。"),
    why=Text("The shared secret of the local hop is missing or wrong.", "缺少或不符本地連線的共用密鑰。"),
    todo=Text("Call the service through T-Road.", "請經由 T-Road 呼叫服務。"),
)

SUBJECT_INVALID = Problem(
    "subject-invalid",
    400,
    what=Text("The request names no person in its subject.", "請求的當事人欄位未指明任何人。"),
    why=Text("X-TRoad-Subject is not the URN of a national id.", "X-TRoad-Subject 不是身分證字號之 URN。"),
    todo=Text("Let the agency's gateway open the reference and hand it on.", "請由本機關閘道開啟參照後轉送。"),
)

NOT_THE_CENTRE = Problem(
    "not-the-centre",
    403,
    what=Text("This process does not keep the register of T-Road.", "這個程式不負責 T-Road 的登記。"),
    why=Text("Its roles do not include the centre.", "它的角色不包含「中心」。"),
    todo=Text("Do it at the centre.", "請在中心辦理。"),
)


ALREADY_DECIDED = Problem(
    "request-decided",
    409,
    what=Text("This request is not open any more.", "這件申請已不在審核中。"),
    why=Text("It was decided or withdrawn before.", "已審核或已撤回。"),
    todo=Text("Look at its present state.", "請查看目前狀態。"),
)

OWN_REQUEST = Problem(
    "request-own",
    403,
    what=Text("You cannot review a request that you have made yourself.", "不得審核自己提出的申請。"),
    why=Text("Asking and granting take two persons.", "申請與審核須由不同人辦理。"),
    todo=Text("Let a colleague review it.", "請由同仁審核。"),
)


def document_refused(findings: Sequence[dict[str, Any]]) -> Problem:
    """An OpenAPI document that breaks a rule for which none is taken; `findings` name lines."""
    count = sum(1 for one in findings if one["severity"] == "error")
    return Problem(
        "openapi-refused",
        422,
        what=Text("The OpenAPI document cannot be registered.", "OpenAPI 文件無法登錄。"),
        why=Text(
            f"It breaks {count} rule{'' if count == 1 else 's'} that every service keeps.",
            f"有 {count} 處不符所有服務均須遵守的規則。",
        ),
        todo=Text("Correct the lines that are named and send it again.", "請修正所列各行後再送出。"),
        findings=list(findings),
    )


def unclear(en: str, zh: str) -> Problem:
    """A visibility that nobody could keep."""
    return Problem(
        "registration-invalid",
        422,
        what=Text("The visibility cannot be registered as given.", "所送的顯示方式無法登記。"),
        why=Text(en, zh),
        todo=Text("Correct it and send it again.", "請更正後再送出。"),
        field="visibility",
    )


def unknown(what: Text, name: str) -> Problem:
    """Nothing of that name is registered."""
    return Problem(
        "not-registered",
        404,
        what=Text(f"{what.en} {name} is not registered on T-Road.", f"{what.zh} {name} 未在 T-Road 登記。"),
        todo=Text("Register it first, or correct the name.", "請先登記，或更正名稱。"),
    )


def invalid(what: Text, why: str | Text, *, field: str = "") -> Problem:
    """A registration that gateways could not use; `why` names the member of it, `field` the one of a form."""
    return Problem(
        "registration-invalid",
        422,
        what=Text(f"{what.en} cannot be registered as given.", f"所送的{what.zh}無法登記。"),
        why=Text.of(why),
        todo=Text("Correct it and send it again.", "請更正後再送出。"),
        **({"field": field} if field else {}),
    )
