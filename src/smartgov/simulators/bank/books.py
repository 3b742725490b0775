"""The bank's books: one SQLite file, in which a reference can be written once and never again."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from smartgov.shared import clock
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text
from smartgov.simulators.bank.files import Batch, write_result

_SCHEMA = """
CREATE TABLE IF NOT EXISTS batches (id TEXT PRIMARY KEY, agency TEXT NOT NULL, digest TEXT NOT NULL,
  content TEXT NOT NULL, received_at TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS payments (reference TEXT PRIMARY KEY, batch TEXT NOT NULL REFERENCES batches(id),
  place INTEGER NOT NULL, bank_code TEXT NOT NULL, account TEXT NOT NULL, name TEXT NOT NULL,
  amount INTEGER NOT NULL CHECK (amount > 0), purpose TEXT NOT NULL, reason TEXT NOT NULL) STRICT;
"""


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment as the bank's page shows it; `reason` is empty when it was paid."""

    reference: str
    batch: str
    bank_code: str
    account: str
    name: str
    amount: int
    purpose: str
    reason: str
    received_at: str


class Books:
    """Batches and payments of one home folder. `settle_after` is how long a result takes."""

    def __init__(self, home: Path, settle_after: timedelta = timedelta(0)) -> None:
        self.path, self.settle_after = home / "bank.sqlite3", settle_after
        if not self.path.exists():
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        with self._open() as connection:
            for statement in _SCHEMA.strip().split(";\n"):
                connection.execute(statement)

    def take(self, batch: Batch) -> bool:
        """Pay a batch, all in one transaction; False when it was taken before.

        Problems `batch-differs` and `reference-taken` (409): nothing of the batch is paid then.
        """
        with self._open() as connection:
            known = connection.execute("SELECT content FROM batches WHERE id = ?", (batch.id,)).fetchone()
            if known is not None:
                if known[0] != batch.content:
                    raise _differs()
                return False
            head = (batch.id, batch.agency, batch.digest, batch.content, clock.now().isoformat())
            connection.execute("INSERT INTO batches VALUES (?, ?, ?, ?, ?)", head)
            try:
                connection.executemany("INSERT INTO payments VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", _rows(batch))
            except sqlite3.IntegrityError:
                raise _taken() from None
        return True

    def result(self, batch: str) -> bytes:
        """The result file, the same bytes every time; Problems `not-found` (404) and `batch-at-work` (425)."""
        with self._open() as connection:
            head = connection.execute("SELECT digest, received_at FROM batches WHERE id = ?", (batch,)).fetchone()
            rows = connection.execute(
                "SELECT reference, amount, reason FROM payments WHERE batch = ? ORDER BY place", (batch,)
            ).fetchall()
        if head is None:
            raise _unknown()
        settled_at = datetime.fromisoformat(head[1]) + self.settle_after
        if clock.now() < settled_at:
            raise _at_work()
        return write_result(batch, head[0], settled_at.isoformat(), rows)

    def payments(self, limit: int = 200) -> list[Payment]:
        """The latest payments, newest batch first."""
        with self._open() as connection:
            rows = connection.execute(
                "SELECT reference, batch, bank_code, account, name, amount, purpose, reason, received_at"
                " FROM payments JOIN batches ON batches.id = batch ORDER BY received_at DESC, place LIMIT ?",
                (limit,),
            ).fetchall()
        return [Payment(*row) for row in rows]

    def balances(self) -> list[tuple[str, str, str, int]]:
        """Bank code, account, holder and the sum paid in, by holder."""
        with self._open() as connection:
            return connection.execute(
                "SELECT bank_code, account, name, sum(amount) FROM payments WHERE reason = ''"
                " GROUP BY bank_code, account, name ORDER BY name, account"
            ).fetchall()

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self.path, timeout=5, isolation_level=None)
        try:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        finally:
            connection.close()


def _rows(batch: Batch) -> Iterator[tuple[object, ...]]:
    for place, line in enumerate(batch.lines):
        yield (
            line.reference,
            batch.id,
            place,
            line.bank_code,
            line.account,
            line.name,
            line.amount,
            line.purpose,
            line.failure,
        )


def _differs() -> Problem:
    return Problem(
        "batch-differs",
        409,
        what=Text("A batch of this id was taken with other content.", "相同編號的批次先前已以不同內容受理。"),
        why=Text("Nothing was paid for this one.", "本次未支付任何一筆。"),
        todo=Text("Compare both, and send a new batch under a new id.", "請核對兩者，並以新的批次編號送出。"),
    )


def _taken() -> Problem:
    return Problem(
        "reference-taken",
        409,
        what=Text("A reference of this batch was used before.", "批次中有付款編號先前已使用。"),
        why=Text(
            "One reference is paid once; nothing of this batch was paid.", "同一編號僅支付一次；本批次未支付任何一筆。"
        ),
        todo=Text("Give each new payment a new reference.", "請為每筆新付款使用新的編號。"),
    )


def _unknown() -> Problem:
    return Problem(
        "not-found",
        404,
        what=Text("The bank knows no such batch.", "銀行查無此批次。"),
        todo=Text("Send it first.", "請先送出批次。"),
    )


def _at_work() -> Problem:
    return Problem(
        "batch-at-work",
        425,
        what=Text("The bank is still at work on this batch.", "銀行正在處理此批次。"),
        todo=Text("Ask again later.", "請稍後再查詢。"),
    )
