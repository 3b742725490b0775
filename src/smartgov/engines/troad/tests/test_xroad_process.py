"""A client of X-Road, unchanged: its addresses, header fields, errors and meta-services."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_socket import enable_socket

from smartgov.engines.httpd import Response, sync
from smartgov.engines.troad import home as homes
from smartgov.engines.troad.tests.country import BIRTHS, CASES, MOTHER, Country
from smartgov.shared.tw import national_id

pytestmark = [pytest.mark.enable_socket, pytest.mark.process]
WEATHER = "TW/GOV/hpa/births/weather.v1"
DOCUMENT = b"""
{"openapi": "3.1.0", "info": {"title": "weather", "version": "1"}, "paths": {"/now": {"get": {
  "parameters": [{"name": "at", "in": "query", "schema": {"type": "integer"}}],
  "responses": {"200": {"description": "sky"}, "302": {"description": "moved"}, "405": {"description": "no"}}}}}}
""".strip()


class OpenCountry(Country):
    """ris's case system is one of X-Road: it shows no secret and knows none of our fields."""

    def _home(self, code: str, subsystems: dict[str, Any], may: dict[str, list[str]]) -> dict[str, Any]:
        if code == "ris":
            subsystems = {**subsystems, "cases": {"open": True}}
        if code == "hpa":
            services = subsystems["births"]["services"]
            subsystems = {"births": {"services": {**services, "weather.v1": services["births.v1"]}}}
        described = super()._home(code, subsystems, may)
        if code == "hpa":
            self.digest = homes.add_contract(self.folder / code, DOCUMENT)
        return described

    def data(self) -> dict[str, Any]:
        content = super().data()
        weather = {"id": WEATHER, "personal": False, "paths": ["GET /now", "POST /now"], "contract": self.digest}
        right = {"client": CASES, "service": WEATHER, "endpoints": ["GET /now"], "basis": {"kind": "none"}}
        return {**content, "services": [*content["services"], weather], "rights": [*content["rights"], right]}


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Country]:
    enable_socket()
    country = OpenCountry(tmp_path_factory.mktemp("xroad"))
    country.start()
    yield country
    country.stop()


def get(country: Country, path: str, **headers: str) -> Response:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return sync.request("GET", country.url("ris") + path, fields)


def sunny(request: Any) -> Response:
    return Response(
        200, {"content-type": "application/json", "x-station": "46692", "server": "secret"}, b'{"sky":"clear"}'
    )


def test_a_call_with_x_roads_fields_alone(country: Country) -> None:
    country.behind.answer = sunny
    answer = get(
        country,
        f"/r1/{WEATHER}/now?at=1",
        x_road_client=CASES,
        x_road_userid="EE1",
        x_road_issue="MT1",
        x_powered_by="P",
    )
    assert (answer.status, answer.body) == (200, b'{"sky":"clear"}')
    assert answer.headers["x-road-client"] == CASES
    assert answer.headers["x-road-service"] == WEATHER
    assert answer.headers["x-road-id"] == answer.headers["x-road-request-id"]
    assert len(base64.b64decode(answer.headers["x-road-request-hash"])) == 64
    assert answer.headers["x-station"] == "46692", "fields of the systems' own travel"
    assert "server" not in answer.headers
    (seen,) = country.behind.seen
    assert (seen.query, seen.headers["x-road-userid"], seen.headers["x-powered-by"]) == ("at=1", "EE1", "P")


@pytest.mark.parametrize("name", ["x-road-client", "X-GovStack-Client", "Information-Mediator-Client"])
def test_the_client_may_name_itself_in_three_ways(country: Country, name: str) -> None:
    country.behind.answer = sunny
    answer = sync.request("GET", f"{country.url('ris')}/r1/{WEATHER}/now", {name: CASES})
    assert answer.status == 200
    assert country.records("hpa")[-1]["client"] == CASES


def test_a_system_that_is_not_open_shows_its_secret(country: Country) -> None:
    assert get(country, f"/r1/{WEATHER}/now", x_road_client="TW/GOV/ris/household").status == 500
    wrong = get(country, f"/r1/{WEATHER}/now", x_road_client=CASES, authorization="Bearer wrong")
    assert wrong.headers["x-road-error"] == "Server.ClientProxy.SslAuthenticationFailed"
    assert country.behind.seen == []


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("/r1/TW/GOV", 400, "Client.BadRequest"),
        (f"/r1/{WEATHER}/a/../b", 400, "Client.BadRequest"),
        ("/r1/TW/GOV/none/births/x.v1/y", 500, "Server.ClientProxy.UnknownService"),
        (f"/r1/{WEATHER}/other", 500, "Server.ServerProxy.AccessDenied"),
        (f"/r1/{BIRTHS}/births/{MOTHER}", 400, "Client.BadRequest"),
    ],
)
def test_errors_have_x_roads_form(country: Country, path: str, status: int, kind: str) -> None:
    answer = get(country, path, x_road_client=CASES)
    assert (answer.status, answer.headers["x-road-error"]) == (status, kind)
    told = answer.parsed()
    assert (told["type"], set(told)) == (kind, {"type", "message", "detail", "problem"})
    assert any(record.get("id") == told["detail"] for record in country.records("ris")) or status == 400


