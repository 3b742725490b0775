"""The part of a running gateway in a handover of what may happen only once: it ends taking it, or takes it over.

Commands leave a file in the home and wait for what the log then says (`joining/handing`): `handover.json` with the
successor's id, or `takeover.jws`, a file that another gateway wrote. Each step is durable before the next begins, and
done again from where it broke off:

1. the list that outlasts a restore has the word that this gateway takes nothing more;
2. a record and every later head have it too, and calls are refused;
3. when none is worked on any more, a record says that nothing is added: now the file may be written;
4. the successor stores the file and the record that names the former's, in one transaction;
5. the member's offer names the successor, as of the moment that this record gives.

Until 5 nobody takes such calls; the former never again by the word under which it did.
"""

from __future__ import annotations

import asyncio
import json
import math
import sqlite3
from typing import TYPE_CHECKING, Any

import structlog

from smartgov.engines.httpd import Request, Response
from smartgov.engines.httpd.failures import ConnectionFailedError
from smartgov.engines.pki import keys
from smartgov.engines.troad import handover, idempotency, outlasting, records
from smartgov.engines.troad.alarms import HANDED_OVER
from smartgov.engines.troad.handover import Given, Taken
from smartgov.engines.troad.problems import refuse
from smartgov.engines.troad.snapshot import Member
from smartgov.shared.problems import Problem

if TYPE_CHECKING:
    from pathlib import Path

    from smartgov.engines.troad.core import Core

log = structlog.get_logger()
ASKED, HANDED = "handover.json", "takeover.jws"
ERASURES = "/once/erasures"
_TIMEOUT = 5
REFUSED = "handover-refused"
"""The alarm of a file that was not taken."""


