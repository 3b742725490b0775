"""The values of expressions: null, booleans, exact numbers, text, dates, lists, and the unknown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from smartgov.shared.problems import Problem
from smartgov.shared.text import Text


@dataclass(frozen=True, slots=True)
class Unknown:
    """The value of what cannot be known yet; `missing` names the references that had no value."""

    missing: frozenset[str]


def invalid(why: str) -> Problem:
    """The one error of this engine: the expression, or a value it met, is not what it must be."""
    return Problem(
        "expr-invalid",
        500,
        what=Text("An expression cannot be evaluated.", "運算式無法計算。"),
        why=Text(why, why),
        todo=Text("Mend the rule or form that holds it.", "請修正所屬的規則或表單。"),
    )


def join(unknowns: Iterable[Unknown]) -> Unknown:
    """One unknown that misses everything that the given ones miss."""
    return Unknown(frozenset().union(*(unknown.missing for unknown in unknowns)))


def kind(value: object) -> str:
    """The name of a value's type: null, boolean, number, text, date, list or object."""
    known = _EXACT.get(type(value))
    if known is not None:
        return known
    # bool before number: in Python a bool is an int
    for name, types in _KINDS:
        if isinstance(value, types):
            return name
    raise invalid(f"values of type {type(value).__name__} have no place here")


_KINDS: tuple[tuple[str, type | tuple[type, ...]], ...] = (
    ("null", type(None)),
    ("boolean", bool),
    ("number", (int, Fraction)),
    ("text", str),
    ("date", date),
    ("list", (list, tuple)),
    ("object", Mapping),
)


# The usual types at once; the table above serves their subclasses.
_EXACT = {
    type(None): "null",
    bool: "boolean",
    int: "number",
    Fraction: "number",
    str: "text",
    date: "date",
    dict: "object",
}


def require(value: object, wanted: str, where: str) -> Any:
    """`value` if it is of the `wanted` kind; otherwise Problem `expr-invalid`."""
    found = kind(value)
    if found != wanted:
        raise invalid(f"{where} takes a {wanted}, not a {found}")
    return value


def tidy(value: Any) -> Any:
    """A fraction that is whole becomes an int; everything else stays."""
    return value.numerator if isinstance(value, Fraction) and value.denominator == 1 else value


def as_json(value: Any) -> Any:
    """The value in JSON without floats: dates in ISO form, fractions as `1/3`, the unknown as null."""
    if isinstance(value, Unknown):
        return None
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Fraction):
        return str(value)
    if isinstance(value, list | tuple):
        return [as_json(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): as_json(item) for key, item in value.items()}
    return value
