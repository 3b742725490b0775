"""From an expression to SQL: paths, branches and the logic of three values; the rest is `operators`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from smartgov.engines.expr.dialects import DUCKDB, Dialect
from smartgov.engines.expr.evaluator import MAX_DEPTH, check, operation
from smartgov.engines.expr.sql.operators import METHODS, Operators
from smartgov.engines.expr.sql.values import (
    BIGINT,
    UNKNOWN,
    Column,
    Sql,
    boolean,
    changed,
    folded,
    known,
    literal,
    mixed,
)
from smartgov.engines.expr.values import invalid


def compile_sql(
    node: Any, columns: Mapping[str, Column], values: Mapping[str, Any] | None = None, dialect: Dialect = DUCKDB
) -> Sql:
    """`node` as SQL over `columns` by path; `values` are constants by path; any other path is not known.

    Problem `expr-invalid` for an expression that is not sound, or that has no SQL (a list from data, a date written
    in a column of text).
    """
    check(node)
    return _Compiler(columns, values or {}, dialect).node(node, 0)


class _Compiler(Operators):
    def __init__(self, columns: Mapping[str, Column], values: Mapping[str, Any], dialect: Dialect) -> None:
        super().__init__(dialect)
        self._columns, self._values = columns, values

    def node(self, node: Any, depth: int) -> Sql:
        if depth > MAX_DEPTH:
            raise invalid("is nested too deeply")
        if isinstance(node, list | tuple):
            return Sql("", "list", items=tuple(self.node(item, depth + 1) for item in node))
        if not isinstance(node, Mapping):
            return literal(node)
        op, arguments = operation(node)
        if op == "var":
            return self._variable(arguments)
        if op == "if":
            return self._if([self.node(argument, depth + 1) for argument in arguments])
        children = [self.node(argument, depth + 1) for argument in arguments]
        if op in ("and", "or"):
            return _logic(op, children)
        return self._apply(op, children)

    def _variable(self, arguments: list[Any]) -> Sql:
        path = arguments[0]
        if path in self._values:
            return literal(self._values[path])
        default = literal(arguments[1]) if len(arguments) == 2 else None
        column = self._columns.get(path)
        if default is not None and default.or_null:
            raise invalid("a default of null has no SQL")
        if column is None:
            return default or UNKNOWN
        found = self._read(column)
        return found if default is None else self._otherwise(found, default)

    def _read(self, column: Column) -> Sql:
        sql = f"CAST({column.sql} AS BIGINT)" if column.kind == "number" and column.bound <= BIGINT else column.sql
        return Sql(sql, column.kind, column.bound, column.den, column.den_bound, column.words)

    def _otherwise(self, found: Sql, default: Sql) -> Sql:
        if found.den != "1":
            raise invalid("a default for a fraction has no SQL")
        first, second = self._alike([found, default])
        return changed(first, sql=f"COALESCE({first.sql}, {second.sql})", bound=max(first.bound, second.bound))

    def _if(self, children: list[Sql]) -> Sql:
        """Branches in order; an unknown condition makes the whole unknown."""
        pairs, rest = list(zip(children[:-1:2], children[1::2], strict=False)), None
        branches: list[tuple[Sql, Sql]] = []
        for condition, value in pairs:
            if condition.kind == "unknown":
                rest = UNKNOWN
                break
            if boolean(condition, "if").literal is True:
                rest = value
                break
            if condition.literal is not False:
                branches.append((condition, value))
        if rest is None:
            rest = children[-1] if len(children) % 2 else literal(None)
        return self._case(branches, rest) if branches else rest

    def _case(self, branches: list[tuple[Sql, Sql]], rest: Sql) -> Sql:
        values = [*(value for _, value in branches), rest]
        numbers = [value for value in values if value.kind == "number"]
        # Only the denominator of the chosen branch counts: another may be zero, and so not known.
        apart = len({value.den for value in numbers}) > 1
        results = values if apart and not mixed(values) else self._alike(values)
        first = next((value for value in results if value.kind not in ("null", "unknown")), results[0])
        if first.kind == "list":
            raise invalid("an if between lists has no SQL")
        conditions = [condition for condition, _ in branches]
        return Sql(
            _cases(conditions, [value.sql for value in results]),
            first.kind,
            max(value.bound for value in results),
            _cases(conditions, [value.den for value in results]) if apart else first.den,
            max(value.den_bound for value in results),
            first.words,
            or_null=any(value.or_null for value in results),
        )

    def _apply(self, op: str, children: list[Sql]) -> Sql:
        if op != "in" and any(child.kind == "unknown" for child in children):
            return UNKNOWN
        if all(known(child) for child in children):
            return folded(op, children)
        return getattr(self, METHODS[op])(op, children)  # type: ignore[no-any-return]


def _cases(conditions: Sequence[Sql], results: Sequence[str]) -> str:
    whens = [
        f"WHEN {condition.sql} THEN {result} WHEN ({condition.sql}) IS NULL THEN NULL"
        for condition, result in zip(conditions, results, strict=False)
    ]
    return f"(CASE {' '.join(whens)} ELSE {results[-1]} END)"


def _logic(op: str, children: list[Sql]) -> Sql:
    """SQL's AND and OR are Kleene's."""
    deciding = op == "or"
    if any(boolean(child, op).literal is deciding for child in children if child.kind != "unknown"):
        return literal(deciding)
    open_ones = [child for child in children if child.literal is not (not deciding)]
    if not open_ones:
        return literal(not deciding)
    if all(child.kind == "unknown" for child in open_ones):
        return UNKNOWN
    if len(open_ones) == 1:
        return open_ones[0]
    word = f" {op.upper()} "
    return Sql(f"({word.join(child.sql for child in open_ones)})", "boolean")
