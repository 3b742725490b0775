"""The services of this machine: spoken to on loopback, with secrets from the country's folder."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from smartgov.blocks.exchange import api as exchange
from smartgov.blocks.signing.ports import Answer
from smartgov.engines.authority import Client
from smartgov.engines.authority.client import unreachable
from smartgov.engines.httpd import sync
from smartgov.engines.pki import keys
from smartgov.engines.pki.authority import Record
from smartgov.engines.pki.authority.trail import Entry
from smartgov.engines.pki.keys import PublicKey
from smartgov.shared import homes
from smartgov.shared.problems import TRY_AGAIN, Problem
from smartgov.shared.settings import get
from smartgov.shared.text import Text

_TIMEOUT = 10.0


class PhoneService:
    """The mobile-identity service at SMARTGOV_PHONE_URL."""

    def ask(
        self, *, origin: str, nonce: str, number: str, text: Mapping[str, str], key_id: str, task: Mapping[str, str]
    ) -> tuple[str, str]:
        """Push a task."""
        body = {"origin": origin, "nonce": nonce, "number": number, "text": dict(text), "key_id": key_id}
        answer = self._ask("POST", "/sp/tickets", {**body, "task": dict(task)})
        return str(answer["ticket"]), str(answer.get("link", ""))

    def read(self, ticket: str) -> Answer:
        """The present answer."""
        found = self._ask("GET", f"/sp/tickets/{quote(ticket, safe='')}")
        if found["status"] == "pending":
            return Answer("waiting")
        if found["status"] != "approved":
            return Answer("refused")
        issued = str(json.loads(found["payload"]).get("issued", ""))
        outcome = {str(name): str(value) for name, value in (found.get("outcome") or {}).items()}
        return Answer("approved", str(found["key_id"]), keys.der_of(str(found["signature"])), issued, outcome)

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        content = b"" if body is None else json.dumps(body).encode()
        try:
            secret = (homes.home() / "phone" / "secrets" / "sp").read_text().strip()
            headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
            answer = sync.request(method, get("SMARTGOV_PHONE_URL") + path, headers, content, _TIMEOUT)
        except OSError:
            raise _phone_unreachable() from None
        if answer.status == 404:
            return {"status": "refused"}
        if answer.status >= 400:
            raise _phone_unreachable()
        found: dict[str, Any] = answer.parsed()
        return found


class AuthorityService:
    """An authority at SMARTGOV_AUTHORITY_URL, below a path; `folder` holds its secret, read when it is first needed."""

    def __init__(self, folder: str = "authority", below: str = "") -> None:
        self._folder, self._below = folder, below
        self._known: Client | None = None

    def request(self, csr: str, **facts: str) -> Record:
        """Hand in a request."""
        return self._client().request(csr, **facts)

    def step(self, record: str, step: str, *, by: str, **detail: Any) -> Record:
        """One step of a certificate's life."""
        return self._client().step(record, step, by=by, **detail)

    def get(self, record: str) -> Record:
        """One record."""
        return self._client().get(record)

    def records(self, *, state: str = "", holder: str = "") -> Sequence[Record]:
        """Records, newest first."""
        return self._client().records(state=state, holder=holder)

    def trail(self) -> Sequence[Entry]:
        """Everything that was done."""
        return self._client().trail()

    def trail_key(self) -> PublicKey:
        """The key that signs the trail."""
        return self._client().trail_key()

    def certificate(self) -> bytes:
        """The authority's own certificate."""
        return self._client().certificate()

    def crl(self) -> bytes:
        """The list in force."""
        return self._client().crl()

    def ocsp(self, question: bytes) -> bytes:
        """The answer to a question."""
        return self._client().ocsp(question)

    def _client(self) -> Client:
        if self._known is None:
            try:
                secret = (homes.home() / self._folder / "secrets" / "local").read_text().strip()
            except OSError:
                raise unreachable() from None
            self._known = Client(get("SMARTGOV_AUTHORITY_URL") + self._below, secret)
        return self._known


class StampService:
    """The time-stamping authority that this country's members use."""

    def stamp(self, request: bytes) -> bytes:
        """One stamp."""
        return exchange.stamp(request)

    def root(self) -> bytes:
        """Its root, as this country was given it."""
        found = exchange.stamp_root()
        if found is None:
            raise _no_stamps()
        return found


def _phone_unreachable() -> Problem:
    return Problem(
        "phone-service-unreachable",
        503,
        what=Text("The mobile identity service does not answer.", "行動身分識別服務目前沒有回應。"),
        why=Text("It may be under maintenance.", "可能正在維護。"),
        todo=TRY_AGAIN,
    )


def _no_stamps() -> Problem:
    return Problem(
        "stamp-missing",
        503,
        what=Text("Time stamps cannot be made or checked now.", "目前無法加蓋或查驗時戳。"),
        why=Text("The time-stamping authority is not set up.", "時戳服務尚未設定。"),
        todo=TRY_AGAIN,
    )
