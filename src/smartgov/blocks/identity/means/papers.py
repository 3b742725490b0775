"""Signing a document with the state's certificate: the same couriers, but the key signs the paper. Fails closed.

Whoever lays out the signature needs the certificate first, so only one that was used to sign in here can sign. Between
laying out and taking the signature nothing of it is believed: the certificate must be the bound one, still trusted, and
known to be good now. The caller keeps `Begun` (it names the person) and settles it once.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from django.conf import settings

from smartgov.blocks.identity import domain
from smartgov.blocks.identity.means import connected, refusals, standing
from smartgov.blocks.identity.models import Account, CitizenCertificate
from smartgov.blocks.identity.ports import Asked, Opened, Paper
from smartgov.engines.pki import certificates, citizen
from smartgov.shared import clock

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
        until=now + domain.LOGIN_LIFETIME,
        way=way,
        back=back,
        national_id=Account.objects.get(subject=subject).national_id if means == connected.TWFIDO else "",
        paper=paper,
    )
    opened = connected.current().means[means].open(asked)
    return Begun(subject, means, asked.number, opened, paper, asked.until)


def settle(begun: Begun, delivered: bytes = b"") -> bytes | None:
    """The signature over the paper, or None while the person has not acted.

    Problems: those of `refusals.refused`; `certificate-revoked`; `certificate-standing-unknown`, because a signature is
    not taken while nobody can say whether the certificate is good.
    """
    if clock.now() >= begun.until:
        raise refusals.refused("expired")
    answer = connected.current().means[begun.means].read(begun.opened.kept, delivered)
    if answer.state == "waiting":
        return None
    if answer.state == "refused":
        raise refusals.refused(answer.reason)
    signer = _signer(begun.subject, begun.means)
    try:
        if answer.certificate != certificates.der(signer.certificate):
            raise citizen.NotProvenError("another certificate signed")
        citizen.require_signed(signer.certificate, answer.signature, begun.paper.to_sign)
    except citizen.NotProvenError:
        raise refusals.refused("not-genuine") from None
    standing.require_good(signer.certificate, signer.issuer)
    return answer.signature


def ways(subject: str) -> Mapping[str, SigningCertificate]:
    """The same as `certificates_of`, by means."""
    return {one.means: one for one in certificates_of(subject)}


def _signer(subject: str, means: str) -> SigningCertificate:
    found = ways(subject).get(means)
    if found is None:
        raise domain.sign_in_refused()
    return found
