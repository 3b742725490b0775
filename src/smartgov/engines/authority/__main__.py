"""Run an authority, made at the first start: `python -m smartgov.engines.authority --home DIR --port 8023`."""

from __future__ import annotations

import argparse
import secrets
from collections.abc import Mapping
from pathlib import Path

import structlog

from smartgov.engines import httpd
from smartgov.engines.authority.server import Door, Doors
from smartgov.engines.pki import keys
from smartgov.engines.pki.authority import Authority
from smartgov.shared import logs

log = structlog.get_logger()


def main(arguments: list[str] | None = None) -> None:
    """Serve on loopback until a signal comes."""
    parser = argparse.ArgumentParser(prog="authority", description="Certifies keys and says which are still good")
    parser.add_argument("--home", type=Path, required=True, help="folder of the authority's keys and memory")
    parser.add_argument("--port", type=int, default=8023, help="port on loopback; 0 takes any free one")
    parser.add_argument("--name", default="Synthetic Citizens' Certification Authority", help="name of a new authority")
    parser.add_argument("--address", default="", help="where readers reach it; stands in its certificates")
    parser.add_argument("--also", action="append", default=[], metavar="NAME=DIR", help="another one, below /NAME")
    options = parser.parse_args(arguments)
    logs.configure("authority")
    also = {name: Path(folder) for name, _, folder in (one.partition("=") for one in options.also)}
    httpd.run(serve(options.home, options.port, options.name, options.address, also))


async def serve(home: Path, port: int, name: str, address: str, also: Mapping[str, Path]) -> None:
    """Open the folders, or make the first, and answer."""
    door: Doors | None = None

    async def dispatch(request: httpd.Request) -> httpd.Response:
        assert door is not None
        return await door(request)

    server = await httpd.serve(dispatch, port=port)
    base = address or f"http://127.0.0.1:{server.port}"
    others = {below: opened(folder, name, f"{base}/{below}") for below, folder in also.items()}
    door = Doors(opened(home, name, base), others)
    log.info("authority_started", port=server.port)
    try:
        await door.expire_regularly()
    finally:
        await server.stop()


def opened(home: Path, name: str, address: str) -> Door:
    """The door of the authority in `home`; keys and secret are made where they are missing."""
    if not (home / "ca.key").exists():
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        Authority.create(home, name, address=address)
    return Door(Authority(home, address=address), secret(home))


def secret(home: Path) -> str:
    """The registration office's secret, made at the first use."""
    path = home / "secrets" / "local"
    if not path.exists():
        keys.write_secret(path, secrets.token_urlsafe(32).encode())
    return path.read_text().strip()


if __name__ == "__main__":
    main()
