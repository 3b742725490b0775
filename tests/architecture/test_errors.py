"""One shape for every error: problem+json for programs, the problem page for people, no library's own words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from smartgov.shared.problems import Problem
from smartgov.site import refusals
from tests.architecture.conftest import gateway_secret

PROBE = "/api/probe/parcels"
DOOR = "/troad/ris/cases.v1/preparations"
KEYS = {"type", "title", "status", "detail", "todo"}

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def addresses(settings: Any, gateways: None) -> None:
    settings.ROOT_URLCONF = "tests.architecture.probe"


@pytest.fixture
def browser() -> Client:
    return Client(raise_request_exception=False)


def send(browser: Client, address: str, body: bytes, media_type: str = "application/json", method: str = "POST") -> Any:
    headers = {"Authorization": f"Bearer {gateway_secret('ris', 'cases')}", "X-Road-Client": "TW/GOV/portal/portal"}
    return browser.generic(method, address, body, content_type=media_type, headers=headers)


def expect(answer: Any, slug: str, status: int) -> None:
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    said = answer.json()
    assert set(said) >= KEYS
    assert (said["type"], said["status"]) == (f"urn:smartgov:problem:{slug}", status)
    assert said["title"]
    assert said["todo"]
    assert "secret" not in answer.content.decode()


@pytest.mark.parametrize("address", [PROBE, DOOR])
def test_what_an_api_cannot_take_is_a_problem(browser: Client, address: str) -> None:
    expect(send(browser, address, b"{broken"), "request-malformed", 400)
    expect(send(browser, address, b"\xff\xfe"), "request-malformed", 400)
    expect(send(browser, address, b"weight=1", "application/x-www-form-urlencoded"), "media-type-unsupported", 415)
    expect(send(browser, address, b"<weight/>", "text/xml"), "media-type-unsupported", 415)
    expect(send(browser, address, b" " * (2 * 2**20 + 1)), "request-too-large", 413)
    expect(send(browser, address, b'{"weight": "heavy"}'), "request-invalid", 422)
    expect(send(browser, address, b""), "request-invalid", 422)
    expect(send(browser, f"{address}/nowhere/at/all", b"{}"), "not-found", 404)
    refused = send(browser, address, b"{}", method="DELETE")
    expect(refused, "method-not-allowed", 405)
    assert "POST" in refused["Allow"]


def test_what_is_right_passes(browser: Client) -> None:
    assert send(browser, PROBE, b'{"weight": 3}').json() == {"weight": 3}
    assert send(browser, PROBE, b'{"weight": 3}', "application/json; charset=utf-8").json() == {"weight": 3}


@pytest.mark.parametrize(
    ("kind", "slug", "status"),
    [
        ("teapot", "request-malformed", 418),
        ("throttled", "too-many-requests", 429),
        ("denied", "forbidden", 403),
        ("suspicious", "request-malformed", 400),
        ("broken", "unexpected", 500),
    ],
)
def test_what_a_library_raises_is_told_in_our_words(browser: Client, kind: str, slug: str, status: int) -> None:
    expect(browser.get(f"/api/probe/raise/{kind}"), slug, status)


def test_people_get_the_problem_page(browser: Client) -> None:
    strict = Client(enforce_csrf_checks=True, raise_request_exception=False)
    large = browser.generic("POST", "/probe/page", b"a=" + b"b" * 2**22, "application/x-www-form-urlencoded")
    not_allowed = browser.get("/probe/page")
    answers: list[tuple[Any, Problem]] = [
        (not_allowed, refusals.FOR_PEOPLE[refusals.METHOD_NOT_ALLOWED]),
        (strict.post("/probe/page", {"a": "b"}), refusals.NOT_FROM_OUR_PAGE),
        (browser.get("/nowhere/at/all/"), refusals.NOT_FOUND),
        (large, refusals.TOO_LARGE),
    ]
    for answer, problem in answers:
        assert answer.status_code == problem.status
        assert answer["Content-Type"].startswith("text/html")
        assert problem.what.zh in answer.content.decode()
    assert not_allowed["Allow"] == "POST"


def test_the_shape_is_json(browser: Client) -> None:
    """RFC 9457: the status in the body is the status of the answer."""
    for problem in refusals.BY_STATUS.values():
        said = json.loads(json.dumps(problem.as_dict("en")))
        assert said["status"] == problem.status
        assert said["title"].isascii()
