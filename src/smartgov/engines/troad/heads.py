"""The heads of this gateway's log: published soon after every record, co-signed by other members, stamped with time.

Nothing here stands in the way of an exchange: what fails raises an alarm and is tried again. Only when nothing could be
stamped for longer than the policy allows (`timestamps.bound`) are new exchanges refused.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

import structlog
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from smartgov.engines.httpd.failures import ConnectionFailedError
from smartgov.engines.ledger import checkpoint, cosign
from smartgov.engines.pki import timestamps
from smartgov.engines.troad import witness
from smartgov.engines.troad.names import member_of
from smartgov.engines.troad.problems import refuse
from smartgov.engines.troad.snapshot import Gateway
from smartgov.shared.problems import Problem

if TYPE_CHECKING:
    from smartgov.engines.troad.core import Core

log = structlog.get_logger()
LOOK_SECONDS = 2.0
NEEDED = 2
"""Co-signatures that a proof for people needs."""
FRESH_SECONDS = 600
"""How old such a co-signature may be."""
RENEW_SECONDS = 300
_ASKED_AT_ONCE = 3
RESTAMP = timedelta(days=30)
"""So long before an authority's certificate ends, the newest head is stamped by its next one."""
_STAMP_TIMEOUT = 10.0
NEWEST_STAMP = "SELECT size, time, ends, token FROM stamp ORDER BY time DESC, size DESC LIMIT 1"


@dataclass(frozen=True, slots=True)
class Stamp:
    """A time stamp over a head: when (Unix seconds), until when its certificate is valid, the DER answer."""

    size: int
    time: int
    ends: int
    token: bytes


