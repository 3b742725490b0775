"""Lists of outside authorities: taken in as rows, by their digest and never backwards, and asked like our own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import islice

import structlog
from cryptography import x509
from django.db import transaction

from smartgov.blocks.audit import api as audit
from smartgov.blocks.signing import domain, outside
from smartgov.blocks.signing.models import OutsideAuthority, OutsideRevocation
from smartgov.blocks.signing.office import require_office
from smartgov.blocks.signing.ports import Authority
from smartgov.engines.pki import certificates, deltas, revocation
from smartgov.engines.pki.authority import trail
from smartgov.engines.pki.revocation import Finding, Head, Policy, Revocation
from smartgov.shared import clock
from smartgov.shared.actor import Actor

logger = structlog.get_logger()
_AT_ONCE = 5_000


@transaction.atomic
def take_in(*, actor: Actor, authority: bytes, crl: bytes, digest: str | None = None) -> int:
    """Take in a list of the outside authority with this certificate (PEM); returns how many rows it has.

    A list that is known already changes nothing. A delta list changes the rows of the complete list that it starts
    from. Problem `crl-refused` as in `engines.pki.revocation.take_in` and `engines.pki.deltas.take_in`.
    """
    certificate = certificates.from_pem(authority)
    issuer = revocation.issuer_id(certificate)
    row = OutsideAuthority.objects.select_for_update().filter(issuer=issuer).first()
    if deltas.is_delta(crl):
        return _take_in_delta(actor, row, certificate, crl, digest)
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


def _take_in_delta(
    actor: Actor, row: OutsideAuthority | None, certificate: x509.Certificate, crl: bytes, digest: str | None
) -> int:
    """Lay a delta list on the rows that are known; how many there are then."""
    delta = deltas.take_in(crl, certificate, digest=digest, known=_head(row) if row else None)
    issuer, rows = delta.head.issuer, OutsideRevocation.objects.filter(issuer=delta.head.issuer)
    listed, gone = deltas.changes(delta)
    for part in (gone, [one.serial for one in listed]):
        for begin in range(0, len(part), 500):
            rows.filter(serial__in=[str(serial) for serial in part[begin : begin + 500]]).delete()
    made = [OutsideRevocation(issuer=issuer, serial=str(one.serial), at=one.at, reason=one.reason) for one in listed]
    OutsideRevocation.objects.bulk_create(made, batch_size=_AT_ONCE)
    OutsideAuthority.objects.filter(issuer=issuer).update(
        number=str(delta.head.number),
        this_update=delta.head.this_update,
        next_update=delta.head.next_update,
        digest=delta.head.digest,
    )
    audit.record(actor=actor, action="outside_list.taken_in", object_type="outside_list", object_id=issuer)
    logger.info("outside_delta_taken_in", issuer=issuer, number=delta.head.number, listed=len(listed), gone=len(gone))
    return rows.count()


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


@dataclass(frozen=True, slots=True)
class ListView:
    """A list in force: whose, its number, how many rows, when it was made and when the next one is due."""

    name: str
    number: str
    rows: int
    made_at: datetime
    next_update: datetime | None
    stale: bool


@dataclass(frozen=True, slots=True)
class TrailView:
    """An authority's trail: how many entries it has, and the first that is altered or missing, if any."""

    name: str
    entries: int
    flaw: int | None


@dataclass(frozen=True, slots=True)
class Overview:
    """Our authorities' lists and trails, and the lists of others that were taken in."""

    own: tuple[ListView, ...]
    trails: tuple[TrailView, ...]
    others: tuple[ListView, ...]


def overview(*, actor: Actor) -> Overview:
    """What the registration office watches over; each trail is checked from its first entry to its last."""
    require_office(actor)
    services = outside.current()
    own, trails = [], []
    for authority in (services.authority, services.seals):
        certificate = certificates.from_pem(authority.certificate())
        own.append(_own_list(authority.crl(), certificate))
        trails.append(_trail(authority, certificates.common_name(certificate)))
    others = tuple(_other_list(row) for row in OutsideAuthority.objects.order_by("name"))
    return Overview(tuple(own), tuple(trails), others)


def take_in_at_desk(*, actor: Actor, crl: bytes, digest: str = "") -> int:
    """An officer takes in a list of an authority that is known; see `take_in`.

    Problems `crl-refused`, `authority-unreadable` (422): whom to trust is not decided at a desk.
    """
    require_office(actor)
    return take_in(actor=actor, authority=_issuer_of(crl), crl=crl, digest=digest.strip() or None)


def _issuer_of(crl: bytes) -> bytes:
    """The certificate of the known authority that signed a list; Problem `authority-unreadable` for a new one's."""
    for row in OutsideAuthority.objects.order_by("issuer"):
        try:
            authority = certificates.from_pem(row.certificate.encode())
            (deltas if deltas.is_delta(crl) else revocation).read(crl, authority)
        except ValueError:
            continue
        return str(row.certificate).encode()
    raise domain.AUTHORITY_UNREADABLE


def _own_list(crl: bytes, certificate: x509.Certificate) -> ListView:
    found = revocation.read(crl, certificate)
    head = found.head
    number = "" if head.number is None else str(head.number)
    stale = Policy().is_stale(head, clock.now())
    return ListView(
        certificates.common_name(certificate), number, len(found), head.this_update, head.next_update, stale
    )


def _other_list(row: OutsideAuthority) -> ListView:
    head = _head(row)
    assert head is not None
    rows = OutsideRevocation.objects.filter(issuer=row.issuer).count()
    stale = Policy().is_stale(head, clock.now())
    return ListView(row.name, row.number, rows, head.this_update, head.next_update, stale)


def _trail(authority: Authority, name: str) -> TrailView:
    entries = authority.trail()
    return TrailView(name, len(entries), trail.first_flaw(entries, authority.trail_key()))
