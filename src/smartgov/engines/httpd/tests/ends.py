"""Both ends of a connection of mutual TLS on which frames are offered, on loopback, and a service that echoes."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import uvloop

from smartgov.engines.httpd import Client, Request, Response, Server, serve
from smartgov.shared.problems import Problem


def go(main: Coroutine[Any, Any, Any]) -> Any:
    """Run it, for half a minute at most."""
    return uvloop.run(asyncio.wait_for(main, 30))


@dataclass
class Ends:
    """Contexts of both ends; `expected` is the SHA-256 of the server's certificate."""

    serving: ssl.SSLContext
    asking: ssl.SSLContext
    expected: str

    def client(self, **options: Any) -> Client:
        """One that shows its certificate."""
        return Client(ssl=self.asking, **options)

    async def serve(self, handler: Callable[[Request], Awaitable[Response]], **options: Any) -> Server:
        """A server that asks for it."""
        return await serve(handler, port=0, ssl=self.serving, **options)

    async def opened(self, server: Server) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A bare connection, for what no client of ours would send."""
        return await asyncio.open_connection("127.0.0.1", server.port, ssl=self.asking)


async def echo(request: Request) -> Response:
    """What was asked, or an error on request."""
    if request.path == "/problem":
        raise Problem("demo-problem", 409, what="What", why="Why")
    if request.path == "/crash":
        raise RuntimeError("secret detail")
    headers = {"x-seen": request.headers.get("x-one", ""), "x-target": f"{request.path}?{request.query}"}
    return Response(200, headers, request.body)


def url(server: Server, path: str = "/") -> str:
    """Where it is reached."""
    return f"https://127.0.0.1:{server.port}{path}"
