"""From the rows that a register answers to the one value that a rule needs, declared in data.

A `take` has one reducer, `first`, `count`, `exists`, `sum`, `avg`, `max`, `min` or `covered_days`, and may narrow the
rows first: `where` (columns equal to values), `if` (an expression over `item`, `fact` and the context), `order` (a
column, `-` for descending), `limit`. Values written `$name` come from the context; `$name?` drops the condition while
the context has no such value. A value that depends on a fact that is not known is itself not known (None), never zero.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from smartgov.engines import expr
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

Row = Mapping[str, Any]
REDUCERS = frozenset({"first", "count", "exists", "sum", "avg", "max", "min", "covered_days"})
_OPTIONS = frozenset({"where", "if", "order", "limit", "round", "default", "before"})


@dataclass(frozen=True, slots=True)
class TakeSpec:
    """A checked `take`: the reducer, its columns, and how rows are narrowed."""

    reducer: str
    columns: tuple[str, ...]
    single: bool
    where: Mapping[str, Any]
    condition: Any
    order: str | None
    limit: int | None
    rounded: bool
    default: Any
    before: Any

    @classmethod
    def of(cls, raw: Mapping[str, Any], fields: Iterable[str] | None = None) -> TakeSpec:
        """Read the YAML form; Problem `fact-invalid` when it is not coherent or uses a column outside `fields`."""
        found = REDUCERS & set(raw)
        if len(found) != 1 or set(raw) - found - _OPTIONS:
            raise invalid(f"a take needs exactly one reducer and known options, not {sorted(raw)}")
        (reducer,) = found
        columns = _columns(reducer, raw[reducer])
        spec = cls(
            reducer=reducer,
            columns=columns,
            single=isinstance(raw[reducer], str),
            where=raw.get("where", {}),
            condition=raw.get("if", True),
            order=raw.get("order"),
            limit=raw.get("limit"),
            rounded="round" in raw,
            default=raw.get("default"),
            before=raw.get("before"),
        )
        spec._check(None if fields is None else frozenset(fields))
        return spec

    def uses(self) -> frozenset[str]:
        """Every column of the register's rows that this take reads."""
        items = {path.removeprefix("item.") for path in expr.references(self.condition) if path.startswith("item.")}
        order = {self.order.removeprefix("-")} if self.order else set()
        return frozenset({*self.columns, *self.where, *items, *order})

    def leans_on(self) -> frozenset[str]:
        """The ids of other facts whose values this take needs."""
        paths = {path for path in expr.references(self.condition) if path.startswith("fact.")}
        texts = {str(value).removesuffix("?") for value in (*self.where.values(), self.before)}
        return frozenset(path.split(".")[1] for path in paths | {text for text in texts if text.startswith("$fact.")})

    def _check(self, fields: frozenset[str] | None) -> None:
        expr.check(self.condition)
        if fields is not None and not self.uses() <= fields:
            raise invalid(f"a take reads {sorted(self.uses() - fields)}, which the fact does not ask for")
        if self.reducer == "avg" and not self.rounded:
            raise invalid("avg must say how it is rounded")
        if (self.reducer == "covered_days") != (self.before is not None):
            raise invalid("covered_days, and only covered_days, needs before")


def take(items: Sequence[Row], spec: TakeSpec | Mapping[str, Any], context: Mapping[str, Any]) -> Any:
    """The value of one fact in JSON, or None when it is not known.

    `context` holds applicant, on, and where known child, notification and fact (values of facts taken before). An
    answer whose rows lack a column or hold a value of the wrong kind is Problem `fact-invalid`.
    """
    spec = spec if isinstance(spec, TakeSpec) else TakeSpec.of(spec)
    where = {column: fill(value, context) for column, value in spec.where.items() if not _dropped(value, context)}
    before = fill(spec.before, context)
    if any(value is None and spec.where[column] is not None for column, value in where.items()):
        return None
    if spec.before is not None and before is None:
        return None
    rows = _narrow(items, spec, where, context)
    if rows is None:
        return None
    return expr.as_json(_REDUCE[spec.reducer](rows, spec, before))


def fill(template: Any, context: Mapping[str, Any]) -> Any:
    """`template` with every `$name` and `$name.part` replaced from the context; objects and lists are walked.

    A `$fact.x` not known is None; any other absent name is Problem `fact-invalid`; `$name?` keys are dropped.
    """
    if isinstance(template, Mapping):
        return {key: fill(value, context) for key, value in template.items() if not _dropped(value, context)}
    if isinstance(template, list | tuple):
        return [fill(value, context) for value in template]
    if isinstance(template, str) and template.startswith("$"):
        return _look_up(template[1:].removesuffix("?"), context)
    return expr.as_json(template)


def invalid(why: str) -> Problem:
    """What a fact's declaration, or an answer that it meets, gets when it is not what it must be."""
    return Problem(
        "fact-invalid",
        422,
        what=Text("A register's answer cannot be used.", "登記機關的回覆無法使用。"),
        why=Text(why, why),
        todo=Text("The agency is told; nothing you entered is lost.", "系統已通知機關，您填寫的資料不會遺失。"),
    )


