"""Addresses, endpoints, cutting, the configuration's own consistency, and the problem table."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from smartgov.engines.httpd import Response
from smartgov.engines.troad import home as homes
from smartgov.engines.troad import rights, snapshot
from smartgov.engines.troad.names import epoch_of, is_number, parse_target
from smartgov.engines.troad.problems import TABLE, refuse
from smartgov.engines.troad.provider import problem_response
from smartgov.engines.troad.received import problem_of
from smartgov.shared import clock
from smartgov.shared.problems import Problem


def test_an_address_names_member_subsystem_service_and_path() -> None:
    target = parse_target("/r1/TW/GOV/hpa/births/births.v1/births/query")
    assert (target.member, target.service_id) == ("TW/GOV/hpa", "TW/GOV/hpa/births/births.v1")
    assert (target.path, target.built_in) == ("/births/query", False)
    assert parse_target("/r1/TW/GOV/hpa/-/trail/records").built_in


@pytest.mark.parametrize(
    "path",
    ["/", "/r1/TW/GOV/hpa", "/r1/TW/GOV/hpa/a/b/../c", "/r1/TW/GOV/hpa/a/b//c", "/r1/TW/GOV/-/a/b", "r1/TW/GOV/h/a/b",
     "/r1/TW/GOV/hpa/a/b/%2e%2e/c", "/r1/TW/GOV/hpa/a/b/c%2Fd", "/r1/TW/GOV/hpa/a/b/c%255c", "/r1/TW/G V/h/a/b/c"],
)  # fmt: skip
def test_an_ambiguous_address_is_refused(path: str) -> None:
    with pytest.raises(Problem) as problem:
        parse_target(path)
    assert problem.value.slug == "address-invalid"


@pytest.mark.parametrize(
    ("endpoint", "method", "path", "matches"),
    [
        ("POST /births/query", "POST", "/births/query", True),
        ("POST /births/query", "GET", "/births/query", False),
        ("POST /births/query", "POST", "/births/query/1", False),
        ("PATCH /people/{id}", "PATCH", "/people/5", True),
        ("PATCH /people/{id}", "PATCH", "/people/", False),
        ("PATCH /people/*", "PATCH", "/people/5/x", False),
        ("* /people/**", "DELETE", "/people/5/x", True),
        ("* /people/**", "GET", "/people", True),
        ("* /people/**", "GET", "/persons", False),
        ("GET /", "GET", "/", True),
    ],
)
def test_endpoints(endpoint: str, method: str, path: str, matches: bool) -> None:
    assert snapshot.endpoint_matches(endpoint, method, path) is matches


def test_cutting_keeps_granted_fields_of_items_or_of_the_object() -> None:
    body = json.dumps({"items": [{"a": 1, "b": 2}], "as_of": "t", "total": 9}).encode()
    assert json.loads(rights.cut(body, ["a"])) == {"items": [{"a": 1}], "as_of": "t"}
    assert json.loads(rights.cut(b'{"a":1,"b":2}', ["b", "c"])) == {"b": 2}
    assert rights.cut(body, None) == body
    assert rights.cut(b"", ["a"]) == b""


@pytest.fixture
def data(tmp_path: Path) -> dict[str, Any]:
    one = homes.create(tmp_path / "a", member="a", port=1, local_port=2, subsystems={"s": {"services": {"x.v1": "u"}}})
    two = homes.create(tmp_path / "b", member="b", port=3, local_port=4, subsystems={"s": {}})
    now = clock.now()
    return {
        "version": 1,
        "issued_at": now.isoformat(),
        "expires_at": (now + timedelta(hours=1)).isoformat(),
        "members": [
            {"id": d["member"], "name": {"en": "x", "zh": "x"}, "gateways": [d["gateway"]]} for d in (one, two)
        ],
        "subsystems": [*one["subsystems"], *two["subsystems"]],
        "services": [{"id": "TW/GOV/a/s/x.v1"}],
        "rights": [
            {"client": "TW/GOV/b/s", "service": "TW/GOV/a/s/x.v1", "endpoints": ["GET /"], "basis": {"kind": "subject"}}
        ],
    }


def test_a_configuration_is_indexed(data: dict[str, Any]) -> None:
    read = snapshot.parse(data)
    assert read.gateways["TW/GOV/a/gw1"].authority == "127.0.0.1:1"
    assert read.services["TW/GOV/a/s/x.v1"].personal, "personal unless it says otherwise"


@pytest.mark.parametrize(
    ("damage", "error"),
    [
        (lambda d: d["members"][1]["gateways"].append(d["members"][0]["gateways"][0]), "share"),
        (lambda d: d["rights"][0].update(service="TW/GOV/a/s/y.v1"), "unknown services"),
        (lambda d: d["rights"][0].update(basis={"kind": "statute"}), "no usable basis"),
        (lambda d: d["rights"][0].update(basis={"kind": "whim"}), "no usable basis"),
        (lambda d: d["subsystems"].append("TW/GOV/c/s"), "not members"),
        (lambda d: d.update(expires_at="2026-01-01T00:00:00"), "offset"),
    ],
)
def test_an_inconsistent_configuration_is_not_read(data: dict[str, Any], damage: Any, error: str) -> None:
    broken = deepcopy(data)
    damage(broken)
    with pytest.raises(ValueError, match=error):
        snapshot.parse(broken)


def test_making_a_home_again_keeps_its_keys_and_secrets(tmp_path: Path) -> None:
    first = homes.create(tmp_path, member="a", port=1, local_port=2, subsystems={"s": {}})
    kept = homes.secret(tmp_path, "s")
    again = homes.create(tmp_path, member="a", port=1, local_port=2, subsystems={"s": {}, "t": {}}, may={"t": ["seal"]})
    assert again["gateway"] == first["gateway"]
    assert homes.secret(tmp_path, "s") == kept
    assert homes.load(tmp_path).subsystems["t"].may == {"seal"}
    with pytest.raises(ValueError, match="unknown abilities"):
        homes.create(tmp_path, member="a", port=1, local_port=2, subsystems={}, may={"s": ["fly"]})


@pytest.mark.parametrize("slug", sorted(TABLE))
def test_every_problem_has_its_sentences_and_survives_the_trip(slug: str) -> None:
    problem = refuse(slug, gateway="g")
    assert all(text.en and text.zh and text.en != text.zh for text in (problem.what, problem.why, problem.todo))
    back = problem_of(problem_response(problem))
    assert (back.slug, back.status, back.extra) == (slug, problem.status, {"gateway": "g"})
    assert (back.what, back.why, back.todo) == (problem.what, problem.why, problem.todo)


def test_an_answer_without_a_problem_still_becomes_one() -> None:
    for body in (b"oops", b"[]", b'{"type":"about:blank"}'):
        assert problem_of(Response(500, {}, body)).slug == "service-error"


def test_the_protocol_document_lists_every_problem_type() -> None:
    document = Path(__file__).parents[5] / "docs" / "protocols" / "troad-2.md"
    text = document.read_text(encoding="utf-8")
    missing = [slug for slug, (status, *_) in TABLE.items() if f"| `{slug}` | {status} |" not in text]
    assert missing == []


@pytest.mark.parametrize("text", ["²", "٣", "-1", "+1", " 1", "", "1" * 19, "1" * 5000])
def test_only_what_a_size_can_be_is_a_number(text: str) -> None:
    assert not is_number(text)
    assert epoch_of(f"TW/GOV/ris/gw1+{text}") == (f"TW/GOV/ris/gw1+{text}", 1)
