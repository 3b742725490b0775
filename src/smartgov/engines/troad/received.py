"""Reading a Problem back out of a problem+json answer, with its sentences in both languages when it carries them."""

from __future__ import annotations

import json
from typing import Any

from smartgov.engines.httpd import Response
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

_PREFIX = "urn:smartgov:problem:"
_OWN = {"type", "title", "status", "detail", "todo", "texts", "instance"}


def problem_of(answer: Response) -> Problem:
    """The Problem that an answer with an error status tells of; one without problem+json becomes `service-error`."""
    try:
        content = json.loads(answer.body)
    except ValueError:
        content = None
    if not isinstance(content, dict) or not str(content.get("type", "")).startswith(_PREFIX):
        return Problem(
            "service-error",
            answer.status,
            what=Text("The service answered with an error.", "服務回應錯誤。"),
            why=Text(f"Its status is {answer.status}.", f"狀態碼為 {answer.status}。"),
            todo=Text("Try again later.", "請稍後再試。"),
        )
    extra = {name: value for name, value in content.items() if name not in _OWN and name.isidentifier()}
    texts: dict[str, Any] = content.get("texts") or {}
    for reserved in ("slug", "what", "why"):
        extra.pop(reserved, None)
    return Problem(
        str(content["type"]).removeprefix(_PREFIX),
        answer.status,
        what=_text(texts.get("what"), str(content.get("title", ""))),
        why=_text(texts.get("why"), str(content.get("detail", ""))),
        todo=_text(texts.get("todo"), str(content.get("todo", ""))),
        **extra,
    )


def _text(value: Any, otherwise: str) -> Text:
    if isinstance(value, dict) and {"en", "zh"} <= set(value):
        return Text(str(value["en"]), str(value["zh"]))
    return Text(otherwise, otherwise)
