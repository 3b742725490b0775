"""A pooled keep-alive client that shows the server's certificate and can insist on one before it sends a byte."""

from __future__ import annotations

import asyncio
import hmac
import ssl
import time
from collections import defaultdict
from collections.abc import Callable
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

import httptools

from smartgov.engines.httpd.messages import MAX_BODY, MAX_HEAD, Response, collect_headers, render_headers

IDLE_SECONDS = 30.0
"""A pooled connection unused for longer is not used again; servers keep theirs for longer."""
IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})


class ConnectionFailedError(OSError):
    """The other side could not be reached, hung up, or did not speak HTTP."""


class NotSentError(ConnectionFailedError):
    """Not a byte of the request left: it is certain that nothing was done."""


class PeerMismatchError(NotSentError):
    """The server showed another certificate than the one expected; nothing was sent."""


class Client:
    """One pool of connections; use it from one event loop. `limit` bounds connections to one server.

    `judge` says whether a server's certificate (DER) may stand for the expected one (its SHA-256 in hex), which by
    itself stands for itself alone; it is asked before every request, because its answer may change.
    """

    def __init__(
        self,
        *,
        ssl: ssl.SSLContext | None = None,
        limit: int = 64,
        max_body: int = MAX_BODY,
        judge: Callable[[str, bytes], bool] | None = None,
    ) -> None:
        self._ssl, self._limit, self._max_body = ssl, limit, max_body
        self._judge, self._since = judge or _is_itself, 0.0
        self._idle: dict[tuple[str, str, int], list[_Exchange]] = defaultdict(list)
        self._slots: dict[tuple[str, str, int], asyncio.Semaphore] = {}

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
        parts = urlsplit(url)
        key = (parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
        raw = _render(method, _target(url), parts.netloc, headers or {}, body)
        again = method in IDEMPOTENT if idempotent is None else idempotent
        slots = self._slots.setdefault(key, asyncio.Semaphore(self._limit))
        async with asyncio.timeout(timeout), slots:
            return await self._exchange(key, raw, expect_peer, again=again, head_only=method == "HEAD")

    def renew(self) -> None:
        """Use no connection any more that was made before now: the own certificate is another one."""
        self._since = time.monotonic()

    async def close(self) -> None:
        """Close all idle connections."""
        for pool in self._idle.values():
            while pool:
                pool.pop().close()

    async def _exchange(
        self, key: tuple[str, str, int], raw: bytes, expect_peer: str | None, *, again: bool, head_only: bool
    ) -> Response:
        pooled = self._take(key, expect_peer)
        connection = pooled or await self._connect(key)
        try:
            connection.check_peer(expect_peer, self._judge)
            response = await connection.send(raw, head_only=head_only)
        except PeerMismatchError:
            connection.close()
            raise
        except ConnectionFailedError as error:
            connection.close()
            unsent = isinstance(error, NotSentError)
            if pooled is None or not (again or unsent) or connection.heard:
                raise
            connection = await self._connect(key)
            connection.check_peer(expect_peer, self._judge)
            response = await connection.send(raw, head_only=head_only)
        except BaseException:
            connection.close()
            raise
        if connection.reusable and connection.made >= self._since:
            connection.idle_since = time.monotonic()
            self._idle[key].append(connection)
        else:
            connection.close()
        return response

    def _take(self, key: tuple[str, str, int], expect_peer: str | None) -> _Exchange | None:
        pool = self._idle[key]
        while pool:
            connection = pool.pop()
            fresh = connection.made >= self._since and time.monotonic() - connection.idle_since < IDLE_SECONDS
            if connection.alive and fresh and connection.shows(expect_peer, self._judge):
                return connection
            connection.close()
        return None

    async def _connect(self, key: tuple[str, str, int]) -> _Exchange:
        scheme, host, port = key
        context = self._ssl if scheme == "https" else None
        if scheme == "https" and context is None:
            context = self._ssl = ssl.create_default_context()
        loop = asyncio.get_running_loop()
        try:
            _, connection = await loop.create_connection(
                lambda: _Exchange(self._max_body), host, port, ssl=context, server_hostname=host if context else None
            )
        except OSError as error:
            raise NotSentError(f"cannot reach {host}:{port}: {error}") from error
        return connection


class _Exchange(asyncio.Protocol):
    """One connection, one exchange at a time."""

    def __init__(self, max_body: int) -> None:
        self._max_body = max_body
        self._transport: Any = None
        self._waiter: asyncio.Future[Response] | None = None
        self._peer: bytes | None = None
        self.alive = self.reusable = self.heard = False
        self.idle_since, self.made = 0.0, time.monotonic()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport, self.alive = transport, True
        tls = transport.get_extra_info("ssl_object")
        self._peer = tls.getpeercert(True) if tls is not None else None

    def shows(self, expected: str | None, judge: Callable[[str, bytes], bool]) -> bool:
        """Whether the server's certificate is the expected one (by its SHA-256 in hex), or may stand for it."""
        return expected is None or judge(expected.lower(), self._peer or b"")

    def check_peer(self, expected: str | None, judge: Callable[[str, bytes], bool]) -> None:
        """Insist on that."""
        if not self.shows(expected, judge):
            raise PeerMismatchError("the server showed another certificate than the registered one")

    async def send(self, raw: bytes, *, head_only: bool) -> Response:
        """Write a rendered request and wait for its whole answer."""
        if not self.alive:
            raise NotSentError("the connection is closed")
        self._parser: Any = httptools.HttpResponseParser(self)
        self._pairs: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []
        self._size = 0
        self._head_only, self._head_done = head_only, False
        self.heard = self.reusable = False
        self._waiter = asyncio.get_running_loop().create_future()
        self._transport.write(raw)
        return await self._waiter

    def close(self) -> None:
        """Close the connection."""
        self.alive = False
        if self._transport is not None:
            self._transport.close()

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
        answer = Response(self._parser.get_status_code(), headers, b"".join(self._body), self._peer)
        self._waiter.set_result(answer)

    def _fail(self, reason: str) -> None:
        self.reusable = False
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(ConnectionFailedError(reason))
        if self.alive:
            self.close()


def _is_itself(expected: str, shown: bytes) -> bool:
    return hmac.compare_digest(sha256(shown).hexdigest(), expected)


def _target(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"


def _render(method: str, target: str, host: str, headers: dict[str, str], body: bytes) -> bytes:
    if any(mark in target or mark in method for mark in " \r\n\0"):
        raise ValueError("method or target holds a space or line break")
    fields = {"host": host, **headers}
    if body or method in {"POST", "PUT", "PATCH"}:
        fields["content-length"] = str(len(body))
    return f"{method} {target} HTTP/1.1\r\n{''.join(render_headers(fields))}\r\n".encode("latin-1") + body
