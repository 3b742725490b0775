"""The one clock. Everything that asks for the time asks here, so that tests can move it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

TAIPEI = ZoneInfo("Asia/Taipei")
_shift: ContextVar[timedelta] = ContextVar("clock_shift", default=timedelta(0))


def now() -> datetime:
    """The present instant, aware, in UTC."""
    shift = _shift.get()
    return datetime.now(UTC) + shift if shift else datetime.now(UTC)


def timestamp() -> float:
    """The present instant in Unix seconds."""
    shift = _shift.get()
    return time.time() + shift.total_seconds() if shift else time.time()


def today() -> date:
    """The present civil date in Taiwan."""
    return now().astimezone(TAIPEI).date()


def is_between(moment: str, earliest: datetime, latest: datetime) -> bool:
    """Whether a text is an ISO 8601 moment with its zone, and lies within these; for times that others state."""
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        return False
    return at.tzinfo is not None and earliest <= at <= latest


@contextmanager
def travelling(*, delta: timedelta | None = None, to: datetime | None = None) -> Iterator[None]:
    """Move the clock within a block: by `delta`, or so that it starts at the aware instant `to`."""
    if (delta is None) == (to is None):
        raise ValueError("give either delta or to")
    if to is not None:
        delta = to - datetime.now(UTC)
    assert delta is not None
    token = _shift.set(_shift.get() + delta if to is None else delta)
    try:
        yield
    finally:
        _shift.reset(token)
