"""schemathesis on every OpenAPI document that our web process serves: no 5xx, no answer that is not documented.

Addresses that name an object are asked with the real one and with made-up ones, as its owner: `doors.OPERATIONS`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import openapi
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.transport import Response

from smartgov.blocks.identity.openid.service import provider
from smartgov.blocks.identity.tests import factories as people
from smartgov.blocks.identity.tests.relying import CALLBACK, Shop
from smartgov.engines.openid import describing
from smartgov.engines.openid.ciba import CIBA
from smartgov.engines.openid.tokens import EXCHANGE
from smartgov.shared.tw import national_id
from smartgov.site import machine
from tests.architecture import doors
from tests.architecture.doors import Message, Visit
from tests.architecture.objects import Stage

load_all_checks()
NAMES = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance")
EXAMPLES = 20


def _operations(api: Any) -> dict[str, Any]:
    return _named(json.loads(json.dumps(api.get_openapi_schema(), default=str)))


def _named(document: Any) -> dict[str, Any]:
    schema = openapi.from_dict(document)
    found = [one.ok() for one in schema.get_all_operations()]
    return {f"{one.method.upper()} {one.path}": one for one in found}


API, TROAD = _operations(machine.api), _operations(machine.troad)
OPENID = _named(describing.document(provider()))


@pytest.fixture
def stage(tmp_path: Path, gateways: None) -> Iterator[Stage]:
    with ExitStack() as contexts:
        yield Stage(contexts, tmp_path)


def _own(label: str, stage: Stage) -> Message | Visit | None:
    return doors.OPERATIONS[label](stage).own if label in doors.OPERATIONS else None


@pytest.mark.django_db
@pytest.mark.parametrize("label", API)
def test_the_api_answers_as_documented(label: str, stage: Stage) -> None:
    own = _own(label, stage)
    browser = own.browser if isinstance(own, Visit) else people.signed_in_officer("ris", "exchange_officer")

    def ask(case: Any, path: str, body: Any) -> Any:
        return browser.generic(
            case.method, f"/api{path}", body, content_type="application/json", QUERY_STRING=_query(case)
        )

    _hold(API[label], ask, f"/{own.path}" if own else "", own.body if own else {})


@pytest.mark.django_db
@pytest.mark.parametrize("label", TROAD)
def test_the_doors_on_t_road_answer_as_documented(label: str, stage: Stage) -> None:
    own = _own(label, stage)
    agency = "portal" if label.split("/")[1] in {"services.v1", "exchange.v1"} else "ris"
    told = own if isinstance(own, Message) else Message(agency, "", "TW/GOV/ris/cases", national_id.make(640_002, 2))
    headers = {
        "Authorization": f"Bearer {told.agency}-{'portal' if told.agency == 'portal' else 'cases'}",
        "X-Road-Client": told.client,
        "X-Road-Id": "x-1",
        "X-TRoad-Subject": national_id.urn(told.subject),
    }
    browser = Client()

    def ask(case: Any, path: str, body: Any) -> Any:
        address = f"/troad/{told.agency}{path}"
        return browser.generic(
            case.method, address, body, content_type="application/json", headers=headers, QUERY_STRING=_query(case)
        )

    _hold(TROAD[label], ask, f"/{told.path}" if told.path else "", told.body)


@pytest.mark.django_db
@pytest.mark.parametrize("label", OPENID)
def test_the_doors_of_the_openid_provider_answer_as_documented(label: str) -> None:
    """Half of the forms carry the proof of a registered client, so that what they say is read and not only refused."""
    statuses: set[int] = set()
    shop = Shop(grants=["authorization_code", "refresh_token", CIBA, EXCHANGE])
    browser, token = Client(), shop.sign_in(people.signed_in_citizen()).access_token
    sound: dict[str, Any] = {"whole": "", "client": "", "redirect_uri": CALLBACK, "scope": "openid", "token": token}

    def ask(case: Any, path: str, form: Any) -> Any:
        given = json.loads(form) if form else {}
        whole = given.pop("whole", None) is not None  # what the form must hold, and nothing besides
        if whole:
            given = {name: sound.get(name, given.get(name)) for name in _required(label)}
        if given.pop("client", None) is not None or whole:
            given = {**given, **shop.rp._assertion()}
        headers = {}
        if whole or "DPoP" not in (case.headers or {}):
            headers["DPoP"] = shop.rp._proof(case.method, shop.rp.issuer + path, token)
        if path == "/openid/userinfo":
            headers["Authorization"] = f"DPoP {token}"
        body = urlencode({name: value for name, value in given.items() if isinstance(value, str)})
        kind = "application/x-www-form-urlencoded"
        answer = browser.generic(case.method, path, body, content_type=kind, headers=headers)
        statuses.add(answer.status_code)
        return answer

    _hold(OPENID[label], ask, "", sound)
    # A code, and a person to ask, cannot be made up; everything else has been answered well at least once.
    assert label in {"POST /openid/token", "POST /openid/backchannel"} or statuses & {200, 201}


def _required(label: str) -> list[str]:
    method, path = label.split()
    operation = describing.document(provider())["paths"][path][method.lower()]
    forms = operation.get("requestBody", {}).get("content", {}).values()
    return [name for form in forms for name in form["schema"].get("required", ())]


def _hold(operation: Any, ask: Any, known: str, body: Mapping[str, Any]) -> None:
    """Ask what schemathesis makes up; half of the time at the address that is known, with parts of its sound body."""

    @given(case=operation.as_strategy(), real=st.booleans(), kept=st.sets(st.sampled_from(sorted(body) or ["-"])))
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def holds(case: Any, real: bool, kept: set[str]) -> None:
        path = known if real and known else case.formatted_path
        sent = case.body if isinstance(case.body, dict | list | str | int | float | bool) else None
        if real and isinstance(sent, dict):
            sent = {**sent, **{name: body[name] for name in kept if name in body}}
        answer = ask(case, path, b"" if sent is None else json.dumps(sent).encode())
        case.validate_response(_as_response(answer, case), checks=[CHECKS.get_one(name) for name in NAMES])

    holds()


def _query(case: Any) -> str:
    return requests.models.RequestEncodingMixin._encode_params(dict(case.query or {}))


def _as_response(answer: Any, case: Any) -> Response:
    sent = requests.Request(case.method, "http://127.0.0.1/").prepare()
    headers = {name: [value] for name, value in answer.headers.items()}
    return Response(
        status_code=answer.status_code, headers=headers, content=answer.content, request=sent, elapsed=0.0, verify=False
    )
