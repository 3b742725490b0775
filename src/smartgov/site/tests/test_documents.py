"""The documents of our own APIs keep the rules that we ask others to keep; contracts are those that are published."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from django.test import Client
from ninja import NinjaAPI

from smartgov.blocks.identity.openid.service import provider
from smartgov.engines import apilint
from smartgov.engines.openid import describing
from smartgov.shared import content, openapi
from smartgov.site import documents, machine
from smartgov.site.blocks import DOORS
from smartgov.site.country import rights

APIS = {"api": machine.api, "troad": machine.troad}


@pytest.mark.parametrize("name", APIS)
def test_no_rule_remarks_on_our_own_document(name: str) -> None:
    document = json.dumps(APIS[name].get_openapi_schema(), default=str).encode()
    assert [(one.rule, one.note.en) for one in apilint.lint(document, apilint.read())] == []


def test_rules_remark_only_on_what_the_specifications_of_openid_fix() -> None:
    """Their errors have a form of their own (RFC 6749 section 5.2), and their addresses no version."""
    document = json.dumps(describing.document(replace(provider(), issuer="https://id.example.test"))).encode()
    fixed = {"problem-answers", "version-in-address", "path-of-resources"}
    assert {one.rule for one in apilint.lint(document, apilint.read())} <= fixed


@pytest.mark.parametrize("block", documents.by_hand())
def test_rules_remark_only_on_what_the_protocols_of_wallets_fix(block: str) -> None:
    """The same holds for OpenID4VCI and OpenID4VP; addresses of a check end in `.json` beside the page's."""
    given = documents.by_hand()[block]
    given["servers"] = [{"url": "https://portal.example.test"}]
    fixed = {"problem-answers", "version-in-address", "path-of-resources"}
    assert {one.rule for one in apilint.lint(json.dumps(given).encode(), apilint.read())} <= fixed
    for _, _, operation in openapi.operations(given):
        assert operation["summary"].isascii()
        assert any("\u4e00" <= letter <= "\u9fff" for letter in operation["description"]), operation["operationId"]


@pytest.mark.parametrize("block", documents.by_hand())
def test_a_document_written_by_hand_is_read_at_its_block(block: str) -> None:
    said = Client().get(f"/{block}/openapi.json")
    assert said.json() == documents.by_hand()[block]


@pytest.mark.parametrize("api", APIS.values(), ids=APIS)
def test_every_operation_documents_its_errors_and_says_in_chinese_what_it_does(api: NinjaAPI) -> None:
    schema = api.get_openapi_schema()
    operations = [operation for item in schema["paths"].values() for operation in item.values()]
    assert len(operations) > 5
    assert len({one["operationId"] for one in operations}) == len(operations)
    for operation in operations:
        assert operation["responses"]["default"] == {"$ref": "#/components/responses/Problem"}
        assert operation["summary"].isascii()
        assert any("\u4e00" <= letter <= "\u9fff" for letter in operation["description"]), operation["operationId"]


@pytest.mark.parametrize("code", DOORS)
def test_what_is_published_is_what_the_block_answers(code: str) -> None:
    assert content.read(f"contracts/{code}.yaml") == documents.contract(code), "run `make contracts`"


@pytest.mark.parametrize("code", DOORS)
def test_no_rule_remarks_on_a_contract(code: str) -> None:
    document = rights.web_contract(code, f"TW/GOV/ris/cases/{code}")
    assert [(one.rule, one.note.en) for one in apilint.lint(document, apilint.read())] == []


def test_one_name_means_one_shape_in_all_contracts() -> None:
    seen: dict[str, object] = {}
    for code in DOORS:
        for name, shape in documents.contract(code)["components"]["schemas"].items():
            assert seen.setdefault(name, shape) == shape, (code, name)
