"""Enrolling a phone over the mobile-identity service: the task `enrol` has a public key as its outcome."""

from __future__ import annotations

import json
from urllib.parse import quote

from smartgov.blocks.identity.adapters.phone import PhoneService
from smartgov.blocks.identity.ports import Enrolment, Ticket
from smartgov.engines.pki import keys


class EnrolmentService(PhoneService):
    """As the sign-in service, with one more task."""

    def invite(self, *, origin: str, nonce: str, number: str, text: dict[str, str]) -> Ticket:
        """Open an invitation for whoever scans its code."""
        body = {"origin": origin, "nonce": nonce, "number": number, "text": text, "task": {"kind": "enrol"}}
        answer = self._ask("POST", "/sp/tickets", body)
        return Ticket(str(answer["ticket"]), str(answer.get("link", "")))

    def enrolled(self, ticket: str) -> Enrolment:
        """The present answer of the phone."""
        answer = self._ask("GET", f"/sp/tickets/{quote(ticket, safe='')}")
        if answer["status"] == "pending":
            return Enrolment("waiting")
        if answer["status"] != "approved":
            return Enrolment("refused")
        jwk, issued = json.loads(answer["outcome"]["jwk"]), json.loads(answer["payload"]).get("issued", "")
        return Enrolment("approved", jwk, keys.der_of(str(answer["signature"])), str(issued))
