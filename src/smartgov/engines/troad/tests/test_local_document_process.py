"""The local door's own OpenAPI document, held against running gateways; and a service's document, through two."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jsonschema
import pytest
import requests
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pytest_socket import enable_socket
from schemathesis import openapi
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.transport import Response as Told

from smartgov.engines import apilint
from smartgov.engines.apigen import build, config, server, spec
from smartgov.engines.apigen.tests.conftest import DESCRIPTION, MOTHER, ROWS
from smartgov.engines.httpd import Response, Server, serve, sync
from smartgov.engines.troad import home as homes
from smartgov.engines.troad import local_document, meta, names
from smartgov.engines.troad.problems import TABLE
from smartgov.engines.troad.tests.country import BIRTHS, CASES
from smartgov.engines.troad.tests.local_walk import TOLD, Described, walk
from smartgov.shared.ids import uuid7
from smartgov.shared.tw import national_id

pytestmark = [pytest.mark.enable_socket, pytest.mark.process]
load_all_checks()
CHECKED = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance")
EXAMPLES = 15
DOCUMENT = local_document.document()
OPERATIONS = {
    found.ok().definition.raw["operationId"]: found.ok()
    for found in openapi.from_dict(json.loads(local_document.served())).get_all_operations()
}
HPA, CALLS = "TW/GOV/hpa/births", [name for name in OPERATIONS if name.startswith("call_")]
REAL = {
    **{name: f"/{HPA}/{name.removeprefix('govstack_')}" for name in OPERATIONS if name.startswith("govstack_")},
    "govstack_list_methods": f"/{HPA}/listMethods",
    "govstack_allowed_methods": f"/{HPA}/allowedMethods",
    "govstack_get_openapi": f"/{HPA}/getOpenAPI",
    "list_methods": f"/r1/{HPA}/listMethods",
    "allowed_methods": f"/r1/{HPA}/allowedMethods",
    "get_openapi": f"/r1/{HPA}/getOpenAPI",
    "call_post": f"/r1/{BIRTHS}/births/query",
}
"""Addresses at which something is; the other operations have but one."""
SOUND = {"national_id": national_id.urn(MOTHER), "name": "林淑芬"}
"""A row of a person who exists: made-up ids of persons do not reach the register."""


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Described, dict[str, Any]]]:
    """A country in which the walk came first: what the traffic shows does not depend on the order of the tests."""
    enable_socket()
    country = Described(tmp_path_factory.mktemp("described"))
    country.start()
    yield country, walk(country)
    country.stop()


@pytest.fixture(scope="module")
def standing(walked: tuple[Described, dict[str, Any]]) -> Described:
    enable_socket()
    return walked[0]


@pytest.fixture(scope="module")
def seen(walked: tuple[Described, dict[str, Any]]) -> dict[str, Any]:
    return walked[1]


# -- the document and its examples ------------------------------------------------------------------------------------


def test_the_door_serves_its_document_and_the_common_rules_have_no_error(standing: Described) -> None:
    answer = sync.request("GET", standing.url("ris") + local_document.PATH)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.parsed() == DOCUMENT
    ruleset = apilint.read()
    assert [one for one in apilint.lint(answer.body, ruleset) if one.rule == "openapi-valid"] == []


def test_every_route_is_documented_and_nothing_else(standing: Described) -> None:
    documented = {(method.upper(), path) for method, path, _ in local_document.operations(DOCUMENT)}
    routes = standing.gateways["ris"].local.routes
    directory = {("GET", path) for _, path in documented if path.rpartition("/")[2] in meta.METHODS | {"listClients"}}
    calls = {(method, path) for method, path in documented if path.startswith("/r1/{") and "{service}" in path}
    assert documented == set(routes) | directory | calls
    assert len(directory) == 7
    assert {method for method, _ in calls} == {"GET", "POST", "PUT", "PATCH", "DELETE"}


def test_every_problem_type_that_is_named_exists_with_its_status() -> None:
    known = {f"urn:smartgov:problem:{slug}" for slug in [*TABLE, "json-invalid"]}
    for _, path, operation in local_document.operations(DOCUMENT):
        assert set(operation["x-problem-types"]) <= known, path


def test_the_documented_parts_of_an_address_are_those_that_are_taken() -> None:
    pattern = DOCUMENT["components"]["schemas"]["Part"]["pattern"]
    for part in ["births.v1", "v1_a-b", "-", ".v1", "a/b", "a b", "a" * 64, "a" * 65, ""]:
        assert bool(re.search(pattern, part)) == names.is_part(part), part
    call = DOCUMENT["paths"]["/r1/{instance}/{class}/{member}/{subsystem}/{service}/{path}"]["get"]
    subsystem = next(one["schema"] for one in call["parameters"] if one.get("name") == "subsystem")
    jsonschema.validate(names.BUILT_IN, {**subsystem, "components": DOCUMENT["components"]})


def test_every_operation_shows_an_example_that_fits_its_form() -> None:
    for _, path, operation in local_document.operations(DOCUMENT):
        if operation["operationId"].startswith("call_") or path == local_document.PATH:
            continue  # what services say stands in their documents
        sent = operation.get("requestBody", {}).get("content", {})
        told = [answer for status, answer in operation["responses"].items() if status in {"200", "201"}]
        for content in [sent, *(answer["content"] for answer in told[:1])]:
            for media, shown in list(content.items())[:1]:
                assert "example" in shown, (path, media)
                jsonschema.validate(shown["example"], {**shown["schema"], "components": DOCUMENT["components"]})


def test_running_gateways_say_what_the_examples_show(seen: dict[str, Any]) -> None:
    shown = json.loads(local_document.EXAMPLES.read_text())
    assert set(shown) == set(seen)
    for operation, one in seen.items():
        assert _form(shown[operation].get("request")) == _form(one.get("request")), operation
        assert set(shown[operation]["answers"]) == set(one["answers"]), operation
        for status, content in one["answers"].items():
            for media, body in content.items():
                example = shown[operation]["answers"][status][media]
                form = _keys if operation in {"get_evidence", "get_metrics", "get_checkpoint", "get_health"} else _form
                assert form(example) == form(body), operation


def _form(value: Any) -> Any:
    """The members of objects and of the first items of lists; values do not matter."""
    if isinstance(value, dict):
        return {name: _form(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_form(part) for part in value[:1]]
    return type(value).__name__


def _keys(value: Any) -> Any:
    return dict.fromkeys(value) if isinstance(value, dict) else type(value).__name__


# -- what the document forbids is refused ------------------------------------------------------------------------------

CONSENT = {
    "subject": national_id.urn(MOTHER),
    "provider": BIRTHS,
    "requester": CASES,
    "fields": ["born_on"],
    "purpose": "birth.registration",
    "expires_at": "2030-01-01T00:00:00+08:00",
    "jti": "a-consent",
}
TOKEN = {"subject": national_id.urn(MOTHER), "audience": "TW/GOV/hpa", "assurance": 2, "jti": "a-token"}
ENDS = [None, 5, "", "tomorrow", "2030-01-01T00:00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"]
IDS = [None, 5, {}, [], "", "a" * 129]


@pytest.mark.parametrize(
    ("path", "sound", "wrong"),
    [
        *[("consents", CONSENT, {"expires_at": end}) for end in ENDS],
        *[("consents", CONSENT, {"jti": jti}) for jti in IDS],
        *[("consents", CONSENT, {"fields": fields}) for fields in [None, "born_on", [1, "a"], [{}, {}], [""]]],
        *[("consents", CONSENT, {"single_use": single}) for single in [None, "yes", 1]],
        *[("consents/revocations", {"jti": "x", "expires_at": CONSENT["expires_at"]}, {"expires_at": e}) for e in ENDS],
        *[("consents/revocations", {"jti": "x", "expires_at": CONSENT["expires_at"]}, {"jti": jti}) for jti in IDS],
        *[("tokens", TOKEN, {"assurance": level}) for level in [None, "AAA", "2", True, {}, [], 0, 4, 2.0]],
        *[("tokens", TOKEN, {"jti": jti}) for jti in IDS],
        *[("tokens", TOKEN, {"mandate": mandate}) for mandate in [5, {}, {"id": "", "excludes": []}]],
    ],
)
def test_what_a_gateway_signs_has_the_documented_form(
    path: str, sound: dict[str, Any], wrong: dict[str, Any], standing: Described
) -> None:
    def ask(body: dict[str, Any]) -> Response:
        headers = {**_secret(standing), "content-type": "application/json", "accept": "application/problem+json"}
        content = json.dumps(body).encode()
        return sync.request("POST", f"{standing.url('ris')}/local/v1/{path}", headers, content)

    assert ask(sound).status == 201
    refused = ask({**sound, **wrong})
    assert (refused.status, refused.parsed()["type"]) == (400, "urn:smartgov:problem:record-invalid")


# -- schemathesis on the door -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in OPERATIONS if name not in CALLS])
def test_the_door_answers_as_documented(name: str, standing: Described, seen: dict[str, Any]) -> None:
    body = seen.get(name, {}).get("request") or {}
    govstack = {"x-govstack-client": CASES} if name.startswith("govstack_") else {}

    def ask(case: Any, real: bool, sent: Any) -> Response:
        path = REAL.get(name, case.formatted_path) if real else case.formatted_path
        return _ask(standing, case, path, sent, govstack)

    _hold(OPERATIONS[name], ask, body)


@pytest.mark.parametrize("name", ["list_methods", "allowed_methods", "get_openapi"])
def test_the_directory_refuses_x_roads_clients_as_documented(name: str, standing: Described) -> None:
    """They ask for no problem+json: a service that is nowhere, a secret that is wrong and a query without its word."""
    statuses = set()

    def ask(case: Any, real: bool, sent: Any) -> Response:
        path = REAL[name] if real else case.formatted_path
        stranger = {} if real else {"authorization": "Bearer nobody"}
        answer = _ask(standing, case, path, sent, {"accept": "application/json", **stranger})
        statuses.add(answer.status)
        return answer

    _hold(OPERATIONS[name], ask, {}, CHECKED[1:])  # X-Road's word for a no is 500, whoever is at fault
    assert 500 in statuses


@pytest.mark.parametrize("name", CALLS)
def test_calls_are_answered_as_documented(name: str, standing: Described) -> None:
    named = {one["operationId"]: one["x-problem-types"] for _, _, one in local_document.operations(DOCUMENT)}
    types = set(named[name])

    def ask(case: Any, real: bool, sent: Any) -> Response:
        given = TOLD if real else {}
        path = REAL.get(name, case.formatted_path) if real else case.formatted_path
        answer = _ask(standing, case, path, sent, given)
        if "x-road-error" in answer.headers:
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.parsed()["type"] in types, answer.parsed()["type"]
        return answer

    _hold(OPERATIONS[name], ask, {"where": {"hospital": "臺大醫院"}, "limit": 3})


# -- schemathesis on a published service, through two gateways ---------------------------------------------------------


class Registers(Described):
    """hpa's system is a register that is made from a description, published with the document that comes with it."""

    def _home(self, code: str, subsystems: dict[str, Any], may: dict[str, list[str]]) -> dict[str, Any]:
        described = super()._home(code, subsystems, may)
        if code == "hpa":
            self.digest = homes.add_contract(self.folder / code, spec.contract(DESCRIPTION, BIRTHS))
        return described

    def data(self) -> dict[str, Any]:
        content = super().data()
        births = {**content["services"][0], "paths": spec.endpoints(DESCRIPTION), "related": spec.related(DESCRIPTION)}
        right = {**content["rights"][0], "endpoints": ["* /**"], "fields": None}
        return {**content, "services": [births, *content["services"][1:]], "rights": [right]}

    def serve(self) -> Server:
        """Let the register listen where hpa's gateway looks for it."""
        home = self.folder / "register"
        secret = homes.secret(self.folder / "hpa", "births")
        build.create_register(home, DESCRIPTION, ROWS, secret=secret)
        handler = server.RegisterServer(config.load(home / "register.yaml"), home)
        running: Server = self.run(serve(handler, port=self.behind.port))
        return running


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registers]:
    enable_socket()
    country = Registers(tmp_path_factory.mktemp("registers"))
    country.start()
    country.run(country._server.stop())  # type: ignore[union-attr]
    country._server = country.serve()
    yield country
    country.stop()


