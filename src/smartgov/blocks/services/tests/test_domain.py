"""States, deadlines, references and conflicts, without a database."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from smartgov.blocks.services import domain
from smartgov.shared.ids import uuid7
from smartgov.shared.text import Text

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def test_the_period_starts_on_the_day_after_the_birth() -> None:
    found = domain.deadline_of(happened_on=date(2026, 11, 1), days=60, source=Text("a", "b"), today=date(2026, 11, 22))
    assert (found.day, found.days_left, found.moved) == (date(2026, 12, 31), 39, False)


def test_a_period_does_not_end_on_a_holiday() -> None:
    found = domain.deadline_of(happened_on=date(2026, 10, 26), days=60, source=Text("a", "b"), today=date(2026, 12, 26))
    assert (found.day, found.days_left, found.moved) == (date(2026, 12, 28), 2, True), "25 December 2026 is a Friday"


def test_the_state_is_that_of_the_latest_step_whatever_the_order_of_arrival() -> None:
    steps = [
        (NOW + timedelta(hours=2), "approved"),
        (NOW, "received"),
        (NOW + timedelta(hours=1), "supplement_asked"),
        (NOW + timedelta(hours=3), "paid"),
    ]
    assert domain.state_after(steps, start=domain.QUEUED) == domain.APPROVED
    assert domain.state_after([], start=domain.QUEUED) == domain.QUEUED


def test_references_have_no_letters_that_are_mistaken_for_digits() -> None:
    for _ in range(200):
        reference = domain.reference_of(uuid7(), "birth")
        assert reference.startswith("B-")
        assert not set(reference[2:]) & set("01OIL")


def test_a_conflict_needs_a_later_change_of_this_page_with_other_values() -> None:
    def found(*, seen: int | None, page_version: int, typed: str = "new") -> domain.Conflict | None:
        return domain.conflict_of(
            seen=seen, page_version=page_version, version=5, stored={"a": "old"}, typed={"a": typed}
        )

    assert found(seen=2, page_version=3) == domain.Conflict({"a": "old"}, {"a": "new"}, 5)
    assert found(seen=3, page_version=3) is None
    assert found(seen=2, page_version=2) is None
    assert found(seen=2, page_version=0) is None
    assert found(seen=2, page_version=3, typed="old") is None
    assert found(seen=None, page_version=1) is not None
