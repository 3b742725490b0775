"""The register's file: every call opens it anew, so that what stands in it is what is answered."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from smartgov.engines.apigen.config import RegisterConfig, Table
from smartgov.engines.apigen.values import row_invalid
from smartgov.shared import canonical, clock, ids
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

FILE = "register.sqlite3"
MAX_ROWS = 1000
BUSY_SECONDS = 5.0
"""How long a request waits while another program holds the file."""
KEYS_KEPT = timedelta(days=7)
"""How long a create may be repeated under its idempotency key."""
_SQL_TYPE = {"string": "TEXT", "integer": "INTEGER", "boolean": "INTEGER"}
_OWN_TABLES = """
CREATE TABLE _creates (client TEXT NOT NULL, key TEXT NOT NULL, "table" TEXT NOT NULL, body_hash TEXT NOT NULL,
  row_id TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (client, "table", key)) STRICT;
CREATE TABLE _changes (number INTEGER PRIMARY KEY, at TEXT NOT NULL, "table" TEXT NOT NULL, row_id TEXT NOT NULL,
  action TEXT NOT NULL, fields TEXT NOT NULL, client TEXT NOT NULL, exchange TEXT NOT NULL, issue TEXT NOT NULL) STRICT;
"""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Cause:
    """On whose request a row is written: the client subsystem, its exchange id, its case number."""

    client: str = ""
    exchange: str = ""
    issue: str = ""


class Store:
    """Reads and writes of one register's file. Blocking, and safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def rows(
        self, table: Table, *, subject: str | None, where: Mapping[str, Any], limit: int = 100, after: str = ""
    ) -> tuple[list[Row], bool]:
        """Rows in the order of their ids, and whether more remain; `subject` (national id) bounds personal tables."""
        conditions, values = _conditions(table, subject, where)
        if after:
            conditions.append("id > ?")
            values.append(after)
        with self._open() as connection:
            found = connection.execute(
                f'SELECT {_names(table)} FROM "{table.name}" {_where(conditions)} ORDER BY id LIMIT ?',  # noqa: S608
                [*values, limit + 1],
            ).fetchall()
        return [dict(row) for row in found[:limit]], len(found) > limit

    def create(self, table: Table, row: Row, *, subject: str | None, key: str | None, cause: Cause) -> tuple[Row, bool]:
        """Insert `row` once and return it with whether it is new.

        A create of the same client is known again by its `key` and by the row's own id, since not every door passes a
        key on: the same content returns the row as it stands now, other content is a Problem `create-conflict` (409).
        """
        _require_named(table, row, subject)
        digest = sha256(canonical.dumps(row)).hexdigest()
        names = [f"key:{key}"] * bool(key) + [f"id:{row.get('id')}"] * ("id" in row)
        with self._open(write=True) as connection:
            for name in names:
                if known := _created_before(connection, table, cause.client, name):
                    if known["body_hash"] != digest:
                        raise _conflict()
                    return self._one(connection, table, known["row_id"], subject), False
            if "id" in row and _exists(connection, table, row["id"]):
                return self._same(connection, table, row, subject), False
            stored = {**row, "id": row.get("id") or ids.uuid7()}
            _insert(connection, table, [stored])
            for name in names:
                _remember_create(connection, cause.client, name, table.name, digest, stored["id"])
            _note_change(connection, table.name, stored["id"], "create", fields=row, cause=cause)
            return self._one(connection, table, stored["id"], subject), True

    def update(self, table: Table, row_id: str, change: Row, *, subject: str | None, cause: Cause) -> Row:
        """Change the given columns of one row that names `subject`, before and after; else Problem `not-found`."""
        with self._open(write=True) as connection:
            before = self._one(connection, table, row_id, subject)
            if change:
                _require_named(table, {**before, **change}, subject)
                places = ", ".join(f'"{name}" = ?' for name in change)
                connection.execute(
                    f'UPDATE "{table.name}" SET {places} WHERE id = ?',  # noqa: S608 - names come from the checked config
                    [*change.values(), row_id],
                )
                _note_change(connection, table.name, row_id, "update", fields=change, cause=cause)
            return {**before, **change}

    def _same(self, connection: sqlite3.Connection, table: Table, row: Row, subject: str | None) -> Row:
        try:
            known = self._one(connection, table, row["id"], subject)
        except Problem:
            raise _conflict() from None  # the id belongs to a row about somebody else; say no more than that
        if any(known[name] != value for name, value in row.items()):
            raise _conflict()
        return known

    def _one(self, connection: sqlite3.Connection, table: Table, row_id: str, subject: str | None) -> Row:
        conditions, values = _conditions(table, subject, {"id": row_id})
        row = connection.execute(
            f'SELECT {_names(table)} FROM "{table.name}" {_where(conditions)}',  # noqa: S608
            values,
        ).fetchone()
        if row is None:
            raise not_found()
        return dict(row)

    @contextmanager
    def _open(self, *, write: bool = False) -> Iterator[sqlite3.Connection]:
        mode = "rw" if write else "ro"
        uri = f"{self.path.absolute().as_uri()}?mode={mode}"
        connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None)
        connection.row_factory = sqlite3.Row
        try:
            connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        finally:
            connection.close()


