"""One connection for many requests at once, over real sockets with mutual TLS."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from struct import pack
from typing import Any

import pytest
import uvloop

from smartgov.engines.httpd import Client, Request, Response, Server, answering, framed, frames, serve
from smartgov.engines.httpd import client as clients
from smartgov.engines.httpd import server as servers
from smartgov.engines.httpd.failures import ConnectionFailedError, NotSentError, PeerMismatchError
from smartgov.engines.httpd.tests.mutual_tls import certificate, context
from smartgov.shared.problems import Problem

pytestmark = [pytest.mark.enable_socket, pytest.mark.process]
Serve = Callable[..., Awaitable[Server]]


def go(main: Coroutine[Any, Any, Any]) -> Any:
    return uvloop.run(asyncio.wait_for(main, 30))


@dataclass
class Ends:
    """Contexts of both ends; `expected` is the SHA-256 of the server's certificate."""

    serving: ssl.SSLContext
    asking: ssl.SSLContext
    expected: str

    def client(self, **options: Any) -> Client:
        return Client(ssl=self.asking, **options)

    async def serve(self, handler: Callable[[Request], Awaitable[Response]], **options: Any) -> Server:
        return await serve(handler, port=0, ssl=self.serving, **options)


@pytest.fixture
def ends(tmp_path: Path) -> Ends:
    a, b = certificate(tmp_path, "a"), certificate(tmp_path, "b")
    serving, asking = context(ssl.PROTOCOL_TLS_SERVER, a, b), context(ssl.PROTOCOL_TLS_CLIENT, b, a)
    for one in (serving, asking):
        one.set_alpn_protocols([frames.ALPN, "http/1.1"])
    return Ends(serving, asking, a[2])


async def echo(request: Request) -> Response:
    if request.path == "/problem":
        raise Problem("demo-problem", 409, what="What", why="Why")
    if request.path == "/crash":
        raise RuntimeError("secret detail")
    headers = {"x-seen": request.headers.get("x-one", ""), "x-target": f"{request.path}?{request.query}"}
    return Response(200, headers, request.body)


def url(server: Server, path: str = "/") -> str:
    return f"https://127.0.0.1:{server.port}{path}"


def test_hundreds_at_once_share_a_connection_and_each_gets_its_own_answer(ends: Ends) -> None:
    async def main() -> None:
        server, client = await ends.serve(echo), ends.client(limit=512)
        asked = [
            client.request("POST", url(server, f"/{n}?q={n}"), headers={"x-one": f"{n}"}, body=b"%d" % n)
            for n in range(400)
        ]
        for n, answer in enumerate(await asyncio.gather(*asked)):
            assert (answer.status, answer.body, answer.headers["x-seen"]) == (200, b"%d" % n, f"{n}")
            assert answer.headers["x-target"] == f"/{n}?q={n}"
            assert answer.peer_cert
        assert len(server.connections) == 1
        assert isinstance(next(iter(server.connections)), framed.FramedServing)
        await client.close()
        await server.stop()

    go(main())


def test_a_quick_answer_overtakes_a_slow_one(ends: Ends) -> None:
    async def main() -> None:
        gate = asyncio.Event()

        async def handler(request: Request) -> Response:
            if request.path == "/slow":
                await gate.wait()
            return Response(200, {}, request.path.encode())

        server, client = await ends.serve(handler), ends.client()
        slow = asyncio.create_task(client.request("GET", url(server, "/slow")))
        await asyncio.sleep(0.05)
        assert (await client.request("GET", url(server, "/quick"))).body == b"/quick"
        assert not slow.done()
        gate.set()
        assert (await slow).body == b"/slow"
        assert len(server.connections) == 1
        await server.stop()

    go(main())


def test_problems_and_crashes_are_told_as_over_http(ends: Ends) -> None:
    async def main() -> None:
        server, client = await ends.serve(echo), ends.client()
        refused = await client.request("GET", url(server, "/problem"))
        assert (refused.status, refused.parsed()["type"]) == (409, "urn:smartgov:problem:demo-problem")
        crashed = await client.request("GET", url(server, "/crash"))
        assert crashed.status == 500
        assert b"secret detail" not in crashed.body
        assert (await client.request("HEAD", url(server), body=b"x")).body == b""
        await server.stop()

    go(main())


@pytest.mark.parametrize("ours", [True, False])
def test_who_does_not_offer_frames_is_spoken_to_in_http(ends: Ends, ours: bool) -> None:
    async def main() -> None:
        (ends.serving if ours else ends.asking).set_alpn_protocols(["http/1.1"])
        together = asyncio.Barrier(5)

        async def handler(request: Request) -> Response:
            await together.wait()
            return Response(200, {}, request.body)

        server, client = await ends.serve(handler), ends.client()
        answers = await asyncio.gather(*(client.request("POST", url(server), body=b"%d" % n) for n in range(5)))
        assert [one.body for one in answers] == [b"%d" % n for n in range(5)]
        assert len(server.connections) == 5
        await client.close()
        await server.stop()

    go(main())


