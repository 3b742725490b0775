"""Contract, size, time, rate and quota of a service, as its member signed them, enforced by its gateway."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from smartgov.engines.httpd import Response
from smartgov.engines.troad import home as homes
from smartgov.engines.troad import terms
from smartgov.engines.troad.limits import Buckets
from smartgov.engines.troad.tests.country import PEOPLE, Country, Rogue, ask_births, problem_type
from smartgov.shared.problems import Problem

pytestmark = [pytest.mark.enable_socket, pytest.mark.process]
CONTRACT = {
    "openapi": "3.1.0",
    "info": {"title": "births", "version": "1"},
    "paths": {
        "/births/query": {
            "post": {
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {
                            "schema": {
                                "type": "object",
                                "additionalProperties": False,
                                "properties": {"where": {"type": "object"}},
                            }
                        }
                    },
                },
                "responses": {
                    "200": {
                        "description": "births",
                        "content": {
                            "application/json": {
                                "schema": {
                                    "type": "object",
                                    "required": ["items"],
                                    "properties": {
                                        "items": {"items": {"properties": {"weight_g": {"type": "integer"}}}}
                                    },
                                }
                            }
                        },
                    }
                },
            }
        }
    },
}


def offer(country: Country, **terms_: Any) -> None:
    """Publish births with these terms."""
    births, people = country.data()["services"]
    country.publish(services=[{**births, **terms_}, people])


def refused(country: Country, slug: str, **changes: Any) -> Problem:
    with pytest.raises(Problem) as problem:
        ask_births(country.sdk(), **changes)
    assert problem.value.slug == slug
    assert country.records("hpa")[-1]["reason"] == slug
    return problem.value


def test_requests_and_answers_are_held_to_the_document(country: Country) -> None:
    digest = homes.add_contract(country.folder / "hpa", json.dumps(CONTRACT).encode())
    offer(country, contract=digest)
    assert ask_births(country.sdk()).status == 200
    country.behind.seen.clear()
    problem = refused(country, "request-invalid", json={"where": {}, "more": 1})
    assert problem.extra["places"] == ["body"]
    assert country.behind.seen == [], "the service is not asked"
    wrong = {"items": [{"weight_g": "heavy", "hospital": "x"}]}
    country.behind.answer = lambda request: Response.json(wrong)
    problem = refused(country, "answer-invalid")
    assert problem.extra["places"] == ["body/items/0/weight_g"], "also in a field that would have been cut"
    assert "heavy" not in str(problem.extra)
    country.behind.answer = lambda request: Response.json({"items": []}, 202)
    assert refused(country, "answer-invalid").extra["places"] == ["status/202"]


def test_without_its_document_a_service_is_not_asked(country: Country) -> None:
    offer(country, contract="ab" * 32)
    refused(country, "contract-unavailable")
    assert country.behind.seen == []


def test_a_message_beyond_the_services_size_goes_nowhere(country: Country) -> None:
    offer(country, limits={"body_bytes": 200})
    before = len(country.records("hpa"))
    with pytest.raises(Problem) as problem:
        ask_births(country.sdk(), json={"where": {"x": "y" * 200}})
    assert (problem.value.slug, problem.value.extra["limit"]) == ("body-too-large", 200)
    assert len(country.records("hpa")) == before, "the own gateway knows the limit too"
    rogue = Rogue(country)
    answer = rogue.send(rogue.sign(rogue.message(body=b'{"where":{"x":"' + b"y" * 300 + b'"}}')))
    assert problem_type(answer) == "body-too-large"
    assert country.behind.seen == []
    country.behind.answer = lambda request: Response.json({"items": [{"hospital": "x" * 300}]})
    assert refused(country, "answer-invalid").extra["limit"] == 200


def test_a_service_that_takes_too_long(country: Country) -> None:
    offer(country, limits={"seconds": 1})

    def sleepy(request: Any) -> Response:
        raise AssertionError("replaced below")

    country.behind.answer = sleepy
    original = country.behind.handle

    async def slow(request: Any) -> Response:
        import asyncio

        await asyncio.sleep(1.5)
        return Response.json({"items": []})

    country._server.handler = slow  # type: ignore[union-attr]
    try:
        assert refused(country, "service-silent").status == 504
    finally:
        country._server.handler = original  # type: ignore[union-attr]


def test_a_clients_calls_a_minute_are_limited(country: Country) -> None:
    offer(country, limits={"per_minute": 2})
    country.gateways["hpa"].core.buckets = Buckets()
    assert [ask_births(country.sdk()).status for _ in range(2)] == [200, 200]
    problem = refused(country, "rate-exceeded")
    assert (problem.status, problem.extra["limit"]) == (429, 2)
    assert 1 <= problem.extra["retry_after"] <= 30
    assert len(country.behind.seen) == 2


def test_a_quota_of_the_day_outlives_the_gateway(country: Country) -> None:
    offer(country, limits={"per_day": 2})
    country.edit("hpa", "DELETE FROM quota")
    assert ask_births(country.sdk()).status == 200
    country.halt("hpa")
    country.start("hpa")
    assert ask_births(country.sdk()).status == 200
    problem = refused(country, "quota-exceeded")
    assert problem.extra["retry_after"] <= 86400
    refused(country, "quota-exceeded")
    assert len(country.behind.seen) == 2
    country.sdk().call(PEOPLE, "GET", "/people", subject="A223456781", purpose="x", basis="household-act-48")


def test_a_bucket_fills_steadily() -> None:
    buckets, now = Buckets(), time.time()
    for _ in range(60):
        buckets.take("c", "s", 60, now)
    with pytest.raises(Problem) as problem:
        buckets.take("c", "s", 60, now + 0.5)
    assert problem.value.extra["retry_after"] == 1
    buckets.take("c", "s", 60, now + 1.1)
    buckets.take("c", "other", 60, now)
    buckets.take("d", "s", 60, now)
    buckets.take("c", "s", 0, now)
    with pytest.raises(Problem):
        buckets.take("c", "s", 60, now - 100)


@pytest.mark.parametrize(
    "entry",
    [
        {"limits": {"body_bytes": 0}},
        {"limits": {"body_bytes": 2**40}},
        {"limits": {"seconds": 3600}},
        {"limits": {"per_minute": -1}},
        {"limits": {"per_hour": 1}},
        {"contract": "../../etc/passwd"},
    ],
)
def test_terms_that_cannot_be_meant_are_not_read(entry: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"limit|contract|rate"):
        terms.read(entry)
    assert terms.read({}) == terms.Terms()


def test_buckets_of_clients_that_left_are_forgotten_and_no_limit_with_them() -> None:
    buckets, now = Buckets(), time.time()
    for number in range(100):
        buckets.take(f"client-{number}", "s", 60, now)
    for _ in range(60):
        buckets.take("busy", "s", 60, now + 59)
    buckets.take("busy", "s", 60, now + 60.5)
    with pytest.raises(Problem):
        buckets.take("busy", "s", 60, now + 60.5)
    assert set(buckets._levels) == {("busy", "s")}