def test_a_system_behind_that_is_down_is_the_providers_fault(country: Country) -> None:
    country.run(country._server.stop())  # type: ignore[union-attr]
    try:
        answer = get(country, f"/r1/{WEATHER}/now", x_road_client=CASES)
    finally:
        from smartgov.engines.httpd import serve

        country._server = country.run(serve(country.behind.handle, port=country.behind.port))
    assert (answer.status, answer.headers["x-road-error"]) == (500, "Server.ServerProxy.NetworkError")


def test_an_error_of_the_service_is_its_own(country: Country) -> None:
    country.behind.answer = lambda request: Response(405, {"content-type": "application/json"}, b'{"error":"no"}')
    answer = get(country, f"/r1/{WEATHER}/now", x_road_client=CASES)
    assert (answer.status, answer.body) == (405, b'{"error":"no"}')
    assert "x-road-error" not in answer.headers


def test_redirects_are_passed_and_not_followed(country: Country) -> None:
    country.behind.answer = lambda request: Response(302, {"location": "https://elsewhere.example/"})
    answer = get(country, f"/r1/{WEATHER}/now", x_road_client=CASES)
    assert (answer.status, answer.headers["location"]) == (302, "https://elsewhere.example/")
    assert len(country.behind.seen) == 1


def test_a_named_security_server(country: Country) -> None:
    country.behind.answer = sunny
    assert (
        get(country, f"/r1/{WEATHER}/now", x_road_client=CASES, x_road_security_server="TW/GOV/hpa/gw1").status == 200
    )
    other = get(country, f"/r1/{WEATHER}/now", x_road_client=CASES, x_road_security_server="TW/GOV/hpa/gw9")
    assert other.headers["x-road-error"] == "Server.ClientProxy.UnknownService"


def test_list_clients(country: Country) -> None:
    listed = get(country, "/listClients?xRoadInstance=TW").parsed()["member"]
    ids = [entry["id"] for entry in listed]
    assert {"object_type": "MEMBER", "xroad_instance": "TW", "member_class": "GOV", "member_code": "hpa"} in ids
    assert {
        "object_type": "SUBSYSTEM",
        "xroad_instance": "TW",
        "member_class": "GOV",
        "member_code": "ris",
        "subsystem_code": "cases",
    } in ids
    assert get(country, "/listClients?xRoadInstance=EE").parsed() == {"member": []}


def test_list_and_allowed_methods(country: Country) -> None:
    (service,) = (
        one
        for one in get(country, "/r1/TW/GOV/hpa/births/listMethods", x_road_client=CASES).parsed()["service"]
        if one["service_code"] == "weather.v1"
    )
    assert (service["service_type"], service["object_type"]) == ("OPENAPI", "SERVICE")
    assert service["endpoint_list"] == [{"method": "GET", "path": "/now"}, {"method": "POST", "path": "/now"}]
    allowed = get(country, "/r1/TW/GOV/hpa/births/allowedMethods", x_road_client=CASES).parsed()["service"]
    assert {one["service_code"]: one["endpoint_list"] for one in allowed} == {
        "births.v1": [{"method": "POST", "path": "/births/query"}],
        "weather.v1": [{"method": "GET", "path": "/now"}],
    }
    nobody = get(country, "/r1/TW/GOV/hpa/none/listMethods", x_road_client=CASES)
    assert nobody.headers["x-road-error"] == "Server.ClientProxy.UnknownService"


def test_get_openapi_is_the_document_that_the_member_signed_for(country: Country) -> None:
    path = "/r1/TW/GOV/hpa/births/getOpenAPI?serviceCode=weather.v1"
    before = len(country.records("hpa"))
    for _ in range(2):
        answer = get(country, path, x_road_client=CASES)
        assert (answer.status, answer.body) == (200, DOCUMENT)
    kinds = [record["kind"] for record in country.records("hpa")[before:]]
    assert kinds in ([], ["meta", "answer"]), "fetched once, here or by an earlier test"
    assert get(country, "/r1/TW/GOV/hpa/births/getOpenAPI", x_road_client=CASES).status == 400
    assert get(country, path.replace("weather", "none"), x_road_client=CASES).status == 500


