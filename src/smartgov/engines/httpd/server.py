"""The server side: one protocol object a connection, requests of a connection answered one after another."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections import deque
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

import httptools
import structlog

from smartgov.engines.httpd.messages import (
    MAX_BODY,
    MAX_HEAD,
    REASON,
    Handler,
    HeadRefusedError,
    Request,
    Response,
    collect_headers,
    render_headers,
)
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

log = structlog.get_logger()

IDLE_SECONDS = 75.0
"""A connection without a request for this long is closed."""
READ_SECONDS = 30.0
"""A request must arrive whole within this time, so that slow senders cannot hold connections."""
MAX_WAITING = 16
"""Requests that may be waiting on one connection before its socket is no longer read."""


class Server:
    """A listening server: `port`, and `stop` which lets running requests finish."""

    def __init__(self, handler: Handler, max_body: int) -> None:
        self.handler, self.max_body = handler, max_body
        self.connections: set[_Connection] = set()
        self.listener: asyncio.AbstractServer | None = None
        self.port = 0

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


async def serve(
    handler: Handler,
    *,
    host: str = "127.0.0.1",
    port: int,
    ssl: ssl.SSLContext | None = None,
    max_body: int = MAX_BODY,
    ready: Callable[[int], None] | None = None,
) -> Server:
    """Listen on `host:port` (port 0: any free one) and answer with `handler`; `ready` is called with the real port."""
    server = Server(handler, max_body)
    loop = asyncio.get_running_loop()
    server.listener = await loop.create_server(lambda: _Connection(server), host, port, ssl=ssl, backlog=512)
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
        self._peer_cert: bytes | None = None
        self._waiting: deque[tuple[Request, bool]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._closing = False
        self._refused = False
        self._begin()

    # -- connection ---------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        tls = transport.get_extra_info("ssl_object")
        self._peer_cert = tls.getpeercert(True) if tls is not None else None
        self._server.connections.add(self)
        self._arm(IDLE_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.connections.discard(self)
        self._closing = True
        self._writable.set()
        self._disarm()
        # A request that is being worked on runs to its end: what it committed must not depend on the caller's patience.

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def close_when_idle(self) -> None:
        """Take no further request; close now if none is running."""
        self._closing = True
        if self._task is None and self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Cut the connection and the running request."""
        if self._task is not None:
            self._task.cancel()
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._refuse(400, "upgrade is not supported")
        except (httptools.HttpParserError, httptools.HttpParserCallbackError) as error:
            if not self._refused:
                self._refuse(400, type(error).__name__)

    def _arm(self, seconds: float) -> None:
        self._disarm()
        self._timer = self._loop.call_later(seconds, self._expired)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _expired(self) -> None:
        if self._task is None and self._transport is not None:
            self._transport.close()

    # -- parser callbacks ---------------------------------------------------------------------------------------

    def _begin(self) -> None:
        self._url = b""
        self._pairs: list[tuple[bytes, bytes]] = []
        self._head_size = 0
        self._head_done = False
        self._body: list[bytes] = []
        self._body_size = 0

    def on_message_begin(self) -> None:
        self._begin()
        self._arm(READ_SECONDS)

    def on_url(self, url: bytes) -> None:
        self._url += url
        self._count_head(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._head_done:
            return  # trailers are neither read nor passed on
        self._head_size += len(name) + len(value)
        if self._head_size > MAX_HEAD:
            self._refuse(431, "head too large")
        self._pairs.append((name, value))

    def on_headers_complete(self) -> None:
        self._head_done = True
        for name, value in self._pairs:
            if len(name) not in {6, 14}:
                continue  # neither `expect` nor `content-length`
            lower = name.lower()
            if lower == b"content-length" and value.isdigit() and int(value) > self._server.max_body:
                self._refuse(413, "body too large")
            elif lower == b"expect" and value.lower() == b"100-continue" and not self._refused:
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        self._body_size += len(body)
        if self._body_size > self._server.max_body:
            self._refuse(413, "body too large")
        elif not self._refused:
            self._body.append(body)

    def on_message_complete(self) -> None:
        if self._parser.should_upgrade():
            self._refuse(400, "upgrade is not supported")
        if self._refused:
            return
        try:
            request = self._request()
        except (HeadRefusedError, httptools.HttpParserInvalidURLError) as error:
            self._refuse(400, str(error))
            return
        self._disarm()
        self._waiting.append((request, self._parser.should_keep_alive()))
        if len(self._waiting) >= MAX_WAITING:
            self._transport.pause_reading()
        if self._task is None and not self._closing:
            self._task = self._loop.create_task(self._work())

    def _count_head(self, size: int) -> None:
        self._head_size += size
        if self._head_size > MAX_HEAD:
            self._refuse(431, "head too large")

    def _request(self) -> Request:
        url = httptools.parse_url(self._url)
        return Request(
            method=self._parser.get_method().decode("ascii"),
            path=(url.path or b"/").decode("latin-1"),
            query=(url.query or b"").decode("latin-1"),
            headers=collect_headers(self._pairs),
            body=b"".join(self._body),
            peer_cert=self._peer_cert,
        )

    # -- answers ------------------------------------------------------------------------------------------------

    async def _work(self) -> None:
        try:
            while self._waiting:
                request, keep = self._waiting.popleft()
                response = await answer(self._server.handler, request)
                await self._writable.wait()
                keep = keep and not self._closing
                if not self._transport.is_closing():
                    self._transport.write(render(response, keep=keep, head_only=request.method == "HEAD"))
                if not keep:
                    self._transport.close()
                    return
                if len(self._waiting) < MAX_WAITING:
                    with contextlib.suppress(RuntimeError):
                        self._transport.resume_reading()
        finally:
            self._task = None
        self._arm(IDLE_SECONDS)

    def _refuse(self, status: int, reason: str) -> None:
        if self._refused:
            return
        self._refused = self._closing = True
        log.info("request_refused", status=status, reason=reason)
        if self._task is None and self._transport is not None:
            self._transport.write(render(Response.problem(_malformed(status)), keep=False))
            self._transport.close()


async def answer(handler: Handler, request: Request) -> Response:
    """What `handler` says; a Problem becomes problem+json, anything else a 500 that tells the caller nothing inside."""
    language = request.headers.get("accept-language", "zh-hant")
    try:
        return await handler(request)
    except Problem as problem:
        return Response.problem(problem, language)
    except Exception:
        log.exception("request_failed", method=request.method)
        return Response.problem(_FAILED, language)


def render(response: Response, *, keep: bool, head_only: bool = False) -> bytes:
    """The bytes of an answer."""
    try:
        lines = render_headers(response.headers)
    except HeadRefusedError:
        log.exception("response_refused")
        response = Response.problem(_FAILED)
        lines = render_headers(response.headers)
    head = [f"HTTP/1.1 {response.status} {REASON.get(response.status, 'Unknown')}\r\n", *lines]
    if response.status not in {204, 304}:
        head.append(f"content-length: {len(response.body)}\r\n")
    head.append(_tail(keep=keep))
    bare = head_only or response.status in {204, 304}
    return "".join(head).encode("latin-1") + (b"" if bare else response.body)


def _tail(*, keep: bool) -> str:
    closing = "" if keep else "connection: close\r\n"
    return f"date: {_date()}\r\n{closing}\r\n"


_dated: tuple[int, str] = (0, "")


def _date() -> str:
    global _dated
    second = int(time.time())
    if _dated[0] != second:
        _dated = (second, formatdate(second, usegmt=True))
    return _dated[1]


_FAILED = Problem(
    "internal-error",
    500,
    what=Text("The service could not answer.", "服務無法回應。"),
    why=Text("It met an error that it has recorded.", "發生錯誤，已留下紀錄。"),
    todo=Text("Try again later; tell the operator if it stays.", "請稍後再試；若持續發生請通知維運人員。"),
)


def _malformed(status: int) -> Problem:
    return Problem(
        "request-malformed",
        status,
        what=Text("The request could not be read.", "無法讀取此請求。"),
        why=Text("It breaks a rule of HTTP or a limit of this server.", "不符 HTTP 規則或超過伺服器限制。"),
        todo=Text("Correct it and send it again.", "請修正後重新傳送。"),
    )
