"""What the bench of the exchange asks: kinds of rounds, and the sets of them by option."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

PROFILES = ("signed", "personal", "full")
CONNECTIONS = (32, 128)


@dataclass(frozen=True, slots=True)
class Case:
    """What is asked in one kind of round; `batch` whether one signature may stand for many messages.

    `kib`: of filling in question and answer. `rate`: questions a second, 0 for as many as are answered. `gateways`:
    that share the machine; half of them ask (the greater half), the others answer, and one alone asks its own member.
    """

    profile: str
    batch: bool
    connections: int
    kib: int = 0
    rate: float = 0
    gateways: int = 2

    @property
    def name(self) -> str:
        """As it is printed."""
        many = {1: ", own member", 2: ""}.get(self.gateways, f", {self.gateways} gateways")
        if self.gateways == 1:
            return f"{self.profile}{many}"  # nothing is signed on the way without a wire
        return f"{self.profile}, {'one signature a commit' if self.batch else 'one a message'}{many}"

    def at(self, rate: float) -> Case:
        """The same, at so many questions a second."""
        return replace(self, rate=rate)


def some(profiles: list[str], connections: list[int], sizes: list[int], gateways: list[int]) -> list[Case]:
    """All of these, each with batch signatures and with one a message, where there is a wire."""
    return [
        Case(profile, batch, one, kib, gateways=many)
        for many in gateways
        for one in connections
        for kib in sizes
        for profile in profiles
        for batch in ((True, False) if many > 1 else (True,))
    ]


def everything() -> list[Case]:
    """What the results table holds."""
    return list(_everything())


def _everything() -> Iterator[Case]:
    for connections in (1, 32, 128, 256):
        for profile in ("signed", "personal", "full", "once", "soon", "meta"):
            yield Case(profile, batch=True, connections=connections, kib=1)
    for connections in CONNECTIONS:
        for profile in PROFILES:
            yield Case(profile, batch=False, connections=connections, kib=1)
    for profile in ("signed", "full"):
        yield Case(profile, batch=True, connections=32, kib=64)
    for many in (1, 4, 8):
        yield Case("signed", batch=True, connections=128, kib=1, gateways=many)
        yield Case("full", batch=True, connections=128, kib=1, gateways=many)
