"""Officers' passwords: Argon2id, never alone. Citizens have none, and a country may do without (the default).

Both factors are sent at once, so that nobody learns which was wrong. Who fails five times waits fifteen minutes; tries
of strangers are counted apart from those in a browser that the person trusts, and neither ever touches passkeys.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

import structlog
from argon2 import PasswordHasher, Type
from argon2.exceptions import VerificationError
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest

from smartgov.blocks.audit import api as audit
from smartgov.blocks.identity import accounts, domain, throttle
from smartgov.blocks.identity.models import Account, Password, SignIn
from smartgov.blocks.identity.people import authenticator_app, breached, browsers, codes, places, policy, telling
from smartgov.blocks.ops.api import neighbour_of
from smartgov.shared.actor import Actor
from smartgov.shared.settings import get_bool
from smartgov.shared.text import Text

LIMIT = 5
ENOUGH = 100
"""Failures without a success after which strangers' tries are no longer heard (NIST SP 800-63B-4 section 3.2.2)."""
TOLD_AT = 3
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, type=Type.ID)
T = TypeVar("T")
logger = structlog.get_logger()


def are_used() -> bool:
    """Whether officers of this country may have passwords."""
    return get_bool("SMARTGOV_OFFICER_PASSWORDS")


def may_have(account: Account) -> bool:
    """Whether this person may have one: an officer, where they are used at all."""
    return are_used() and bool(accounts.seats_of(account.subject))


def of(account: Account) -> Password | None:
    """The password of this person, if there is one."""
    return Password.objects.filter(account=account).first()


@transaction.atomic
def set_new(*, actor: Actor, account: Account, present: str, password: str) -> dict[str, Text]:
    """Set or change the password; what stands against it, by field (empty: it was set).

    A change needs the present one; who forgot it removes it and sets a new one, after signing in by another means.
    """
    if not may_have(account) or authenticator_app.of(account) is None:
        raise domain.permission_missing()
    row = of(account)
    if row is not None and not _matches(row, present):
        return {"present": Text("This is not your present password.", "與目前的密碼不符。")}
    words = [account.name, *account.email.replace("@", ".").split("."), account.national_id]
    words += [seat.agency for seat in accounts.seats_of(account.subject)]
    if against := policy.objection(password, words=words, is_listed=breached.is_listed):
        return {"password": against}
    Password.objects.filter(account=account).delete()
    Password.objects.create(account=account, hash=_HASHER.hash(password))
    _note(actor, account, "password.set")
    telling.tell(account, "password_set")
    return {}


@transaction.atomic
def remove(*, actor: Actor, account: Account) -> None:
    """Remove the password."""
    if Password.objects.filter(account=account).delete()[0]:
        _note(actor, account, "password.removed")
        telling.tell(account, "means_removed")


def sign_in(request: HttpRequest, *, national_id: str, password: str, code: str, opened: Callable[[Account], T]) -> T:
    """What `opened` gives for the officer whose password and second factor these are, in the transaction that spends
    the code: a code is spent by the session that it opens. Problem `sign-in-refused` says no more than that.
    """
    if not are_used():
        raise domain.permission_missing()
    address = neighbour_of(request)
    throttle.require_calm(address)
    account = Account.objects.filter(national_id_index=accounts.national_id_index(national_id), is_active=True).first()
    trusted = browsers.trusts(request, account)
    whose = f"browser {trusted.id}" if trusted else f"stranger {national_id}"
    throttle.count("password", whose, limit=LIMIT)
    row = _known(account, password, heard=trusted is not None)
    if account is not None and row is not None:
        with transaction.atomic():
            if authenticator_app.take(account, code) or codes.take(account, code):
                throttle.forgive("password", whose)
                if row.failures:
                    Password.objects.filter(id=row.id).update(failures=0)
                return opened(account)
    throttle.failed(address)
    _refused(request, account)
    raise domain.password_refused()


def _known(account: Account | None, password: str, *, heard: bool) -> Password | None:
    """The row whose password this is, hashed as we hash today; the same work is done when there is none."""
    row = of(account) if account and may_have(account) else None
    if not _matches(row, password) or row is None or (row.failures >= ENOUGH and not heard):
        return None
    if _HASHER.check_needs_rehash(row.hash):
        Password.objects.filter(id=row.id).update(hash=_HASHER.hash(password))
    return row


def _matches(row: Password | None, password: str) -> bool:
    """Whether the password is right; without one, the same work is done for nothing."""
    try:
        _HASHER.verify(row.hash if row else _nobodys(), password)
    except VerificationError:
        return False
    return row is not None


@lru_cache(maxsize=1)
def _nobodys() -> str:
    return _HASHER.hash("nobody's")


@transaction.atomic
def _refused(request: HttpRequest, account: Account | None) -> None:
    """Note a failed try for the person whom it named, and tell them of the third."""
    logger.warning("sign_in_refused", method="password")
    if account is None or of(account) is None:
        return
    Password.objects.filter(account=account).update(failures=F("failures") + 1)
    SignIn.objects.create(
        account=account,
        method="password",
        assurance=0,
        device=browsers.label(request),
        place=places.of(request),
        refused=True,
    )
    row = of(account)
    if row is not None and row.failures % LIMIT == TOLD_AT:
        telling.tell(account, "refused_tries")


def _note(actor: Actor, account: Account, action: str) -> None:
    audit.record(actor=actor, action=action, object_type="account", object_id=account.subject)
