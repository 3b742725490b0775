"""What the protocols remember for minutes: codes, tokens, nonces, requests. Secrets are kept as digests only."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any, Protocol

from smartgov.shared import clock


class Memory(Protocol):
    """Values by kind and secret. Shared by all web processes, so that what is single-use is that everywhere."""

    def put(self, kind: str, secret: str, value: Mapping[str, Any], until: datetime) -> None:
        """Remember a value; the secret itself is not kept."""

    def first(self, kind: str, secret: str, until: datetime) -> bool:
        """Whether this secret comes for the first time; it is remembered from now on."""

    def get(self, kind: str, secret: str) -> dict[str, Any] | None:
        """The value, unless it is gone or over."""

    def take(self, kind: str, secret: str) -> dict[str, Any] | None:
        """The value, and forget it; of two callers only one gets it."""


def name_of(secret: str) -> str:
    """What stands for a secret in the memory."""
    return sha256(secret.encode()).hexdigest()


class InProcess:
    """A memory for tests and notebooks."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], tuple[dict[str, Any], datetime]] = {}
        self._lock = threading.Lock()

    def put(self, kind: str, secret: str, value: Mapping[str, Any], until: datetime) -> None:
        """Remember a value."""
        with self._lock:
            self._kept[kind, name_of(secret)] = dict(value), until

    def first(self, kind: str, secret: str, until: datetime) -> bool:
        """Whether this secret comes for the first time."""
        with self._lock:
            if _in_force(self._kept.get((kind, name_of(secret)))) is not None:
                return False
            self._kept[kind, name_of(secret)] = {}, until
            return True

    def get(self, kind: str, secret: str) -> dict[str, Any] | None:
        """The value, unless it is gone or over."""
        with self._lock:
            return _in_force(self._kept.get((kind, name_of(secret))))

    def take(self, kind: str, secret: str) -> dict[str, Any] | None:
        """The value, and forget it."""
        with self._lock:
            return _in_force(self._kept.pop((kind, name_of(secret)), None))


def _in_force(found: tuple[dict[str, Any], datetime] | None) -> dict[str, Any] | None:
    if found is None or found[1] <= clock.now():
        return None
    return dict(found[0])
