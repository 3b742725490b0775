"""Numbers that stay exact: one denominator for several, and products in the width that they need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from smartgov.engines.expr.dialects import Dialect
from smartgov.engines.expr.sql.values import BIGINT, Sql, spelled
from smartgov.engines.expr.values import invalid

_INTEGER = 2**31 - 1


class Exact:
    """What operators do to their arguments before they write SQL for `dialect`."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    def _alike(self, values: Sequence[Sql]) -> list[Sql]:
        """The same values with one kind, one denominator and one way to write text."""
        kinds = {value.kind for value in values} - {"null", "unknown"}
        if len(kinds) > 1:
            raise invalid(f"mixes {' and '.join(sorted(kinds))}")
        if kinds == {"number"}:
            return self._over_one(values)
        if kinds == {"text"} and len({value.words for value in values}) > 1:
            return [spelled(value) for value in values]
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
        if bound <= _INTEGER:
            return sql
        if bound <= BIGINT:
            # What is made of numbers that are written out, a choice between them too, is an INTEGER of 32 bits.
            return f"CAST({sql} AS BIGINT)"
        if self._dialect.widest is not None and bound > self._dialect.widest:
            raise invalid("calculates numbers that are too large")
        return f"CAST({sql} AS {self._dialect.wide})"
