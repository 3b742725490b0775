"""The line that an epoch adds to heads, and what a witness makes of it."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartgov.engines.ledger import Checkpoint, Log, checkpoint
from smartgov.engines.pki import keys
from smartgov.engines.troad import epochs, store, witness
from smartgov.engines.troad.epochs import Epoch

LOG = "TW/GOV/ris/gw1"
SIZES = st.integers(0, 10**17)
ROOTS = st.binary(min_size=32, max_size=32)


def head(origin: str, size: int, *opened: Epoch, root: bytes = b"r" * 32) -> Checkpoint:
    return Checkpoint(origin, size, root, tuple(one.line for one in opened))


@given(SIZES, ROOTS, SIZES)
def test_a_line_says_what_was_meant_and_survives_the_note(size: int, root: bytes, restored: int) -> None:
    opened = Epoch(2, LOG, size, root, restored)
    note = checkpoint.sign(head(f"{LOG}+2", restored + 1, opened), keys.generate_ed25519())
    assert epochs.of_head(checkpoint.parse(note)) == (opened,)


@given(st.text(max_size=200))
def test_no_other_line_is_taken_for_one(text: str) -> None:
    line = "epoch " + text.replace("\n", " ")
    try:
        (read,) = epochs.of_head(Checkpoint(f"{LOG}+2", 2**62, b"r" * 32, (line,)))
    except ValueError:
        return
    assert read.line == line


SECOND = Epoch(2, LOG, 20, b"a" * 32, 10)
THIRD = Epoch(3, f"{LOG}+2", 15, b"b" * 32, 12)


@pytest.mark.parametrize(
    "wrong",
    [
        head(f"{LOG}+2", 11),
        head(LOG, 11, SECOND),
        head(f"{LOG}+3", 13, SECOND),
        head(f"{LOG}+3", 13, THIRD, SECOND),
        head(f"{LOG}+2", 10, SECOND),
        head("TW/GOV/hpa/gw1+2", 11, SECOND),
    ],
)
def test_epochs_lead_to_the_origin_one_by_one(wrong: Checkpoint) -> None:
    with pytest.raises(ValueError, match="epoch"):
        epochs.of_head(wrong)


def test_what_is_left_of_an_earlier_epoch() -> None:
    both = (SECOND, THIRD)
    assert [epochs.kept_until(both, number) for number in (1, 2, 3)] == [10, 12, None]
    assert epochs.kept_until((SECOND, Epoch(3, f"{LOG}+2", 15, b"b" * 32, 5)), 1) == 5
    assert SECOND.lost == 10
    assert Epoch(2, LOG, 5, b"a" * 32, 10).lost == 0


def test_an_epoch_admits_what_it_names_and_less_and_nothing_more() -> None:
    said = (SECOND,)
    assert epochs.admits(said, Checkpoint(LOG, 20, b"a" * 32))
    assert epochs.admits(said, Checkpoint(LOG, 19, b"x" * 32)), "a smaller one has a root of its own"
    assert not epochs.admits(said, Checkpoint(LOG, 20, b"x" * 32))
    assert not epochs.admits(said, Checkpoint(LOG, 21, b"a" * 32))
    assert not epochs.admits((), Checkpoint(LOG, 1, b"a" * 32))


class Desk:
    """A witness's table and logs whose heads are brought to it."""

    def __init__(self) -> None:
        self.db = sqlite3.connect(":memory:")
        self.db.executescript(store.SCHEMA)

    def bring(self, old: int, proof: list[bytes], head: Checkpoint, key: bytes = b"k" * 32) -> object:
        return witness.advance(self.db, witness.Asked(old, proof, checkpoint.format(head) + "\n"), head, key)


def tree(*records: bytes) -> Log:
    log = Log(sqlite3.connect(":memory:"), LOG)
    log.create_tables()
    log.append(records)
    return log


def of(log: Log, size: int, *opened: Epoch) -> Checkpoint:
    origin = f"{LOG}+{len(opened) + 1}" if opened else LOG
    return head(origin, size, *opened, root=log.root(size))


def test_a_witness_accepts_the_epoch_that_names_what_it_knows() -> None:
    desk, first = Desk(), tree(b"a", b"b", b"c", b"d")
    assert desk.bring(0, [], of(first, 4)) is None
    second = tree(b"a", b"b", b"epoch")
    assert desk.bring(0, [], of(second, 3, Epoch(2, LOG, 4, first.root(4), 2))) is None
    assert desk.bring(4, [], of(first, 4)) is witness.Fork, "the epoch before is over"


@pytest.mark.parametrize(
    "line", [Epoch(2, LOG, 3, b"r" * 32, 2), Epoch(2, LOG, 4, b"r" * 32, 2), Epoch(2, LOG, 2, b"r" * 32, 2)]
)
def test_a_witness_refuses_an_epoch_that_conceals_what_it_knows(line: Epoch) -> None:
    desk, first = Desk(), tree(b"a", b"b", b"c", b"d")
    assert desk.bring(0, [], of(first, 4)) is None
    assert desk.bring(0, [], of(tree(b"a", b"b", b"epoch"), 3, line)) is witness.Fork


def test_what_was_not_lost_has_to_be_continued() -> None:
    desk, first = Desk(), tree(b"a", b"b")
    assert desk.bring(0, [], of(first, 2)) is None
    line = Epoch(2, LOG, 2, first.root(2), 3)
    forged = tree(b"a", b"x", b"c", b"epoch")
    assert desk.bring(0, [], of(forged, 4, line)) == witness.Known(2)
    assert desk.bring(2, forged.consistency(2, 4), of(forged, 4, line)) is witness.Fork
    honest = tree(b"a", b"b", b"c", b"epoch")
    assert desk.bring(2, honest.consistency(2, 4), of(honest, 4, line)) is None


OLD, NEW = b"o" * 32, b"n" * 32


def rekeyed(log: Log, size: int, line: Epoch, former: bytes) -> Checkpoint:
    made = of(log, size, line)
    return Checkpoint(made.origin, made.size, made.root, (*made.extensions, epochs.key_line(2, former)))


def test_heads_say_which_key_signed_those_before() -> None:
    log = tree(b"epoch")
    made = rekeyed(log, 1, Epoch(2, LOG, 4, b"r" * 32, 0), OLD)
    assert (epochs.key_of(made, 1, NEW), epochs.key_of(made, 2, NEW)) == (OLD, NEW)
    assert [one.number for one in epochs.rekeyed(made)] == [2]
    assert epochs.count(made.extensions) == 2
    assert epochs.rekeyed(of(log, 1, Epoch(2, LOG, 4, b"r" * 32, 0))) == ()


def test_a_witness_accepts_another_key_only_if_the_one_that_it_knew_is_named() -> None:
    first, anew = tree(b"a", b"b", b"c", b"d"), tree(b"epoch")
    line = Epoch(2, LOG, 4, first.root(4), 0)
    for head_, outcome in (
        (rekeyed(anew, 1, line, OLD), None),
        (rekeyed(anew, 1, line, b"x" * 32), witness.Fork),
        (of(anew, 1, line), witness.Fork),
        (rekeyed(anew, 1, Epoch(2, LOG, 3, b"r" * 32, 0), OLD), witness.Fork),
    ):
        desk = Desk()
        assert desk.bring(0, [], of(first, 4), OLD) is None
        assert desk.bring(0, [], head_, NEW) is outcome
