"""What schemathesis makes up is asked at a door, and the answer held against the door's document."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import requests
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import openapi
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.transport import Response

load_all_checks()
NAMES = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance")
EXAMPLES = 20


def named(document: Any) -> dict[str, Any]:
    """The operations of a document by method and path."""
    schema = openapi.from_dict(document)
    found = [one.ok() for one in schema.get_all_operations()]
    return {f"{one.method.upper()} {one.path}": one for one in found}


def hold(
    operation: Any,
    ask: Any,
    known: str,
    body: Mapping[str, Any],
    checks: tuple[str, ...] = NAMES,
    examples: int = EXAMPLES,
) -> None:
    """Ask what schemathesis makes up; half of the time at the address that is known, with parts of its sound body."""

    @given(case=operation.as_strategy(), real=st.booleans(), kept=st.sets(st.sampled_from(sorted(body) or ["-"])))
    @settings(
        max_examples=examples,
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
        case.validate_response(_as_response(answer, case), checks=[CHECKS.get_one(name) for name in checks])

    holds()


def query(case: Any) -> str:
    """The query of a case, encoded."""
    return requests.models.RequestEncodingMixin._encode_params(dict(case.query or {}))


def _as_response(answer: Any, case: Any) -> Response:
    sent = requests.Request(case.method, "http://127.0.0.1/").prepare()
    headers = {name: [value] for name, value in answer.headers.items()}
    return Response(
        status_code=answer.status_code, headers=headers, content=answer.content, request=sent, elapsed=0.0, verify=False
    )
