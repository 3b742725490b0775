"""Both ends of a connection that carries frames (`frames.py`)."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import structlog

from smartgov.engines.httpd import frames
from smartgov.engines.httpd.answering import IDLE_SECONDS, NEVER, READ_SECONDS, answer, failed, malformed
from smartgov.engines.httpd.failures import ConnectionFailedError, NotSentError
from smartgov.engines.httpd.messages import HeadRefusedError, Request, Response
from smartgov.engines.httpd.taking import Taking
from smartgov.shared.problems import Problem

if TYPE_CHECKING:
    from smartgov.engines.httpd.server import Server

log = structlog.get_logger()
MOST_STREAMS = 256
"""Requests that are worked on for one connection at a time; the next ones wait."""
IN_A_TURN = 8
"""Frames that are taken in one turn of the loop: what follows from them, and all else, need not wait for the rest."""
MOST_ARRIVED = 256
"""Frames that may have arrived and not been taken before the socket is no longer read."""
MOST_HELD = 2**26
"""Bytes of bodies that may have arrived and not been taken, and as many that are worked on, for one connection."""
_BUFFER = 2**20
"""Bytes that may wait to be sent before those who have more wait too: some hundred small messages."""
_BARE = frozenset({204, 304})


class _Framed(asyncio.Protocol):
    """What both ends do: take frames in, and write what is ready in one turn of the loop at once."""

    def __init__(self, most: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._reader = frames.Reader(most)
        self._transport: Any = None
        self.taking: Any = None
        self.peer_cert = b""
        """The certificate of the other side, DER."""
        self._arrived: deque[frames.Frame] = deque()
        self._held = 0
        """Bytes of their bodies."""
        self._taking = self._paused = False
        self._out: list[bytes] = []
        self._writable = asyncio.Event()
        self._writable.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self.taking = Taking(transport)
        self.peer_cert = transport.get_extra_info("ssl_object").getpeercert(True) or b""
        self._transport.set_write_buffer_limits(high=_BUFFER)

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        try:
            new = self._reader.feed(data)
        except frames.FrameError as error:
            self._refused(error)
            return
        self._arrived += new
        self._held += sum(map(_size, new))
        self._take_soon()
        if (len(self._arrived) > MOST_ARRIVED or self._held > MOST_HELD) and not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def _take_soon(self) -> None:
        if self._arrived and not self._taking and not self._full():
            self._taking = True
            self._loop.call_soon(self._take_some)

    def _take_some(self) -> None:
        self._taking = False
        try:
            for _ in range(min(IN_A_TURN, len(self._arrived))):
                if self._full():
                    break
                frame = self._arrived.popleft()
                self._held -= _size(frame)
                self._take(frame)
        except frames.FrameError as error:
            self._refused(error)
        few = len(self._arrived) <= MOST_ARRIVED // 2 and self._held <= MOST_HELD // 2
        if self._paused and few and not self._transport.is_closing():
            self._paused = False
            self._transport.resume_reading()
        self._take_soon()

    def _full(self) -> bool:
        """Whether nothing more is to be taken now."""
        return False

    def cut(self) -> None:
        """End the connection with what waits on it; requests that are being worked on run to their end."""
        self._transport.abort()

    def _refused(self, error: frames.FrameError) -> None:
        log.info("frames_refused", reason=str(error))
        self._arrived.clear()
        self._held = 0
        self.cut()

    def _take(self, frame: frames.Frame) -> None:
        raise NotImplementedError

    def _write(self, frame: bytes) -> None:
        if not self._out:
            self._loop.call_soon(self._flush)
        self._out.append(frame)

    def _flush(self) -> None:
        out, self._out = self._out, []
        if out and not self._transport.is_closing():
            self._transport.write(out[0] if len(out) == 1 else b"".join(out))


def _size(frame: frames.Frame) -> int:
    return len(frame.body or b"")


class Choosing(asyncio.Protocol):
    """A new connection, until the handshake has said what it carries; then `chosen` serves it or asks over it."""

    def __init__(self, plain: Callable[[], asyncio.Protocol], framed: Callable[[], asyncio.Protocol]) -> None:
        self._plain, self._framed = plain, framed
        self.chosen: asyncio.Protocol | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        tls = transport.get_extra_info("ssl_object")
        carries = tls is not None and tls.selected_alpn_protocol() == frames.ALPN
        self.chosen = self._framed() if carries else self._plain()
        transport.set_protocol(self.chosen)
        self.chosen.connection_made(transport)


class FramedServing(_Framed):
    """The serving end: every request has a task of its own, answers go as they are ready."""

    def __init__(self, server: Server) -> None:
        super().__init__(server.max_body)
        self._server = server
        self._running: dict[int, asyncio.Task[None]] = {}
        self._worked_on = 0
        """Bytes of the bodies of what is running."""
        self._last = 0
        self._closing = False
        self.ends_at = NEVER

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._server.opened(self)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        # Requests that are being worked on run to their end: what they commit must not depend on the caller's patience.
        self._server.connections.discard(self)
        self._closing, self.ends_at = True, NEVER
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        before = len(self._arrived)
        super().data_received(data)
        if len(self._arrived) > before:
            self.ends_at = NEVER  # what is not there whole now has just begun
        self._wait()

    def _take_some(self) -> None:
        paused = self._paused
        super()._take_some()
        if paused and not self._paused:
            self._wait()

    def close_when_idle(self) -> None:
        """Take no further request, and say so; close when those that were taken are answered."""
        if not self._closing and self._transport is not None:
            self._closing = True
            self._write(frames.leaving(self._last))
        self._end_if_done()

    def abort(self) -> None:
        """Cut the connection and the running requests."""
        for task in self._running.values():
            task.cancel()
        self._transport.abort()

    def expire(self) -> None:
        """Its time is over: nothing came for long, or a frame did not come whole. What is on its way out goes first."""
        if self._reader.partial or not self.taking.waits:
            self.ends_at = NEVER
            self._transport.close()

    def _wait(self) -> None:
        """Set when this connection ends if nothing more comes."""
        if self._paused:  # it is we who do not read
            self.ends_at = NEVER
        elif self._reader.partial:
            self.ends_at = min(self.ends_at, self._loop.time() + READ_SECONDS)
        elif self._running or self._arrived:
            self.ends_at = NEVER
        else:
            self.ends_at = self._loop.time() + IDLE_SECONDS

    def _take(self, frame: frames.Frame) -> None:
        if self._closing:
            return
        if frame.kind != frames.REQUEST or frame.stream <= self._last:
            raise frames.FrameError("not a new request")
        self._last = frame.stream
        if frame.body is None:
            self._refuse(frame.stream, malformed(413, self._server.max_body))
            return
        try:
            request = frames.request(frame, self.peer_cert)
        except HeadRefusedError as error:
            log.info("request_refused", status=400, reason=str(error))
            self._refuse(frame.stream, malformed(400))
            return
        self._worked_on += len(request.body)
        self._running[frame.stream] = self._loop.create_task(self._answer(frame.stream, request))

    def _full(self) -> bool:
        # Also for those who are refused without any work, and do not read why.
        return len(self._running) >= MOST_STREAMS or self._worked_on > MOST_HELD or not self._writable.is_set()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._take_soon()

    async def _answer(self, stream: int, request: Request) -> None:
        try:
            response = await answer(self._server.handler, request)
            if not self._writable.is_set():
                await self._writable.wait()
            if request.method == "HEAD" or response.status in _BARE:
                response = Response(response.status, response.headers)
            self._send(stream, response)
        finally:
            del self._running[stream]
            self._worked_on -= len(request.body)
            if not self._running:
                self._wait_or_end()
            self._take_soon()

    def _send(self, stream: int, response: Response) -> None:
        try:
            frame = frames.of_answer(stream, response)
        except HeadRefusedError:
            log.exception("response_refused")
            frame = frames.of_answer(stream, failed())
        self._write(frame)

    def _refuse(self, stream: int, why: Problem) -> None:
        self._write(frames.of_answer(stream, Response.problem(why)))

    def _wait_or_end(self) -> None:
        if self._closing:
            self._end_if_done()
        else:
            self._wait()

    def _end_if_done(self) -> None:
        if self._closing and not self._running and self._transport is not None:
            self._loop.call_soon(self._transport.close)  # after what is ready has been written


class FramedAsking(_Framed):
    """The asking end: many requests at once, each with its stream."""

    heard = False
    """Of an answer that did not come whole nothing is known."""

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self._waiting: dict[int, tuple[asyncio.Future[Response], float]] = {}
        self._last = 0
        self.alive = False
        """Whether further requests may go this way."""
        self.made = self.used = time.monotonic()

    @property
    def running(self) -> bool:
        """Whether an answer is waited for."""
        return bool(self._waiting)

    @property
    def writable(self) -> bool:
        """Whether what is sent now goes without waiting."""
        return self._writable.is_set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.alive = True

    def connection_lost(self, exc: Exception | None) -> None:
        self.alive = False
        self._writable.set()
        with contextlib.suppress(frames.FrameError):
            while self._arrived:  # answers that came whole are answers
                self._take(self._arrived.popleft())
        for waiter, _ in self._waiting.values():
            if not waiter.done():
                waiter.set_exception(ConnectionFailedError("the other side hung up"))
        self._waiting.clear()

    async def ask(self, request: Request, until: float) -> Response:
        """Send a request and return its answer. NotSentError, ConnectionFailedError, or TimeoutError at `until`."""
        if not self._writable.is_set():
            async with asyncio.timeout_at(until):
                await self._writable.wait()
        if not self.alive:
            raise NotSentError("the connection is closed")
        self._last = stream = self._last + 1
        frame = frames.of_request(stream, request)
        if stream == frames.LAST_STREAM:
            self.alive = False
        waiter: asyncio.Future[Response] = self._loop.create_future()
        self._waiting[stream] = waiter, until
        self._write(frame)
        try:
            return await waiter
        finally:
            self._waiting.pop(stream, None)
            self.used = time.monotonic()
            self._close_if_done()

    def close(self) -> None:
        """Use it for nothing new; it is closed when nobody waits any more."""
        self.alive = False
        self._close_if_done()

    def sweep(self, present: float, write_seconds: float) -> None:
        """Give up requests whose time is over, of which a late answer is passed over; and a connection that is stuck.

        Nothing of what waits on it can be known to have arrived, or not to.
        """
        if self.taking.stands_still(present, write_seconds):
            log.warning("connection_not_read", end="asking", seconds=write_seconds)
            self.alive = False
            self.cut()
        for waiter, until in self._waiting.values():
            if until < present and not waiter.done():
                waiter.set_exception(TimeoutError())

    def _take(self, frame: frames.Frame) -> None:
        if frame.kind == frames.LEAVING:
            self._left(frame.stream)
            return
        if frame.kind != frames.ANSWER or frame.stream > self._last:
            raise frames.FrameError("an answer to nothing")
        waiter, _ = self._waiting.get(frame.stream, (None, 0.0))
        if waiter is None or waiter.done():
            return
        try:
            if frame.body is None:
                raise HeadRefusedError("the answer is too large")
            waiter.set_result(frames.response(frame, self.peer_cert))
        except HeadRefusedError as error:
            waiter.set_exception(ConnectionFailedError(str(error)))

    def _left(self, last: int) -> None:
        self.alive = False
        for stream, (waiter, _) in self._waiting.items():
            if stream > last and not waiter.done():
                waiter.set_exception(NotSentError("the other side takes nothing more"))
        self._close_if_done()

    def _close_if_done(self) -> None:
        if not self.alive and not self._waiting and self._transport is not None:
            self._transport.close()
