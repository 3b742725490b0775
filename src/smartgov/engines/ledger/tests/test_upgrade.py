"""Files of the first form are read as they are, rewritten when they are opened, and grow on."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartgov.engines.ledger import Log, merkle, upgrade
from smartgov.engines.pki import keys

KEY = keys.generate_ed25519()
FIRST = """
CREATE TABLE ledger_record (idx INTEGER PRIMARY KEY, record BLOB NOT NULL);
CREATE TABLE ledger_node (
    level INTEGER NOT NULL, idx INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (level, idx)
) WITHOUT ROWID;
CREATE TABLE ledger_checkpoint (size INTEGER PRIMARY KEY, root BLOB NOT NULL, note TEXT NOT NULL);
"""


def records(count: int) -> list[bytes]:
    return [f"record {number}".encode() for number in range(count)]


def first_form(count: int) -> sqlite3.Connection:
    """A file as it was written before."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.executescript(FIRST)
    db.executemany("INSERT INTO ledger_record VALUES (?, ?)", enumerate(records(count)))
    nodes, level = [merkle.leaf_hash(record) for record in records(count)], 0
    while nodes:
        db.executemany("INSERT INTO ledger_node VALUES (?, ?, ?)", [(level, at, one) for at, one in enumerate(nodes)])
        nodes, level = merkle.pairs(nodes), level + 1
    return db


@given(st.integers(0, 70), st.integers(0, 20))
def test_it_is_rewritten_when_it_is_opened_and_grows_on(count: int, more: int) -> None:
    db = first_form(count)
    log = Log(db, "o", KEY)
    log.create_tables()
    log.create_tables()
    log.append(records(count + more)[count:])
    assert log.root() == merkle.root([merkle.leaf_hash(record) for record in records(count + more)])
    assert log.verify_stored() == []
    assert db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'ledger_node'").fetchone() == (0,)


@given(st.integers(0, 70))
def test_who_only_reads_it_leaves_it_as_it_is(count: int) -> None:
    db = first_form(count)
    assert Log(db, "o").verify_stored() == []
    assert db.execute("SELECT count(*) FROM main.sqlite_master WHERE name = 'ledger_hash'").fetchone() == (0,)


def test_an_edit_in_it_is_found() -> None:
    db = first_form(20)
    db.execute("UPDATE ledger_node SET hash = zeroblob(32) WHERE level = 2 AND idx = 1")
    assert Log(db, "o").verify_stored() == [-1]
    db.execute("UPDATE ledger_record SET record = 'forged' WHERE idx = 11")
    assert Log(db, "o").verify_stored() == [11]


def test_a_broken_rewriting_leaves_the_old_form(monkeypatch: pytest.MonkeyPatch) -> None:
    db = first_form(20)
    real = upgrade._rows

    def broken(one: sqlite3.Connection) -> object:
        yield next(real(one))
        raise OSError("gone")

    monkeypatch.setattr(upgrade, "_rows", broken)
    with pytest.raises(OSError, match="gone"):
        Log(db, "o").create_tables()
    monkeypatch.undo()
    Log(db, "o").create_tables()
    assert Log(db, "o").verify_stored() == []
