"""Whether a consent still stands, as its issuer said at most 60 seconds ago; without such a word nothing is released.

The issuer's gateway keeps the consents that were taken back and gives registered peers a signed list of them
(`GET /status/consents`, over mutual TLS). A provider's gateway asks for it when its last one is half a minute old.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import structlog

from smartgov.engines.httpd import Request, Response
from smartgov.engines.httpd.failures import ConnectionFailedError
from smartgov.engines.pki import jws, keys
from smartgov.engines.troad.artefacts import Consent
from smartgov.engines.troad.problems import refuse
from smartgov.engines.troad.snapshot import Snapshot
from smartgov.shared.problems import Problem

if TYPE_CHECKING:
    from smartgov.engines.troad.core import Core

log = structlog.get_logger()
PATH = "/status/consents"
TYPE = "consent-status+jwt"
OLDEST_SECONDS = 60
RENEW_SECONDS = 30
TIMEOUT = 5
CLOCKS_SECONDS = 300
"""So long after its end a consent stays on the list: by a provider's clock, which may be late, it is still in force."""


@dataclass(frozen=True, slots=True)
class Word:
    """What an issuer said last: `asked` is when we asked (Unix seconds), by our own clock."""

    asked: float
    revoked: frozenset[str]
    signed_by: str
    """Thumbprint of the key that signed it: of consents that another key signed it says nothing."""


class ConsentStatus:
    """The issuers' last words at one gateway, and this gateway's own word as an issuer."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._words: dict[str, Word] = {}
        self._asking: dict[str, asyncio.Task[None]] = {}

    async def check(self, consent: Consent, snapshot: Snapshot) -> None:
        """Problem `consent-revoked`, `restored-void` for a single use that the lost time may have spent, or
        `consent-status-unknown` when the issuer's word is too old and cannot be had anew, or is not by the key that
        signed the consent: another gateway of the issuer keeps another list.
        """
        if consent.single_use:
            self._core.restoring.refuse_void(consent.issued)
        word = await self._fresh(consent.issuer, snapshot)
        if consent.jti in word.revoked or consent.jti in snapshot.revoked_consents:
            raise refuse("consent-revoked")
        if word.signed_by != consent.signed_by:
            raise refuse("consent-status-unknown", issuer=consent.issuer)

    async def answer(self, request: Request) -> Response:
        """This gateway's word as an issuer, for a registered peer."""
        self._core.known.of(request.peer_cert)
        now = int(self._core.now().timestamp())
        claims = {"iss": self._core.home.member, "iat": now, "exp": now + OLDEST_SECONDS, "revoked": self._own(now)}
        key = self._core.home.p256("consent")
        token = jws.sign(claims, key, self._kid(), TYPE)
        return Response(200, {"content-type": "application/jwt", "cache-control": "no-store"}, token.encode())

    async def _fresh(self, issuer: str, snapshot: Snapshot) -> Word:
        now = self._core.now().timestamp()
        if issuer == self._core.home.member:
            return Word(now, frozenset(self._own(int(now))), self._kid())
        word = self._words.get(issuer)
        if word is None or not 0 <= now - word.asked <= OLDEST_SECONDS:
            await self._renew(issuer, snapshot)
            word = self._words.get(issuer)
        elif now - word.asked > RENEW_SECONDS:
            self._renew(issuer, snapshot)  # in the background: this word still counts
        if word is None or not 0 <= self._core.now().timestamp() - word.asked <= OLDEST_SECONDS:
            raise refuse("consent-status-unknown", issuer=issuer)
        return word

    def _renew(self, issuer: str, snapshot: Snapshot) -> asyncio.Task[None]:
        task = self._asking.get(issuer)
        if task is None or task.done():
            task = self._asking[issuer] = asyncio.create_task(self._ask(issuer, snapshot))
        return task

    async def _ask(self, issuer: str, snapshot: Snapshot) -> None:
        member = snapshot.members.get(issuer)
        to, asked = None if member is None else snapshot.gateways.get(member.once), self._core.now()
        if to is None:
            return
        try:
            answer = await self._core.peers.request(
                "GET", f"https://{to.authority}{PATH}", timeout=TIMEOUT, expect_peer=to.tls_fingerprint
            )
            revoked = _revoked(answer, issuer, snapshot, asked)
            kid = str(jws.peek(answer.body.decode("ascii"))["kid"])
            self._words[issuer] = Word(asked.timestamp(), revoked, kid)
        except (ConnectionFailedError, TimeoutError, Problem, ValueError, KeyError, TypeError) as error:
            log.warning("consent_status_not_had", issuer=issuer, reason=type(error).__name__)

    def _kid(self) -> str:
        return keys.thumbprint(self._core.home.p256("consent").public_key())

    def _own(self, now: int) -> list[str]:
        with self._core.store.reading() as (db, _):
            rows = db.execute("SELECT jti FROM revoked_consent WHERE until >= ?", (now - CLOCKS_SECONDS,))
            return [str(jti) for (jti,) in rows]


def revoke(jti: str, until: int) -> Callable[[sqlite3.Connection], None]:
    """What the transaction of the revocation's record does."""

    def effect(db: sqlite3.Connection) -> None:
        db.execute("INSERT OR REPLACE INTO revoked_consent VALUES (?, ?)", (jti, until))

    return effect


def _revoked(answer: Response, issuer: str, snapshot: Snapshot, now: datetime) -> frozenset[str]:
    if answer.status != 200:
        raise ValueError("the issuer gave no list")
    trusted = {kid: one.key for kid, one in snapshot.consent_issuers.items() if one.member == issuer}
    claims = jws.verify(answer.body.decode("ascii"), trusted, TYPE, now=now, leeway=OLDEST_SECONDS)
    if claims["iss"] != issuer or not isinstance(claims["revoked"], list):
        raise ValueError("it is another issuer's")
    return frozenset(str(jti) for jti in claims["revoked"])
