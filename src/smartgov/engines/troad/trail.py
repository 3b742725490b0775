"""Checking a trail answer: pure, without network, by whoever keeps a gateway's last checkpoint."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from smartgov.engines.ledger import Checkpoint, checkpoint, merkle
from smartgov.engines.pki import keys
from smartgov.engines.troad import epochs, heads
from smartgov.engines.troad.epochs import Epoch
from smartgov.engines.troad.names import epoch_of
from smartgov.engines.troad.problems import refuse
from smartgov.shared import clock
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text


@dataclass(frozen=True, slots=True)
class TrailEntry:
    """One listed record: where it stands, what it says, and whether its proof holds."""

    index: int
    record: dict[str, Any]
    proven: bool


@dataclass(frozen=True, slots=True)
class TrailVerdict:
    """`entries_proven`: the head is signed, continues the pinned one, and every listed entry is under it.

    `checkpoint` is the new head to pin, only when everything held; `problem` says what did not.
    """

    entries_proven: bool
    entries: list[TrailEntry] = field(default_factory=list)
    checkpoint: Checkpoint | None = None
    note: str = ""
    problem: Problem | None = None
    lost: int = 0
    """Records that the pinned head had and that were lost in a restore, as the log itself admits."""


def verify(
    answer: Mapping[str, Any],
    pinned: Checkpoint | None,
    log_key: Ed25519PublicKey | Mapping[str, Any],
    origin: str | None = None,
    *,
    witnesses: Mapping[str, Mapping[str, Any]] | None = None,
    now: datetime | None = None,
) -> TrailVerdict:
    """Check signature, co-signatures, consistency with `pinned` and the inclusion of every entry.

    `log_key` (a key or its JWK), `origin` and `witnesses` (gateway to JWK, of other members) are those of the signed
    configuration, never those of the answer. Two witnesses (or all, where there are fewer) must have signed within ten
    minutes before `now`; without `witnesses` nobody else is asked for.
    """
    try:
        key = log_key if isinstance(log_key, Ed25519PublicKey) else keys.from_jwk(dict(log_key))
        assert isinstance(key, Ed25519PublicKey)
        entries = [_entry(raw) for raw in answer["entries"]]
        proofs = [[bytes.fromhex(part) for part in raw["proof"]] for raw in answer["entries"]]
        exact = [base64.b64decode(raw["record"], validate=True) for raw in answer["entries"]]
        consistency = [bytes.fromhex(part) for part in answer["consistency"]]
        head = checkpoint.verify(answer["checkpoint"], key)
        opened = epochs.of_head(head)
        if origin is not None and epoch_of(head.origin)[0] != origin:
            raise ValueError("it is the head of another log")
    except Problem as problem:
        return TrailVerdict(False, _unproven(answer), problem=problem)
    except (KeyError, TypeError, ValueError, AssertionError):
        return TrailVerdict(False, [], problem=_unproven_because("Its form is wrong.", "格式錯誤。"))
    if not _witnessed(str(answer["checkpoint"]), witnesses or {}, now):
        unseen = _unproven_because(
            "Fewer than two other agencies have lately seen this state of the log.",
            "近期見證此日誌狀態的其他機關不足兩個。",
        )
        return TrailVerdict(False, entries, problem=unseen)
    if (why := _continues(pinned, head, consistency)) is not None:
        return TrailVerdict(False, entries, problem=why)
    checked = [
        TrailEntry(entry.index, entry.record, _included(entry.index, record, proof, head))
        for entry, record, proof in zip(entries, exact, proofs, strict=True)
    ]
    if not all(entry.proven for entry in checked):
        why = _unproven_because("A listed record was altered or is not in the log.", "清單中的紀錄遭更動或不在日誌中。")
        return TrailVerdict(False, checked, problem=why)
    lost = _lost(pinned, opened)
    return TrailVerdict(True, checked, head, str(answer["checkpoint"]), lost=lost)


def _witnessed(note: str, witnesses: Mapping[str, Mapping[str, Any]], now: datetime | None) -> bool:
    known = {name: keys.from_jwk(dict(jwk)) for name, jwk in witnesses.items()}
    usable = {name: key for name, key in known.items() if isinstance(key, Ed25519PublicKey)}
    moment = int((now or clock.now()).timestamp())
    young = heads.fresh_cosignatures(note, usable, moment)
    return heads.members(one.witness for one in young) >= min(heads.NEEDED, heads.members(usable))


def _included(index: int, record: bytes, proof: list[bytes], head: Checkpoint) -> bool:
    leaf = merkle.leaf_hash(record)
    return merkle.verify_inclusion(leaf=leaf, index=index, size=head.size, proof=proof, expected_root=head.root)


def _continues(pinned: Checkpoint | None, head: Checkpoint, proof: list[bytes]) -> Problem | None:
    if pinned is None or pinned.size == 0:
        return None
    number = epoch_of(pinned.origin)[1]
    if epoch_of(pinned.origin)[0] != epoch_of(head.origin)[0]:
        return _unproven_because("It is the head of another log.", "這是其他日誌的檢查點。")
    if number > epoch_of(head.origin)[1]:
        return _unproven_because("The log went back to before a restore.", "日誌退回還原前的狀態。")
    if _lost(pinned, epochs.of_head(head)):
        if epochs.admits(epochs.of_head(head), pinned):
            return None
        return _unproven_because("A restore conceals what was seen of the log.", "還原後的日誌隱匿先前已見的內容。")
    if head.size < pinned.size:
        return _unproven_because("The log is shorter than it was: records are missing.", "日誌變短：有紀錄遺失。")
    held = merkle.verify_consistency(
        old=pinned.size, new=head.size, old_root=pinned.root, new_root=head.root, proof=proof
    )
    return None if held else _unproven_because("The log's past was altered.", "日誌過去的內容遭更動。")


def _lost(pinned: Checkpoint | None, opened: tuple[Epoch, ...]) -> int:
    """How many records of the pinned head a log with these epochs has lost."""
    if pinned is None:
        return 0
    kept = epochs.kept_until(opened, epoch_of(pinned.origin)[1])
    return 0 if kept is None else max(0, pinned.size - kept)


def _entry(raw: Mapping[str, Any]) -> TrailEntry:
    return TrailEntry(int(raw["index"]), _record(raw["record"]), False)


def _record(text: str) -> dict[str, Any]:
    try:
        record = json.loads(base64.b64decode(text, validate=True))
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}


def _unproven(answer: Mapping[str, Any]) -> list[TrailEntry]:
    return [_entry(raw) for raw in answer["entries"]]


def _unproven_because(en: str, zh: str) -> Problem:
    problem = refuse("trail-unproven")
    problem.why = Text(en, zh)
    return problem
