"""Writing verbs of the register of T-Road: members, gateways, subsystems, services, issuers, revoked consents.

Each verb says how something is to be; what is so already is left alone, and neither audited nor published again.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from cryptography import x509
from django.db import IntegrityError, models, transaction

from smartgov.blocks.exchange import contracts, domain
from smartgov.blocks.exchange.domain import Ability, Durability, Limits, Visibility
from smartgov.blocks.exchange.models import (
    Gateway,
    Issuer,
    Member,
    RevokedConsent,
    SealAuthority,
    Service,
    Subsystem,
)
from smartgov.blocks.exchange.publishing import changed
from smartgov.engines.pki import certificates, keys
from smartgov.engines.troad import snapshot
from smartgov.engines.troad.names import member_of
from smartgov.shared import clock
from smartgov.shared.actor import Actor
from smartgov.shared.text import Text

MEMBER, GATEWAY, SUBSYSTEM = Text("The member", "成員"), Text("The gateway", "閘道"), Text("The subsystem", "資訊系統")
SERVICE, KEY = Text("The service", "服務"), Text("The key", "金鑰")
T_ROADS_OWN = Limits()
Row = TypeVar("Row", bound=models.Model)


@transaction.atomic
def register_member(*, actor: Actor, member: str, name: Text) -> None:
    """Let `member` (`TW/GOV/ris`) be a member under this name; Problem `registration-invalid` for another form."""
    domain.check_name(member, 3, MEMBER)
    if _write(Member, member, name=name.as_dict()):
        changed(actor, "exchange.member_registered", "member", member)


@transaction.atomic
def register_gateway(*, actor: Actor, member: str, described: Mapping[str, Any]) -> str:
    """Register a gateway by what it says of itself in public (`engines.troad.home.describe`); returns its id.

    A known gateway is changed: audited as `exchange.gateway_keys_changed` when a key or certificate differs.
    Problems: `not-registered` for the member, `registration-invalid` when others could not read it, or when another
    gateway has one of its keys.
    """
    find(Member, member, MEMBER)
    read = _readable(member, described)
    domain.check_name(read.id, 4, GATEWAY)
    before = Gateway.objects.filter(id=read.id).first()
    facts: dict[str, Any] = {
        "member_id": member,
        "described": dict(described),
        "tls_fingerprint": read.tls_fingerprint,
        "message_key": read.message_kid,
        "certificate_expires_at": _expiry(read.tls_certificate),
    }
    try:
        written = _write(Gateway, read.id, **facts)
    except IntegrityError:
        raise domain.invalid(GATEWAY, "another gateway has its message key or TLS certificate") from None
    if written:
        changed(actor, _gateway_action(before, described), "gateway", read.id)
    return read.id


@transaction.atomic
def register_subsystem(*, actor: Actor, subsystem: str) -> None:
    """Let `subsystem` (`TW/GOV/ris/cases`) call, and be called, as part of its member."""
    domain.check_name(subsystem, 4, SUBSYSTEM)
    find(Member, member_of(subsystem), MEMBER)
    if _write(Subsystem, subsystem, member_id=member_of(subsystem)):
        changed(actor, "exchange.subsystem_registered", "subsystem", subsystem)


@transaction.atomic
def publish_service(
    *,
    actor: Actor,
    service: str,
    personal: bool = True,
    related: Iterable[str] = (),
    visibility: str = Visibility.OWN,
    endpoints: Sequence[str] = (),
    document: bytes | None = None,
    limits: Limits = T_ROADS_OWN,
    durability: str = Durability.STRICT,
    retain_days: int | None = None,
) -> None:
    """Offer `service` (`TW/GOV/ris/household/people.v1`), or change how it is offered.

    `related` are the JSON keys under which a request may name other persons; `endpoints` are `POST /people/query`, and
    come from `document`, an OpenAPI document, when there is one: gateways then hold every call to it. `retain_days` is
    how long bodies are kept (None: as the gateway's settings say). Problems: `openapi-refused`, with its findings;
    `registration-invalid`.
    """
    domain.check_name(service, 5, SERVICE)
    if visibility not in [*Visibility]:
        raise domain.invalid(SERVICE, f"visibility {visibility!r} is none of {', '.join(Visibility)}")
    subsystem = service.rsplit("/", 1)[0]
    find(Subsystem, subsystem, SUBSYSTEM)
    facts: dict[str, Any] = {
        "subsystem_id": subsystem,
        "personal": personal,
        "related": sorted(related),
        "visibility": visibility,
        "endpoints": list(endpoints),
        "durability": durability,
        "retain_days": retain_days,
        **dataclasses.asdict(limits),
        "withdrawn_at": None,
    }
    accepted = contracts.accept(document) if document is not None else None
    facts["contract"] = accepted.digest if accepted else ""
    if accepted:
        facts["endpoints"] = list(accepted.endpoints)
    _check_entry(service, facts)
    written = _write(Service, service, **facts)
    if accepted:
        contracts.keep(service, accepted)
    if written:
        changed(actor, "exchange.service_published", "service", service, visibility=str(visibility))


@transaction.atomic
def withdraw_service(*, actor: Actor, service: str) -> None:
    """Offer `service` no more: it leaves the configuration with the rights to it, which stay on record."""
    row = find(Service, service, SERVICE)
    if row.withdrawn_at is None:
        row.withdrawn_at = clock.now()
        row.save()
        changed(actor, "exchange.service_withdrawn", "service", service)


@transaction.atomic
def register_issuer(*, actor: Actor, member: str, ability: str, key: Mapping[str, Any]) -> None:
    """Let `member` sign consents or trail tokens (`ability`) that everybody accepts, with this public JWK."""
    find(Member, member, MEMBER)
    try:
        known = Ability(ability)
        keys.from_jwk(dict(key))
    except (ValueError, KeyError, TypeError) as error:
        raise domain.invalid(KEY, str(error)[:200]) from None
    row, made = Issuer.objects.get_or_create(member_id=member, ability=known, defaults={"key": dict(key)})
    if made or row.key != dict(key):
        row.key = dict(key)
        row.save()
        changed(actor, "exchange.issuer_registered", "member", member, ability=str(known))


@transaction.atomic
def register_seal_authority(*, actor: Actor, certificate: str) -> None:
    """Let everybody trust seals whose certificates this authority (PEM) has issued."""
    try:
        read = certificates.from_pem(certificate.encode())
    except ValueError as error:
        raise domain.invalid(KEY, str(error)[:200]) from None
    fingerprint = certificates.fingerprint(read)
    if not SealAuthority.objects.filter(fingerprint=fingerprint).exists():
        SealAuthority.objects.create(fingerprint=fingerprint, certificate=certificate)
        changed(actor, "exchange.seal_authority_registered", "certificate", fingerprint)


@transaction.atomic
def set_revoked_consents(*, actor: Actor, consents: Sequence[str]) -> None:
    """Let gateways refuse exactly these consents, by id, from the next publication on."""
    known, wanted = set(RevokedConsent.objects.values_list("id", flat=True)), set(consents)
    if known == wanted:
        return
    RevokedConsent.objects.filter(id__in=known - wanted).delete()
    RevokedConsent.objects.bulk_create(RevokedConsent(id=one) for one in sorted(wanted - known))
    counts = {"added": len(wanted - known), "expired": len(known - wanted)}
    changed(actor, "exchange.consents_revoked", "configuration", "revoked-consents", **counts)


def _check_entry(service: str, facts: Mapping[str, Any]) -> None:
    """What gateways could not read is not registered."""
    limits = Limits(**{one.name: facts[one.name] for one in dataclasses.fields(Limits)})
    try:
        snapshot.read_service({"id": service, "limits": limits.named(), "durability": facts["durability"]})
    except ValueError as error:
        raise domain.invalid(SERVICE, str(error)[:200]) from None


def find(model: type[Row], name: str, what: Text) -> Row:
    """The row of that id; Problem `not-registered`."""
    row = model._default_manager.filter(pk=name).first()
    if row is None:
        raise domain.unknown(what, name[: domain.NAME_LENGTH])
    return row


def _write(model: type[Row], pk: str, /, **facts: Any) -> bool:
    """Make the row of that id as given; whether anything was different before."""
    row = model._default_manager.filter(pk=pk).first()
    if row is None:
        with transaction.atomic():
            model._default_manager.create(pk=pk, **facts)
        return True
    if all(getattr(row, key) == value for key, value in facts.items()):
        return False
    for key, value in facts.items():
        setattr(row, key, value)
    if hasattr(row, "changed_at"):
        row.changed_at = clock.now()
    with transaction.atomic():
        row.save()
    return True


def _readable(member: str, described: Mapping[str, Any]) -> snapshot.Gateway:
    """The gateway as all others will read it."""
    try:
        return snapshot.read_gateway(member, described)
    except (ValueError, KeyError, TypeError) as error:
        raise domain.invalid(GATEWAY, f"{type(error).__name__}: {error}"[:200]) from None


def _gateway_action(before: Gateway | None, described: Mapping[str, Any]) -> str:
    if before is None:
        return "exchange.gateway_registered"
    place = {"host", "port"}
    same = {k: v for k, v in before.described.items() if k not in place} == {
        k: v for k, v in described.items() if k not in place
    }
    return "exchange.gateway_moved" if same else "exchange.gateway_keys_changed"


def _expiry(certificate: str) -> Any:
    if not certificate:
        return None
    try:
        return x509.load_pem_x509_certificate(certificate.encode()).not_valid_after_utc
    except ValueError as error:
        raise domain.invalid(GATEWAY, str(error)[:200]) from None
