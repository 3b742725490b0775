"""The OpenAPI 3.1 document of a register, made from its description."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from smartgov.engines.apigen import examples
from smartgov.engines.apigen.config import Column, RegisterConfig, Table, parse
from smartgov.engines.apigen.store import MAX_ROWS
from smartgov.shared.tw import national_id

Json = dict[str, Any]
PERSON_PATTERN = national_id.URN_PATTERN
_PROBLEMS = {
    "400": "The request lacks its subject or names a person where it must not",
    "401": "The secret is missing or wrong",
    "404": "No such row for this subject",
    "409": "Sent before with other content",
    "422": "A field is wrong; errors names each",
}


def contract(config: RegisterConfig | Mapping[str, Any], service: str) -> bytes:
    """The document that a service on T-Road publishes: as `openapi`, at T-Road's address and the same on every machine.

    `service` is its id, `TW/GOV/ris/household/people.v1`.
    """
    document = openapi(config)
    del document["paths"]["/openapi.json"]
    document["servers"] = [{"url": f"/r1/{service}"}]
    return json.dumps(document, ensure_ascii=False, sort_keys=True, indent=1).encode()


def openapi(config: RegisterConfig | Mapping[str, Any]) -> Json:
    """The document; its `x-troad` tells T-Road's administration what to register: endpoints, related keys, fields."""
    register = parse(config)
    paths: Json = {}
    for table in register.tables.values():
        paths |= _paths(table)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": register.title.en,
            "summary": register.title.zh,
            "version": "1",
            "contact": {"name": f"{register.title.zh} {register.title.en}"},
            "license": {"name": "限依法令或當事人同意查詢 By law or with the person's consent only"},
        },
        "servers": [{"url": f"http://127.0.0.1:{register.port}"}],
        "security": [{"gateway": []}],
        "paths": {**paths, "/openapi.json": {"get": _document_operation()}},
        "components": {
            "securitySchemes": {"gateway": {"type": "http", "scheme": "bearer"}},
            "schemas": _schemas(register),
            "responses": {"Problem": _problem_response()},
            "parameters": _parameters(),
        },
        "x-troad": {
            "title": register.title.as_dict(),
            "endpoints": endpoints(register),
            "related": related(register),
            "fields": {table.name: list(table.columns) for table in register.tables.values()},
            "personal": any(table.personal for table in register.tables.values()),
        },
    }


def endpoints(config: RegisterConfig | Mapping[str, Any]) -> list[str]:
    """Every operation as T-Road's rights name it, for example `POST /people/query`."""
    found = []
    for table in parse(config).tables.values():
        for path, operations in _paths(table).items():
            found += [f"{method.upper()} {path}" for method in operations]
    return found


def related(config: RegisterConfig | Mapping[str, Any]) -> list[str]:
    """JSON keys under which a request may name persons other than its subject (a father on a child's row)."""
    tables = parse(config).tables.values()
    return sorted({column.name for table in tables for column in table.columns.values() if column.is_person})


def _paths(table: Table) -> Json:
    paths: Json = {}
    if table.read:
        paths[f"/{table.name}/query"] = {"post": _query(table)}
    collection: Json = {}
    if table.read and not table.personal:
        collection["get"] = _list(table)
    if table.create:
        collection["post"] = _create(table)
    if collection:
        paths[f"/{table.name}"] = collection
    if table.update:
        paths[f"/{table.name}/{{id}}"] = {"patch": _update(table)}
    return paths


def _query(table: Table) -> Json:
    where = {name: _column_schema(column, described=False) for name, column in table.columns.items()}
    body = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "where": {"type": "object", "additionalProperties": False, "properties": where},
            "limit": {"type": "integer", "minimum": 1, "maximum": MAX_ROWS, "default": 100},
            "after": {"type": "string", "description": "Continue after the row with this id"},
        },
    }
    shown = {"where": examples.where(table), "limit": 10}
    summary = f"Find rows of {table.title.en}"
    return _operation(table, f"query_{table.name}", summary, body=body, answers=["200"], shown=shown)


