"""The registration office's way to its authority on the local hop."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, urlencode

from smartgov.engines.httpd import sync
from smartgov.engines.pki import keys
from smartgov.engines.pki.authority import Record, life
from smartgov.engines.pki.authority.trail import Entry
from smartgov.shared.problems import TRY_AGAIN, Problem
from smartgov.shared.text import Text

_TIMEOUT = 10.0


class Client:
    """Speaks to the authority at `url` with the office's `secret`. What it refuses is raised as its own Problem."""

    def __init__(self, url: str, secret: str) -> None:
        self._url, self._secret = url.rstrip("/"), secret

    def request(self, csr: str, **facts: str) -> Record:
        """Hand in a request; see `pki.authority.Authority.request`."""
        return _record(self._ask("POST", "/v1/requests", {"csr": csr, **facts}))

    def step(self, record: str, step: str, *, by: str, **detail: Any) -> Record:
        """One step of a certificate's life."""
        return _record(self._ask("POST", f"/v1/records/{quote(record, safe='')}/{quote(step)}", {"by": by, **detail}))

    def get(self, record: str) -> Record:
        """One record."""
        return _record(self._ask("GET", f"/v1/records/{quote(record, safe='')}"))

    def records(self, *, state: str = "", holder: str = "") -> list[Record]:
        """Records, newest first."""
        query = urlencode({name: value for name, value in (("state", state), ("holder", holder)) if value})
        return [_record(one) for one in self._ask("GET", f"/v1/records?{query}")["records"]]

    def trail(self) -> list[Entry]:
        """Everything that was done, signed and chained."""
        return [Entry(*row) for row in self._ask("GET", "/v1/trail")["entries"]]

    def trail_key(self) -> keys.PublicKey:
        """The key that the trail is signed with."""
        return keys.from_jwk(self._ask("GET", "/trail-key"))

    def certificate(self) -> bytes:
        """The authority's own certificate (PEM)."""
        return self._raw("GET", "/ca.pem")

    def crl(self) -> bytes:
        """The list in force (DER)."""
        return self._raw("GET", "/crl")

    def ocsp(self, question: bytes) -> bytes:
        """The answer to a DER question."""
        return self._raw("POST", "/ocsp", question)

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        content = b"" if body is None else json.dumps(body).encode()
        found: dict[str, Any] = json.loads(self._raw(method, path, content))
        return found

    def _raw(self, method: str, path: str, body: bytes = b"") -> bytes:
        headers = {"authorization": f"Bearer {self._secret}", "content-type": "application/json"}
        try:
            answer = sync.request(method, self._url + path, headers, body, _TIMEOUT)
        except OSError:
            raise unreachable() from None
        if answer.status >= 400:
            raise _refusal(answer.body, answer.status)
        return answer.body


def unreachable() -> Problem:
    """The authority does not answer."""
    return Problem(
        "authority-unreachable",
        503,
        what=Text("The certification authority does not answer.", "憑證機構目前沒有回應。"),
        why=Text("It may be under maintenance.", "可能正在維護。"),
        todo=TRY_AGAIN,
    )


def _record(data: dict[str, Any]) -> Record:
    return life.from_json(data)


def _refusal(body: bytes, status: int) -> Problem:
    try:
        said = json.loads(body)
        slug = str(said["type"]).rsplit(":", 1)[1]
    except (ValueError, KeyError, IndexError):
        return unreachable()
    known = {"type", "title", "status", "detail", "todo"}
    extra = {name: value for name, value in said.items() if name not in known}
    # The authority answers in Chinese unless asked otherwise; its sentence is better than none.
    return Problem(slug, status, what=_said(said, "title"), why=_said(said, "detail"), **extra)


def _said(problem: dict[str, Any], member: str) -> Text:
    return Text.of(str(problem.get(member) or ""))
