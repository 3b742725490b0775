"""Requests to join: kept as letters, decided by an officer who was told what only the applicant can say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest

from django.db import IntegrityError, transaction

from smartgov.blocks.exchange import issuing, joining_problems
from smartgov.blocks.exchange.domain import JoinState
from smartgov.blocks.exchange.joining.acts import at_the_centre, note, of_gateway
from smartgov.blocks.exchange.joining.certificates import place
from smartgov.blocks.exchange.joining.speakers import configuration_key, is_signed_by
from smartgov.blocks.exchange.models import Certificate, Gateway, JoinRequest
from smartgov.engines.pki import keys
from smartgov.engines.troad.joining import request as joins
from smartgov.engines.troad.joining.letters import Letter
from smartgov.shared import clock
from smartgov.shared.actor import Actor

WAITS = timedelta(days=7)
"""For so long a request waits for an officer."""
MOST_WAITING = 200
HIDDEN = 8
"""Characters of the fingerprint that the page does not show: the officer has to be told them by the applicant."""


@dataclass(frozen=True, slots=True)
class JoinView:
    """A request as the officer sees it; `shown` is its fingerprint but for the end."""

    id: str
    request: joins.Request
    shown: str
    state: str
    replaces: bool
    by_root: bool
    received_at: datetime
    decided_at: datetime | None
    decided_by: str
    reason: str


@transaction.atomic
def receive(letter: Letter) -> str:
    """Keep a request to join for an officer, and return its fingerprint."""
    at_the_centre()
    asked = joins.read(letter)
    if JoinRequest.objects.filter(id=asked.fingerprint).exists():
        raise joining_problems.REPLAYED
    waiting = JoinRequest.objects.filter(state=JoinState.PENDING)
    if waiting.count() >= MOST_WAITING:
        raise joining_problems.FULL
    replaces, by_root = _proof(asked)
    text = {"text": letter.text, "signatures": {}}
    try:
        with transaction.atomic():
            JoinRequest.objects.create(
                id=asked.fingerprint,
                member=asked.member,
                gateway=asked.gateway,
                letter=text,
                replaces=replaces,
                by_root=by_root,
            )
    except IntegrityError:
        raise joining_problems.WAITING from None
    note(of_gateway(asked.gateway), "exchange.join_asked", asked.fingerprint, asked.gateway)
    return asked.fingerprint


def state_of(letter: Letter) -> dict[str, str]:
    """What became of a request, for whoever holds the key that it was signed with."""
    row = JoinRequest.objects.filter(id=str(letter.content.get("order", ""))).first()
    if row is None or not is_signed_by(letter, "configuration", read(row).configuration_key):
        raise joining_problems.UNKNOWN
    issued = Certificate.objects.filter(order__join=row).first()
    return {"state": row.state, "reason": row.reason, "certificate": issued.pem if issued else ""}


@transaction.atomic
def approve(*, actor: Actor, request: str, told: str) -> None:
    """Let a gateway join; `told` is the end of its fingerprint, as the applicant said it.

    Approved once more, as by a second press of the button, it is approved.
    """
    at_the_centre()
    row = _received(request)
    if not compare_digest("".join(told.split()).lower().encode(), row.id[-HIDDEN:].encode()):
        raise joining_problems.MISMATCH
    if row.state in {JoinState.APPROVED, JoinState.JOINED}:
        return
    _decide(row, actor, JoinState.APPROVED, "")
    note(actor, "exchange.join_approved", row.id, row.gateway)
    place(row.id, row.gateway, keys.public_jwk(read(row).tls_key), row, actor)


@transaction.atomic
def turn_down(*, actor: Actor, request: str, reason: str) -> None:
    """Refuse a request; the applicant is told the reason. The same once more changes nothing."""
    row = _received(request)
    if not reason.strip():
        raise joining_problems.NO_REASON
    kept = reason.strip()[:500]
    if (row.state, row.reason) == (JoinState.REFUSED, kept):
        return
    _decide(row, actor, JoinState.REFUSED, kept)
    note(actor, "exchange.join_refused", row.id, row.gateway)


def joining_requests() -> list[JoinView]:
    """Requests, those that wait first."""
    rows = sorted(
        JoinRequest.objects.order_by("-received_at")[:MOST_WAITING], key=lambda row: row.state != JoinState.PENDING
    )
    return [
        JoinView(
            id=row.id,
            request=read(row),
            shown=joins.grouped(row.id[:-HIDDEN]),
            state=row.state,
            replaces=row.replaces,
            by_root=row.by_root,
            received_at=row.received_at,
            decided_at=row.decided_at,
            decided_by=row.decided_by,
            reason=row.reason,
        )
        for row in rows
    ]


def _proof(asked: joins.Request) -> tuple[bool, bool]:
    """Whether the request replaces keys of a member, and whether the root keys prove it; refused without a proof."""
    first = Gateway.objects.filter(member_id=asked.member).order_by("registered_at", "id").first()
    if first is None:
        return False, False
    old = configuration_key(first)
    if keys.thumbprint(old) == keys.thumbprint(asked.configuration_key):
        if Gateway.objects.filter(id=asked.gateway).exists():
            raise joining_problems.JOINED
        return False, False
    rotation = asked.rotation
    fits = rotation is not None and (rotation.member, rotation.old, rotation.new) == (
        asked.member,
        keys.thumbprint(old),
        keys.thumbprint(asked.configuration_key),
    )
    if rotation is not None and fits and rotation.by_old_key(old):
        return True, False
    if rotation is not None and fits and issuing.current().proven_by_root(rotation.as_json()):
        return True, True
    raise joining_problems.EXISTS


def _received(request: str) -> JoinRequest:
    row = JoinRequest.objects.select_for_update().filter(id=request).first()
    if row is None:
        raise joining_problems.UNKNOWN
    return row


def _decide(row: JoinRequest, actor: Actor, state: JoinState, reason: str) -> None:
    if row.state != JoinState.PENDING:
        raise joining_problems.DECIDED
    row.state, row.reason, row.decided_at, row.decided_by = state, reason, clock.now(), actor.seat or ""
    row.save()


def read(row: JoinRequest) -> joins.Request:
    """What the letter of a kept request asks for."""
    return joins.read(Letter.kept(row.letter["text"]))
