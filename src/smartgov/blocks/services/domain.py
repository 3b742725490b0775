"""States of an application and its parts, and the rules that need no table; no Django, no I/O."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any

from smartgov.shared.text import Text
from smartgov.shared.tw import workdays

DRAFT, SUBMITTED, WITHDRAWN = "draft", "submitted", "withdrawn"

# Part states. `queued` and `delayed` are ours (not yet with the agency); the others are what the agency said last.
QUEUED, DELAYED, RECEIVED, WAITING, WORKING, SUPPLEMENT, APPROVED, REFUSED, STOPPED, CLOSED = (
    "queued",
    "delayed",
    "received",
    "waiting",
    "working",
    "supplement",
    "approved",
    "refused",
    "stopped",
    "closed",
)
ENDED = frozenset({APPROVED, REFUSED, CLOSED})

# What a step of an agency makes of its part; kinds that are not here (a payment, a certificate) leave the state alone.
STATE_OF_KIND: Mapping[str, str] = {
    "received": RECEIVED,
    "working": WORKING,
    "waiting": WAITING,
    "supplement_asked": SUPPLEMENT,
    "supplement_received": WORKING,
    "approved": APPROVED,
    "refused": REFUSED,
    "stopped": STOPPED,
    "closed": CLOSED,
}
KINDS = frozenset(STATE_OF_KIND) | {"certificate_issued", "payment_instructed", "paid", "payment_failed"}

STATE_TITLES: Mapping[str, Text] = {
    QUEUED: Text("On its way", "傳送中"),
    DELAYED: Text("Waiting for the agency to answer", "機關暫無回應，持續傳送中"),
    RECEIVED: Text("Received", "已收件"),
    WAITING: Text("Waiting for an earlier step", "等候前一步驟"),
    WORKING: Text("Being worked on", "審核中"),
    SUPPLEMENT: Text("Your answer is needed", "需要您補充"),
    APPROVED: Text("Approved", "已核准"),
    REFUSED: Text("Refused", "未核准"),
    STOPPED: Text("Stopped", "已停止"),
    CLOSED: Text("Closed", "已結案"),
}
# Letters and digits that people do not mistake for one another when they read a reference aloud.
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Deadline:
    """A statutory day: `days_left` is negative once it has passed; `moved` if it would have been a day of rest."""

    day: date
    days: int
    days_left: int
    source: Text
    moved: bool


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two windows changed the same page: what is stored, and what was just typed."""

    stored: Mapping[str, Any]
    typed: Mapping[str, Any]
    version: int


@dataclass(frozen=True, slots=True)
class FactView:
    """A fetched fact beside its source and time; `value` as the register gave it."""

    id: str
    part: str
    title: Text
    value: Any
    source: str
    service: str
    basis: str
    answered_at: str
    exchange: str


@dataclass(frozen=True, slots=True)
class MissingView:
    """A fact that did not come, why, and what will happen."""

    id: str
    part: str
    title: Text
    source: str
    reason: str
    text: Text


@dataclass(frozen=True, slots=True)
class PartPreview:
    """What one agency found and what its rule would say: `outcome` granted, refused, undecided or unknown."""

    part: str
    agency: str
    answered: bool
    facts: tuple[FactView, ...]
    missing: tuple[MissingView, ...]
    decision: Mapping[str, Any] | None

    @property
    def outcome(self) -> str:
        """The rule's preview in one word."""
        return str(self.decision.get("outcome", "undecided")) if self.decision else "undecided"


def deadline_of(*, happened_on: date, days: int, source: Text, today: date) -> Deadline:
    """The last day of a period of `days` that starts on the day after the event (Civil Code Article 120).

    Where that is a day of rest, it is the next working day (`workdays.end_of_period`).
    """
    counted = happened_on + timedelta(days=days)
    last = workdays.end_of_period(counted)
    return Deadline(last, days, (last - today).days, source, moved=last != counted)


def reference_of(application: str, prefix: str) -> str:
    """A short name to read out, derived from the application's id: `B-7K3M9Q`."""
    number = int.from_bytes(sha256(application.encode()).digest()[:8], "big")
    letters = ""
    for _ in range(6):
        number, digit = divmod(number, len(_ALPHABET))
        letters += _ALPHABET[digit]
    return f"{prefix[:1].upper()}-{letters}"


def conflict_of(
    *, seen: int | None, page_version: int, version: int, stored: Mapping[str, Any], typed: Mapping[str, Any]
) -> Conflict | None:
    """Whether a window that saw version `seen` would overwrite a later change of the same page by another window.

    Other pages may have changed meanwhile without harm, and saving the same values again is no conflict.
    """
    late = seen is None or page_version > seen
    if page_version and late and dict(stored) != dict(typed):
        return Conflict(stored, typed, version)
    return None


def body_digest(body: Mapping[str, Any]) -> str:
    """A fingerprint by which a repeated message is told from a different one with the same id."""
    return sha256(json.dumps(body, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def state_after(steps: Iterable[tuple[datetime, str]], *, start: str) -> str:
    """The state of a part after `(at, kind)` steps that may have arrived in any order."""
    state = start
    for _, kind in sorted(steps):
        state = STATE_OF_KIND.get(kind, state)
    return state
