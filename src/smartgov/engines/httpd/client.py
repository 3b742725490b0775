"""A pooled keep-alive client that shows the server's certificate and can insist on one before it sends a byte."""

from __future__ import annotations

import asyncio
import hmac
import ssl
import time
from collections import defaultdict
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

import httptools

from smartgov.engines.httpd.failures import ConnectionFailedError, NotSentError, PeerMismatchError
from smartgov.engines.httpd.framed import Choosing, FramedAsking
from smartgov.engines.httpd.messages import MAX_BODY, MAX_HEAD, Request, Response, collect_headers
from smartgov.engines.httpd.rendering import render_request
from smartgov.engines.httpd.taking import WRITE_SECONDS

IDLE_SECONDS = 30.0
"""A pooled connection unused for longer is not used again; servers keep theirs for longer."""
IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})
SWEEP_SECONDS = 0.05
"""A limit of time is kept to within this."""
MOST_SHARED = 4
"""Connections to one server that are shared: another one is made when what waits on the first cannot be written."""
CONNECT_SECONDS = 5.0
"""For so long a connection is waited for, TLS included: a process that stands still is connected to by its kernel."""
STUCK_SECONDS, _MOST_STUCK = 1.0, 1024
"""So long after a connection was waited for in vain nobody else tries: those who waited for the same go on at once."""
_Key = tuple[str, str, int]
"""Scheme, host and port of a server."""