@pytest.mark.parametrize("label", spec.endpoints(DESCRIPTION))
def test_a_published_service_answers_as_its_own_document_says(label: str, published: Registers) -> None:
    """At X-Road's address; the document is the one that getOpenAPI gives."""
    given = _secret(published)
    document = sync.request("GET", f"{published.url('ris')}/r1/{HPA}/getOpenAPI?serviceCode=births.v1", given)
    assert document.status == 200
    assert document.parsed()["servers"] == [{"url": f"/r1/{BIRTHS}"}]
    found = {one.ok().label: one.ok() for one in openapi.from_dict(document.parsed()).get_all_operations()}
    answered = {"service": 0, "gateway": 0}

    def ask(case: Any, real: bool, sent: Any) -> Response:
        named = {**TOLD, "x-troad-subject": national_id.urn(MOTHER)}
        path = f"/r1/{BIRTHS}{case.formatted_path}"
        answer = _ask(published, case, path, SOUND if real and label == "POST /people" else sent, named)
        refused = "x-road-error" in answer.headers
        answered["gateway" if refused else "service"] += 1
        if refused:
            assert answer.status < 500, answer.body
            # A refusal is the gateway's: the form of errors is the same, the status is one of its own.
            assert answer.headers["content-type"] == "application/problem+json"
            raise _Refused
        return answer

    _hold(found[label], ask, {})
    assert answered["service"] > 0, "some reach the register"


