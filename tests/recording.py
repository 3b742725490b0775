"""Record what our operations were really asked and said, while tests run: `make examples`.

A pytest plug-in (`-p tests.recording`). Of each operation that answered well it keeps the richest request and answer,
in `content/tw/examples/operations.json`, from where our OpenAPI documents take their examples.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

MOST_BYTES, MOST_TEXT, MOST_ITEMS = 8000, 400, 2
_seen: dict[str, dict[str, Any]] = {}


def _cut(value: Any) -> Any:
    """Long texts and lists end early: an example is read by people."""
    if isinstance(value, dict):
        return {name: _cut(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_cut(part) for part in value[:MOST_ITEMS]]
    return value[:MOST_TEXT] + "…" if isinstance(value, str) and len(value) > MOST_TEXT else value


def _riches(value: Any) -> int:
    """How many facts it holds; empty ones do not count."""
    if isinstance(value, dict):
        return sum(map(_riches, value.values()))
    if isinstance(value, list):
        return sum(map(_riches, value))
    return int(value not in (None, "", False))


def _keep(operation: Any, sent: bytes, answer: Any) -> None:
    from smartgov.site import documents

    one: dict[str, Any] = {"status": answer.status_code}
    if sent and operation.methods != ["GET"]:
        one["request"] = _cut(json.loads(sent))
    if answer.content:
        one["answer"] = _cut(json.loads(answer.content))
    name = documents.operation_id(operation)
    size = len(json.dumps(one))
    if size < MOST_BYTES and (name not in _seen or _riches(one) > _riches(_seen[name])):
        _seen[name] = one


def pytest_collection_finish(session: pytest.Session) -> None:
    """Look over the shoulder of every operation. (Here, because a plug-in is loaded before Django's settings.)"""
    from ninja.operation import Operation

    run = Operation.run

    def watched(self: Operation, request: Any, **kw: Any) -> Any:
        answer = run(self, request, **kw)
        if 200 <= answer.status_code < 300:
            _keep(self, request.body, answer)
        return answer

    Operation.run = watched  # type: ignore[method-assign]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write what was seen beside what was known."""
    from smartgov.site import documents

    known = json.loads(documents.EXAMPLES.read_text()) if documents.EXAMPLES.exists() else {}
    told = json.dumps({**known, **_seen}, ensure_ascii=False, indent=1, sort_keys=True)
    documents.EXAMPLES.parent.mkdir(exist_ok=True)
    documents.EXAMPLES.write_text(told + "\n", encoding="utf-8")
