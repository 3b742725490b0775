"""Made-up persons for tests of every block: accounts, seats, and browsers that are signed in as them."""

from __future__ import annotations

from itertools import count

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client, RequestFactory

from smartgov.blocks.identity import api, keeping, sessions
from smartgov.blocks.identity.models import Account
from smartgov.shared.actor import Actor
from smartgov.shared.tw import national_id

SEEDER = Actor.for_system("portal", "tests")
_serials = count(1)


def a_person(name: str = "林美玲", email: str = "person@example.test") -> str:
    """Enrol a new person; returns the subject."""
    nid = national_id.make(next(_serials), 2)
    return api.enrol(actor=SEEDER, national_id=nid, name=name, email=email)


def a_seat(agency: str, role: str, subject: str | None = None) -> str:
    """Give a person (a new one by default) a seat; returns the seat's id."""
    return api.add_seat(actor=SEEDER, subject=subject or a_person(), agency=agency, role=role)


def signed_in_citizen(subject: str | None = None) -> Client:
    """A browser in which a citizen (a new one by default) is signed in."""
    return _signed_in(subject or a_person())


def signed_in_officer(agency: str, role: str, subject: str | None = None) -> Client:
    """A browser in which a person acts in a seat."""
    seat = a_seat(agency, role, subject)
    browser = _signed_in(api.person_of_seat(seat))
    answer = browser.post("/identity/seat", {"seat": seat})
    assert answer.status_code == 302
    return browser


def _signed_in(subject: str) -> Client:
    """Sign in through the block's own verb, as a proof of identity would; there is no route for it."""
    request = RequestFactory().get("/")
    request.session = SessionStore()
    sessions.sign_in(request, Account.objects.get(subject=subject), method="passkey", assurance=2)
    assert SESSION_KEY in request.session
    request.session.save()
    browser = Client()
    browser.cookies[settings.SESSION_COOKIE_NAME] = request.session.session_key or ""
    keeping.mark_browser(_Jar(browser), subject)  # type: ignore[arg-type]
    return browser


class _Jar:
    """Takes a cookie as a response would, and puts it into the browser."""

    def __init__(self, browser: Client) -> None:
        self.browser = browser

    def set_cookie(self, name: str, value: str, **_: object) -> None:
        """Put the cookie into the browser."""
        self.browser.cookies[name] = value
