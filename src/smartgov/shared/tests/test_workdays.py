"""Days of rest, by the calendars that the Directorate-General of Personnel Administration gave for 2025 and 2026."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartgov.shared.tw import workdays

RESTS = [
    (date(2026, 2, 20), "given for the eve of New Year's Eve, a Sunday"),
    (date(2026, 4, 3), "given for Children's Day, a Saturday"),
    (date(2026, 9, 28), "Confucius' Birthday, a day off since 2025"),
    (date(2026, 10, 26), "given for Retrocession Day, a Sunday"),
    (date(2027, 12, 31), "given for New Year's Day of the next year, a Saturday"),
    (date(2026, 11, 29), "a Sunday"),
    (date(2026, 11, 28), "a Saturday"),
]


@pytest.mark.parametrize(("day", "why"), RESTS)
def test_agencies_rest(day: date, why: str) -> None:
    assert not workdays.is_working(day), why


def test_a_saturday_is_worked_for_a_day_given_before() -> None:
    assert workdays.is_working(date(2025, 2, 8))


def test_nine_days_of_new_year_end_on_the_monday_after() -> None:
    assert workdays.end_of_period(date(2026, 2, 14)) == date(2026, 2, 23)


@given(st.dates(date(2020, 1, 1), date(2060, 12, 31)))
def test_a_period_ends_on_a_working_day_and_no_later_than_need_be(last: date) -> None:
    end = workdays.end_of_period(last)
    assert workdays.is_working(end)
    assert all(not workdays.is_working(last + timedelta(days=n)) for n in range((end - last).days))
    assert end - last < timedelta(days=12)
