"""The worker's part: only it has the authority's key, so that web processes keep letters and decisions alone."""

from __future__ import annotations

import structlog
from cryptography import x509
from django.db import transaction

from smartgov.blocks.exchange import issuing
from smartgov.blocks.exchange.domain import JoinState, OrderState
from smartgov.blocks.exchange.joining.acts import note
from smartgov.blocks.exchange.joining.certificates import LIFE
from smartgov.blocks.exchange.joining.offers import keep
from smartgov.blocks.exchange.joining.requests import WAITS, read
from smartgov.blocks.exchange.models import (
    Certificate,
    CertificateOrder,
    Gateway,
    JoinRequest,
    Member,
    SignedOffer,
    UsedLetter,
)
from smartgov.blocks.exchange.publishing import PUBLISHER, is_centre
from smartgov.blocks.exchange.registry import register_gateway, register_member, register_subsystem
from smartgov.blocks.ops import api as ops
from smartgov.engines.pki import certificates
from smartgov.engines.troad.joining import request as joins
from smartgov.engines.troad.joining.letters import FRESH
from smartgov.shared import clock
from smartgov.shared.problems import Problem

logger = structlog.get_logger()


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
    asked = read(join) if join else None
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
    note(PUBLISHER, "exchange.certificate_issued", str(made.serial_number), row.gateway)
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
    last = SignedOffer.objects.filter(member=asked.member).first()
    if last is None or asked.offer.version > last.version:
        keep(asked.offer)  # of a further gateway the member's offer stays: what it signs for both comes after joining
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
