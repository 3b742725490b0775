"""Republic of China dates (民國): year 1 is 1912."""

from __future__ import annotations

from calendar import month_name
from datetime import date

from smartgov.shared.text import Text

OFFSET = 1911


def roc_date(day: date) -> str:
    """`date(2026, 11, 22)` as `民國115年11月22日`."""
    return f"民國{day.year - OFFSET}年{day.month}月{day.day}日"


def written(day: date) -> Text:
    """A date for a sentence in either language: `22 November 2026`, `民國115年11月22日`."""
    return Text(f"{day.day} {month_name[day.month]} {day.year}", roc_date(day))


def from_roc(year: int, month: int, day: int) -> date:
    """The Gregorian date of a Republic of China date; ValueError when there is no such day."""
    if year < 1:
        raise ValueError("Republic of China years start at 1")
    return date(year + OFFSET, month, day)


def from_written(year: int, month: int, day: int) -> date:
    """A date whose year people write either way: below 1000 it counts from 1912."""
    return from_roc(year, month, day) if year < 1000 else date(year, month, day)
