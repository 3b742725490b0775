"""What `payments` needs from outside: a bank that takes batches and gives results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from smartgov.blocks.payments.domain import Line


@dataclass(frozen=True, slots=True)
class Order:
    """A released batch on its way to the bank; `id` makes sending it again harmless."""

    id: str
    agency: str
    digest: str
    lines: tuple[Line, ...]

    @property
    def total(self) -> int:
        """The sum in NT$."""
        return sum(line.amount for line in self.lines)


class BankPort(Protocol):
    """A paying bank."""

    def send(self, order: Order) -> None:
        """Hand the batch over; the same id and content again change nothing. Problem when it is not taken."""

    def result(self, batch: str) -> bytes | None:
        """The result file, or None while the bank works."""
