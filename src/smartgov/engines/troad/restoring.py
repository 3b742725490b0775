"""Whether this gateway's log is the one that others have seen, and what it does when a restore has made it another.

Before a gateway works it asks other members' gateways for the newest head that they co-signed of its log. If its own
log does not lead there, it refuses everything. A restore that was done on purpose (`backup.RESTORED` lies in the home)
opens a new epoch: a record that names that head, and a new origin (`epochs`). What the lost time may have spent
(messages, single uses, tokens, idempotency keys) is refused from then on.

A gateway that enters under another log key does the same: it learns from two witnesses which key signed before, opens
an epoch that names their newest head and that key, and holds none of the old records if its log was begun anew.
"""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from smartgov.engines.httpd import Response
from smartgov.engines.httpd.failures import ConnectionFailedError
from smartgov.engines.ledger import Checkpoint, checkpoint, merkle
from smartgov.engines.troad import backup, epochs, handover, idempotency, records, soundness, wire, witness
from smartgov.engines.troad.epochs import Epoch
from smartgov.engines.troad.heads import members, needed
from smartgov.engines.troad.names import epoch_of, origin_of
from smartgov.engines.troad.problems import refuse
from smartgov.engines.troad.snapshot import Gateway
from smartgov.shared.problems import Problem

if TYPE_CHECKING:
    from smartgov.engines.troad.core import Core

log = structlog.get_logger()
ASK_SECONDS = 3.0
PATIENCE = 600
"""Seconds after a restore for which every witness is waited for; then two that answer are enough."""
_ALARM = "log-restored"
_VOID, _ENTERED = "void-until", "entered"
_ANOTHER = "others have seen more of this log, or another one; restore on purpose"
_REKEYED = "others have seen this log under another key; `smartgov gateway resume` opens an epoch under this one"


@dataclass(frozen=True, slots=True)
class Word:
    """What one witness knows of a log: its newest head, or None for none."""

    witness: str
    head: Checkpoint | None
    former: bytes = b""
    """The key that signed the head, if it is not the one that this log has now."""


