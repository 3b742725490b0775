"""A log is checked block by block: whatever is altered, wherever the blocks end, it is found and named."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartgov.engines.ledger import Log, audit, merkle
from smartgov.engines.pki import keys

KEY = keys.generate_ed25519()


def log(count: int) -> tuple[Log, sqlite3.Connection]:
    db = sqlite3.connect(":memory:", isolation_level=None)
    made = Log(db, "o", KEY)
    made.create_tables()
    made.append([f"record {number}".encode() for number in range(count)])
    for size in {count // 2, count}:
        made.remember(made.checkpoint(size))
    return made, db


@given(st.integers(0, 70), st.integers(0, 4))
def test_a_sound_log_is_sound_in_blocks_of_any_size(count: int, levels: int) -> None:
    assert audit.verify(log(count)[1], levels) == []


@given(st.integers(1, 70), st.integers(0, 4), st.data())
def test_an_altered_or_missing_record_is_named(count: int, levels: int, data: st.DataObject) -> None:
    _, db = log(count)
    gone = data.draw(st.sets(st.integers(0, count - 1), min_size=1, max_size=3))
    forged = data.draw(st.sets(st.integers(0, count - 1), max_size=3)) - gone
    for index in gone:
        db.execute("DELETE FROM ledger_record WHERE idx = ?", (index,))
    for index in forged:
        db.execute("UPDATE ledger_record SET record = ? WHERE idx = ?", (b"forged", index))
    assert audit.verify(db, levels) == sorted(gone | forged)


@given(st.integers(2, 70), st.integers(0, 4), st.data())
def test_an_altered_subtree_is_seen(count: int, levels: int, data: st.DataObject) -> None:
    _, db = log(count)
    rows = db.execute("SELECT idx, hashes FROM ledger_hash WHERE length(hashes) > 32").fetchall()
    index, hashes = data.draw(st.sampled_from(rows))
    at = data.draw(st.integers(32, len(hashes) - 1))
    altered = data.draw(
        st.sampled_from([hashes[:at], hashes[:at] + bytes([hashes[at] ^ 1]) + hashes[at + 1 :], hashes + b"\0"])
    )
    db.execute("UPDATE ledger_hash SET hashes = ? WHERE idx = ?", (altered, index))
    assert audit.verify(db, levels) == [-1]


@pytest.mark.parametrize("levels", [0, 2, 13])
def test_what_does_not_belong_is_seen(levels: int) -> None:
    for index in (50, 60):
        _, db = log(50)
        db.execute("INSERT INTO ledger_hash VALUES (?, zeroblob(32))", (index,))
        assert audit.verify(db, levels) == list(range(50, index + 1))
    for index, damaged in ((60, list(range(50, 61))), (-1, [-1])):
        _, db = log(50)
        db.execute("INSERT INTO ledger_record VALUES (?, x'00')", (index,))
        assert audit.verify(db, levels) == damaged


@pytest.mark.parametrize("statement", ["DELETE FROM ledger_hash WHERE idx = 7", "UPDATE ledger_hash SET hashes = 'x'"])
@pytest.mark.parametrize("levels", [0, 2, 13])
def test_a_lost_or_spoilt_leaf_hash_is_seen(levels: int, statement: str) -> None:
    _, db = log(50)
    db.execute(statement)
    assert audit.verify(db, levels) == ([7] if "idx" in statement else list(range(50)))


@given(st.integers(2, 70), st.integers(0, 4), st.data())
def test_what_was_archived_is_held_to_its_hashes_and_still_proven(count: int, levels: int, data: st.DataObject) -> None:
    made, db = log(count)
    size = data.draw(st.integers(1, count - 1))
    leaves = [merkle.leaf_hash(record) for _, record in made.records()]
    assert made.drop(size) == size
    assert (made.archived(), made.size()) == (size, count)
    assert audit.verify(db, levels) == []
    assert made.root(count) == merkle.root(leaves)
    assert made.inclusion(0, count) == merkle.inclusion_proof(0, count, merkle.over(leaves))
    db.execute("DELETE FROM ledger_record WHERE idx = ?", (size,))
    assert size in audit.verify(db, levels), "only what is said to be archived may be missing"


def test_an_archive_is_a_beginning_and_never_the_whole() -> None:
    made, _ = log(10)
    made.drop(4)
    for size in (3, 10, 11):
        with pytest.raises(ValueError, match="archive"):
            made.drop(size)
    assert made.drop(6) == 2
