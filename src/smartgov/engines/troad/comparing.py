"""Gateways compare each hour what they exchanged: a record that one of them lacks raises an alarm at both.

An hour is compared a quarter of an hour after its end, by each side for itself; whoever is asked about an hour also
compares it. A difference is looked at again every hour for a week, and its alarm ends when it is gone.

A busy hour's records take minutes to read, beside the exchanges that go on: who is asked meanwhile says so (503), and
who asks comes again. What was read serves all other gateways, and is kept for ten minutes.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event
from typing import TYPE_CHECKING

import structlog

from smartgov.engines.httpd import Request, Response
from smartgov.engines.httpd.failures import ConnectionFailedError
from smartgov.engines.pki import jws
from smartgov.engines.troad import exchanged, hours, records
from smartgov.engines.troad.exchanged import Part
from smartgov.engines.troad.hours import GRACE_SECONDS, ROLES, Hour, Stored
from smartgov.engines.troad.names import is_number
from smartgov.engines.troad.snapshot import Gateway
from smartgov.shared.problems import Problem

if TYPE_CHECKING:
    from smartgov.engines.troad.core import Core

log = structlog.get_logger()
TYPE = "troad-exchanged+jwt"
LOOK_SECONDS = 60.0
AGAIN_SECONDS = 3600
LATE_SECONDS = 6 * 3600
"""So long an hour may wait for another gateway's answer before that is an alarm."""
BACK_HOURS = 7 * 24
TIMEOUT = 10.0
PATIENCE = 4.0
"""Seconds that one who asks is let wait for an hour that is being read; less than its `TIMEOUT`."""
HELD_SECONDS = 600
"""So long an hour that was read is kept, for the other gateways and for questions about parts."""
FAILS, LATE = "comparison-fails", "exchanges-not-compared:"
"""Alarms: what is in the own log cannot be read; with a gateway's id, that it does not tell what is in its log."""
_TOLD, _HELD = 20, 3
_FRESH = 120
_COMPARED = "INSERT OR REPLACE INTO comparison VALUES (?, ?, ?, ?, ?)"
_DUE = "INSERT OR IGNORE INTO comparison VALUES (?, ?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class Difference:
    """Ids that one side has and the other lacks, though it must have them."""

    only_here: frozenset[str]
    only_there: frozenset[str]

    def __bool__(self) -> bool:
        return bool(self.only_here or self.only_there)


