"""Decision tables: rows of conditions over named inputs, checked for overlaps and gaps, then ordinary expressions.

A table is written in a rule beside `value`:

    table:
      hit: unique            # exactly one row may match; `first`: the rows are tried in order
      inputs:
        - {id: county, of: {var: fact.county}, one_of: [yunlin, taitung]}
        - {id: order, of: {var: fact.order}, least: 1}
      rows:
        - {when: {county: yunlin, order: {"<": 4}}, then: {var: param.yunlin}}
        - {when: {county: yunlin, order: {">=": 4}}, then: 100000}
      otherwise: 0           # left out: every combination must be covered

The check cuts each input's domain at the values that the rows name; between two cuts every row says the same, so one
example of each piece proves the table for all values (whole numbers, days, yes or no, the words in `one_of`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import product
from typing import Any

from smartgov.engines import expr
from smartgov.engines.rules.sources import invalid
from smartgov.engines.rules.wording import Term

HITS = frozenset({"unique", "first"})
LARGEST = 200_000  # examples that one check may try
_ORDERS = ("<", "<=", ">", ">=")
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Input:
    """One column of a table: the expression that it looks at and the values that this can have."""

    id: str
    of: Any
    kind: str
    one_of: tuple[Any, ...]
    least: Any
    most: Any


@dataclass(frozen=True, slots=True)
class Table:
    """A checked decision table."""

    hit: str
    inputs: tuple[Input, ...]
    rows: tuple[tuple[Mapping[str, Any], Any], ...]
    otherwise: Any
    complete: bool

    def node(self) -> Any:
        """The table as one `if` of the expression language: both compilers and the explanation know that already."""
        branches: list[Any] = []
        for when, then in self.rows:
            branches += [self._matches(when), then]
        if self.complete:
            # No value is left over, but a value that lies outside the declared domain must not fall into a row.
            return {"if": branches}
        return {"if": [*branches, self.otherwise]}

    def _matches(self, when: Mapping[str, Any]) -> Any:
        tests = [_test(each.of, when[each.id]) for each in self.inputs if each.id in when]
        return tests[0] if len(tests) == 1 else {"and": tests} if tests else True


def read_table(raw: Mapping[str, Any], terms: Mapping[str, Term], place: str) -> Table:
    """A table as it is written; Problem `rule-invalid` with an example for an overlap, a gap or an unreachable row."""
    if raw.get("hit") not in HITS or not raw.get("inputs") or not raw.get("rows"):
        raise invalid(place, "has a table without hit (unique or first), inputs and rows")
    inputs = tuple(_input(each, terms, place) for each in raw["inputs"])
    rows = tuple((_row(each, inputs, place), each["then"]) for each in raw["rows"])
    table = Table(raw["hit"], inputs, rows, raw.get("otherwise"), "otherwise" not in raw)
    _check(table, place)
    return table


def _input(raw: Mapping[str, Any], terms: Mapping[str, Term], place: str) -> Input:
    path = raw["of"].get("var") if isinstance(raw["of"], Mapping) else None
    term = terms.get(path) if isinstance(path, str) else None
    kind = raw.get("kind") or _KIND.get(term.kind if term else "", "")
    one_of = tuple(raw.get("one_of") or (term.labels if term and kind == "text" else ()))
    if kind == "yesno":
        one_of = (False, True)
    if kind not in ("whole", "date", "text", "yesno") or (kind == "text" and not one_of):
        raise invalid(place, f"has a table whose input {raw['id']} needs a kind (or one_of for a text)")
    return Input(raw["id"], raw["of"], kind, one_of, raw.get("least"), raw.get("most"))


_KIND = {"number": "whole", "money": "whole", "date": "date", "text": "text", "yesno": "yesno"} | dict.fromkeys(
    ("days", "weeks", "months", "years", "ntd", "ntd_per_month"), "whole"
)


def _row(raw: Mapping[str, Any], inputs: Sequence[Input], place: str) -> Mapping[str, Any]:
    """The row's cells; each a value, a list of values, or bounds like `{">=": 1, "<": 5}`."""
    when = dict(raw.get("when") or {})
    unknown = set(when) - {each.id for each in inputs}
    if unknown:
        raise invalid(place, f"has a table row over {sorted(unknown)}, which are no inputs")
    for each in inputs:
        for value in _named(when.get(each.id)):
            if each.one_of and value not in each.one_of:
                raise invalid(place, f"has a table row with {value!r}, which {each.id} cannot be")
            if not each.one_of and (isinstance(value, bool) or not isinstance(value, int | date)):
                raise invalid(place, f"has a table row with {value!r} where {each.id} takes whole numbers or days")
        cell = when.get(each.id)
        if isinstance(cell, Mapping) and (each.one_of or not set(cell) <= set(_ORDERS)):
            raise invalid(place, f"has a table row whose cell {each.id} is not made of < <= > >=")
    return when


