"""Statements of one table, written once and then only run: for the few paths that every sign-in walks.

Django writes the SQL of a query anew at each use, and asks every field how to convert its value; that costs several
times what running it does. What is written here is the plainest there is: rows by equal columns, new rows, changed
columns. Everything else asks the model's manager.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache, partial
from importlib import import_module
from itertools import count
from types import ModuleType
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field, Model

M = TypeVar("M", bound=Model)
Convert = Callable[[Any], Any] | None
"""What happens to a value on its way in or out; None: it is good as it is."""
_names = count(1)


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """One statement: its text as Django and as the driver takes it, its name, and what happens to values."""

    text: str
    native: str
    name: bytes
    writes: tuple[Convert, ...] = ()
    reads: tuple[Convert, ...] = ()

    def run(self, values: Iterable[Any]) -> Any:
        """Run it on this thread's connection; rows and their count are taken from the result.

        The driver runs it without Django's layers. Whoever listens to Django's cursors (tests, DEBUG) hears of it.
        """
        given = _converted(self.writes, values)
        db = connections[DEFAULT_DB_ALIAS]
        db.ensure_connection()
        db.validate_no_broken_transaction()
        if db.execute_wrappers or db.queries_logged:
            return self._overheard(db, given)
        with db.wrap_database_errors:
            return self._execute(db, given)

    def _execute(self, db: BaseDatabaseWrapper, given: list[Any]) -> Any:
        if db.vendor == "sqlite":
            return db.connection.execute(self.native, given)
        return _libpq().run(db.connection, _planned(db), self.name, self.native.encode(), given)

    def _overheard(self, db: BaseDatabaseWrapper, given: list[Any]) -> Any:
        def execute(sql: str, params: Any, many: bool, context: Any) -> Any:
            with db.wrap_database_errors:
                return self._execute(db, params)

        for wrapper in reversed(db.execute_wrappers):
            execute = partial(wrapper, execute)
        if db.queries_logged:
            db.queries_log.append({"sql": self.text, "time": "0"})
        return execute(self.text, given, False, {"connection": db, "cursor": None})

    def found(self, row: Sequence[Any]) -> list[Any]:
        """The values of one row."""
        return _converted(self.reads, row)


def _converted(by: tuple[Convert, ...], values: Iterable[Any]) -> list[Any]:
    return [value if to is None or value is None else to(value) for to, value in zip(by, values, strict=True)]


@lru_cache(maxsize=1)
def _libpq() -> ModuleType:
    return import_module("smartgov.blocks.ops.libpq")  # only where PostgreSQL is in use


def _planned(db: BaseDatabaseWrapper) -> set[bytes]:
    """The names of statements that the server has planned for the present connection."""
    kept: tuple[Any, set[bytes]] | None = db.__dict__.get("smartgov_planned")
    if kept is None or kept[0] is not db.connection:
        kept = db.__dict__["smartgov_planned"] = (db.connection, set())
    return kept[1]


def written(text: str, writes: Iterable[Convert], reads: Iterable[Convert] = ()) -> Statement:
    """A statement in Django's form (`%s` for a value, no other percent sign) for the database in use."""
    first, *rest = text.split("%s")
    if connection.vendor == "sqlite":
        native = text.replace("%s", "?")
    else:
        native = first + "".join(f"${number}{part}" for number, part in enumerate(rest, 1))
    return Statement(text, native, f"smartgov-{next(_names)}".encode(), tuple(writes), tuple(reads))


