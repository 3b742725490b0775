"""Verbs about consent. The portal's gateway signs the artefacts; this process holds no key."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.http import Http404

from smartgov.blocks.audit import api as audit
from smartgov.blocks.exchange import api as exchange
from smartgov.blocks.identity import api as identity
from smartgov.blocks.mydata import domain
from smartgov.blocks.mydata.domain import ConsentItem, ConsentView, RequestView
from smartgov.blocks.mydata.models import Consent, ConsentRequest
from smartgov.blocks.ops import api as ops
from smartgov.shared import clock
from smartgov.shared.actor import Actor
from smartgov.shared.ids import uuid7
from smartgov.shared.text import Text

_CLOCKS = timedelta(days=1)
"""So long after its end a consent stays on the list of those taken back: clocks differ, and lists are late."""
_PORTAL = Actor.for_system("portal", "mydata")  # the centre's records are not to say who took back what


def subject_of(actor: Actor) -> str:
    """The person whose data are meant; nobody but citizens has such pages."""
    if actor.kind != "citizen" or not actor.subject:
        raise Http404
    return actor.acting_for or actor.subject


@transaction.atomic
def consent_request(
    *,
    actor: Actor,
    application: str,
    title: Text,
    items: Sequence[ConsentItem],
    return_path: str,
    days: int = domain.CONSENT_DAYS,
) -> str:
    """Prepare the consent page of an application; the same question again gives the same page's id."""
    row, _ = ConsentRequest.objects.get_or_create(
        application=application,
        digest=domain.request_digest(items),
        defaults={
            "subject": subject_of(actor),
            "title": title.as_dict(),
            "items": [item.as_dict() for item in items],
            "days": days,
            "return_path": return_path,
        },
    )
    return row.id


def request(*, actor: Actor, request_id: str) -> RequestView:
    """The actor's own consent page; somebody else's does not exist."""
    row = _request(actor, request_id)
    allowed = frozenset(consent.item for consent in _active(row))
    return RequestView(
        id=row.id,
        title=Text.of(row.title),
        items=row.consent_items,
        expires_on=clock.now() + timedelta(days=row.days),
        days=row.days,
        return_path=row.return_path,
        allowed=allowed if row.decided_at else None,
    )


def is_decided(*, actor: Actor, application: str, items: Sequence[ConsentItem]) -> bool:
    """Whether the actor has answered the consent page that asks exactly these items for this application."""
    return ConsentRequest.objects.filter(
        subject=subject_of(actor),
        application=application,
        digest=domain.request_digest(items),
        decided_at__isnull=False,
    ).exists()


def decide(*, actor: Actor, request_id: str, accepted: Iterable[str]) -> None:
    """Keep exactly the accepted items: sign those that are new, revoke those that are no longer ticked.

    Signing happens before the transaction: a gateway that is down leaves everything as it was.
    """
    row = _request(actor, request_id)
    chosen = domain.require_known(accepted, row.consent_items)
    active = {consent.item: consent for consent in _active(row)}
    fresh = [item for item in row.consent_items if item.id in chosen - set(active)]
    signed = _sign(actor, row, fresh)
    with transaction.atomic():
        ConsentRequest.objects.select_for_update().get(id=row.id)
        for item, consent in active.items():
            if item not in chosen:
                _revoke(actor, consent)
        still = {consent.item for consent in _active(row)}
        for consent in signed:
            if consent.item not in still:
                _keep(actor, consent)
        ConsentRequest.objects.filter(id=row.id).update(decided_at=clock.now())


def grant(*, actor: Actor, request_id: str, accepted: Iterable[str]) -> dict[str, str]:
    """`decide`, then the artefacts of the accepted items by item id."""
    decide(actor=actor, request_id=request_id, accepted=accepted)
    return {consent.item: consent.artefact for consent in _active(_request(actor, request_id))}


def artefacts(*, actor: Actor, application: str) -> dict[str, dict[str, str]]:
    """The artefacts in force for an application: by part, then by the providing service's id."""
    rows = Consent.objects.filter(
        subject=subject_of(actor), request__application=application, revoked_at=None, expires_at__gt=clock.now()
    ).select_related("request")
    found: dict[str, dict[str, str]] = {}
    for row in rows:
        item = _item(row)
        found.setdefault(item.part, {})[item.provider] = row.artefact
    return found


@transaction.atomic
def revoke(*, actor: Actor, consent_id: str) -> None:
    """Take back one's own consent; a second time changes nothing."""
    row = Consent.objects.select_for_update().filter(subject=subject_of(actor), id=consent_id).first()
    if row is None:
        raise Http404
    if row.revoked_at is None:
        _revoke(actor, row)


