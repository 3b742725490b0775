"""What a line of a case's history tells the applicant, as the portal receives it."""

from __future__ import annotations

from typing import Any

from smartgov.blocks.cases import content, deciding
from smartgov.blocks.cases.domain import NEXT, OPEN_STATES, TITLES, State
from smartgov.blocks.cases.models import Case, Step, Supplement
from smartgov.blocks.directory import api as directory
from smartgov.blocks.payments import api as payments
from smartgov.shared.money import format_ntd
from smartgov.shared.text import Text

MORE: dict[str, Text] = {
    "payment_ordered": Text("The payment is ordered", "已交付撥款"),
    "payment_settled": Text("The money is in your account", "款項已入帳"),
    "payment_failed": Text(
        "The bank sent the payment back; an officer takes care of it", "銀行退回款項，承辦人員將處理"
    ),
    "certificate_issued": Text("Your certificate is ready", "證明書已核發"),
}
# What comes after news that the state of the case does not tell.
AFTER: dict[str, Text] = {
    "payment_failed": Text(
        "The officer finds out why and how the money reaches you, and lets you know. You need not apply again.",
        "承辦人員會查明原因與撥付方式並通知您，您不必重新申請。",
    ),
}
# What the portal calls each line of our history.
KINDS: dict[str, str] = {
    State.HELD: "waiting",
    State.RECEIVED: "received",
    State.WAITING: "working",
    State.IN_REVIEW: "working",
    State.SUPPLEMENT: "supplement_asked",
    State.APPROVED: "approved",
    State.REFUSED: "refused",
    State.STOPPED: "stopped",
    State.DONE: "approved",
    State.CLOSED: "closed",
    "payment_ordered": "payment_instructed",
    "payment_settled": "paid",
    "payment_failed": "payment_failed",
    "certificate_issued": "certificate_issued",
}


def title(state: str) -> Text:
    """The name of a state or of later news."""
    return MORE[state] if state in MORE else TITLES[State(state)]


def next_of(case: Case) -> dict[str, Any]:
    """What happens next, and by when; every answer and every step carries it."""
    state = State(case.state)
    asked = case.supplements.last() if state == State.SUPPLEMENT else None
    day = asked.due if asked else case.deadline if state in OPEN_STATES and state != State.HELD else None
    return {"next": NEXT[state].as_dict(), "by": day.isoformat() if day else None}


def step_of(case: Case, line: Step) -> dict[str, Any]:
    """The body of `POST services.v1/applications/{application}/steps`; `id` makes sending it again harmless."""
    answered = line.state == State.IN_REVIEW and "supplement" in line.detail
    return {
        "id": line.id,
        "part_id": case.id,
        "number": case.number,
        "kind": "supplement_received" if answered else KINDS[line.state],
        "at": line.at.isoformat(),
        "title": title(line.state).as_dict(),
        "text": _text(line).as_dict(),
        "supplement": _supplement(line),
        "decision": _decision(case, line),
        "certificate": line.detail.get("certificate"),
        **_payment(case, line),
        **next_of(case),
        **({"next": AFTER[line.state].as_dict()} if line.state in AFTER else {}),
    }


def _text(line: Step) -> Text:
    """Which agencies we wait for or do not believe; otherwise the officer's own words."""
    sources = {lack["source"] for lack in line.detail.get("missing", [])}
    if sources and line.state in (State.STOPPED, State.WAITING):
        names = [directory.agency(code).name for code in sorted(sources)]
        return Text(", ".join(name.en for name in names), "、".join(name.zh for name in names))
    return Text.of(line.note if line.state != State.SUPPLEMENT else "")


def _supplement(line: Step) -> dict[str, Any] | None:
    if line.state != State.SUPPLEMENT:
        return None
    asked = Supplement.objects.get(id=line.detail["supplement"])
    return {"id": asked.id, "ask": Text.of(asked.question).as_dict(), "due": asked.due.isoformat()}


def _decision(case: Case, line: Step) -> dict[str, Any] | None:
    if line.state not in (State.APPROVED, State.REFUSED):
        return None
    decision = case.decision or {}
    cited = directory.legal_basis(case.cited)
    return {
        "outcome": deciding.REFUSED if line.state == State.REFUSED else deciding.GRANTED,
        "rule": decision.get("rule"),
        "version": decision.get("version"),
        "values": decision.get("values"),
        "explanation": decision.get("explanation"),
        "cited": {"title": cited.title.as_dict(), "article": cited.article.as_dict(), "url": cited.url},
        "gives": content.part(case.service, case.part).gives.as_dict(),
    }


def _payment(case: Case, line: Step) -> dict[str, Any]:
    """Amount, account (masked) and the bank's reason; no account travels whole."""
    if not line.state.startswith("payment_"):
        return {}
    ordered = {view.id: view for view in payments.instructions(agency=case.agency, case=case.id)}
    view = ordered[line.detail["instruction"]]
    said = Text(
        f"{format_ntd(view.amount)} to account {view.account}", f"{format_ntd(view.amount)}，匯入帳戶 {view.account}"
    )
    if view.reason:
        said = Text(f"{said.en}. {view.reason.en}", f"{said.zh}。{view.reason.zh}")
    return {"amount": view.amount, "text": said.as_dict()}
