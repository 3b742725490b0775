"""What every simulator's command line and life have in common."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable
from pathlib import Path

import structlog

from smartgov.engines import httpd
from smartgov.shared import logs

log = structlog.get_logger()


def options(parser: argparse.ArgumentParser, arguments: list[str] | None, *, port: int) -> argparse.Namespace:
    """Parse `--home` (made if it is missing, for its owner only) and `--port` beside the parser's own options."""
    parser.add_argument("--home", type=Path, required=True, help="folder of this simulator's keys and state")
    parser.add_argument("--port", type=int, default=port, help="port on loopback; 0 takes any free one")
    found = parser.parse_args(arguments)
    found.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    return found


def run(name: str, make: Callable[[int], httpd.Handler], port: int) -> None:
    """Serve on loopback until a signal comes; `make` gets the real port before the first request can arrive."""
    logs.configure(f"simulator-{name}")
    httpd.run(serve(make, port))


async def serve(make: Callable[[int], httpd.Handler], port: int) -> None:
    """The serving itself, for programs that run something beside it."""
    handler: httpd.Handler | None = None

    async def dispatch(request: httpd.Request) -> httpd.Response:
        assert handler is not None
        return await handler(request)

    server = await httpd.serve(dispatch, port=port)
    handler = make(server.port)
    log.info("simulator_started", port=server.port)
    try:
        await asyncio.Event().wait()
    finally:
        await server.stop()