class Heads:
    """Publishes, has co-signed and stamps; `run` does so for ever."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._known: dict[str, int] = {}
        self._unstamped_since: int | None = None
        self._last_stamp = 0
        self._busy = asyncio.Lock()

    async def run(self) -> None:
        """Look again and again whether there is something to publish or to stamp."""
        while True:
            try:
                await self.look()
            except Problem as problem:
                log.warning("heads_not_kept", problem=problem.slug)
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Publish a grown log, renew co-signatures that grow old, stamp when it is time."""
        if not self._core.restoring.ready:
            await self._core.restoring.look()
            return
        size, newest = await asyncio.to_thread(self._sizes)
        now = int(self._core.now().timestamp())
        if size and (newest is None or size > newest[0] or now - newest[1] > RENEW_SECONDS):
            await self.publish()
        await self._stamp_if_due(size, now)
        await self._core.stated.look()

    async def publish(self, at_least: int = 0) -> str:
        """The newest head with the co-signatures it could get, kept; `at_least` asks for that size or a larger one."""
        self._core.restoring.refuse_unready()
        async with self._busy:
            now = int(self._core.now().timestamp())
            kept = await asyncio.to_thread(self._fresh, now, at_least)
            if kept is not None:
                return kept
            note, size = await asyncio.to_thread(self._sign)
            await self._core.store.remember_checkpoint(note)
            note += "".join(await self._ask_witnesses(note, size))
            return await self._core.store.apply(lambda db: _keep(db, size, note, now))

    # -- witnesses ------------------------------------------------------------------------------------------------

    def witnesses(self) -> list[Gateway]:
        """Other members' gateways that co-sign, in an order that differs for each log, so that the work is shared."""
        here = self._core.home
        found = [
            one
            for one in self._core.configuration.current().gateways.values()
            if one.member != here.member and one.witness_key is not None
        ]
        return sorted(found, key=lambda one: sha256(f"{here.gateway}\n{one.id}".encode()).digest())

    async def _ask_witnesses(self, note: str, size: int) -> list[str]:
        try:
            waiting = self.witnesses()
        except Problem:
            waiting = []  # without a configuration nobody can be asked
        wanted, lines = needed(waiting), dict[str, str]()
        while waiting and len(lines) < wanted:
            asked, waiting = waiting[:_ASKED_AT_ONCE], waiting[_ASKED_AT_ONCE:]
            told = await asyncio.gather(*(self._ask(one, note, size) for one in asked))
            lines |= {one.member: line for one, line in zip(asked, told, strict=True) if line}
        if len(lines) < wanted:
            self._core.alarms.set("witnesses-missing", f"{len(lines)} of {wanted}")
        else:
            self._core.alarms.clear("witnesses-missing")
        return list(lines.values())

    async def _ask(self, to: Gateway, note: str, size: int) -> str:
        """The line of one witness, or nothing; a witness that knows another size is asked once more from there."""
        old = self._known.get(to.id, 0)
        for _ in range(2):
            if old > size:
                # The witness has seen more than there is: this log was shortened or restored. Its word is no proof.
                self._core.alarms.set("log-shorter-than-witnessed", f"{to.id} knows {old}, here are {size}")
                await self._core.restoring.look()
                return ""
            proof = await asyncio.to_thread(self._proof, old, size)
            try:
                answer = await self._core.peers.request(
                    "POST",
                    f"https://{to.authority}{witness.PATH}",
                    body=witness.write(old, proof, note),
                    timeout=witness.TIMEOUT,
                    expect_peer=to.tls_fingerprint,
                    idempotent=True,
                )
            except (ConnectionFailedError, TimeoutError):
                return ""
            if answer.status == 409 and answer.body.strip().isdigit():
                old = int(answer.body)
                continue
            return self._accepted(to, note, size, answer.status, answer.body)
        return ""

    def _accepted(self, to: Gateway, note: str, size: int, status: int, body: bytes) -> str:
        assert to.witness_key is not None
        line = body.decode(errors="replace")
        if status == 200 and cosign.cosignatures(note + line, {to.id: to.witness_key}) and line.count("\n") == 1:
            self._known[to.id] = size
            self._core.alarms.clear(f"witness-refuses:{to.id}")
            return line
        if status == 422:
            self._core.alarms.set(f"witness-refuses:{to.id}", "it holds another history of this log")
        return ""

    # -- time stamps ----------------------------------------------------------------------------------------------

    def refuse_unfit(self) -> None:
        """Problem `log-restored`, or `timestamps-missing` when nothing was stamped for longer than allowed."""
        self._core.restoring.refuse_unready()
        policy, since = self._core.home.timestamps, self._unstamped_since
        if policy is None or not policy.bound or since is None:
            return
        if self._core.now().timestamp() - since > policy.bound:
            raise refuse("timestamps-missing")

    async def _stamp_if_due(self, size: int, now: int) -> None:
        policy = self._core.home.timestamps
        if policy is None or not size:
            return
        last = await asyncio.to_thread(self._newest_stamp)
        grown = last is None or size > last.size
        ending = last is not None and last.ends - now < RESTAMP.total_seconds()
        if not grown:
            self._unstamped_since = None
        elif self._unstamped_since is None:
            self._unstamped_since = last.time if last else now
        due = (grown and now - self._last_stamp >= policy.every) or (ending and now - self._last_stamp >= 3600)
        if due:
            await self.stamp()

    async def stamp(self) -> bool:
        """Have the newest head stamped now; whether that succeeded."""
        policy = self._core.home.timestamps
        assert policy is not None
        note = await self.publish()
        head, now = checkpoint.parse(note), int(self._core.now().timestamp())
        self._last_stamp = now
        try:
            answer = await self._core.services.request(
                "POST",
                policy.url,
                headers={"content-type": timestamps.CONTENT_TYPE},
                body=timestamps.request(cosign.text(note)),
                timeout=_STAMP_TIMEOUT,
            )
            root = x509.load_pem_x509_certificate(policy.root.read_bytes())
            time = timestamps.verify(answer.body, cosign.text(note), [root])
        except (OSError, TimeoutError, ValueError) as error:
            self._core.alarms.set("timestamps-missing", type(error).__name__)
            return False
        ends = int(timestamps.ends_at(answer.body).timestamp())
        row = (head.size, int(time.timestamp()), ends, answer.body)
        await self._core.store.apply(lambda db: db.execute("INSERT OR REPLACE INTO stamp VALUES (?, ?, ?, ?)", row))
        self._unstamped_since = None
        self._core.alarms.clear("timestamps-missing")
        return True

    # -- reading --------------------------------------------------------------------------------------------------

    def _sizes(self) -> tuple[int, tuple[int, int] | None]:
        with self._core.store.reading() as (db, records):
            newest = db.execute("SELECT size, made FROM head ORDER BY size DESC LIMIT 1").fetchone()
            return records.size(), newest

    def _fresh(self, now: int, at_least: int) -> str | None:
        """The kept head when it covers the whole log (or `at_least`) and its co-signatures are still young."""
        with self._core.store.reading() as (db, records):
            row = db.execute("SELECT size, note FROM head ORDER BY size DESC LIMIT 1").fetchone()
            if row is None or row[0] < (at_least or records.size()):
                return None
        try:
            known = self.witnesses()
            young = fresh_cosignatures(row[1], {one.id: one.witness_key for one in known}, now, 300)
            return str(row[1]) if members(one.witness for one in young) >= needed(known) else None
        except Problem:
            return str(row[1])

    def _sign(self) -> tuple[str, int]:
        with self._core.store.reading() as (_, records):
            size = records.size()
            return records.checkpoint(size), size

    def _proof(self, old: int, size: int) -> list[bytes]:
        with self._core.store.reading() as (_, records):
            return records.consistency(old, size) if 0 < old < size else []

    def _newest_stamp(self) -> Stamp | None:
        with self._core.store.reading() as (db, _):
            row = db.execute(NEWEST_STAMP).fetchone()
        return Stamp(*row) if row else None


def _keep(db: sqlite3.Connection, size: int, note: str, now: int) -> str:
    """Keep a head that was published again, with the co-signatures that it has or had, whichever are more."""
    row = db.execute("SELECT note FROM head WHERE size = ?", (size,)).fetchone()
    kept = str(row[0]) if row is not None and cosign.text(str(row[0])) == cosign.text(note) else ""
    best = max((note, kept), key=lambda one: one.count("\n— "))
    db.execute("INSERT OR REPLACE INTO head VALUES (?, ?, ?)", (size, best, now))
    return best


def needed(witnesses: Iterable[Gateway]) -> int:
    """How many members have to co-sign, of those that these gateways are of."""
    return min(NEEDED, members(one.id for one in witnesses))


def members(gateways: Iterable[str]) -> int:
    """Of how many members these gateways (by id) are: two of one member are one witness."""
    return len({member_of(name) for name in gateways})


def fresh_cosignatures(
    note: str, keys: Mapping[str, Ed25519PublicKey | None], now: int, age: int = FRESH_SECONDS
) -> list[cosign.Cosignature]:
    """The valid co-signatures under `note` that are at most `age` seconds old."""
    known = {name: key for name, key in keys.items() if key is not None}
    return [one for one in cosign.cosignatures(note, known) if -60 <= now - one.time <= age]
