"""What the centre publishes: read from the tables here, signed and handed out through the ports of the centre.

A web process changes tables; the worker, which holds the configuration key, publishes. One row counts changes, and its
lock puts changes and publications into one order, so that no older state can follow a newer one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from smartgov.blocks.audit import api as audit
from smartgov.blocks.exchange import centre, contracts, domain, refusals
from smartgov.blocks.exchange.domain import Ability, Basis, JoinState, RightState
from smartgov.blocks.exchange.models import (
    Certificate,
    Configuration,
    Issuer,
    JoinRequest,
    Member,
    RevokedConsent,
    Right,
    SealAuthority,
    Service,
    SignedOffer,
    Subsystem,
)
from smartgov.blocks.ops import api as ops
from smartgov.shared import clock, homes
from smartgov.shared.actor import Actor

logger = structlog.get_logger()
RENEWED_EVERY = timedelta(hours=1)
PUBLISHER = Actor.for_system("portal", "exchange.publisher")
_AGGREGATE = "configuration"


def is_centre() -> bool:
    """Whether this process keeps the register of T-Road (SMARTGOV_ROLES)."""
    return not settings.ROLES or "centre" in settings.ROLES


def changed(actor: Actor, action: str, object_type: str, object_id: str, **detail: Any) -> None:
    """Note a change of what is published, in its transaction: audited, counted, and told to the worker.

    While a change already waits to be published, a further one travels with it and is not told again.
    """
    if not is_centre():
        raise refusals.NOT_THE_CENTRE
    audit.record(actor=actor, action=action, object_type=object_type, object_id=object_id, detail=detail)
    row = _locked()
    if row.revision == row.published_revision:
        ops.emit("configuration_changed", aggregate=_AGGREGATE, payload={"change": action}, actor=actor)
    row.revision += 1
    row.save(update_fields=("revision",))


def publication(now: datetime) -> dict[str, Any]:
    """Everything that gateways are told, as data: members with public keys, subsystems, services, rights, issuers.

    Its number and its end are given when it is published.
    """
    return {
        "instance": homes.INSTANCE,
        "members": [_member(row) for row in Member.objects.order_by("joined_at", "id").prefetch_related("gateways")],
        "subsystems": list(Subsystem.objects.order_by("registered_at", "id").values_list("id", flat=True)),
        "services": [_service(row) for row in Service.objects.filter(withdrawn_at=None).order_by("published_at", "id")],
        "rights": [_right(row) for row in rights_in_force(now)],
        "consent_issuers": _issuers(Ability.CONSENT),
        "token_issuers": _issuers(Ability.TOKEN),
        "revoked_consents": list(RevokedConsent.objects.order_by("id").values_list("id", flat=True)),
        "handed_in": _handed_in(now),
        "seal_authority": "".join(row.certificate for row in SealAuthority.objects.order_by("registered_at")),
    }


def _handed_in(now: datetime) -> dict[str, Any]:
    """For the centre's own hands: revoked certificates that have not ended, signed offers, proofs of changed keys."""
    revoked = Certificate.objects.exclude(revoked_at=None).filter(ends_at__gt=now).order_by("serial")
    proven = JoinRequest.objects.filter(state=JoinState.JOINED, replaces=True).order_by("decided_at", "id")
    said = [json.loads(row.letter["text"])["content"] for row in proven]
    return {
        "revoked": [(row.serial, row.reason) for row in revoked],
        "offers": [row.offer for row in SignedOffer.objects.order_by("member")],
        "rotations": [content["rotation"] for content in said if "rotation" in content],
    }


def rights_in_force(now: datetime) -> list[Right]:
    """Rights that were granted, have not ended, and whose service is still offered; oldest first."""
    return list(granted_now(now).filter(service__withdrawn_at=None).order_by("granted_at", "id"))


def granted_now(now: datetime) -> QuerySet[Right]:
    """Rights that were granted and have not ended, also those to a service that is withdrawn."""
    return Right.objects.filter(Q(expires_at=None) | Q(expires_at__gt=now), state=RightState.GRANTED)


@transaction.atomic
def publish(*, actor: Actor) -> datetime:
    """Sign the present state and hand it to the gateways; returns when it expires. For the process that has the key."""
    if not is_centre():
        raise refusals.NOT_THE_CENTRE
    row, now = _locked(), clock.now()
    # Handed out before the commit: should that fail, the next publication has a higher version and the same content.
    published = centre.current().publish({"issued_at": now.isoformat(), **publication(now)}, now, contracts.in_force())
    row.issued_at, row.published_revision = now, row.revision
    row.version, row.expires_at = published.version, published.expires_at
    row.save()
    audit.record(
        actor=actor, action="exchange.published", object_type="configuration", object_id=str(row.version), detail={}
    )
    logger.info("configuration_published", version=row.version)
    return published.expires_at


def republish(event: ops.EmittedEvent) -> None:
    """Publish what has changed (`configuration_changed`); nothing when another publication has taken it along."""
    row = Configuration.objects.filter(id=1).first()
    if row is not None and row.revision != row.published_revision:
        publish(actor=PUBLISHER)


def keep_published() -> None:
    """Publish anew every hour, when a right has ended since, and when a change was left behind; for the worker."""
    row = Configuration.objects.filter(id=1).first()
    if row is not None and is_centre() and _is_due(row, clock.now()):
        publish(actor=PUBLISHER)


def _is_due(row: Configuration, now: datetime) -> bool:
    if row.issued_at is None or row.revision != row.published_revision or now - row.issued_at >= RENEWED_EVERY:
        return True
    return Right.objects.filter(state=RightState.GRANTED, expires_at__gt=row.issued_at, expires_at__lte=now).exists()


def _locked() -> Configuration:
    Configuration.objects.get_or_create(id=1)
    return Configuration.objects.select_for_update().get(id=1)


def _member(row: Member) -> dict[str, Any]:
    gateways = sorted(row.gateways.all(), key=lambda gateway: (gateway.registered_at, gateway.id))
    return {"id": row.id, "name": row.name, "gateways": [gateway.described for gateway in gateways]}


def _service(row: Service) -> dict[str, Any]:
    limits = domain.Limits(row.body_bytes, row.seconds, row.per_minute, row.per_day).named()
    further = {
        "contract": row.contract,
        "limits": limits,
        "durability": "" if row.durability == domain.Durability.STRICT else row.durability,
        "retain_days": row.retain_days,
    }
    return {
        "id": row.id,
        "personal": row.personal,
        "related": row.related,
        "visibility": domain.worded(row.visibility, row.visibility_terms),
        "paths": row.endpoints,
        **{name: value for name, value in further.items() if value},
    }


def _right(row: Right) -> dict[str, Any]:
    published = {
        "client": row.client_id,
        "service": row.service_id,
        "endpoints": row.endpoints,
        "basis": _basis(row),
        "fields": row.fields,
        "purpose": row.purpose,
    }
    if row.visibility:
        published["visibility"] = domain.worded(row.visibility, row.visibility_terms)
    return {**published, "expires_at": row.expires_at.isoformat()} if row.expires_at else published


def _basis(row: Right) -> Mapping[str, str]:
    if row.basis == Basis.STATUTE:
        return {"kind": row.basis, "code": row.basis_code, "citation": row.citation}
    return {"kind": row.basis}


def _issuers(ability: Ability) -> list[dict[str, Any]]:
    found = Issuer.objects.filter(ability=ability).order_by("member_id")
    return [{"member": issuer.member_id, "key": issuer.key} for issuer in found]
