"""A peer that sends what is no frame, half of one or too much, and the limits of time and memory that it meets."""

from __future__ import annotations

import asyncio
from struct import pack

import pytest

from smartgov.engines.httpd import Request, Response, answering, framed, frames
from smartgov.engines.httpd import client as clients
from smartgov.engines.httpd import server as servers
from smartgov.engines.httpd.tests.ends import Ends, echo, go, url

pytestmark = [pytest.mark.enable_socket, pytest.mark.process]


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
        reader, writer = await ends.opened(server)
        writer.write(wire)
        while await reader.read(1000):
            pass
        assert not server.connections
        await server.stop()

    go(main())


def test_a_broken_head_is_answered_with_400_and_the_connection_goes_on(ends: Ends) -> None:
    async def main() -> None:
        server = await ends.serve(echo)
        reader, writer = await ends.opened(server)
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
        reader, writer = await ends.opened(server)
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
        _, writer = await ends.opened(server)
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
        reader, writer = await ends.opened(server)
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
        reader, writer = await ends.opened(server)
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
