"""Verbs of joining: a gateway's letter becomes a request, an officer decides, the worker issues; and what follows.

Web processes keep letters and decisions; only the worker, which has the authority's key, makes certificates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Any

import structlog
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from django.db import IntegrityError, transaction

from smartgov.blocks.audit import api as audit
from smartgov.blocks.exchange import domain, issuing, joining_problems
from smartgov.blocks.exchange.domain import JoinState, OrderState
from smartgov.blocks.exchange.models import (
    Certificate,
    CertificateOrder,
    Gateway,
    JoinRequest,
    Member,
    SignedOffer,
    UsedLetter,
)
from smartgov.blocks.exchange.publishing import PUBLISHER, changed, is_centre, publication
from smartgov.blocks.exchange.registry import is_self_signed, register_gateway, register_member, register_subsystem
from smartgov.blocks.ops import api as ops
from smartgov.engines import trust
from smartgov.engines.pki import certificates, keys
from smartgov.engines.troad.joining import request as joins
from smartgov.engines.troad.joining.letters import FRESH, Letter
from smartgov.shared import clock
from smartgov.shared.actor import Actor
from smartgov.shared.problems import Problem

logger = structlog.get_logger()
LIFE = timedelta(days=7)
"""Of a gateway's certificate: it renews itself from the middle on, so that the centre may be down for days."""
WAITS = timedelta(days=7)
"""For so long a request waits for an officer."""
MOST_WAITING, MOST_ORDERS = 200, 12
HIDDEN = 8
"""Characters of the fingerprint that the page does not show: the officer has to be told them by the applicant."""
REASONS = ("keyCompromise", "cessationOfOperation", "superseded", "unspecified")


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


@dataclass(frozen=True, slots=True)
class CertificateView:
    """A gateway's newest certificate; `state` is valid, ending (not renewed in time), ended or revoked."""

    gateway: str
    serial: str
    begins_at: datetime
    ends_at: datetime
    state: str


# -- from gateways ----------------------------------------------------------------------------------------------------


@transaction.atomic
def receive(letter: Letter) -> str:
    """Keep a request to join for an officer, and return its fingerprint."""
    _here()
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
    _audit(_gateway_actor(asked.gateway), "exchange.join_asked", asked.fingerprint, asked.gateway)
    return asked.fingerprint


def state_of(letter: Letter) -> dict[str, str]:
    """What became of a request, for whoever holds the key that it was signed with."""
    row = JoinRequest.objects.filter(id=str(letter.content.get("order", ""))).first()
    if row is None or not _is(letter, "configuration", _read(row).configuration_key):
        raise joining_problems.UNKNOWN
    issued = Certificate.objects.filter(order__join=row).first()
    return {"state": row.state, "reason": row.reason, "certificate": issued.pem if issued else ""}


@transaction.atomic
def order(letter: Letter) -> str:
    """Order the next certificate of a registered gateway: the same TLS key, and the member's own word."""
    _here()
    row = registered(letter)
    listed = certificates.public_key(certificates.from_pem(row.described["tls_certificate"].encode()))
    if not _is(letter, "tls", listed) or not _requested(str(letter.content.get("request", "")), listed, row.id):
        raise joining_problems.NOT_ITS_KEY
    if CertificateOrder.objects.filter(id=letter.digest).exists():
        raise joining_problems.REPLAYED
    newest = Certificate.objects.filter(gateway=row.id).order_by("-begins_at").first()
    if newest is not None and newest.revoked_at is not None:
        raise joining_problems.REVOKED
    since = clock.now() - timedelta(hours=1)
    if CertificateOrder.objects.filter(gateway=row.id, ordered_at__gt=since).count() >= MOST_ORDERS:
        raise joining_problems.TOO_OFTEN
    waiting = CertificateOrder.objects.filter(gateway=row.id, state=OrderState.WAITING).first()
    if waiting is not None:
        return waiting.id
    return _order(letter.digest, row.id, letter.jwk("tls"), None, _gateway_actor(row.id))


