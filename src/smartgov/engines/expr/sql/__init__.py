"""Expressions as SQL: one scalar expression for DuckDB or PostgreSQL that means what the evaluator means.

The unknown is NULL. Numbers stay exact: each is a whole numerator over a whole positive denominator, both kept within
the width that their bounds need. Kinds are checked while compiling, so what the evaluator would refuse for every
person is refused once. What it refuses for one person only (a divisor that is zero, a day past the year 9999) is NULL
there: a sweep counts that person as undecided instead of ending.
"""

from smartgov.engines.expr.sql.compiler import compile_sql
from smartgov.engines.expr.sql.values import BIGINT, Column, Sql, literal, quote

__all__ = ["BIGINT", "Column", "Sql", "compile_sql", "literal", "quote"]
