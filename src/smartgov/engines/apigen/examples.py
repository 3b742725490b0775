"""Examples for a register's OpenAPI document: one row of a made-up person, the same on every machine.

Its persons have a wrong check digit, because the document travels where no person may stand in clear. A test puts the
row, with sound ids, into a register, asks what the document shows, and compares the answer.
"""

from __future__ import annotations

from typing import Any

from smartgov.engines.apigen.config import Column, Table
from smartgov.shared.tw import national_id

Json = dict[str, Any]
_FORMATS = {
    "date": "2026-11-01",
    "date-time": "2026-11-01T08:30:00+08:00",
    "uuid": "019aa9c0-7b1f-7cc0-8d3e-3f1f5f0a7b11",
}
AS_OF = "2026-11-22T14:00:00+08:00"


def row(table: Table, *, sound: bool = False) -> Json:
    """A row as it is on the wire; the first of its persons is the subject. `sound`: with ids that a register takes."""
    persons = [name for name, column in table.columns.items() if column.is_person]
    persons.sort(key=lambda name: name not in table.subject_columns)
    numbers = {name: serial for serial, name in enumerate(persons, start=1)}
    return {name: _value(column, numbers.get(name, 0), sound=sound) for name, column in table.columns.items()}


def where(table: Table) -> Json:
    """What a search for that row may ask: one column that names nobody."""
    fit = [column for column in table.columns.values() if not column.is_person and column.name != "id"]
    fit.sort(key=lambda column: (not column.enum, not column.required))
    return {column.name: row(table)[column.name] for column in fit[:1]}


def answer(table: Table, *, sound: bool = False) -> Json:
    """The answer that finds the row."""
    return {"items": [row(table, sound=sound)], "as_of": AS_OF, "more": False}


def _value(column: Column, person: int, *, sound: bool) -> Any:
    if column.is_person:
        made = national_id.make(person, 2 if person % 2 else 1)
        return national_id.urn(made if sound else national_id.for_show(made))
    if column.enum:
        return column.enum[0]
    if column.format in _FORMATS:
        return _FORMATS[column.format]
    if column.type in {"integer", "boolean"}:
        return {"integer": 3, "boolean": True}[column.type]
    return "1" if column.name == "id" else column.title.zh[: column.max_length]
