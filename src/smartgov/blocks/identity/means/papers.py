"""Signing a document with the state's certificate: the same couriers, but the key signs the paper. Fails closed.

Whoever lays out the signature needs the certificate first, so only one that was used to sign in here can sign. Between
laying out and taking the signature nothing of it is believed: the certificate must be the bound one, still trusted, and
known to be good now. The caller keeps `Begun` (it names the person) and settles it once.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from cryptography import x509
from django.conf import settings

from smartgov.blocks.identity import domain
from smartgov.blocks.identity.means import answers, connected, refusals, standing
from smartgov.blocks.identity.models import Account, CitizenCertificate
from smartgov.blocks.identity.ports import Asked, Opened, Paper
from smartgov.engines.pki import certificates, citizen, revocation
from smartgov.engines.pki.revocation import Finding
from smartgov.engines.pki.signing import Evidence
from smartgov.shared import clock
from smartgov.shared.sealed import blind_index

LIFE = timedelta(minutes=5)
"""How long a person has to read, find the card, and type the PIN."""
TEXT = {"en": "Sign the document shown. It binds you.", "zh": "簽署所示文件，簽署後即生效力。"}


@dataclass(frozen=True, slots=True)
class SigningCertificate:
    """What a person can sign with: the means, the certificate, and its authority's."""

    means: str
    certificate: x509.Certificate
    issuer: x509.Certificate


@dataclass(frozen=True, slots=True)
class Begun:
    """A paper that was sent to be signed: what the page shows, and what settling it needs."""

    subject: str
    means: str
    number: str
    opened: Opened
    paper: Paper
    until: datetime
    pause: int = 0
    """Seconds that the means wants between two looks."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One means of the state, and whether a person can sign with it here: `lack` is empty, or says what is missing."""

    means: str
    lack: Literal["", "not-connected", "not-linked", "expired", "not-trusted"]
    issuer: str = ""
    until: datetime | None = None


def offers(subject: str) -> list[Offer]:
    """Every means of the state, for the page on which a person chooses. Nobody is asked: `begin` does that."""
    able, ready = ways(subject), connected.ready()
    return [_offer(subject, means, able.get(means), ready) for means in (connected.CARD, connected.TWFIDO)]


def _offer(subject: str, means: str, able: SigningCertificate | None, ready: list[str]) -> Offer:
    if able is not None:
        name = certificates.common_name(able.issuer)
        return Offer(means, "", name, able.certificate.not_valid_after_utc)
    if means not in ready:
        return Offer(means, "not-connected")
    row = CitizenCertificate.objects.filter(account__subject=subject, account__is_active=True, means=means).last()
    if row is None:
        return Offer(means, "not-linked")
    until = certificates.from_pem(row.certificate.encode()).not_valid_after_utc
    return Offer(means, "expired" if until < clock.now() else "not-trusted", until=until)


def certificates_of(subject: str) -> list[SigningCertificate]:
    """What the person can sign with now: bound here, by an authority that is trusted, in force. Nothing is asked."""
    ready, anchors, found = connected.ready(), connected.current().certifier.anchors(), []
    for row in CitizenCertificate.objects.filter(account__subject=subject, account__is_active=True, means__in=ready):
        certificate = certificates.from_pem(row.certificate.encode())
        try:
            issuer = citizen.require_issued(certificate, anchors, at=clock.now())
        except citizen.NotProvenError:
            continue
        found.append(SigningCertificate(row.means, certificate, issuer))
    return found


def begin(*, subject: str, means: str, paper: Paper, way: str = "push", back: str = "") -> Begun:
    """Send a paper. Problems: `sign-in-refused` without such a certificate, those of `standing.require_good`."""
    signer = _signer(subject, means)
    standing.require_good(signer.certificate, signer.issuer)
    now = clock.now()
    asked = Asked(
        origin=settings.ORIGIN,
        nonce=secrets.token_urlsafe(32),
        number=f"{secrets.randbelow(90) + 10}",
        text=TEXT,
        begun=now,
        until=now + LIFE,
        way=way,
        back=back,
        national_id=Account.objects.get(subject=subject).national_id if means == connected.TWFIDO else "",
        paper=paper,
    )
    courier = connected.current().means[means]
    return Begun(subject, means, asked.number, courier.open(asked), paper, asked.until, courier.pause)


def look(begun: Begun, delivered: bytes = b"") -> str:
    """What has come back, as text to be kept for `take`; empty while the person has not acted. Problem `means-expired`.

    Not to be asked again once it has answered, nor more often than every `begun.pause` seconds.
    """
    if clock.now() >= begun.until:
        raise refusals.refused("expired")
    answer = connected.current().means[begun.means].read(begun.opened.kept, delivered)
    return "" if answer.state == "waiting" else answers.frozen(answer)


def take(begun: Begun, kept: str) -> tuple[bytes, Evidence]:
    """The signature over the paper, and what shows later that its certificate was good.

    Problems: those of `refusals.refused`; `certificate-revoked`; `certificate-standing-unknown`, because a signature is
    not taken while nobody can say whether the certificate is good.
    """
    if clock.now() >= begun.until:
        raise refusals.refused("expired")
    answer = answers.thawed(kept)
    if answer.state == "refused":
        raise refusals.refused(answer.reason)
    signer = _signer(begun.subject, begun.means)
    try:
        if answer.certificate != certificates.der(signer.certificate):
            raise citizen.NotProvenError("another certificate signed")
        citizen.require_signed(signer.certificate, answer.signature, begun.paper.to_sign)
    except citizen.NotProvenError:
        raise refusals.refused("not-genuine") from None
    return answer.signature, standing.evidence(signer.certificate, signer.issuer)


def settle(begun: Begun, delivered: bytes = b"") -> bytes | None:
    """`look` and `take` at once: the signature, or None while the person has not acted."""
    kept = look(begun, delivered)
    return take(begun, kept)[0] if kept else None


def anchors() -> list[x509.Certificate]:
    """The state's authorities whose certificates are trusted here; none when no means is connected."""
    return list(connected.current().certifier.anchors()) if connected.ready() else []


def finding(certificate: x509.Certificate, issuer: x509.Certificate, signed_at: datetime | None) -> Finding | None:
    """What the state's authority says now of a certificate; None of another authority's, and when nobody answers."""
    if issuer not in anchors():
        return None
    found = standing.of(certificate, issuer, signed_at)
    return None if found.status == "unknown" else found


def subject_of(certificate: x509.Certificate) -> str | None:
    """Whose certificate of the state this is, if it was linked here; for asking whether a mandate was the signer's."""
    try:
        issuer = citizen.require_issued(certificate, anchors(), at=certificate.not_valid_before_utc)
        number = citizen.holder_of(certificate).serial
    except citizen.NotProvenError:
        return None
    found = CitizenCertificate.objects.filter(
        authority=revocation.issuer_id(issuer),
        number_index=blind_index(number, "identity.citizen_certificate.number"),
    )
    return found.values_list("account__subject", flat=True).first()


def ways(subject: str) -> Mapping[str, SigningCertificate]:
    """The same as `certificates_of`, by means."""
    return {one.means: one for one in certificates_of(subject)}


def _signer(subject: str, means: str) -> SigningCertificate:
    found = ways(subject).get(means)
    if found is None:
        raise domain.sign_in_refused()
    return found
