"""Made-up persons for tests of every block: accounts, seats, phones, and browsers that are signed in as them."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from itertools import count

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client, RequestFactory

from smartgov.blocks.identity import api, domain, keeping, sessions
from smartgov.blocks.identity.models import Account
from smartgov.blocks.identity.ports import Answer, Asked, Opened
from smartgov.shared import clock
from smartgov.shared.actor import Actor
from smartgov.shared.tw import national_id

SEEDER = Actor.for_system("portal", "tests")
_serials = count(1_000_000)
"""Beyond those that other blocks' factories and tests give out: a long run makes thousands."""


def a_national_id() -> str:
    """A national id that no other made-up person of this run has."""
    return national_id.make(next(_serials), 2)


def a_person(name: str = "林美玲", email: str = "person@example.test", nid: str = "") -> str:
    """Enrol a new person; returns the subject."""
    return api.enrol(actor=SEEDER, national_id=nid or a_national_id(), name=name, email=email)


def a_seat(agency: str, role: str, subject: str | None = None) -> str:
    """Give a person (a new one by default) a seat; returns the seat's id."""
    return api.add_seat(actor=SEEDER, subject=subject or a_person(), agency=agency, role=role)


def signed_in_citizen(subject: str | None = None) -> Client:
    """A browser in which a citizen (a new one by default) is signed in."""
    subject = subject or a_person()
    request = RequestFactory().get("/")
    request.session = SessionStore()
    sessions.sign_in(request, Account.objects.get(subject=subject), method="passkey", assurance=2)
    assert SESSION_KEY in request.session
    request.session.save()
    browser = Client()
    browser.cookies[settings.SESSION_COOKIE_NAME] = request.session.session_key or ""
    keeping.mark_browser(request, _Jar(browser), subject)  # type: ignore[arg-type]
    return browser


def signed_in_officer(agency: str, role: str, subject: str | None = None) -> Client:
    """A browser in which a person acts in a seat."""
    seat = a_seat(agency, role, subject)
    browser = signed_in_citizen(api.person_of_seat(seat))
    answer = browser.post("/identity/seat", {"seat": seat})
    assert answer.status_code == 302
    return browser


class _Jar:
    """Takes a cookie as a response would, and puts it into the browser."""

    def __init__(self, browser: Client) -> None:
        self.browser = browser

    def set_cookie(self, name: str, value: str, **_: object) -> None:
        """Put the cookie into the browser."""
        self.browser.cookies[name] = value


class Phone:
    """A phone with a real key, and the courier that brings requests to it (port Means)."""

    pause = 0

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.requests: dict[str, dict[str, object]] = {}
        self.answers: dict[str, Answer] = {}

    @property
    def jwk(self) -> dict[str, str]:
        """The public half."""
        numbers = self.key.public_key().public_numbers()
        x, y = (base64.urlsafe_b64encode(n.to_bytes(32, "big")).rstrip(b"=").decode() for n in (numbers.x, numbers.y))
        return {"kty": "EC", "crv": "P-256", "x": x, "y": y}

    def is_ready(self) -> bool:
        """Whether there is a service."""
        return True

    def open(self, asked: Asked) -> Opened:
        """Take a request; one for a known phone has no code to scan."""
        ticket = secrets.token_hex(8)
        said = {"origin": asked.origin, "nonce": asked.nonce, "number": asked.number, "text": dict(asked.text)}
        self.requests[ticket] = said
        return Opened({"ticket": ticket}, code="" if asked.key_ids else f"http://phone.test/scan?ticket={ticket}")

    def read(self, kept: Mapping[str, str], delivered: bytes) -> Answer:
        """The answer so far."""
        return self.answers.get(kept["ticket"], Answer("waiting"))

    def refuse(self) -> None:
        """The person refuses the latest request."""
        self.answers[list(self.requests)[-1]] = Answer("refused")

    def approve(self, *, issued: str = "", **other: object) -> None:
        """The person approves the latest request; `other` content is signed when given."""
        ticket = list(self.requests)[-1]
        issued = issued or clock.now().isoformat()
        content = domain.signed_content(**{**self.requests[ticket], "issued": issued, **other})  # type: ignore[arg-type]
        signature = self.key.sign(content, ec.ECDSA(SHA256()))
        self.answers[ticket] = Answer("given", signature=signature, key_id=domain.thumbprint(self.jwk), issued=issued)
