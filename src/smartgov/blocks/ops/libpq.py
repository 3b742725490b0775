"""Running a statement by libpq itself, planned once a connection: psycopg's own way around it costs twice as much.

Only for `ops.statements`, whose values are already in the text form of PostgreSQL. The connection is Django's, and so
is its transaction: nothing here commits.
"""

from __future__ import annotations

from typing import Any

from psycopg import Connection, errors, pq

_GOOD = {pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK}


class Rows:
    """What a statement has answered: rows of values in PostgreSQL's text form, as bytes."""

    def __init__(self, result: Any) -> None:
        self._result = result

    @property
    def rowcount(self) -> int:
        """How many rows were found or changed."""
        return int(self._result.command_tuples or 0)

    def fetchall(self) -> list[list[bytes | None]]:
        """All rows."""
        get, columns = self._result.get_value, range(self._result.nfields)
        return [[get(row, column) for column in columns] for row in range(self._result.ntuples)]


def run(native: Connection[Any], planned: set[bytes], name: bytes, text: bytes, given: list[Any]) -> Rows:
    """Run `text` under `name` on a connection on which `planned` names are known; errors are psycopg's own.

    As psycopg does, a transaction is begun first when the connection is in one and has not said so yet.
    """
    server = native.pgconn
    if not native.autocommit and server.transaction_status == pq.TransactionStatus.IDLE:
        _good(native, server.exec_(b"BEGIN"))
    if name not in planned:
        _good(native, server.prepare(name, text))
        planned.add(name)
    return Rows(_good(native, server.exec_prepared(name, given)))


def _good(native: Connection[Any], result: Any) -> Any:
    if result.status not in _GOOD:
        raise errors.error_from_result(result, encoding=native.info.encoding)
    return result
