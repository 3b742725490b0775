"""Consents and the trail, as value types and pure rules; no Django, no I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from smartgov.shared import canonical
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

CONSENT_DAYS = 180
NOTHING = Text("", "")


@dataclass(frozen=True, slots=True)
class FieldView:
    """One field that an agency wants, in words."""

    id: str
    title: Text


@dataclass(frozen=True, slots=True)
class ConsentItem:
    """What one agency asks for from one register: the smallest thing a person can allow or refuse.

    `requester` is the subsystem that will ask (`TW/GOV/sfaa/cases`), `provider` the service that answers,
    `purpose_code` the code in the artefact, `on_refusal` what happens when she says no.
    """

    id: str
    part: str
    agency: str
    requester: str
    source: str
    provider: str
    fields: tuple[FieldView, ...]
    purpose_code: str
    purpose: Text
    on_refusal: Text

    def as_dict(self) -> dict[str, Any]:
        """The JSON form kept with the request, so that what she saw can be shown again."""
        return {
            "id": self.id,
            "part": self.part,
            "agency": self.agency,
            "requester": self.requester,
            "source": self.source,
            "provider": self.provider,
            "fields": [{"id": item.id, "title": item.title.as_dict()} for item in self.fields],
            "purpose_code": self.purpose_code,
            "purpose": self.purpose.as_dict(),
            "on_refusal": self.on_refusal.as_dict(),
        }

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> ConsentItem:
        """Read the JSON form."""
        return cls(
            id=data["id"],
            part=data["part"],
            agency=data["agency"],
            requester=data["requester"],
            source=data["source"],
            provider=data["provider"],
            fields=tuple(FieldView(row["id"], Text.of(row["title"])) for row in data["fields"]),
            purpose_code=data["purpose_code"],
            purpose=Text.of(data["purpose"]),
            on_refusal=Text.of(data["on_refusal"]),
        )


@dataclass(frozen=True, slots=True)
class ConsentView:
    """A consent that was given: `state` is active, expired or revoked."""

    id: str
    item: ConsentItem
    application: str
    granted_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    state: str


@dataclass(frozen=True, slots=True)
class RequestView:
    """A consent page: what is asked, until when it would hold, and what she has allowed so far (None: not decided)."""

    id: str
    title: Text
    items: tuple[ConsentItem, ...]
    expires_on: datetime
    days: int
    return_path: str
    allowed: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class TrailEntry:
    """One use of the person's data, from one or both gateways that wrote it down.

    `proven` is true when every gateway's proof of this entry held on this page load; `recorded_by` names their members.
    """

    time: datetime
    kind: str
    agency: str
    system: str
    seat: str
    purpose: str
    basis: str
    consent: str
    fields: tuple[str, ...]
    source: str
    service: str
    path: str
    case: str
    exchange: str
    recorded_by: tuple[str, ...]
    proven: bool
    seal: str = ""
    """The number of the order that kept it back until its end."""
    masked: bool = False
    """Whether it keeps case, official and fields to itself, because they could tell of a third person."""


@dataclass(frozen=True, slots=True)
class MemberTrail:
    """What one member's gateway did: `state` is proven, failed (a proof does not hold) or silent."""

    member: str
    name: Text
    state: str
    entries: int
    log_size: int
    why: Text = NOTHING
    lost: int = 0
    """Records that the log itself says it lost when it was restored from a backup."""


@dataclass(frozen=True, slots=True)
class TrailView:
    """The whole page: entries (unproven first, then newest first) and how each gateway did."""

    entries: tuple[TrailEntry, ...]
    members: tuple[MemberTrail, ...]
    asked_at: datetime
    otherwise: tuple[tuple[str, str, dict[str, Any]], ...] = ()
    """Services whose uses appear less or later: id, class, terms, as their members declare for everybody."""

    @property
    def proven(self) -> int:
        """How many listed entries are proven."""
        return sum(entry.proven for entry in self.entries)

    @property
    def silent(self) -> tuple[MemberTrail, ...]:
        """Gateways that did not answer."""
        return tuple(member for member in self.members if member.state == "silent")

    @property
    def failed(self) -> tuple[MemberTrail, ...]:
        """Gateways whose proofs do not hold."""
        return tuple(member for member in self.members if member.state == "failed")

    @property
    def shortened(self) -> tuple[MemberTrail, ...]:
        """Gateways whose proven log says that a restore has cost it records."""
        return tuple(member for member in self.members if member.lost)


@dataclass(frozen=True, slots=True)
class Listed:
    """An entry as one gateway listed it, before entries about the same exchange are joined."""

    member: str
    proven: bool
    record: Mapping[str, Any] = field(default_factory=dict)


def state_of(*, expires_at: datetime, revoked_at: datetime | None, now: datetime) -> str:
    """Whether a consent is active, revoked or expired."""
    if revoked_at is not None:
        return "revoked"
    return "expired" if expires_at <= now else "active"


def request_digest(items: Iterable[ConsentItem]) -> str:
    """A short fingerprint of what is asked, so that the same question is not asked twice."""
    return sha256(canonical.dumps([item.as_dict() for item in items])).hexdigest()[:32]


def require_known(accepted: Iterable[str], items: Sequence[ConsentItem]) -> frozenset[str]:
    """The accepted item ids; one that was never asked for is refused."""
    chosen = frozenset(accepted)
    if chosen - {item.id for item in items}:
        raise Problem(
            "consent-item-unknown",
            what=Text("The form names something that was not asked for.", "表單含有未詢問的項目。"),
            why=Text("The page may be old.", "這個頁面可能已經過期。"),
            todo=Text("Open the consent page again and choose there.", "請重新開啟同意頁面再選擇。"),
        )
    return chosen


def merge(
    listed: Iterable[Listed],
    *,
    read: Callable[[Mapping[str, Any]], TrailEntry],
    exchange_of: Callable[[Mapping[str, Any]], str],
) -> tuple[TrailEntry, ...]:
    """Join what several gateways wrote about the same exchange: what is not proven first, then newest first.

    An exchange leaves a record at the asking and at the answering side; a reader wants one line that says both have
    it, and it counts as proven only when both proofs hold. What the answering side wrote (the granted fields) wins.
    """
    groups: dict[str, list[Listed]] = {}
    for number, item in enumerate(listed):
        groups.setdefault(exchange_of(item.record) or f"alone-{number}", []).append(item)
    entries = [_joined(group, read) for group in groups.values()]
    by_time = sorted(entries, key=lambda entry: entry.time, reverse=True)
    return tuple(sorted(by_time, key=lambda entry: entry.proven))


def _joined(group: list[Listed], read: Callable[[Mapping[str, Any]], TrailEntry]) -> TrailEntry:
    best = max(group, key=lambda item: (item.proven, item.record.get("side") == "provider"))
    return replace(
        read(best.record),
        recorded_by=tuple(sorted({item.member for item in group})),
        proven=all(item.proven for item in group),
    )
