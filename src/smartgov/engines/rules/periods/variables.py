"""Inputs and formulas by period: what is declared in `inputs.yaml` and `formulas/*.yaml`, read and checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

from smartgov.engines import expr
from smartgov.engines.rules.periods.asking import Ask, asks, with_asks
from smartgov.engines.rules.periods.span import UNITS
from smartgov.engines.rules.sources import Citation, effective_from, invalid, read
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

ENTITIES = ("person", "household")
KINDS = ("number", "money", "yesno", "text", "date")
FARTHEST = 120
"""Months that a formula may look back by asking itself."""
INPUTS = "inputs.yaml"
_DAYS = ("start", "end", "any")
_FREE = ("period.start", "period.end")


@dataclass(frozen=True, slots=True)
class Version:
    """A formula as it reads for periods that begin on the day `since` or later."""

    since: date
    source: Citation
    node: Any

    def parameters(self) -> frozenset[str]:
        """The names of the parameters that it uses."""
        return frozenset(
            path.removeprefix("param.")
            for node in with_asks(self.node)
            for path in expr.references(node)
            if path.startswith("param.")
        )


@dataclass(frozen=True, slots=True)
class Variable:
    """Something known (an input: no versions) or worked out (a formula) of a person or household for a period.

    `otherwise` is an input's value for a period that its register does not list, None for "not known". `at` says which
    day of a month decides when the register holds spells of days. `look_back`: so many months back it may ask itself.
    """

    name: str
    title: Text
    entity: str
    period: str
    kind: str
    labels: Mapping[str, Text] = field(default_factory=dict)
    otherwise: Any = None
    at: str = "start"
    look_back: int = 0
    versions: tuple[Version, ...] = ()

    @property
    def given(self) -> bool:
        """Whether it is an input."""
        return not self.versions

    def on(self, day: date) -> Version | None:
        """The version in force on a day."""
        held = [version for version in self.versions if version.since <= day]
        return held[-1] if held else None


MEMBER = Variable("member", Text("member of the household", "家戶成員"), "person", "once", "yesno", otherwise=True)
"""True of everybody: to count members."""

Variables = Mapping[str, Variable]


def load_variables(folder: Path) -> dict[str, Variable]:
    """The inputs and formulas of a content folder by name; Problem `rule-unsourced` or `rule-invalid`."""
    file, found = folder / INPUTS, {MEMBER.name: MEMBER}
    inputs = read(file, INPUTS) if file.is_file() else {}
    for name, raw in (inputs or {}).items():
        found[name] = _input(name, raw)
    for path in sorted((folder / "formulas").glob("*.yaml")):
        if path.stem in found:
            raise invalid(f"formulas/{path.name}", "has the name of an input")
        found[path.stem] = _formula(path)
    for each in found.values():
        _check(each, found)
    return found


def _input(name: str, raw: Mapping[str, Any]) -> Variable:
    known = {"title", "entity", "period", "kind", "labels", "otherwise", "at"}
    if set(raw) - known or raw.get("at", "start") not in _DAYS:
        raise invalid(f"{INPUTS}: {name}", f"needs known properties: {sorted(known)}; at is one of {_DAYS}")
    if raw.get("otherwise") is not None and raw.get("period") == "once":
        raise invalid(f"{INPUTS}: {name}", "is given once, and so cannot say what holds otherwise")
    return _variable(name, raw, f"{INPUTS}: {name}", otherwise=raw.get("otherwise"), at=raw.get("at", "start"))


def _formula(path: Path) -> Variable:
    place = f"formulas/{path.name}"
    raw = read(path, place)
    if not isinstance(raw, Mapping) or raw.get("id") != path.stem:
        raise invalid(place, "needs its file's name as id")
    try:
        versions = tuple(_version(each, place) for each in raw["versions"])
    except (KeyError, TypeError) as error:
        raise invalid(place, f"lacks or misstates {error}") from error
    if not versions or any(a.since >= b.since for a, b in pairwise(versions)):
        raise invalid(place, "needs versions in the order of their days")
    back = raw.get("look_back", 0)
    if not isinstance(back, int) or not 0 <= back <= FARTHEST or (back and raw.get("period") != "month"):
        raise invalid(place, f"looks back by months, at most {FARTHEST}")
    return _variable(path.stem, raw, place, versions=versions, look_back=back)


def _version(raw: Mapping[str, Any], place: str) -> Version:
    return Version(effective_from(raw, place), Citation.of(raw.get("source"), place), raw["value"])


def _variable(name: str, raw: Mapping[str, Any], place: str, **more: Any) -> Variable:
    for key, allowed in (("entity", ENTITIES), ("period", UNITS), ("kind", KINDS)):
        if raw.get(key) not in allowed:
            raise invalid(place, f"needs {key}: one of {', '.join(allowed)}")
    try:
        labels = {str(value): Text.of(text) for value, text in raw.get("labels", {}).items()}
        title = Text.of(raw["title"])
    except (KeyError, ValueError) as error:
        raise invalid(place, "needs a title in both languages") from error
    return Variable(name, title, raw["entity"], raw["period"], raw["kind"], labels, **more)


def _check(each: Variable, variables: Variables) -> None:
    """Every name exists and fits: the entity, the period, and what is taken of it."""
    place = f"formulas/{each.name}.yaml"
    for version in each.versions:
        try:
            for node in with_asks(version.node):
                expr.check(node)
                _names(node, each, place)
            for ask in asks(version.node):
                _fits(ask, each, variables, place)
        except Problem as problem:
            if problem.slug == "expr-invalid":
                raise invalid(place, problem.why.en) from problem
            raise


def _names(node: Any, each: Variable, place: str) -> None:
    params = {path for path in expr.references(node) if path.startswith("param.")}
    lost = {path for path in expr.references(node) if not path.startswith(("param.", "ask."))} - set(_FREE)
    if lost:
        raise invalid(place, f"uses names that do not exist here: {sorted(lost)}; a value is asked for with `ask`")
    if each.period == "once" and (params or expr.references(node) & set(_FREE)):
        raise invalid(place, "holds once and for all, so parameters and the period have no day to be taken at")


def _fits(ask: Ask, asker: Variable, variables: Variables, place: str) -> None:
    other = variables.get(ask.name)
    if other is None:
        raise invalid(place, f"asks for {ask.name}, which is neither an input nor a formula")
    # What is asked inside `where` is asked of the member, or in the month, that it is about.
    entity = ask.inside or asker.entity
    wanted = {"members": ("household", "person"), "household": ("person", "household")}.get(ask.of or "")
    if wanted is None and other.entity != entity:
        raise invalid(place, f"asks a {entity} for {ask.name} of a {other.entity}: say of: members or of: household")
    if wanted is not None and (entity, other.entity) != wanted:
        raise invalid(place, f"asks {ask.name} of {ask.of}: only a {wanted[0]} asks so, for what a {wanted[1]} has")
    _fits_in_time(ask, asker.period, other, place)
    if ask.take in _NUMBERS and other.kind not in ("number", "money"):
        raise invalid(place, f"takes the {ask.take} of {ask.name}, which is no number")
    if ask.take in _FLAGS and other.kind != "yesno":
        raise invalid(place, f"takes {ask.take} of {ask.name}, which is not yes or no")


_NUMBERS = frozenset({"sum", "average", "min", "max"})
_FLAGS = frozenset({"count", "any", "all", "spell"})


def _fits_in_time(ask: Ask, period: str, other: Variable, place: str) -> None:
    inner = "month" if ask.in_month else period
    if ask.over and (other.period != "month" or inner == "once"):
        raise invalid(place, f"asks {ask.name} over months, which it does not have")
    if ask.over not in (None, "year") and inner != "month":
        raise invalid(place, f"asks {ask.name} over {ask.over}: only a month has months before it; a year has `year`")
    if not ask.over and other.period == "month" and inner == "year":
        raise invalid(place, f"asks a year for {ask.name} of a month: say over: year and what to take")
    if inner == "once" and other.period != "once":
        raise invalid(place, f"asks {ask.name} of a {other.period}, and has no {other.period} itself")
    if ask.back and other.period != ask.back_unit:
        raise invalid(place, f"asks {ask.name} some {ask.back_unit}s back, which is of a {other.period}")


def used_parameters(variables: Variables) -> Iterator[str]:
    """The parameters that any formula names."""
    for each in variables.values():
        for version in each.versions:
            yield from version.parameters()
