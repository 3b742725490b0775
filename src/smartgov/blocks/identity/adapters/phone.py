"""The mobile-identity service over its relying-party API (`POST /sp/tickets`, `GET /sp/tickets/{id}`)."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from smartgov.blocks.identity.domain import too_many_attempts
from smartgov.blocks.identity.ports import Approval, Ticket
from smartgov.engines.httpd import sync
from smartgov.shared import homes
from smartgov.shared.problems import TRY_AGAIN, Problem
from smartgov.shared.settings import get
from smartgov.shared.text import Text

_TIMEOUT = 5.0


class PhoneService:
    """Speaks with the service at SMARTGOV_PHONE_URL; the shared secret lies in the country's folder."""

    def open(self, *, origin: str, nonce: str, number: str, text: dict[str, str], key_ids: Sequence[str]) -> Ticket:
        """Open a request; with `key_ids` it is pushed to the first of these phones."""
        body: dict[str, Any] = {"origin": origin, "nonce": nonce, "number": number, "text": text}
        if key_ids:
            body["key_id"] = key_ids[0]
        answer = self._ask("POST", "/sp/tickets", body)
        return Ticket(str(answer["ticket"]), str(answer.get("link", "")))

    def read(self, ticket: str) -> Approval:
        """The present answer of the phone."""
        answer = self._ask("GET", f"/sp/tickets/{quote(ticket, safe='')}")
        if answer["status"] == "pending":
            return Approval("waiting")
        if answer["status"] != "approved":
            return Approval("refused")
        issued = json.loads(answer["payload"]).get("issued", "")
        return Approval("approved", str(answer["key_id"]), signature_of(str(answer["signature"])), str(issued))

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {_secret()}", "Content-Type": "application/json"}
        content = json.dumps(body).encode() if body is not None else b""
        try:
            answer = sync.request(method, get("SMARTGOV_PHONE_URL") + path, headers, content, _TIMEOUT)
        except OSError:
            raise phone_unreachable() from None
        if answer.status == 429:
            raise too_many_attempts()
        if answer.status == 404:
            return {"ticket": "", "status": "refused"}
        if answer.status >= 400:
            raise phone_unreachable()
        found: dict[str, Any] = json.loads(answer.body)
        return found


def phone_unreachable() -> Problem:
    """The service behind the phones does not answer."""
    return Problem(
        "phone-service-unreachable",
        503,
        what=Text("The mobile identity service does not answer.", "行動身分識別服務目前沒有回應。"),
        why=Text("It may be under maintenance.", "可能正在維護。"),
        todo=Text(f"{TRY_AGAIN.en} Or sign in with a passkey.", f"{TRY_AGAIN.zh}或改用通行密鑰登入。"),
    )


def _secret() -> str:
    try:
        return (homes.home() / "phone" / "secrets" / "sp").read_text().strip()
    except OSError:
        raise phone_unreachable() from None


def signature_of(raw: str) -> bytes:
    """The DER form of a base64url `r || s`; the empty bytes when it is none, which verifies nothing."""
    try:
        both = base64.urlsafe_b64decode(raw + "=" * (-len(raw) % 4))
    except ValueError:
        return b""
    if len(both) != 64:
        return b""
    return encode_dss_signature(int.from_bytes(both[:32], "big"), int.from_bytes(both[32:], "big"))
