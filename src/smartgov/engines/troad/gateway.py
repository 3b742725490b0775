"""The gateway process: `python -m smartgov.engines.troad.gateway --home DIR`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import sys
from functools import partial
from pathlib import Path

import structlog

from smartgov.engines.httpd import Request, Response, Server, run, serve
from smartgov.engines.httpd.messages import Handler
from smartgov.engines.troad import archive, consent_status, exchanged, moving, stated, status_door
from smartgov.engines.troad import home as homes
from smartgov.engines.troad.consumer import Consumer
from smartgov.engines.troad.core import Core
from smartgov.engines.troad.joining import commands, joined
from smartgov.engines.troad.joining.keeper import Keeper
from smartgov.engines.troad.local import LocalDoor
from smartgov.engines.troad.provider import Provider
from smartgov.engines.troad.status_door import StatusDoor
from smartgov.engines.troad.witness import WitnessDoor
from smartgov.shared.problems import Problem

log = structlog.get_logger()
HOUSEKEEPING_SECONDS = 60.0
_COLLECT = (20_000, 20, 50)
"""Exchanges leave almost no cycles behind: collections may be rare."""


class Gateway:
    """One gateway: two listening doors over one core."""

    def __init__(self, home: Path | str) -> None:
        self.home = homes.load(home)
        self.core = Core(self.home)
        self.provider = Provider(self.core)
        self.witness = WitnessDoor(self.core)
        self.status = StatusDoor(self.core)
        self.keeper = Keeper(self.core)
        self.local = LocalDoor(self.core, Consumer(self.core))
        self._servers: list[Server] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Open the log, then both doors: peers over mutual TLS, the own information systems on loopback."""
        self.core.store.start()
        await self.core.behind.look()
        await self.core.restoring.look()
        tls, own = self.core.configuration.server_tls, self.home
        listen = partial(serve, max_body=own.max_body, write_seconds=own.write_seconds, on_cut=self.core.count_cut)
        self._servers = [
            await listen(self._peers, host=own.host, port=own.port, ssl=tls),
            await listen(self._own, port=own.local_port),
        ]
        self._tasks = [
            asyncio.create_task(work)
            for work in (
                self._keep_house(),
                self.core.heads.run(),
                self.core.comparing.run(),
                self.core.ways.run(),
                self.keeper.run(),
            )
        ]
        if self.home.centre_url:
            self._tasks.append(asyncio.create_task(self.core.configuration.follow_centre(self.core.services)))
        log.info("gateway_started", gateway=self.home.gateway, port=self.home.port, local_port=self.home.local_port)
        if not joined.is_listed(self.core.configuration, self.home.gateway):
            log.warning("not_joined_yet", gateway=self.home.gateway, todo=joined.TODO.en)

    async def _peers(self, request: Request) -> Response:
        """What other gateways ask: exchanges, its word on the consents that it issued, and to witness their logs."""
        if request.path.startswith("/r1/"):
            return await self._counted(self.provider.handle, request)
        if (request.method, request.path) == ("GET", consent_status.PATH):
            return await self.core.consents.answer(request)
        if (request.method, request.path) == ("POST", stated.PATH):
            return await self.core.stated.answer(request)
        if (request.method, request.path) == ("POST", moving.ERASURES):
            return await self.core.moving.erase_here(request)
        if request.path.startswith("/witness/"):
            return await self.witness.handle(request)
        if (request.method, request.path) == ("GET", exchanged.PATH):
            return await self.core.comparing.answer(request)
        if (request.method, request.path) == ("GET", status_door.PATH):
            return await self.status.handle(request)
        return await self._counted(self.provider.handle, request)

    async def _own(self, request: Request) -> Response:
        """What the own information systems ask."""
        if not request.path.startswith("/r1/"):
            return await self.local.handle(request)
        return await self._counted(self.local.handle, request)

    async def _counted(self, handle: Handler, request: Request) -> Response:
        self.core.running += 1
        try:
            return await handle(request)
        finally:
            self.core.running -= 1

    async def stop(self) -> None:
        """Let running exchanges finish, then close the log."""
        for task in self._tasks:
            task.cancel()
        self.core.ways.stop()
        self.core.comparing.stop()
        for server in self._servers:
            await server.stop()
        await self.core.peers.close()
        await self.core.services.close()
        await asyncio.to_thread(self.core.store.stop)
        log.info("gateway_stopped", gateway=self.home.gateway)

    async def _keep_house(self) -> None:
        while True:
            now = int(self.core.now().timestamp())
            with contextlib.suppress(Problem):  # a log that cannot be written is reported where it matters
                await self.core.store.forget_stale(now)
                await self.core.store.erase_due(now, self.home.retain_days)
                await archive.take_out(self.core)
            await asyncio.sleep(HOUSEKEEPING_SECONDS)


async def _serve(home: str) -> None:
    gateway = Gateway(home)
    await gateway.start()
    gc.collect()
    gc.freeze()  # what is there now stays: collections look only at what exchanges leave behind
    gc.set_threshold(*_COLLECT)
    try:
        await asyncio.Event().wait()
    finally:
        await gateway.stop()


def main(arguments: list[str] | None = None) -> int:
    """Run one gateway until a signal comes, or a verb about one."""
    from smartgov.engines.troad import operate
    from smartgov.shared import logs

    given = sys.argv[1:] if arguments is None else arguments
    if given and given[0] in {*commands.VERBS, *operate.VERBS}:
        logs.quieten()  # what these say is for the person at the keyboard, and for programs that read it
    if given and given[0] in commands.VERBS:
        return commands.main(given)
    if given and given[0] in operate.VERBS:
        return operate.main(given)
    verbs = [*commands.VERBS, *sorted(operate.VERBS)]
    parser = argparse.ArgumentParser(
        prog="smartgov gateway",
        description=f"Run one gateway until a signal comes; or one of: {', '.join(verbs)} (--help).",
    )
    parser.add_argument("--home", required=True, help="the gateway's home folder")
    home = parser.parse_args(given).home
    logs.configure(f"gateway:{homes.load(home).gateway}")
    run(_serve(home))
    return 0


if __name__ == "__main__":
    sys.exit(main())