def order_state(letter: Letter) -> dict[str, str]:
    """What became of an order of the gateway that asks."""
    row = registered(letter)
    found = CertificateOrder.objects.filter(id=str(letter.content.get("order", "")), gateway=row.id).first()
    if found is None:
        raise joining_problems.UNKNOWN
    issued = Certificate.objects.filter(order=found).first()
    if issued is not None:
        _list_first(row, issued)
    return {"state": found.state, "reason": found.reason, "certificate": issued.pem if issued else ""}


@transaction.atomic
def _list_first(row: Gateway, issued: Certificate) -> None:
    """List a gateway's first certificate from the centre, now that it fetches it, in place of its self-signed one.

    The next ones are known by key and issuer; but the one listed could be shown after a revocation.
    """
    if not is_self_signed(row.described["tls_certificate"]):
        return
    fingerprint = certificates.fingerprint(certificates.from_pem(issued.pem.encode()))
    described = {**row.described, "tls_certificate": issued.pem, "tls_fingerprint": fingerprint}
    register_gateway(actor=PUBLISHER, member=row.member_id, described=described)


def draft(letter: Letter) -> dict[str, Any]:
    """What the register says that a member offers, for it to read and to sign; and the number for its signature."""
    member = str(letter.content.get("member", ""))
    _key_of(letter, member)
    last = SignedOffer.objects.filter(member=member).values_list("version", flat=True).first() or 0
    return {"said": trust.draft(member, publication(clock.now())), "version": max(last, 1) + 1}


@transaction.atomic
def hand_in(letter: Letter) -> int:
    """Take a member's signed offer and publish it; returns its number. An older one than before is refused."""
    _here()
    given = letter.content.get("offer")
    offer = trust.Offer.of(given if isinstance(given, dict) else {})
    key = _key_of(letter, offer.member)
    signed = trust.check_offer(offer, key)
    last = SignedOffer.objects.select_for_update().filter(member=offer.member).first()
    if last is not None and signed.version <= last.version:
        raise joining_problems.REPLAYED
    _keep_offer(offer)
    changed(_gateway_actor(offer.member), "exchange.offer_signed", "member", offer.member, version=signed.version)
    return int(signed.version)


# -- by officers ------------------------------------------------------------------------------------------------------


@transaction.atomic
def approve(*, actor: Actor, request: str, told: str) -> None:
    """Let a gateway join; `told` is the end of its fingerprint, as the applicant said it."""
    _here()
    row = _waiting(request)
    if not compare_digest("".join(told.split()).lower().encode(), row.id[-HIDDEN:].encode()):
        raise joining_problems.MISMATCH
    _decide(row, actor, JoinState.APPROVED, "")
    _audit(actor, "exchange.join_approved", row.id, row.gateway)
    _order(row.id, row.gateway, keys.public_jwk(_read(row).tls_key), row, actor)


@transaction.atomic
def turn_down(*, actor: Actor, request: str, reason: str) -> None:
    """Refuse a request; the applicant is told the reason."""
    row = _waiting(request)
    if not reason.strip():
        raise joining_problems.NO_REASON
    _decide(row, actor, JoinState.REFUSED, reason.strip()[:500])
    _audit(actor, "exchange.join_refused", row.id, row.gateway)


@transaction.atomic
def revoke_certificates(*, actor: Actor, gateway: str, reason: str) -> int:
    """Revoke every certificate of a gateway that has not ended; it gets no more, and others refuse it at once."""
    if reason not in REASONS:
        raise joining_problems.NO_REASON
    live = Certificate.objects.filter(gateway=gateway, revoked_at=None, ends_at__gt=clock.now())
    count = live.update(revoked_at=clock.now(), reason=reason)
    if count:
        changed(actor, "exchange.certificates_revoked", "gateway", gateway, reason=reason, count=count)
    return count


