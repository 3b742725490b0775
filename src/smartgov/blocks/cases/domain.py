"""A case and its life, as tables: which states there are, which step leads where, what the applicant reads.

Pure: no database, no network. The agency's database holds what these tables allow and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from smartgov.shared.clock import TAIPEI
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text


class State(StrEnum):
    """Where a case stands."""

    HELD = "held"
    RECEIVED = "received"
    WAITING = "waiting_for_facts"
    IN_REVIEW = "in_review"
    SUPPLEMENT = "supplement_asked"
    APPROVED = "approved"
    REFUSED = "refused"
    STOPPED = "stopped"
    DONE = "done"
    CLOSED = "closed"


class Step(StrEnum):
    """What can happen to a case."""

    PREDECESSOR_GRANTED = "predecessor_granted"
    PREDECESSOR_REFUSED = "predecessor_refused"
    FACTS_MISSING = "facts_missing"
    FACTS_COMPLETE = "facts_complete"
    ANSWER_NOT_TRUSTED = "answer_not_trusted"
    ASK_SUPPLEMENT = "ask_supplement"
    SUPPLEMENT_CAME = "supplement_came"
    SUPPLEMENT_OVERDUE = "supplement_overdue"
    APPROVE = "approve"
    REFUSE = "refuse"
    REGISTERS_WRITTEN = "registers_written"
    RESTART = "restart"


TRANSITIONS: dict[tuple[State, Step], State] = {
    (State.HELD, Step.PREDECESSOR_GRANTED): State.RECEIVED,
    (State.HELD, Step.PREDECESSOR_REFUSED): State.CLOSED,
    (State.RECEIVED, Step.FACTS_COMPLETE): State.IN_REVIEW,
    (State.RECEIVED, Step.FACTS_MISSING): State.WAITING,
    (State.RECEIVED, Step.ANSWER_NOT_TRUSTED): State.STOPPED,
    (State.WAITING, Step.FACTS_COMPLETE): State.IN_REVIEW,
    (State.WAITING, Step.FACTS_MISSING): State.WAITING,
    (State.WAITING, Step.ANSWER_NOT_TRUSTED): State.STOPPED,
    (State.IN_REVIEW, Step.ASK_SUPPLEMENT): State.SUPPLEMENT,
    (State.IN_REVIEW, Step.APPROVE): State.APPROVED,
    (State.IN_REVIEW, Step.REFUSE): State.REFUSED,
    (State.SUPPLEMENT, Step.SUPPLEMENT_CAME): State.IN_REVIEW,
    (State.IN_REVIEW, Step.SUPPLEMENT_CAME): State.IN_REVIEW,
    (State.SUPPLEMENT, Step.SUPPLEMENT_OVERDUE): State.IN_REVIEW,
    (State.APPROVED, Step.REGISTERS_WRITTEN): State.DONE,
    (State.STOPPED, Step.RESTART): State.RECEIVED,
    (State.IN_REVIEW, Step.RESTART): State.RECEIVED,
}

OPEN_STATES = (State.HELD, State.RECEIVED, State.WAITING, State.IN_REVIEW, State.SUPPLEMENT, State.STOPPED)
DECIDED_STATES = (State.APPROVED, State.REFUSED, State.DONE)

TITLES: dict[State, Text] = {
    State.HELD: Text("Waiting for an earlier step", "等候前一步驟"),
    State.RECEIVED: Text("Received", "已收件"),
    State.WAITING: Text("Waiting for a fact from another agency", "等待其他機關回覆資料"),
    State.IN_REVIEW: Text("In review", "審查中"),
    State.SUPPLEMENT: Text("We need one more answer from you", "需要您補件"),
    State.APPROVED: Text("Approved", "已核准"),
    State.REFUSED: Text("Refused", "不予核准"),
    State.STOPPED: Text("Stopped: an answer could not be trusted", "已暫停：有機關的回覆無法驗證"),
    State.DONE: Text("Approved and entered in the register", "已核准並登載完成"),
    State.CLOSED: Text("Closed: the step before was refused", "已結案：前一步驟未核准"),
}

# What happens next, as the applicant reads it.
NEXT: dict[State, Text] = {
    State.HELD: Text("We start when the earlier step is decided.", "前一步驟決定後，本機關即開始審查。"),
    State.RECEIVED: Text("We ask the registers for the facts.", "本機關將向登記機關查詢資料。"),
    State.WAITING: Text("We ask again by ourselves; you need do nothing.", "系統會自動再次查詢，您不需做任何事。"),
    State.IN_REVIEW: Text("An officer or the published rule decides.", "將由承辦人員或依公告規則決定。"),
    State.SUPPLEMENT: Text("Answer the question on this page.", "請在本頁回覆補件。"),
    State.APPROVED: Text("We enter it in the register.", "本機關將登載於登記資料。"),
    State.REFUSED: Text(
        "You may appeal within 30 days of this notice.", "如有不服，得於收到處分次日起 30 日內提起訴願。"
    ),
    State.STOPPED: Text("An officer looks into it.", "承辦人員將查明原因。"),
    State.DONE: Text("Nothing more to do.", "不需再做任何事。"),
    State.CLOSED: Text("Apply again when the earlier step is granted.", "前一步驟核准後可重新申請。"),
}

# Refusals that an operator mends without the applicant: worth asking again.
MENDED_LATER = frozenset({"right-missing", "purpose-not-granted", "basis-not-granted", "fields-not-granted", "replay"})


@dataclass(frozen=True, slots=True)
class Fact:
    """One value that an agency learned from a register, with where and when it was said."""

    id: str
    title: Text
    value: Any
    service: str
    answered_at: str
    exchange: str
    basis: str

    def as_dict(self) -> dict[str, Any]:
        """The JSON form that travels and is kept (sealed)."""
        return {
            "id": self.id,
            "title": self.title.as_dict(),
            "value": self.value,
            "source": agency_of(self.service),
            "service": self.service,
            "answered_at": self.answered_at,
            "exchange": self.exchange,
            "basis": self.basis,
        }


@dataclass(frozen=True, slots=True)
class Missing:
    """A fact that could not be had, and why.

    `again` says that asking later may help (an outage); `trusted` is false when an answer came that cannot be believed.
    """

    id: str
    title: Text
    reason: str
    text: Text
    service: str = ""
    needed: bool = True
    again: bool = False
    trusted: bool = True

    def as_dict(self) -> dict[str, Any]:
        """The JSON form for the portal and the case page."""
        return {
            "id": self.id,
            "title": self.title.as_dict(),
            "reason": self.reason,
            "text": self.text.as_dict(),
            "source": agency_of(self.service),
            "service": self.service,
            "needed": self.needed,
        }


@dataclass(frozen=True, slots=True)
class Gathered:
    """What one round of asking brought."""

    facts: tuple[Fact, ...]
    missing: tuple[Missing, ...]

    @property
    def step(self) -> Step:
        """Which step of the case follows.

        It waits while an outage keeps a needed fact away. What asking again cannot bring (a refused consent) is the
        officer's to deal with, so such a case goes on to review.
        """
        if any(not lack.trusted for lack in self.missing):
            return Step.ANSWER_NOT_TRUSTED
        if any(lack.needed and lack.again for lack in self.missing):
            return Step.FACTS_MISSING
        return Step.FACTS_COMPLETE

    @property
    def values(self) -> dict[str, Any]:
        """The values by fact, for rules and registers."""
        return {fact.id: fact.value for fact in self.facts}


def agency_of(service: str) -> str:
    """The code of the agency that offers a service (`TW/GOV/hpa/births/births.v1` is `hpa`'s)."""
    return service.split("/")[2]


def next_state(state: State, step: Step) -> State:
    """The state after `step`; Problem `case-step-refused` (409) when the table has no such step."""
    try:
        return TRANSITIONS[state, step]
    except KeyError:
        raise Problem(
            "case-step-refused",
            409,
            what=Text("This cannot be done now.", "目前不能執行這個動作。"),
            why=Text(f"The case is: {TITLES[state].en}.", f"案件狀態為「{TITLES[state].zh}」。"),
            todo=Text("Reload the case; somebody may have worked on it.", "請重新整理案件頁，可能已有人處理。"),
            state=str(state),
        ) from None


def deadline(received: datetime, days: int) -> date:
    """The civil day in Taiwan by whose end a case received at `received` must be decided.

    The first day is not counted (Administrative Procedure Act art. 48 para. 2).
    """
    return received.astimezone(TAIPEI).date() + timedelta(days=days)


def end_of_day(day: date) -> datetime:
    """The last instant of a civil day in Taiwan, in UTC."""
    return datetime.combine(day, time(23, 59, 59), TAIPEI).astimezone(UTC)


def retry_after(attempt: int) -> timedelta:
    """How long to wait before asking again for the `attempt`-th time: 5 s doubling to 15 minutes."""
    return timedelta(seconds=min(5 * 2 ** min(attempt, 12), 900))


def may_decide_alone(*, automatic: bool, outcome: str, missing: int, own_reading: bool) -> bool:
    """Whether the system may decide without an officer.

    Only a grant, only where the part's published content says so, and only on facts this agency read by itself;
    a refusal is always a person's act, and an event of another agency never suffices.
    """
    return automatic and own_reading and missing == 0 and outcome == "granted"
