"""Money out: the life of one instruction, the digest of a batch, the bank's result file. Pure.

Two rules carry the rest: a batch is released by the digest of every line with its account number, so that nothing can
change between two people's looks; and an instruction leaves `sent` only once, so that nothing is paid twice.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from smartgov.shared import canonical
from smartgov.shared.money import require_ntd
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text


class State(StrEnum):
    """Where an instruction stands."""

    READY = "ready"
    BATCHED = "batched"
    SENT = "sent"
    SETTLED = "settled"
    FAILED = "failed"
    REPLACED = "replaced"
    CANCELLED = "cancelled"


class Step(StrEnum):
    """What can happen to an instruction."""

    BATCH = "batch"
    UNBATCH = "unbatch"
    SEND = "send"
    PAID = "paid"
    REJECTED = "rejected"
    REPLACE = "replace"
    CANCEL = "cancel"


TRANSITIONS: dict[tuple[State, Step], State] = {
    (State.READY, Step.BATCH): State.BATCHED,
    (State.READY, Step.CANCEL): State.CANCELLED,
    (State.READY, Step.REPLACE): State.REPLACED,
    (State.BATCHED, Step.UNBATCH): State.READY,
    (State.BATCHED, Step.SEND): State.SENT,
    (State.SENT, Step.PAID): State.SETTLED,
    (State.SENT, Step.REJECTED): State.FAILED,
    (State.FAILED, Step.REPLACE): State.REPLACED,
    (State.FAILED, Step.CANCEL): State.CANCELLED,
}

TITLES: dict[State, Text] = {
    State.READY: Text("Ready to be put in a batch", "待編入付款批次"),
    State.BATCHED: Text("In a batch, waiting for release", "已編入批次，待放行"),
    State.SENT: Text("Sent to the bank", "已送銀行"),
    State.SETTLED: Text("Paid", "已入帳"),
    State.FAILED: Text("Not paid: the bank sent it back", "未入帳：銀行退件"),
    State.REPLACED: Text("Replaced by a corrected instruction", "已由更正後的付款指示取代"),
    State.CANCELLED: Text("Cancelled", "已取消"),
}


RELEASED = Text("Released, on its way to the bank", "已放行，送往銀行中")
"""What is said of a line whose batch is released and not yet known to be at the bank."""


class BatchState(StrEnum):
    """Where a batch stands."""

    PREPARED = "prepared"
    RELEASED = "released"
    SENT = "sent"
    SETTLED = "settled"
    VOID = "void"


VOIDED: dict[str, Text] = {
    "a payment in it was corrected": Text("A payment in it was corrected.", "其中一筆付款已更正。"),
    "a payment in it was cancelled": Text("A payment in it was given up.", "其中一筆付款已取消。"),
    "dissolved by its agency": Text("Its agency dissolved it.", "由機關解散。"),
    "its lines changed after release": Text("Its lines changed after release.", "放行後明細有異動。"),
    "its lines are not those that were prepared": Text(
        "Its lines are not those that were prepared.", "明細與編製時不符。"
    ),
}
"""Why a batch became void, in words; what an officer wrote herself stands as it is."""

BATCH_TITLES: dict[BatchState, Text] = {
    BatchState.PREPARED: Text("Waiting for a second person", "待第二人放行"),
    BatchState.RELEASED: Text("Released, on its way to the bank", "已放行，傳送中"),
    BatchState.SENT: Text("At the bank", "銀行處理中"),
    BatchState.SETTLED: Text("Result applied", "結果已入帳"),
    BatchState.VOID: Text("Void", "已作廢"),
}

REASONS: dict[str, Text] = {
    "account-closed": Text("The account is closed.", "帳戶已結清。"),
    "account-unknown": Text("The bank does not know this account.", "銀行查無此帳戶。"),
    "name-differs": Text("The account belongs to another name.", "戶名不符。"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """What the bank is told about one payment."""

    reference: str
    name: str
    bank_code: str
    account: str
    amount: int
    purpose: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the bank says about one payment; `reason` is empty when it was paid."""

    reference: str
    amount: int
    paid: bool
    reason: str


@dataclass(frozen=True, slots=True)
class ResultFile:
    """A complete result file of the bank."""

    batch: str
    digest: str
    outcomes: tuple[Outcome, ...]


def next_state(state: State, step: Step) -> State:
    """The state after `step`; Problem `payment-step-refused` (409) when the table has no such step."""
    try:
        return TRANSITIONS[state, step]
    except KeyError:
        raise Problem(
            "payment-step-refused",
            409,
            what=Text("This payment cannot be changed in that way now.", "這筆付款目前不能這樣處理。"),
            why=Text(f"It is: {TITLES[state].en}.", f"目前狀態為「{TITLES[state].zh}」。"),
            todo=Text("Reload the page and look at its state.", "請重新整理頁面後確認狀態。"),
        ) from None


