"""The OpenAPI 3.1 document of a gateway's local door, which the door serves about itself.

`local_door.yaml` is what a person writes: operations, forms, and of each operation the problem types with which it may
refuse. Statuses, the forms of refusals and the examples are put in here, so that they cannot differ from the table of
problems. `local_door.examples.json` holds what running gateways have said (`scripts/local_door_examples.py`).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from smartgov.engines.troad.problems import TABLE, refuse
from smartgov.shared import content

PATH = "/local/v1/openapi.json"
EXAMPLES = Path(__file__).with_name("local_door.examples.json")
METHODS = ("get", "post", "put", "patch", "delete")
_OF_THE_SERVER = {"json-invalid": (400, "The message is not valid JSON.", "訊息不是有效的 JSON。")}
"""What the HTTP server itself says, with its status."""
Json = dict[str, Any]


@cache
def document() -> Json:
    """The document, with examples; whoever alters it alters it for all."""
    made = _expanded(content.parse(Path(__file__).with_name("local_door.yaml").read_text(encoding="utf-8")))
    examples = json.loads(EXAMPLES.read_text(encoding="utf-8"))
    for _, _, operation in operations(made):
        _illustrate(operation, examples.get(operation["operationId"], {}))
    return made


def served() -> bytes:
    """The document as it goes out."""
    return json.dumps(document(), ensure_ascii=False).encode()


def operations(made: Json) -> Iterator[tuple[str, str, Json]]:
    """Method, path and operation of each."""
    for path, item in made["paths"].items():
        for method in METHODS:
            if method in item:
                yield method, path, item[method]


def status_of(slug: str) -> int:
    """The HTTP status of a problem type."""
    return TABLE[slug][0] if slug in TABLE else _OF_THE_SERVER[slug][0]


def _expanded(source: Json) -> Json:
    groups = source.pop("x-refusals")
    made = {name: part for name, part in source.items() if name not in {"x-call", "x-call-with-body"}}
    made = dict(json.loads(json.dumps(made)))  # what YAML's anchors share is told apart
    for _, _, operation in operations(made):
        named = [slug for name in operation.pop("x-refusals", ()) for slug in groups.get(name, [name])]
        operation["x-problem-types"] = [f"urn:smartgov:problem:{slug}" for slug in sorted(set(named))]
        if "4XX" not in operation["responses"]:  # a call passes on what the service says, whatever it is
            operation["responses"] |= _refusals(sorted(set(named)), operation["responses"])
    return made


def _refusals(slugs: list[str], answers: Json) -> Json:
    by_status: dict[str, list[str]] = defaultdict(list)
    for slug in slugs:
        by_status[str(status_of(slug))].append(slug)
    return {status: _refusal(named, answers.get(status)) for status, named in by_status.items()}


def _refusal(slugs: list[str], also: Json | None) -> Json:
    types = [f"urn:smartgov:problem:{slug}" for slug in slugs]
    schema = {"allOf": [{"$ref": "#/components/schemas/Problem"}], "properties": {"type": {"enum": types}}}
    told = {"description": "；".join(_sentence(slug) for slug in slugs)}
    media = {"application/problem+json": {"schema": schema}}
    return {**(also or told), "content": {**(also or {}).get("content", {}), **media}}


def _sentence(slug: str) -> str:
    if slug in _OF_THE_SERVER:
        return " ".join(_OF_THE_SERVER[slug][1:])
    what = refuse(slug).what
    return f"{what.zh} {what.en}"


def _illustrate(operation: Json, shown: Json) -> None:
    """Put what was really sent and said beside the forms."""
    if "request" in shown:
        operation["requestBody"]["content"]["application/json"]["example"] = shown["request"]
    for status, example in shown.get("answers", {}).items():
        for media in example:
            operation["responses"][status]["content"][media]["example"] = example[media]
