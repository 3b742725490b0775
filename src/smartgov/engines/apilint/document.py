"""An OpenAPI document as it was handed in: its value, its parts with their JSON pointers, and their lines.

A pointer is a tuple of keys and indexes. References within the document are followed; no other is ever fetched.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import yaml

Json = Any
Pointer = tuple[str | int, ...]
MOST_BYTES = 2**20
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_DEPTH = 100
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Unreadable(ValueError):
    """The bytes are no JSON or YAML object; `line` and `column` say where reading ended (from 1)."""

    def __init__(self, why: str, line: int = 1, column: int = 1) -> None:
        super().__init__(why)
        self.line, self.column = line, column


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the document that a rule looks at; `label` names it for people (`GET /births, query limit`)."""

    value: Json
    at: Pointer
    label: str = ""
    operation: Json = None
    """The operation that the part belongs to, if it belongs to one."""
    path: str = ""
    method: str = ""


@dataclass(frozen=True)
class Document:
    """A parsed document."""

    source: bytes
    value: Mapping[str, Json]
    _seen: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def parse(cls, source: bytes) -> Document:
        """Read JSON or YAML; Unreadable says where it fails. YAML aliases are refused: they can grow without end."""
        if len(source) > MOST_BYTES:
            raise Unreadable(f"larger than {MOST_BYTES // 1024} KiB")
        try:
            text = source.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise Unreadable("not UTF-8", source[: error.start].count(b"\n") + 1) from None
        value = _json(text) if text.lstrip()[:1] == "{" else _yaml(text)
        if not isinstance(value, dict):
            raise Unreadable("not an object")
        return cls(source, value)

    def follow(self, value: Json, at: Pointer) -> tuple[Json, Pointer]:
        """The value behind a chain of `$ref`, and where it really stands; a broken chain gives None."""
        for _ in range(16):
            reference = value.get("$ref") if isinstance(value, dict) else None
            if not isinstance(reference, str):
                return value, at
            if not reference.startswith("#"):
                return None, at
            at = pointer_of(reference)
            value = self.get(at)
        return None, at

    def get(self, at: Pointer) -> Json:
        """The value at a pointer; None where there is none."""
        found: Json = self.value
        for key in at:
            if isinstance(found, dict):
                found = found.get(key)
            elif isinstance(found, list) and str(key).isdecimal() and int(key) < len(found):
                found = found[int(key)]
            else:
                return None
        return found

    # -- parts ------------------------------------------------------------------------------------------------------

    def operations(self) -> Iterator[Part]:
        """Every operation; the value's label is `GET /births`."""
        for path, item in _items(self.value.get("paths")):
            found, at = self.follow(item, ("paths", path))
            for method in METHODS:
                operation = found.get(method) if isinstance(found, dict) else None
                if isinstance(operation, dict):
                    yield Part(operation, (*at, method), f"{method.upper()} {path}", operation, str(path), method)

    def parameters(self) -> Iterator[Part]:
        """Every parameter of every operation, those of its path included."""
        for operation in self.operations():
            shared = self.follow(self.get(("paths", operation.path)), ("paths", operation.path))
            for owner, at in (shared, (operation.value, operation.at)):
                listed = owner.get("parameters") if isinstance(owner, dict) else None
                for number, raw in enumerate(listed if isinstance(listed, list) else ()):
                    value, there = self.follow(raw, (*at, "parameters", number))
                    if isinstance(value, dict):
                        label = f"{operation.label}, {value.get('in', '?')} {value.get('name', '?')}"
                        yield Part(value, there, label, operation.value, operation.path, operation.method)

    def answers(self, operation: Part) -> Iterator[tuple[str, Json, Pointer]]:
        """The documented answers of an operation: status, response, place."""
        for status, raw in _items(operation.value.get("responses")):
            value, at = self.follow(raw, (*operation.at, "responses", status))
            if isinstance(value, dict):
                yield str(status), value, at

    def properties(self) -> Iterator[Part]:
        """Every property of every schema anywhere in the document."""
        yield from self._properties(self.value, (), 0)

    def _properties(self, value: Json, at: Pointer, depth: int) -> Iterator[Part]:
        if depth > _DEPTH:
            return
        if isinstance(value, list):
            for number, item in enumerate(value):
                yield from self._properties(item, (*at, number), depth + 1)
        if not isinstance(value, dict):
            return
        named = value.get("properties")
        if isinstance(named, dict) and (at[-1:] != ("properties",)):
            for name, schema in named.items():
                if isinstance(schema, dict):
                    yield Part(schema, (*at, "properties", name), str(name))
        for key, inner in value.items():
            if key not in {"example", "examples", "default", "enum", "const"} and not str(key).startswith("x-"):
                yield from self._properties(inner, (*at, key), depth + 1)

    def schema(self, schema: Json, at: Pointer) -> Iterator[tuple[Json, Pointer]]:
        """A schema and all that it is composed of: references, items, properties, allOf, anyOf, oneOf."""
        seen: set[Pointer] = set()
        waiting = [(schema, at)]
        while waiting:
            value, there = self.follow(*waiting.pop())
            if not isinstance(value, dict) or there in seen:
                continue
            seen.add(there)
            yield value, there
            if isinstance(value.get("items"), dict):
                waiting.append((value["items"], (*there, "items")))
            waiting += [(inner, (*there, "properties", name)) for name, inner in _items(value.get("properties"))]
            for word in ("allOf", "anyOf", "oneOf"):
                listed = value.get(word)
                waiting += [
                    (one, (*there, word, n)) for n, one in enumerate(listed if isinstance(listed, list) else ())
                ]

    # -- lines ------------------------------------------------------------------------------------------------------

    def line(self, at: Pointer) -> tuple[int, int]:
        """Line and column (from 1) of what a pointer names, or of the nearest part around it that there is."""
        node, place = self._root, (1, 1)
        for key in at:
            following = _step(node, key)
            if following is None:
                return place
            node, mark = following
            place = (mark.line + 1, mark.column + 1)
        return place

    @cached_property
    def _root(self) -> yaml.Node | None:
        # Raw tabs stand only between the tokens of JSON, where YAML refuses them.
        text = self.source.decode("utf-8-sig")
        if text.lstrip()[:1] == "{":
            text = text.replace("\t", " ")
        try:
            return yaml.compose(text, Loader=_LOADER)
        except (yaml.YAMLError, RecursionError):
            return None