class Client:
    """One pool of connections; use it from one event loop. `limit` bounds connections to one server.

    `judge` says whether a server's certificate (DER) may stand for the expected one (its SHA-256 in hex), which by
    itself stands for itself alone; it is asked before every request, because its answer may change. A shared connection
    of which the server takes nothing for `write_seconds` is cut.
    """

    def __init__(
        self,
        *,
        ssl: ssl.SSLContext | None = None,
        limit: int = 64,
        max_body: int = MAX_BODY,
        judge: Callable[[str, bytes], bool] | None = None,
        write_seconds: float = WRITE_SECONDS,
    ) -> None:
        self._ssl, self._limit, self._max_body, self._write_seconds = ssl, limit, max_body, write_seconds
        self._stuck: dict[_Key, float] = {}
        """Servers that were connected to in vain, and until when (monotonic) nobody else waits for them."""
        self._judge, self._since = judge or _is_itself, 0.0
        self._idle: dict[_Key, list[_Exchange]] = defaultdict(list)
        self._shared: dict[_Key, list[FramedAsking]] = defaultdict(list)
        """Connections that carry frames, and so many requests at once."""
        self._single: set[_Key] = set()
        """Servers that spoke HTTP/1.1 when they were last asked."""
        self._finding: dict[_Key, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._slots: dict[_Key, asyncio.Semaphore] = {}
        self._running: set[_Exchange] = set()
        self._sweeping = False

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: dict[str, str] | None = None,
        body: bytes = b"",
        timeout: float = 20,  # noqa: ASYNC109 - one limit over connecting, sending and the whole answer
        expect_peer: str | None = None,
        idempotent: bool | None = None,
    ) -> Response:
        """Send one request and return the answer, whatever its status.

        `expect_peer` is the SHA-256 (hex) of the server certificate's DER. A request that died on a reused connection
        before any answer is sent once more if it is `idempotent` (default: by its method).
        Raises ConnectionFailedError, or of its kinds NotSentError and PeerMismatchError, or TimeoutError.
        """
        key, host, path, query = _place(url)
        message = Request(method, path, query, {"host": host, **(headers or {})}, body)
        again = method in IDEMPOTENT if idempotent is None else idempotent
        slots = self._slots.get(key)
        if slots is None:
            slots = self._slots[key] = asyncio.Semaphore(self._limit)
        until, sent = asyncio.get_running_loop().time() + timeout, False
        if not slots.locked() and (ready := self._ready(key, expect_peer)) is not None:
            async with slots:  # does not wait, and no other task comes between
                try:
                    return await self._over(key, ready, message, until)
                except ConnectionFailedError as error:
                    sent = not isinstance(error, NotSentError)
                    if (sent and not again) or ready.heard:
                        raise
        try:
            async with asyncio.timeout_at(until), slots:
                fresh = await self._fresh(key, expect_peer)
                return await self._over(key, fresh, message, until)
        except NotSentError as error:
            if sent:  # the first time
                raise ConnectionFailedError(f"it was sent, and not again: {error}") from error
            raise

    def renew(self) -> None:
        """Use no connection any more that was made before now: the own certificate is another one."""
        self._since = time.monotonic()

    def awaited(self) -> set[tuple[str, int]]:
        """Host and port of the servers of which an answer is awaited over a connection that others share."""
        return {key[1:] for key, shared in self._shared.items() if any(one.running for one in shared)}

    async def close(self) -> None:
        """Close all idle connections."""
        for pool in self._idle.values():
            while pool:
                pool.pop().close()
        for shared in self._shared.values():
            while shared:
                shared.pop().close()

    # -- which connection ---------------------------------------------------------------------------------------

    def _ready(self, key: _Key, expect_peer: str | None) -> _Exchange | FramedAsking | None:
        """A connection that is there and can be used at once."""
        shared = self._shared.get(key)
        return self._share(shared, expect_peer) if shared else self._take(key, expect_peer)

    def _share(self, shared: list[FramedAsking], expect_peer: str | None) -> FramedAsking | None:
        """The first that can be written to: what goes together is written together. None: make another one."""
        for connection in [one for one in shared if not self._is_good(one, expect_peer)]:
            shared.remove(connection)
            connection.close()
        free = next((one for one in shared if one.writable), None)
        if free is None and len(shared) >= MOST_SHARED:
            return shared[0]
        return free

    def _is_good(self, one: FramedAsking, expect_peer: str | None) -> bool:
        fresh = one.made >= self._since and (one.running or time.monotonic() - one.used < IDLE_SECONDS)
        return fresh and one.alive and self._shows(one.peer_cert, expect_peer)

    def _shows(self, certificate: bytes, expected: str | None) -> bool:
        """Whether a server's certificate is the expected one (by its SHA-256 in hex), or may stand for it."""
        return expected is None or self._judge(expected.lower(), certificate)

    def _take(self, key: _Key, expect_peer: str | None) -> _Exchange | None:
        pool = self._idle[key]
        while pool:
            connection = pool.pop()
            fresh = connection.made >= self._since and time.monotonic() - connection.idle_since < IDLE_SECONDS
            if connection.alive and fresh and self._shows(connection.peer_cert, expect_peer):
                return connection
            connection.close()
        return None

    async def _fresh(self, key: _Key, expect_peer: str | None) -> _Exchange | FramedAsking:
        """A connection, a new one if need be; one at a time is made while it may turn out that all can share it."""
        if key[0] != "https" or key in self._single:
            return self._take(key, expect_peer) or await self._made(key, expect_peer)
        async with self._finding[key]:
            return self._ready(key, expect_peer) or await self._made(key, expect_peer)

    async def _made(self, key: _Key, expect_peer: str | None) -> _Exchange | FramedAsking:
        if time.monotonic() < self._stuck.get(key, 0.0):  # who waited for his turn to connect has waited long enough
            raise NotSentError(f"no connection to {key[1]}:{key[2]}")
        fresh = await self._connect(key)
        while fresh.made < self._since:  # meanwhile the own certificate became another one
            fresh.close()
            fresh = await self._connect(key)
        if not self._shows(fresh.peer_cert, expect_peer):
            fresh.close()
            raise PeerMismatchError("the server showed another certificate than the registered one")
        if isinstance(fresh, FramedAsking):
            self._single.discard(key)
            self._shared[key].append(fresh)
        else:
            self._single.add(key)
        return fresh

    async def _connect(self, key: _Key) -> _Exchange | FramedAsking:
        scheme, host, port = key
        context = self._ssl if scheme == "https" else None
        if scheme == "https" and context is None:
            context = self._ssl = ssl.create_default_context()
        loop, began = asyncio.get_running_loop(), time.monotonic()
        try:
            async with asyncio.timeout(CONNECT_SECONDS) as limit:
                _, choosing = await loop.create_connection(
                    lambda: Choosing(lambda: _Exchange(self._max_body), lambda: FramedAsking(self._max_body)),
                    host,
                    port,
                    ssl=context,
                    server_hostname=host if context else None,
                )
        except OSError as error:  # TimeoutError is one
            if isinstance(error, TimeoutError) and limit.expired():
                self._note_stuck(key)
            raise NotSentError(f"cannot reach {host}:{port}: {error}") from error
        chosen = choosing.chosen
        assert isinstance(chosen, _Exchange | FramedAsking)
        chosen.made = began  # the own certificate is shown as it was then, however long the handshake took
        return chosen

    def _note_stuck(self, key: _Key) -> None:
        if len(self._stuck) >= _MOST_STUCK:
            self._stuck.clear()
        self._stuck[key] = time.monotonic() + STUCK_SECONDS

    # -- one exchange -------------------------------------------------------------------------------------------

    async def _over(self, key: _Key, connection: _Exchange | FramedAsking, message: Request, until: float) -> Response:
        if not self._sweeping:
            self._sweeping = True
            asyncio.get_running_loop().call_later(SWEEP_SECONDS, self._sweep)
        if isinstance(connection, FramedAsking):
            return await connection.ask(message, until)
        return await self._alone(key, connection, message, until)

    async def _alone(self, key: _Key, connection: _Exchange, message: Request, until: float) -> Response:
        """One exchange over a connection of its own, which is kept when it can be used again."""
        self._running.add(connection)
        try:
            response = await connection.send(render_request(message), until, head_only=message.method == "HEAD")
        except BaseException:
            connection.abort()  # closed, it would wait for ever for a server to take what nobody asks for any more
            raise
        finally:
            self._running.discard(connection)
        if connection.reusable and connection.made >= self._since:
            connection.idle_since = time.monotonic()
            self._idle[key].append(connection)
        else:
            connection.close()
        return response

    def _sweep(self) -> None:
        """Give up exchanges whose time is over: one timer for all, instead of one for each."""
        loop = asyncio.get_running_loop()
        present = loop.time()
        for connection in [one for one in self._running if one.until < present]:
            connection.give_up()
        shared = [one for several in self._shared.values() for one in several if one.running or not one.writable]
        for one in shared:
            one.sweep(present, self._write_seconds)
        self._sweeping = bool(self._running or shared)
        if self._sweeping:
            loop.call_later(SWEEP_SECONDS, self._sweep)