def _list(table: Table) -> Json:
    operation = _operation(table, f"list_{table.name}", f"List {table.title.en}", body=None, answers=["200"])
    operation["parameters"] = [
        {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": MAX_ROWS}},
        {"name": "after", "in": "query", "schema": {"type": "string"}},
    ]
    return operation


def _create(table: Table) -> Json:
    body = {"$ref": f"#/components/schemas/{table.name}_new"}
    summary = f"Add a row to {table.title.en}"
    shown = examples.row(table)
    operation = _operation(table, f"create_{table.name}", summary, body=body, answers=["200", "201"], shown=shown)
    operation["parameters"].append({"$ref": "#/components/parameters/IdempotencyKey"})
    return operation


def _update(table: Table) -> Json:
    body = {"$ref": f"#/components/schemas/{table.name}_change"}
    summary = f"Change a row of {table.title.en}"
    shown = {name: value for name, value in examples.row(table).items() if name in table.update}
    operation = _operation(table, f"update_{table.name}", summary, body=body, answers=["200"], shown=shown)
    operation["parameters"].append({"name": "id", "in": "path", "required": True, "schema": {"type": "string"}})
    return operation


def _operation(
    table: Table, name: str, summary: str, *, body: Json | None, answers: list[str], shown: Json | None = None
) -> Json:
    answer, rows = {"$ref": f"#/components/schemas/{table.name}_answer"}, examples.answer(table)
    operation: Json = {
        "operationId": name,
        "summary": summary,
        "description": table.title.zh,
        "parameters": [{"$ref": "#/components/parameters/Subject"}] if table.personal else [],
        "responses": {
            **{code: {"description": "The rows", "content": _json_content(answer, rows)} for code in answers},
            **{code: {"$ref": "#/components/responses/Problem"} for code in _PROBLEMS},
        },
    }
    if body is not None:
        operation["requestBody"] = {"required": True, "content": _json_content(body, shown)}
    return operation


def _schemas(register: RegisterConfig) -> Json:
    schemas: Json = {"problem": _problem_schema()}
    for table in register.tables.values():
        whole = {name: _column_schema(column) for name, column in table.columns.items()}
        required = [column.name for column in table.columns.values() if column.required and column.name != "id"]
        schemas[f"{table.name}_row"] = {"type": "object", "title": table.title.en, "properties": whole}
        schemas[f"{table.name}_answer"] = {
            "type": "object",
            "required": ["items", "as_of", "more"],
            "properties": {
                "items": {"type": "array", "items": {"$ref": f"#/components/schemas/{table.name}_row"}},
                "as_of": {"type": "string", "format": "date-time"},
                "more": {"type": "boolean", "description": "Whether rows were left off at the limit"},
            },
        }
        if table.create:
            schemas[f"{table.name}_new"] = _closed({**whole, "id": {"type": "string", "minLength": 1}}, required)
        if table.update:
            schemas[f"{table.name}_change"] = _closed({name: whole[name] for name in table.update}, [])
    return schemas


def _closed(properties: Json, required: list[str]) -> Json:
    return {"type": "object", "additionalProperties": False, "properties": properties, "required": required}


def _column_schema(column: Column, *, described: bool = True) -> Json:
    kind: Any = column.type if column.required or column.name == "id" else [column.type, "null"]
    schema: Json = {"type": kind}
    if described:
        schema |= {"title": column.title.en, "description": column.title.zh}
    if column.is_person:
        schema |= {"pattern": PERSON_PATTERN, "x-person": True}
    elif column.format:
        schema["format"] = column.format
    if column.enum:
        schema["enum"] = [*column.enum, *([] if kind == column.type else [None])]
    if column.type == "string" and not column.is_person and not column.enum:
        schema["maxLength"] = column.max_length
    return schema


def _parameters() -> Json:
    return {
        "Subject": {
            "name": "X-TRoad-Subject",
            "in": "header",
            "required": True,
            "description": "Whom the request is about; opened by the agency's own gateway",
            "schema": {"type": "string", "pattern": PERSON_PATTERN},
        },
        "IdempotencyKey": {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "description": "Repeats under one key return the first row; without it, the row's own id does the same",
            "schema": {"type": "string", "minLength": 1, "maxLength": 200},
        },
    }


def _document_operation() -> Json:
    content = _json_content({"type": "object"})
    return {
        "operationId": "get_openapi",
        "summary": "This document",
        "responses": {
            "200": {"description": "OpenAPI 3.1", "content": content},
            "401": {"$ref": "#/components/responses/Problem"},
        },
    }


def _problem_response() -> Json:
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/problem"}}}
    return {"description": "; ".join(f"{code}: {text}" for code, text in _PROBLEMS.items()), "content": content}


def _problem_schema() -> Json:
    text = {"type": "string"}
    properties = {"type": text, "title": text, "detail": text, "todo": text, "status": {"type": "integer"}}
    return {"type": "object", "required": ["type", "title", "status"], "properties": properties}


def _json_content(schema: Json, example: Json | None = None) -> Json:
    return {"application/json": {"schema": schema, **({} if example is None else {"example": example})}}