def test_bodies_up_to_the_limit_pass_and_a_longer_one_harms_nobody_else(ends: Ends) -> None:
    async def main() -> None:
        server, client = await ends.serve(echo, max_body=300_000), ends.client(max_body=300_000)
        large, too_large, small = await asyncio.gather(
            client.request("POST", url(server), body=b"a" * 300_000),
            client.request("POST", url(server), body=b"b" * 300_001),
            client.request("POST", url(server), body=b"c"),
        )
        assert (large.status, large.body) == (200, b"a" * 300_000)
        assert (too_large.status, too_large.parsed()["type"]) == (413, "urn:smartgov:problem:body-too-large")
        assert too_large.parsed()["limit"] == 300_000
        assert small.body == b"c"
        assert len(server.connections) == 1
        await server.stop()

    go(main())


def test_an_answer_that_is_too_large_is_a_failure_of_its_request_alone(ends: Ends) -> None:
    async def main() -> None:
        async def handler(request: Request) -> Response:
            return Response(200, {}, b"a" * int(request.query))

        server, client = await ends.serve(handler), ends.client(max_body=1000)
        with pytest.raises(ConnectionFailedError):
            await client.request("POST", url(server, "/?1001"))
        assert len((await client.request("POST", url(server, "/?1000"))).body) == 1000
        assert len(server.connections) == 1
        await server.stop()

    go(main())


def test_time_ends_one_request_and_its_late_answer_is_passed_over(ends: Ends) -> None:
    async def main() -> None:
        gate = asyncio.Event()

        async def handler(request: Request) -> Response:
            if request.path == "/slow":
                await gate.wait()
            return Response(200, {}, request.path.encode())

        server, client = await ends.serve(handler), ends.client()
        with pytest.raises(TimeoutError):
            await client.request("GET", url(server, "/slow"), timeout=0.1)
        gate.set()
        for _ in range(3):
            assert (await client.request("GET", url(server, "/quick"))).body == b"/quick"
        assert len(server.connections) == 1
        await server.stop()

    go(main())


def test_who_gives_up_leaves_the_connection_to_the_others(ends: Ends) -> None:
    async def main() -> None:
        finished = asyncio.Event()

        async def handler(request: Request) -> Response:
            await asyncio.sleep(0.1)
            finished.set()
            return Response(200, {}, request.path.encode())

        server, client = await ends.serve(handler), ends.client()
        first = asyncio.create_task(client.request("GET", url(server, "/first")))
        second = asyncio.create_task(client.request("GET", url(server, "/second")))
        await asyncio.sleep(0.05)
        first.cancel()
        assert (await second).body == b"/second"
        await finished.wait()
        assert len(server.connections) == 1
        await server.stop()

    go(main())


def test_a_server_that_stops_answers_what_it_took_and_says_that_it_takes_no_more(ends: Ends) -> None:
    async def main() -> None:
        begun, gate, seen = asyncio.Event(), asyncio.Event(), []

        async def handler(request: Request) -> Response:
            seen.append(request.path)
            begun.set()
            await gate.wait()
            return Response(200, {}, b"done")

        server, client = await ends.serve(handler), ends.client()
        running = asyncio.create_task(client.request("POST", url(server, "/running")))
        await begun.wait()
        server.close()
        late = asyncio.create_task(client.request("POST", url(server, "/late")))
        with pytest.raises(NotSentError):
            await late
        gate.set()
        assert (await running).body == b"done"
        assert seen == ["/running"]
        await server.stop()
        assert not server.connections

    go(main())


def test_what_was_taken_and_not_answered_is_not_asked_again_by_itself(ends: Ends) -> None:
    async def main() -> None:
        seen: list[str] = []
        begun = asyncio.Event()

        async def handler(request: Request) -> Response:
            seen.append(request.method)
            begun.set()
            await asyncio.sleep(10)
            return Response()

        server, client = await ends.serve(handler), ends.client()
        call = asyncio.create_task(client.request("POST", url(server)))
        await begun.wait()
        for connection in list(server.connections):
            connection.abort()
        with pytest.raises(ConnectionFailedError) as failed:
            await call
        assert not isinstance(failed.value, NotSentError)
        assert seen == ["POST"]
        await server.stop()

    go(main())


def test_a_read_that_was_cut_off_is_asked_once_more(ends: Ends) -> None:
    async def main() -> None:
        seen: list[str] = []

        async def handler(request: Request) -> Response:
            seen.append(request.method)
            if len(seen) == 2:
                for connection in list(server.connections):
                    connection.abort()
                await asyncio.sleep(10)
            return Response(200, {}, b"here")

        server, client = await ends.serve(handler), ends.client()
        assert (await client.request("GET", url(server))).body == b"here"
        assert (await client.request("GET", url(server))).body == b"here"
        assert len(seen) == 3
        await server.stop()

    go(main())


