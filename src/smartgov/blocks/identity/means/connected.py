"""The means of this process and the authority behind them (`apps.py` sets them; tests replace them for a block)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from smartgov.blocks.identity.ports import Certifier, Means

CARD, TWFIDO = "card", "twfido"


@dataclass(frozen=True, slots=True)
class Connected:
    """All of them."""

    means: Mapping[str, Means]
    certifier: Certifier


_connected: list[Connected] = []


def register(connected: Connected) -> None:
    """Set the means of this process."""
    _connected[:] = [connected]


def current() -> Connected:
    """Those in force."""
    return _connected[-1]


def ready() -> list[str]:
    """The names of the means that people may use: connected, with an authority that is trusted here."""
    if not _connected or not current().certifier.anchors():
        return []
    return [name for name, one in current().means.items() if one.is_ready()]


@contextmanager
def replaced(**changes: Any) -> Iterator[None]:
    """Use others within a block of a test."""
    _connected.append(replace(_connected[-1], **changes))
    try:
        yield
    finally:
        _connected.pop()
