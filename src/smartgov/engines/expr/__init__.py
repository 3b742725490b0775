"""A small expression language in JSON, with a trace of what was evaluated and three-valued logic.

`{"op": [arguments]}` is an operation, a list is a list, everything else is itself. See README.md for the operators.
"""

from __future__ import annotations

from smartgov.engines.expr.dialects import DUCKDB, POSTGRESQL, Dialect
from smartgov.engines.expr.evaluator import Trace, check, evaluate, references, trace
from smartgov.engines.expr.sql import Column, Sql, compile_sql
from smartgov.engines.expr.values import Unknown, as_json

__all__ = [
    "Column",
    "DUCKDB",
    "Dialect",
    "POSTGRESQL",
    "Sql",
    "Trace",
    "Unknown",
    "as_json",
    "check",
    "compile_sql",
    "evaluate",
    "references",
    "trace",
]
