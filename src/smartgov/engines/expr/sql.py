"""Expressions as SQL: one scalar expression for DuckDB or PostgreSQL that means what the evaluator means.

The unknown is NULL. Numbers stay exact: each is a whole numerator over a whole positive denominator, both kept within
the width that their bounds need. Kinds are checked while compiling, so what the evaluator would refuse for every
person is refused once. What it refuses for one person only (a divisor that is zero, a day past the year 9999) is NULL
there: a sweep counts that person as undecided instead of ending.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from smartgov.engines.expr.dialects import DUCKDB, Dialect
from smartgov.engines.expr.evaluator import MAX_DEPTH, check, evaluate, operation
from smartgov.engines.expr.operators import COMPOUND_SURNAMES
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


def compile_sql(
    node: Any, columns: Mapping[str, Column], values: Mapping[str, Any] | None = None, dialect: Dialect = DUCKDB
) -> Sql:
    """`node` as SQL over `columns` by path; `values` are constants by path; any other path is not known.

    Problem `expr-invalid` for an expression that is not sound, or that has no SQL (a list from data, a date written
    in a column of text).
    """
    check(node)
    return _Compiler(columns, values or {}, dialect).node(node, 0)


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


class _Compiler:
    def __init__(self, columns: Mapping[str, Column], values: Mapping[str, Any], dialect: Dialect) -> None:
        self._columns, self._values, self._dialect = columns, values, dialect

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
        first, second = self._alike([found, default])
        return _with(first, sql=f"COALESCE({first.sql}, {second.sql})", bound=max(first.bound, second.bound))

    def _if(self, children: list[Sql]) -> Sql:
        """Branches in order; an unknown condition makes the whole unknown."""
        pairs, rest = list(zip(children[:-1:2], children[1::2], strict=False)), None
        branches: list[tuple[Sql, Sql]] = []
        for condition, value in pairs:
            if condition.kind == "unknown":
                rest = UNKNOWN
                break
            if _boolean(condition, "if").literal is True:
                rest = value
                break
            if condition.literal is not False:
                branches.append((condition, value))
        if rest is None:
            rest = children[-1] if len(children) % 2 else literal(None)
        return self._case(branches, rest) if branches else rest

    def _case(self, branches: list[tuple[Sql, Sql]], rest: Sql) -> Sql:
        results = self._alike([*(value for _, value in branches), rest])
        first = next((value for value in results if value.kind not in ("null", "unknown")), results[0])
        if first.kind == "list":
            raise invalid("an if between lists has no SQL")
        whens = [
            f"WHEN {condition.sql} THEN {value.sql} WHEN ({condition.sql}) IS NULL THEN NULL"
            for (condition, _), value in zip(branches, results, strict=False)
        ]
        sql = f"CASE {' '.join(whens)} ELSE {results[-1].sql} END"
        return Sql(
            sql,
            first.kind,
            max(value.bound for value in results),
            first.den,
            first.den_bound,
            first.words,
            or_null=any(value.or_null for value in results),
        )

    def _alike(self, values: Sequence[Sql]) -> list[Sql]:
        """The same values with one kind, one denominator and one way to write text."""
        kinds = {value.kind for value in values} - {"null", "unknown"}
        if len(kinds) > 1:
            raise invalid(f"mixes {' and '.join(sorted(kinds))}")
        if kinds == {"number"}:
            return self._over_one(values)
        if kinds == {"text"} and len({value.words for value in values}) > 1:
            return [_spelled(value) for value in values]
        return list(values)

    def _over_one(self, values: Sequence[Sql]) -> list[Sql]:
        """Numbers over a common denominator; null and unknown stay."""
        dens = {value.den: value.den_bound for value in values if value.kind == "number"}
        if len(dens) <= 1:
            return list(values)
        common, bound = "1", 1
        for den, most in dens.items():
            common, bound = self._times(common, bound, den, most)
        return [self._rebased(value, dens, common, bound) for value in values]

    def _rebased(self, value: Sql, dens: Mapping[str, int], common: str, bound: int) -> Sql:
        if value.kind != "number":
            return value
        sql, most = value.sql, value.bound
        for den, size in dens.items():
            if den != value.den:
                sql, most = self._times(sql, most, den, size)
        return Sql(sql, "number", most, common, bound)

    def _times(self, left: str, left_bound: int, right: str, right_bound: int) -> tuple[str, int]:
        """A product in the width that it needs."""
        if right == "1":
            return left, left_bound
        if left == "1":
            return right, right_bound
        bound = left_bound * right_bound
        return f"({self._fit(left, bound)} * {self._fit(right, bound)})", bound

    def _fit(self, sql: str, bound: int) -> str:
        """The number in the width that holds everything up to `bound`."""
        if bound <= BIGINT:
            # A whole number written out is an INTEGER of 32 bits; a product with another may need more.
            return f"CAST({sql} AS BIGINT)" if sql.strip("()-").isdigit() else sql
        if self._dialect.widest is not None and bound > self._dialect.widest:
            raise invalid("calculates numbers that are too large")
        return f"CAST({sql} AS {self._dialect.wide})"

    def _apply(self, op: str, children: list[Sql]) -> Sql:
        if op != "in" and any(child.kind == "unknown" for child in children):
            return UNKNOWN
        if all(_known(child) for child in children):
            return _folded(op, children)
        return getattr(self, _METHODS[op])(op, children)  # type: ignore[no-any-return]

    def _not(self, _op: str, children: list[Sql]) -> Sql:
        return Sql(f"(NOT {_boolean(children[0], '!').sql})", "boolean")

    def _compare(self, op: str, children: list[Sql]) -> Sql:
        equality = op in ("==", "!=")
        if any(child.or_null for child in children):
            return _against_null(op, children)
        for child in children:
            if child.kind not in ("number", "text", "date", *(("boolean",) if equality else ())):
                raise invalid(f"{op} does not compare a {child.kind}")
        if equality and any(child.words for child in children):
            coded = _by_code(op, children)
            if coded is not None:
                return coded
        left, right = self._alike(children)
        if not equality and left.kind == "text":
            left, right = (_spelled(side) for side in (left, right))
            order = self._dialect.ordered_text
            left, right = (_with(side, sql=order(side.sql)) for side in (left, right))
        if left.kind == "boolean" and right.constant:
            return left if right.literal is (op == "==") else Sql(f"(NOT {left.sql})", "boolean")
        sign = {"==": "=", "!=": "<>"}.get(op, op)
        sides = f"{left.sql} {sign} {right.sql}"
        if left.den != "1" and not left.den.isdigit():
            # a denominator of NULL says that the number is not known
            sides = f"CASE WHEN {left.den} IS NOT NULL THEN {sides} END"
        return Sql(f"({sides})", "boolean")

    def _in(self, _op: str, children: list[Sql]) -> Sql:
        item, items = children
        if items.kind != "list":
            raise invalid("in takes a list that is written out")
        if any(each.kind == "unknown" for each in (item, *items.items)):
            return UNKNOWN
        if any(each.or_null for each in (item, *items.items) if not each.constant):
            raise invalid("an if without otherwise has no place beside in")
        same = [each for each in items.items if each.kind == item.kind]
        tests = [self._compare("==", [item, each]).sql for each in same]
        unsure = [each for each in (item, *items.items) if not each.constant]
        if item.words and all(each.constant for each in same):
            codes = sorted({item.words.index(each.literal) for each in same if each.literal in item.words})
            tests = [f"{item.sql} IN ({', '.join(map(str, codes))})"] if codes else []
        nulls = " OR ".join(f"({each.sql}) IS NULL" for each in unsure)
        result = f"({' OR '.join(tests) or 'FALSE'})"
        return Sql(f"CASE WHEN {nulls} THEN NULL ELSE {result} END" if nulls else result, "boolean")

    def _add(self, op: str, children: list[Sql]) -> Sql:
        sides = self._over_one(_numbers(op, children))
        bound = sum(side.bound for side in sides)
        sign = f" {op} "
        return _with(sides[0], sql=f"({sign.join(self._fit(side.sql, bound) for side in sides)})", bound=bound)

    def _multiply(self, op: str, children: list[Sql]) -> Sql:
        left, right = _numbers(op, children)
        sql, bound = self._times(left.sql, left.bound, right.sql, right.bound)
        den, den_bound = self._times(left.den, left.den_bound, right.den, right.den_bound)
        return Sql(sql, "number", bound, den, den_bound)

    def _divide(self, op: str, children: list[Sql]) -> Sql:
        left, right = _numbers(op, children)
        if right.constant:
            if right.literal == 0:
                raise invalid("divides by zero")
            return self._multiply("*", [left, literal(1 / Fraction(right.literal))])
        over, bound = self._times(left.sql, left.bound, right.den, right.den_bound)
        under, most = self._times(f"NULLIF(abs({right.sql}), 0)", right.bound, left.den, left.den_bound)
        return Sql(f"(CASE WHEN {right.sql} < 0 THEN -{over} ELSE {over} END)", "number", bound, under, most)

    def _extreme(self, op: str, children: list[Sql]) -> Sql:
        dates = op in ("earlier", "later")
        sides = self._alike(_of(op, children, "date")) if dates else self._over_one(_numbers(op, children))
        function = "LEAST" if op in ("earlier", "min") else "GREATEST"
        nulls = " OR ".join(f"({side.sql}) IS NULL" for side in sides if not side.constant)
        bound = max(side.bound for side in sides)
        listed = ", ".join(self._fit(side.sql, bound) for side in sides)
        return _with(sides[0], sql=f"CASE WHEN {nulls} THEN NULL ELSE {function}({listed}) END", bound=bound)

    def _round(self, op: str, children: list[Sql]) -> Sql:
        """Halves away from zero, in whole numbers: (2|n| + d) div 2d with the sign of n."""
        (value,) = _numbers(op, children)
        if value.den == "1":
            return value
        bound = 2 * value.bound + 2 * value.den_bound
        wide = bound > BIGINT
        over = self._fit(f"abs({self._fit(value.sql, bound)})", bound)
        den = self._fit(value.den, bound)
        whole = self._dialect.divide(f"(2 * {over} + {den})", f"(2 * {den})", wide)
        return Sql(f"(CASE WHEN {value.sql} < 0 THEN -{whole} ELSE {whole} END)", "number", value.bound + 1)

    def _date(self, _op: str, children: list[Sql]) -> Sql:
        if children[0].kind != "date":
            raise invalid("a day written in a column of text has no SQL; give the column the kind date")
        return children[0]

    def _month(self, op: str, children: list[Sql]) -> Sql:
        return Sql(self._dialect.month(_of(op, children, "date")[0].sql), "text")

    def _shift(self, op: str, children: list[Sql]) -> Sql:
        day, count = children
        _of(op, [day], "date")
        (number,) = _numbers(op, [count])
        wide = max(number.bound, number.den_bound) > BIGINT
        whole = number.sql if number.den == "1" else self._dialect.divide(number.sql, number.den, wide)
        most, add = (_DAYS, self._add_days) if op == "add_days" else (_MONTHS, self._dialect.add_months)
        if number.bound <= most:
            return Sql(add(day.sql, whole), "date")
        return Sql(f"CASE WHEN abs({whole}) <= {most} THEN {add(day.sql, whole)} END", "date")

    def _add_days(self, day: str, count: str) -> str:
        return f"({day} + CAST({count} AS INTEGER))"

    def _days_between(self, op: str, children: list[Sql]) -> Sql:
        first, last = _of(op, children, "date")
        return Sql(f"CAST({last.sql} - {first.sql} AS BIGINT)", "number", _DAYS * 2)

    def _months_between(self, op: str, children: list[Sql]) -> Sql:
        first, last = _of(op, children, "date")
        years = f"({self._part('year', last)} - {self._part('year', first)})"
        months = f"({self._part('month', last)} - {self._part('month', first)})"
        return Sql(f"({years} * 12 + {months})", "number", _MONTHS * 2)

    def _age(self, op: str, children: list[Sql]) -> Sql:
        born, on = _of(op, children, "date")
        years = f"{self._part('year', on)} - {self._part('year', born)}"
        before = f"{self._month_day(on)} < {self._month_day(born)}"
        return Sql(f"({years} - CASE WHEN {before} THEN 1 ELSE 0 END)", "number", 20_000)

    def _part(self, part: str, day: Sql) -> str:
        if day.constant:
            return str(getattr(day.literal, part))
        return self._dialect.part(part, day.sql)

    def _month_day(self, day: Sql) -> str:
        if day.constant:
            return str(day.literal.month * 100 + day.literal.day)
        return f"({self._part('month', day)} * 100 + {self._part('day', day)})"

    def _surname(self, op: str, children: list[Sql]) -> Sql:
        text = _spelled(_of(op, children, "text")[0]).sql
        compound = ", ".join(quote(name) for name in sorted(COMPOUND_SURNAMES))
        two = f"length({text}) > 2 AND left({text}, 2) IN ({compound})"
        return Sql(f"left({text}, CASE WHEN {two} THEN 2 ELSE 1 END)", "text")

    def _cat(self, op: str, children: list[Sql]) -> Sql:
        return Sql(f"({' || '.join(_spelled(part).sql for part in _of(op, children, 'text'))})", "text")


_DAYS, _MONTHS = 4_000_000, 48_000  # past these a day leaves Python's calendar
_METHODS = {
    "!": "_not",
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">="), "_compare"),
    "in": "_in",
    "+": "_add",
    "-": "_add",
    "*": "_multiply",
    "/": "_divide",
    **dict.fromkeys(("min", "max", "earlier", "later"), "_extreme"),
    "round": "_round",
    "date": "_date",
    "month": "_month",
    "add_days": "_shift",
    "add_months": "_shift",
    "days_between": "_days_between",
    "months_between": "_months_between",
    "age": "_age",
    "surname": "_surname",
    "cat": "_cat",
}


def _logic(op: str, children: list[Sql]) -> Sql:
    """SQL's AND and OR are Kleene's."""
    deciding = op == "or"
    if any(_boolean(child, op).literal is deciding for child in children if child.kind != "unknown"):
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


def _boolean(value: Sql, where: str) -> Sql:
    if value.kind != "boolean" or value.or_null:
        raise invalid(f"{where} takes a boolean, not a {value.kind}")
    return value


def _of(op: str, values: Sequence[Sql], wanted: str) -> Sequence[Sql]:
    for value in values:
        if value.kind != wanted or value.or_null:
            raise invalid(f"{op} takes a {wanted}, not a {'null' if value.or_null else value.kind}")
    return values


def _numbers(op: str, values: Sequence[Sql]) -> Sequence[Sql]:
    return _of(op, values, "number")


def _known(value: Sql) -> bool:
    return value.constant or (value.kind == "list" and all(_known(item) for item in value.items))


def _constant(value: Sql) -> Any:
    return [_constant(item) for item in value.items] if value.kind == "list" else value.literal


def _folded(op: str, children: list[Sql]) -> Sql:
    """A constant, worked out by the evaluator itself."""
    return literal(evaluate({op: [_constant(child) for child in children]}, {}))


def _with(value: Sql, *, sql: str, bound: int | None = None) -> Sql:
    most = value.bound if bound is None else bound
    return Sql(sql, value.kind, most, value.den, value.den_bound, value.words, or_null=value.or_null)


def _spelled(value: Sql) -> Sql:
    """A text that is kept as the index of a word, as the word."""
    if not value.words:
        return value
    cases = " ".join(f"WHEN {index} THEN {quote(word)}" for index, word in enumerate(value.words))
    return Sql(f"CASE {value.sql} {cases} END", "text", or_null=value.or_null)


def _by_code(op: str, children: list[Sql]) -> Sql | None:
    """A coded text beside a constant, compared as small numbers; None when it must be spelled."""
    coded = next(child for child in children if child.words)
    other = children[1] if coded is children[0] else children[0]
    sign = "=" if op == "==" else "<>"
    if other.constant and other.kind == "text":
        code = coded.words.index(other.literal) if other.literal in coded.words else -1
        return Sql(f"({coded.sql} {sign} {code})", "boolean")
    if other.words == coded.words:
        return Sql(f"({children[0].sql} {sign} {children[1].sql})", "boolean")
    return None


def _against_null(op: str, children: list[Sql]) -> Sql:
    """Equality with null itself: a value that is known is not null."""
    known = [child for child in children if not child.or_null]
    if op not in ("==", "!=") or len(known) != 1 or not all(child.constant for child in children if child.or_null):
        raise invalid(f"{op} cannot compare what may be null")
    verdict = "FALSE" if op == "==" else "TRUE"
    return Sql(f"CASE WHEN ({known[0].sql}) IS NULL THEN NULL ELSE {verdict} END", "boolean")
