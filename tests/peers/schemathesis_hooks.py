"""What schemathesis is told about us: each request is another visitor's, and which 5xx of a gateway are no fault.

It is loaded into schemathesis' own process (SCHEMATHESIS_HOOKS), in which nothing of ours can be imported.
"""

from __future__ import annotations

from ipaddress import IPv4Address
from itertools import count
from typing import Any

import schemathesis

FIRST = int(IPv4Address("10.0.0.1"))
_visitors = count(FIRST)
FAILED = "urn:smartgov:problem:gateway-failed"


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Limits by network address (60 look-ups in a quarter of an hour) would answer for the doors behind them."""
    case.headers["X-Forwarded-For"] = str(IPv4Address(next(_visitors)))


@schemathesis.check
def only_named_failures(context: Any, response: Any, case: Any) -> None:
    """A gateway says with 502 to 504 (to X-Road's clients: 500) that others do not answer, by a documented type.

    An answer that no problem type of the operation stands in, or that says a gateway itself failed, is a fault.
    """
    if response.status_code < 500:
        return
    told = response.json()
    kind = told.get("problem") or told.get("type")
    named = set(case.operation.definition.raw["x-problem-types"]) - {FAILED}
    if kind not in named:
        raise AssertionError(f"{response.status_code} {kind} is not one of the failures that the document names")
