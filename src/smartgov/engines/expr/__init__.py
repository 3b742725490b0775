"""A small expression language in JSON, with a trace of what was evaluated and three-valued logic.

`{"op": [arguments]}` is an operation, a list is a list, everything else is itself. See README.md for the operators.
"""

from __future__ import annotations

from smartgov.engines.expr.evaluator import Trace, check, evaluate, references, trace
from smartgov.engines.expr.values import Unknown, as_json

__all__ = ["Trace", "Unknown", "as_json", "check", "evaluate", "references", "trace"]
