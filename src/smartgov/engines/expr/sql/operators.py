"""Each operator as SQL over arguments that are compiled already, and known not to be constants all together."""

from __future__ import annotations

from fractions import Fraction

from smartgov.engines.expr.operators import COMPOUND_SURNAMES
from smartgov.engines.expr.sql.exact import Exact
from smartgov.engines.expr.sql.values import (
    BIGINT,
    UNKNOWN,
    Sql,
    boolean,
    changed,
    literal,
    numbers,
    of_kind,
    quote,
    spelled,
)
from smartgov.engines.expr.values import invalid

_DAYS, _MONTHS = 4_000_000, 48_000  # past these a day leaves Python's calendar


class Operators(Exact):
    """One method for each operator, by `METHODS`."""

    def _not(self, _op: str, children: list[Sql]) -> Sql:
        return Sql(f"(NOT {boolean(children[0], '!').sql})", "boolean")

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
            left, right = (spelled(side) for side in (left, right))
            order = self._dialect.ordered_text
            left, right = (changed(side, sql=order(side.sql)) for side in (left, right))
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
        sides = self._over_one(numbers(op, children))
        bound = sum(side.bound for side in sides)
        sign = f" {op} "
        return changed(sides[0], sql=f"({sign.join(self._fit(side.sql, bound) for side in sides)})", bound=bound)

    def _multiply(self, op: str, children: list[Sql]) -> Sql:
        left, right = numbers(op, children)
        sql, bound = self._times(left.sql, left.bound, right.sql, right.bound)
        den, den_bound = self._times(left.den, left.den_bound, right.den, right.den_bound)
        return Sql(sql, "number", bound, den, den_bound)

    def _divide(self, op: str, children: list[Sql]) -> Sql:
        left, right = numbers(op, children)
        if right.constant:
            if right.literal == 0:
                raise invalid("divides by zero")
            return self._multiply("*", [left, literal(1 / Fraction(right.literal))])
        over, bound = self._times(left.sql, left.bound, right.den, right.den_bound)
        under, most = self._times(f"NULLIF(abs({right.sql}), 0)", right.bound, left.den, left.den_bound)
        return Sql(f"(CASE WHEN {right.sql} < 0 THEN -{over} ELSE {over} END)", "number", bound, under, most)

    def _extreme(self, op: str, children: list[Sql]) -> Sql:
        dates = op in ("earlier", "later")
        sides = self._alike(of_kind(op, children, "date")) if dates else self._over_one(numbers(op, children))
        function = "LEAST" if op in ("earlier", "min") else "GREATEST"
        nulls = " OR ".join(f"({side.sql}) IS NULL" for side in sides if not side.constant)
        bound = max(side.bound for side in sides)
        listed = ", ".join(self._fit(side.sql, bound) if side.kind == "number" else side.sql for side in sides)
        return changed(sides[0], sql=f"CASE WHEN {nulls} THEN NULL ELSE {function}({listed}) END", bound=bound)

    def _round(self, op: str, children: list[Sql]) -> Sql:
        """Halves away from zero, in whole numbers: (2n + d with the sign of n) div 2d, which cuts off towards zero."""
        (value,) = numbers(op, children)
        if value.den == "1":
            return value
        bound = 2 * value.bound + 2 * value.den_bound
        over, den = self._fit(value.sql, bound), self._fit(value.den, bound)
        half = f"(2 * {over} + CASE WHEN {over} < 0 THEN -{den} ELSE {den} END)"
        whole = self._dialect.divide(half, f"(2 * {den})", bound > BIGINT)
        return Sql(whole, "number", value.bound + 1)

    def _date(self, _op: str, children: list[Sql]) -> Sql:
        if children[0].kind != "date":
            raise invalid("a day written in a column of text has no SQL; give the column the kind date")
        return children[0]

    def _month(self, op: str, children: list[Sql]) -> Sql:
        return Sql(self._dialect.month(of_kind(op, children, "date")[0].sql), "text")

    def _shift(self, op: str, children: list[Sql]) -> Sql:
        day, count = children
        of_kind(op, [day], "date")
        (number,) = numbers(op, [count])
        wide = max(number.bound, number.den_bound) > BIGINT
        whole = number.sql if number.den == "1" else self._dialect.divide(number.sql, number.den, wide)
        most, add = (_DAYS, self._add_days) if op == "add_days" else (_MONTHS, self._dialect.add_months)
        if number.bound <= most:
            return Sql(add(day.sql, whole), "date")
        return Sql(f"CASE WHEN abs({whole}) <= {most} THEN {add(day.sql, whole)} END", "date")

    def _add_days(self, day: str, count: str) -> str:
        return f"({day} + CAST({count} AS INTEGER))"

    def _days_between(self, op: str, children: list[Sql]) -> Sql:
        first, last = of_kind(op, children, "date")
        return Sql(f"CAST({last.sql} - {first.sql} AS BIGINT)", "number", _DAYS * 2)

    def _months_between(self, op: str, children: list[Sql]) -> Sql:
        first, last = of_kind(op, children, "date")
        years = f"({self._part('year', last)} - {self._part('year', first)})"
        months = f"({self._part('month', last)} - {self._part('month', first)})"
        return Sql(f"({years} * 12 + {months})", "number", _MONTHS * 2)

    def _age(self, op: str, children: list[Sql]) -> Sql:
        born, on = of_kind(op, children, "date")
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
        text = spelled(of_kind(op, children, "text")[0]).sql
        compound = ", ".join(quote(name) for name in sorted(COMPOUND_SURNAMES))
        two = f"length({text}) > 2 AND left({text}, 2) IN ({compound})"
        return Sql(f"left({text}, CASE WHEN {two} THEN 2 ELSE 1 END)", "text")

    def _cat(self, op: str, children: list[Sql]) -> Sql:
        return Sql(f"({' || '.join(spelled(part).sql for part in of_kind(op, children, 'text'))})", "text")


METHODS = {
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
