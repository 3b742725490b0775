"""Lists of outside authorities: taken in as rows, by their digest and never backwards, and asked like our own."""

from __future__ import annotations

from datetime import datetime
from itertools import islice

import structlog
from cryptography import x509
from django.db import transaction

from smartgov.blocks.audit import api as audit
from smartgov.blocks.signing.models import OutsideAuthority, OutsideRevocation
from smartgov.engines.pki import certificates, revocation
from smartgov.engines.pki.revocation import Finding, Head, Policy, Revocation
from smartgov.shared.actor import Actor

logger = structlog.get_logger()
_AT_ONCE = 5_000


@transaction.atomic
def take_in(*, actor: Actor, authority: bytes, crl: bytes, digest: str | None = None) -> int:
    """Take in a list of the outside authority with this certificate (PEM); returns how many rows it has.

    A list that is known already changes nothing. Problem `crl-refused` as in `engines.pki.revocation.take_in`.
    """
    certificate = certificates.from_pem(authority)
    issuer = revocation.issuer_id(certificate)
    row = OutsideAuthority.objects.select_for_update().filter(issuer=issuer).first()
    found = revocation.take_in(crl, certificate, digest=digest, known=_head(row) if row else None)
    if found is None:
        return OutsideRevocation.objects.filter(issuer=issuer).count()
    head = found.head
    OutsideAuthority.objects.update_or_create(
        issuer=issuer,
        defaults={
            "name": certificates.common_name(certificate),
            "certificate": authority.decode(),
            "number": "" if head.number is None else str(head.number),
            "this_update": head.this_update,
            "next_update": head.next_update,
            "digest": head.digest,
        },
    )
    OutsideRevocation.objects.filter(issuer=issuer).delete()
    rows = found.rows()
    while part := list(islice(rows, _AT_ONCE)):
        OutsideRevocation.objects.bulk_create(
            OutsideRevocation(issuer=issuer, serial=str(one.serial), at=one.at, reason=one.reason) for one in part
        )
    audit.record(actor=actor, action="outside_list.taken_in", object_type="outside_list", object_id=issuer)
    logger.info("outside_list_taken_in", issuer=issuer, number=head.number, rows=len(found))
    return len(found)


def authorities() -> list[x509.Certificate]:
    """The outside authorities that are trusted here."""
    return [certificates.from_pem(row.certificate.encode()) for row in OutsideAuthority.objects.order_by("issuer")]


def finding(
    certificate: x509.Certificate,
    authority: x509.Certificate,
    now: datetime,
    signed_at: datetime | None,
    policy: Policy,
) -> Finding | None:
    """What the rows say about a certificate; None for an authority of which no list was taken in."""
    issuer = revocation.issuer_id(authority)
    known = OutsideAuthority.objects.filter(issuer=issuer).first()
    if known is None or (head := _head(known)) is None:
        return None
    row = OutsideRevocation.objects.filter(issuer=issuer, serial=str(certificate.serial_number)).first()
    found = None if row is None else Revocation(int(row.serial), row.at, row.reason)
    return revocation.judge(head, found, now=now, policy=policy, signed_at=signed_at)


def _head(row: OutsideAuthority) -> Head | None:
    if row.this_update is None:
        return None
    number = int(row.number) if row.number else None
    return Head(row.issuer, number, row.this_update, row.next_update, row.digest)
