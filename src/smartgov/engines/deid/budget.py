"""The privacy budget of each source: what differential privacy has spent, and a refusal when nothing is left.

A chained file that only grows (`chain`): what was altered is found, and a cut end by whoever kept a later head (every
release names the head at its time). Entries are of kind grant, reserve or release, with their source.

Spending is two steps. `reserve` commits the whole amount before any noise is drawn; `release` notes afterwards that the
result went out. There is no way back: a reservation without its release (a crash, a kill) stays spent, because nobody
can show that nothing was seen. Amounts are whole millionths of epsilon: sums of floats would drift.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from pathlib import Path
from typing import Any

from smartgov.engines.deid.chain import Chain, Entry
from smartgov.shared import ids
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

MICRO = 1_000_000
MOST = 100 * MICRO  # an epsilon above this protects nobody; it is a typing error
KIND = "smartgov/deid/budget/1"


@dataclass(frozen=True, slots=True)
class Reservation:
    """Budget that is spent already; the token that a query needs before it may draw noise."""

    id: str
    source: str
    micro: int
    head: str


@dataclass(frozen=True, slots=True)
class Account:
    """What one source was granted and has spent, in millionths of epsilon; `open` is the part never released."""

    source: str
    granted: int
    spent: int
    open: int

    @property
    def left(self) -> int:
        """What may still be reserved."""
        return self.granted - self.spent


def micro(epsilon: str | int | Decimal) -> int:
    """Epsilon in millionths; Problem `epsilon-invalid` for floats, more than six decimals, or out of (0, 100]."""
    try:
        if isinstance(epsilon, bool | float):
            raise InvalidOperation
        amount = Decimal(epsilon) * MICRO
        if amount != int(amount) or not 0 < amount <= MOST:
            raise InvalidOperation
    except (InvalidOperation, ValueError, OverflowError, TypeError):
        raise Problem(
            "epsilon-invalid",
            422,
            what=Text("This is not an amount of epsilon.", "這不是有效的 epsilon 值。"),
            why=Text(
                "It must be above 0, at most 100, with at most six decimals.", "須大於 0、至多 100，且至多六位小數。"
            ),
            todo=Text('Write it as text, for example "0.5".', '請以文字書寫，例如 "0.5"。'),
        ) from None
    return int(amount)


def written(amount: int) -> str:
    """Millionths as people write them: `1250000` as `1.25`."""
    return f"{Decimal(amount) / MICRO:f}"


class Ledger:
    """The budget file. Every call opens, checks the whole chain and closes, so processes may share it freely."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.chain = Chain(path, KIND, _broken)

    def create(self) -> None:
        """A new, empty file. An absent one is never made in passing: a lost ledger is no new budget."""
        self.chain.create()

    def grant(self, source: str, epsilon: str | int | Decimal, *, by: str, reason: str) -> Account:
        """Allow `source` so much more; who decided and why stays in the ledger."""
        if not source.strip() or not by.strip() or not reason.strip():
            raise _broken(422, "A grant names its source, who decided and why.", "核給額度須載明來源、決定者與理由。")
        body = {"kind": "grant", "source": source, "micro": micro(epsilon), "by": by, "reason": reason}
        with self.chain.writing() as (entries, append):
            append(body)
            return _account(source, entries)

    def reserve(self, source: str, epsilon: str | int | Decimal, query: dict[str, Any]) -> Reservation:
        """Spend before anything is looked at; Problem `budget-exhausted` when not enough is left.

        `query` (a description without data) is kept in the ledger. The amount never comes back.
        """
        amount = micro(epsilon)
        with self.chain.writing() as (entries, append):
            account = _account(source, entries)
            if amount > account.left:
                raise _exhausted(account, amount)
            number = ids.uuid7()
            body = {"kind": "reserve", "source": source, "micro": amount, "id": number, "query": query}
            entry = append(body)
        return Reservation(number, source, amount, entry.hash)

    def release(self, reservation: Reservation, result: bytes) -> str:
        """Note that the result (kept as a digest only) went out; returns the new head. Once per reservation."""
        with self.chain.writing() as (entries, append):
            if reservation.id not in _unreleased(entries):
                raise _broken(409, "This reservation is unknown or was released.", "此預留不存在或已釋出。")
            digest = sha256(result).hexdigest()
            body = {"kind": "release", "source": reservation.source, "id": reservation.id, "result": digest}
            return append(body).hash

    def accounts(self) -> list[Account]:
        """Every source with its account, by name."""
        entries = self.entries()
        return [_account(source, entries) for source in sorted({entry.body["source"] for entry in entries})]

    def entries(self) -> list[Entry]:
        """All entries, the chain checked; Problem `ledger-broken` otherwise."""
        return self.chain.entries()

    def head(self) -> str:
        """The hash of the last entry: keep it elsewhere, and `verify` can show that no end was cut off."""
        return self.chain.head()

    def verify(self, *heads: str) -> list[Entry]:
        """The chain holds and contains every head in `heads`; Problem `ledger-broken` otherwise."""
        return self.chain.verify(*heads)


def _unreleased(entries: list[Entry]) -> dict[str, int]:
    reserved = {e.body["id"]: e.body["micro"] for e in entries if e.body["kind"] == "reserve"}
    for entry in entries:
        if entry.body["kind"] == "release":
            reserved.pop(entry.body["id"], None)
    return reserved


def _account(source: str, entries: list[Entry]) -> Account:
    own = [entry for entry in entries if entry.body["source"] == source]
    granted = sum(entry.body["micro"] for entry in own if entry.body["kind"] == "grant")
    spent = sum(entry.body["micro"] for entry in own if entry.body["kind"] == "reserve")
    return Account(source, granted, spent, sum(_unreleased(own).values()))


def _exhausted(account: Account, wanted: int) -> Problem:
    left, asked = written(account.left), written(wanted)
    return Problem(
        "budget-exhausted",
        409,
        what=Text("The privacy budget does not suffice.", "隱私預算不足。"),
        why=Text(
            f"{asked} was asked for; {account.source} has {left} left.", f"要求 {asked}，{account.source} 僅餘 {left}。"
        ),
        todo=Text(
            "Ask less, or have the steward decide on a further grant.", "請降低要求，或由資料管理人決定是否增額。"
        ),
        source=account.source,
        left=left,
        asked=asked,
    )


def _broken(status: int, why_en: str, why_zh: str) -> Problem:
    return Problem(
        "ledger-broken",
        status,
        what=Text("The budget ledger cannot be used.", "隱私預算帳冊無法使用。"),
        why=Text(why_en, why_zh),
        todo=Text(
            "Nothing is released without it. Restore the file, or ask who keeps it.",
            "無帳冊即不得釋出。請還原該檔或洽保管人。",
        ),
    )
