"""What another document changes for callers: words do not count, forms do, also behind a reference."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from smartgov.engines.apilint import Changes, Document, compare, read

Json = Any
NOTHING = Changes((), (), ())


def document(change: Callable[[Json], object] = lambda value: None) -> Document:
    value = json.loads(json.dumps(read().example))
    value["components"]["schemas"]["Loop"] = {"properties": {"next": {"$ref": "#/components/schemas/Loop"}}}
    schema = {
        "type": "object",
        "properties": {"title": {"type": "string"}, "loop": {"$ref": "#/components/schemas/Loop"}},
    }
    value["components"]["schemas"]["Wish"] = schema
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Wish"}}}}
    value["paths"]["/wishes"] = {"post": {"summary": "Wish", "requestBody": body, "responses": {"204": {}}}}
    change(value)
    return Document.parse(json.dumps(value).encode())


def test_operations_that_come_and_go_are_named() -> None:
    without = document(lambda value: value["paths"].pop("/wishes"))
    assert compare(document(), without) == Changes((), ("POST /wishes",), ())
    assert compare(without, document()) == Changes(("POST /wishes",), (), ())


def _another_summary(value: Json) -> None:
    value["paths"]["/wishes"]["post"] |= {"summary": "Another", "description": "x", "x-note": "y", "tags": ["z"]}
    value["components"]["schemas"]["Wish"]["description"] = "what is wished"
    value["info"]["version"] = "9"


def test_words_change_nothing_for_a_caller() -> None:
    assert compare(document(), document(_another_summary)) == NOTHING


@pytest.mark.parametrize(
    "change",
    [
        lambda value: value["components"]["schemas"]["Wish"]["properties"].pop("title"),
        lambda value: value["components"]["schemas"]["Wish"]["properties"]["title"].update(maxLength=3),
        lambda value: value["components"]["schemas"]["Loop"].update(required=["next"]),
        lambda value: value["paths"]["/wishes"]["post"]["responses"].update({"409": {}}),
        lambda value: value["paths"]["/wishes"].update(parameters=[{"name": "q", "in": "query", "required": True}]),
        lambda value: value["paths"]["/wishes"]["post"]["requestBody"].update(required=True),
    ],
)
def test_another_form_is_a_change_also_behind_references(change: Callable[[Json], object]) -> None:
    assert compare(document(), document(change)) == Changes((), (), ("POST /wishes",))
