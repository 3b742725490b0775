"""Which transport is in force: the gateways of this machine, or a recorded one in unit tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from smartgov.blocks.exchange.ports import Transport

_current: list[Transport] = []


def register(transport: Transport) -> None:
    """Set the transport of this process (`apps.py` does it)."""
    _current[:] = [transport]


def current() -> Transport:
    """The transport of this process."""
    return _current[-1]


@contextmanager
def replaced(transport: Transport) -> Iterator[None]:
    """Use `transport` within a block; unit tests of other blocks record calls with it."""
    _current.append(transport)
    try:
        yield
    finally:
        _current.remove(transport)
