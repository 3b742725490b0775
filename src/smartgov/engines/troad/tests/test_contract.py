"""Requests and answers held to an OpenAPI document, 3.0 and 3.1; places are named, values never."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartgov.engines.apigen.spec import openapi
from smartgov.engines.troad import contract
from smartgov.engines.troad.contract import Contract
from smartgov.shared.problems import Problem

PET = {
    "type": "object",
    "required": ["name"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "maxLength": 10},
        "born": {"type": "string", "format": "date"},
        "friends": {"type": "array", "items": {"$ref": "#/components/schemas/Pet"}},
    },
}


def document(version: str = "3.1.0", **pet: Any) -> bytes:
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}}}
    numbers = {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1}}
    tags = {"name": "tag", "in": "query", "schema": {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}}}
    content = {
        "openapi": version,
        "info": {"title": "pets", "version": "1"},
        "paths": {
            "/pets": {
                "get": {
                    "parameters": [numbers, tags, {"$ref": "#/components/parameters/Trace"}],
                    "responses": {"200": body, "default": {"description": "error"}},
                },
                "post": {"requestBody": {"required": True, **body}, "responses": {"201": body, "4XX": {}}},
            },
            "/pets/{id}/{part}": {
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}],
                "delete": {"responses": {"204": {"description": "gone"}}},
            },
        },
        "components": {
            "schemas": {"Pet": {**PET, **pet}},
            "parameters": {
                "Trace": {"name": "X-Trace", "in": "header", "required": True, "schema": {"type": "string"}}
            },
        },
    }
    return json.dumps(content).encode()


@pytest.fixture(scope="module", params=["3.1.0", "3.0.3"])
def pets(request: pytest.FixtureRequest) -> Contract:
    return contract.parse(document(request.param))


def ask(
    pets: Contract, method: str = "POST", path: str = "/pets", query: str = "", body: Any = b"", **headers: str
) -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    if raw:
        fields.setdefault("content-type", "application/json")
    return pets.request(method, path, query, fields, raw)


def test_what_is_documented_passes(pets: Contract) -> None:
    ask(pets, body={"name": "Bo", "friends": [{"name": "Al"}]})
    ask(pets, "GET", query="limit=3&tag=a,b", x_trace="1")
    ask(pets, "GET", query="tag=a&tag=b", x_trace="1")
    ask(pets, "DELETE", "/pets/5/ear")
    assert pets.endpoints == ["GET /pets", "POST /pets", "DELETE /pets/{id}/{part}"]


@pytest.mark.parametrize(
    ("given_", "places"),
    [
        ({"body": {}}, ["body"]),
        ({"body": {"name": 5}}, ["body/name"]),
        ({"body": {"name": "x", "friends": [{"name": "y"}, {"name": 1}]}}, ["body/friends/1/name"]),
        ({"body": {"name": "x", "born": "yesterday"}}, ["body/born"]),
        ({"body": {"name": "x", "other": 1}}, ["body"]),
        ({"body": b""}, ["body"]),
        ({"body": b"{"}, ["body"]),
        ({"body": b"<a/>", "content_type": "text/xml"}, ["header/content-type"]),
        ({"method": "GET", "query": "limit=0", "x_trace": "1"}, ["query/limit"]),
        ({"method": "GET", "query": "limit=x", "x_trace": "1"}, ["query/limit"]),
        ({"method": "GET", "query": "limit=1&limit=2", "x_trace": "1"}, ["query/limit"]),
        ({"method": "GET", "query": "tag=c", "x_trace": "1"}, ["query/tag"]),
        ({"method": "GET", "query": "person=A123456789", "x_trace": "1"}, ["query/*"]),
        ({"method": "GET"}, ["header/x-trace"]),
        ({"method": "GET", "body": {"name": "x"}, "x_trace": "1"}, ["body"]),
        ({"method": "DELETE", "path": "/pets/five/ear"}, ["path/id"]),
    ],
)
def test_what_differs_is_named_by_its_place(pets: Contract, given_: dict[str, Any], places: list[str]) -> None:
    with pytest.raises(Problem) as problem:
        ask(pets, **given_)
    assert (problem.value.slug, problem.value.extra["places"]) == ("request-invalid", places)


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "/pets"), ("GET", "/pet"), ("GET", "/pets/"), ("DELETE", "/pets/5")]
)
def test_an_operation_that_is_not_documented(pets: Contract, method: str, path: str) -> None:
    with pytest.raises(Problem, match="operation-unknown"):
        ask(pets, method, path)


@pytest.mark.parametrize(
    ("method", "status", "body", "good"),
    [
        ("POST", 201, b'{"name":"Bo"}', True),
        ("POST", 201, b'{"name":7}', False),
        ("POST", 201, b"", False),
        ("POST", 422, b"anything", True),
        ("POST", 200, b'{"name":"Bo"}', False),
        ("POST", 503, b"", True),
        ("GET", 500, b"", True),
        ("GET", 404, b"", True),
    ],
)
def test_answers(pets: Contract, method: str, status: int, body: bytes, good: bool) -> None:
    operation = ask(pets, method, **({"body": {"name": "x"}} if method == "POST" else {"x_trace": "1"}))
    if good:
        pets.answer(operation, status, "application/json", body)
    else:
        with pytest.raises(Problem, match="answer-invalid"):
            pets.answer(operation, status, "application/json", body)


def test_nullable_of_3_0() -> None:
    old = contract.parse(document("3.0.3", properties={"name": {"type": "string", "nullable": True, "enum": ["x"]}}))
    ask(old, body={"name": None})
    with pytest.raises(Problem):
        ask(old, body={"name": "y"})


def test_yaml_is_read_too_and_nonsense_is_not() -> None:
    text = b"openapi: 3.1.0\npaths:\n  /x:\n    get:\n      responses:\n        200: {description: ok}\n"
    assert contract.parse(text).endpoints == ["GET /x"]
    for bad in (
        b"",
        b"[]",
        b"{",
        b'{"openapi":"3.1.0","paths":{"/x":{"$ref":"#/paths/~1x"}}}',
        b"openapi: 3.1.0\npaths: 5",
    ):
        with pytest.raises(ValueError, match="not a usable"):
            contract.parse(bad)


def test_a_reference_to_elsewhere_is_not_followed() -> None:
    far = document().replace(b"#/components/schemas/Pet", b"https://example.com/pet.json")
    with pytest.raises(ValueError, match="not a usable"):
        contract.parse(far)


@given(st.text(), st.text(), st.binary(max_size=50))
def test_whatever_is_asked_is_answered_with_a_problem_or_passes(path: str, query: str, body: bytes) -> None:
    whole, slugs = _WHOLE, set[str]()
    for method in ("GET", "POST"):
        try:
            whole.request(method, "/pets" if len(path) % 2 else path, query, {"content-type": "application/json"}, body)
        except Problem as problem:
            slugs.add(problem.slug)
    assert slugs <= {"request-invalid", "operation-unknown"}


_WHOLE = contract.parse(document())


def test_the_document_of_a_generated_register_can_be_used() -> None:
    title = {"en": "Births", "zh": "出生"}
    columns = {"id": {"title": title}, "mother_id": {"format": "national-id", "title": title}}
    table = {
        "title": title,
        "subject_columns": ["mother_id"],
        "columns": {**columns, "born_on": {"type": "date", "title": title}},
    }
    made = openapi({"name": "births", "title": title, "tables": {"births": table}})
    compiled = contract.parse(json.dumps(made).encode())
    operation = ask(compiled, path="/births/query", body={"where": {"born_on": "2026-11-01"}})
    row = {"id": "1", "mother_id": "urn:tw:nid:A223456781", "born_on": None}
    answer = {"items": [row], "as_of": "2026-11-01T00:00:00Z", "more": False}
    compiled.answer(operation, 200, "application/json", json.dumps(answer).encode())
    with pytest.raises(Problem, match="answer-invalid"):
        compiled.answer(
            operation, 200, "application/json", json.dumps({**answer, "items": [{"born_on": "x"}]}).encode()
        )
    with pytest.raises(Problem, match="request-invalid"):
        ask(compiled, path="/births/query", body={"where": {"weight": 1}})
