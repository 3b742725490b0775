"""People, seats, a recorded bank, and payments for tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count

from smartgov.blocks.identity import api as identity
from smartgov.blocks.payments import api, domain
from smartgov.shared.actor import Actor
from smartgov.shared.ids import uuid7
from smartgov.shared.tw import national_id

AGENCY = "sfaa"
ROBOT = Actor.for_system(AGENCY, "cases")
_serials = count(90_000)


def person(name: str = "林怡君") -> str:
    """A new person's subject id."""
    return identity.enrol(actor=ROBOT, national_id=national_id.make(next(_serials), 2), name=name)


def officer(role: str = "payment_preparer", *, who: str | None = None, agency: str = AGENCY) -> Actor:
    """Somebody in a seat; `who` gives the seat to a person who exists."""
    subject = who or person()
    seat = identity.add_seat(actor=ROBOT, subject=subject, agency=agency, role=role)
    return Actor("officer", subject=subject, seat=seat, agency=agency, assurance=2)


def instruct(*, key: str | None = None, amount: int = 6000, case: str | None = None, **changes: object) -> str:
    """One payment instruction."""
    whole = {
        "actor": ROBOT,
        "agency": AGENCY,
        "case": case or uuid7(),
        "payee_name": "陳美玲",
        "bank_code": "004",
        "account": "12345678901234",
        "amount": amount,
        "purpose": "未滿2歲育兒津貼",
        "idempotency_key": key or uuid7(),
        **changes,
    }
    return api.instruct(**whole)  # type: ignore[arg-type]


@dataclass(eq=False)
class RecordedBank:
    """A bank that takes what it is given and answers when told to."""

    orders: dict[str, api.Order] = field(default_factory=dict)
    results: dict[str, bytes] = field(default_factory=dict)
    down: bool = False
    silent: bool = False
    """It takes what it is given, and its answer is lost."""

    def send(self, order: api.Order) -> None:
        """Take a batch."""
        from smartgov.blocks.payments.refusals import BANK_UNREACHABLE

        if self.down:
            raise BANK_UNREACHABLE
        self.orders[order.id] = order
        if self.silent:
            raise BANK_UNREACHABLE

    def result(self, batch: str) -> bytes | None:
        """The result that a test has put here."""
        return self.results.get(batch)

    def answer(self, batch: str, *, failing: tuple[str, ...] = ()) -> bytes:
        """A complete result file for a batch that was sent."""
        order = self.orders[batch]
        outcomes = tuple(
            domain.Outcome(
                line.reference,
                line.amount,
                line.reference not in failing,
                "account-closed" if line.reference in failing else "",
            )
            for line in order.lines
        )
        return domain.write_result(domain.ResultFile(batch, order.digest, outcomes), "2026-11-22T08:00:00+00:00")


@contextmanager
def bank() -> Iterator[RecordedBank]:
    """A recorded bank in force."""
    recorded = RecordedBank()
    with api.bank_replaced(recorded):
        yield recorded


def released(recorded: RecordedBank) -> str:
    """A batch of every ready instruction, released by a second person and sent."""
    batch = api.prepare_batch(actor=officer(), agency=AGENCY)
    second = officer("payment_releaser")
    api.release_batch(actor=second, batch=batch, seen_hash=api.batch(actor=second, batch=batch).digest)
    assert api.send_released() == 1
    return batch
