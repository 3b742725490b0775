"""Which authority issues certificates here: the one whose key lies in the centre's folder, or another in tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from smartgov.blocks.exchange.ports import Issuing

_current: list[Issuing] = []


def register(issuer: Issuing) -> None:
    """Set the authority of this process (`apps.py` does it)."""
    _current[:] = [issuer]


def current() -> Issuing:
    """The authority of this process."""
    return _current[-1]


@contextmanager
def replaced(issuer: Issuing) -> Iterator[None]:
    """Use `issuer` within a block."""
    _current.append(issuer)
    try:
        yield
    finally:
        _current.remove(issuer)
