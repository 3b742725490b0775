"""Every operation of the local door, asked once of running gateways: what its document shows as examples."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from smartgov.engines.httpd import Response, sync
from smartgov.engines.pki import certificates
from smartgov.engines.troad import home as homes
from smartgov.engines.troad.tests.country import BIRTHS, CASES, LAW, MOTHER, PURPOSE, Country
from smartgov.shared import clock
from smartgov.shared.ids import uuid7
from smartgov.shared.tw import national_id

Json = dict[str, Any]
_TEXT = {"type": ["string", "null"]}
_ITEM = {"mother_id": _TEXT, "born_on": _TEXT, "weight_g": {"type": "integer"}, "hospital": _TEXT}
_SHOWN = {"items": [{"mother_id": national_id.urn(MOTHER), "born_on": "2026-11-01", "hospital": "臺大醫院"}]}
_LIST: Json = {
    "type": "object",
    "properties": {"items": {"type": "array", "items": {"type": "object", "properties": _ITEM}}},
}
CONTRACT: Json = {
    "openapi": "3.1.0",
    "info": {"title": "Births", "version": "1"},
    "paths": {
        "/births/query": {
            "post": {
                "operationId": "query_births",
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {
                            "schema": {
                                "type": "object",
                                "additionalProperties": False,
                                "properties": {
                                    "where": {
                                        "type": "object",
                                        "additionalProperties": False,
                                        "properties": {"hospital": {"type": "string", "maxLength": 40}},
                                    },
                                    "limit": {"type": "integer", "minimum": 1, "maximum": 100},
                                },
                            },
                            "example": {"where": {"hospital": "臺大醫院"}, "limit": 10},
                        }
                    },
                },
                "responses": {
                    "200": {
                        "description": "The births",
                        "content": {"application/json": {"schema": _LIST, "example": _SHOWN}},
                    }
                },
            }
        }
    },
}
SUBJECT = national_id.urn(MOTHER)
TOLD = {"x-troad-subject": SUBJECT, "x-troad-purpose": PURPOSE, "x-troad-basis": LAW}


class Described(Country):
    """ris's case system may everything, its gateway has a seal, and births has an OpenAPI document."""

    def _home(self, code: str, subsystems: dict[str, Any], may: dict[str, list[str]]) -> dict[str, Any]:
        if code == "ris":
            may = {"cases": sorted(homes.ABILITIES)}
        described = super()._home(code, subsystems, may)
        if code == "ris":
            self._seal(code)
        if code == "hpa":
            self.digest = homes.add_contract(self.folder / code, json.dumps(CONTRACT).encode())
        return described

    def _seal(self, code: str) -> None:
        authority = certificates.CertificateAuthority.create(self.folder / "ca", "Test CA")
        issued = authority.issue(
            homes.load(self.folder / code).p256("seal").public_key(),
            common_name="seal",
            organisation=code,
            usage="seal",
            not_after=clock.now() + timedelta(days=1),
        )
        homes.set_seal_certificate(self.folder / code, issued, [authority.certificate])

    def data(self) -> dict[str, Any]:
        content = super().data()
        births = {**content["services"][0], "contract": self.digest, "paths": ["POST /births/query"]}
        return {**content, "services": [births, *content["services"][1:]]}


class Walk:
    """Asks ris's gateway as its case system and keeps what was sent and said."""

    def __init__(self, country: Country) -> None:
        self.country, self.seen = country, dict[str, Json]()

    def ask(self, operation: str, method: str, path: str, body: Any = None, **headers: str) -> Response:
        """One operation; it must succeed."""
        sent = {"authorization": f"Bearer {homes.secret(self.country.folder / 'ris', 'cases')}", **headers}
        content = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
        if body is not None:
            sent["content-type"] = "application/json"
        answer = sync.request(method, self.country.url("ris") + path, sent, content)
        assert answer.status < 300, (operation, answer.status, answer.body)
        media = answer.headers["content-type"].partition(";")[0]
        told = answer.parsed() if media == "application/json" else answer.body.decode()
        self.seen[operation] = {
            **({"request": body} if body is not None else {}),
            "answers": {str(answer.status): {media: told}},
        }
        return answer


def walk(country: Country) -> dict[str, Json]:
    """By operation: what was sent and what was said."""
    one, far = Walk(country), "/TW/GOV/hpa/births"
    exchange, jti = uuid7(), uuid7()
    end = (clock.now() + timedelta(days=1)).isoformat(timespec="seconds")
    call = {"where": {"hospital": "臺大醫院"}, "limit": 10}
    one.ask("call_post", "POST", f"/r1/{BIRTHS}/births/query", call, **TOLD, **{"x-road-id": exchange})
    del one.seen["call_post"]  # what services say stands in their own documents
    one.ask("list_clients", "GET", "/listClients?xRoadInstance=TW")
    for operation, code in (("list_methods", "listMethods"), ("allowed_methods", "allowedMethods")):
        one.ask(operation, "GET", f"/r1{far}/{code}")
        one.ask(f"govstack_{operation}", "GET", f"{far}/{code}", **{"x-govstack-client": CASES})
    one.ask("get_openapi", "GET", f"/r1{far}/getOpenAPI?serviceCode=births.v1")
    one.ask("govstack_get_openapi", "GET", f"{far}/getOpenAPI?serviceCode=births.v1", **{"x-govstack-client": CASES})
    one.ask("get_evidence", "GET", f"/evidence/{exchange}")
    read = {"kind": "local-read", "subject": SUBJECT, "actor": "seat-1", "fields": ["name"], "purpose": PURPOSE}
    one.ask("add_records", "POST", "/local/v1/records", {"records": [{**read, "basis": LAW, "case": "case-1"}]})
    one.ask("audit", "POST", "/local/v1/audits", {"subject": SUBJECT, "reason": "audit 2026-11"})
    one.ask("get_checkpoint", "GET", "/local/v1/checkpoint")
    terms = {"subject": SUBJECT, "provider": BIRTHS, "requester": CASES, "fields": ["born_on"], "purpose": PURPOSE}
    one.ask("issue_consent", "POST", "/local/v1/consents", {**terms, "expires_at": end, "jti": jti, "single_use": True})
    one.ask("revoke_consent", "POST", "/local/v1/consents/revocations", {"jti": jti, "expires_at": end})
    token = {"subject": SUBJECT, "audience": "TW/GOV/hpa", "assurance": 2, "jti": uuid7()}
    one.ask("issue_token", "POST", "/local/v1/tokens", token)
    one.ask("seal", "POST", "/local/v1/seal", {"data": base64.b64encode(b"a document").decode()})
    one.ask("get_seal_certificate", "GET", "/local/v1/seal/certificate")
    for name in ("configuration", "systems", "health", "metrics", "traffic"):
        one.ask(f"get_{name}", "GET", f"/local/v1/{name}")
    one.ask("erase", "POST", "/local/v1/erasures", {"exchange": exchange})
    return one.seen


def shortened(shown: Any, most: int = 3) -> Any:
    """Long lists cut: an example is read by people."""
    if isinstance(shown, dict):
        return {name: shortened(part, most) for name, part in shown.items()}
    if isinstance(shown, list) and not (len(shown) == 60 and all(isinstance(part, int) for part in shown)):
        return [shortened(part, most) for part in shown[:most]]
    return shown


def made(folder: Path, keep: Callable[[dict[str, Json]], None]) -> None:
    """Raise the country, walk, and hand over what was seen."""
    country = Described(folder)
    country.start()
    try:
        keep(walk(country))
    finally:
        country.stop()
