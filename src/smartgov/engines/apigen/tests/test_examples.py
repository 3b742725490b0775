"""What a register's document shows is what a register says."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from smartgov.engines.apigen import build, config, examples, server, spec
from smartgov.engines.apigen.tests.conftest import DESCRIPTION
from smartgov.engines.httpd import Request
from smartgov.engines.httpd.answering import answer
from smartgov.shared import content

REGISTERS = {"household": DESCRIPTION} | {
    name: content.read(f"registers/{name}.yaml") for name in content.names("registers")
}
TABLES = [(name, table) for name, one in REGISTERS.items() for table in config.parse(one).tables]


def shown(document: dict[str, Any], schema: Any, example: Any) -> None:
    jsonschema.validate(example, {**schema, "components": document["components"]})


@pytest.mark.parametrize("name", REGISTERS)
def test_every_operation_has_examples_that_fit(name: str) -> None:
    document = json.loads(spec.contract(REGISTERS[name], f"TW/GOV/x/y/{name}.v1"))
    for path, item in document["paths"].items():
        for operation in item.values():
            bodies = [operation[part] for part in ("requestBody",) if part in operation]
            bodies += [told for status, told in operation["responses"].items() if status[0] == "2"]
            for body in bodies:
                media = body["content"]["application/json"]
                assert "example" in media, path
                shown(document, media["schema"], media["example"])


@pytest.mark.parametrize(("name", "table"), TABLES)
def test_a_register_with_that_row_gives_that_answer(name: str, table: str, tmp_path: Path) -> None:
    described = config.parse(REGISTERS[name]).tables[table]
    row = examples.row(described, sound=True)
    bare = {key: _bare(described.columns[key], value) for key, value in row.items()}
    build.create_register(tmp_path / "r", REGISTERS[name], {table: [bare]}, secret="s3cret")
    handler = server.RegisterServer(config.load(tmp_path / "r" / "register.yaml"), tmp_path / "r")
    fields = {"authorization": "Bearer s3cret", "x-road-client": "TW/GOV/ris/cases"}
    if described.subject_columns:
        fields["x-troad-subject"] = row[described.subject_columns[0]]
    if not described.read:
        pytest.skip("it is written only")
    body = json.dumps({"where": examples.where(described), "limit": 10}).encode()
    said = asyncio.run(answer(handler, Request("POST", f"/{table}/query", "", fields, body))).parsed()
    assert {**said, "as_of": examples.AS_OF} == examples.answer(described, sound=True)


def _bare(column: config.Column, value: Any) -> Any:
    return value.rpartition(":")[2] if column.is_person else value
