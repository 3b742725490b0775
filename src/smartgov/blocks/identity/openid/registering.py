"""Relying parties register themselves; another person, at the centre, approves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from smartgov.blocks.audit import api as audit
from smartgov.blocks.identity import accounts
from smartgov.blocks.identity.models import RelyingParty
from smartgov.blocks.identity.openid import parties, party_keys
from smartgov.blocks.identity.openid.service import provider
from smartgov.engines.openid import checking
from smartgov.engines.openid.checking import Complaint
from smartgov.shared import clock
from smartgov.shared.actor import Actor
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

STATES = {
    "draft": Text("Draft", "草稿"),
    "submitted": Text("Waiting for approval", "待審核"),
    "approved": Text("Approved", "已核准"),
    "refused": Text("Sent back", "已退回"),
    "suspended": Text("Suspended", "已停用"),
}
CHANGEABLE = frozenset({"draft", "refused", "suspended"})
# What a decision may be made on, and what it leads to.
DECISIONS = {
    "approve": (("submitted", "suspended"), "approved"),
    "refuse": (("submitted",), "refused"),
    "suspend": (("approved",), "suspended"),
}


@dataclass(frozen=True, slots=True)
class PartyView:
    """A registered or applying service, with what the checker says of it."""

    id: str
    name: Text
    purpose: Text
    agency: str
    state: str
    state_words: Text
    registration: Mapping[str, Any]
    reason: str
    created_at: datetime
    complaints: tuple[Complaint, ...]

    @property
    def may_be_changed(self) -> bool:
        """Whether its agency may change it now."""
        return self.state in CHANGEABLE

    @property
    def may_be_submitted(self) -> bool:
        """Whether nothing stands in the way."""
        return self.state in {"draft", "refused"} and not any(each.kind == "must" for each in self.complaints)


def of_agency(actor: Actor) -> list[PartyView]:
    """The services of the actor's agency, the newest first."""
    return [_view(row) for row in RelyingParty.objects.filter(agency=actor.agency).order_by("-created_at")]


def all_parties() -> list[PartyView]:
    """Every service, those that wait first: for the approver."""
    rows = RelyingParty.objects.exclude(state="draft").order_by("-created_at")
    return sorted((_view(row) for row in rows), key=lambda view: view.state != "submitted")


def one(party: str, *, actor: Actor, approver: bool) -> PartyView:
    """One service of the actor's agency; the approver sees every one that was submitted."""
    return _view(_row(party, actor, approver))


def register(*, actor: Actor, name: Text, purpose: Text, registration: Mapping[str, Any]) -> str:
    """Begin a registration; returns its id, which is the client_id."""
    row = RelyingParty(
        name=name.as_dict(),
        purpose=purpose.as_dict(),
        agency=actor.agency or "",
        registration=_stored(registration),
        applied_by=actor.seat or "",
    )
    party_keys.remember(row, party_keys.look_for(registration))
    with transaction.atomic():
        row.save()
        _note(actor, "party.registered", row)
    return row.id


@transaction.atomic
def install(
    *,
    actor: Actor,
    client_id: str,
    name: Mapping[str, str],
    purpose: Mapping[str, str],
    registration: Mapping[str, Any],
) -> None:
    """Register a service of the demo as approved; again brings it up to date."""
    facts = {"name": dict(name), "purpose": dict(purpose), "registration": dict(registration), "state": "approved"}
    row, _ = RelyingParty.objects.update_or_create(id=client_id, defaults={**facts, "agency": actor.agency or ""})
    parties.forget(row.id)
    _note(actor, "party.approved", row)


def change(*, actor: Actor, party: str, name: Text, purpose: Text, registration: Mapping[str, Any]) -> None:
    """Change a registration that nobody has approved; an approved one is suspended first, and is a draft again then."""
    _row(party, actor, approver=False)
    found = party_keys.look_for(registration)
    with transaction.atomic():
        row = _row(party, actor, approver=False, lock=True)
        if row.state not in CHANGEABLE:
            raise _not_now()
        row.name, row.purpose, row.registration = name.as_dict(), purpose.as_dict(), _stored(registration)
        row.state = "draft" if row.state == "suspended" else row.state
        party_keys.remember(row, found)
        row.save()
        _note(actor, "party.changed", row)