def batch_digest(batch: str, salt: str, lines: Iterable[Line]) -> str:
    """SHA-256 (hex) over every line with its account number, in order of reference.

    The random `salt` keeps the digest, which people see and logs may hold, from being a test of guessed accounts.
    """
    rows = [
        [line.reference, line.name, line.bank_code, line.account, require_ntd(line.amount), line.purpose]
        for line in sorted(lines, key=lambda line: line.reference)
    ]
    return sha256(canonical.dumps({"batch": batch, "salt": salt, "lines": rows})).hexdigest()


def parse_result(content: bytes) -> ResultFile:
    """Read a result file whole; Problem `bank-file-cut` when its end is missing or does not cover what came before.

    `H|batch|digest|time`, one `D|reference|amount|PAID or FAILED|reason` a payment, `T|count|sum|SHA-256 of all above`.
    """
    try:
        body, trailer = _split_trailer(content.decode("utf-8"))
        header, *rows = [line.split("|") for line in body.splitlines()]
        kind, batch, digest, _ = header
        outcomes = tuple(_outcome(row) for row in rows)
        mark, count, total, checksum = trailer.split("|")
    except (UnicodeDecodeError, ValueError):
        raise _cut() from None
    whole = hmac.compare_digest(checksum, sha256(body.encode()).hexdigest())
    agrees = (count, total) == (str(len(outcomes)), str(sum(outcome.amount for outcome in outcomes)))
    if (kind, mark) != ("H", "T") or not (whole and agrees):
        raise _cut()
    return ResultFile(batch, digest, outcomes)


def write_result(result: ResultFile, produced_at: str) -> bytes:
    """The file that `parse_result` reads; banks' sandboxes and tests write it."""
    rows = [f"H|{result.batch}|{result.digest}|{produced_at}"]
    rows += [f"D|{o.reference}|{o.amount}|{'PAID' if o.paid else 'FAILED'}|{o.reason}" for o in result.outcomes]
    body = "".join(row + "\n" for row in rows)
    total = sum(outcome.amount for outcome in result.outcomes)
    return f"{body}T|{len(result.outcomes)}|{total}|{sha256(body.encode()).hexdigest()}\n".encode()


def check_result(result: ResultFile, *, digest: str, amounts: Mapping[str, int]) -> None:
    """Refuse a file that does not speak of exactly the payments that were sent; nothing of it may then be applied."""
    references = [outcome.reference for outcome in result.outcomes]
    if not hmac.compare_digest(result.digest, digest):
        raise _refused("bank-digest-differs", "It answers another version of the batch.", "檔案所回覆的批次內容不同。")
    if len(set(references)) != len(references):
        raise _refused("bank-reference-twice", "A payment appears twice.", "同一筆付款出現兩次。")
    if unknown := set(references) - set(amounts):
        raise _refused(
            "bank-reference-unknown",
            f"These references were never sent: {', '.join(sorted(unknown))}.",
            f"下列編號並非本機關送出：{'、'.join(sorted(unknown))}。",
        )
    if absent := set(amounts) - set(references):
        raise _refused(
            "bank-reference-absent",
            f"These payments have no result: {', '.join(sorted(absent))}.",
            f"下列付款沒有結果：{'、'.join(sorted(absent))}。",
        )
    for outcome in result.outcomes:
        if outcome.amount != amounts[outcome.reference]:
            raise _refused(
                "bank-amount-differs",
                f"The amount of {outcome.reference} is not the one that was sent.",
                f"{outcome.reference} 的金額與送出的不同。",
            )


def reason_text(reason: str) -> Text:
    """The bank's reason as a sentence."""
    return REASONS.get(reason, Text(f"The bank says: {reason}.", f"銀行回覆：{reason}。"))


def _split_trailer(text: str) -> tuple[str, str]:
    if not text.endswith("\n"):
        raise ValueError("no line end")
    at = text.rindex("\n", 0, len(text) - 1) + 1
    return text[:at], text[at:-1]


def _outcome(row: list[str]) -> Outcome:
    kind, reference, amount, verdict, reason = row
    if kind != "D" or verdict not in {"PAID", "FAILED"} or (verdict == "PAID") == bool(reason):
        raise ValueError("not a detail line")
    if not (amount.isascii() and amount.isdigit()):
        raise ValueError("not an amount")
    return Outcome(reference, int(amount), verdict == "PAID", reason)


def _cut() -> Problem:
    return _refused("bank-file-cut", "The file is cut short or altered.", "檔案不完整或已被更動。")


def _refused(slug: str, en: str, zh: str) -> Problem:
    return Problem(
        slug,
        422,
        what=Text(
            "The bank's result file was refused; nothing of it was applied.", "銀行結果檔未被接受，未套用任何一筆。"
        ),
        why=Text(en, zh),
        todo=Text("Fetch the file from the bank again, or call the bank.", "請重新向銀行取得檔案，或聯絡銀行。"),
    )