def test_a_document_that_was_fetched_is_there_when_its_provider_is_gone_and_another_one_never(tmp_path: Path) -> None:
    country = OpenCountry(tmp_path)
    country.start()
    path, kept = "/r1/TW/GOV/hpa/births/getOpenAPI?serviceCode=weather.v1", tmp_path / "ris" / "contracts"
    try:
        lying = country.gateways["hpa"].core
        honest, lying.home = lying.home, _Liar(lying.home)  # type: ignore[assignment]
        answer = get(country, path, x_road_client=CASES)
        assert answer.headers["x-road-error"] == "Server.ServerProxy.InternalError"
        assert not kept.exists()
        lying.home = honest
        assert get(country, path, x_road_client=CASES).body == DOCUMENT
        assert (kept / country.digest).read_bytes() == DOCUMENT
        country.halt("hpa")
        country.halt("ris")
        country.start("ris")
        assert get(country, path, x_road_client=CASES).body == DOCUMENT
    finally:
        country.stop()


class ShownCountry(OpenCountry):
    """A document with an example of a person, in escaped letters; `person` is set before it is raised."""

    person = MOTHER

    def _home(self, code: str, subsystems: dict[str, Any], may: dict[str, list[str]]) -> dict[str, Any]:
        described = super()._home(code, subsystems, may)
        if code == "hpa":
            self.shown = DOCUMENT.replace(b'"sky"', json.dumps(f"\u5929 {national_id.urn(self.person)}").encode())
            self.digest = homes.add_contract(self.folder / code, self.shown)
        return described


@pytest.mark.parametrize(("person", "given"), [(MOTHER, True), ("A123456789", False)])
def test_a_document_travels_byte_by_byte_if_its_persons_are_made_up(tmp_path: Path, person: str, given: bool) -> None:
    country = type("Shown", (ShownCountry,), {"person": person})(tmp_path)
    country.start()
    try:
        answer = get(country, "/r1/TW/GOV/hpa/births/getOpenAPI?serviceCode=weather.v1", x_road_client=CASES)
        assert (answer.body == country.shown, answer.status == 200) == (given, given)
        assert given or answer.parsed()["problem"].endswith(":person-in-clear")
    finally:
        country.stop()


class _Liar:
    """A home that gives out another document than was signed for."""

    def __init__(self, home: homes.Home) -> None:
        self._home = home

    def __getattr__(self, name: str) -> Any:
        return getattr(self._home, name)

    def contract(self, digest: str) -> bytes:
        return DOCUMENT.replace(b"sky", b"sea")


def test_a_document_that_was_changed_is_not_given(country: Country) -> None:
    other = {**country.data()["services"][-1], "contract": "0" * 64}
    country.publish(services=[*country.data()["services"][:-1], other])
    answer = get(country, "/r1/TW/GOV/hpa/births/getOpenAPI?serviceCode=weather.v1", x_road_client=CASES)
    assert answer.headers["x-road-error"] == "Server.ServerProxy.InternalError"


def test_a_person_may_be_named_with_our_fields_beside_x_roads(country: Country) -> None:
    headers = {
        "x-road-client": CASES,
        "x-troad-subject": national_id.urn(MOTHER),
        "x-troad-purpose": "birth-registration",
    }
    headers |= {"x-troad-basis": "household-act-48", "content-type": "application/json"}
    answer = sync.request("POST", f"{country.url('ris')}/r1/{BIRTHS}/births/query", headers, json.dumps({}).encode())
    assert answer.status == 200


def test_without_an_open_system_the_directory_wants_a_secret(country: Country, tmp_path: Path) -> None:
    answer = sync.request("GET", country.url("hpa") + "/listClients")
    assert (answer.status, answer.headers["x-road-error"]) == (401, "Server.ClientProxy.SslAuthenticationFailed")


def test_govstacks_dialect(country: Country) -> None:
    client = {"Information-Mediator-Client": CASES}
    clients = get(country, "/listClients?serviceId=a&instanceId=b").parsed()["member"]
    assert {
        "objectType": {"object_type": "MEMBER"},
        "GovStackInstance": "TW",
        "memberClass": "GOV",
        "memberCode": "hpa",
    } in clients
    (weather,) = sync.request("GET", country.url("ris") + "/TW/GOV/hpa/births/allowedMethods", client).parsed()[
        "member"
    ][1:]
    assert weather["endpointList"] == {"member": [{"method": "GET", "path": "/now"}]}
    assert (weather["applicationCode"], weather["serviceCode"]) == ("births", "weather.v1")
    assert get(country, "/TW/GOV/hpa/none/listMethods").parsed() == {"member": []}
    base = country.url("ris") + "/TW/GOV/hpa/births/getOpenAPI"
    given = sync.request("GET", base + "?serviceCode=weather.v1", client)
    assert (given.status, given.headers["content-type"]) == (200, "application/json; charset=utf-8")
    assert given.parsed() == DOCUMENT.decode(), "the document as a JSON string"
    for query in ("", "?serviceCode=", "?serviceCode=_invalid"):
        refused = sync.request("GET", base + query, client)
        assert (refused.status, type(refused.parsed())) == (400, str)
