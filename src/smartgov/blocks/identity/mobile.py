"""Sign-in with the mobile identity: our page shows a number, the phone shows it too and signs what the person approved.

The signature covers our origin, a nonce of ours, the number, the text and the time. A request belongs to one browser,
lives 120 seconds and opens one session.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from django.conf import settings
from django.db import transaction

from smartgov.blocks.identity import accounts, domain, throttle
from smartgov.blocks.identity.models import Account, LoginRequest, MobileKey
from smartgov.blocks.identity.ports import Answer, Asked, Means
from smartgov.shared import clock, ids
from smartgov.shared.sealed import blind_index
from smartgov.shared.tw import national_id as nid

TEXT = {"en": "Sign in to the smart government platform", "zh": "登入智慧政府服務平臺"}
# The ticket of a request that reaches no phone, because nobody known was named.
_NOBODY = "nobody-"
logger = structlog.get_logger()
__all__ = ["LoginRequest", "answer", "begin", "find", "is_over", "is_waiting", "register_service", "service_replaced"]
_services: list[tuple[Means, Means]] = []


def register_service(push: Means, code: Means) -> None:
    """Set the two ways to a person's phone: a request that appears on it, and one whose code it scans."""
    _services[:] = [(push, code)]


@contextmanager
def service_replaced(push: Means, code: Means | None = None) -> Iterator[None]:
    """Use these within a block of a test; one may stand for both."""
    pair = (push, code or push)
    _services.append(pair)
    try:
        yield
    finally:
        _services.remove(pair)


def _way(*, pushed: bool) -> Means:
    push, code = _services[-1]
    return push if pushed else code


def _read(login: LoginRequest) -> Answer:
    return _way(pushed=login.account_id is not None).read({"ticket": login.ticket}, b"")


def begin(*, browser: str, national_id: str = "", trusting: Account | None = None, whose: str = "") -> LoginRequest:
    """Open a request for this browser: a code to scan, or a push to the phone of the person with `national_id`.

    An unknown national id gets the same page and simply no answer, so that nobody learns who has an account. A browser
    that its person trusts names them by `trusting`, and has tries of its own (`whose`).
    """
    if trusting is not None:
        throttle.count("push", whose)
    account = trusting or (_account_for(national_id) if national_id else None)
    nonce, number = secrets.token_urlsafe(32), f"{secrets.randbelow(90) + 10}"
    now, ticket, show = clock.now(), _NOBODY + ids.uuid7(), ""
    if account or not national_id:
        keys = account.mobile_keys.filter(suspended_at=None).values_list("key_id", flat=True) if account else ()
        until = now + domain.LOGIN_LIFETIME
        asked = Asked(settings.ORIGIN, nonce, number, TEXT, begun=now, until=until, key_ids=tuple(keys))
        opened = _way(pushed=account is not None).open(asked)
        ticket, show = opened.kept["ticket"] or ticket, opened.code
    return LoginRequest.objects.create(
        browser=_browser(browser),
        nonce=nonce,
        number=number,
        text=TEXT,
        ticket=ticket,
        show=show,
        account=account,
        created_at=now,
        expires_at=now + domain.LOGIN_LIFETIME,
    )


def _account_for(national_id: str) -> Account | None:
    throttle.count("push", national_id)
    if not nid.is_valid(national_id):
        return None
    index = accounts.national_id_index(national_id)
    return Account.objects.filter(national_id_index=index, is_active=True, mobile_keys__isnull=False).first()


def find(*, login: str, browser: str) -> LoginRequest | None:
    """The request of this browser, or None."""
    return LoginRequest.objects.filter(id=login, browser=_browser(browser)).first()


def is_over(login: LoginRequest) -> bool:
    """Whether the request can no longer be approved."""
    return login.used_at is not None or login.expires_at <= clock.now()


def is_waiting(login: LoginRequest) -> bool:
    """Whether the phone has still to answer; changes nothing."""
    if is_over(login) or login.ticket.startswith(_NOBODY):
        return not is_over(login)
    return _read(login).state == "waiting"


def answer(login: LoginRequest) -> MobileKey | None:
    """The phone's key, with its account, once it has approved; None while it waits; Problem `sign-in-refused` else."""
    if is_over(login):
        raise domain.sign_in_refused()
    if login.ticket.startswith(_NOBODY):
        return None
    approval = _read(login)
    if approval.state == "waiting":
        return None
    if approval.state == "refused":
        raise domain.sign_in_refused()
    return _accept(login, approval)


@transaction.atomic
def _accept(login: LoginRequest, approval: Answer) -> MobileKey:
    usable = MobileKey.objects.filter(key_id=approval.key_id, account__is_active=True, suspended_at=None)
    key = usable.select_related("account").first()
    if key is None or (login.account_id and login.account_id != key.account_id):
        raise _refused(login, "another key")
    if not domain.is_fresh(issued=approval.issued, created_at=login.created_at, now=clock.now()):
        raise _refused(login, "signed at another time")
    if not _is_signed(login, approval, key.public_jwk):
        raise _refused(login, "signature does not match")
    unused = LoginRequest.objects.filter(id=login.id, used_at__isnull=True)
    if not unused.update(used_at=clock.now()):
        raise _refused(login, "used before")
    MobileKey.objects.filter(id=key.id).update(used_at=clock.now())
    if key.account.national_id:
        throttle.forgive("push", key.account.national_id)
    return key


def _refused(login: LoginRequest, reason: str) -> Exception:
    logger.warning("sign_in_refused", method="mobile", login=login.id, reason=reason)
    return domain.sign_in_refused()


def _is_signed(login: LoginRequest, approval: Answer, jwk: dict[str, str]) -> bool:
    content = domain.signed_content(
        origin=settings.ORIGIN, nonce=login.nonce, number=login.number, text=login.text, issued=approval.issued
    )
    try:
        domain.public_key(jwk).verify(approval.signature, content, ec.ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def _browser(secret: str) -> str:
    return blind_index(secret, "identity.login.browser")
