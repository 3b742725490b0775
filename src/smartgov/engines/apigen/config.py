"""The description of a register (`register.yaml`): its tables, whom their rows are about, and what may be written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from smartgov.shared import content
from smartgov.shared.text import Text

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_RESERVED = {"openapi", "health", "query"}
_TYPES = {"string", "integer", "boolean"}
_FORMATS = {None, "date", "date-time", "national-id", "uuid"}
_SHORT = {"text": ("string", None), "date": ("string", "date"), "national-id": ("string", "national-id")}


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `format: national-id` is stored bare and written `urn:tw:nid:...` on the wire."""

    name: str
    title: Text
    type: str = "string"
    format: str | None = None
    required: bool = False
    enum: tuple[str, ...] = ()
    max_length: int = 500

    @property
    def is_person(self) -> bool:
        """Whether its values name a person."""
        return self.format == "national-id"


@dataclass(frozen=True, slots=True)
class Table:
    """One table. A personal one shows and takes only rows that name the request's subject in a subject column."""

    name: str
    title: Text
    columns: dict[str, Column]
    personal: bool = True
    subject_columns: tuple[str, ...] = ()
    read: bool = True
    create: bool = False
    update: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RegisterConfig:
    """One register, and the mapping that it was read from."""

    name: str
    title: Text
    port: int
    secret_file: str
    tables: dict[str, Table]
    source: dict[str, Any] = field(repr=False)


def load(path: Path | str) -> RegisterConfig:
    """Read a register description; ValueError names what is wrong and where."""
    return parse(content.parse(Path(path).read_text(encoding="utf-8")))


def parse(data: RegisterConfig | Mapping[str, Any]) -> RegisterConfig:
    """The description in `data` (as read from YAML); an already parsed one is returned as it is."""
    if isinstance(data, RegisterConfig):
        return data
    _known(data, {"name", "title", "port", "secret_file", "tables"}, "register")
    tables = {name: _table(name, value) for name, value in data["tables"].items()}
    return RegisterConfig(
        name=_name(data["name"], "register"),
        title=Text.of(data["title"]),
        port=int(data.get("port", 0)),
        secret_file=str(data.get("secret_file", "secrets/gateway")),
        tables=tables,
        source=dict(data),
    )


def _table(name: str, data: Mapping[str, Any]) -> Table:
    where = f"table {_name(name, 'table')}"
    _known(data, {"title", "columns", "personal", "subject_columns", "read", "create", "update"}, where)
    columns = {key: _column(key, value, where) for key, value in data["columns"].items()}
    table = Table(
        name=name,
        title=Text.of(data["title"]),
        columns=columns,
        personal=bool(data.get("personal", True)),
        subject_columns=tuple(data.get("subject_columns", ())),
        read=bool(data.get("read", True)),
        create=bool(data.get("create", False)),
        update=tuple(data.get("update") or ()),
    )
    _check_table(table, where)
    return table


def _check_table(table: Table, where: str) -> None:
    if name := next((n for n in (*table.subject_columns, *table.update) if n not in table.columns), None):
        raise ValueError(f"{where}: {name} is not one of its columns")
    if "id" not in table.columns or "id" in table.update or table.columns["id"].type != "string":
        raise ValueError(f"{where}: it needs a string column id that no update may touch")
    if table.columns["id"].is_person:
        raise ValueError(f"{where}: a national id in the column id would travel in paths")
    if table.name in _RESERVED:
        raise ValueError(f"{where}: this name is taken by the API itself")
    people = {column.name for column in table.columns.values() if column.is_person}
    if table.personal and not table.subject_columns:
        raise ValueError(f"{where}: a personal table says in subject_columns whom its rows are about")
    if strange := set(table.subject_columns) - people:
        raise ValueError(f"{where}: the subject columns {sorted(strange)} need the format national-id")
    if people and not table.personal:
        raise ValueError(f"{where}: {sorted(people)} name persons, so it is personal")


def _column(name: str, data: Mapping[str, Any], where: str) -> Column:
    where = f"{where}, column {_name(name, where)}"
    _known(data, {"type", "title", "format", "required", "enum", "max_length"}, where)
    kind, form = _SHORT.get(data.get("type", "string"), (data.get("type", "string"), data.get("format")))
    if kind not in _TYPES or form not in _FORMATS:
        raise ValueError(f"{where}: no such type or format: {kind}, {form}")
    return Column(
        name=name,
        title=Text.of(data.get("title", name)),
        type=kind,
        format=form,
        required=bool(data.get("required", False)),
        enum=tuple(str(value) for value in data.get("enum", ())),
        max_length=int(data.get("max_length", 500)),
    )


def _known(data: Mapping[str, Any], names: set[str], where: str) -> None:
    if strange := set(data) - names:
        raise ValueError(f"{where}: unknown words {sorted(strange)}")


def _name(name: str, where: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{where}: {name!r} is not a name in lower case letters, digits and _")
    return name