def create_file(path: Path, config: RegisterConfig, rows: Mapping[str, Iterable[Row]]) -> None:
    """Make the file of a register with its first rows, readable by its owner only."""
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    connection = sqlite3.connect(path)
    try:
        with connection:
            connection.executescript(_OWN_TABLES)
            for table in config.tables.values():
                for statement in _definition(table):
                    connection.execute(statement)
                _insert(connection, table, rows.get(table.name, ()))
    finally:
        connection.close()


def not_found() -> Problem:
    """No such row, or none that this subject may see; the two cannot be told apart."""
    return Problem(
        "not-found",
        404,
        what=Text("There is no such row.", "查無此資料列。"),
        todo=Text("Check its id and the subject of the request.", "請檢查識別碼與請求的當事人。"),
    )


def _conflict() -> Problem:
    return Problem(
        "create-conflict",
        409,
        what=Text("This row was already sent with other content.", "此資料列先前已以不同內容送出。"),
        why=Text("Its id or idempotency key is taken.", "識別碼或冪等鍵已被使用。"),
        todo=Text("Send the first content again, or use a new key.", "請以原內容重送，或改用新的鍵。"),
    )


def _definition(table: Table) -> Iterator[str]:
    columns = [f'"{column.name}" {_SQL_TYPE[column.type]}' for column in table.columns.values() if column.name != "id"]
    yield f'CREATE TABLE "{table.name}" (id TEXT PRIMARY KEY, {", ".join(columns)}) STRICT, WITHOUT ROWID'
    for name in table.subject_columns:
        yield f'CREATE INDEX "{table.name}_{name}" ON "{table.name}" ("{name}")'


def _insert(connection: sqlite3.Connection, table: Table, rows: Iterable[Row]) -> None:
    names = list(table.columns)
    places = ", ".join("?" for _ in names)
    connection.executemany(
        f'INSERT INTO "{table.name}" ({_names(table)}) VALUES ({places})',  # noqa: S608
        ([row.get(name) for name in names] for row in rows),
    )


def _conditions(table: Table, subject: str | None, where: Mapping[str, Any]) -> tuple[list[str], list[Any]]:
    conditions, values = [f'"{name}" IS ?' for name in where], list(where.values())
    if table.personal:
        conditions.append("(" + " OR ".join(f'"{name}" = ?' for name in table.subject_columns) + ")")
        values += [subject] * len(table.subject_columns)
    return conditions, values


def _where(conditions: list[str]) -> str:
    return "WHERE " + " AND ".join(conditions) if conditions else ""


def _names(table: Table) -> str:
    return ", ".join(f'"{name}"' for name in table.columns)


def _require_named(table: Table, row: Row, subject: str | None) -> None:
    if table.personal and subject not in {row.get(name) for name in table.subject_columns}:
        wrong = Text("The row must name the request's subject here.", "資料列須在此欄載明請求的當事人。")
        raise row_invalid(dict.fromkeys(table.subject_columns, wrong))


def _exists(connection: sqlite3.Connection, table: Table, row_id: str) -> bool:
    query = f'SELECT 1 FROM "{table.name}" WHERE id = ?'  # noqa: S608
    return connection.execute(query, (row_id,)).fetchone() is not None


def _created_before(connection: sqlite3.Connection, table: Table, client: str, key: str) -> sqlite3.Row | None:
    query = 'SELECT body_hash, row_id FROM _creates WHERE client = ? AND "table" = ? AND key = ?'
    row: sqlite3.Row | None = connection.execute(query, (client, table.name, key)).fetchone()
    return row


def _remember_create(connection: sqlite3.Connection, *made: str) -> None:
    values = (*made, clock.now().isoformat())
    connection.execute("INSERT INTO _creates VALUES (?, ?, ?, ?, ?, ?)", values)
    # The digest of a short row can be guessed, so it must not outlive the repeats that it is kept for.
    connection.execute("DELETE FROM _creates WHERE at < ?", ((clock.now() - KEYS_KEPT).isoformat(),))


def _note_change(connection: sqlite3.Connection, *change: str, fields: Iterable[str], cause: Cause) -> None:
    values = (clock.now().isoformat(), *change, ",".join(sorted(fields)))
    connection.execute(
        'INSERT INTO _changes (at, "table", row_id, action, fields, client, exchange, issue) VALUES (?,?,?,?,?,?,?,?)',
        (*values, cause.client, cause.exchange, cause.issue),
    )
