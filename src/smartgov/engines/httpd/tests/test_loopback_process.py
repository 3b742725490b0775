"""The server, both clients and TLS peers over real loopback sockets."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import structlog
import uvloop

from smartgov.engines.httpd import Client, Request, Response, Router, serve, sync
from smartgov.engines.httpd import server as serving
from smartgov.engines.httpd.failures import ConnectionFailedError, PeerMismatchError
from smartgov.engines.httpd.tests.mutual_tls import certificate, context
from smartgov.shared.problems import Problem

pytestmark = [pytest.mark.enable_socket, pytest.mark.process]


def go(main: Coroutine[Any, Any, Any]) -> Any:
    return uvloop.run(asyncio.wait_for(main, 20))


async def echo(request: Request) -> Response:
    if request.path == "/problem":
        raise Problem("demo-problem", 409, what="What", why="Why")
    if request.path == "/crash":
        raise RuntimeError("secret detail")
    return Response.json(
        {"method": request.method, "path": request.path, "query": request.query, "body": request.body.decode()},
        headers={"x-seen": request.headers.get("x-one", "")},
    )


async def raw(port: int, data: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    out = await reader.read()
    writer.close()
    return out


def test_a_request_and_its_answer_survive_the_trip() -> None:
    async def main() -> None:
        server = await serve(echo, port=0)
        client = Client()
        url = f"http://127.0.0.1:{server.port}/a%20b?x=1&y=2"
        for _ in range(3):
            answer = await client.request("POST", url, headers={"x-one": "1"}, body="資料".encode())
            assert answer.parsed() == {"method": "POST", "path": "/a%20b", "query": "x=1&y=2", "body": "資料"}
            assert answer.headers["x-seen"] == "1"
        assert len(server.connections) == 1, "the connection was kept"
        assert (await client.request("HEAD", url)).body == b""
        await client.close()
        await server.stop()

    go(main())


def test_problems_and_crashes_become_problem_json_without_inner_details() -> None:
    async def main() -> None:
        server = await serve(echo, port=0)
        client = Client()
        refused = await client.request("GET", f"http://127.0.0.1:{server.port}/problem")
        assert (refused.status, refused.parsed()["type"]) == (409, "urn:smartgov:problem:demo-problem")
        crashed = await client.request("GET", f"http://127.0.0.1:{server.port}/crash")
        assert crashed.status == 500
        assert b"secret detail" not in crashed.body
        await server.stop()

    go(main())


@pytest.mark.parametrize(
    ("message", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: x\r\nAuthorization: y\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX-Road-Client: x\r\nX-Road-Client: y\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", b"400"),
        (b"nonsense\r\n\r\n", b"400"),
    ],
)
def test_malformed_heads_are_refused_and_the_connection_closed(message: bytes, status: bytes) -> None:
    async def main() -> None:
        server = await serve(echo, port=0)
        answer = await raw(server.port, message)
        assert answer.startswith(b"HTTP/1.1 " + status)
        assert b"request-malformed" in answer
        await server.stop()

    go(main())


async def _chunks(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // 100_000):
        yield b"186a0\r\n" + b"a" * 100_000 + b"\r\n"


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(("language", "says"), [("en", "at most 1000 bytes"), ("zh-Hant", "最多 1000 位元組")])
def test_a_body_that_is_too_large_is_told_the_limit_while_it_is_still_being_sent(
    chunked: bool, language: str, says: str
) -> None:
    """Who is busy sending learns why: the socket is not closed over what is still on its way."""

    async def main() -> None:
        server = await serve(echo, port=0, max_body=1000)
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        how = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: 9000000"
        writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nAccept-Language: %b\r\n%b\r\n\r\n" % (language.encode(), how))
        async for part in _chunks(9_000_000):
            writer.write(part)
            await writer.drain()
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
        told = json.loads(body)
        assert head.startswith(b"HTTP/1.1 413 ")
        assert (told["type"], told["limit"]) == ("urn:smartgov:problem:body-too-large", 1000)
        assert says in told["detail"]
        await server.stop()

    go(main())


def test_our_own_client_hears_that_its_body_is_too_large() -> None:
    async def main() -> None:
        server = await serve(echo, port=0, max_body=1000)
        url, loop = f"http://127.0.0.1:{server.port}/", asyncio.get_running_loop()
        answer = await loop.run_in_executor(None, lambda: sync.request("POST", url, body=b"a" * 9_000_000))
        assert (answer.status, answer.parsed()["limit"]) == (413, 1000)
        client = Client()
        answer = await client.request("POST", url, body=b"a" * 9_000_000)
        assert (answer.status, answer.parsed()["limit"]) == (413, 1000)
        await client.close()
        await server.stop()

    go(main())


def test_a_refused_connection_is_read_for_a_moment_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "LINGER_SECONDS", 0.2)

    async def main() -> None:
        server = await serve(echo, port=0, max_body=1000)
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 413 ")
        await asyncio.sleep(3 * serving.SWEEP_SECONDS)  # this side never hangs up
        assert not server.connections
        writer.close()
        await server.stop()

    go(main())


def test_a_head_that_is_too_large_is_told_the_limit() -> None:
    async def main() -> None:
        server = await serve(echo, port=0)
        answer = await raw(server.port, b"GET / HTTP/1.1\r\nHost: a\r\nX-Long: " + b"a" * 70_000 + b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 431 ")
        told = json.loads(answer.partition(b"\r\n\r\n")[2])
        assert (told["type"], told["limit"]) == ("urn:smartgov:problem:head-too-large", 65_536)
        await server.stop()

    go(main())


def test_pipelined_requests_are_answered_in_order_and_trailers_dropped() -> None:
    async def main() -> None:
        server = await serve(echo, port=0)
        chunked = b"POST /1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-One: t\r\n\r\n"
        last = b"GET /2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        answer = await raw(server.port, chunked + last)
        assert answer.index(b'"/1"') < answer.index(b'"/2"')
        assert b"x-seen: t" not in answer
        await server.stop()

    go(main())


@pytest.mark.parametrize(
    ("begins", "goes_on"),
    [
        (b"0\r\n", b"X-Long: " + b"a" * 1000 + b"\r\n"),
        (b"0\r\nX-Long: ", b"a" * 1000),
        (b"1;", b"a" * 1000),
        (b"2\r\nhi\r\n0\r\n", b"X-Long: " + b"a" * 1000 + b"\r\n"),
    ],
)
def test_what_follows_a_body_without_end_fills_no_memory(begins: bytes, goes_on: bytes) -> None:
    async def main() -> None:
        server = await serve(echo, port=0)
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + begins)
        with structlog.testing.capture_logs() as logs, contextlib.suppress(ConnectionError):
            for _ in range(2000):
                writer.write(goes_on)
                await writer.drain()
            await asyncio.wait_for(reader.read(), 5)
        assert [(one["event"], one["status"]) for one in logs] == [("request_refused", 431)]
        writer.close()
        await server.stop()

    go(main())


def test_small_chunks_of_a_large_body_are_taken() -> None:
    async def main() -> None:
        server = await serve(echo, port=0)
        body = b"".join(b"1\r\na\r\n" for _ in range(100_000))
        head = b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        answer = await raw(server.port, head + body + b"0\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200")
        assert answer.count(b"a" * 100_000) == 1
        await server.stop()

    go(main())


def test_a_second_answer_to_one_question_is_not_taken_for_that_to_the_next() -> None:
    """A broken service says more than it was asked: what it began to say belongs to nobody."""

    async def main() -> None:
        asked = 0

        async def service(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal asked
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                while await reader.readuntil(b"\r\n\r\n"):
                    asked += 1
                    own = b"%d" % asked
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + own)
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nof")
                    await writer.drain()
            writer.close()

        server = await asyncio.start_server(service, "127.0.0.1", 0)
        address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        client = Client()
        assert [(await client.request("GET", address)).body for _ in range(3)] == [b"1", b"2", b"3"]
        await client.close()
        server.close()

    go(main())


def test_a_running_request_finishes_when_the_server_stops() -> None:
    async def main() -> None:
        begun = asyncio.Event()

        async def slow(request: Request) -> Response:
            begun.set()
            await asyncio.sleep(0.1)
            return Response.json("done")

        server = await serve(slow, port=0)
        call = asyncio.create_task(Client().request("GET", f"http://127.0.0.1:{server.port}/"))
        await begun.wait()
        await server.stop()
        assert (await call).parsed() == "done"

    go(main())


def test_a_lost_server_is_a_connection_failure() -> None:
    async def main() -> None:
        server = await serve(echo, port=0)
        port = server.port
        await server.stop()
        with pytest.raises(ConnectionFailedError):
            await Client().request("GET", f"http://127.0.0.1:{port}/")

    go(main())


def test_the_router_finds_methods_and_parameters() -> None:
    router = Router()

    @router.route("GET", "/x/{id}/y/{rest:path}")
    async def found(request: Request, **params: str) -> Response:
        return Response.json(params)

    async def main() -> None:
        answer = await router(Request("GET", "/x/%E7%94%B2/y/a/b"))
        assert answer.parsed() == {"id": "甲", "rest": "a/b"}
        with pytest.raises(Problem) as wrong_method:
            await router(Request("POST", "/x/1/y/a"))
        assert (wrong_method.value.slug, wrong_method.value.status) == ("method-not-allowed", 405)
        with pytest.raises(Problem) as nothing:
            await router(Request("GET", "/z"))
        assert nothing.value.slug == "not-found"

    go(main())


def test_the_blocking_client_keeps_and_renews_its_connection() -> None:
    async def main() -> None:
        server = await serve(echo, port=0)
        url = f"http://127.0.0.1:{server.port}/"
        first = await asyncio.to_thread(sync.request, "POST", url, {"x-one": "1"}, b"a")
        assert first.parsed()["body"] == "a"
        assert first.headers["x-seen"] == "1"
        await server.stop()
        with pytest.raises(ConnectionFailedError):
            await asyncio.to_thread(sync.request, "GET", url)

    go(main())


def test_the_blocking_client_notices_that_a_restarted_server_closed_its_connection() -> None:
    async def main() -> None:
        with ThreadPoolExecutor(1) as one_thread:  # connections are kept by thread

            async def post(port: int) -> int:
                url = f"http://127.0.0.1:{port}/"
                answer = await asyncio.get_running_loop().run_in_executor(one_thread, sync.request, "POST", url)
                return int(answer.status)

            server = await serve(echo, port=0)
            assert await post(server.port) == 200
            await server.stop()
            again = await serve(echo, port=server.port)
            assert await post(again.port) == 200
            await again.stop()

    go(main())


def test_the_blocking_client_uses_one_connection_until_it_is_closed() -> None:
    async def main() -> None:
        server = await serve(echo, port=0)

        def work() -> list[int]:
            seen = []
            for _ in range(2):
                sync.request("GET", f"http://127.0.0.1:{server.port}/")
                seen.append(len(server.connections))
            sync.close()
            return seen

        assert await asyncio.to_thread(work) == [1, 1]
        await server.stop()
        assert not server.connections

    go(main())


def test_both_sides_see_the_other_sides_certificate(tmp_path: Path) -> None:
    a, b = certificate(tmp_path, "a"), certificate(tmp_path, "b")

    async def who(request: Request) -> Response:
        return Response.json(sha256(request.peer_cert or b"").hexdigest())

    async def main() -> None:
        server = await serve(who, port=0, ssl=context(ssl.PROTOCOL_TLS_SERVER, a, b))
        client = Client(ssl=context(ssl.PROTOCOL_TLS_CLIENT, b, a))
        url = f"https://127.0.0.1:{server.port}/"
        answer = await client.request("GET", url, expect_peer=a[2])
        assert answer.parsed() == b[2]
        with pytest.raises(PeerMismatchError):
            await client.request("GET", url, expect_peer=b[2])
        await client.close()
        await server.stop()

    go(main())
