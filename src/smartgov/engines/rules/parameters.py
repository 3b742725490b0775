"""Dated, cited parameters: the numbers of the law, each with the day from which it holds and where it is published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

from smartgov.engines.rules.sources import Citation, effective_from, invalid, read
from smartgov.shared.text import Text

MONEY = ("ntd", "ntd_per_month", "ntd_per_year")
COUNTS = ("days", "weeks", "months", "years", "hours", "number", "percent", "permille", "m2", "people")
UNITS = frozenset((*MONEY, *COUNTS))


@dataclass(frozen=True, slots=True)
class DatedValue:
    """A value that holds from a day until the next value's day; `verified` is whether we saw the source ourselves."""

    value: int
    since: date
    source: Citation
    verified: bool


@dataclass(frozen=True, slots=True)
class Parameter:
    """One number of the law through time."""

    name: str
    title: Text
    unit: str
    values: tuple[DatedValue, ...]

    def at(self, day: date) -> DatedValue | None:
        """The value in force on `day`, or None before the first one."""
        held = [value for value in self.values if value.since <= day]
        return held[-1] if held else None

    def fixed(self, value: int) -> Parameter:
        """The same parameter with one value through all time, which no law says: for asking "what if"."""
        if isinstance(value, bool) or not isinstance(value, int):
            raise invalid(f"parameters/{self.name}.yaml", "would hold a value that is not a whole number")
        newest = self.values[-1]
        return replace(self, values=(replace(newest, value=value, since=date.min, verified=False),))


def load_parameters(folder: Path) -> dict[str, Parameter]:
    """All parameters of a folder by name; Problem `rule-unsourced` or `rule-invalid` for an unusable file."""
    return {path.stem: _parameter(path) for path in sorted(folder.glob("*.yaml"))}


def _parameter(path: Path) -> Parameter:
    place = f"parameters/{path.name}"
    raw = read(path, place)
    if not isinstance(raw, Mapping) or raw.get("name") != path.stem or raw.get("unit") not in UNITS:
        raise invalid(place, "needs its file's name and a known unit")
    values = tuple(_value(value, place) for value in raw.get("values", ()))
    if not values or any(a.since >= b.since for a, b in pairwise(values)):
        raise invalid(place, "needs values in the order of their days")
    try:
        title = Text.of(raw["title"])
    except (KeyError, ValueError) as error:
        raise invalid(place, "needs a title in both languages") from error
    return Parameter(path.stem, title, raw["unit"], values)


def _value(raw: Mapping[str, Any], place: str) -> DatedValue:
    value = raw.get("value")
    if isinstance(value, bool) or not isinstance(value, int):
        raise invalid(place, "holds a value that is not a whole number")
    if not isinstance(raw.get("verified"), bool):
        raise invalid(place, "does not say whether its value was verified")
    return DatedValue(value, effective_from(raw, place), Citation.of(raw.get("source"), place), raw["verified"])