class _Exchange(asyncio.Protocol):
    """One connection, one exchange at a time."""

    def __init__(self, max_body: int) -> None:
        self._max_body = max_body
        self._transport: Any = None
        self._waiter: asyncio.Future[Response] | None = None
        self._loop = asyncio.get_running_loop()
        self._peer: bytes | None = None
        self.alive = self.reusable = self.heard = False
        self.idle_since, self.made = 0.0, time.monotonic()
        self.until = 0.0
        self._parser: Any = httptools.HttpResponseParser(self)
        self._clear()

    def _clear(self) -> None:
        self._pairs: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []
        self._size = 0
        self._head_done = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport, self.alive = transport, True
        tls = transport.get_extra_info("ssl_object")
        self._peer = tls.getpeercert(True) if tls is not None else None

    @property
    def peer_cert(self) -> bytes:
        """The certificate of the other side, DER; empty without TLS."""
        return self._peer or b""

    def send(self, raw: bytes, until: float, *, head_only: bool) -> asyncio.Future[Response]:
        """Write a rendered request; the future is its whole answer, which is there by `until` or given up."""
        if not self.alive:
            raise NotSentError("the connection is closed")
        self._clear()
        self._head_only, self.until = head_only, until
        self.heard = self.reusable = False
        waiter = self._waiter = self._loop.create_future()
        self._transport.write(raw)
        return waiter

    def give_up(self) -> None:
        """Nobody waits any longer."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(TimeoutError())

    def close(self) -> None:
        """Close the connection."""
        self.alive = False
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """End the connection with what waits on it."""
        self.alive = False
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self.heard = True
        if self._waiter is None or self._waiter.done():
            self.close()  # bytes that no request asked for: this connection is out of step
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(f"the answer is not HTTP ({type(error).__name__})")

    def connection_lost(self, exc: Exception | None) -> None:
        self.alive = False
        self._fail("the other side hung up")

    def on_message_begin(self) -> None:
        if self._waiter is None or self._waiter.done():
            self._fail("a second answer to one question")  # the next question is not asked here

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._head_done:
            return
        self._size += len(name) + len(value)
        if self._size > MAX_HEAD:
            self._fail("the answer's head is too large")
        self._pairs.append((name, value))

    def on_headers_complete(self) -> None:
        if self._parser.get_status_code() == 100:
            return
        self._head_done, self._size = True, 0
        if self._head_only:
            self._finish()

    def on_body(self, body: bytes) -> None:
        self._size += len(body)
        if self._size > self._max_body:
            self._fail("the answer is too large")
            return
        self._body.append(body)

    def on_message_complete(self) -> None:
        if not self._head_done:  # 100 Continue
            self._pairs.clear()
            return
        self._finish()

    def _finish(self) -> None:
        if self._waiter is None or self._waiter.done():
            return
        try:
            headers = collect_headers(self._pairs)
        except ValueError as error:
            self._fail(str(error))
            return
        # With HEAD the parser still waits for a body, so such a connection is not used again.
        self.reusable = self.alive and not self._head_only and self._parser.should_keep_alive()
        parts = self._body
        body = parts[0] if len(parts) == 1 else b"".join(parts)
        answer = Response(self._parser.get_status_code(), headers, body, self._peer)
        self._waiter.set_result(answer)

    def _fail(self, reason: str) -> None:
        self.reusable = False
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(ConnectionFailedError(reason))
        if self.alive:
            self.close()


def _is_itself(expected: str, shown: bytes) -> bool:
    return hmac.compare_digest(sha256(shown).hexdigest(), expected)


@lru_cache(maxsize=1024)
def _place(url: str) -> tuple[_Key, str, str, str]:
    """The server of an address, its authority, and path and query of a request to it."""
    parts = urlsplit(url)
    key = (parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
    return key, parts.netloc, parts.path or "/", parts.query
