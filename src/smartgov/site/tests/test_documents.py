"""The documents of our own APIs keep the rules that we ask others to keep."""

from __future__ import annotations

import json

import pytest
from ninja import NinjaAPI

from smartgov.engines import apilint
from smartgov.site import machine


@pytest.mark.parametrize("api", [machine.api, machine.troad], ids=["api", "troad"])
def test_no_rule_refuses_our_own_document(api: NinjaAPI) -> None:
    document = json.dumps(api.get_openapi_schema(path_prefix="/v1/"), default=str).encode()
    assert apilint.errors(apilint.lint(document, apilint.read())) == []


def test_every_operation_documents_its_errors_as_problems() -> None:
    schema = machine.troad.get_openapi_schema(path_prefix="/v1/")
    operations = [operation for item in schema["paths"].values() for operation in item.values()]
    assert len(operations) > 5
    for operation in operations:
        assert list(operation["responses"]["default"]["content"]) == ["application/problem+json"]