@transaction.atomic
def submit(*, actor: Actor, party: str) -> None:
    """Ask for approval; Problem `registration-incomplete` while the checker finds faults."""
    row = _row(party, actor, approver=False, lock=True)
    if not _view(row).may_be_submitted:
        raise Problem(
            "registration-incomplete",
            409,
            what=Text("This registration cannot be submitted.", "此登錄尚不能送審。"),
            why=Text("The checker still finds faults, or it was submitted before.", "檢查仍有缺失，或已經送審。"),
            todo=Text("Mend what is marked as must.", "請先修正標示為「必須」的項目。"),
        )
    row.state, row.applied_by = "submitted", actor.seat or ""
    row.save()
    _note(actor, "party.submitted", row)


@transaction.atomic
def decide(*, actor: Actor, party: str, decision: str, reason: str) -> None:
    """Approve, send back or suspend. Nobody decides on what they have applied for, in whatever seat."""
    row = _row(party, actor, approver=True, lock=True)
    origins, state = DECISIONS[decision]
    if row.state not in origins:
        raise _not_now()
    if decision == "approve" and _same_person(actor.seat, row.applied_by):
        raise Problem(
            "own-application",
            403,
            what=Text("You cannot approve your own application.", "您不能核准自己的申請。"),
            why=Text("Two persons are needed.", "須由兩人分別辦理。"),
            todo=Text("Ask a colleague.", "請由同仁審核。"),
        )
    row.state, row.reason, row.decided_by, row.decided_at = state, reason[:500], actor.seat or "", clock.now()
    row.save()
    parties.forget(row.id)
    _note(actor, f"party.{state}", row)


def complaints_about_request(party: str, raw: str, *, actor: Actor, approver: bool) -> list[Complaint]:
    """What is wrong with a request that the service means to push."""
    row = _row(party, actor, approver)
    return checking.request(provider(), parties.client_of(row), raw)


def _row(party: str, actor: Actor, approver: bool, *, lock: bool = False) -> RelyingParty:
    rows = RelyingParty.objects.select_for_update() if lock else RelyingParty.objects
    found = rows.filter(id=party).first()
    mine = found is not None and actor.agency is not None and found.agency == actor.agency
    if found is None or not (mine or (approver and found.state != "draft")):
        raise Problem(
            "party-unknown",
            404,
            what=Text("This service was not found.", "查無此服務。"),
            why=Text("There is none, or it belongs to another agency.", "該服務不存在，或屬於其他機關。"),
        )
    return found


def _view(row: RelyingParty) -> PartyView:
    loopback = not settings.ORIGIN.startswith("https://")
    return PartyView(
        row.id,
        Text.of(row.name),
        Text.of(row.purpose),
        row.agency,
        row.state,
        STATES[row.state],
        row.registration,
        row.reason,
        row.created_at,
        tuple(checking.registration(row.registration, loopback=loopback, fetched=party_keys.known(row))),
    )


def _stored(registration: Mapping[str, Any]) -> dict[str, Any]:
    """The registration without any private key that came with it."""
    return {**registration, "jwks": [party_keys.without_secrets(key) for key in registration.get("jwks", [])]}


def _same_person(one: str | None, other: str) -> bool:
    if not one or not other:
        return False
    return one == other or accounts.person_of_seat(one) == accounts.person_of_seat(other)


def _not_now() -> Problem:
    return Problem(
        "party-state",
        409,
        what=Text("This is not possible in the present state of the service.", "服務目前的狀態不允許此操作。"),
        why=Text("Somebody else may have acted in the meantime.", "可能已有其他人處理。"),
        todo=Text("Load the page again.", "請重新載入頁面。"),
    )


def _note(actor: Actor, action: str, row: RelyingParty) -> None:
    audit.record(actor=actor, action=action, object_type="party", object_id=row.id, detail={"agency": row.agency})
