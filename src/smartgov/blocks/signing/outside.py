"""The services in force in this process (`apps.py` sets them; tests replace them for a block)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from smartgov.blocks.signing.ports import Authority, Clocktower, Phone


@dataclass(frozen=True, slots=True)
class Services:
    """All of them."""

    phone: Phone
    authority: Authority
    clocktower: Clocktower
    seals: Authority
    """The authority that certifies agencies' seals."""


_services: list[Services] = []


def register(services: Services) -> None:
    """Set the services of this process."""
    _services[:] = [services]


def current() -> Services:
    """The services in force."""
    return _services[-1]


@contextmanager
def replaced(**changes: Any) -> Iterator[None]:
    """Use other services within a block of a test."""
    _services.append(replace(_services[-1], **changes))
    try:
        yield
    finally:
        _services.pop()
