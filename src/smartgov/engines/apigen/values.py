"""Values between the wire, the register's file and the makers of rows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from smartgov.engines.apigen.config import Column, Table
from smartgov.shared.ids import is_uuid
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text
from smartgov.shared.tw import national_id

_UNKNOWN = Text("There is no such field here.", "沒有此欄位。")
_REQUIRED = Text("It is required.", "此欄位必填。")
_INT_LIMIT = 2**63
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_WRONG = {
    "integer": Text("It must be a whole number.", "必須為整數。"),
    "boolean": Text("It must be true or false.", "必須為 true 或 false。"),
    "string": Text("It must be a text.", "必須為文字。"),
    "date": Text("It must be a date like 2026-11-22.", "必須為日期，例如 2026-11-22。"),
    "date-time": Text("It must be a time with its zone.", "必須為含時區的時間。"),
    "national-id": Text("It must be urn:tw:nid: and a valid number.", "必須為 urn:tw:nid: 加上有效的統一編號。"),
    "uuid": Text("It must be a UUID.", "必須為 UUID。"),
    "enum": Text("It must be one of the listed values.", "必須為列舉值之一。"),
    "length": Text("It is too long.", "文字過長。"),
}


def read_row(table: Table, body: Any, *, allowed: set[str], whole: bool) -> dict[str, Any]:
    """A posted object as stored values; Problem `row-invalid` (422) names each wrong field and repeats no value.

    `allowed` are the fields that may be given; with `whole`, required ones must be.
    """
    if not isinstance(body, Mapping):
        raise row_invalid({}, Text("The body must be an object.", "內容必須為物件。"))
    values: dict[str, Any] = {}
    errors: dict[str, Text] = {}
    for name, value in body.items():
        column = table.columns.get(name)
        if column is None or name not in allowed:
            errors[str(name)[:64]] = _UNKNOWN
        elif (stored := stored_value(column, value)) is _INVALID:
            errors[name] = complaint(column, value)
        else:
            values[name] = stored
    if whole:
        for column in table.columns.values():
            if column.required and values.get(column.name) is None and column.name not in errors:
                errors[column.name] = _REQUIRED
    if errors:
        raise row_invalid(errors)
    return values


def row_invalid(errors: Mapping[str, Text], why: Text | None = None) -> Problem:
    """The Problem of a row that cannot be taken."""
    return Problem(
        "row-invalid",
        422,
        what=Text("The row is not valid.", "資料列無效。"),
        why=why or Text("Some fields are wrong.", "部分欄位有誤。"),
        todo=Text("Correct the named fields and send it again.", "請修正所列欄位後重送。"),
        errors={name: text.as_dict() for name, text in errors.items()},
    )


_INVALID: Any = object()


def stored_value(column: Column, value: Any) -> Any:
    """`value` from the wire as it is kept; the private mark `_INVALID` when the column does not take it."""
    if value is None:
        return _INVALID if column.required else None
    if column.type == "boolean":
        return int(value) if isinstance(value, bool) else _INVALID
    if column.type == "integer":
        whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) < _INT_LIMIT
        return value if whole else _INVALID
    if not isinstance(value, str) or len(value) > column.max_length or "\0" in value:
        return _INVALID
    if column.enum and value not in column.enum:
        return _INVALID
    try:
        return _formatted(column.format, value)
    except ValueError:
        return _INVALID


def complaint(column: Column, value: Any) -> Text:
    """Why `stored_value` refused; it never contains the value."""
    if column.type != "string" or not isinstance(value, str):
        return _WRONG[column.type]
    if len(value) > column.max_length:
        return _WRONG["length"]
    if column.enum and value not in column.enum:
        return _WRONG["enum"]
    return _WRONG[column.format or "string"]


def wire_value(column: Column, value: Any) -> Any:
    """A stored value as it is written in an answer."""
    if value is None:
        return None
    if column.is_person:
        return national_id.urn(str(value))
    return bool(value) if column.type == "boolean" else value


def built_value(column: Column, value: Any) -> Any:
    """A value of a seeded row (dates, NumPy scalars and bare national ids are welcome) as it is stored."""
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, datetime | date):
        value = value.isoformat()
    if value is None or value == "":
        return None
    if column.is_person and isinstance(value, str) and not value.startswith("urn:"):
        value = national_id.urn(value)
    if column.type == "boolean" and value in (0, 1):
        value = bool(value)
    stored = stored_value(column, value)
    if stored is _INVALID:
        raise ValueError(f"column {column.name}: {complaint(column, value).en}")
    return stored


def _formatted(form: str | None, value: str) -> str:
    if form == "national-id":
        return national_id.from_urn(value)
    if form == "date":
        date.fromisoformat(value)
        if not _DATE.fullmatch(value):
            raise ValueError("another ISO form")
    elif form == "date-time" and datetime.fromisoformat(value).tzinfo is None:
        raise ValueError("no zone")
    elif form == "uuid" and not is_uuid(value):
        raise ValueError("not a UUID")
    return value
