"""Who does not read what was written to it is cut off after a time; who reads slowly is not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import structlog

from smartgov.engines.httpd import Client, Request, Response, Server, framed, frames, serve
from smartgov.engines.httpd import server as servers
from smartgov.engines.httpd.failures import ConnectionFailedError, NotSentError
from smartgov.engines.httpd.tests.ends import Ends, go

pytestmark = [pytest.mark.enable_socket, pytest.mark.process]
LARGE = 4_000_000
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture(autouse=True)
def _swept_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "SWEEP_SECONDS", 0.05)


async def large(request: Request) -> Response:
    return Response(200, {}, b"a" * LARGE)


async def plain(ends: Ends, server: Server) -> Streams:
    return await asyncio.open_connection("127.0.0.1", server.port)


async def over_tls(ends: Ends, server: Server) -> Streams:
    ends.asking.set_alpn_protocols(["http/1.1"])
    return await ends.opened(server)


async def in_frames(ends: Ends, server: Server) -> Streams:
    return await ends.opened(server)


HTTP = b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n"
WAYS: dict[str, tuple[Callable[[Ends, Server], Awaitable[Streams]], Callable[[int], bytes]]] = {
    "HTTP": (plain, lambda n: HTTP % n),
    "HTTP over TLS": (over_tls, lambda n: HTTP % n),
    "frames": (in_frames, lambda n: frames.of_request(n, Request("GET", f"/{n}"))),
}
ways = pytest.mark.parametrize("way", WAYS)


async def listening(
    ends: Ends, way: str, handler: Callable[[Request], Awaitable[Response]], **options: object
) -> Server:
    if way == "HTTP":
        return await serve(handler, port=0, **options)  # type: ignore[arg-type]
    return await ends.serve(handler, **options)


async def until(holds: Callable[[], object]) -> None:
    """Until it holds; `go` ends a test in which it never does."""
    while not holds():  # noqa: ASYNC110 - it comes about in callbacks
        await asyncio.sleep(0.02)


@ways
def test_who_reads_nothing_is_cut_off_and_what_was_taken_is_done(ends: Ends, way: str) -> None:
    """As many answers as fill all buffers on the way; those behind them are worked on all the same."""

    async def main() -> None:
        done, told = list[str](), list[bytes | None]()

        async def handler(request: Request) -> Response:
            done.append(request.path)
            return await large(request)

        server = await listening(ends, way, handler, write_seconds=0.5, on_cut=told.append)
        connect, wire = WAYS[way]
        with structlog.testing.capture_logs() as logs:
            _, writer = await connect(ends, server)
            writer.transport.pause_reading()
            writer.write(b"".join(map(wire, range(1, 11))))
            await until(lambda: server.connections)
            (connection,) = server.connections
            waited = False
            while server.connections:
                waited = waited or not connection._writable.is_set()
                await asyncio.sleep(0.02)
        assert waited, "the blow struck"
        assert [(one["event"], one["log_level"]) for one in logs] == [("connection_not_read", "warning")]
        assert (len(told), bool(told[0])) == (1, way != "HTTP")
        assert done[0] == "/1"
        assert way != "frames" or len(done) == 10
        writer.transport.abort()
        await server.stop()

    go(main())


@ways
def test_who_reads_slowly_is_not_cut_off(ends: Ends, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor for being idle meanwhile: it has not got all yet."""
    monkeypatch.setattr(servers, "IDLE_SECONDS", 0.5)
    monkeypatch.setattr(framed, "IDLE_SECONDS", 0.5)

    async def main() -> None:
        server = await listening(ends, way, large, write_seconds=2.0)
        connect, wire = WAYS[way]
        reader, writer = await connect(ends, server)
        asked, began = 6, asyncio.get_running_loop().time()
        writer.write(b"".join(map(wire, range(1, asked + 1))))
        got = 0
        while got < asked * LARGE:
            part = await reader.read(400_000)
            assert part, f"cut off after {got} bytes"
            got += len(part)
            await asyncio.sleep(0.1)
        assert asyncio.get_running_loop().time() - began > 4, "for longer than it may stand still, and be idle"
        writer.transport.abort()
        await server.stop()

    go(main())


def test_an_answer_that_ends_its_connection_reaches_a_slow_reader_whole(ends: Ends) -> None:
    """TLS by itself gives it half a minute from the moment of closing: it is closed when all was taken."""

    async def main() -> None:
        server = await ends.serve(large)
        reader, writer = await over_tls(ends, server)
        writer.transport.pause_reading()
        writer.write(HTTP[:-2] % 1 + b"Connection: close\r\n\r\n")
        await until(lambda: server.connections and next(iter(server.connections))._closing)
        (connection,) = server.connections
        assert connection.taking.waits
        assert not connection._transport.is_closing()
        writer.transport.resume_reading()
        assert len(await reader.read()) > LARGE
        await until(lambda: not server.connections)
        writer.close()
        await server.stop()

    go(main())


def test_a_shared_connection_of_which_the_server_takes_nothing_is_given_up(ends: Ends) -> None:
    async def main() -> None:
        class Silent(asyncio.Protocol):
            def connection_made(self, transport: Any) -> None:
                transport.pause_reading()

        listener = await asyncio.get_running_loop().create_server(Silent, "127.0.0.1", 0, ssl=ends.serving)
        address = f"https://127.0.0.1:{listener.sockets[0].getsockname()[1]}/"
        client = ends.client(write_seconds=0.5)
        asked = [asyncio.create_task(client.request("POST", address, body=b"a" * LARGE)) for _ in range(8)]
        with structlog.testing.capture_logs() as logs:
            failed = await asyncio.gather(*asked, return_exceptions=True)
        assert {type(one) for one in failed} <= {ConnectionFailedError, NotSentError}
        assert ConnectionFailedError in {type(one) for one in failed}, "of what was sent nothing is known"
        assert {one["event"] for one in logs} == {"connection_not_read"}
        listener.close()

    go(main())


def test_a_request_that_was_given_up_does_not_wait_for_a_server_that_stands_still() -> None:
    async def main() -> None:
        arrived = asyncio.Queue[Streams]()
        listener = await asyncio.start_server(lambda *both: arrived.put_nowait(both), "127.0.0.1", 0, limit=1000)
        address = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/"
        client, size = Client(), 5 * LARGE
        with pytest.raises(TimeoutError):
            await client.request("POST", address, body=b"a" * size, timeout=0.5)
        reader, writer = await arrived.get()
        got = 0
        try:
            while part := await reader.read(1_000_000):
                got += len(part)
        except ConnectionError:
            pass
        assert 0 < got < size, "the rest was not kept for it"
        writer.close()
        listener.close()

    go(main())


def test_the_time_is_a_minute_unless_said_otherwise() -> None:
    assert Server(large, 1).write_seconds == 60.0
