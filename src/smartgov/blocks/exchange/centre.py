"""Which centre signs and delivers in this process: the one whose key lies in its folder, or a recorded one in tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from smartgov.blocks.exchange.ports import Centre

_current: list[Centre] = []


def register(centre: Centre) -> None:
    """Set the centre of this process (`apps.py` does it)."""
    _current[:] = [centre]


def current() -> Centre:
    """The centre of this process."""
    return _current[-1]


@contextmanager
def replaced(centre: Centre) -> Iterator[None]:
    """Use `centre` within a block; unit tests see with it what would be published."""
    _current.append(centre)
    try:
        yield
    finally:
        _current.remove(centre)
