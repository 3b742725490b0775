"""Requests for an approval: who asks, what the phone shows, what became of it. In memory: they live for minutes."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from smartgov.shared import canonical, clock
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text
from smartgov.simulators.phone import tasks

Status = Literal["pending", "approved", "refused", "expired"]
DEFAULT_LIFE = timedelta(minutes=2)
LONGEST_LIFE = timedelta(minutes=5)
KEPT = timedelta(minutes=30)
MOST_PENDING = 5
"""Requests waiting on one phone; more would be an attempt to tire a person into approving."""


@dataclass(slots=True)
class Ticket:
    """One request. `choices` are the three numbers that the phone offers, the right one among them."""

    id: str
    origin: str
    nonce: str
    number: str
    text: Any
    callback: str
    expires: datetime
    persona: str | None = None
    key_id: str = ""
    choices: list[str] = field(default_factory=list)
    decided: Status = "pending"
    reason: str = ""
    payload: str = ""
    signature: str = ""
    task: dict[str, str] | None = None
    """What the phone does when it is approved, if anything; see `tasks`."""
    outcome: dict[str, str] = field(default_factory=dict)

    @property
    def status(self) -> Status:
        """Where it stands now."""
        if self.decided == "pending" and clock.now() >= self.expires:
            return "expired"
        return self.decided

    @property
    def shown(self) -> Text:
        """The purpose, as the phone shows it."""
        return Text.of(self.text)

    def content(self, issued: datetime) -> bytes:
        """The bytes that an approval signs: what was shown, to whom it goes, and when."""
        content = {
            "origin": self.origin,
            "nonce": self.nonce,
            "number": self.number,
            "text": self.text,
            "issued": issued.isoformat(timespec="seconds"),
        }
        if self.task is not None:  # so that no approval of a task passes for a sign-in, or for another task
            content["task"] = self.task
        return canonical.dumps(content)


class Tickets:
    """All open requests of one phone service."""

    def __init__(self) -> None:
        self._tickets: dict[str, Ticket] = {}

    def add(self, body: Any, *, persona: str | None) -> Ticket:
        """Take a request as it was posted; Problems `request-invalid` (422) and `too-many-attempts` (429)."""
        self._forget()
        ticket = _read(body, persona)
        if persona and len(self.pending(persona)) >= MOST_PENDING:
            raise _too_many()
        self._tickets[ticket.id] = ticket
        return ticket

    def get(self, ticket: str) -> Ticket:
        """The request of that id, or Problem `not-found`."""
        if found := self._tickets.get(ticket):
            return found
        raise Problem(
            "not-found",
            404,
            what=Text("There is no such request.", "查無此請求。"),
            why=Text("It is too old or was never made.", "已過期或不存在。"),
            todo=Text("Start again on the other screen.", "請在另一個畫面重新開始。"),
        )

    def pending(self, persona: str) -> list[Ticket]:
        """What waits on a persona's phone, newest first."""
        waiting = [t for t in self._tickets.values() if t.persona == persona and t.status == "pending"]
        return waiting[::-1]

    def _forget(self) -> None:
        limit = clock.now() - KEPT
        for old in [ticket.id for ticket in self._tickets.values() if ticket.expires < limit]:
            del self._tickets[old]


def require_pending(ticket: Ticket) -> None:
    """Problem `request-closed` (409) when a request was decided or ran out."""
    if ticket.status != "pending":
        raise Problem(
            "request-closed",
            409,
            what=Text("This request is closed.", "此請求已結束。"),
            why=Text("It was answered already, or its time ran out.", "已回覆過，或已逾時。"),
            todo=Text("Start again on the other screen.", "請在另一個畫面重新開始。"),
        )


def _read(body: Any, persona: str | None) -> Ticket:
    if not isinstance(body, dict):
        raise _invalid("body")
    for name in ("origin", "nonce"):
        if not isinstance(body.get(name), str) or not 1 <= len(body[name]) <= 300:
            raise _invalid(name)
    if not isinstance(body.get("number"), str) or not re.fullmatch(r"[0-9]{2}", body["number"]):
        raise _invalid("number")
    return Ticket(
        id=secrets.token_urlsafe(24),
        origin=body["origin"],
        nonce=body["nonce"],
        number=body["number"],
        text=_text(body.get("text")),
        callback=str(body.get("callback", ""))[:200],
        expires=_expiry(body.get("expires")),
        persona=persona,
        choices=_choices(body["number"]),
        task=_task(body.get("task")),
    )


def _task(task: Any) -> dict[str, str] | None:
    try:
        return None if task is None else tasks.read(task)
    except tasks.TaskRefusedError as error:
        raise _invalid(str(error)) from None


def _text(text: Any) -> Any:
    parts = [text] if isinstance(text, str) else list(text.values()) if isinstance(text, dict) else []
    if not parts or (isinstance(text, dict) and set(text) != {"en", "zh"}):
        raise _invalid("text")
    if not all(isinstance(part, str) and 1 <= len(part) <= 300 for part in parts):
        raise _invalid("text")
    return text


def _expiry(given: Any) -> datetime:
    now = clock.now()
    if given is None:
        return now + DEFAULT_LIFE
    try:
        at = datetime.fromisoformat(given)
        if at.tzinfo is None or at <= now:
            raise _invalid("expires")
    except (TypeError, ValueError):
        raise _invalid("expires") from None
    return min(at, now + LONGEST_LIFE)


def _choices(number: str) -> list[str]:
    numbers = {number}
    while len(numbers) < 3:
        numbers.add(f"{secrets.randbelow(100):02d}")
    return secrets.SystemRandom().sample(sorted(numbers), 3)


def _invalid(name: str) -> Problem:
    return Problem(
        "request-invalid",
        422,
        what=Text("The request cannot be taken.", "無法受理此請求。"),
        why=Text(f"The member {name} is missing or wrong.", f"欄位 {name} 缺漏或有誤。"),
        todo=Text("See the simulator's README.", "請參閱模擬程式說明。"),
        member=name,
    )


def _too_many() -> Problem:
    return Problem(
        "too-many-attempts",
        429,
        what=Text("Too many requests wait on this phone.", "此手機待處理的請求過多。"),
        todo=Text("Answer or wait for the earlier ones.", "請先處理或等候先前的請求逾時。"),
    )
