"""A limit on public look-ups by network address, kept in the database so that every web process counts together."""

from __future__ import annotations

from smartgov.blocks.credentials import refusals
from smartgov.blocks.credentials.models import Lookup
from smartgov.blocks.ops.api import count_call

PER_WINDOW = 60


def count(address: str) -> None:
    """Count one look-up; Problem `too-many-lookups` (429) beyond 60 in a quarter of an hour."""
    if count_call(Lookup, address, "credentials.lookup") >= PER_WINDOW:
        raise refusals.TOO_MANY
