"""The tables and the bank's file, without a database."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartgov.blocks.payments import domain
from smartgov.blocks.payments.domain import Line, Outcome, ResultFile, State, Step
from smartgov.shared.problems import Problem

LINES = [Line("AAAA", "王", "004", "1234567890", 6000, "津貼"), Line("BBBB", "李", "812", "9876543210", 7000, "津貼")]
RESULT = ResultFile("b1", "d" * 64, (Outcome("AAAA", 6000, True, ""), Outcome("BBBB", 7000, False, "account-closed")))
FILE = domain.write_result(RESULT, "2026-11-22T08:00:00+00:00")
AMOUNTS = {"AAAA": 6000, "BBBB": 7000}


def test_a_complete_file_reads_as_it_was_written() -> None:
    assert domain.parse_result(FILE) == RESULT


@given(st.integers(min_value=0, max_value=len(FILE) - 1))
def test_a_file_cut_anywhere_is_refused(length: int) -> None:
    with pytest.raises(Problem) as refused:
        domain.parse_result(FILE[:length])
    assert refused.value.slug == "bank-file-cut"


@given(st.integers(min_value=0, max_value=len(FILE) - 1), st.integers(min_value=1, max_value=255))
def test_a_file_changed_anywhere_is_refused(place: int, change: int) -> None:
    altered = bytearray(FILE)
    altered[place] ^= change
    with pytest.raises(Problem):
        domain.parse_result(bytes(altered))


@pytest.mark.parametrize(
    ("outcomes", "slug"),
    [
        ((Outcome("AAAA", 6000, True, ""), Outcome("CCCC", 7000, True, "")), "bank-reference-unknown"),
        ((Outcome("AAAA", 6001, True, ""), Outcome("BBBB", 7000, True, "")), "bank-amount-differs"),
        ((Outcome("AAAA", 6000, True, ""), Outcome("AAAA", 6000, True, "")), "bank-reference-twice"),
        ((Outcome("AAAA", 6000, True, ""),), "bank-reference-absent"),
    ],
)
def test_a_file_about_other_payments_is_refused(outcomes: tuple[Outcome, ...], slug: str) -> None:
    with pytest.raises(Problem) as refused:
        domain.check_result(ResultFile("b1", "d" * 64, outcomes), digest="d" * 64, amounts=AMOUNTS)
    assert refused.value.slug == slug


def test_a_file_about_another_version_of_the_batch_is_refused() -> None:
    with pytest.raises(Problem) as refused:
        domain.check_result(RESULT, digest="e" * 64, amounts=AMOUNTS)
    assert refused.value.slug == "bank-digest-differs"
    domain.check_result(RESULT, digest="d" * 64, amounts=AMOUNTS)


@given(
    st.sampled_from(["reference", "name", "bank_code", "account", "purpose"]),
    st.text(min_size=1, max_size=5),
)
def test_any_change_of_a_line_changes_the_digest(name: str, tail: str) -> None:
    from dataclasses import replace

    before = domain.batch_digest("b", "s", LINES)
    changed = replace(LINES[0], **{name: getattr(LINES[0], name) + tail})
    assert domain.batch_digest("b", "s", [changed, LINES[1]]) != before
    assert domain.batch_digest("b", "s", [replace(LINES[0], amount=6001), LINES[1]]) != before


def test_the_digest_does_not_depend_on_order_but_on_salt() -> None:
    assert domain.batch_digest("b", "s", LINES) == domain.batch_digest("b", "s", LINES[::-1])
    assert domain.batch_digest("b", "t", LINES) != domain.batch_digest("b", "s", LINES)


@given(st.lists(st.sampled_from(list(Step)), max_size=30))
def test_no_sequence_of_steps_sends_or_pays_twice(steps: list[Step]) -> None:
    state, sent, paid = State.READY, 0, 0
    for step in steps:
        try:
            state = domain.next_state(state, step)
        except Problem:
            continue
        sent += step == Step.SEND
        paid += step == Step.PAID
    assert sent <= 1
    assert paid <= 1
    if state in (State.REPLACED, State.CANCELLED):
        assert paid == 0