def test_a_server_that_is_not_the_expected_one_is_sent_nothing(ends: Ends) -> None:
    async def main() -> None:
        seen = []

        async def handler(request: Request) -> Response:
            seen.append(request.path)
            return Response()

        server = await ends.serve(handler)
        allowed = {ends.expected}
        client = ends.client(judge=lambda expected, _: expected in allowed)
        await client.request("GET", url(server, "/known"), expect_peer=ends.expected)
        allowed.clear()  # as when its certificate is revoked while the connection lasts
        with pytest.raises(PeerMismatchError):
            await client.request("GET", url(server, "/revoked"), expect_peer=ends.expected)
        assert seen == ["/known"]
        await server.stop()

    go(main())


def test_after_a_new_certificate_new_requests_go_over_a_new_connection(ends: Ends) -> None:
    async def main() -> None:
        gate = asyncio.Event()

        async def handler(request: Request) -> Response:
            if request.path == "/old":
                await gate.wait()
            return Response(200, {}, request.path.encode())

        server, client = await ends.serve(handler), ends.client()
        old = asyncio.create_task(client.request("GET", url(server, "/old")))
        await asyncio.sleep(0.05)
        client.renew()
        assert (await client.request("GET", url(server, "/new"))).body == b"/new"
        assert len(server.connections) == 2
        gate.set()
        assert (await old).body == b"/old"
        for _ in range(100):
            if len(server.connections) == 1:
                break
            await asyncio.sleep(0.01)
        assert len(server.connections) == 1, "the old one was closed when nobody waited any more"
        await server.stop()

    go(main())


