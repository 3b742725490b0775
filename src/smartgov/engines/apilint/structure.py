"""Is it OpenAPI 3.0 or 3.1: the objects that the specification defines, references that lead somewhere, real schemas.

The shape of the objects is `openapi.schema.yaml` beside this file; schemas are held to JSON Schema itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

from smartgov.engines.apilint.document import METHODS, Document, Json, Pointer, pointer_of
from smartgov.engines.apilint.hits import Hit
from smartgov.shared import content
from smartgov.shared.text import Text

_DEPTH = 100
_KINDS = {"string", "number", "integer", "boolean", "object", "array"}


def valid(document: Document, options: Mapping[str, Any]) -> Iterator[Hit]:
    """Every place at which the document is not OpenAPI; references and schemas are looked at when its objects are."""
    misshapen = False
    for error in _shape().iter_errors(document.value):
        misshapen, told = True, str(error.message)[:160]
        yield Hit(tuple(error.instance_path), Text(told, f"不符 OpenAPI 格式：{told}"))
    if misshapen:
        return
    yield from _references(document)
    yield from _path_parameters(document)
    yield from _repeated_paths(document)
    yield from _security(document)
    yield from _schemas(document, document.value, (), 0)


def local_references(document: Document, options: Mapping[str, Any]) -> Iterator[Hit]:
    """References lead into the document itself: whoever holds to it fetches nothing."""
    for reference, at in _all_references(document.value, (), 0):
        if not reference.startswith("#"):
            yield Hit(at, Text(f"{reference[:80]} is another document", f"{reference[:80]} 為另一份文件"))


@cache
def _dialect() -> jsonschema_rs.Validator:
    """JSON Schema's own schema; compiled once, for a document holds hundreds of schemas to it."""
    return jsonschema_rs.Draft202012Validator({"$ref": "https://json-schema.org/draft/2020-12/schema"}, offline=True)


@cache
def _shape() -> jsonschema_rs.Validator:
    return jsonschema_rs.Draft202012Validator(
        content.parse(Path(__file__).with_name("openapi.schema.yaml").read_text()), offline=True
    )


def _references(document: Document) -> Iterator[Hit]:
    for reference, at in _all_references(document.value, (), 0):
        if reference.startswith("#"):
            found, _ = document.follow(document.get(pointer_of(reference)), pointer_of(reference))
            if found is None:
                yield Hit(at, Text(f"{reference[:80]} leads nowhere", f"{reference[:80]} 無所指"))


def _all_references(value: Json, at: Pointer, depth: int) -> Iterator[tuple[str, Pointer]]:
    if depth > _DEPTH:
        return
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from _all_references(item, (*at, number), depth + 1)
    elif isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"], (*at, "$ref")
        for key, inner in value.items():
            if key not in {"example", "examples", "default", "enum", "const"}:
                yield from _all_references(inner, (*at, key), depth + 1)


def _path_parameters(document: Document) -> Iterator[Hit]:
    for operation in document.operations():
        named = set(re.findall(r"\{([^{}]+)\}", operation.path))
        own = (part.value for part in document.parameters() if part.operation is operation.value)
        given = [(str(one.get("in")), str(one.get("name"))) for one in own]
        described = {name for place, name in given if place == "path"}
        if named != described:
            differing = ", ".join(sorted(named ^ described))
            yield Hit(
                operation.at,
                Text(
                    f"{operation.label}: path and its parameters differ in {differing}",
                    f"{operation.label}：路徑與參數不一致：{differing}",
                ),
            )
        for place, name in sorted({one for one in given if given.count(one) > 1}):
            if not _overrides(document, operation.path, operation.value, place, name):
                yield Hit(
                    operation.at,
                    Text(f"{operation.label}: {place} {name} twice", f"{operation.label}：{place} {name} 重複"),
                )


def _overrides(document: Document, path: str, operation: Json, place: str, name: str) -> bool:
    """Whether an operation only words a parameter of its path anew, once."""
    own = [document.follow(one, ())[0] for one in operation.get("parameters") or ()]
    item, _ = document.follow(document.get(("paths", path)), ())
    shared = [document.follow(one, ())[0] for one in (item or {}).get("parameters") or ()]

    def count(listed: list[Json]) -> int:
        return sum(1 for one in listed if isinstance(one, dict) and (one.get("in"), one.get("name")) == (place, name))

    return count(own) == 1 and count(shared) == 1


