"""From a formula and a period to everything that must be known for it: an ordered list of small steps.

Which values of which months are needed follows from the formulas alone, never from a person. So one plan serves both
compilers: Python walks it for one person, SQL turns each step into a column. Questions over months become ordinary
expressions (a sum is `+`, "any" is `or`), which both already know with their treatment of the unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from smartgov.engines.rules.parameters import DatedValue, Parameter
from smartgov.engines.rules.periods.asking import Ask, replaced
from smartgov.engines.rules.periods.span import ONCE, Span
from smartgov.engines.rules.periods.variables import Variable, Variables, Version
from smartgov.engines.rules.sources import invalid
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

MOST = 5_000
"""Steps of one plan."""
_WIDE = 60  # arguments of one operation
_FAR = 10**15  # beyond every number that is asked for: stands for "no such month" in min and max
NOTHING = {"var": "ask.nothing"}
"""An expression that is never known: the average of no month at all."""


@dataclass(frozen=True, slots=True)
class Step:
    """One value of one entity for one period.

    `kind`: input (given), formula or condition (`node` over `ask.<key>`), months (`node` over the months' values),
    members (the members' value `of`, where their value `where` holds), household (a person reads `of`), nothing.
    `reads` are the steps before it, `asked` the keys of a window's months in order.
    """

    key: str
    kind: str
    entity: str
    variable: Variable
    span: Span
    node: Any = None
    reads: tuple[str, ...] = ()
    version: Version | None = None
    parameters: Mapping[str, DatedValue] = field(default_factory=dict)
    ask: Ask | None = None
    of: str | None = None
    where: str | None = None
    asked: tuple[str, ...] = ()

    def values(self) -> dict[str, Any]:
        """The constants of its expression by path."""
        days = {} if self.span == ONCE else {"period.start": self.span.start, "period.end": self.span.end}
        return days | {f"param.{name}": held.value for name, held in self.parameters.items()}


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps in an order in which each comes after what it reads, and the keys of what was wanted."""

    steps: Mapping[str, Step]
    wanted: Mapping[str, str]


def make_plan(
    variables: Variables, parameters: Mapping[str, Parameter], wanted: Mapping[str, tuple[str, Span]]
) -> Plan:
    """The plan for values by name: (variable, period).

    Problem `formula-cycle` for a formula that needs itself, `formula-too-wide` past MOST steps, `rule-invalid` for a
    name or period that does not fit.
    """
    planner = _Planner(variables, parameters)
    keys = {name: planner.top(*what) for name, what in wanted.items()}
    return Plan(planner.steps, keys)


def check_formulas(variables: Variables, parameters: Mapping[str, Parameter]) -> None:
    """Plan every version of every formula, so that a cycle or an unknown parameter is refused when it is loaded."""
    for each in variables.values():
        for version in each.versions:
            span = {"month": Span.month_of(version.since), "year": Span("year", version.since.year + 1)}.get(
                each.period
            )
            make_plan(variables, parameters, {each.name: (each.name, span or ONCE)})


@dataclass(frozen=True, slots=True)
class _Open:
    """A formula that is being planned: nothing of it before the month `floor` is looked at."""

    name: str
    span: Span
    floor: Span | None


class _Planner:
    def __init__(self, variables: Variables, parameters: Mapping[str, Parameter]) -> None:
        self._variables, self._parameters = variables, parameters
        self.steps: dict[str, Step] = {}
        self._known: dict[Any, str] = {}
        self._open: list[_Open] = []

    def top(self, name: str, span: Span) -> str:
        """Plan one wanted value."""
        variable = self._variables.get(name)
        if variable is None:
            raise invalid(name, "is neither an input nor a formula of this book")
        if variable.period not in {span.unit, "once"}:
            raise invalid(name, f"is worked out for a {variable.period}, not for {str(span) or 'all time'}")
        return self._value(name, span)

    def _value(self, name: str, span: Span) -> str:
        variable = self._variables[name]
        span = ONCE if variable.period == "once" else span
        floor = self._floor(variable, span)
        key = (name, span, floor)
        if key not in self._known:
            self._known[key] = self._made(variable, span, floor)
        return self._known[key]

    def _floor(self, variable: Variable, span: Span) -> Span | None:
        """How far back a formula that asks itself may look, counted from the month for which others asked it."""
        again = [each for each in self._open if each.name == variable.name]
        if not again:
            return span.back(variable.look_back) if variable.look_back else None
        if any(each.span == span for each in again):
            raise _cycle([*self._open, _Open(variable.name, span, None)], "needs itself")
        if self._open[-1].name != variable.name:
            raise _cycle([*self._open, _Open(variable.name, span, None)], "needs itself by way of another formula")
        if not variable.look_back or span > again[-1].span:
            raise _cycle([*self._open, _Open(variable.name, span, None)], "asks itself: say how far with look_back")
        return again[-1].floor

    def _made(self, variable: Variable, span: Span, floor: Span | None) -> str:
        if variable.given:
            return self._step("input", variable, span)
        version = variable.on(span.start) if span != ONCE else variable.versions[-1]
        if version is None or (floor is not None and span < floor):
            return self._step("nothing", variable, span)
        self._open.append(_Open(variable.name, span, floor))
        try:
            node, reads = self._answered(version.node, span, variable.entity)
        finally:
            self._open.pop()
        held = self._held(version.parameters(), span)
        return self._step("formula", variable, span, node=node, reads=reads, version=version, parameters=held)

    def _held(self, names: Iterable[str], span: Span) -> dict[str, DatedValue]:
        """Parameters as of the first day of the period."""
        lost = sorted(name for name in names if name not in self._parameters)
        if lost:
            raise invalid("formulas", f"use parameters that do not exist: {lost}")
        held = {name: self._parameters[name].at(span.start) for name in names} if span != ONCE else {}
        return {name: value for name, value in sorted(held.items()) if value is not None}

    def _answered(self, node: Any, span: Span, entity: str) -> tuple[Any, tuple[str, ...]]:
        """The expression with each question replaced by the step that answers it."""
        reads: list[str] = []

        def answer(ask: Ask) -> Any:
            key = self._asked(ask, span, entity)
            reads.append(key)
            return {"var": f"ask.{key}"}

        found = replaced(node, answer)
        return found, tuple(dict.fromkeys(reads))

    def _asked(self, ask: Ask, span: Span, entity: str) -> str:
        other = self._variables[ask.name]
        if ask.over:
            return self._window(ask, other, _window(ask, span), entity)
        at = span.year() if other.period == "year" else span
        key = self._value(ask.name, at.back(ask.back) if ask.back else at)
        if ask.of == "household":
            return self._step("household", other, self.steps[key].span, "person", reads=(key,), of=key, ask=ask)
        return self._members(ask, other, key, span) if ask.of == "members" else key

    def _members(self, ask: Ask, other: Variable, key: str, span: Span) -> str:
        where = self._condition(ask.where, other, span, "person") if ask.where is not None else None
        reads = (key, where) if where else (key,)
        return self._step(
            "members", other, self.steps[key].span, "household", reads=reads, of=key, where=where, ask=ask
        )

    def _window(self, ask: Ask, other: Variable, spans: Sequence[Span], entity: str) -> str:
        keys = [self._value(ask.name, each) for each in spans]
        where = None
        if ask.where is not None:
            where = [self._condition(ask.where, other, each, entity) for each in spans]
        values = [{"var": f"ask.{key}"} for key in keys]
        holds = [{"var": f"ask.{key}"} for key in where] if where else None
        reads = tuple(dict.fromkeys((*keys, *(where or ()))))
        node = taken(ask.take or "", values, holds)
        return self._step("months", other, spans[-1], entity, node=node, reads=reads, ask=ask, asked=tuple(keys))

    def _condition(self, where: Any, other: Variable, span: Span, entity: str) -> str:
        node, reads = self._answered(where, span, entity)
        names = Version(span.start, _NOWHERE, where).parameters() if span != ONCE else ()
        return self._step("condition", other, span, entity, node=node, reads=reads, parameters=self._held(names, span))

    def _step(self, kind: str, variable: Variable, span: Span, entity: str | None = None, **more: Any) -> str:
        """A new step, or the one that says the same."""
        ask = more.get("ask")
        role = ask.role if ask else None
        same = (
            *(kind, entity, variable.name, span, ask.take if ask else None, role),
            *(str(more.get("node")), more.get("reads"), more.get("of"), more.get("where")),
        )
        if kind in ("condition", "household", "members", "months") and same in self._known:
            return self._known[same]
        key = f"s{len(self.steps)}"
        if len(self.steps) >= MOST:
            raise _too_wide(variable.name)
        self.steps[key] = Step(key, kind, entity or variable.entity, variable, span, **more)
        self._known[same] = key
        return key


_NOWHERE: Any = None


def _window(ask: Ask, span: Span) -> list[Span]:
    """The months that a question is about, the earliest first."""
    if isinstance(ask.over, int):
        return [span.back(ask.back + each) for each in reversed(range(ask.over))]
    end = span.back(ask.back) if ask.back else span
    months = list(end.year().months())
    return [each for each in months if each <= end] if ask.over == "year to date" else months


def taken(take: str, values: Sequence[Any], holds: Sequence[Any] | None) -> Any:
    """What is taken of some months' values, those for which the condition beside each holds, as one expression."""
    if take == "spell":
        return _spell(list(reversed(values)))
    if take in ("any", "all"):
        return _wide("or" if take == "any" else "and", _flags(take, values, holds))
    if take == "count":
        return _wide("+", [{"if": [each, 1, 0]} for each in _flags("any", values, holds)])
    if holds is None:
        total = _wide({"sum": "+", "average": "+"}.get(take, take), values)
        return {"/": [total, len(values)]} if take == "average" else total
    count = _wide("+", [{"if": [hold, 1, 0]} for hold in holds])
    otherwise = {"min": _FAR, "max": -_FAR}.get(take, 0)
    some = [{"if": [hold, value, otherwise]} for value, hold in zip(values, holds, strict=True)]
    if take == "sum":
        return _wide("+", some)
    whole = {"/": [_wide("+", some), count]} if take == "average" else _wide(take, some)
    return {"if": [{"==": [count, 0]}, NOTHING, whole]}


def _flags(take: str, values: Sequence[Any], holds: Sequence[Any] | None) -> list[Any]:
    if holds is None:
        return list(values)
    pairs = zip(holds, values, strict=True)
    return [{"and": [h, v]} if take == "any" else {"or": [{"!": h}, v]} for h, v in pairs]


def _wide(op: str, parts: Sequence[Any]) -> Any:
    """An operation of any number of arguments, which takes only so many at once."""
    while len(parts) > _WIDE:
        parts = [{op: list(parts[at : at + _WIDE])} for at in range(0, len(parts), _WIDE)]
    return {op: list(parts)}


def _spell(newest_first: Sequence[Any]) -> Any:
    """How many months in a row hold, up to the newest."""
    node: Any = len(newest_first)
    step = _WIDE // 2
    for at in reversed(range(0, len(newest_first), step)):
        branches = [part for n, each in enumerate(newest_first[at : at + step], at) for part in ({"!": each}, n)]
        node = {"if": [*branches, node]}
    return node


def _cycle(path: Sequence[_Open], why: str) -> Problem:
    shown = " -> ".join(f"{each.name} {each.span}".strip() for each in path)
    name = path[-1].name
    return Problem(
        "formula-cycle",
        500,
        what=Text("A formula would never end.", "公式循環參照，無法計算。"),
        why=Text(f"{name} {why}: {shown}", f"{name} 需要先知道自己的值：{shown}"),
        todo=Text(
            "Ask for an earlier month with months_back, and say how far with look_back.",
            "請以 months_back 詢問較早之月份，並以 look_back 限定回溯月數。",
        ),
    )


def _too_wide(name: str) -> Problem:
    return Problem(
        "formula-too-wide",
        500,
        what=Text("A formula asks for too many months.", "公式所需月份過多。"),
        why=Text(f"{name} and what it needs is more than {MOST} steps", f"{name} 及其所需超過 {MOST} 個步驟"),
        todo=Text("Shorten the windows or look_back.", "請縮短期間或 look_back。"),
    )
