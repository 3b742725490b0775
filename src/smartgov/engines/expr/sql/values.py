"""What a compiled expression is: its SQL, and what is known of it without data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from smartgov.engines.expr.evaluator import evaluate
from smartgov.engines.expr.values import invalid, kind

BIGINT = 2**63 - 1
_NO_VALUE = object()


@dataclass(frozen=True, slots=True)
class Column:
    """Where the value of a path lies: the SQL that reads it and its kind (boolean, number, text or date).

    `bound`: no number in it is larger. `words`: it holds the index of one of these words. `den`: the SQL of a number's
    denominator where it is not 1, a positive whole number no larger than `den_bound`.
    """

    sql: str
    kind: str
    bound: int = BIGINT
    words: tuple[str, ...] = ()
    den: str = "1"
    den_bound: int = 1


@dataclass(frozen=True, slots=True)
class Sql:
    """A compiled expression: SQL of its value, and what is known of it without data.

    `kind` is boolean, number, text, date, list, null or unknown; `den` and `bound` as in `Column`; `literal` is the
    Python value of a constant; `or_null`: it may be null although everything is known (an `if` without otherwise).
    """

    sql: str
    kind: str
    bound: int = 1
    den: str = "1"
    den_bound: int = 1
    words: tuple[str, ...] = ()
    literal: Any = _NO_VALUE
    or_null: bool = False
    items: tuple[Sql, ...] = ()

    @property
    def constant(self) -> bool:
        """Whether the value is known while compiling."""
        return self.literal is not _NO_VALUE

    def column(self, name: str) -> Column:
        """The column `name` of a table into which this value was written."""
        den = "1" if self.den == "1" else f"{name}__den"
        return Column(name, self.kind, self.bound, self.words, den, self.den_bound)


UNKNOWN = Sql("NULL", "unknown")


def literal(value: Any) -> Sql:
    """A constant."""
    found = kind(value)
    if found == "null":
        return Sql("NULL", "null", literal=None, or_null=True)
    if found == "boolean":
        return Sql("TRUE" if value else "FALSE", found, literal=value)
    if found == "number":
        exact = Fraction(value)
        over, under = exact.numerator, exact.denominator
        return Sql(_whole(over), found, max(1, abs(over)), str(under), under, literal=value)
    if found == "date":
        return Sql(f"DATE '{value.isoformat()}'", found, literal=value)
    if found == "text":
        return Sql(quote(value), found, literal=value)
    raise invalid(f"a {found} has no SQL here")


def quote(text: str) -> str:
    """A text as an SQL literal."""
    if "\0" in text:
        raise invalid("a text with a NUL character has no SQL")
    return "'" + text.replace("'", "''") + "'"


def _whole(value: int) -> str:
    return str(value) if value >= 0 else f"({value})"


def boolean(value: Sql, where: str) -> Sql:
    """The same value; Problem unless it is a boolean that is never null."""
    if value.kind != "boolean" or value.or_null:
        raise invalid(f"{where} takes a boolean, not a {value.kind}")
    return value


def of_kind(op: str, values: Sequence[Sql], wanted: str) -> Sequence[Sql]:
    """The same values; Problem unless all are of this kind and never null."""
    for value in values:
        if value.kind != wanted or value.or_null:
            raise invalid(f"{op} takes a {wanted}, not a {'null' if value.or_null else value.kind}")
    return values


def numbers(op: str, values: Sequence[Sql]) -> Sequence[Sql]:
    """The same values; Problem unless all are numbers."""
    return of_kind(op, values, "number")


def known(value: Sql) -> bool:
    """Whether a value, or everything in a list, is a constant."""
    return value.constant or (value.kind == "list" and all(known(item) for item in value.items))


def constant(value: Sql) -> Any:
    """The Python value of what is known."""
    return [constant(item) for item in value.items] if value.kind == "list" else value.literal


def folded(op: str, children: list[Sql]) -> Sql:
    """A constant, worked out by the evaluator itself."""
    return literal(evaluate({op: [constant(child) for child in children]}, {}))


def changed(value: Sql, *, sql: str, bound: int | None = None) -> Sql:
    """A value of the same kind, written in another way."""
    most = value.bound if bound is None else bound
    return Sql(sql, value.kind, most, value.den, value.den_bound, value.words, or_null=value.or_null)


def spelled(value: Sql) -> Sql:
    """A text that is kept as the index of a word, as the word."""
    if not value.words:
        return value
    cases = " ".join(f"WHEN {index} THEN {quote(word)}" for index, word in enumerate(value.words))
    return Sql(f"CASE {value.sql} {cases} END", "text", or_null=value.or_null)


def mixed(values: Sequence[Sql]) -> bool:
    """Whether these are of more than one kind."""
    return len({value.kind for value in values} - {"null", "unknown"}) > 1
