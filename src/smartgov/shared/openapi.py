"""Parts of the OpenAPI 3.1 documents that are written by hand: of doors whose forms a specification fixes.

Summaries are English, descriptions Chinese, as in the platform's other documents. What an operation was really asked
and what it said stands beside its forms (`make examples`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from smartgov.shared import content
from smartgov.shared.tw import national_id

Json = dict[str, Any]
FORM, JSON, UPLOAD, PROBLEM_TYPE = (
    "application/x-www-form-urlencoded",
    "application/json",
    "multipart/form-data",
    "application/problem+json",
)
EXAMPLES = content.ROOT / "examples" / "operations.json"
"""By operation: what it was asked and what it said, recorded while the tests ran."""
TEXT: Json = {"type": "string"}
INSTANT: Json = {"type": ["string", "null"], "format": "date-time"}
PROBLEM: Json = {
    "type": "object",
    "required": ["type", "title", "status"],
    "properties": {**dict.fromkeys(("type", "title", "detail", "todo"), TEXT), "status": {"type": "integer"}},
}


def ref(kind: str, name: str) -> Json:
    """A reference to a component."""
    return {"$ref": f"#/components/{kind}/{name}"}


def form(required: str = "", *, more: bool = True, **members: Json) -> Json:
    """The schema of an object; `required` names members with spaces between, `more` allows others."""
    made: Json = {"type": "object", "properties": members, "additionalProperties": more}
    return {**made, "required": required.split()} if required else made


def body(kind: str, schema: Json) -> Json:
    """A request's body of this media type."""
    return {"required": True, "content": {kind: {"schema": schema}}}


def answer(description: str, schema: Json, kind: str = JSON) -> Json:
    """One answer with a body of this media type."""
    return {"description": description, "content": {kind: {"schema": schema}}}


def operation(name: str, summary: str, description: str, answers: Mapping[str, Json], **more: Any) -> Json:
    """An operation that anybody may call, unless `more` says what it takes."""
    words = {"operationId": name, "summary": summary, "description": description}
    return {**words, "security": [], **more, "responses": dict(answers)}


def of_itself(block: str) -> Json:
    """The operation at which the document of a block is read."""
    answers = {"200": answer("The document", {"type": "object"})}
    return {"get": operation(f"{block}_openapi", "This document", "本文件", answers)}


def document(*, title: str, summary: str, terms: str, server: str, paths: Json, components: Json) -> Json:
    """The whole document, with the examples that are known."""
    made = {
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "summary": summary,
            "version": "1",
            "contact": {"name": "smartgov 維運窗口 smartgov operations desk"},
            "license": {"name": terms},
        },
        "servers": [{"url": server}],
        "paths": paths,
        "components": components,
    }
    copied: Json = json.loads(json.dumps(made))  # nothing in it is shared, so that examples stay where they belong
    for _, _, one in operations(copied):
        _illustrate(one, examples().get(one["operationId"], {}))
    return copied


def operations(made: Json) -> Iterator[tuple[str, str, Json]]:
    """Method, path and description of every operation."""
    for path, item in made["paths"].items():
        for method, one in item.items():
            yield method.upper(), path, one


@cache
def examples() -> Json:
    """As recorded; but persons with a wrong check digit, because contracts travel where none may stand in clear."""
    text = EXAMPLES.read_text(encoding="utf-8")
    ids = {one[0] for one in national_id.FINDER.finditer(text) if national_id.is_valid(one[0])}
    for one in ids:
        text = text.replace(one, national_id.for_show(one))
    return dict(json.loads(text))


def bodies(one: Json, shown: Json) -> Iterator[tuple[str, Json]]:
    """`request` and `answer` of an operation with the media they have, where an example can stand: no signed text."""
    if "requestBody" in one:
        yield "request", next(iter(one["requestBody"]["content"].values()))
    told = one["responses"].get(str(shown.get("status", 200)), {}).get("content", {})
    if JSON in told:
        yield "answer", told[JSON]


def _illustrate(one: Json, shown: Json) -> None:
    for name, media in bodies(one, shown):
        if name in shown:
            media["example"] = shown[name]
