"""The stretch of time that a value is about: a month, a year, or all time (`once`, as a date of birth)."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from smartgov.engines.rules.sources import invalid
from smartgov.shared.text import Text
from smartgov.shared.tw.roc import OFFSET

UNITS = ("month", "year", "once")
_WRITTEN = re.compile(r"(\d{4})(?:-(0[1-9]|1[0-2]))?")


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """`index` counts months from the year 0, or is the year, or 0 for all time; spans of one unit are ordered."""

    unit: str
    index: int

    @classmethod
    def of(cls, written: Any) -> Span:
        """`2026-07` or `2026` (a number too); Problem `rule-invalid` for anything else."""
        found = _WRITTEN.fullmatch(str(written))
        if found is None or not 1 <= int(found[1]) <= 9998:
            raise invalid(str(written), "is not a month (2026-07) or a year (2026)")
        if found[2] is None:
            return cls("year", int(found[1]))
        return cls("month", int(found[1]) * 12 + int(found[2]) - 1)

    @classmethod
    def month_of(cls, day: date) -> Span:
        """The month that holds a day."""
        return cls("month", day.year * 12 + day.month - 1)

    @property
    def start(self) -> date:
        """Its first day: parameters and versions are those of this day. `once` has none."""
        year, month = divmod(self.index, 12) if self.unit == "month" else (self.index, 0)
        return date(year, month + 1, 1)

    @property
    def end(self) -> date:
        """Its last day."""
        if self.unit == "year":
            return date(self.index, 12, 31)
        year, month = divmod(self.index, 12)
        return date(year, month + 1, calendar.monthrange(year, month + 1)[1])

    def back(self, count: int) -> Span:
        """The span so many months (or years) before."""
        return Span(self.unit, self.index - count)

    def year(self) -> Span:
        """The year that holds this month."""
        return Span("year", self.index // 12) if self.unit == "month" else self

    def months(self) -> Iterator[Span]:
        """The twelve months of a year."""
        return (Span("month", self.index * 12 + each) for each in range(12))

    def __str__(self) -> str:
        if self.unit == "once":
            return ""
        return f"{self.start:%Y-%m}" if self.unit == "month" else f"{self.index:04d}"

    def text(self) -> Text:
        """In words."""
        if self.unit == "once":
            return Text("", "")
        if self.unit == "year":
            return Text(str(self.index), f"民國{self.index - OFFSET}年")
        year, month = divmod(self.index, 12)
        return Text(f"{calendar.month_name[month + 1]} {year}", f"民國{year - OFFSET}年{month + 1}月")


ONCE = Span("once", 0)
