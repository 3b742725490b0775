"""The client for an agency's own information systems: web processes, workers, scripts. Blocking."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from smartgov.engines.httpd import Response, sync
from smartgov.engines.troad import terms
from smartgov.engines.troad.problems import refuse
from smartgov.engines.troad.received import problem_of
from smartgov.shared.ids import uuid7
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text
from smartgov.shared.tw import national_id

CALL_SECONDS = terms.SECONDS + 2 * terms.HOPS_SECONDS
"""How long a call is waited for: the service's two minutes and both gateways' work, so that the gateway gives up first
and its refusal says what is known."""
_LOCAL_SECONDS = 20
_PRINTABLE = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) != "%")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: `body` is parsed JSON (or None), `log_ref` is `origin index size` in the own gateway's log."""

    status: int
    body: Any
    exchange_id: str
    log_ref: str
    provider: str
    answered_at: datetime
    headers: Mapping[str, str]


class LocalGateway:
    """The own gateway, as one information system (`client_id`, for example `TW/GOV/ris/cases`) sees it."""

    def __init__(self, url: str, secret: str, client_id: str) -> None:
        self._url, self._secret, self.client_id = url.rstrip("/"), secret, client_id

    def call(
        self,
        service_id: str,
        method: str,
        path: str,
        *,
        json: Any = None,
        subject: str | None = None,
        purpose: str,
        basis: str | None = None,
        consent: str | None = None,
        issue: str | None = None,
        user: str | None = None,
        fields: Sequence[str] | None = None,
        idempotency_key: str | None = None,
        exchange_id: str | None = None,
        gateway: str | None = None,
        timeout: float = CALL_SECONDS,
    ) -> Answer:
        """Call a service on T-Road about the person `subject` (a national id); `timeout` in seconds.

        `gateway` is the id of the one to ask, where the service's member has several; else its first one is asked.

        Every refusal, on the way or by the service (status 400 and above), is raised as its Problem. Of the own gateway
        (`gateway: own`): `gateway-unreachable` when it does not run, `gateway-silent` when it did not answer in time.
        """
        headers = {
            "x-road-id": exchange_id or uuid7(),
            "x-troad-subject": national_id.urn(subject) if subject else "",
            "x-troad-purpose": _ascii(purpose),
            "x-troad-basis": basis or "",
            "x-troad-consent": consent or "",
            "x-road-issue": _ascii(issue or ""),
            "x-road-userid": _ascii(user or ""),
            "x-troad-fields": ",".join(fields or ()),
            "idempotency-key": idempotency_key or "",
            "x-road-security-server": gateway or "",
        }
        return _answer(self._send(method, f"/r1/{service_id}{path}", json, headers, timeout))

    def append(self, records: Iterable[Mapping[str, Any]]) -> list[int]:
        """Append use records to the agency's ledger; `subject` of each is a national id or its URN. Gives indexes."""
        content = {"records": [{**record, "subject": _urn(record.get("subject"))} for record in records]}
        indexes: list[int] = self._send("POST", "/local/v1/records", content).parsed()["indexes"]
        return indexes

    def seal(self, data: bytes) -> bytes:
        """The seal key's DER signature over `data`."""
        answer = self._send("POST", "/local/v1/seal", {"data": base64.b64encode(data).decode()})
        return base64.b64decode(answer.parsed()["signature"])

    def seal_certificate(self) -> tuple[str, list[str]]:
        """Certificate of the seal key and those of its issuers, each as PEM."""
        content = self._send("GET", "/local/v1/seal/certificate").parsed()
        end = "-----END CERTIFICATE-----\n"
        chain = [part + end for part in content["chain"].split(end) if part.strip()]
        return content["certificate"], chain

    def consent(
        self,
        *,
        subject: str,
        provider: str,
        requester: str,
        fields: Sequence[str],
        purpose: str,
        expires_at: str,
        jti: str | None = None,
        single_use: bool = False,
    ) -> str:
        """The signed artefact of a consent that the person has given. `provider` is a service id."""
        terms = {
            "subject": national_id.urn(subject),
            "provider": provider,
            "requester": requester,
            "fields": list(fields),
            "purpose": _ascii(purpose),
            "expires_at": expires_at,
            "jti": jti or uuid7(),
            "single_use": single_use,
        }
        artefact: str = self._send("POST", "/local/v1/consents", terms).parsed()["artefact"]
        return artefact

    def revoke_consent(self, *, jti: str, expires_at: str) -> None:
        """Take back a consent that this agency's gateway signed; `expires_at` is the consent's own end."""
        self._send("POST", "/local/v1/consents/revocations", {"jti": jti, "expires_at": expires_at})

    def token(
        self,
        *,
        subject: str,
        audience: str,
        assurance: int,
        gateway: str | None = None,
        jti: str | None = None,
        mandate: Mapping[str, Any] | None = None,
    ) -> str:
        """The signed-in person's token for the trail of one member: 60 seconds, one use.

        `gateway` is the id of the gateway whose log is to be asked; the member's first one, if none is named.
        `mandate` (`id`, and `excludes`: ids of members, systems, services, or `purpose:...`) when she asks for another.
        """
        terms = {
            "subject": national_id.urn(subject),
            "audience": audience,
            "assurance": assurance,
            "jti": jti or uuid7(),
            **({"gateway": gateway} if gateway else {}),
            **({"mandate": dict(mandate)} if mandate else {}),
        }
        token: str = self._send("POST", "/local/v1/tokens", terms).parsed()["token"]
        return token

    def trail(
        self, member: str, token: str, have: int = 0, timeout: float = 10, *, gateway: str | None = None
    ) -> dict[str, Any]:
        """A member's trail answer, to be checked with `troad.trail.verify`; `have` is the size of the pinned head.

        Each gateway of a member has a log of its own: `gateway` is the one that the token names.
        """
        path = f"/r1/{member}/-/trail/records?have={have}"
        headers = {"x-troad-trail-token": token, "x-road-id": uuid7(), "x-road-security-server": gateway or ""}
        answer = self._send("GET", path, None, headers, timeout)
        content: dict[str, Any] = answer.parsed()
        return content

    def audit(self, *, subject: str, reason: str, have: int = 0) -> dict[str, Any]:
        """All that the own gateway's log holds about a person, for auditors (ability `evidence`); `reason` is noted."""
        content = {"subject": national_id.urn(subject), "reason": reason, "have": have}
        answer: dict[str, Any] = self._send("POST", "/local/v1/audits", content).parsed()
        return answer

    def configuration(self) -> tuple[dict[str, Any], datetime]:
        """The configuration that the gateway has verified (members with keys, services, rights), and its expiry."""
        data: dict[str, Any] = self._send("GET", "/local/v1/configuration").parsed()
        return data, datetime.fromisoformat(data["expires_at"])

    def checkpoint(self) -> str:
        """The signed head of the own gateway's log."""
        return self._send("GET", "/local/v1/checkpoint").body.decode()

    def erase(self, exchange_id: str) -> int:
        """Destroy the stored bodies of one exchange at the own gateway; how many there were."""
        erased: int = self._send("POST", "/local/v1/erasures", {"exchange": exchange_id}).parsed()["erased"]
        return erased

    def health(self) -> dict[str, Any]:
        """The gateway's health; a gateway that does not answer is Problem `gateway-unreachable`."""
        content: dict[str, Any] = self._send("GET", "/local/v1/health", fail=False).parsed()
        return content

    def traffic(self) -> dict[str, Any]:
        """What the gateway has counted since it started: calls, refusals and times by side, service and peer."""
        content: dict[str, Any] = self._send("GET", "/local/v1/traffic").parsed()
        return content

    def systems(self) -> dict[str, Any]:
        """The agency's own systems as its gateway uses them: `services` (code to address) and `may` of each."""
        content: dict[str, Any] = self._send("GET", "/local/v1/systems").parsed()["systems"]
        return content

    def _send(
        self,
        method: str,
        path: str,
        content: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = _LOCAL_SECONDS,
        *,
        fail: bool = True,
    ) -> Response:
        fields = {name: value for name, value in (headers or {}).items() if value}
        fields |= {"authorization": f"Bearer {self._secret}", "x-road-client": self.client_id}
        body = b""
        if content is not None:
            body = json.dumps(content, ensure_ascii=False).encode()
            fields["content-type"] = "application/json"
        try:
            answer = sync.request(method, self._url + path, fields, body, timeout)
        except TimeoutError:
            raise _own_silent(timeout) from None
        except OSError:
            raise _own_unreachable(self._url) from None
        if fail and answer.status >= 400:
            raise problem_of(answer)
        return answer


