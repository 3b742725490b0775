"""What every bank behind `BankPort` must do; each adapter's test calls `check` with its own bank."""

from __future__ import annotations

import time

import pytest

from smartgov.blocks.payments import domain
from smartgov.blocks.payments.ports import BankPort, Order
from smartgov.shared.ids import uuid7
from smartgov.shared.problems import Problem


def order(*, batch: str | None = None, amount: int = 6000) -> Order:
    """A batch of one good account and one that is closed (it ends in 0000)."""
    name = batch or uuid7()
    lines = (
        domain.Line(f"{name[-8:]}A", "陳美玲", "004", "12345678901234", amount, "未滿2歲育兒津貼"),
        domain.Line(f"{name[-8:]}B", "林志明", "812", "98765432100000", 7000, "未滿2歲育兒津貼"),
    )
    return Order(name, "sfaa", domain.batch_digest(name, "salt", lines), lines)


def check(bank: BankPort) -> None:
    """Taken once, answered whole, never changed, and unknown batches have no result."""
    assert bank.result(uuid7()) is None
    sent = order()
    bank.send(sent)
    bank.send(sent)
    with pytest.raises(Problem):
        bank.send(order(batch=sent.id, amount=6001))
    content = _result(bank, sent.id)
    result = domain.parse_result(content)
    domain.check_result(result, digest=sent.digest, amounts={line.reference: line.amount for line in sent.lines})
    assert [(outcome.paid, outcome.reason) for outcome in result.outcomes] == [(True, ""), (False, "account-closed")]
    assert bank.result(sent.id) == content, "the same bytes every time"


def _result(bank: BankPort, batch: str) -> bytes:
    for _ in range(1200):
        content = bank.result(batch)
        if content is not None:
            return content
        time.sleep(0.05)
    raise AssertionError("the bank gave no result")
