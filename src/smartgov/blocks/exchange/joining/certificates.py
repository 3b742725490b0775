"""Certificates of gateways: ordered by letter or by an approval, made by the worker, listed, revoked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from django.db import transaction

from smartgov.blocks.exchange import joining_problems
from smartgov.blocks.exchange.domain import OrderState
from smartgov.blocks.exchange.joining.acts import at_the_centre, of_gateway
from smartgov.blocks.exchange.joining.speakers import is_signed_by, registered
from smartgov.blocks.exchange.models import Certificate, CertificateOrder, Gateway, JoinRequest
from smartgov.blocks.exchange.publishing import PUBLISHER, changed
from smartgov.blocks.exchange.registry import is_self_signed, register_gateway
from smartgov.blocks.ops import api as ops
from smartgov.engines.pki import certificates, keys
from smartgov.engines.troad.joining.letters import Letter
from smartgov.shared import clock
from smartgov.shared.actor import Actor

LIFE = timedelta(days=7)
"""Of a gateway's certificate: it renews itself from the middle on, so that the centre may be down for days."""
MOST_ORDERS = 12
REASONS = ("keyCompromise", "cessationOfOperation", "superseded", "unspecified")


@dataclass(frozen=True, slots=True)
class CertificateView:
    """A gateway's newest certificate; `state` is valid, ending (not renewed in time), ended or revoked."""

    gateway: str
    serial: str
    begins_at: datetime
    ends_at: datetime
    state: str


@transaction.atomic
def order(letter: Letter) -> str:
    """Order the next certificate of a registered gateway: the same TLS key, and the member's own word."""
    at_the_centre()
    row = registered(letter)
    listed = certificates.public_key(certificates.from_pem(row.described["tls_certificate"].encode()))
    if not is_signed_by(letter, "tls", listed) or not _requested(
        str(letter.content.get("request", "")), listed, row.id
    ):
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
    return place(letter.digest, row.id, letter.jwk("tls"), None, of_gateway(row.id))


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


def place(digest: str, gateway: str, tls_key: Mapping[str, Any], join: JoinRequest | None, actor: Actor) -> str:
    """Order a certificate for the worker to make."""
    CertificateOrder.objects.create(id=digest, gateway=gateway, tls_key=dict(tls_key), join=join)
    ops.emit("certificate_ordered", aggregate=digest, payload={"gateway": gateway}, actor=actor)
    return digest


def _standing(row: Certificate) -> str:
    now = clock.now()
    if row.revoked_at is not None:
        return "revoked"
    if now >= row.ends_at:
        return "ended"
    return "ending" if row.ends_at - now < (row.ends_at - row.begins_at) / 3 else "valid"