class Comparing:
    """One gateway's comparisons with all others."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._asked_about: set[tuple[int, str]] = set()
        self._read: dict[int, tuple[Hour, float]] = {}
        """Hours that were read, and when (monotonic)."""
        self._reading: dict[int, asyncio.Task[Hour]] = {}
        self._ended = Event()
        self._one = asyncio.Lock()
        """One hour is read at a time."""

    # -- as the one who is asked ------------------------------------------------------------------------------------

    async def answer(self, request: Request) -> Response:
        """Tell a registered gateway, signed, of one of the sets of an hour with it: `?hour=&role=&prefix=`."""
        try:
            peer = self._core.known.of(request.peer_cert)
            self._core.restoring.refuse_unready()
        except Problem as problem:
            return Response.problem(problem, "en")
        asked = request.args()
        hour, role, prefix = asked.get("hour", ""), asked.get("role", ""), asked.get("prefix", "")
        if not is_number(hour, 8) or role not in ROLES or not set(prefix) <= set("0123456789abcdef"):
            return Response(400)
        if not self._is_over(int(hour)):
            return Response(409)
        if int(hour) < self._earliest():
            return Response(404)
        self._asked_about.add((int(hour), peer.id))
        try:
            read = await self._hour(int(hour), fresh=not prefix, patience=PATIENCE)
        except (TimeoutError, sqlite3.Error):  # it is still being read, or cannot be, of which the alarm tells
            return Response(503, {"retry-after": str(int(LOOK_SECONDS))})
        part = await asyncio.to_thread(read.ids(peer.id, role).part, prefix)
        key = self._core.message_key
        now = int(self._core.now().timestamp())
        claims = {"iss": self._core.home.gateway, "aud": peer.id, "iat": now, "exp": now + _FRESH}
        said = {**claims, "hour": int(hour), "role": role, "prefix": prefix, **part.as_dict()}
        own = self._core.configuration.current().gateways[self._core.home.gateway]
        token = jws.sign(said, key, own.message_kid, TYPE)
        return Response(200, {"content-type": "application/jwt", "cache-control": "no-store"}, token.encode())

    async def _hour(self, hour: int, *, fresh: bool, patience: float | None = None) -> Hour:
        """An hour as it was read, lately if it is to be `fresh`: parts of one set fit together. Else it is read now.

        TimeoutError when that takes longer than `patience` (seconds); it goes on.
        """
        read, made = self._read.get(hour, (None, 0.0))
        if read is not None and (not fresh or time.monotonic() - made < HELD_SECONDS):
            return read
        task = self._reading.get(hour)
        if task is None:
            task = self._reading[hour] = asyncio.create_task(self._read_now(hour))
            task.add_done_callback(lambda _: self._reading.pop(hour, None))
        return await asyncio.wait_for(asyncio.shield(task), patience)

    async def _read_now(self, hour: int) -> Hour:
        async with self._one:
            read = await asyncio.to_thread(hours.read, self._core.store.reading, hour, self._ended)
        self._read.pop(hour, None)
        self._read[hour] = read, time.monotonic()
        while len(self._read) > _HELD:
            self._read.pop(next(iter(self._read)))
        return read

    # -- as the one who asks ----------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Compare again and again what is due."""
        while True:
            try:
                await self.look()
            except (Problem, sqlite3.Error) as error:
                log.warning("comparison_not_made", error=type(error).__name__)
                self._core.alarms.set(FAILS, type(error).__name__)
            else:
                self._core.alarms.clear(FAILS)
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Read each hour that is over; compare it with each gateway until they are found to agree."""
        old = time.monotonic() - HELD_SECONDS
        self._read = {hour: (read, made) for hour, (read, made) in self._read.items() if made > old}
        if not self._core.restoring.ready:
            return
        for hour in await asyncio.to_thread(self._unread):
            await self._find(hour)
        gateways = self._core.configuration.current().gateways
        for hour, peer in await asyncio.to_thread(self._due):
            if peer in gateways:
                await self.compare(hour, gateways[peer])
        late = await asyncio.to_thread(self._late)
        self._warn({peer: hour for peer, hour in late.items() if peer in gateways})

    def _warn(self, late: dict[str, int]) -> None:
        alarms = self._core.alarms
        for name in alarms.standing:
            if name.startswith(LATE) and name.removeprefix(LATE) not in late:
                alarms.clear(name)
        for peer, hour in late.items():
            alarms.set(LATE + peer, _named(hour))

    async def _find(self, hour: int) -> None:
        """Read an hour, and remember with whom it is to be compared."""
        peers = (await self._hour(hour, fresh=True)).peers()
        now = int(self._core.now().timestamp())
        rows = [*((hour, peer, None, "", now) for peer in peers), (hour, "", 1, "", now)]
        await self._core.store.apply(lambda db: db.executemany(_DUE, rows).rowcount)

    async def compare(self, hour: int, peer: Gateway) -> Difference | None:
        """Compare one hour with one gateway, record the outcome, set or clear the alarm; None without an answer."""
        try:
            await self._ask(hour, peer, ROLES[0], "")  # an hour is not read for one who does not answer
            read = await self._hour(hour, fresh=True)
            found = await self._differences(hour, peer, {role: read.ids(peer.id, role) for role in ROLES})
        except (ConnectionFailedError, TimeoutError, Problem, ValueError, KeyError, TypeError) as error:
            log.info("comparison_not_answered", gateway=peer.id, error=type(error).__name__)
            return None
        await self._note(hour, peer, read, found)
        return found

    async def _differences(self, hour: int, peer: Gateway, mine: dict[str, Stored]) -> Difference:
        """client within provider within asked, both ways."""

        async def against(here: str, there: str) -> tuple[set[str], set[str]]:
            return await exchanged.differences(mine[here], lambda prefix: self._ask(hour, peer, there, prefix))

        taken_not_given, _ = await against("client", "provider")
        _, given_not_asked = await against("asked", "provider")
        _, their_taken_not_given = await against("provider", "client")
        given_they_did_not_ask, _ = await against("provider", "asked")
        here = taken_not_given | given_they_did_not_ask
        return Difference(frozenset(here), frozenset(given_not_asked | their_taken_not_given))

    async def _ask(self, hour: int, peer: Gateway, role: str, prefix: str) -> Part:
        answer = await self._core.peers.request(
            "GET",
            f"https://{peer.authority}{exchanged.PATH}?hour={hour}&role={role}&prefix={prefix}",
            timeout=TIMEOUT,
            expect_peer=peer.tls_fingerprint,
        )
        if answer.status != 200:
            raise ValueError("no set was told")
        trusted = {peer.message_kid: peer.message_key}
        said = jws.verify(answer.body.decode("ascii"), trusted, TYPE, now=self._core.now(), leeway=_FRESH)
        wanted = {"iss": peer.id, "aud": self._core.home.gateway, "hour": hour, "role": role, "prefix": prefix}
        if any(said.get(name) != value for name, value in wanted.items()):
            raise ValueError("it is about something else")
        return Part.of(said)

    async def _note(self, hour: int, peer: Gateway, read: Hour, found: Difference) -> None:
        core, moment, detail = self._core, _named(hour), _told(found)
        whole = {role: read.ids(peer.id, role).part() for role in ROLES}
        record = {
            "kind": "comparison",
            "side": "own",
            "time": records.moment(core.now()),
            "gateway": peer.id,
            "hour": moment,
            "counts": {role: part.count for role, part in whole.items()},
            "roots": {role: part.root for role, part in whole.items()},
            "agrees": not found,
            **({"only_here": _listed(found.only_here), "only_there": _listed(found.only_there)} if found else {}),
        }
        entry = core.entry(record)
        row = (hour, peer.id, int(not found), detail, int(core.now().timestamp()))
        before = await asyncio.to_thread(self._before, hour, peer.id)
        if before == (int(not found), detail):  # looked at again, and nothing new
            await core.store.apply(lambda db: db.execute(_COMPARED, row).rowcount)
        else:
            entry.effects.append(lambda db: db.execute(_COMPARED, row))  # type: ignore[arg-type]
            await core.store.commit([entry])
        name = f"exchanges-differ:{peer.id}:{moment}"
        if found:
            core.alarms.set(name, detail)
        else:
            core.alarms.clear(name)

    def stop(self) -> None:
        """Let nothing be waited for: an hour that is being read is given up."""
        self._ended.set()

    # -- what is to be done -----------------------------------------------------------------------------------------

    def _is_over(self, hour: int) -> bool:
        return self._core.now().timestamp() >= (hour + 1) * 3600 + GRACE_SECONDS

    def _earliest(self) -> int:
        return int(self._core.now().timestamp()) // 3600 - BACK_HOURS

    def _before(self, hour: int, peer: str) -> tuple[int | None, str] | None:
        with self._core.store.reading() as (db, _):
            query = "SELECT agrees, detail FROM comparison WHERE hour = ? AND peer = ?"
            row: tuple[int | None, str] | None = db.execute(query, (hour, peer)).fetchone()
        return row

    def _unread(self) -> list[int]:
        present = int(self._core.now().timestamp()) // 3600
        oldest = hours.first(self._core.store.reading)
        if oldest is None:
            return []
        first = max(self._earliest(), oldest)
        with self._core.store.reading() as (db, _):
            done = {hour for (hour,) in db.execute("SELECT hour FROM comparison WHERE peer = ''")}
        return [hour for hour in range(first, present + 1) if self._is_over(hour) and hour not in done]

    def _late(self) -> dict[str, int]:
        """The gateways that have not told an hour for long, with the first such hour."""
        before = (self._core.now().timestamp() - GRACE_SECONDS - LATE_SECONDS) // 3600 - 1
        query = "SELECT peer, min(hour) FROM comparison WHERE agrees IS NULL AND hour <= ? AND hour >= ? GROUP BY peer"
        with self._core.store.reading() as (db, _):
            return dict(db.execute(query, (before, self._earliest())).fetchall())

    def _due(self) -> list[tuple[int, str]]:
        now, earliest = int(self._core.now().timestamp()), self._earliest()
        with self._core.store.reading() as (db, _):
            rows = db.execute("SELECT hour, peer, agrees, detail, made FROM comparison WHERE peer <> ''").fetchall()
        done = {
            (hour, peer)
            for hour, peer, agrees, _, made in rows
            if agrees or (agrees == 0 and now - made < AGAIN_SECONDS)
        }
        for hour, peer, agrees, detail, _ in rows:
            if agrees == 0:
                self._core.alarms.set(f"exchanges-differ:{peer}:{_named(hour)}", detail)  # also after a start
        found = {(hour, peer) for hour, peer, *_ in rows} | self._asked_about
        self._asked_about -= done
        return sorted((hour, peer) for hour, peer in found - done if hour >= earliest and self._is_over(hour))


def _named(hour: int) -> str:
    return datetime.fromtimestamp(hour * 3600, UTC).strftime("%Y-%m-%dT%HZ")


def _listed(ids: frozenset[str]) -> list[str]:
    """Ids that may stand in the log: another gateway's list is not trusted to hold nothing else."""
    return [one for one in sorted(ids) if records.is_id(one)][:_TOLD]


def _told(found: Difference) -> str:
    parts = {"only here": found.only_here, "only there": found.only_there}
    listed = {name: {"count": len(ids), "ids": _listed(ids)} for name, ids in parts.items() if ids}
    return json.dumps(listed) if listed else ""