def _named(cell: Any) -> Iterator[Any]:
    if isinstance(cell, Mapping):
        yield from cell.values()
    elif isinstance(cell, list | tuple):
        yield from cell
    elif cell is not None:
        yield cell


def _test(of: Any, cell: Any) -> Any:
    """A cell as an expression."""
    if isinstance(cell, Mapping):
        tests = [{op: [of, bound]} for op, bound in cell.items()]
        return tests[0] if len(tests) == 1 else {"and": tests}
    if isinstance(cell, list | tuple):
        return {"in": [of, list(cell)]}
    return {"==": [of, cell]}


def _check(table: Table, place: str) -> None:
    pieces = [list(_examples(each, [when.get(each.id) for when, _ in table.rows])) for each in table.inputs]
    count = 1
    for examples in pieces:
        count *= len(examples)
    if count > LARGEST:
        raise invalid(place, f"has a table with {count} combinations; split it")
    names = [each.id for each in table.inputs]
    reached: set[int] = set()
    for values in product(*pieces):
        example = dict(zip(names, values, strict=True))
        hits = [number for number, (when, _) in enumerate(table.rows, 1) if _holds(when, example)]
        if not hits and table.complete:
            raise invalid(place, f"has a table with a gap: no row takes {_shown(example)}")
        if len(hits) > 1 and table.hit == "unique":
            raise invalid(place, f"has a table whose rows {hits[0]} and {hits[1]} overlap: both take {_shown(example)}")
        reached.update(hits[:1])
    idle = sorted(set(range(1, len(table.rows) + 1)) - reached)
    if idle:
        raise invalid(place, f"has a table whose row {idle[0]} is never reached: earlier rows take all of it")


def _shown(example: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {expr.as_json(value)}" for name, value in example.items())


def _examples(column: Input, cells: Sequence[Any]) -> Iterator[Any]:
    """One value of every piece into which the rows cut the input's domain."""
    if column.one_of:
        yield from column.one_of
        return
    dates = column.kind == "date"
    step: Any = _DAY if dates else 1
    ends = {end for end in (column.least, column.most) if end is not None}
    cuts = {value for cell in cells for value in _named(cell)} | ends or {date(2026, 1, 1) if dates else 0}
    for value in sorted({near for cut in cuts for near in (cut - step, cut, cut + step)}):
        if (column.least is None or value >= column.least) and (column.most is None or value <= column.most):
            yield value


def _holds(when: Mapping[str, Any], example: Mapping[str, Any]) -> bool:
    return all(_fits(cell, example[name]) for name, cell in when.items())


def _fits(cell: Any, value: Any) -> bool:
    if isinstance(cell, Mapping):
        return all(_COMPARE[op](value, bound) for op, bound in cell.items())
    return bool(value in cell) if isinstance(cell, list | tuple) else bool(value == cell)


_COMPARE = {
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}