def _repeated_paths(document: Document) -> Iterator[Hit]:
    seen: dict[str, str] = {}
    for path in document.value.get("paths") or {}:
        bare = re.sub(r"\{[^{}]*\}", "{}", str(path))
        if bare in seen:
            yield Hit(("paths", path), Text(f"the same path as {seen[bare]}", f"與 {seen[bare]} 相同"))
        seen.setdefault(bare, str(path))


def _security(document: Document) -> Iterator[Hit]:
    known = set(document.get(("components", "securitySchemes")) or {})
    places: list[tuple[Json, Pointer]] = [(document.value.get("security"), ("security",))]
    places += [(part.value.get("security"), (*part.at, "security")) for part in document.operations()]
    for listed, at in places:
        for number, one in enumerate(listed if isinstance(listed, list) else ()):
            for name in one if isinstance(one, dict) else ():
                if name not in known:
                    yield Hit((*at, number), Text(f"no security scheme {name!r}", f"未定義安全機制 {name!r}"))


def _schemas(document: Document, value: Json, at: Pointer, depth: int) -> Iterator[Hit]:
    """Hold every schema to JSON Schema: those of `schema` members, and of components."""
    if depth > _DEPTH or not isinstance(value, dict | list):
        return
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from _schemas(document, item, (*at, number), depth + 1)
        return
    for key, inner in value.items():
        here = (*at, key)
        if key in {"example", "examples", "default", "enum", "const"} or str(key).startswith("x-"):
            continue
        if key == "schema" or at == ("components", "schemas"):
            yield from _schema(document, inner, here)
        else:
            yield from _schemas(document, inner, here, depth + 1)


def _schema(document: Document, schema: Json, at: Pointer) -> Iterator[Hit]:
    if not isinstance(schema, dict | bool):
        yield Hit(at, Text("a schema is an object", "綱要須為物件"))
        return
    old = str(document.value.get("openapi", "")).startswith("3.0")
    try:
        if old:
            _check_old(schema, 0)
        else:
            _dialect().validate(schema)
        _check_patterns(schema, 0)
    except jsonschema_rs.ValidationError as error:
        told = str(error.message)[:160]
        yield Hit((*at, *error.instance_path), Text(told, f"綱要有誤：{told}"))
    except ValueError as error:
        told = str(error)[:160]
        yield Hit(at, Text(told, f"綱要有誤：{told}"))


def _check_patterns(schema: Json, depth: int) -> None:
    if depth > _DEPTH:
        raise ValueError("nested too deeply")
    if isinstance(schema, dict):
        if isinstance(pattern := schema.get("pattern"), str):
            try:
                jsonschema_rs.Draft202012Validator({"pattern": pattern})
            except (jsonschema_rs.ValidationError, ValueError):
                raise ValueError(f"no usable pattern: {pattern[:60]}") from None
        for key, inner in schema.items():
            if key not in {"example", "examples", "default", "enum", "const"}:
                _check_patterns(inner, depth + 1)
    elif isinstance(schema, list):
        for inner in schema:
            _check_patterns(inner, depth + 1)


def _check_old(schema: Json, depth: int) -> None:
    """OpenAPI 3.0's schemas: one type each, `nullable` in place of null."""
    if depth > _DEPTH or not isinstance(schema, dict):
        raise ValueError("a schema is an object")
    if "$ref" in schema:
        return
    kind = schema.get("type")
    if kind is not None and (not isinstance(kind, str) or kind not in _KINDS):
        raise ValueError(f"type {kind!r} is not one of OpenAPI 3.0")
    if kind == "array" and "items" not in schema:
        raise ValueError("an array says what its items are")
    named = schema.get("properties", {})
    if not isinstance(named, dict):
        raise ValueError("properties is an object")
    lists = [schema.get(word, []) for word in ("allOf", "anyOf", "oneOf")]
    if not all(isinstance(listed, list) for listed in lists):
        raise ValueError("allOf, anyOf and oneOf are lists")
    for inner in [*named.values(), *(one for listed in lists for one in listed)]:
        _check_old(inner, depth + 1)
    for word in ("items", "not", "additionalProperties"):
        if isinstance(schema.get(word), dict):
            _check_old(schema[word], depth + 1)


__all__ = ["METHODS", "local_references", "valid"]
