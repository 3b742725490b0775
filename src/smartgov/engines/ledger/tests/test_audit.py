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
    nodes = db.execute("SELECT level, idx FROM ledger_node WHERE level > 0").fetchall()
    level, index = data.draw(st.sampled_from(nodes))
    if data.draw(st.booleans()):
        db.execute("UPDATE ledger_node SET hash = zeroblob(32) WHERE level = ? AND idx = ?", (level, index))
    else:
        db.execute("DELETE FROM ledger_node WHERE level = ? AND idx = ?", (level, index))
    assert audit.verify(db, levels) == [-1]


@pytest.mark.parametrize("levels", [0, 2, 13])
def test_what_does_not_belong_is_seen(levels: int) -> None:
    for level, index in ((0, 50), (3, 6), (9, 0)):
        _, db = log(50)
        db.execute("INSERT INTO ledger_node VALUES (?, ?, zeroblob(32))", (level, index))
        assert audit.verify(db, levels) != []
    _, db = log(50)
    db.execute("INSERT INTO ledger_record VALUES (60, x'00')")
    assert audit.verify(db, levels) == list(range(50, 61))


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
