"""Somebody who signs with a card or with TW FidO on the desk's own pages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from smartgov.blocks.identity.tests import outside
from smartgov.blocks.identity.tests.outside import Outside
from smartgov.blocks.signing.models import StatePaper
from smartgov.blocks.signing.tests import factories as make
from smartgov.shared.actor import Actor


@dataclass(frozen=True, slots=True)
class Signer:
    """A person who has signed in once with the means, at a browser; and the programs behind it."""

    subject: str
    means: str
    programs: Outside
    browser: Client

    @property
    def actor(self) -> Actor:
        """She, signed in at level two."""
        return Actor("citizen", subject=self.subject, assurance=2)

    def laid(self) -> str:
        """A document on her desk that she has opened; its page."""
        page = self.browser.post("/signing/", {"file": SimpleUploadedFile("委託書.pdf", make.a_pdf())})["Location"]
        assert self.browser.get(f"{page}/file").status_code == 200
        return str(page)

    def begun(self, page: str, **more: str) -> str:
        """The waiting page."""
        answer = self.browser.post(page, {"with": self.means, "reason": "同意", **more})
        assert answer.status_code == 302, answer.content.decode()
        return str(answer["Location"])

    def acts(self, waiting: str, **how: str) -> None:
        """She compares, and signs; `pin` and `cancel` do otherwise."""
        if self.means == "twfido":
            outside.on_phone(self.programs, "mother", number=1 if how.get("cancel") else 0)
            StatePaper.objects.update(looked_at=None)
            return
        form_to, request = self.form(waiting)
        brought = outside.with_card(form_to, request, "mother", cancel=bool(how.get("cancel")))
        self.brings(waiting, brought)

    def form(self, waiting: str) -> tuple[str, str]:
        """What the card's page sends where."""
        page = self.browser.get(waiting)
        assert "form-action 'self' http://localhost:" in page.headers["Content-Security-Policy"]
        assert page.headers["Referrer-Policy"] == "origin"
        found = re.search(r'action="([^"]*/requests)"><input type="hidden" name="request" value="([^"]*)"', text(page))
        assert found is not None
        return unescape(found[1]), found[2]

    def brings(self, waiting: str, answer: str) -> None:
        """What the helper's page does with the browser: a form from another site, so without our cookies."""
        brought = Client(enforce_csrf_checks=True).post(f"{waiting}/answer", {"answer": answer})
        assert (brought.status_code, brought.headers["Location"]) == (303, waiting)


def text(answer: object) -> str:
    return unescape(answer.content.decode())  # type: ignore[attr-defined]
