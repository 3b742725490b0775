"""A limit on checks by network address, kept in the database so that every web process counts together.

A check costs a tenth of a second of a processor, and anybody may ask for one.
"""

from __future__ import annotations

from smartgov.blocks.ops.api import count_call
from smartgov.blocks.signing import domain
from smartgov.blocks.signing.models import Check

PER_WINDOW = 60


def count(address: str) -> None:
    """Count one check; Problem `too-many-checks` (429) beyond 60 in a quarter of an hour."""
    if count_call(Check, address, "signing.check") >= PER_WINDOW:
        raise domain.TOO_MANY
