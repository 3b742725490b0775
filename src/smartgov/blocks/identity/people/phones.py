"""A new phone in a recovery: it scans a code, shows its public key and signs the invitation with it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from django.conf import settings
from django.db import transaction

from smartgov.blocks.audit import api as audit
from smartgov.blocks.identity import domain
from smartgov.blocks.identity.models import MobileKey, Recovery
from smartgov.blocks.identity.people import recovery, telling
from smartgov.blocks.identity.ports import Enrolment, PhoneEnrolment
from smartgov.shared import canonical, clock
from smartgov.shared.actor import Actor

TEXT = {"en": "Make this phone yours at the smart government platform", "zh": "將這支手機登錄為您的行動身分"}
TASK = {"kind": "enrol"}
_services: list[PhoneEnrolment] = []


def register_service(service: PhoneEnrolment) -> None:
    """Set the service of this process (`apps.py` does it)."""
    _services[:] = [service]


@contextmanager
def service_replaced(service: PhoneEnrolment) -> Iterator[None]:
    """Use `service` within a block of a test."""
    _services.append(service)
    try:
        yield
    finally:
        _services.remove(service)


def invite(row: Recovery) -> None:
    """Open an invitation for a proven recovery, or go on with the one that still waits."""
    recovery.require_proven(row)
    if row.invited and datetime.fromisoformat(row.invited["until"]) > clock.now():
        return
    nonce, number = secrets.token_urlsafe(32), f"{secrets.randbelow(90) + 10}"
    opened = _services[-1].invite(origin=settings.ORIGIN, nonce=nonce, number=number, text=TEXT)
    row.invited = {
        "ticket": opened.id,
        "show": opened.show,
        "nonce": nonce,
        "number": number,
        "from": clock.now().isoformat(),
        "until": (clock.now() + domain.LOGIN_LIFETIME).isoformat(),
    }
    row.save(update_fields=["invited"])


def arrived(row: Recovery) -> bool:
    """Whether the phone has accepted: then it is enrolled. Problem `sign-in-refused` when it proves nothing."""
    recovery.require_proven(row)
    if not row.invited:
        return False
    answer = _services[-1].enrolled(row.invited["ticket"])
    if answer.state == "waiting":
        return False
    if answer.state == "refused" or not _is_signed(row, answer):
        _withdraw(row)
        raise domain.sign_in_refused()
    _enrol(row, answer)
    return True


def _is_signed(row: Recovery, answer: Enrolment) -> bool:
    assert row.invited is not None
    begun = datetime.fromisoformat(row.invited["from"])
    if answer.jwk is None or not domain.is_fresh(issued=answer.issued, created_at=begun, now=clock.now()):
        return False
    content = {name: row.invited[name] for name in ("nonce", "number")}
    signed = {**content, "origin": settings.ORIGIN, "text": TEXT, "issued": answer.issued, "task": TASK}
    try:
        domain.public_key(answer.jwk).verify(answer.signature, canonical.dumps(signed), ec.ECDSA(SHA256()))
    except (InvalidSignature, ValueError, KeyError):
        return False
    return True


@transaction.atomic
def _enrol(row: Recovery, answer: Enrolment) -> None:
    assert answer.jwk is not None
    account, key_id = recovery.require_proven(row), domain.thumbprint(answer.jwk)
    _withdraw(row)
    if MobileKey.objects.filter(key_id=key_id).exists():
        raise domain.sign_in_refused()
    public = {name: answer.jwk[name] for name in ("crv", "kty", "x", "y")}
    MobileKey.objects.create(
        account=account, key_id=key_id, public_jwk=public, cools_until=row.cooled_at, recovery=row.id
    )
    audit.record(
        actor=Actor("citizen", subject=account.subject, assurance=1),
        action="mobile_key.added",
        object_type="account",
        object_id=account.subject,
    )
    telling.tell(account, "means_added")


def _withdraw(row: Recovery) -> None:
    row.invited = None
    row.save(update_fields=["invited"])
