"""The ordinary operators, functions of known values. Logic and references meet the unknown in the evaluator."""

from __future__ import annotations

import calendar
import operator
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any

from smartgov.engines.expr.values import invalid, kind, require, tidy

# Two-character surnames that are still borne; every other surname has one character.
COMPOUND_SURNAMES = frozenset(
    [
        "歐陽",
        "司馬",
        "諸葛",
        "上官",
        "司徒",
        "端木",
        "東方",
        "皇甫",
        "尉遲",
        "公孫",
        "令狐",
        "范姜",
        "張簡",
        "夏侯",
        "慕容",
        "宇文",
        "長孫",
        "鍾離",
    ]
)


@dataclass(frozen=True, slots=True)
class Operator:
    """A function of known values that takes between `least` and `most` arguments."""

    function: Callable[..., Any]
    least: int
    most: int


def _equal(left: Any, right: Any) -> bool:
    kinds = {kind(left), kind(right)}
    if len(kinds) > 1 and "null" not in kinds:
        raise invalid(f"compares a {kind(left)} with a {kind(right)}")
    return bool(left == right)


def _ordered(compare: Callable[[Any, Any], bool], name: str) -> Callable[[Any, Any], bool]:
    def ordered(left: Any, right: Any) -> bool:
        if kind(left) != kind(right) or kind(left) not in ("number", "text", "date"):
            raise invalid(f"{name} orders two numbers, texts or dates, not a {kind(left)} and a {kind(right)}")
        return compare(left, right)

    return ordered


def _contains(item: Any, items: Any) -> bool:
    return any(kind(item) == kind(each) and item == each for each in require(items, "list", "in"))


def _numeric(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    def numeric(*values: Any) -> Any:
        return tidy(function(*(require(value, "number", name) for value in values)))

    return numeric


def _divide(left: int | Fraction, right: int | Fraction) -> Fraction:
    if right == 0:
        raise invalid("divides by zero")
    return Fraction(left) / right


def _round(value: int | Fraction) -> int:
    """To the nearest whole number; halves go up (away from zero), as amounts of money are rounded."""
    whole = (2 * abs(Fraction(value)) + 1) // 2
    return int(whole if value >= 0 else -whole)


def _date(value: Any) -> date:
    if isinstance(value, datetime):
        raise invalid("a date has no time of day")
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(require(value, "text", "date"))
    except ValueError as error:
        raise invalid("date takes a day written YYYY-MM-DD") from error


def _dated(function: Callable[..., Any], name: str, *others: str) -> Callable[..., Any]:
    """Check the kinds of a date operator's arguments: a date first, then `others`."""

    def dated(*values: Any) -> Any:
        for value, wanted in zip(values, ("date", *others), strict=True):
            require(value, wanted, name)
        return function(*values)

    return dated


def add_months(day: date, months: int) -> date:
    """The same day of the month `months` later, or the month's last day where it has no such day."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _shifted(add: Callable[[date, int], date]) -> Callable[[date, Any], date]:
    """`add` with a whole number only, and within the calendar."""

    def shifted(day: date, count: Any) -> date:
        if not isinstance(count, int):
            raise invalid("days and months are added in whole numbers")
        try:
            return add(day, count)
        except (ValueError, OverflowError) as error:
            raise invalid("leaves the calendar") from error

    return shifted


def _months_between(first: date, last: date) -> int:
    """Calendar months from the month of `first` to the month of `last`; days do not count."""
    return (last.year - first.year) * 12 + last.month - first.month


def _age(born: date, on: date) -> int:
    """Full years on the day `on`; who is born on 29 February completes a year on 1 March of common years."""
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def surname(name: str) -> str:
    """The family name at the head of a Chinese name."""
    text = str(require(name, "text", "surname"))
    return text[:2] if len(text) > 2 and text[:2] in COMPOUND_SURNAMES else text[:1]


def _cat(*parts: Any) -> str:
    return "".join(str(require(part, "text", "cat")) for part in parts)


_MANY = 64
OPERATORS: dict[str, Operator] = {
    "==": Operator(_equal, 2, 2),
    "!=": Operator(lambda left, right: not _equal(left, right), 2, 2),
    "<": Operator(_ordered(operator.lt, "<"), 2, 2),
    "<=": Operator(_ordered(operator.le, "<="), 2, 2),
    ">": Operator(_ordered(operator.gt, ">"), 2, 2),
    ">=": Operator(_ordered(operator.ge, ">="), 2, 2),
    "in": Operator(_contains, 2, 2),
    "+": Operator(_numeric(lambda *values: sum(values), "+"), 1, _MANY),
    "-": Operator(_numeric(lambda left, right: left - right, "-"), 2, 2),
    "*": Operator(_numeric(lambda left, right: left * right, "*"), 2, 2),
    "/": Operator(_numeric(_divide, "/"), 2, 2),
    "min": Operator(_numeric(lambda *values: min(values), "min"), 1, _MANY),
    "max": Operator(_numeric(lambda *values: max(values), "max"), 1, _MANY),
    "round": Operator(_numeric(_round, "round"), 1, 1),
    "date": Operator(_date, 1, 1),
    "month": Operator(_dated(lambda day: f"{day.year:04d}-{day.month:02d}", "month"), 1, 1),
    "add_days": Operator(_dated(_shifted(lambda day, days: day + timedelta(days=days)), "add_days", "number"), 2, 2),
    "add_months": Operator(_dated(_shifted(add_months), "add_months", "number"), 2, 2),
    "days_between": Operator(_dated(lambda first, last: (last - first).days, "days_between", "date"), 2, 2),
    "months_between": Operator(_dated(_months_between, "months_between", "date"), 2, 2),
    "age": Operator(_dated(_age, "age", "date"), 2, 2),
    "earlier": Operator(_dated(min, "earlier", "date"), 2, 2),
    "later": Operator(_dated(max, "later", "date"), 2, 2),
    "surname": Operator(surname, 1, 1),
    "cat": Operator(_cat, 1, _MANY),
}
