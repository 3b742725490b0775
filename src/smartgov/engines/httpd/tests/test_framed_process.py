"""One connection for many requests at once, over real sockets with mutual TLS."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from smartgov.engines.httpd import Request, Response, framed
from smartgov.engines.httpd import client as clients
from smartgov.engines.httpd.failures import ConnectionFailedError, NotSentError, PeerMismatchError
from smartgov.engines.httpd.tests.ends import Ends, echo, go, url

pytestmark = [pytest.mark.enable_socket, pytest.mark.process]


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


def test_a_connection_that_was_being_made_when_the_certificate_changed_is_not_used(ends: Ends) -> None:
    async def main() -> None:
        server, client = await ends.serve(echo), ends.client()
        gate, knocked = asyncio.Event(), asyncio.Event()
        came: list[asyncio.StreamWriter] = []

        async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            came.append(writer)
            knocked.set()
            await gate.wait()  # in the midst of the handshake
            there, to = await asyncio.open_connection("127.0.0.1", server.port)
            await asyncio.gather(_copy(reader, to), _copy(there, writer))

        between = await asyncio.start_server(relay, "127.0.0.1", 0)
        port = between.sockets[0].getsockname()[1]
        asked = asyncio.create_task(client.request("POST", f"https://127.0.0.1:{port}/", body=b"x"))
        await knocked.wait()
        await asyncio.sleep(0.01)
        client.renew()
        gate.set()
        assert (await asked).status == 200
        await client.request("POST", f"https://127.0.0.1:{port}/", body=b"y")
        assert len(came) == 2, "the one that showed the old certificate, and the one that carried both"
        await client.close()
        between.close()
        await server.stop()

    go(main())


async def _copy(source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(65536):
            to.write(data)
        to.close()


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
