"""Gateways compare each hour what they exchanged: a record that one of them lacks raises an alarm at both.

An hour is compared a quarter of an hour after its end, by each side for itself; whoever is asked about an hour also
compares it. A difference is looked at again every hour for a week, and its alarm ends when it is gone.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import structlog

from smartgov.engines.httpd import Request, Response
from smartgov.engines.httpd.failures import ConnectionFailedError
from smartgov.engines.pki import jws
from smartgov.engines.troad import exchanged, records
from smartgov.engines.troad.exchanged import ROLES, Ids, Part
from smartgov.engines.troad.names import is_number
from smartgov.engines.troad.snapshot import Gateway
from smartgov.shared.problems import Problem

if TYPE_CHECKING:
    from smartgov.engines.troad.core import Core

log = structlog.get_logger()
TYPE = "troad-exchanged+jwt"
GRACE_SECONDS = 900
"""After the end of an hour: the longest time that a service may take, and the clocks' difference."""
LOOK_SECONDS = 60.0
AGAIN_SECONDS = 3600
BACK_HOURS = 7 * 24
TIMEOUT = 10.0
_TOLD, _SETS = 20, 12
_HELD_SECONDS = 600
"""So long after it was told a set is kept, for questions about its parts."""
_FRESH = 120


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
        self._told: dict[tuple[int, str, str], tuple[Ids, float]] = {}
        """Sets that were told, and when (monotonic)."""

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
        self._asked_about.add((int(hour), peer.id))
        ids = await self._set(int(hour), peer.id, role, fresh=not prefix)
        part = await asyncio.to_thread(ids.part, prefix)
        key = self._core.message_key
        now = int(self._core.now().timestamp())
        claims = {"iss": self._core.home.gateway, "aud": peer.id, "iat": now, "exp": now + _FRESH}
        said = {**claims, "hour": int(hour), "role": role, "prefix": prefix, **part.as_dict()}
        own = self._core.configuration.current().gateways[self._core.home.gateway]
        token = jws.sign(said, key, own.message_kid, TYPE)
        return Response(200, {"content-type": "application/jwt", "cache-control": "no-store"}, token.encode())

    async def _set(self, hour: int, peer: str, role: str, *, fresh: bool) -> Ids:
        """The set as it is now, or as it was when the whole of it was told: parts of one set fit together."""
        if fresh or (hour, peer, role) not in self._told:
            ids = await asyncio.to_thread(self._load, hour, peer, role)
            self._told[hour, peer, role] = ids, time.monotonic()
            while len(self._told) > _SETS:
                self._told.pop(next(iter(self._told)))
            return ids
        return self._told[hour, peer, role][0]

    # -- as the one who asks ----------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Compare again and again what is due."""
        while True:
            try:
                await self.look()
            except (Problem, sqlite3.Error) as error:
                log.warning("comparison_not_made", error=type(error).__name__)
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Compare each hour that is over and not yet found to agree."""
        old = time.monotonic() - _HELD_SECONDS
        self._told = {key: (ids, told) for key, (ids, told) in self._told.items() if told > old}
        if not self._core.restoring.ready:
            return
        gateways = self._core.configuration.current().gateways
        for hour, peer in await asyncio.to_thread(self._due):
            if peer in gateways:
                await self.compare(hour, gateways[peer])

    async def compare(self, hour: int, peer: Gateway) -> Difference | None:
        """Compare one hour with one gateway, record the outcome, set or clear the alarm; None without an answer."""
        try:
            mine = {role: await asyncio.to_thread(self._load, hour, peer.id, role) for role in ROLES}
            found = await self._differences(hour, peer, mine)
        except (ConnectionFailedError, TimeoutError, Problem, ValueError, KeyError, TypeError) as error:
            log.info("comparison_not_answered", gateway=peer.id, error=type(error).__name__)
            return None
        await self._note(hour, peer, mine, found)
        return found

    async def _differences(self, hour: int, peer: Gateway, mine: dict[str, Ids]) -> Difference:
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

    async def _note(self, hour: int, peer: Gateway, mine: dict[str, Ids], found: Difference) -> None:
        core, moment = self._core, datetime.fromtimestamp(hour * 3600, UTC).strftime("%Y-%m-%dT%HZ")
        detail = _told(found)
        whole = {role: await asyncio.to_thread(ids.part) for role, ids in mine.items()}
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
        entry.effects.append(lambda db: _remember(db, row))
        if before == (int(not found), detail):  # looked at again, and nothing new
            await core.store.apply(lambda db: _remember(db, row))
        else:
            await core.store.commit([entry])
        name = f"exchanges-differ:{peer.id}:{moment}"
        if found:
            core.alarms.set(name, detail)
        else:
            core.alarms.clear(name)

    # -- reading ------------------------------------------------------------------------------------------------------

    def _is_over(self, hour: int) -> bool:
        return self._core.now().timestamp() >= (hour + 1) * 3600 + GRACE_SECONDS

    def _load(self, hour: int, peer: str, role: str) -> Ids:
        return exchanged.load(self._core.store.reading, hour, peer, role)

    def _before(self, hour: int, peer: str) -> tuple[int, str] | None:
        with self._core.store.reading() as (db, _):
            row = db.execute("SELECT agrees, detail FROM compared WHERE hour = ? AND peer = ?", (hour, peer)).fetchone()
        return None if row is None else (int(row[0]), str(row[1]))

    def _due(self) -> list[tuple[int, str]]:
        now = int(self._core.now().timestamp())
        present = now // 3600
        with self._core.store.reading() as (db, _):
            done = {
                (hour, peer)
                for hour, peer, agrees, made in db.execute("SELECT hour, peer, agrees, made FROM compared")
                if agrees or now - made < AGAIN_SECONDS
            }
            for hour, peer, detail in db.execute("SELECT hour, peer, detail FROM compared WHERE NOT agrees"):
                moment = datetime.fromtimestamp(hour * 3600, UTC).strftime("%Y-%m-%dT%HZ")
                self._core.alarms.set(f"exchanges-differ:{peer}:{moment}", detail)  # also after a start
            hours = [hour for hour in range(present - BACK_HOURS, present + 1) if self._is_over(hour)]
            found = {(hour, peer) for hour in hours for peer in exchanged.peers(db, hour)}
        found |= {(hour, peer) for hour, peer in self._asked_about if hour in hours}
        self._asked_about -= done
        return sorted(found - done)


def _remember(db: sqlite3.Connection, row: tuple[Any, ...]) -> None:
    db.execute("INSERT OR REPLACE INTO compared VALUES (?, ?, ?, ?, ?)", row)


def _listed(ids: frozenset[str]) -> list[str]:
    """Ids that may stand in the log: another gateway's list is not trusted to hold nothing else."""
    return [one for one in sorted(ids) if records.is_id(one)][:_TOLD]


def _told(found: Difference) -> str:
    parts = {"only here": found.only_here, "only there": found.only_there}
    listed = {name: {"count": len(ids), "ids": _listed(ids)} for name, ids in parts.items() if ids}
    return json.dumps(listed) if listed else ""
