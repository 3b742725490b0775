"""Which bank is in force: the one that `apps.py` registered, or a recorded one in unit tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from smartgov.blocks.payments.ports import BankPort

_current: list[BankPort] = []


def register(bank: BankPort) -> None:
    """Set the bank of this process."""
    _current[:] = [bank]


def current() -> BankPort:
    """The bank of this process."""
    return _current[-1]


@contextmanager
def replaced(bank: BankPort) -> Iterator[None]:
    """Use `bank` within a block of a test."""
    _current.append(bank)
    try:
        yield
    finally:
        _current.pop()
