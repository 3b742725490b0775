"""Record what our operations were really asked and said, while tests run: `make examples`.

A pytest plug-in (`-p tests.recording`). Of each operation that answered well it keeps the richest request and answer,
in `content/tw/examples/operations.json`, from where our OpenAPI documents take their examples.
"""

from __future__ import annotations

import json
import re
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


def _keep(name: str, sent: Any, answer: Any) -> None:
    one: dict[str, Any] = {"status": answer.status_code}
    if sent:
        one["request"] = _cut(sent)
    if answer.content and answer.headers["Content-Type"].startswith("application/json"):
        one["answer"] = _cut(json.loads(answer.content))
    size = len(json.dumps(one))
    if size < MOST_BYTES and (name not in _seen or _riches(one) > _riches(_seen[name])):
        _seen[name] = one


def pytest_collection_finish(session: pytest.Session) -> None:
    """Look over the shoulder of every operation. (Here, because a plug-in is loaded before Django's settings.)"""
    from django.core.handlers.base import BaseHandler
    from ninja.operation import Operation

    from smartgov.site import documents

    run, get_response, by_hand = Operation.run, BaseHandler.get_response, _by_hand()

    def watched(self: Operation, request: Any, **kw: Any) -> Any:
        answer = run(self, request, **kw)
        if 200 <= answer.status_code < 300:
            sent = json.loads(request.body) if request.body and self.methods != ["GET"] else None
            _keep(documents.operation_id(self), sent, answer)
        return answer

    def watched_door(self: BaseHandler, request: Any) -> Any:
        answer = get_response(self, request)
        name = next((one for method, path, one in by_hand if request.method == method and path.match(request.path)), "")
        if name and answer.status_code == 200 and not answer.headers.get("Content-Encoding"):
            _keep(name, _sent(request), answer)
        return answer

    Operation.run = watched  # type: ignore[method-assign]
    BaseHandler.get_response = watched_door  # type: ignore[method-assign]


def _by_hand() -> list[tuple[str, re.Pattern[str], str]]:
    """Method, path and name of the operations whose documents are written by hand."""
    from smartgov.shared import openapi
    from smartgov.site import documents

    return [
        (method, re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path)) + "$"), one["operationId"])
        for document in documents.by_hand().values()
        for method, path, one in openapi.operations(document)
        if not path.endswith("/openapi.json")
    ]


def _sent(request: Any) -> Any:
    """What a form held, with files by their names; or the JSON."""
    if request.content_type == "application/json":
        return json.loads(request.body)
    return {**request.POST.dict(), **{name: f"(bytes of {one.name})" for name, one in request.FILES.items()}}


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write what was seen beside what was known."""
    from smartgov.shared import openapi

    known = json.loads(openapi.EXAMPLES.read_text()) if openapi.EXAMPLES.exists() else {}
    told = json.dumps({**known, **_seen}, ensure_ascii=False, indent=1, sort_keys=True)
    openapi.EXAMPLES.parent.mkdir(exist_ok=True)
    openapi.EXAMPLES.write_text(told + "\n", encoding="utf-8")