class Restoring:
    """The state of one gateway: `ready`, or refusing until its log and what others know of it agree."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._marker = core.home.path / backup.RESTORED
        self.found = soundness.look(core)
        core.store.torn = bool(self.found.torn)
        self.ready = not self._marker.exists() and not self.found.torn and not self.found.doubted
        self.void_until = int(core.store.fact(_VOID) or 0)
        self.entered: dict[str, int] = json.loads(core.store.fact(_ENTERED) or "{}")
        """If it came with new keys: the moment that its first offer named (`since`), and `until` when it waits then."""

    # -- what others ask of it --------------------------------------------------------------------------------------

    def refuse_unready(self) -> None:
        """Problem `log-restored` while this log is not the one that others have seen; `log-unavailable` if torn."""
        if self.found.torn:
            raise refuse("log-unavailable", cause=soundness.ALARM)
        if not self.ready:
            raise refuse("log-restored")

    def refuse_void(self, made: float) -> None:
        """Problem `restored-void` for a one-time thing made at this Unix time: the lost time may have used it."""
        if made <= self.void_until:
            raise refuse("restored-void")

    def refuse_unsure_key(self, key: str, now: int, since: int = 0) -> None:
        """Problem `outcome-unknown` for an idempotency key that may have been used in the lost time, or at the gateway
        of the member that took keys before this one did (`since`, Unix seconds).

        A key that is a UUIDv7 from after it cannot have been.
        """
        until = max(self.void_until, since)
        if now <= until + idempotency.KEPT_SECONDS and _made(key) <= until:
            raise refuse("outcome-unknown", **({"restored": True} if self.void_until >= since else {"moved": True}))

    # -- finding out ------------------------------------------------------------------------------------------------

    async def look(self) -> None:
        """Ask the witnesses; open a new epoch where one is due. Changes `ready` and alarms, never raises a Problem."""
        meant = self._marker.exists()
        if said := replace(self.found, doubted="" if meant else self.found.doubted).words:
            self._core.alarms.set(soundness.ALARM, said)
        if self.found.torn:
            return  # no epoch can begin in it either
        try:
            asked = self._core.heads.witnesses()
        except Problem:
            return  # without a configuration nobody can be asked, and nothing is exchanged
        told = [word for word in await asyncio.gather(*map(self.ask, asked)) if word is not None]
        words = _believed(told, asked)
        if self._marker.exists():
            await self._after_restore(asked, words)
        elif astray := [word for word in words if not self._leads_to(word.head, word.former)]:
            self.ready = False
            rekeyed = any(word.former for word in astray)
            self._core.alarms.set(_ALARM, _REKEYED if rekeyed else _ANOTHER)
        else:
            self.ready = not self.found.doubted
            self._core.alarms.clear(_ALARM)

    async def ask(self, by: Gateway, of: Gateway | None = None) -> Word | None:
        """What the witness `by` knows of the log of `of` (default: ours); None: no answer, or none to be believed.

        A head counts only when it is signed with that log's own key, so that no witness can invent one; or, of our own
        log, with a key before it, which `_believed` takes on the word of two witnesses.
        """
        own = of is None
        name = self._core.home.gateway if of is None else of.id
        key = self._core.home.log_key().public_key() if of is None else of.log_key
        try:
            answer = await self._core.peers.request(
                "GET",
                f"https://{by.authority}{witness.LAST}" + ("" if own else f"?of={name}"),
                timeout=ASK_SECONDS,
                expect_peer=by.tls_fingerprint,
            )
            if answer.status == 204:
                return Word(by.id, None)
            head, former = _read(answer, key, own=own)
        except (ConnectionFailedError, TimeoutError, ValueError, Problem):
            return None
        return Word(by.id, head, former) if epoch_of(head.origin)[0] == name else None

    def _leads_to(self, head: Checkpoint | None, former: bytes) -> bool:
        """Whether this log, as it lies here, is that one or continues it; under another key only in a later epoch."""
        if head is None:
            return True
        store = self._core.store
        with store.reading() as (_, tree):
            if head.origin == store.origin:
                return not former and head.size <= tree.size() and tree.root(head.size) == head.root
        own = epochs.of_head(Checkpoint(store.origin, 2**62, merkle.EMPTY_ROOT, store.extensions))
        return epoch_of(head.origin)[1] < epoch_of(store.origin)[1] and epochs.admits(own, head)

    # -- after a restore ----------------------------------------------------------------------------------------------

    async def _after_restore(self, asked: list[Gateway], words: list[Word]) -> None:
        marker = json.loads(self._marker.read_text())
        if self._core.store.fact("restored") == marker["restored_at"]:
            self._end()  # the epoch was opened, and the gateway broke off before it could say so here
            return
        restored = datetime.fromisoformat(marker["restored_at"])
        waited = (self._core.now() - restored).total_seconds()
        answered = members(word.witness for word in words)
        if len(words) < len(asked) and (waited < PATIENCE or answered < needed(asked)):
            self._core.alarms.set(_ALARM, f"waits for witnesses: {len(words)} of {len(asked)} answered")
            return
        await self._remember_others(asked)
        facts = self._facts(marker, restored)
        if any(word.head for word in words) or not self._is_new():
            await self._open(marker, words, facts)
        elif _ENTERED in facts:  # that nobody has seen a log of the old keys does not say that there was none
            for name, value in facts.items():
                await self._core.store.set_fact(name, value)
        else:
            facts = {}
        self.void_until = int(facts.get(_VOID, self.void_until))
        self.entered = json.loads(facts.get(_ENTERED, json.dumps(self.entered)))
        self._end()

    def _facts(self, marker: dict[str, Any], restored: datetime) -> dict[str, str]:
        """What has to be remembered of the restore, by name."""
        entering, now = marker.get("entering"), self._core.now()
        # The gateway of the old keys works until this one is approved and started, which may be days after the request.
        void_until = int((now if entering else restored).timestamp()) + wire.FRESH_SECONDS
        facts = {_VOID: str(void_until)}
        if entering:
            until = int(entering.get("listed") or now.timestamp()) + entering["waits"]
            facts[_ENTERED] = json.dumps({"since": entering["since"], "until": until if entering["waits"] else 0})
        return {**facts, "restored": marker["restored_at"]}  # the last one: it says that all is done

    async def _open(self, marker: dict[str, Any], words: list[Word], facts: dict[str, str]) -> None:
        core, store = self._core, self._core.store
        with store.reading() as (_, tree):
            size = tree.size()
            here = Checkpoint(store.origin, size, tree.root(size), store.extensions)
        former = next((word.former for word in words if word.former), b"")
        anew = bool(former) and self._begun_under_this_key()
        heads = [word.head for word in words if word.head]
        known = max(heads if anew else [here, *heads], key=_order)
        number = epoch_of(known.origin)[1] + 1
        fresh = Epoch(number, known.origin, known.size, known.root, 0 if anew else size)
        lines = (*epochs.told_by(known), fresh.line, *([epochs.key_line(number, former)] if former else []))
        # What this log handed over before stays handed over, whoever still knows it.
        lines = handover.with_newest(lines, *store.extensions, *(line for head in heads for line in head.extensions))
        record = {
            "kind": "epoch",
            "side": "own",
            "time": records.moment(core.now()),
            "epoch": number,
            "origin": origin_of(store.gateway, number),
            "after": {"origin": known.origin, "size": known.size, "root": known.root.hex()},
            "restored": {"size": fresh.restored, "root": (merkle.EMPTY_ROOT if anew else here.root).hex()},
            **({"key_before": former.hex()} if former else {}),
            "lost_at_least": fresh.lost,
            "backed_up_at": marker.get("backed_up_at", ""),
            "restored_at": marker["restored_at"],
            "reapplied": marker.get("reapplied", 0),
            "witnesses": sorted(word.witness for word in words),
        }
        entry = core.entry(record)
        entry.effects.append(lambda db: _drop_beyond(db, size))
        entry.effects += [_fact(name, value) for name, value in facts.items()]
        await store.open_epoch(entry, lines)
        self.found = replace(self.found, doubted="")
        log.error("epoch_opened", epoch=number, lost_at_least=fresh.lost)
        core.alarms.set(f"epoch-opened:{number}", _in_words(fresh))

    def _is_new(self) -> bool:
        with self._core.store.reading() as (_, tree):
            return tree.size() == 0

    def _begun_under_this_key(self) -> bool:
        """Whether the log in this file never had a head of another key: then it holds no record of the old log."""
        with self._core.store.reading() as (db, _):
            row = db.execute("SELECT note FROM head ORDER BY size LIMIT 1").fetchone()
        try:
            return row is None or bool(checkpoint.verify(str(row[0]), self._core.home.log_key().public_key()))
        except Problem:
            return False

    async def _remember_others(self, asked: list[Gateway]) -> None:
        """Learn again, from the other witnesses, the newest heads of the logs that this gateway is a witness of."""
        core = self._core
        for owner in core.configuration.current().gateways.values():
            if owner.member == core.home.member:
                continue
            told = await asyncio.gather(*(self.ask(one, owner) for one in asked))
            heads = [word.head for word in told if word is not None and word.head is not None]
            if heads:
                newest = max(heads, key=_order)
                await core.store.apply(lambda db, head=newest: _learn(db, head))  # type: ignore[misc]

    def _end(self) -> None:
        self._marker.unlink(missing_ok=True)
        self.ready = True
        if not self.found.words:
            self._core.alarms.clear(soundness.ALARM)
        self._core.alarms.clear(_ALARM)


def _in_words(opened: Epoch) -> str:
    if opened.lost:
        return f"records {opened.restored} to {opened.size - 1} of {opened.origin} are lost"
    return f"after {opened.size} records of {opened.origin}; none that others have seen is lost"


def _read(answer: Response, key: Ed25519PublicKey, *, own: bool) -> tuple[Checkpoint, bytes]:
    """The head in an answer, and the key before ours that signed it."""
    note = answer.body.decode()
    try:
        return checkpoint.verify(note, key), b""
    except Problem:
        former = base64.b64decode(answer.headers.get(witness.KEY_FIELD, ""), validate=True)
        if not own or len(former) != 32:
            raise
        return checkpoint.verify(note, Ed25519PublicKey.from_public_bytes(former)), former


def _believed(words: list[Word], asked: list[Gateway]) -> list[Word]:
    """Without heads of a key before ours that fewer than two witnesses name: one alone could have invented it."""
    named: dict[bytes, set[str]] = {}
    for word in words:
        named.setdefault(word.former, set()).add(word.witness)
    return [word for word in words if not word.former or members(named[word.former]) >= needed(asked)]


def _order(head: Checkpoint) -> tuple[int, int]:
    return epoch_of(head.origin)[1], head.size


def _fact(name: str, value: str) -> Any:
    return lambda db: db.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (name, value))


def _drop_beyond(db: Any, size: int) -> None:
    """Forget heads of records that the new epoch lacks: it names the newest one, and none of them is a head of it."""
    for table in ("head", "stamp", "ledger_checkpoint"):
        db.execute(f"DELETE FROM {table} WHERE size > ?", (size,))  # noqa: S608 - names of tables


def _learn(db: Any, head: Checkpoint) -> None:
    known = db.execute("SELECT size FROM witnessed WHERE origin = ?", (head.origin,)).fetchone()
    if known is None or known[0] < head.size:
        row = (head.origin, head.size, head.root, checkpoint.format(head) + "\n")
        db.execute("INSERT OR REPLACE INTO witnessed VALUES (?, ?, ?, ?)", row)


def _made(key: str) -> float:
    """The Unix time in a UUIDv7 (RFC 9562 section 5.7), 0 for any other key."""
    try:
        value = UUID(key)
    except ValueError:
        return 0.0
    return (value.int >> 80) / 1000 if value.version == 7 else 0.0