def consents(*, actor: Actor) -> list[ConsentView]:
    """Everything the actor ever allowed, newest first."""
    rows = Consent.objects.filter(subject=subject_of(actor)).select_related("request").order_by("-granted_at")
    return [_view(row) for row in rows]


def receipt(*, actor: Actor, consent_id: str) -> dict[str, Any]:
    """A consent receipt to keep, in the members of ISO/IEC TS 27560: who, what, why, how long, and the artefact."""
    row = Consent.objects.filter(subject=subject_of(actor), id=consent_id).select_related("request").first()
    if row is None:
        raise Http404
    item, view = _item(row), _view(row)
    return {
        "schema": "urn:smartgov:consent-receipt:1",
        "receipt_id": row.id,
        "data_controller": item.requester,
        "data_provider": item.provider,
        "purpose": item.purpose.as_dict(),
        "purpose_code": item.purpose_code,
        "personal_data": [{"id": field.id, "title": field.title.as_dict()} for field in item.fields],
        "lawful_basis": "consent",
        "granted_at": row.granted_at.isoformat(),
        "expires_at": row.expires_at.isoformat(),
        "withdrawn_at": row.revoked_at.isoformat() if row.revoked_at else None,
        "state": view.state,
        "artefact": row.artefact,
    }


def revoked() -> list[str]:
    """Ids of revoked consents that may still be in force by a provider's clock: what it must refuse from now on."""
    rows = Consent.objects.filter(revoked_at__isnull=False, expires_at__gt=clock.now() - _CLOCKS)
    return list(rows.order_by("id").values_list("id", flat=True))


def tell_issuer(event: ops.EmittedEvent) -> None:
    """Have the gateway that signed the consent say so itself (`consent_revoked`): providers ask it every minute."""
    row = Consent.objects.filter(id=event.payload["consent"]).first()
    if row is not None and row.revoked_at is not None:
        exchange.revoke_consent(jti=row.id, expires_at=row.expires_at.isoformat())


def tell_centre(event: ops.EmittedEvent) -> None:
    """Have the centre publish what providers must refuse (`consent_revoked`); the whole list, so twice is harmless."""
    exchange.set_revoked_consents(actor=_PORTAL, consents=revoked())


def _request(actor: Actor, request_id: str) -> ConsentRequest:
    row = ConsentRequest.objects.filter(subject=subject_of(actor), id=request_id).first()
    if row is None:
        raise Http404
    return row


def _active(row: ConsentRequest) -> list[Consent]:
    return list(row.consents.filter(revoked_at=None, expires_at__gt=clock.now()))


def _sign(actor: Actor, row: ConsentRequest, items: Sequence[ConsentItem]) -> list[Consent]:
    if not items:
        return []
    person = identity.subject_national_id(actor=actor, subject=row.subject, purpose="consent")
    expires = clock.now() + timedelta(days=row.days)
    signed = []
    for item in items:
        consent = Consent(id=uuid7(), request=row, subject=row.subject, item=item.id, expires_at=expires)
        consent.artefact = exchange.consent(
            subject=person,
            provider=item.provider,
            requester=item.requester,
            fields=[field.id for field in item.fields],
            purpose=item.purpose_code,
            expires_at=expires.isoformat(),
            jti=consent.id,
        )
        signed.append(consent)
    return signed


def _keep(actor: Actor, consent: Consent) -> None:
    consent.request.consents.filter(item=consent.item, revoked_at=None).update(revoked_at=clock.now())
    consent.save(force_insert=True)
    ops.emit("consent_granted", aggregate=consent.id, payload={"consent": consent.id}, actor=actor)
    audit.record(actor=actor, action="consent.granted", object_type="consent", object_id=consent.id)


def _revoke(actor: Actor, consent: Consent) -> None:
    consent.revoked_at = clock.now()
    consent.save(update_fields=["revoked_at"])
    ops.emit("consent_revoked", aggregate=consent.id, payload={"consent": consent.id}, actor=actor)
    audit.record(actor=actor, action="consent.revoked", object_type="consent", object_id=consent.id)


def _item(row: Consent) -> ConsentItem:
    return next(item for item in row.request.consent_items if item.id == row.item)


def _view(row: Consent) -> ConsentView:
    state = domain.state_of(expires_at=row.expires_at, revoked_at=row.revoked_at, now=clock.now())
    return ConsentView(
        id=row.id,
        item=_item(row),
        application=row.request.application,
        granted_at=row.granted_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        state=state,
    )