# -- parts ------------------------------------------------------------------------------------------------------------


class _Refused(Exception):
    """The gateway said no: there is no answer of the service to look at."""


def _hold(
    operation: Any,
    ask: Callable[[Any, bool, Any], Response],
    body: Mapping[str, Any],
    checks: tuple[str, ...] = CHECKED,
) -> None:
    """Ask what schemathesis makes up; half of the time with parts of a sound body at an address that exists."""

    @given(case=operation.as_strategy(), real=st.booleans(), kept=st.sets(st.sampled_from(sorted(body) or ["-"])))
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def holds(case: Any, real: bool, kept: set[str]) -> None:
        sent = case.body if isinstance(case.body, dict | list | str | int | float | bool) else None
        if real and isinstance(sent, dict):
            sent = {**sent, **{name: body[name] for name in kept if name in body}}
        try:
            answer = ask(case, real, sent)
        except _Refused:
            return
        case.validate_response(_told(answer, case), checks=[CHECKS.get_one(name) for name in checks])

    holds()


def _secret(country: Described) -> dict[str, str]:
    return {"authorization": f"Bearer {homes.secret(country.folder / 'ris', 'cases')}"}


def _ask(country: Described, case: Any, path: str, sent: Any, headers: Mapping[str, str]) -> Response:
    fields = {name.lower(): str(value) for name, value in dict(case.headers or {}).items()}
    fields |= {**_secret(country), "accept": "application/problem+json", **headers, "x-road-id": uuid7()}
    content = b"" if sent is None else json.dumps(sent).encode()
    if content:
        fields["content-type"] = "application/json"
    query = requests.models.RequestEncodingMixin._encode_params(dict(case.query or {}))
    return sync.request(case.method, country.url("ris") + path + (f"?{query}" if query else ""), fields, content)


def _told(answer: Response, case: Any) -> Told:
    sent = requests.Request(case.method, "http://127.0.0.1/").prepare()
    headers = {name: [value] for name, value in answer.headers.items()}
    return Told(
        status_code=answer.status, headers=headers, content=answer.body, request=sent, elapsed=0.0, verify=False
    )
