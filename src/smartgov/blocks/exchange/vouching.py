"""Who vouches for an agency's seals beside its gateway: trusted times, and what the seals' authority says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from smartgov.blocks.exchange.ports import Vouching

_current: list[Vouching] = []


def register(vouching: Vouching) -> None:
    """Set the services of this process (`apps.py` does it)."""
    _current[:] = [vouching]


def current() -> Vouching:
    """The services in force."""
    return _current[-1]


@contextmanager
def replaced(vouching: Vouching) -> Iterator[None]:
    """Use others within a block of a test."""
    _current.append(vouching)
    try:
        yield
    finally:
        _current.remove(vouching)
