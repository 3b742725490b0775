"""schemathesis on a register's own document: no answer of the server's fault, none that is not documented."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import openapi
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.transport import Response

from smartgov.engines.apigen import spec
from smartgov.engines.apigen.tests.conftest import DESCRIPTION, MOTHER

load_all_checks()
NAMES = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance")
SCHEMA = openapi.from_dict(spec.openapi(DESCRIPTION))
OPERATIONS = [found.ok() for found in SCHEMA.get_all_operations()]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.label)
def test_every_answer_is_documented(operation: Any, ask: Any) -> None:
    @given(case=operation.as_strategy())
    @settings(
        max_examples=25,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def holds(case: Any) -> None:
        known = isinstance(case.body, dict | list | str | int | float | bool) or case.body is None
        answer = ask(
            case.method,
            case.formatted_path,
            case.body if known else None,
            subject=MOTHER,
            query="&".join(f"{name}={value}" for name, value in (case.query or {}).items()),
        )
        response = _as_response(answer, case)
        case.validate_response(response, checks=[CHECKS.get_one(name) for name in NAMES])

    holds()


def _as_response(answer: Any, case: Any) -> Response:
    import requests

    sent = requests.Request(case.method, "http://127.0.0.1" + case.formatted_path).prepare()
    headers = {name: [value] for name, value in answer.headers.items()}
    return Response(
        status_code=answer.status, headers=headers, content=answer.body, request=sent, elapsed=0.0, verify=False
    )


def test_a_stranger_is_told_so_as_documented(ask: Any) -> None:
    """At every operation, that of the document itself too: without the gateway's secret there is no answer."""
    for operation in OPERATIONS:
        case = operation.Case(path_parameters={"id": "p1"})
        answer = ask(case.method, case.formatted_path, {}, secret="wrong")
        assert answer.status == 401
        case.validate_response(_as_response(answer, case), checks=[CHECKS.get_one(name) for name in NAMES])


def test_the_document_has_operations() -> None:
    assert len(OPERATIONS) > 4
    assert json.dumps(spec.openapi(DESCRIPTION))
