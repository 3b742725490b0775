"""Known and trusted browsers: a random secret in a cookie, bound to the person and to the kind of browser.

A trusted browser is known, never believed: it replaces no factor (NIST SP 800-63B knows no remembered browser). It
gives its person three things: no national id to type, tries of its own that strangers cannot use up, and no notice of
a new browser. A copied cookie in a browser of another kind counts for nothing and ends the trust.
"""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from smartgov.blocks.audit import api as audit
from smartgov.blocks.identity import domain
from smartgov.blocks.identity.models import Account, KnownBrowser
from smartgov.blocks.identity.people import places, telling
from smartgov.shared import clock
from smartgov.shared.actor import Actor
from smartgov.shared.sealed import blind_index

COOKIE = f"{settings.SESSION_COOKIE_NAME}_known"
COOKIE_AGE = timedelta(days=180)
TRUSTED_FOR = timedelta(days=30)
_FRESH = "_smartgov_known_browser"


def label(request: HttpRequest) -> str:
    """The kind of browser, in one or two words; the full header would be a fingerprint."""
    agent = request.headers.get("User-Agent", "")
    system = next((name for name in ("Android", "iPhone", "iPad", "Windows", "Mac OS", "Linux") if name in agent), "")
    browser = next((name for name in ("Firefox", "Edg", "Chrome", "Safari") if name in agent), "")
    return " ".join(filter(None, ({"Edg": "Edge"}.get(browser, browser), system)))


def met(request: HttpRequest, account: Account) -> bool:
    """Note that this person has signed in with this browser; True when it had not been seen with them before.

    The very first browser of an account is no news to anybody.
    """
    brought = request.COOKIES.get(COOKIE, "")
    secret = brought or secrets.token_urlsafe(32)
    setattr(request, _FRESH, secret)
    now, kind = clock.now(), label(request)
    row = KnownBrowser.objects.filter(account=account, browser=_digest(secret)).first() if brought else None
    if row is not None and row.label == kind:
        KnownBrowser.objects.filter(id=row.id).update(last_at=now, place=places.of(request))
        return False
    first = not KnownBrowser.objects.filter(account=account).exists()
    found = {"label": kind, "place": places.of(request), "last_at": now, "trusted_until": None}
    if row is not None:
        KnownBrowser.objects.filter(id=row.id).update(**found)
    else:
        KnownBrowser.objects.create(account=account, browser=_digest(secret), **found)
    if not first:
        telling.tell(account, "new_browser")
    return not first


def remember(request: HttpRequest, response: HttpResponse) -> None:
    """Set the cookie of the browser that `met` has noted."""
    secret = getattr(request, _FRESH, None)
    if secret is not None:
        response.set_cookie(
            COOKIE,
            secret,
            max_age=COOKIE_AGE,
            httponly=True,
            samesite="Lax",
            secure=settings.SESSION_COOKIE_SECURE,
        )


def present(request: HttpRequest, account: Account) -> KnownBrowser | None:
    """This browser as the account knows it."""
    secret = getattr(request, _FRESH, None) or request.COOKIES.get(COOKIE, "")
    if not secret:
        return None
    return KnownBrowser.objects.filter(account=account, browser=_digest(secret), label=label(request)).first()


def trusted(request: HttpRequest) -> list[Account]:
    """The people who trust this browser; it proves none of them."""
    secret = request.COOKIES.get(COOKIE, "")
    if not secret:
        return []
    rows = KnownBrowser.objects.filter(
        browser=_digest(secret), label=label(request), trusted_until__gt=clock.now(), account__is_active=True
    )
    return [row.account for row in rows.select_related("account").order_by("-last_at")[:5]]


def trusts(request: HttpRequest, account: Account | None) -> KnownBrowser | None:
    """The row by which this person trusts this browser now."""
    found = present(request, account) if account else None
    return found if found and found.trusted_until and found.trusted_until > clock.now() else None


@transaction.atomic
def trust(request: HttpRequest, *, actor: Actor, account: Account) -> None:
    """Trust this browser for thirty days."""
    found = present(request, account)
    if found is None:
        raise domain.person_unknown()
    KnownBrowser.objects.filter(id=found.id).update(trusted_until=clock.now() + TRUSTED_FOR)
    _note(actor, account, "browser.trusted", found.id)


@transaction.atomic
def forget(*, actor: Actor, account: Account, browser: str) -> None:
    """Forget one browser of this person; it will be new the next time."""
    if not KnownBrowser.objects.filter(account=account, id=browser).delete()[0]:
        raise domain.person_unknown()
    _note(actor, account, "browser.forgotten", browser)


def of(account: Account) -> list[KnownBrowser]:
    """The browsers of a person, the latest first."""
    return list(KnownBrowser.objects.filter(account=account).order_by("-last_at"))


def _digest(secret: str) -> str:
    return blind_index(secret, "identity.known_browser")


def _note(actor: Actor, account: Account, action: str, browser: str) -> None:
    detail = {"browser": browser}
    audit.record(actor=actor, action=action, object_type="account", object_id=account.subject, detail=detail)
