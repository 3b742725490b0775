"""The batch that comes in and the result file that goes out."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from smartgov.shared import canonical
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text
from smartgov.shared.tw.accounts import is_valid_account

_LINE_TEXTS = ("reference", "bank_code", "account", "name", "purpose")
_HEAD_TEXTS = ("batch", "agency", "digest")
LARGEST = 10**12
"""No single amount may reach this; it keeps sums far inside SQLite's integers."""


@dataclass(frozen=True, slots=True)
class Line:
    """One payment."""

    reference: str
    bank_code: str
    account: str
    name: str
    amount: int
    purpose: str

    @property
    def failure(self) -> str:
        """Why this account cannot be paid, or an empty text."""
        if not is_valid_account(self.bank_code, self.account):
            return "account-unknown"
        return "account-closed" if self.account.endswith("0000") else ""


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch; `content` is the hash by which a repeat is recognised."""

    id: str
    agency: str
    digest: str
    lines: tuple[Line, ...]
    content: str


def read_batch(body: Any) -> Batch:
    """The batch in a posted object; Problem `batch-invalid` (422) names the place."""
    if not isinstance(body, dict):
        raise _invalid("body")
    for name in _HEAD_TEXTS:
        _require_text(body.get(name), name)
    lines = body.get("lines")
    if not isinstance(lines, list) or not lines:
        raise _invalid("lines")
    read = tuple(_line(line, number) for number, line in enumerate(lines, start=1))
    if body.get("count") != len(read):
        raise _invalid("count")
    if body.get("total") != sum(line.amount for line in read):
        raise _invalid("total")
    if len({line.reference for line in read}) != len(read):
        raise _invalid("reference twice")
    return Batch(body["batch"], body["agency"], body["digest"], read, sha256(canonical.dumps(body)).hexdigest())


def write_result(batch: str, digest: str, settled_at: str, outcomes: list[tuple[str, int, str]]) -> bytes:
    """The result file; an outcome is reference, amount and reason (empty: paid)."""
    rows = [f"H|{batch}|{digest}|{settled_at}"]
    rows += [f"D|{ref}|{amount}|{'FAILED' if reason else 'PAID'}|{reason}" for ref, amount, reason in outcomes]
    text = "".join(f"{row}\n" for row in rows)
    total = sum(amount for _, amount, _ in outcomes)
    return f"{text}T|{len(outcomes)}|{total}|{sha256(text.encode()).hexdigest()}\n".encode()


def _line(line: Any, number: int) -> Line:
    place = f"line {number}"
    if not isinstance(line, dict) or set(line) != {*_LINE_TEXTS, "amount"}:
        raise _invalid(place)
    for name in _LINE_TEXTS:
        _require_text(line[name], f"{place}, {name}")
    amount = line["amount"]
    if isinstance(amount, bool) or not isinstance(amount, int) or not 0 < amount < LARGEST:
        raise _invalid(f"{place}, amount")
    return Line(**line)


def _require_text(value: Any, place: str) -> None:
    # The bar and the line end separate fields of the result file.
    if not isinstance(value, str) or not 1 <= len(value) <= 200 or any(mark in value for mark in "|\r\n\0"):
        raise _invalid(place)


def _invalid(place: str) -> Problem:
    return Problem(
        "batch-invalid",
        422,
        what=Text("The batch was refused; nothing of it was paid.", "批次未受理，未支付任何一筆。"),
        why=Text(f"This is missing or wrong: {place}.", f"此處缺漏或有誤：{place}。"),
        todo=Text("Correct it and send it under a new id.", "請修正後以新的批次編號送出。"),
        place=place,
    )