class Statements(Generic[M]):
    """The statements of `model`. Values pass through the fields' own conversions, so sealed columns stay sealed."""

    def __init__(self, model: type[M]) -> None:
        self.model = model
        self._written: dict[tuple[Any, ...], Statement] = {}

    def first(self, **equal: Any) -> M | None:
        """The row whose columns equal these values, or None; meant for unique columns."""
        names = self._names()
        values = self.values(names, **equal)
        return None if values is None else self.model.from_db(DEFAULT_DB_ALIAS, names, values)

    def values(self, columns: tuple[str, ...], **equal: Any) -> list[Any] | None:
        """Some columns of that row, and no others read."""
        shape = ("select", columns, *_shape(equal))
        statement = self._written.get(shape) or self._keep(shape, self._select(columns, equal))
        rows = statement.run(_flat(equal)).fetchall()
        return statement.found(rows[0]) if rows else None

    def pair(
        self, columns: tuple[str, ...], other: Statements[Any], others: tuple[str, ...], *, by: str, **equal: Any
    ) -> tuple[list[Any], list[Any]] | None:
        """Some columns of that row, and some of the row of `other` that its column `by` names."""
        shape = ("pair", columns, others, by, *_shape(equal))
        statement = self._written.get(shape) or self._keep(shape, self._pair(columns, other, others, by, equal))
        rows = statement.run(_flat(equal)).fetchall()
        if not rows:
            return None
        found = statement.found(rows[0])
        return found[: len(columns)], found[len(columns) :]

    def insert(self, *rows: Mapping[str, Any]) -> None:
        """New rows in one statement; each names every column, in one order. No signals are sent."""
        shape = ("insert", len(rows), *rows[0])
        statement = self._written.get(shape) or self._keep(shape, self._insert(len(rows), tuple(rows[0])))
        statement.run(value for row in rows for value in row.values())

    def update(self, changes: Mapping[str, Any], **equal: Any) -> int:
        """Change columns of the rows whose columns equal these values (a tuple: one of them); returns how many."""
        shape = ("update", tuple(changes), *_shape(equal))
        statement = self._written.get(shape) or self._keep(shape, self._update(tuple(changes), equal))
        return int(statement.run([*changes.values(), *_flat(equal)]).rowcount)

    def _keep(self, shape: tuple[Any, ...], statement: Statement) -> Statement:
        self._written[shape] = statement
        return statement

    # Names come from the model's own fields (an unknown one is a FieldDoesNotExist), values are parameters.
    def _select(self, columns: tuple[str, ...], equal: Mapping[str, Any]) -> Statement:
        wanted = ", ".join(self._column(name) for name in columns)
        text = f"SELECT {wanted} FROM {self._table()} WHERE {self._where(equal)}"  # noqa: S608
        return written(text, self._matched(equal), [_reader(self._field(name)) for name in columns])

    def _pair(
        self,
        columns: tuple[str, ...],
        other: Statements[Any],
        others: tuple[str, ...],
        by: str,
        equal: Mapping[str, Any],
    ) -> Statement:
        wanted = [f"{self._table()}.{self._column(name)}" for name in columns]
        wanted += [f"{other._table()}.{other._column(name)}" for name in others]
        named = f"{other._table()}.{other._column('pk')} = {self._table()}.{self._column(by)}"
        where = " AND ".join(f"{self._table()}.{self._column(name)} = %s" for name in equal)
        text = f"SELECT {', '.join(wanted)} FROM {self._table()} JOIN {other._table()} ON {named} WHERE {where}"  # noqa: S608
        readers = [*map(_reader, map(self._field, columns)), *map(_reader, map(other._field, others))]
        return written(text, self._matched(equal), readers)

    def _insert(self, rows: int, names: tuple[str, ...]) -> Statement:
        if missing := set(self._names()) - set(names):
            raise ValueError(f"a new row of {self._table()} lacks {sorted(missing)}")
        row = f"({', '.join(['%s'] * len(names))})"
        columns = ", ".join(self._column(name) for name in names)
        text = f"INSERT INTO {self._table()} ({columns}) VALUES {', '.join([row] * rows)}"  # noqa: S608
        return written(text, [_writer(self._field(name)) for name in names] * rows)

    def _update(self, names: tuple[str, ...], equal: Mapping[str, Any]) -> Statement:
        setting = ", ".join(f"{self._column(name)} = %s" for name in names)
        text = f"UPDATE {self._table()} SET {setting} WHERE {self._where(equal)}"  # noqa: S608
        return written(text, [*(_writer(self._field(name)) for name in names), *self._matched(equal)])

    def _where(self, equal: Mapping[str, Any]) -> str:
        return " AND ".join(
            f"{self._column(name)} IN ({', '.join(['%s'] * len(value))})"
            if isinstance(value, tuple)
            else f"{self._column(name)} = %s"
            for name, value in equal.items()
        )

    def _matched(self, equal: Mapping[str, Any]) -> list[Convert]:
        return [
            _writer(self._field(name))
            for name, value in equal.items()
            for _ in (value if isinstance(value, tuple) else (value,))
        ]

    def _names(self) -> tuple[str, ...]:
        return tuple(field.attname for field in self.model._meta.concrete_fields)

    def _field(self, name: str) -> Field[Any, Any]:
        found = self.model._meta.pk if name == "pk" else self.model._meta.get_field(name)
        assert isinstance(found, Field)
        return found

    def _column(self, name: str) -> str:
        return connection.ops.quote_name(self._field(name).column or name)

    def _table(self) -> str:
        return connection.ops.quote_name(self.model._meta.db_table)


