"""Signing in with a certificate: a request of ours is opened, answered by the person's own key, and used once.

The answer has to be a signature by a certificate of a trusted authority over our origin, a nonce of ours, the number
and the text. Which account it is: the one that this certificate's number was bound to before; the first time the person
names herself, and the authority confirms it. The number in the certificate is never the national id.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass

import structlog
from cryptography import x509
from django.conf import settings
from django.db import transaction
from django.urls import reverse

from smartgov.blocks.audit import api as audit
from smartgov.blocks.identity import accounts, domain, throttle
from smartgov.blocks.identity.means import answers, connected, refusals, standing
from smartgov.blocks.identity.models import Account, CitizenCertificate, Proving
from smartgov.blocks.identity.ports import Answer, Asked, Opened
from smartgov.engines.pki import certificates, citizen, revocation
from smartgov.shared import clock, ids
from smartgov.shared.actor import Actor
from smartgov.shared.sealed import blind_index
from smartgov.shared.tw import national_id as nid

logger = structlog.get_logger()
__all__ = [
    "PersonWantedError",
    "Proven",
    "Proving",
    "answer",
    "begin",
    "confirm",
    "deliver",
    "find",
    "is_over",
    "opened",
]
TEXT = {"en": "Sign in to the smart government platform", "zh": "登入智慧政府服務平臺"}
LEVELS = {connected.CARD: 3, connected.TWFIDO: 2}
"""What each means is worth when the certificate is known to be good: a PIN on hardware, an app on a phone."""
UNSURE = 2


@dataclass(frozen=True, slots=True)
class Proven:
    """Who it is, and what the proof was worth."""

    account: Account
    means: str
    level: int


class PersonWantedError(Exception):
    """The certificate is good and seen for the first time: the person has to say whose it is."""


def begin(*, means: str, browser: str, national_id: str = "", way: str = "") -> Proving:
    """Open a request for this browser. TW FidO has to be told whom it is for; a card says so itself.

    An unknown national id gets the same page and no answer, so that nobody learns who has an account.
    """
    account = _account_for(national_id) if means == connected.TWFIDO else None
    now = clock.now()
    row = Proving(
        id=ids.uuid7(),
        browser=_browser(browser),
        means=means,
        way=way,
        nonce=secrets.token_urlsafe(32),
        number=f"{secrets.randbelow(90) + 10}",
        text=TEXT,
        account=account,
        created_at=now,
        expires_at=now + domain.LOGIN_LIFETIME,
    )
    opened = connected.current().means[means].open(_asked(row, national_id if account else ""))
    row.opened = json.dumps(asdict(opened), ensure_ascii=False)
    row.save()
    return row


def _account_for(national_id: str) -> Account | None:
    throttle.count("twfido", national_id)
    if not nid.is_valid(national_id):
        return None
    return Account.objects.filter(national_id_index=accounts.national_id_index(national_id), is_active=True).first()


def _asked(row: Proving, national_id: str = "") -> Asked:
    return Asked(
        origin=settings.ORIGIN,
        nonce=row.nonce,
        number=row.number,
        text=row.text,
        begun=row.created_at,
        until=row.expires_at,
        way=row.way,
        back=settings.ORIGIN + reverse("identity:prove-answer", args=[row.id])
        if row.means == connected.CARD
        else settings.ORIGIN + reverse("identity:prove", args=[row.id]),
        national_id=national_id,
    )


def find(*, proving: str, browser: str) -> Proving | None:
    """The request of this browser, or None."""
    return Proving.objects.filter(id=proving, browser=_browser(browser)).first()


def opened(row: Proving) -> Opened:
    """What the page shows of it."""
    return Opened(**json.loads(row.opened))


def is_over(row: Proving) -> bool:
    """Whether it can no longer be answered."""
    return row.used_at is not None or row.expires_at <= clock.now()


def cancel(row: Proving) -> None:
    """End it without an answer; one that comes later is not taken."""
    Proving.objects.filter(id=row.id, used_at__isnull=True).update(used_at=clock.now())


def deliver(*, proving: str, answer: str) -> bool:
    """Keep what a browser brought from the helper; only the page that began it acts on it. False when it is over."""
    row = Proving.objects.filter(id=proving, means=connected.CARD).first()
    if row is None or is_over(row) or row.delivered:
        return False
    row.delivered = answer
    row.save(update_fields=["delivered"])
    return True


def is_waiting(row: Proving) -> bool:
    """Whether there is no answer yet; changes nothing but the time of the last look."""
    return not is_over(row) and _read(row).state == "waiting"


def answer(row: Proving) -> Proven | None:
    """Who answered, or None while nobody has. PersonWantedError when the person must say who she is.

    Problems: `sign-in-refused`, `certificate-revoked`, and those of `refusals.refused`.
    """
    if is_over(row):
        raise domain.sign_in_refused()
    found = _read(row)
    if found.state == "waiting":
        return None
    if found.state == "refused":
        cancel(row)
        raise refusals.refused(found.reason)
    certificate, issuer, sure = _certificate(row, found)
    bound = _bound(row.means, certificate, issuer)
    if bound is None and row.account is None:
        raise PersonWantedError
    if bound is None:
        assert row.account is not None
        bound = _bind(row, row.account, certificate, issuer)
    elif row.account is not None and bound.account_id != row.account_id:
        raise _refused(row, "the certificate is another person's")
    return _accept(row, bound, certificate, sure=sure)


def confirm(row: Proving, national_id: str) -> Proven:
    """The person says whose certificate it is; Problem `certificate-of-another` unless the authority confirms it."""
    found = _read(row)
    if is_over(row) or found.state != "given":
        raise domain.sign_in_refused()
    certificate, issuer, sure = _certificate(row, found)
    throttle.count("certificate", citizen.holder_of(certificate).serial)
    index = accounts.national_id_index(national_id)
    account = Account.objects.filter(national_id_index=index, is_active=True).first() if national_id else None
    if account is None:
        raise refusals.another_person()
    return _accept(row, _bind(row, account, certificate, issuer), certificate, sure=sure)


def _read(row: Proving) -> Answer:
    """The answer. A service is not asked again after it has answered, nor more often than it wants to be."""
    means, now = connected.current().means[row.means], clock.now()
    if not means.pause:
        return means.read(opened(row).kept, row.delivered.encode())
    if row.delivered:
        return answers.thawed(row.delivered)
    if row.looked_at is not None and (now - row.looked_at).total_seconds() < means.pause:
        return Answer("waiting")
    found = means.read(opened(row).kept, b"")
    row.looked_at, row.delivered = now, "" if found.state == "waiting" else answers.frozen(found)
    row.save(update_fields=["looked_at", "delivered"])
    return found


def _certificate(row: Proving, found: Answer) -> tuple[x509.Certificate, x509.Certificate, bool]:
    """The certificate whose key answered, its authority, and whether it is known to be good."""
    content = _asked(row).content()
    try:
        certificate = signer_of(found, content)
        issuer = citizen.require_issued(certificate, connected.current().certifier.anchors(), at=clock.now())
        citizen.holder_of(certificate)
    except citizen.NotProvenError as error:
        raise _refused(row, str(error)) from None
    return certificate, issuer, standing.require_not_revoked(certificate, issuer)


def signer_of(found: Answer, content: bytes) -> x509.Certificate:
    """The certificate whose key signed `content`; NotProvenError."""
    if found.message:
        return citizen.opened(found.message, content)
    try:
        certificate = certificates.from_der(found.certificate)
    except Exception:  # what a service calls a certificate may fail anywhere in the parser
        raise citizen.NotProvenError("there is no certificate") from None
    citizen.require_signed(certificate, found.signature, content)
    return certificate


def _bound(means: str, certificate: x509.Certificate, issuer: x509.Certificate) -> CitizenCertificate | None:
    found = CitizenCertificate.objects.filter(
        means=means,
        authority=revocation.issuer_id(issuer),
        number_index=_number_index(certificate),
        account__is_active=True,
    )
    return found.select_related("account").first()


@transaction.atomic
def _bind(
    row: Proving, account: Account, certificate: x509.Certificate, issuer: x509.Certificate
) -> CitizenCertificate:
    """Bind the authority's number to an account, after the authority has said that they are one person."""
    holder = citizen.holder_of(certificate)
    same = bool(account.national_id) and account.national_id[-4:] == holder.last_four
    if not same or not connected.current().certifier.confirms(holder.serial, account.national_id):
        logger.warning("sign_in_refused", method=row.means, proving=row.id, reason="not confirmed")
        raise refusals.another_person()
    made, _ = CitizenCertificate.objects.update_or_create(
        means=row.means,
        authority=revocation.issuer_id(issuer),
        number_index=_number_index(certificate),
        defaults={"account": account, "certificate": certificates.pem(certificate).decode()},
    )
    audit.record(
        actor=Actor("citizen", subject=account.subject),
        action="certificate.bound",
        object_type="account",
        object_id=account.subject,
        detail={"means": row.means},
    )
    return made


@transaction.atomic
def _accept(row: Proving, bound: CitizenCertificate, certificate: x509.Certificate, *, sure: bool) -> Proven:
    if not Proving.objects.filter(id=row.id, used_at__isnull=True).update(used_at=clock.now()):
        raise _refused(row, "used before")
    bound.certificate, bound.used_at = certificates.pem(certificate).decode(), clock.now()
    bound.save(update_fields=["certificate", "used_at"])
    if bound.account.national_id:
        throttle.forgive("twfido", bound.account.national_id)
    level = LEVELS[row.means] if sure else min(UNSURE, LEVELS[row.means])
    return Proven(bound.account, row.means, level)


def _refused(row: Proving, reason: str) -> Exception:
    logger.warning("sign_in_refused", method=row.means, proving=row.id, reason=reason)
    return domain.sign_in_refused()


def _number_index(certificate: x509.Certificate) -> str:
    return blind_index(citizen.holder_of(certificate).serial, "identity.citizen_certificate.number")


def _browser(secret: str) -> str:
    return blind_index(secret, "identity.proving.browser")