class Moving:
    """What one gateway handed over or took over, and how many calls that may happen only once it works on."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self.running = 0
        self.taken = Taken.kept(core.store.fact(handover.TAKEN))
        self._lines: tuple[str, ...] | None = None
        self._given: Given | None = None

    @property
    def given(self) -> Given | None:
        """This log's word that another gateway takes what may happen only once."""
        if self._lines is not self._core.store.extensions:
            self._lines = self._core.store.extensions
            self._given = handover.given_by(self._lines)
        return self._given

    def unsure(self, since: int) -> int:
        """Before when a key of which nothing is known may have been used elsewhere: `since`, from when on this gateway
        is in charge, unless it knows better because all was handed over.
        """
        return self.taken.unsure if self.taken is not None and self.taken.since == since else self.begins(since)

    def begins(self, since: int) -> int:
        """From when on this gateway takes keys by an offer that says `since`: later where it entered with new keys by
        that very offer, and others may still work by the word of the old ones.
        """
        entered = self._core.restoring.entered
        return max(since, int(entered["until"])) if entered.get("since") == since else since

    def state(self) -> dict[str, Any]:
        """Who takes what may happen only once, as far as this gateway knows: for its health."""
        member = self._member()
        if member is None:
            return {"gateway": "", "state": "unknown"}
        if member.once != self._core.home.gateway:
            return {"gateway": member.once, "state": "elsewhere"}
        if self.given is not None and member.once_since <= self.given.at:
            complete = json.loads(self._core.store.fact(handover.COMPLETE) or "{}")
            done = complete.get("at") == self.given.at
            return {"gateway": self.given.to, "state": "handed-over" if done else "ending"}
        begun = self.begins(member.once_since) <= self._core.now().timestamp()
        return {"gateway": member.once, "state": "here" if begun else "moving"}

    async def look(self) -> None:
        """Go on with what a command asked for."""
        if not self._core.restoring.ready:
            return
        try:
            await self._give()
            await self._take()
        except (OSError, ValueError, KeyError, TypeError, Problem) as error:
            slug = error.slug if isinstance(error, Problem) else type(error).__name__
            log.exception("handover_failed", reason=slug)
        state = self.state()
        if state["state"] in {"ending", "handed-over"}:
            self._core.alarms.set(HANDED_OVER, f"until the offer names {state['gateway']}")
        else:
            self._core.alarms.clear(HANDED_OVER)

    # -- the former -------------------------------------------------------------------------------------------------

    async def _give(self) -> None:
        path = self._core.home.path / ASKED
        member = self._member()
        if member is None or not path.exists():
            return
        asked = json.loads(path.read_bytes())
        if (member.once, member.once_since) != (self._core.home.gateway, asked["since"]):
            log.warning("handover_not_begun", reason="the offer names another gateway or moment by now")
            path.unlink()
            return
        if self.given is None or self.given.at < member.once_since:
            await self._end(str(asked["to"]), member)
        if self.running == 0 and self.given is not None:
            await self._complete(self.given, member)
            path.unlink()

    async def _end(self, to: str, member: Member) -> None:
        """Take nothing more from here on, whatever becomes of this process or its file."""
        core = self._core
        given = Given(to, max(int(core.now().timestamp()), member.once_since))
        await asyncio.to_thread(outlasting.note, core.home.outlasting, outlasting.handed_over(given.line))
        record = {"kind": "handover", "side": "own", "time": records.moment(core.now()), "step": "ends"}
        entry = core.entry({**record, "to": to, "at": given.at, "since": member.once_since})
        await core.store.open_epoch(entry, handover.with_newest(core.store.extensions, given.line))
        log.info("once_ended", to=to)

    async def _complete(self, given: Given, member: Member) -> None:
        """Say in the log that nothing is added: what broke off is known as that from now on."""
        core = self._core
        if json.loads(core.store.fact(handover.COMPLETE) or "{}").get("at") == given.at:
            return
        unsure = max(core.restoring.void_until, self.unsure(member.once_since), core.claims.unsure)
        fact = {"at": given.at, "since": member.once_since, "unsure": unsure, "origin": core.store.origin}

        def effect(db: sqlite3.Connection) -> None:
            db.execute("UPDATE claim SET state = 'unknown' WHERE state = 'running'")
            (first,) = db.execute("SELECT coalesce(max(idx), 0) FROM ledger_record").fetchone()
            db.execute(
                "INSERT OR REPLACE INTO fact VALUES (?, ?)", (handover.COMPLETE, json.dumps({**fact, "from": first}))
            )

        record = {"kind": "handover", "side": "own", "time": records.moment(core.now()), "step": "complete"}
        entry = core.entry({**record, "to": given.to, "at": given.at})
        entry.effects.append(effect)
        await core.store.commit([entry])
        log.info("once_handed_over", to=given.to)

    # -- the successor ----------------------------------------------------------------------------------------------

    async def _take(self) -> None:
        core, path = self._core, self._core.home.path / HANDED
        if not path.exists():
            return
        try:
            await self._take_over(path)
        except Problem as problem:
            if problem.slug != "handover-refused":
                raise
            core.alarms.set(REFUSED, problem.why.en)
            log.warning("handover_refused", why=problem.why.en)
        else:
            core.alarms.clear(REFUSED)
        path.unlink()

    async def _take_over(self, path: Path) -> None:
        core = self._core
        handed = await asyncio.to_thread(handover.read, path, core.home, core.configuration.current(), core.now())
        if self.taken is not None and (self.taken.former, self.taken.at) == (handed.former, handed.at):
            return
        since = math.ceil(core.now().timestamp())
        if self.given is not None:
            since = max(since, self.given.at + 1)
        taken = Taken(handed.former, handed.at, since, handed.unsure)
        erased = await asyncio.to_thread(lambda: list(outlasting.erasures(core.home.outlasting)))
        record = {"kind": "takeover", "side": "own", "time": records.moment(core.now()), "from": handed.former}
        counts = dict(zip(("claims", "spent"), handed.counts, strict=True))
        entry = core.entry({**record, "of": handed.record, "at": handed.at, "since": since, **counts})
        entry.effects.append(lambda db: handover.keep(db, handed, core.home, taken, erased))
        await core.store.commit([entry])
        core.claims.key, self.taken = handed.claims, taken
        log.info("once_taken_over", former=handed.former)

    # -- erasures -----------------------------------------------------------------------------------------------------

    async def erase_there(self, exchange: str, told: tuple[str, ...]) -> None:
        """Have the gateway that took over erase the answer kept for an exchange, unless it is among those `told`.

        Problem `gateway-unreachable` until it has: here it is erased, and asking again does the rest.
        """
        core, given = self._core, self.given
        if given is None or given.to in told:
            return
        with core.store.reading() as (db, _):
            if not idempotency.knows(db, exchange):
                return
        try:
            to = core.configuration.current().gateways[given.to]
            answer = await core.peers.request(
                "POST",
                f"https://{to.authority}{ERASURES}",
                body=json.dumps({"exchange": exchange, "told": [*told, core.home.gateway]}).encode(),
                timeout=_TIMEOUT,
                expect_peer=to.tls_fingerprint,
                idempotent=True,
            )
        except (ConnectionFailedError, TimeoutError, KeyError, Problem):
            raise refuse("gateway-unreachable", gateway=given.to) from None
        if answer.status != 204:
            raise refuse("gateway-unreachable", gateway=given.to)

    async def erase_here(self, request: Request) -> Response:
        """What another gateway of this member, which handed its claims over, has erased."""
        core = self._core
        try:
            peer = core.known.of(request.peer_cert)
            if peer.member != core.home.member:
                return Response(403)
            said = json.loads(request.body)
            exchange, told = str(said["exchange"]), tuple(str(one) for one in said["told"])
            if not records.ID.fullmatch(exchange):
                return Response(400)
            await asyncio.to_thread(outlasting.note, core.home.outlasting, outlasting.erasure(exchange))
            erased = await core.store.erase(exchange)
            record = {"kind": "erasure", "side": "own", "time": records.moment(core.now()), "gateway": peer.id}
            await core.store.commit([core.entry({**record, "id": exchange, "erased": erased})])
            await self.erase_there(exchange, (*told, peer.id))
        except Problem as problem:
            return Response.problem(problem, "en")
        except (OSError, ValueError, KeyError, TypeError):
            return Response(400)
        return Response(204)

    def _member(self) -> Member | None:
        try:
            return self._core.configuration.current().members.get(self._core.home.member)
        except Problem:
            return None


def ask(home: Path, to: str, since: int) -> None:
    """Let the gateway of this home hand over to the gateway `to` what it is in charge of since `since`."""
    keys.write_secret(home / ASKED, json.dumps({"to": to, "since": since}).encode())
