"""What `notify` needs from outside: somebody who carries mail."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from smartgov.blocks.notify.domain import Mail


class MailPort(Protocol):
    """Takes a message over, or raises (OSError, Problem) so that it is tried again."""

    def send(self, mail: Mail) -> None:
        """Hand `mail` to the next server; returns only after that server has accepted it."""


_current: list[MailPort] = []


def register(port: MailPort) -> None:
    """Set the carrier of this process (`apps.py` does it)."""
    _current[:] = [port]


def current() -> MailPort:
    """The carrier of this process."""
    return _current[-1]


@contextmanager
def replaced(port: MailPort) -> Iterator[None]:
    """Use `port` within a block, for tests."""
    _current.append(port)
    try:
        yield
    finally:
        _current.remove(port)
