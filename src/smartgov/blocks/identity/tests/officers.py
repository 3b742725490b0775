"""An officer with a password and an authenticator app, for tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.test import Client

from smartgov.blocks.identity import accounts
from smartgov.blocks.identity.models import Account
from smartgov.blocks.identity.people import authenticator_app, passwords, totp
from smartgov.blocks.identity.tests.factories import a_national_id, a_person, a_seat
from smartgov.shared import clock
from smartgov.shared.actor import Actor

PASSWORD = "three herons over the paddy"


@dataclass
class Officer:
    """Somebody with a seat, an app and a password; each call of `code` spends a step."""

    national_id: str = field(default_factory=a_national_id)

    def __post_init__(self) -> None:
        self.subject = a_person("陳志明", "chih-ming@example.test", self.national_id)
        a_seat("ris", "case_officer", self.subject)
        self.account = Account.objects.get(subject=self.subject)
        self.actor = Actor("citizen", subject=self.subject, assurance=2)
        self.secret = authenticator_app.begin(self.account).secret
        with clock.travelling(delta=timedelta(days=-1)):
            assert authenticator_app.confirm(actor=self.actor, account=self.account, typed=self.code())
        assert not passwords.set_new(actor=self.actor, account=self.account, present="", password=PASSWORD)
        assert accounts.seats_of(self.subject)

    def code(self) -> str:
        """What the app shows now."""
        return totp.code(self.secret, totp.step_at(clock.now()))

    def sign_in(self, browser: Client, *, password: str = PASSWORD, code: str | None = None, **more: Any) -> Any:
        """Send the form."""
        form = {"national_id": self.national_id, "password": password, "code": self.code() if code is None else code}
        return browser.post("/identity/password", {**form, "next": "/identity/account"}, **more)