def pointer_of(reference: str) -> Pointer:
    """`#/components/schemas/a~1b` as a tuple."""
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in reference.removeprefix("#").split("/")[1:])


def written(at: Pointer) -> str:
    """A pointer as RFC 6901 writes it."""
    return "".join("/" + str(key).replace("~", "~0").replace("/", "~1") for key in at)


def _step(node: yaml.Node | None, key: str | int) -> tuple[yaml.Node, yaml.Mark] | None:
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            if name.value == str(key):
                return value, name.start_mark
    if isinstance(node, yaml.SequenceNode) and str(key).isdecimal() and int(key) < len(node.value):
        found = node.value[int(key)]
        return found, found.start_mark
    return None


def _items(value: Json) -> Iterator[tuple[Any, Json]]:
    if isinstance(value, dict):
        yield from value.items()


def _json(text: str) -> Json:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise Unreadable(error.msg, error.lineno, error.colno) from None
    except (ValueError, RecursionError):
        raise Unreadable("nested too deeply, or a number too long") from None


def _yaml(text: str) -> Json:
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            if isinstance(event, yaml.AliasEvent):
                raise Unreadable("YAML aliases are not taken", *_place(event.start_mark))
        return _plain(yaml.load(text, Loader=_LOADER), 0)  # noqa: S506 - a safe loader
    except Unreadable:
        raise
    except yaml.MarkedYAMLError as error:
        raise Unreadable(error.problem or "not YAML", *_place(error.problem_mark or error.context_mark)) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Unreadable(f"not YAML: {str(error)[:100]}") from None


def _place(mark: Any) -> tuple[int, int]:
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _plain(value: Json, depth: int) -> Json:
    """YAML's value as JSON knows it: keys are text (`200:` is a status), dates are text."""
    if depth > _DEPTH:
        raise Unreadable("nested too deeply")
    if isinstance(value, dict):
        return {_key(name): _plain(inner, depth + 1) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner, depth + 1) for inner in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _key(name: Any) -> str:
    return str(name).lower() if isinstance(name, bool) else str(name)
