"""Listeners of made-up events, and the flow that joins them."""

from __future__ import annotations

from smartgov.blocks.ops.api import EmittedEvent, declare_events
from smartgov.shared.problems import Problem

HEARD: list[tuple[str, EmittedEvent]] = []
ANSWERS: dict[str, Exception] = {}

FLOWS = {
    "parcel_sent": ("smartgov.blocks.ops.tests.listeners.first", "smartgov.blocks.ops.tests.listeners.second"),
    "parcel_lost": (),
}
declare_events("ops-tests", {"parcel_sent": ["parcel"], "parcel_lost": ["parcel"]})


def first(event: EmittedEvent) -> None:
    """Listens and may fail."""
    _hear("first", event)


def second(event: EmittedEvent) -> None:
    """Listens and may fail on its own."""
    _hear("second", event)


def refuse() -> Problem:
    """A refusal by the other side."""
    return Problem("not-wanted", 422, what="no")


def _hear(name: str, event: EmittedEvent) -> None:
    if name in ANSWERS:
        raise ANSWERS[name]
    HEARD.append((name, event))
