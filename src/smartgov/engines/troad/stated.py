"""Which configuration each gateway holds, as it says itself: two that hold different metadata of one version are seen.

A gateway tells some others, each time a new configuration comes into force and every hour, version and digest of what
it has verified, signed; they answer with the digest that they have of that version. Whoever sees two digests keeps both
statements and raises an alarm: somebody signed two configurations, and shows them to different members.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import structlog

from smartgov.engines.httpd import Request, Response
from smartgov.engines.httpd.failures import ConnectionFailedError
from smartgov.engines.pki import jws
from smartgov.engines.troad.snapshot import Gateway
from smartgov.shared.problems import Problem

if TYPE_CHECKING:
    from smartgov.engines.troad.core import Core

log = structlog.get_logger()
PATH = "/witness/v1/configuration"
TYPE = "troad-configuration+jwt"
SCHEMA = """
CREATE TABLE IF NOT EXISTS stated (
    version INTEGER, gateway TEXT, digest TEXT NOT NULL, statement TEXT NOT NULL, made INTEGER NOT NULL,
    PRIMARY KEY (version, gateway, digest)
) WITHOUT ROWID;
"""
AGAIN_SECONDS = 3600
KEPT_SECONDS = 90 * 86_400
TOLD_AT_ONCE = 3
TIMEOUT = 5.0
_FRESH = 120


class Stated:
    """One gateway's statements, and those that it was told."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._told = ("", 0)

    async def look(self) -> None:
        """Tell some other gateways which configuration is in force here, when it is new or an hour has gone by."""
        core = self._core
        now = int(core.now().timestamp())
        state = core.configuration.state()
        version, digest = state["version"], str(state["digest"])
        if not isinstance(version, int) or (self._told[0] == digest and now - self._told[1] < AGAIN_SECONDS):
            return
        gateways = core.configuration.current().gateways
        self._told = (digest, now)
        statement = self._sign(version, digest, now)
        await self._keep(core.home.gateway, version, digest, statement)
        others = [one for one in gateways.values() if one.member != core.home.member]
        for one in random.sample(others, min(TOLD_AT_ONCE, len(others))):
            await self._tell(one, statement)

    async def answer(self, request: Request) -> Response:
        """Take another gateway's statement and give the own one about the same version, or 204 for none."""
        core = self._core
        try:
            peer = core.known.of(request.peer_cert)
            said = self._read(request.body.decode("ascii"), peer)
        except Problem as problem:
            return Response.problem(problem, "en")
        except (ValueError, KeyError, TypeError):
            return Response(400)
        version = int(said["version"])
        await self._keep(peer.id, version, str(said["digest"]), request.body.decode("ascii"))
        own = self._own(version)
        return Response(204) if own is None else Response(200, {"content-type": "application/jwt"}, own.encode())

    async def _tell(self, to: Gateway, statement: str) -> None:
        core = self._core
        try:
            answer = await core.peers.request(
                "POST",
                f"https://{to.authority}{PATH}",
                body=statement.encode(),
                timeout=TIMEOUT,
                expect_peer=to.tls_fingerprint,
                idempotent=True,
            )
            if answer.status == 200:
                text = answer.body.decode("ascii")
                said = self._read(text, to)
                await self._keep(to.id, int(said["version"]), str(said["digest"]), text)
        except (ConnectionFailedError, TimeoutError, Problem, ValueError, KeyError, TypeError) as error:
            log.info("configuration_not_told", gateway=to.id, error=type(error).__name__)

    def _sign(self, version: int, digest: str, now: int) -> str:
        core = self._core
        claims = {"iss": core.home.gateway, "iat": now, "version": version, "digest": digest}
        own = core.configuration.current().gateways[core.home.gateway]
        return jws.sign(claims, core.message_key, own.message_kid, TYPE)

    def _read(self, text: str, peer: Gateway) -> Mapping[str, Any]:
        trusted = {peer.message_kid: peer.message_key}
        said = jws.verify(text, trusted, TYPE, now=self._core.now(), leeway=_FRESH, must_expire=False)
        if said["iss"] != peer.id or not isinstance(said["version"], int) or not isinstance(said["digest"], str):
            raise ValueError("it is another one's, or has another form")
        return said

    async def _keep(self, gateway: str, version: int, digest: str, statement: str) -> None:
        """Keep the first statement of a gateway about a version and any that differs; alarm when two do."""
        now = int(self._core.now().timestamp())
        row = (version, gateway, digest, statement, now)
        found = await self._core.store.apply(lambda db: _keep(db, row))
        if len(found) > 1:
            told = "; ".join(f"{one[:16]}: {', '.join(sorted(names))}" for one, names in sorted(found.items()))
            self._core.alarms.set(f"configuration-differs:{version}", told)

    def _own(self, version: int) -> str | None:
        with self._core.store.reading() as (db, _):
            row = db.execute(
                "SELECT statement FROM stated WHERE version = ? AND gateway = ?", (version, self._core.home.gateway)
            ).fetchone()
        return None if row is None else str(row[0])


def _keep(db: sqlite3.Connection, row: tuple[int, str, str, str, int]) -> dict[str, set[str]]:
    db.execute("INSERT OR IGNORE INTO stated VALUES (?, ?, ?, ?, ?)", row)
    found: dict[str, set[str]] = {}
    for digest, gateway in db.execute("SELECT digest, gateway FROM stated WHERE version = ?", (row[0],)):
        found.setdefault(digest, set()).add(gateway)
    return found


def forget(db: sqlite3.Connection, now: int) -> None:
    """Drop statements of long ago."""
    db.execute("DELETE FROM stated WHERE made < ?", (now - KEPT_SECONDS,))