def joining_requests() -> list[JoinView]:
    """Requests, those that wait first."""
    rows = sorted(
        JoinRequest.objects.order_by("-received_at")[:MOST_WAITING], key=lambda row: row.state != JoinState.PENDING
    )
    return [
        JoinView(
            id=row.id,
            request=_read(row),
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


def gateway_certificates() -> list[CertificateView]:
    """The newest certificate of each gateway that has one from the centre, the first to end first."""
    newest: dict[str, Certificate] = {}
    for row in Certificate.objects.order_by("begins_at", "ends_at"):
        newest[row.gateway] = row
    views = [CertificateView(r.gateway, r.serial, r.begins_at, r.ends_at, _standing(r)) for r in newest.values()]
    return sorted(views, key=lambda view: view.ends_at)


def certificates_check() -> ops.Check:
    """For the health of the site: certificates that are not renewed in time."""
    late = [view.gateway for view in gateway_certificates() if view.state in {"ending", "ended"}]
    return ops.Check("gateway-certificates", not late, ", ".join(late))


# -- by the worker ----------------------------------------------------------------------------------------------------


def issue_ordered(event: ops.EmittedEvent) -> None:
    """Make the certificates that are ordered (`certificate_ordered`)."""
    issue_waiting()


def keep_joining() -> None:
    """Make what was left behind, and let requests lapse that nobody decided; for the worker."""
    if not is_centre():
        return
    issue_waiting()
    JoinRequest.objects.filter(state=JoinState.PENDING, received_at__lt=clock.now() - WAITS).update(
        state=JoinState.EXPIRED, decided_at=clock.now()
    )
    UsedLetter.objects.filter(used_at__lt=clock.now() - 3 * FRESH).delete()


def issue_waiting() -> None:
    """Make every certificate that is ordered; an order that cannot be filled is refused with its reason."""
    for row in CertificateOrder.objects.filter(state=OrderState.WAITING).order_by("ordered_at"):
        try:
            _issue(row.id)
        except Problem as problem:
            logger.warning("certificate_not_issued", gateway=row.gateway, problem=problem.slug)
            _give_up(row.id, str(problem))


@transaction.atomic
def _issue(order_id: str) -> None:
    row = CertificateOrder.objects.select_for_update().get(id=order_id)
    if row.state != OrderState.WAITING:
        return
    join = row.join
    asked = _read(join) if join else None
    host = asked.host if asked else Gateway.objects.get(id=row.gateway).described["host"]
    pem = issuing.current().certify(row.gateway, row.tls_key, host, clock.now() + LIFE)
    made = certificates.from_pem(pem.encode())
    Certificate.objects.create(
        serial=str(made.serial_number),
        gateway=row.gateway,
        order=row,
        pem=pem,
        begins_at=made.not_valid_before_utc,
        ends_at=made.not_valid_after_utc,
    )
    row.state = OrderState.ISSUED
    row.save(update_fields=("state",))
    _audit(PUBLISHER, "exchange.certificate_issued", str(made.serial_number), row.gateway)
    if join and asked:
        _enter(join, asked, made)


def _enter(join: JoinRequest, asked: joins.Request, certificate: x509.Certificate) -> None:
    """Write an approved request into the register."""
    described = {
        **asked.described,
        "tls_certificate": certificates.pem(certificate).decode(),
        "tls_fingerprint": certificates.fingerprint(certificate),
    }
    if not Member.objects.filter(id=asked.member).exists():
        register_member(actor=PUBLISHER, member=asked.member, name=asked.name)
    register_gateway(actor=PUBLISHER, member=asked.member, described=described)
    for name in asked.subsystems:
        register_subsystem(actor=PUBLISHER, subsystem=f"{asked.member}/{name}")
    _keep_offer(asked.offer)
    join.state = JoinState.JOINED
    join.save(update_fields=("state",))


@transaction.atomic
def _give_up(order_id: str, reason: str) -> None:
    row = CertificateOrder.objects.get(id=order_id)
    row.state, row.reason = OrderState.REFUSED, reason[:500]
    row.save()
    if row.join is not None:
        row.join.state, row.join.reason = JoinState.REFUSED, reason[:500]
        row.join.save()


# -- parts ------------------------------------------------------------------------------------------------------------


def _proof(asked: joins.Request) -> tuple[bool, bool]:
    """Whether the request replaces keys of a member, and whether the root keys prove it; refused without a proof."""
    first = Gateway.objects.filter(member_id=asked.member).order_by("registered_at", "id").first()
    if first is None:
        return False, False
    old = _configuration_key(first)
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


def registered(letter: Letter) -> Gateway:
    """The gateway that a letter speaks for, if its member's registered key signed it."""
    row = Gateway.objects.filter(id=str(letter.content.get("gateway", ""))).first()
    if row is None:
        raise joining_problems.UNKNOWN
    _key_of(letter, row.member_id)
    return row


def _key_of(letter: Letter, member: str) -> ec.EllipticCurvePublicKey:
    first = Gateway.objects.filter(member_id=member).order_by("registered_at", "id").first()
    if first is None:
        raise joining_problems.UNKNOWN
    key = _configuration_key(first)
    if not _is(letter, "configuration", key):
        raise joining_problems.NOT_ITS_KEY
    return key


def _configuration_key(row: Gateway) -> ec.EllipticCurvePublicKey:
    try:
        key = keys.from_jwk(row.described["configuration_key"])
    except (KeyError, ValueError):
        raise joining_problems.NOT_ITS_KEY from None
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise joining_problems.NOT_ITS_KEY
    return key


def _is(letter: Letter, name: str, key: keys.PublicKey) -> bool:
    return name in letter.keys and keys.thumbprint(letter.keys[name]) == keys.thumbprint(key)


def _requested(pem: str, key: keys.PublicKey, gateway: str) -> bool:
    """Whether it is a PKCS#10 request of this key in the name of this gateway."""
    try:
        asked = x509.load_pem_x509_csr(pem.encode())
        named = [str(one.value) for one in asked.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)]
        own = asked.public_key()
        return (
            asked.is_signature_valid
            and named == [gateway[:64]]
            and isinstance(own, ec.EllipticCurvePublicKey)
            and keys.thumbprint(own) == keys.thumbprint(key)
        )
    except ValueError:
        return False


def _order(digest: str, gateway: str, tls_key: Mapping[str, Any], join: JoinRequest | None, actor: Actor) -> str:
    CertificateOrder.objects.create(id=digest, gateway=gateway, tls_key=dict(tls_key), join=join)
    ops.emit("certificate_ordered", aggregate=digest, payload={"gateway": gateway}, actor=actor)
    return digest


def _waiting(request: str) -> JoinRequest:
    row = JoinRequest.objects.select_for_update().filter(id=request, state=JoinState.PENDING).first()
    if row is None:
        raise joining_problems.UNKNOWN
    return row


def _decide(row: JoinRequest, actor: Actor, state: JoinState, reason: str) -> None:
    row.state, row.reason, row.decided_at, row.decided_by = state, reason, clock.now(), actor.seat or ""
    row.save()


def _keep_offer(offer: trust.Offer) -> None:
    SignedOffer.objects.update_or_create(
        member=offer.member,
        defaults={"offer": offer.as_json(), "version": offer.version, "handed_at": clock.now()},
    )


def _read(row: JoinRequest) -> joins.Request:
    return joins.read(Letter.kept(row.letter["text"]))


def _standing(row: Certificate) -> str:
    now = clock.now()
    if row.revoked_at is not None:
        return "revoked"
    if now >= row.ends_at:
        return "ended"
    return "ending" if row.ends_at - now < (row.ends_at - row.begins_at) / 3 else "valid"


def _gateway_actor(name: str) -> Actor:
    return Actor.for_system(PUBLISHER.agency or "", f"gateway:{name}"[:80])


def _audit(actor: Actor, action: str, object_id: str, gateway: str) -> None:
    audit.record(
        actor=actor, action=action, object_type="gateway", object_id=object_id[:80], detail={"gateway": gateway}
    )


def _here() -> None:
    if not is_centre():
        raise domain.NOT_THE_CENTRE
