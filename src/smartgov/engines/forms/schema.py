"""The answers of a form as JSON Schema 2020-12."""

from __future__ import annotations

import codecs
from typing import Any

from smartgov.engines.forms.definition import Field, Page
from smartgov.shared.text import Text

_BANK = {
    "type": "object",
    "properties": {
        "bank_code": {"type": "string", "pattern": r"^[0-9]{3}$"},
        "account": {"type": "string", "pattern": r"^[0-9]{10,16}$"},
        "holder": {"type": "string"},
    },
    "required": ["bank_code", "account"],
    "additionalProperties": False,
}
_SHAPES: dict[str, dict[str, Any]] = {
    "date": {"type": "string", "format": "date"},
    "yesno": {"type": "boolean"},
    "fact": {"type": "boolean"},
    "consent": {"type": "boolean"},
    "national_id": {"type": "string", "pattern": r"^[A-Z][12][0-9]{8}$"},
    "email": {"type": "string", "format": "email", "maxLength": 254},
    "phone": {"type": "string", "pattern": r"^0[0-9]{8,9}$"},
    "bank_account": _BANK,
}


def json_schema(form_id: str, title: Text, pages: tuple[Page, ...]) -> dict[str, Any]:
    """The schema; a field that only some answers call for is never required here, the form's own check decides."""
    fields = [(page, field) for page in pages for field in page.fields if not field.elsewhere]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:smartgov:form:{form_id}",
        "title": title.en,
        "type": "object",
        "properties": {field.id: _property(field) for _, field in fields},
        "required": [f.id for page, f in fields if f.required and page.show_if is True and f.show_if is True],
        "additionalProperties": False,
    }


def _property(field: Field) -> dict[str, Any]:
    shape = {"title": field.label.en, "x-title-zh": field.label.zh, **_shape(field)}
    always_asked = field.required and field.show_if is True
    return shape if always_asked else {"anyOf": [shape, {"type": "null"}]}


def _shape(field: Field) -> dict[str, Any]:
    if field.kind == "choice":
        return _choice(field)
    if field.kind == "text":
        pattern = {"pattern": f"^(?:{_literal(field.pattern)})$"} if field.pattern else {}
        return {"type": "string", "minLength": 1, "maxLength": field.max_length, **pattern}
    must_be_true = {"const": True} if field.kind == "consent" and field.required else {}
    return {**_SHAPES[field.kind], **must_be_true}


def _choice(field: Field) -> dict[str, Any]:
    one = {"type": "string", "enum": [choice.value for choice in field.choices]}
    if not field.multiple:
        return one
    return {"type": "array", "items": one, "uniqueItems": True, "minItems": 1 if field.required else 0}


def _literal(pattern: str) -> str:
    r"""A pattern with its `\u` and `\U` escapes as characters, which every regular expression engine reads."""
    return codecs.decode(pattern.encode("ascii", "backslashreplace"), "unicode_escape")