def _shape(equal: Mapping[str, Any]) -> tuple[tuple[str, int], ...]:
    return tuple((name, len(value) if isinstance(value, tuple) else 0) for name, value in equal.items())


def _flat(equal: Mapping[str, Any]) -> list[Any]:
    found: list[Any] = []
    for value in equal.values():
        found += value if isinstance(value, tuple) else (value,)
    return found


def _writer(field: Any) -> Convert:
    kind = type(field)
    if kind is models.DateTimeField:
        return moment_in()
    if kind is models.JSONField:
        encode = partial(json.dumps, cls=field.encoder)
        return encode if connection.vendor == "sqlite" else lambda value: encode(value).encode()
    if connection.vendor == "sqlite":
        return None if kind in _PLAIN else lambda value: field.get_db_prep_save(value, connection)
    if kind in _PLAIN:
        return _PLAIN[kind][0]
    return lambda value: str(field.get_db_prep_save(value, connection)).encode()


def _reader(field: Any) -> Convert:
    kind, bare = type(field), connection.vendor == "sqlite"
    if kind is models.DateTimeField:
        return _aware if bare else _moment_of
    if kind is models.JSONField:
        return partial(json.loads, cls=field.decoder)
    if kind in _PLAIN:
        return None if bare else _PLAIN[kind][1]
    if hasattr(field, "from_db_value"):
        return lambda value: field.from_db_value(value if bare else value.decode(), None, connection)
    return None if bare else bytes.decode


def text_in() -> Convert:
    """How the driver takes text."""
    return None if connection.vendor == "sqlite" else str.encode


def text_out() -> Convert:
    """What becomes of text that the driver gives."""
    return None if connection.vendor == "sqlite" else bytes.decode


def moment_in() -> Convert:
    """How the driver takes a moment: SQLite keeps the text of UTC without a zone, as Django writes it."""
    return _utc_text if connection.vendor == "sqlite" else _iso_bytes


def _utc_text(moment: datetime) -> str:
    return str(moment.astimezone(UTC).replace(tzinfo=None))


def _iso_bytes(moment: datetime) -> bytes:
    return moment.isoformat().encode()


def _aware(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _moment_of(text: bytes) -> datetime:
    return datetime.fromisoformat(text.decode())


def _number_in(number: int) -> bytes:
    return str(number).encode()


# Kinds of field whose values SQLite's driver takes and gives as they are, and how PostgreSQL writes and is read.
_PLAIN: dict[type[Field[Any, Any]], tuple[Convert, Convert]] = {
    models.CharField: (str.encode, bytes.decode),
    models.TextField: (str.encode, bytes.decode),
    models.BooleanField: (lambda value: b"t" if value else b"f", lambda value: value == b"t"),
    models.PositiveIntegerField: (_number_in, int),
    models.PositiveSmallIntegerField: (_number_in, int),
    models.BigAutoField: (lambda value: str(int(value)).encode(), int),
}
