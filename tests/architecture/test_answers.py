"""schemathesis on every OpenAPI document that our web process serves: no 5xx, no answer that is not documented.

Addresses that name an object are asked with the real one and with made-up ones, as its owner: `doors.OPERATIONS`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from smartgov.blocks.identity.openid.service import provider
from smartgov.blocks.identity.tests import factories as people
from smartgov.blocks.identity.tests.relying import CALLBACK, Shop
from smartgov.engines.openid import describing
from smartgov.engines.openid.ciba import CIBA
from smartgov.engines.openid.tokens import EXCHANGE
from smartgov.shared.tw import national_id
from smartgov.site import machine
from tests.architecture import doors, holding
from tests.architecture.doors import Message, Visit
from tests.architecture.objects import Stage


def _operations(api: Any) -> dict[str, Any]:
    return holding.named(json.loads(json.dumps(api.get_openapi_schema(), default=str)))


API, TROAD = _operations(machine.api), _operations(machine.troad)
OPENID = holding.named(describing.document(provider()))


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
            case.method, f"/api{path}", body, content_type="application/json", QUERY_STRING=holding.query(case)
        )

    holding.hold(API[label], ask, f"/{own.path}" if own else "", own.body if own else {})


@pytest.mark.django_db
@pytest.mark.usefixtures("gateways")
def test_a_text_with_a_nul_is_refused_on_t_road() -> None:
    headers = {
        "Authorization": "Bearer ris-cases",
        "X-Road-Client": "TW/GOV/ris/cases",
        "X-Road-Id": "x-1",
        "X-TRoad-Subject": national_id.urn(national_id.make(640_002, 2)),
    }
    for text, status in (("a\0b", 400), ("a b", 404)):
        body = json.dumps({"credential": text})
        answer = Client().post(
            "/troad/ris/credentials.v1/documents", body, content_type="application/json", headers=headers
        )
        assert (answer.status_code, answer["content-type"]) == (status, "application/problem+json")


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
            case.method,
            address,
            body,
            content_type="application/json",
            headers=headers,
            QUERY_STRING=holding.query(case),
        )

    holding.hold(TROAD[label], ask, f"/{told.path}" if told.path else "", told.body)


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

    holding.hold(OPENID[label], ask, "", sound, examples=60)
    # A code, and a person to ask, cannot be made up; everything else has been answered well at least once.
    assert label in {"POST /openid/token", "POST /openid/backchannel"} or statuses & {200, 201}


def _required(label: str) -> list[str]:
    method, path = label.split()
    operation = describing.document(provider())["paths"][path][method.lower()]
    forms = operation.get("requestBody", {}).get("content", {}).values()
    return [name for form in forms for name in form["schema"].get("required", ())]
