"""A service's OpenAPI document, compiled once: is this request, is this answer, of the documented form?

Versions 3.0 and 3.1. Schemas are compiled by jsonschema-rs when the document is first used and kept by its digest.
What is refused names places, never values: a value may be about a person.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, unquote

import jsonschema_rs
import yaml

from smartgov.engines.troad.problems import refuse

Json = Any
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_OURS = ("x-troad-", "x-road-")
"""Fields that the gateway itself gives to the service; a document may list them, the asker does not send them."""
_PLACES = 20


@dataclass(frozen=True, slots=True)
class Parameter:
    """One documented parameter; `check` is its compiled schema."""

    name: str
    required: bool
    kind: str
    many: bool
    check: jsonschema_rs.Validator


@dataclass(frozen=True, slots=True)
class Content:
    """The documented media types of a body, each with its compiled schema, or None where any content will do."""

    required: bool
    types: Mapping[str, jsonschema_rs.Validator | None]

    def of(self, content_type: str) -> tuple[bool, jsonschema_rs.Validator | None]:
        """Whether the media type is documented, and its schema."""
        media = content_type.partition(";")[0].strip().lower()
        for name in (media, f"{media.partition('/')[0]}/*", "*/*"):
            if name in self.types:
                return True, self.types[name]
        return False, None


@dataclass(frozen=True, slots=True)
class Operation:
    """One documented operation."""

    path: Mapping[str, Parameter]
    query: Mapping[str, Parameter]
    header: Mapping[str, Parameter]
    body: Content | None
    answers: Mapping[str, Content | None]


class Contract:
    """A compiled document."""

    def __init__(self, document: Json) -> None:
        self._document = document
        self._draft4 = str(document["openapi"]).startswith("3.0")
        self._roots = {name: document[name] for name in ("components", "paths") if name in document}
        self._literal: dict[tuple[str, str], Operation] = {}
        self._patterns: list[tuple[str, re.Pattern[str], Operation]] = []
        for path, item in (document.get("paths") or {}).items():
            self._add(path, self._resolved(item))
        self.endpoints = [f"{method} {path}" for method, path in self._named]

    @property
    def _named(self) -> Iterator[tuple[str, str]]:
        for path, item in (self._document.get("paths") or {}).items():
            yield from ((method.upper(), path) for method in _METHODS if method in self._resolved(item))

    # -- the two questions ----------------------------------------------------------------------------------------

    def request(self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> Operation:
        """The operation of this request; Problem `operation-unknown`, or `request-invalid` with its `places`."""
        operation, values = self._find(method, path)
        places = [*_path_places(operation, values), *_query_places(operation, query)]
        places += _header_places(operation, headers)
        places += self._body_places(operation.body, headers.get("content-type", ""), body)
        if places:
            raise refuse("request-invalid", places=places[:_PLACES])
        return operation

    def answer(self, operation: Operation, status: int, content_type: str, body: bytes) -> None:
        """Problem `answer-invalid` unless status and body are documented. 5xx without documentation may pass."""
        for code in (str(status), f"{status // 100}XX", "default"):
            if code in operation.answers:
                content = operation.answers[code]
                break
        else:
            if status >= 500:
                return
            raise refuse("answer-invalid", places=[f"status/{status}"])
        if content is None or status in {204, 304}:
            return
        if places := list(self._body_places(content, content_type, body)):
            raise refuse("answer-invalid", places=places[:_PLACES])

    @staticmethod
    def _body_places(content: Content | None, content_type: str, body: bytes) -> Iterator[str]:
        if content is None:
            if body:
                yield "body"
            return
        if not body:
            if content.required:
                yield "body"
            return
        known, schema = content.of(content_type)
        if not known:
            yield "header/content-type"
        elif schema is not None:
            yield from _schema_places(schema, body)

    def _find(self, method: str, path: str) -> tuple[Operation, Mapping[str, str]]:
        if (found := self._literal.get((method, path))) is not None:
            return found, {}
        for named, pattern, operation in self._patterns:
            if named == method and (match := pattern.fullmatch(path)):
                return operation, {name: unquote(value) for name, value in match.groupdict().items()}
        raise refuse("operation-unknown")

    # -- compiling ------------------------------------------------------------------------------------------------

    def _add(self, path: str, item: Json) -> None:
        shared = item.get("parameters") or []
        for method in _METHODS:
            if method not in item:
                continue
            operation = self._operation([*shared, *(item[method].get("parameters") or [])], item[method])
            if "{" not in path:
                self._literal[method.upper(), path] = operation
                continue
            pattern, names = _pattern(path)
            operation = self._renamed(operation, names)
            self._patterns.append((method.upper(), pattern, operation))

    @staticmethod
    def _renamed(operation: Operation, names: list[str]) -> Operation:
        path = {f"p{at}": operation.path[name] for at, name in enumerate(names) if name in operation.path}
        return Operation(path, operation.query, operation.header, operation.body, operation.answers)

    def _operation(self, parameters: list[Json], entry: Json) -> Operation:
        places: dict[str, dict[str, Parameter]] = {"path": {}, "query": {}, "header": {}, "cookie": {}}
        for raw in parameters:
            one = self._resolved(raw)
            name = one["name"].lower() if one["in"] == "header" else one["name"]
            places[one["in"]][name] = self._parameter(one)
        body = self._content(self._resolved(entry["requestBody"])) if "requestBody" in entry else None
        answers = {
            str(code).upper() if str(code) != "default" else "default": self._answer(self._resolved(one))
            for code, one in entry.get("responses", {}).items()
        }
        return Operation(places["path"], places["query"], places["header"], body, answers)

    def _parameter(self, one: Json) -> Parameter:
        schema = one.get("schema") or {}
        flat = self._resolved(schema)
        types = flat.get("type", "string")
        kind = next((t for t in ([types] if isinstance(types, str) else types) if t != "null"), "string")
        item = self._resolved(flat.get("items") or {}).get("type", "string") if kind == "array" else kind
        required = bool(one.get("required", False))
        return Parameter(one["name"], required, str(item), kind == "array", self._compiled(schema))

    def _answer(self, entry: Json) -> Content | None:
        return self._content({**entry, "required": True}) if entry.get("content") else None

    def _content(self, entry: Json) -> Content:
        types: dict[str, jsonschema_rs.Validator | None] = {}
        for media, one in (entry.get("content") or {}).items():
            is_json = media.partition(";")[0].strip().lower().endswith("json")
            schema = one.get("schema") if is_json else None
            types[media.partition(";")[0].strip().lower()] = None if schema is None else self._compiled(schema)
        return Content(bool(entry.get("required", False)), types)

    def _compiled(self, schema: Json) -> jsonschema_rs.Validator:
        whole = {**self._roots, "allOf": [schema]}
        if self._draft4:
            return jsonschema_rs.Draft4Validator(_without_nullable(whole), validate_formats=True, offline=True)
        return jsonschema_rs.Draft202012Validator(whole, validate_formats=True, offline=True)

    def _resolved(self, entry: Json) -> Json:
        for _ in range(16):
            pointer = entry.get("$ref")
            if not isinstance(pointer, str):
                return entry
            found: Json = self._document
            for part in pointer.removeprefix("#/").split("/"):
                found = found[part.replace("~1", "/").replace("~0", "~")]
            entry = found
        raise ValueError("a reference leads in a circle")


def parse(document: bytes) -> Contract:
    """Compile a document, JSON or YAML. ValueError when it is none that can be used."""
    try:
        content = json.loads(document) if document.lstrip()[:1] == b"{" else yaml.safe_load(document)
        return Contract(content)
    except (ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError, re.error) as error:
        raise ValueError(f"not a usable OpenAPI document: {type(error).__name__}: {error}") from error


def cached(load: Callable[[str], bytes | None], size: int = 256) -> Callable[[str], Contract]:
    """A function from digest to compiled contract; Problem `contract-unavailable` when there is no document."""

    @lru_cache(maxsize=size)
    def of(digest: str) -> Contract:
        document = load(digest)
        if document is None:
            raise refuse("contract-unavailable")
        try:
            return parse(document)
        except ValueError:
            raise refuse("contract-unavailable") from None

    return of


# -- places ---------------------------------------------------------------------------------------------------------


def _schema_places(schema: jsonschema_rs.Validator, body: bytes) -> Iterator[str]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        yield "body"
        return
    if not schema.is_valid(value):
        for error in schema.iter_errors(value):
            yield "/".join(["body", *map(str, error.instance_path)])


def _path_places(operation: Operation, values: Mapping[str, str]) -> Iterator[str]:
    for name, parameter in operation.path.items():
        if name in values and not _fits(parameter, [values[name]]):
            yield f"path/{parameter.name}"


def _query_places(operation: Operation, query: str) -> Iterator[str]:
    given: dict[str, list[str]] = {}
    for name, value in parse_qsl(query, keep_blank_values=True) if query else ():
        given.setdefault(name, []).append(value)
    for name, values in given.items():
        parameter = operation.query.get(name)
        if parameter is None or (len(values) > 1 and not parameter.many) or not _fits(parameter, values):
            yield f"query/{name if parameter else '*'}"
    yield from (f"query/{name}" for name, one in operation.query.items() if one.required and name not in given)


def _header_places(operation: Operation, headers: Mapping[str, str]) -> Iterator[str]:
    for name, parameter in operation.header.items():
        if name.startswith(_OURS) or name in {"authorization", "accept", "content-type"}:
            continue
        if name in headers:
            if not _fits(parameter, [headers[name]]):
                yield f"header/{name}"
        elif parameter.required:
            yield f"header/{name}"


def _fits(parameter: Parameter, texts: list[str]) -> bool:
    if parameter.many and len(texts) == 1:
        texts = texts[0].split(",")
    try:
        values = [_typed(parameter.kind, text) for text in texts]
    except ValueError:
        return False
    return parameter.check.is_valid(values if parameter.many else values[0])


def _typed(kind: str, text: str) -> Json:
    match kind:
        case "integer":
            if not re.fullmatch(r"-?\d{1,18}", text, re.ASCII):
                raise ValueError("not an integer")
            return int(text)
        case "number":
            return float(text)
        case "boolean":
            if text not in {"true", "false"}:
                raise ValueError("not a boolean")
            return text == "true"
        case _:
            return text


def _pattern(path: str) -> tuple[re.Pattern[str], list[str]]:
    names: list[str] = []
    out = ""
    for part in re.split(r"(\{[^{}]+\})", path):
        if part.startswith("{"):
            out += f"(?P<p{len(names)}>[^/]+)"
            names.append(part[1:-1])
        else:
            out += re.escape(part)
    return re.compile(out), names


def _without_nullable(schema: Json) -> Json:
    """OpenAPI 3.0's `nullable` in the words of JSON Schema."""
    if isinstance(schema, list):
        return [_without_nullable(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    changed = {name: _without_nullable(part) for name, part in schema.items() if name != "nullable"}
    if schema.get("nullable") is True and isinstance(schema.get("type"), str):
        changed["type"] = [schema["type"], "null"]
        if "enum" in changed and None not in changed["enum"]:
            changed["enum"] = [*changed["enum"], None]
    return changed
