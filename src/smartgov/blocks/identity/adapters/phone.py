"""The mobile-identity service over its relying-party API (`POST /sp/tickets`, `GET /sp/tickets/{id}`)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from smartgov.blocks.identity.domain import too_many_attempts
from smartgov.blocks.identity.ports import Answer, Asked, Opened
from smartgov.engines.httpd import sync
from smartgov.engines.pki import keys
from smartgov.shared import homes
from smartgov.shared.problems import TRY_AGAIN, Problem
from smartgov.shared.settings import get
from smartgov.shared.text import Text

_TIMEOUT = 5.0


class PhoneService:
    """Speaks with the service at SMARTGOV_PHONE_URL; the shared secret lies in the country's folder.

    Every request is read alike; `PhonePush` and `PhoneCode` are the two ways to open one.
    """

    pause = 0

    def is_ready(self) -> bool:
        """Whether this platform is a customer."""
        return _secret_file().exists()

    def read(self, kept: Mapping[str, str], delivered: bytes) -> Answer:
        """The present answer of the phone."""
        if not kept["ticket"]:
            return Answer("waiting")
        answer = self._ask("GET", f"/sp/tickets/{quote(kept['ticket'], safe='')}")
        if answer["status"] == "pending":
            return Answer("waiting")
        if answer["status"] != "approved":
            return Answer("refused")
        issued = json.loads(answer["payload"]).get("issued", "")
        signature = keys.der_of(str(answer["signature"]))
        return Answer("given", signature=signature, key_id=str(answer["key_id"]), issued=str(issued))

    def _open(self, asked: Asked, **to: str) -> Opened:
        said = {"origin": asked.origin, "nonce": asked.nonce, "number": asked.number, "text": dict(asked.text)}
        answer = self._ask("POST", "/sp/tickets", {**said, **to})
        return Opened({"ticket": str(answer["ticket"])}, code=str(answer.get("link", "")))

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


class PhonePush(PhoneService):
    """A request that appears on the first of the phones with `key_ids`; without one, nobody ever answers it."""

    def open(self, asked: Asked) -> Opened:
        """Open it; it has no code to scan."""
        if not asked.key_ids:
            return Opened({"ticket": ""})
        return Opened(self._open(asked, key_id=asked.key_ids[0]).kept)


class PhoneCode(PhoneService):
    """A request for whoever scans its code; we look again and again whether somebody has answered."""

    def open(self, asked: Asked) -> Opened:
        """Open it; `code` is what the QR code holds."""
        return self._open(asked)


def phone_unreachable() -> Problem:
    """The service behind the phones does not answer."""
    return Problem(
        "phone-service-unreachable",
        503,
        what=Text("The mobile identity service does not answer.", "行動身分識別服務目前沒有回應。"),
        why=Text("It may be under maintenance.", "可能正在維護。"),
        todo=Text(f"{TRY_AGAIN.en} Or sign in with a passkey.", f"{TRY_AGAIN.zh}或改用通行密鑰登入。"),
    )


def _secret_file() -> Path:
    return homes.home() / "phone" / "secrets" / "sp"


def _secret() -> str:
    try:
        return _secret_file().read_text().strip()
    except OSError:
        raise phone_unreachable() from None
