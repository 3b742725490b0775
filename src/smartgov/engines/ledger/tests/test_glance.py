"""A glance finds at once what breaks the tree or its end, and its cost does not grow with the log."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartgov.engines.ledger import Log, glance
from smartgov.engines.ledger.glance import Glance
from smartgov.engines.ledger.tests.test_audit import log


@given(st.integers(0, 70), st.integers(0, 4), st.data())
def test_a_sound_log_is_sound(count: int, levels: int, data: st.DataObject) -> None:
    made, db = log(count)
    size = data.draw(st.integers(0, count))
    if data.draw(st.booleans()) and count > 1:
        made.drop(data.draw(st.integers(1, count - 1)))
    assert glance.look(db, (size, made.root(size)), levels=levels) == Glance(count)


@given(st.integers(2, 70), st.integers(0, 4), st.data())
def test_an_altered_or_missing_record_is_named_where_it_is_looked_at(
    count: int, levels: int, data: st.DataObject
) -> None:
    made, db = log(count)
    head = (count, made.root())
    gone, forged = data.draw(st.integers(0, count - 2)), data.draw(st.integers(0, count - 1))
    db.execute("UPDATE ledger_record SET record = ? WHERE idx = ?", (b"forged", forged))
    db.execute("DELETE FROM ledger_record WHERE idx = ?", (gone,))
    assert glance.look(db, head, levels=levels) == Glance(count, tuple(sorted({gone, forged})))


@given(st.integers(1, 70), st.integers(0, 4), st.data())
def test_a_log_that_was_mended_after_an_alteration_does_not_have_the_signed_root(
    count: int, levels: int, data: st.DataObject
) -> None:
    made, db = log(count)
    size = data.draw(st.integers(1, count))
    head = (size, made.root(size))
    records = [record for _, record in made.records()]
    records[data.draw(st.integers(0, size - 1))] = b"forged"
    db.execute("DELETE FROM ledger_record")
    db.execute("DELETE FROM ledger_hash")
    Log(db, "o").append(records)
    assert glance.look(db, head, levels=levels) == Glance(count, torn=True)
    assert glance.look(db, levels=levels) == Glance(count)


@given(st.integers(2, 70), st.integers(0, 4))
def test_nothing_can_be_added_to_a_log_whose_records_or_hashes_end_sooner(count: int, levels: int) -> None:
    for table in ("ledger_record", "ledger_hash"):
        _, db = log(count)
        db.execute(f"DELETE FROM {table} WHERE idx = ?", (count - 1,))
        assert glance.look(db, levels=levels).torn


@pytest.mark.parametrize("statement", ["DELETE FROM ledger_hash WHERE idx = 7", "UPDATE ledger_hash SET hashes = 'x'"])
@pytest.mark.parametrize("levels", [0, 2, 13])
def test_a_lost_or_spoilt_part_of_the_tree_is_seen(levels: int, statement: str) -> None:
    _, db = log(50)
    db.execute(statement)
    assert glance.look(db, levels=levels).torn


def test_the_cost_does_not_grow_with_the_log() -> None:
    """Rows that are read: of a log sixteen times as long only a few more, the longer ways to the root."""

    def steps(count: int) -> int:
        _, db = log(count)
        done = 0

        def tick() -> int:
            nonlocal done
            done += 1
            return 0

        db.set_progress_handler(tick, 10)
        glance.look(db, levels=4, drawn=8)
        return done

    assert steps(16_384) < 2 * steps(1_024)
    assert steps(16_384) < steps(1_024) + 1_000


def test_a_head_of_more_records_than_there_are_says_nothing_of_the_tree() -> None:
    made, db = log(20)
    assert glance.look(db, (30, made.root())) == Glance(20)
