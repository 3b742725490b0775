"""The register's own API: for signed-in officers, and over T-Road for members' systems."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from smartgov.blocks.exchange import api, centre, issuing
from smartgov.blocks.exchange.tests.factories import RecordedCentre, two_members
from smartgov.blocks.identity.tests.factories import signed_in_officer
from smartgov.engines.apilint import read
from smartgov.shared import clock, homes

pytestmark = pytest.mark.django_db
BASE = "/api/exchange/v1"
STATIONS = f"{BASE}/services/TW/GOV/ris/household/stations.v1"
DOCUMENT = json.dumps(dict(read().example))
WISH = {
    "client": "TW/GOV/nhi/cases",
    "service": "TW/GOV/ris/household/stations.v1",
    "endpoints": ["GET /stations"],
    "basis": "none",
    "purpose": "weather.warning",
}


class Published:
    """An authority whose bundle is a few bytes."""

    def bundle(self) -> bytes:
        return b"bundle"


@pytest.fixture(autouse=True)
def country(monkeypatch: pytest.MonkeyPatch) -> Iterator[RecordedCentre]:
    monkeypatch.setattr(homes, "gateway_secret", lambda agency, subsystem: f"{agency}-{subsystem}")
    recorded = RecordedCentre()
    with centre.replaced(recorded), issuing.replaced(Published()):  # type: ignore[arg-type]
        two_members()
        yield recorded


def put(browser: Client, path: str, body: Any) -> Any:
    return browser.put(path, json.dumps(body), content_type="application/json")


def post(browser: Client, path: str, body: Any) -> Any:
    return browser.post(f"{BASE}{path}", json.dumps(body), content_type="application/json")


def offered(ris: Client) -> None:
    assert put(ris, STATIONS, {"document": DOCUMENT, "personal": False}).status_code == 200


def on_the_road(method: str, path: str, body: Any = None, *, client: str = "TW/GOV/nhi/cases") -> Any:
    headers = {"Authorization": "Bearer portal-portal", "X-Road-Client": client, "X-Road-Id": "x-1"}
    content = json.dumps(body) if body is not None else ""
    return Client().generic(
        method, f"/troad/portal/exchange.v1{path}", content, content_type="application/json", headers=headers
    )


def test_a_service_is_published_from_a_document_and_found_again(ris: Client, nhi: Client) -> None:
    offered(ris)
    seen = nhi.get(STATIONS).json()
    assert (seen["title"], seen["own"], seen["endpoints"][0]) == ("Weather stations", False, "GET /stations")
    told = nhi.get(f"{STATIONS}/document").json()
    assert told == {"sha256": sha256(DOCUMENT.encode()).hexdigest(), "document": DOCUMENT}
    assert put(ris, STATIONS, {"personal": False, "visibility": "delayed", "visibility_terms": {"days": 3}}).json()[
        "visibility"
    ] == ("delayed")
    assert ris.delete(STATIONS).status_code == 204
    assert nhi.get(STATIONS).json()["withdrawn"] is True


def test_a_name_that_exists_is_replaced_only_with_the_flag(ris: Client) -> None:
    offered(ris)
    offered(ris)  # the very same
    other = json.loads(DOCUMENT)
    del other["paths"]["/stations/{id}"]
    body = {"document": json.dumps(other), "personal": False}
    answer = put(ris, STATIONS, body)
    assert (answer.status_code, answer["Content-Type"]) == (409, "application/problem+json")
    told = answer.json()
    assert told["type"] == "urn:smartgov:problem:service-exists"
    assert told["changes"]["operations"]["removed"] == ["GET /stations/{id}"]
    assert "replace" in told["todo"]
    assert put(ris, STATIONS, body | {"replace": True}).json()["endpoints"] == ["GET /stations"]


def test_a_document_that_breaks_a_rule_is_refused_with_its_lines(ris: Client) -> None:
    wrong = json.loads(DOCUMENT)
    wrong["paths"]["/stations"]["get"]["parameters"][1]["name"] = "nationalId"
    answer = put(ris, STATIONS, {"document": json.dumps(wrong, indent=1), "personal": False})
    assert (answer.status_code, answer["Content-Type"]) == (422, "application/problem+json")
    assert answer.json()["findings"][0]["rule"] == "personal-in-address"


def test_a_right_is_asked_granted_and_ended(ris: Client, nhi: Client) -> None:
    offered(ris)
    asked = post(nhi, "/requests", WISH).json()
    assert (asked["state"], asked["may_withdraw"], asked["may_review"]) == ("asked", True, False)
    path = f"/requests/{asked['id']}"
    until = (clock.today() + timedelta(days=30)).isoformat()
    assert post(nhi, f"{path}/decision", {"outcome": "granted", "until": until}).status_code == 404
    assert post(ris, f"{path}/decision", {"outcome": "granted"}).status_code == 422
    assert post(ris, f"{path}/decision", {"outcome": "granted", "until": until}).json()["state"] == "granted"
    assert post(nhi, f"{path}/withdrawal", {}).status_code == 409
    (right,) = nhi.get(f"{BASE}/rights").json()["items"]
    assert (right["in_force"], right["own"]) == (True, False)
    assert post(nhi, f"/rights/{right['id']}/end", {"reason": "x"}).status_code == 404
    ended = post(ris, f"/rights/{right['id']}/end", {"reason": "the project has ended"}).json()
    assert (ended["state"], ended["in_force"], ended["own"]) == ("revoked", False, True)


def test_a_right_is_renewed_by_its_provider_or_asked_for_anew_by_its_holder(ris: Client, nhi: Client) -> None:
    offered(ris)
    day = clock.today() + timedelta(days=30)
    asked = post(nhi, "/requests", WISH).json()["id"]
    post(ris, f"/requests/{asked}/decision", {"outcome": "granted", "until": day.isoformat()})
    (right,) = nhi.get(f"{BASE}/rights").json()["items"]
    path, later = f"/rights/{right['id']}", (day + timedelta(days=30)).isoformat()
    assert post(nhi, f"{path}/renewal", {"until": later}).status_code == 404
    assert post(ris, f"{path}/renewal", {"until": later}).json()["expires_at"] > right["expires_at"]
    assert post(ris, f"{path}/renewal", {"until": "2099-01-01"}).status_code == 422
    earlier = post(ris, f"{path}/renewal", {"until": day.isoformat()})
    assert (earlier.status_code, "請附理由廢止" in earlier.json()["detail"]) == (422, True)
    wanted = {"wanted_until": later, "explanation": "the project goes on"}
    assert post(ris, f"{path}/renewal-requests", wanted).status_code == 404
    anew = post(nhi, f"{path}/renewal-requests", wanted)
    assert anew.status_code == 201
    same = ("client", "service", "endpoints", "basis", "fields", "purpose")
    assert {name: anew.json()[name] for name in same} == {name: right[name] for name in same}
    post(ris, f"{path}/end", {"reason": "not needed"})
    assert post(nhi, f"{path}/renewal-requests", wanted).status_code == 422


def test_own_requests_and_those_to_review_are_listed_and_systems_are_registered(ris: Client, nhi: Client) -> None:
    offered(ris)
    asked = post(nhi, "/requests", {**WISH, "explanation": "warnings before storms"}).json()
    for browser, may_review in ((ris, True), (nhi, False)):
        (row,) = browser.get(f"{BASE}/requests").json()["items"]
        assert (row["id"], row["may_review"]) == (asked["id"], may_review)
    added = post(ris, "/subsystems", {"id": "TW/GOV/ris/archive"})
    assert (added.status_code, added.json()) == (201, {"id": "TW/GOV/ris/archive"})
    assert post(ris, "/subsystems", {"id": "TW/GOV/nhi/archive"}).status_code == 404


def test_lists_come_in_pages_that_stay_where_they_are(ris: Client) -> None:
    first = ris.get(f"{BASE}/members?limit=1").json()
    second = ris.get(f"{BASE}/members?limit=1&after={first['items'][0]['id']}").json()
    assert [first["more"], second["more"]] == [True, False]
    assert [one["code"] for one in first["items"] + second["items"]] == ["nhi", "ris"]
    assert ris.get(f"{BASE}/members?limit=0").status_code == 422
    assert ris.get(f"{BASE}/members/nhi").json()["gateways"][0]["keys"]["message_key"]


def test_the_configuration_is_told_with_its_digest(ris: Client) -> None:
    assert ris.get(f"{BASE}/configuration").json()["pending"] is True
    api.publish(actor=api.PUBLISHER)
    told = ris.get(f"{BASE}/configuration").json()
    assert (told["version"], told["sha256"], told["pending"]) == (1, sha256(b"bundle").hexdigest(), False)


def test_the_role_decides_what_an_officer_may_do(ris: Client) -> None:
    integrator = signed_in_officer("ris", "integrator")
    assert integrator.get(f"{BASE}/services").status_code == 200
    refused = put(integrator, STATIONS, {"document": DOCUMENT, "personal": False})
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:smartgov:problem:permission-missing")
    assert Client().get(f"{BASE}/services").status_code == 401


def test_first_who_asks_then_whether_the_page_is_ours() -> None:
    """401 without a session, whatever token is sent; in a session 403 without the token of our pages."""

    def asked(browser: Client, token: str = "") -> tuple[int, str, str]:
        headers = {"X-CSRFToken": token} if token else {}
        body = json.dumps({"document": DOCUMENT, "personal": False})
        answer = browser.put(STATIONS, body, content_type="application/json", headers=headers)
        return answer.status_code, answer["Content-Type"], answer.json().get("type", "").rpartition(":")[2]

    token = "a" * 32
    nobody, officer = Client(enforce_csrf_checks=True), signed_in_officer("ris", "exchange_officer")
    officer.handler.enforce_csrf_checks = True
    for browser in (nobody, officer):
        browser.cookies[settings.CSRF_COOKIE_NAME] = token
    assert asked(nobody) == asked(nobody, token) == (401, "application/problem+json", "unauthenticated")
    assert asked(officer) == (403, "application/problem+json", "csrf-token-missing")
    assert asked(officer, "b" * 32) == (403, "application/problem+json", "csrf-token-missing")
    assert asked(officer, token)[:2] == (200, "application/json; charset=utf-8")


def test_a_members_system_does_the_same_over_t_road(ris: Client) -> None:
    offered(ris)
    assert on_the_road("GET", "/services").json()["items"][0]["id"] == WISH["service"]
    asked = on_the_road("POST", "/requests", WISH).json()
    assert asked["state"] == "asked"
    assert on_the_road("GET", f"/requests/{asked['id']}", client="TW/GOV/ris/household").json()["may_review"] is True
    assert on_the_road("GET", f"/requests/{asked['id']}", client="TW/GOV/bli/cases").status_code == 404
    for stranger in ("TW/COM/nhi/cases", "XX/GOV/nhi/cases", "nhi", ""):
        assert on_the_road("GET", "/services", client=stranger).status_code == 404


def test_a_process_that_is_not_the_centre_says_so(ris: Client, settings: Any) -> None:
    settings.ROLES = frozenset({"agency:ris"})
    assert ris.get(f"{BASE}/services").json()["type"] == "urn:smartgov:problem:not-the-centre"