def _own_unreachable(url: str) -> Problem:
    known = refuse("gateway-unreachable")
    return Problem(
        known.slug,
        known.status,
        what=Text("Your own gateway does not answer.", "您機關自己的閘道沒有回應。"),
        why=Text(f"Nothing listens at {url}, or it broke off.", f"{url} 沒有程式接聽，或連線中斷。"),
        todo=Text("Ask its operator to start it, then repeat the call.", "請維運人員啟動閘道後再重送。"),
        gateway="own",
    )


def _own_silent(seconds: float) -> Problem:
    known = refuse("gateway-silent")
    return Problem(
        known.slug,
        known.status,
        what=Text(
            f"Your own gateway did not answer within {seconds:g} s.", f"您機關自己的閘道在 {seconds:g} 秒內未回應。"
        ),
        why=known.why,
        todo=known.todo,
        gateway="own",
        seconds=seconds,
    )


def _answer(answer: Response) -> Answer:
    told = answer.headers
    return Answer(
        status=answer.status,
        body=_body(answer),
        exchange_id=told["x-road-id"],
        log_ref=told.get("x-troad-log", ""),
        provider=told["x-troad-provider"],
        answered_at=datetime.fromisoformat(told["x-troad-time"]),
        headers=told,
    )


def _body(answer: Response) -> Any:
    if not answer.body:
        return None
    try:
        return json.loads(answer.body)
    except ValueError:
        return None


def _ascii(text: str) -> str:
    """Header values are ASCII: what lies beyond is percent-encoded as UTF-8."""
    return quote(text, safe=_PRINTABLE)


def _urn(subject: Any) -> str | None:
    if not subject:
        return None
    return str(subject) if str(subject).startswith("urn:") else national_id.urn(str(subject))