def test_a_pool_unused_for_long_is_not_used_again(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        server, client = await ends.serve(echo), ends.client()
        await client.request("GET", url(server))
        first = next(iter(server.connections))
        monkeypatch.setattr(clients, "IDLE_SECONDS", 0.0)
        await asyncio.sleep(0.01)
        await client.request("GET", url(server))
        assert first not in server.connections or len(server.connections) == 2
        await client.close()
        await server.stop()

    go(main())


async def opened(ends: Ends, server: Server) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", server.port, ssl=ends.asking)


@pytest.mark.parametrize(
    "wire",
    [
        b"GET / HTTP/1.1\r\nhost: a\r\n\r\n",
        pack(">4I", frames.ANSWER, 1, 0, 0),
        frames.of_request(5, Request("GET", "/")) + frames.of_request(5, Request("GET", "/")),
    ],
)
def test_a_peer_that_sends_something_else_is_cut_off(ends: Ends, wire: bytes) -> None:
    async def main() -> None:
        server = await ends.serve(echo)
        reader, writer = await opened(ends, server)
        writer.write(wire)
        while await reader.read(1000):
            pass
        assert not server.connections
        await server.stop()

    go(main())


def test_a_broken_head_is_answered_with_400_and_the_connection_goes_on(ends: Ends) -> None:
    async def main() -> None:
        server = await ends.serve(echo)
        reader, writer = await opened(ends, server)
        head = b'["GET","/","",{"x-a":"b\\nc"}]'
        writer.write(pack(">4I", frames.REQUEST, 1, len(head), 0) + head + frames.of_request(2, Request("GET", "/ok")))
        taken, answers = frames.Reader(10_000), []
        while len(answers) < 2:
            answers += taken.feed(await reader.read(10_000))
        told = {one.stream: frames.response(one, None).status for one in answers}
        assert told == {1: 400, 2: 200}
        writer.close()
        await server.stop()

    go(main())


@pytest.mark.parametrize("sent", [b"", frames.of_request(1, Request("POST", "/", body=b"abc"))[:-1]])
def test_who_sends_nothing_or_half_a_frame_is_closed(ends: Ends, sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        monkeypatch.setattr(framed, "READ_SECONDS", 0.05)
        monkeypatch.setattr(framed, "IDLE_SECONDS", 0.05)
        monkeypatch.setattr(servers, "SWEEP_SECONDS", 0.02)
        server = await ends.serve(echo)
        reader, writer = await opened(ends, server)
        writer.write(sent)
        assert await reader.read() == b""
        writer.close()
        await server.stop()

    go(main())


def test_more_than_can_be_worked_on_waits_in_the_socket(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        monkeypatch.setattr(framed, "MOST_STREAMS", 4)
        gate, running, most = asyncio.Event(), 0, 0

        async def handler(request: Request) -> Response:
            nonlocal running, most
            running += 1
            most = max(most, running)
            await gate.wait()
            running -= 1
            return Response(200, {}, request.body)

        server, client = await ends.serve(handler), ends.client(limit=512, max_body=100_000)
        calls = [
            asyncio.create_task(client.request("POST", url(server), body=b"%d" % n + b"x" * 90_000)) for n in range(40)
        ]
        await asyncio.sleep(0.3)
        assert most == 4, "the others wait"
        gate.set()
        answers = await asyncio.gather(*calls)
        assert [one.body[:2].rstrip(b"x") for one in answers] == [b"%d" % n for n in range(40)]
        await client.close()
        await server.stop()

    go(main())


def test_who_sends_what_is_refused_and_does_not_read_why_fills_no_memory(ends: Ends) -> None:
    async def main() -> None:
        server = await ends.serve(echo)
        _, writer = await opened(ends, server)
        writer.transport.pause_reading()
        head = b"[]"
        for stream in range(1, 60_000):
            writer.write(pack(">4I", frames.REQUEST, stream, len(head), 0) + head)
        await asyncio.sleep(0.2)
        (connection,) = server.connections
        assert isinstance(connection, framed.FramedServing)
        sizes, looks = [], 0
        while looks < 50 and len(sizes) < 3000:  # a slow machine is long in filling the system's own buffers
            await asyncio.sleep(0.02)
            sizes.append(connection._transport.get_write_buffer_size())
            looks += max(sizes) > framed._BUFFER
        assert max(sizes) > framed._BUFFER, "the blow struck"
        assert max(sizes) < 3 * framed._BUFFER
        assert len(connection._arrived) < 60_000 / 2
        writer.transport.abort()
        await server.stop()

    go(main())


def test_who_sends_without_a_pause_is_not_taken_for_slow(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under load what has arrived ends in the midst of a frame nearly always: each frame has its own time."""

    async def main() -> None:
        monkeypatch.setattr(framed, "READ_SECONDS", 0.3)
        monkeypatch.setattr(servers, "SWEEP_SECONDS", 0.02)
        server = await ends.serve(echo)
        reader, writer = await opened(ends, server)
        taken, answers = frames.Reader(10_000), []
        wires = [frames.of_request(n, Request("POST", "/", body=b"abc")) for n in range(1, 31)]
        writer.write(wires[0][:-2])
        for wire, following in zip(wires, [*wires[1:], b""], strict=True):
            await asyncio.sleep(0.03)
            writer.write(wire[-2:] + following[:-2])
        while len(answers) < 30 and (data := await reader.read(10_000)):
            answers += taken.feed(data)
        assert len(answers) == 30
        writer.close()
        await server.stop()

    go(main())


def test_who_is_not_read_for_a_while_is_not_taken_for_slow(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        monkeypatch.setattr(framed, "READ_SECONDS", 0.1)
        monkeypatch.setattr(servers, "SWEEP_SECONDS", 0.02)
        monkeypatch.setattr(framed, "MOST_STREAMS", 2)
        monkeypatch.setattr(framed, "MOST_ARRIVED", 4)
        gate = asyncio.Event()

        async def handler(request: Request) -> Response:
            await gate.wait()
            return Response(200, {}, b"done")

        server = await ends.serve(handler)
        reader, writer = await opened(ends, server)
        writer.write(b"".join(frames.of_request(n, Request("POST", "/", body=b"x" * 30_011)) for n in range(1, 101)))
        await asyncio.sleep(0.5)
        (connection,) = server.connections
        assert isinstance(connection, framed.FramedServing)
        assert (connection._paused, connection._reader.partial) == (True, True)
        gate.set()
        taken, answers = frames.Reader(10_000), []
        while len(answers) < 100 and (data := await reader.read(10_000)):
            answers += taken.feed(data)
        assert len(answers) == 100
        writer.close()
        await server.stop()

    go(main())


def test_large_bodies_fill_no_more_than_a_share_of_memory(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        monkeypatch.setattr(framed, "MOST_HELD", 1_000_000)
        gate, running = asyncio.Event(), 0

        async def handler(request: Request) -> Response:
            nonlocal running
            running += 1
            await gate.wait()
            return Response(200, {}, b"done")

        server, client = await ends.serve(handler), ends.client(limit=512)
        calls = [asyncio.create_task(client.request("POST", url(server), body=b"x" * 400_000)) for _ in range(60)]
        await asyncio.sleep(0.5)
        assert running <= 3 * len(server.connections)
        for one in server.connections:
            assert isinstance(one, framed.FramedServing)
            assert one._held < 3_000_000
        gate.set()
        assert [answer.body for answer in await asyncio.gather(*calls)] == [b"done"] * 60
        await client.close()
        await server.stop()

    go(main())


def test_limits_of_time_are_those_of_http() -> None:
    assert framed.IDLE_SECONDS == answering.IDLE_SECONDS > clients.IDLE_SECONDS