def _columns(reducer: str, value: Any) -> tuple[str, ...]:
    if reducer in ("count", "exists"):
        if value is not True:
            raise invalid(f"{reducer} takes only true")
        return ()
    columns = (value,) if isinstance(value, str) else tuple(value)
    wanted = 2 if reducer == "covered_days" else 1
    if not all(isinstance(column, str) for column in columns) or (reducer != "first" and len(columns) != wanted):
        raise invalid(f"{reducer} takes {wanted} column(s)")
    return columns


def _dropped(value: Any, context: Mapping[str, Any]) -> bool:
    if not (isinstance(value, str) and value.startswith("$") and value.endswith("?")):
        return False
    head, _, tail = value[1:-1].partition(".")
    found = context.get(head)
    return (found.get(tail) if tail and isinstance(found, Mapping) else found) is None


def _look_up(name: str, context: Mapping[str, Any]) -> Any:
    head, _, tail = name.partition(".")
    if head == "fact":
        return expr.as_json(context.get("fact", {}).get(tail))
    if tail or context.get(head) is None:
        raise invalid(f"the query needs {name}, which is not known here")
    return expr.as_json(context[head])


def _narrow(
    items: Sequence[Row], spec: TakeSpec, where: Mapping[str, Any], context: Mapping[str, Any]
) -> list[Row] | None:
    """The rows that count, in order; None when it depends on a fact that is not known."""
    known = {key: value for key, value in context.get("fact", {}).items() if value is not None}
    rows: list[Row] = []
    for item in items:
        if not spec.uses() <= set(item):
            raise invalid(f"the answer lacks {sorted(spec.uses() - set(item))}")
        if any(item[column] != value for column, value in where.items()):
            continue
        verdict = _judge(spec.condition, {**context, "fact": known, "item": item})
        if isinstance(verdict, expr.Unknown):
            return None
        if verdict:
            rows.append(item)
    return _ordered(rows, spec.order)[: spec.limit]


def _judge(condition: Any, data: Mapping[str, Any]) -> Any:
    """The condition's verdict on one row; a row that it cannot be put to is an invalid answer."""
    try:
        return expr.evaluate(condition, data)
    except Problem as problem:
        raise invalid(f"a row of the answer cannot be read: {problem.why.en}") from problem


def _ordered(rows: list[Row], order: str | None) -> list[Row]:
    if order is None:
        return rows
    column = order.removeprefix("-")
    filled = [row for row in rows if row[column] is not None]
    empty = [row for row in rows if row[column] is None]
    try:
        return sorted(filled, key=lambda row: row[column], reverse=order.startswith("-")) + empty
    except TypeError as error:
        raise invalid(f"{column} holds values of different kinds") from error


def _first(rows: list[Row], spec: TakeSpec, _before: Any) -> Any:
    if not rows:
        return spec.default
    if spec.single:
        return rows[0][spec.columns[0]]
    return {column: rows[0][column] for column in spec.columns}


def _numbers(rows: list[Row], spec: TakeSpec) -> list[int]:
    values = [row[spec.columns[0]] for row in rows]
    if not all(isinstance(value, int) and not isinstance(value, bool) for value in values):
        raise invalid(f"{spec.columns[0]} is not a whole number in every row")
    return values


def _average(rows: list[Row], spec: TakeSpec, _before: Any) -> Any:
    values = _numbers(rows, spec)
    return expr.evaluate({"round": Fraction(sum(values), len(values))}, {}) if values else None


def _covered_days(rows: list[Row], spec: TakeSpec, before: Any) -> int:
    """Days before `before` that lie in at least one row's interval (ends included, an empty end is open)."""
    end = _day(before) - timedelta(days=1)
    spans = sorted((_day(row[spec.columns[0]]), min(_last(row[spec.columns[1]], end), end)) for row in rows)
    total, reached = 0, date.min
    for first, last in spans:
        start = max(first, reached + timedelta(days=1)) if reached != date.min else first
        if start <= last:
            total += (last - start).days + 1
            reached = last
    return total


def _last(value: Any, otherwise: date) -> date:
    return otherwise if value is None or value == "" else _day(value)


def _day(value: Any) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise invalid("a date is not written YYYY-MM-DD") from error


def _extreme(pick: Callable[[list[int]], int]) -> Callable[[list[Row], TakeSpec, Any], Any]:
    def extreme(rows: list[Row], spec: TakeSpec, _before: Any) -> Any:
        values = _numbers(rows, spec)
        return pick(values) if values else None

    return extreme


_REDUCE: dict[str, Callable[[list[Row], TakeSpec, Any], Any]] = {
    "first": _first,
    "count": lambda rows, _spec, _before: len(rows),
    "exists": lambda rows, _spec, _before: bool(rows),
    "sum": lambda rows, spec, _before: sum(_numbers(rows, spec)),
    "avg": _average,
    "max": _extreme(max),
    "min": _extreme(min),
    "covered_days": _covered_days,
}
