"""Writing verbs of the register of T-Road: members, gateways, subsystems, services, issuers, revoked consents.

Each verb says how something is to be; what is so already is left alone, and neither audited nor published again.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, TypeVar

from cryptography import x509
from django.db import IntegrityError, models, transaction

from smartgov.blocks.exchange import contracts, domain, refusals
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
from smartgov.shared import canonical, clock
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
    described = _with_listed_certificate(before, described)
    read = _readable(member, described)
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
        raise refusals.invalid(GATEWAY, "another gateway has its message key or TLS certificate") from None
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
    visibility_terms: Mapping[str, Any] | None = None,
    endpoints: Sequence[str] = (),
    document: bytes | None = None,
    limits: Limits = T_ROADS_OWN,
    durability: str = Durability.STRICT,
    retain_days: int | None = None,
) -> None:
    """Offer `service` (`TW/GOV/ris/household/people.v1`), or change how it is offered.

    `related` are the JSON keys under which a request may name other persons; `endpoints` are `POST /people/query`, and
    come from `document`, an OpenAPI document, when there is one: gateways then hold every call to it. `retain_days` is
    how long bodies are kept (None: as the gateway's settings say); `visibility_terms` are the days, `until` and order
    of a class that needs them. Problems: `openapi-refused`, with its findings;
    `registration-invalid`.
    """
    domain.check_name(service, 5, SERVICE)
    _check_visibility(service, visibility, terms := dict(visibility_terms or {}))
    subsystem = service.rsplit("/", 1)[0]
    find(Subsystem, subsystem, SUBSYSTEM, lock=True)  # of two who publish a service first, one changes it
    facts: dict[str, Any] = {
        "subsystem_id": subsystem,
        "personal": personal,
        "related": sorted(related),
        "visibility": visibility,
        "visibility_terms": terms,
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
def follow_service(
    *,
    actor: Actor,
    service: str,
    personal: bool = True,
    related: Iterable[str] = (),
    endpoints: Sequence[str] = (),
    document: bytes | None = None,
) -> None:
    """Offer a service as the content folder words it, once for each wording.

    What officers have changed since stays; when the content says something else, its document, endpoints and persons
    come into force, and the officers' settings stay. A service that was withdrawn stays withdrawn.
    """
    said = {"personal": personal, "related": sorted(related), "endpoints": list(endpoints)}
    digest = sha256(canonical.dumps(said) + (document or b"")).hexdigest()
    row = Service.objects.filter(id=service).first()
    if row is not None and (row.content == digest or row.withdrawn_at is not None):
        return
    kept: dict[str, Any] = {}
    if row is not None:
        kept = {name: getattr(row, name) for name in ("visibility", "visibility_terms", "durability", "retain_days")}
        kept["limits"] = Limits(row.body_bytes, row.seconds, row.per_minute, row.per_day)
    publish_service(
        actor=actor,
        service=service,
        personal=personal,
        related=related,
        endpoints=endpoints,
        document=document,
        **kept,
    )
    Service.objects.filter(id=service).update(content=digest)


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
        raise refusals.invalid(KEY, str(error)[:200]) from None
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
        raise refusals.invalid(KEY, str(error)[:200]) from None
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


def _check_visibility(service: str, kind: str, terms: Mapping[str, Any]) -> None:
    """A class and terms that stand already stay, also when their end is over."""
    row = Service.objects.filter(id=service).first()
    if row is None or (row.visibility, row.visibility_terms) != (kind, terms):
        domain.check_visibility(kind, terms, clock.today())


def _check_entry(service: str, facts: Mapping[str, Any]) -> None:
    """What gateways could not read is not registered."""
    limits = Limits(**{one.name: facts[one.name] for one in dataclasses.fields(Limits)})
    try:
        shown = domain.worded(facts["visibility"], facts["visibility_terms"])
        entry = {"id": service, "limits": limits.named(), "durability": facts["durability"], "visibility": shown}
        snapshot.read_service(entry)
    except ValueError as error:
        raise refusals.invalid(SERVICE, str(error)[:200]) from None


def find(model: type[Row], name: str, what: Text, *, lock: bool = False) -> Row:
    """The row of that id; Problem `not-registered`. With `lock`, who else locks it waits for the transaction's end."""
    rows = model._default_manager.select_for_update(no_key=True) if lock else model._default_manager
    row = rows.filter(pk=name).first()
    if row is None:
        raise refusals.unknown(what, name[: domain.NAME_LENGTH])
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
        raise refusals.invalid(GATEWAY, f"{type(error).__name__}: {error}"[:200]) from None


def is_self_signed(pem: str) -> bool:
    """Whether a certificate is from the time before its gateway had one from the centre."""
    certificate = certificates.from_pem(pem.encode())
    return certificate.issuer == certificate.subject


def _with_listed_certificate(before: Gateway | None, described: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a gateway says, with its listed certificate while that is the centre's and for the same key.

    Certificates are renewed every few days; others know the renewed one by its key and its issuer.
    """
    names = ("tls_certificate", "tls_fingerprint")
    listed, shown = before.described.get(names[0]) if before else "", described.get(names[0])
    if not listed or not shown or is_self_signed(listed):
        return described
    if _tls_key(listed) != _tls_key(shown):
        return described
    assert before is not None
    return {**described, **{name: before.described[name] for name in names}}


def _tls_key(pem: str) -> str:
    return keys.thumbprint(certificates.public_key(certificates.from_pem(pem.encode())))


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
        raise refusals.invalid(GATEWAY, str(error)[:200]) from None
