"""Writing verbs of rights: granted word by word, ended with a reason, and derived from what was approved as a whole."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from smartgov.blocks.exchange import domain, refusals
from smartgov.blocks.exchange.domain import Basis, RightState, Terms
from smartgov.blocks.exchange.models import Right, RightRequest, Service, Subsystem
from smartgov.blocks.exchange.publishing import changed
from smartgov.blocks.exchange.registry import SERVICE, SUBSYSTEM, find
from smartgov.shared import clock
from smartgov.shared.actor import Actor
from smartgov.shared.text import Text

RIGHT = Text("The right", "權限")


@transaction.atomic
def grant_right(*, actor: Actor, terms: Terms, expires_at: datetime | None = None, origin: str = "") -> str:
    """Grant a right and return its id; the same words while they are in force give the same right.

    Problems: `not-registered` for client or service, `registration-invalid` for words that gateways cannot enforce.
    """
    _check(terms)
    known = next((row for row in _granted(origin) if _terms(row) == terms and row.expires_at == expires_at), None)
    if known is not None:
        return known.id
    facts = {name: list(value) if isinstance(value, tuple) else value for name, value in _facts(terms).items()}
    row = Right.objects.create(**facts, origin=origin, granted_at=clock.now(), expires_at=expires_at)
    changed(actor, "exchange.right_granted", "right", row.id, client=terms.client, service=terms.service)
    return row.id


@transaction.atomic
def revoke_right(*, actor: Actor, right: str, reason: str) -> None:
    """End a right in force; `reason` says why, in words for the agency. A second time changes nothing."""
    _end(actor, find(Right, right, RIGHT), RightState.REVOKED, reason)


@transaction.atomic
def follow(*, actor: Actor, origin: str, terms: Iterable[Terms], days: int | None = None) -> None:
    """Let the rights of one `origin` be exactly these: new ones are granted, those no longer named are withdrawn.

    `days` is for how long one is granted; then it ends by itself. A right that has ended so, or that somebody has
    revoked, is not granted again by the next run: the provider renews it, or other words are a new right.
    """
    wanted, until = list(terms), None if days is None else domain.end_of(clock.today() + timedelta(days=days))
    for row in _granted(origin):
        if _bare(row) not in wanted:
            _end(actor, row, RightState.WITHDRAWN, "")
        elif row.expires_at is None and until is not None:
            _extend(actor, row, until, "exchange.right_limited")
    known = [_bare(row) for row in Right.objects.filter(origin=origin).exclude(state=RightState.WITHDRAWN)]
    for one in wanted:
        if one not in known:
            grant_right(actor=actor, terms=one, origin=origin, expires_at=until)


def extend(*, actor: Actor, right: Right, until: datetime) -> None:
    """Let a right that was granted end later; what it says stays as it is. A second time changes nothing.

    Problem `registration-invalid` for an earlier day: to end a right sooner is to revoke it, with a reason.
    """
    if right.state != RightState.GRANTED:
        raise refusals.invalid(RIGHT, Text("only a right that was not revoked is renewed", "僅未廢止之權限得展延"))
    if right.expires_at is None or right.expires_at > until:
        raise refusals.invalid(
            RIGHT,
            Text(
                "it ends later than that already, or never; to end it sooner, revoke it with a reason",
                "原截止日較晚或未設截止日；如欲提前終止，請附理由廢止",
            ),
        )
    if right.expires_at != until:
        _extend(actor, right, until, "exchange.right_renewed")


def _extend(actor: Actor, row: Right, until: datetime, action: str) -> None:
    row.expires_at = until
    row.save(update_fields=("expires_at",))
    changed(actor, action, "right", row.id, client=row.client_id, service=row.service_id, until=until.isoformat())


def _end(actor: Actor, row: Right, state: RightState, reason: str) -> None:
    if row.state != RightState.GRANTED:
        return
    row.state, row.ended_at, row.reason = state, clock.now(), reason
    row.save()
    changed(actor, f"exchange.right_{state}", "right", row.id, client=row.client_id, service=row.service_id)


def _check(terms: Terms) -> None:
    find(Subsystem, terms.client, SUBSYSTEM)
    find(Service, terms.service, SERVICE)
    if not terms.endpoints or any(len(end.split(" ")) != 2 or " /" not in end for end in terms.endpoints):
        raise refusals.invalid(RIGHT, "endpoints are written as 'POST /people/query'")
    if (terms.basis == Basis.STATUTE) != bool(terms.basis_code):
        raise refusals.invalid(RIGHT, "a statute is named by its code, and only a statute has one")
    if terms.visibility:
        domain.check_visibility(terms.visibility, terms.visibility_terms, clock.today())


def _granted(origin: str) -> list[Right]:
    return list(Right.objects.filter(origin=origin, state=RightState.GRANTED))


def _facts(terms: Terms) -> dict[str, object]:
    named = dataclasses.asdict(terms)
    return {"client_id": named.pop("client"), "service_id": named.pop("service"), **named}


def words_of(row: Right | RightRequest) -> dict[str, Any]:
    """What a right, or a request for one, says: whose it is, to what, and on which ground. As `Terms` takes it."""
    return {
        "client": row.client_id,
        "service": row.service_id,
        "endpoints": tuple(row.endpoints),
        "basis": Basis(row.basis),
        "purpose": row.purpose,
        "fields": None if row.fields is None else tuple(row.fields),
        "basis_code": row.basis_code,
    }


def _terms(row: Right) -> Terms:
    shown = {"visibility": row.visibility, "visibility_terms": row.visibility_terms}
    return Terms(**words_of(row), citation=row.citation, **shown)


def _bare(row: Right) -> Terms:
    """The words without the class that a reviewer gave the right."""
    return dataclasses.replace(_terms(row), visibility="", visibility_terms={})
