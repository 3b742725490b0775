"""The server side: one protocol object a connection; over HTTP/1.1 its requests are answered one after another."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import httptools
import structlog

from smartgov.engines.httpd.answering import IDLE_SECONDS, NEVER, READ_SECONDS, answer, malformed
from smartgov.engines.httpd.framed import Choosing, FramedServing
from smartgov.engines.httpd.messages import (
    MAX_BODY,
    MAX_HEAD,
    Handler,
    HeadRefusedError,
    Request,
    Response,
    collect_headers,
)
from smartgov.engines.httpd.rendering import render
from smartgov.engines.httpd.taking import WRITE_SECONDS, Taking

log = structlog.get_logger()

SWEEP_SECONDS = 0.5
"""How often that is looked at."""
LINGER_SECONDS = 2.0
"""So long is read, and dropped, what a refused client still sends: a socket closed at once would take the word back."""
AT_ONCE = 2**16
"""So many bytes of an answer the system takes at once."""
MAX_WAITING = 16
"""Requests that may be waiting on one connection before its socket is no longer read."""


class Server:
    """A listening server: `port`, and `stop` which lets running requests finish."""

    def __init__(
        self,
        handler: Handler,
        max_body: int,
        write_seconds: float = WRITE_SECONDS,
        on_cut: Callable[[bytes | None], None] | None = None,
    ) -> None:
        self.handler, self.max_body, self.write_seconds, self._on_cut = handler, max_body, write_seconds, on_cut
        self.connections: set[_Connection | FramedServing] = set()
        self.listener: asyncio.AbstractServer | None = None
        self.port = 0
        self._sweeping: asyncio.TimerHandle | None = None

    def connection(self) -> asyncio.BaseProtocol:
        """What serves a new connection: HTTP/1.1, or frames where TLS agrees on them."""
        return Choosing(lambda: _Connection(self), lambda: FramedServing(self))

    def sweep(self) -> None:
        """Close the connections whose time is over, now and again: one timer for all, instead of one a message."""
        loop = asyncio.get_running_loop()
        present = loop.time()
        for connection in list(self.connections):
            if connection.taking.stands_still(present, self.write_seconds):
                self._cut(connection)
            elif connection.ends_at < present:
                connection.expire()
        self._sweeping = loop.call_later(SWEEP_SECONDS, self.sweep) if self.connections else None

    def _cut(self, connection: _Connection | FramedServing) -> None:
        """End a connection whose other side takes nothing: answers that wait there have been recorded by whoever made
        them, and are lost to that side alone.
        """
        log.warning("connection_not_read", end="serving", seconds=self.write_seconds)
        connection.cut()
        if self._on_cut is not None:
            self._on_cut(connection.peer_cert)

    def opened(self, connection: _Connection | FramedServing) -> None:
        """Look after a new connection."""
        self.connections.add(connection)
        if self._sweeping is None:
            self._sweeping = asyncio.get_running_loop().call_later(SWEEP_SECONDS, self.sweep)

    def close(self) -> None:
        """Stop listening and close connections that are idle."""
        if self.listener is not None:
            self.listener.close()
        for connection in list(self.connections):
            connection.close_when_idle()

    async def wait_closed(self) -> None:
        """Wait until the listening socket is closed."""
        if self.listener is not None:
            await self.listener.wait_closed()

    async def stop(self, grace: float = 5.0) -> None:
        """Close, and give running requests `grace` seconds before their connections are cut."""
        self.close()
        deadline = time.monotonic() + grace
        while self.connections and time.monotonic() < deadline:  # noqa: ASYNC110 - they end in callbacks
            await asyncio.sleep(0.02)
        for connection in list(self.connections):
            connection.abort()
        for _ in range(2):  # so that the connections' tasks hear of it while there is a loop
            await asyncio.sleep(0)


async def serve(
    handler: Handler,
    *,
    host: str = "127.0.0.1",
    port: int,
    ssl: ssl.SSLContext | None = None,
    max_body: int = MAX_BODY,
    write_seconds: float = WRITE_SECONDS,
    on_cut: Callable[[bytes | None], None] | None = None,
    ready: Callable[[int], None] | None = None,
) -> Server:
    """Listen on `host:port` (port 0: any free one) and answer with `handler`; `ready` is called with the real port.

    Who takes nothing for `write_seconds` of what was written to it is cut off, and `on_cut` told of the other side's
    certificate (DER).
    """
    server = Server(handler, max_body, write_seconds, on_cut)
    loop = asyncio.get_running_loop()
    server.listener = await loop.create_server(server.connection, host, port, ssl=ssl, backlog=512)
    server.port = server.listener.sockets[0].getsockname()[1]
    if ready is not None:
        ready(server.port)
    return server


class _Connection(asyncio.Protocol):
    def __init__(self, server: Server) -> None:
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._parser: Any = httptools.HttpRequestParser(self)
        self._transport: Any = None
        self.peer_cert: bytes | None = None
        self._waiting: deque[tuple[Request, bool]] = deque()
        self._task: asyncio.Task[None] | None = None
        """Works on one request after another, for as long as the connection lasts."""
        self._busy = False
        self._wake: asyncio.Future[None] | None = None
        """Where the task waits for the next request."""
        self.ends_at = NEVER
        self._writable = asyncio.Event()
        self._writable.set()
        self._closing = False
        self._refused = False
        self._paused = False
        self._begin()

    # -- connection ---------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self.taking = Taking(transport)
        tls = transport.get_extra_info("ssl_object")
        self.peer_cert = tls.getpeercert(True) if tls is not None else None
        self._server.opened(self)
        self.ends_at = self._loop.time() + IDLE_SECONDS

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.connections.discard(self)
        self._closing = True
        self._writable.set()
        self.ends_at = NEVER
        # A request that is being worked on runs to its end: what it committed must not depend on the caller's patience.
        self._call()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def close_when_idle(self) -> None:
        """Take no further request; close now if none is running."""
        self._closing = True
        if not self._busy and self._transport is not None:
            self._transport.close()

    def cut(self) -> None:
        """End the connection with what waits on it; a request that is being worked on runs to its end."""
        self._transport.abort()

    def abort(self) -> None:
        """Cut the connection and the running request."""
        if self._task is not None:
            self._task.cancel()
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        if self._closing:
            return
        self._fed += len(data)
        self._bare += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._refuse(400, "upgrade is not supported")
        except (httptools.HttpParserError, httptools.HttpParserCallbackError) as error:
            if not self._refused:
                self._refuse(400, type(error).__name__)
        if self._fed > MAX_HEAD and not self._head_done:
            self._refuse(431, "head too large", MAX_HEAD)
        elif self._bare > MAX_HEAD and self._head_done:
            self._refuse(431, "trailers too large", MAX_HEAD)

    def expire(self) -> None:
        """Its time is over: close it, unless a request is being worked on. What is on its way out goes first."""
        if not self._busy and self.taking.waits:
            return
        self.ends_at = NEVER
        if not self._busy and self._transport is not None:
            self._transport.close()

    # -- parser callbacks ---------------------------------------------------------------------------------------

    def _begin(self) -> None:
        self._url = b""
        self._pairs: list[tuple[bytes, bytes]] = []
        self._headers: dict[str, str] = {}
        self._fed = self._bare = 0
        self._head_done = False
        self._parts: list[bytes] = []
        self._body_size = 0

    def on_message_begin(self) -> None:
        fed = self._fed
        self._begin()
        self._fed = fed
        self.ends_at = self._loop.time() + READ_SECONDS

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._head_done:  # else it is a trailer, of which nothing is kept
            self._pairs.append((name, value))

    def on_headers_complete(self) -> None:
        if self._fed > MAX_HEAD and _size(self._url, self._pairs) > MAX_HEAD:
            self._refuse(431, "head too large", MAX_HEAD)
            return
        self._head_done, self._bare = True, 0
        try:
            headers = self._headers = collect_headers(self._pairs)
        except HeadRefusedError as error:
            self._refuse(400, str(error))
            return
        length = headers.get("content-length")
        if length is not None and length.isdigit() and int(length) > self._server.max_body:
            self._refuse(413, "body too large", self._server.max_body)
        elif headers.get("expect", "").lower() == "100-continue" and not self._refused:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        self._body_size += len(body)
        self._bare = 0
        if self._body_size > self._server.max_body:
            self._refuse(413, "body too large", self._server.max_body)
        elif not self._refused:
            self._parts.append(body)

    def on_message_complete(self) -> None:
        if self._parser.should_upgrade():
            self._refuse(400, "upgrade is not supported")
        if self._refused:
            return
        try:
            request = self._request()
        except httptools.HttpParserInvalidURLError as error:
            self._refuse(400, str(error))
            return
        self._fed, self._bare, self.ends_at = 0, 0, NEVER
        self._waiting.append((request, self._parser.should_keep_alive()))
        if len(self._waiting) >= MAX_WAITING:
            self._transport.pause_reading()
            self._paused = True
        if not self._busy and not self._closing:
            self._busy = True
            if self._task is None:
                self._task = self._loop.create_task(self._work())
            self._call()

    def _call(self) -> None:
        """Let the task look for a request, or for the connection's end."""
        wake, self._wake = self._wake, None
        if wake is not None and not wake.done():
            wake.set_result(None)

    def _request(self) -> Request:
        parts = self._parts
        method = self._parser.get_method().decode("ascii")
        path, query = _target(self._url)
        body = parts[0] if len(parts) == 1 else b"".join(parts)
        return Request(method, path, query, self._headers, body, self.peer_cert)

    # -- answers ------------------------------------------------------------------------------------------------

    async def _work(self) -> None:
        try:
            while not self._closing:
                await self._answer_waiting()
                self._busy = False
                if self._closing:
                    return
                self.ends_at = self._loop.time() + IDLE_SECONDS
                self._wake = self._loop.create_future()
                await self._wake
        finally:
            self._busy, self._task = False, None

    async def _answer_waiting(self) -> None:
        """Answer the requests that have arrived, in their order."""
        while self._waiting:
            request, keep = self._waiting.popleft()
            response = await answer(self._server.handler, request)
            if not self._writable.is_set():
                await self._writable.wait()
            keep = keep and not self._closing
            data = render(response, keep=keep, head_only=request.method == "HEAD")
            if not self._transport.is_closing():
                self._transport.write(data)
            if not keep:
                self._closing = True
                self._close_when_taken(len(data))
                return
            if self._paused and len(self._waiting) < MAX_WAITING:
                self._paused = False
                with contextlib.suppress(RuntimeError):
                    self._transport.resume_reading()

    def _close_when_taken(self, size: int) -> None:
        """Close after an answer of `size` bytes; for what waits TLS would allow half a minute from then on."""
        if size > AT_ONCE or self.taking.waits:
            self.ends_at = 0.0  # looked at now and again, until nothing waits any more
        else:
            self._transport.close()

    def _refuse(self, status: int, reason: str, limit: int | None = None) -> None:
        if self._refused:
            return
        self._refused = self._closing = True
        log.info("request_refused", status=status, reason=reason)
        if not self._busy and self._transport is not None:
            refused = malformed(status, limit)
            language = self._headers.get("accept-language", "zh-hant")
            self._transport.write(render(Response.problem(refused, language), keep=False))
            if self._transport.can_write_eof():
                self._transport.write_eof()
            self.ends_at = self._loop.time() + LINGER_SECONDS


def _target(url: bytes) -> tuple[str, str]:
    """Path and query of a request's target."""
    if url[:1] == b"/" and url[1:2] != b"/" and b"#" not in url:
        path, _, query = url.decode("latin-1").partition("?")
        return path, query
    parsed = httptools.parse_url(url)
    return (parsed.path or b"/").decode("latin-1"), (parsed.query or b"").decode("latin-1")


def _size(url: bytes, pairs: list[tuple[bytes, bytes]]) -> int:
    return len(url) + sum(len(name) + len(value) for name, value in pairs)
