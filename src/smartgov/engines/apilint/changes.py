"""What another document would change for those who call a service: operations that come, go, or ask something else.

Words and examples are left out: nobody's program stops over a better description.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from smartgov.engines.apilint.document import Document, Json, Part, Pointer, pointer_of, written

_WORDS = frozenset({"description", "summary", "title", "example", "examples", "tags", "operationId", "externalDocs"})
_NAMED = frozenset({"properties", "patternProperties", "responses", "headers", "content", "schemas", "parameters"})
"""Objects whose keys are names that the author chose, among them perhaps `title`."""
_DEEP = 100


@dataclass(frozen=True, slots=True)
class Changes:
    """By name (`GET /births`), in the order of the documents."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]


def compare(before: Document, after: Document) -> Changes:
    """What `after` would change for callers who keep to `before`."""
    old, new = ({one.label: one for one in document.operations()} for document in (before, after))
    return Changes(
        added=tuple(name for name in new if name not in old),
        removed=tuple(name for name in old if name not in new),
        changed=tuple(
            name for name, one in new.items() if name in old and _form(before, old[name]) != _form(after, one)
        ),
    )


def _form(document: Document, operation: Part) -> str:
    """The operation with everything that it refers to, each once, so that no document grows by being read."""
    item, _ = document.follow(document.get(("paths", operation.path)), ())
    shared = item.get("parameters") if isinstance(item, dict) else None
    found: dict[str, Json] = {}
    waiting: list[tuple[str, Json]] = [("", {"parameters": shared, "operation": operation.value})]
    while waiting:
        name, value = waiting.pop()
        if name in found:
            continue
        found[name] = _bare(value, named=False, depth=0)
        waiting += [(written(at), document.get(at)) for at in _references(found[name])]
    return json.dumps(found, sort_keys=True, default=str)


def _references(value: Json) -> list[Pointer]:
    found, waiting = [], [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if isinstance(one.get("$ref"), str) and one["$ref"].startswith("#"):
                found.append(pointer_of(one["$ref"]))
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
    return found


def _bare(value: Any, *, named: bool, depth: int) -> Json:
    if depth > _DEEP:
        return value
    if isinstance(value, list):
        return [_bare(one, named=False, depth=depth + 1) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _bare(one, named=not named and key in _NAMED, depth=depth + 1)
        for key, one in value.items()
        if named or (key not in _WORDS and not str(key).startswith("x-"))
    }
