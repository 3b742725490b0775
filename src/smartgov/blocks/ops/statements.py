"""Statements of one table, written once and then only run: for the few paths that every sign-in walks.

Django writes the SQL of a query anew at each use, which costs several times what running it does. What is written here
is the plainest there is: rows by equal columns, new rows, changed columns. Everything else asks the model's manager.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from django.db import connection
from django.db.models import Field, Model

M = TypeVar("M", bound=Model)


class Statements(Generic[M]):
    """The statements of `model`. Values pass through the fields' own conversions, so sealed columns stay sealed."""

    def __init__(self, model: type[M]) -> None:
        self.model = model
        self._texts: dict[tuple[Any, ...], str] = {}

    def first(self, **equal: Any) -> M | None:
        """The row whose columns equal these values, or None; meant for unique columns."""
        names = tuple(field.attname for field in self._fields())
        values = self.values(names, **equal)
        return None if values is None else self.model.from_db(connection.alias, names, values)

    def values(self, columns: tuple[str, ...], **equal: Any) -> list[Any] | None:
        """Some columns of that row, and no others read."""
        text = self._text(("select", columns, *_shape(equal)), lambda: self._select(columns, equal))
        with connection.cursor() as cursor:
            cursor.execute(text, self._matched(equal))
            row = cursor.fetchone()
        if row is None:
            return None
        return [_read(self._field(name), value) for name, value in zip(columns, row, strict=True)]

    def insert(self, *rows: M) -> None:
        """New rows, in one statement. No signals are sent."""
        fields = self._fields()
        given = [field.get_db_prep_save(getattr(row, field.attname), connection) for row in rows for field in fields]
        with connection.cursor() as cursor:
            cursor.execute(self._text(("insert", len(rows)), lambda: self._insert(len(rows))), given)

    def update(self, changes: Mapping[str, Any], **equal: Any) -> int:
        """Change columns of the rows whose columns equal these values (a tuple: one of them); returns how many."""
        shape = ("update", tuple(changes), *_shape(equal))
        text = self._text(shape, lambda: self._update(changes, equal))
        with connection.cursor() as cursor:
            cursor.execute(text, [*self._written(changes), *self._matched(equal)])
            return int(cursor.rowcount)

    def _text(self, shape: tuple[Any, ...], write: Callable[[], str]) -> str:
        found = self._texts.get(shape)
        if found is None:
            found = self._texts[shape] = write()
        return found

    # Names come from the model's own fields (an unknown one is a FieldDoesNotExist), values are parameters.
    def _select(self, columns: tuple[str, ...], equal: Mapping[str, Any]) -> str:
        wanted = ", ".join(self._column(name) for name in columns)
        return f"SELECT {wanted} FROM {self._table()} WHERE {self._where(equal)}"  # noqa: S608

    def _insert(self, rows: int) -> str:
        fields = self._fields()
        row = f"({', '.join(['%s'] * len(fields))})"
        names = ", ".join(self._column(field.attname) for field in fields)
        return f"INSERT INTO {self._table()} ({names}) VALUES {', '.join([row] * rows)}"  # noqa: S608

    def _update(self, changes: Mapping[str, Any], equal: Mapping[str, Any]) -> str:
        setting = ", ".join(f"{self._column(name)} = %s" for name in changes)
        return f"UPDATE {self._table()} SET {setting} WHERE {self._where(equal)}"  # noqa: S608

    def _where(self, equal: Mapping[str, Any]) -> str:
        return " AND ".join(
            f"{self._column(name)} IN ({', '.join(['%s'] * len(value))})"
            if isinstance(value, tuple)
            else f"{self._column(name)} = %s"
            for name, value in equal.items()
        )

    def _written(self, changes: Mapping[str, Any]) -> list[Any]:
        return [self._field(name).get_db_prep_save(value, connection) for name, value in changes.items()]

    def _matched(self, equal: Mapping[str, Any]) -> list[Any]:
        found: list[Any] = []
        for name, value in equal.items():
            field = self._field(name)
            found += [
                field.get_db_prep_save(each, connection) for each in (value if isinstance(value, tuple) else [value])
            ]
        return found

    def _fields(self) -> Sequence[Any]:
        return self.model._meta.concrete_fields

    def _field(self, name: str) -> Field[Any, Any]:
        found = self.model._meta.get_field(name)
        assert isinstance(found, Field)
        return found

    def _column(self, name: str) -> str:
        return connection.ops.quote_name(self._field(name).column or name)

    def _table(self) -> str:
        return connection.ops.quote_name(self.model._meta.db_table)


def _shape(equal: Mapping[str, Any]) -> tuple[tuple[str, int], ...]:
    return tuple((name, len(value) if isinstance(value, tuple) else 0) for name, value in equal.items())


def _read(field: Any, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, datetime) and value.tzinfo is None:
        return value.replace(tzinfo=UTC)  # SQLite keeps no zone; Django writes UTC
    if hasattr(field, "from_db_value"):
        return field.from_db_value(value, None, connection)
    return value
