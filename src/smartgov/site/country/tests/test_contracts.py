"""The registers' documents are taken by the published rules, and every row of a village can be answered under them."""

from __future__ import annotations

import json
from datetime import date
from itertools import islice
from typing import Any

import pytest

from smartgov.engines import apilint, population
from smartgov.engines.apigen import spec
from smartgov.engines.apigen.values import built_value, wire_value
from smartgov.engines.troad import contract
from smartgov.shared import content
from smartgov.site.country import rights

REGISTERS = content.read("exchange.yaml")["registers"]
AGENCIES = [entry["agency"] for entry in REGISTERS]


def document(agency: str) -> bytes:
    entry = next(entry for entry in REGISTERS if entry["agency"] == agency)
    return spec.contract(rights.register_description(agency), rights.register_service(entry))


@pytest.mark.parametrize("agency", AGENCIES)
def test_no_rule_remarks_on_a_register(agency: str) -> None:
    assert apilint.lint(document(agency), apilint.read()) == []


@pytest.mark.parametrize("agency", AGENCIES)
def test_a_document_knows_every_endpoint_that_the_register_names(agency: str) -> None:
    compiled = contract.parse(document(agency))
    assert set(spec.endpoints(rights.register_description(agency))) == set(compiled.endpoints)


@pytest.fixture(scope="module")
def rows() -> Any:
    village = population.build_village(b"smartgov", 0, on=date(2026, 11, 28), size=4000)
    return population.registers(village)


@pytest.mark.parametrize("agency", AGENCIES)
def test_rows_as_the_register_answers_them_keep_the_document(agency: str, rows: Any) -> None:
    compiled, register = contract.parse(document(agency)), rights.register_description(agency)
    for name, table in register.tables.items():
        items = []
        for row in islice(rows[agency].get(name, ()), 2000):
            stored = {key: built_value(table.columns[key], value) for key, value in row.items()}
            stored["id"] = stored.get("id") or "01990000-0000-7000-8000-000000000000"
            items.append({key: wire_value(column, stored.get(key)) for key, column in table.columns.items()})
        answer = {"items": items, "as_of": "2026-11-28T00:00:00+00:00", "more": False}
        operation = compiled.request(
            "POST", f"/{name}/query", "", {"content-type": "application/json"}, b'{"where": {}}'
        )
        compiled.answer(operation, 200, "application/json", json.dumps(answer).encode())
