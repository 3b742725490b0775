"""Wallet libraries that others wrote take our credentials, read them and our status list, and answer our requests."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from smartgov.engines import httpd
from smartgov.engines.credential import presenting, status, tokens
from smartgov.engines.credential.tests import parties
from smartgov.engines.httpd import Request, Response
from smartgov.shared import clock, settings

pytestmark = [pytest.mark.enable_socket, pytest.mark.process]
SITE = "https://credentials.example.tw"
SCRIPT = Path(__file__).parent / "credential_wallet.mjs"


@pytest.fixture
def libraries() -> Path:
    """The folder with the libraries."""
    folder = Path(settings.get("SMARTGOV_PEERS") or "/nonexistent") / "credentials"
    if not (folder / "node_modules" / "@openid4vc").is_dir() or shutil.which("node") is None:
        pytest.skip("NOT RUN: SMARTGOV_PEERS has no credentials (npm libraries)")
    return folder


@contextmanager
def served(country: parties.Country) -> Iterator[str]:
    """The parties on loopback; gives the address."""
    started: list[int] = []
    ready, loop = threading.Event(), asyncio.new_event_loop()

    async def handle(request: Request) -> Response:
        code, body = country.wire(request.method, SITE + request.path, request.headers, request.body)
        kind = "application/oauth-authz-req+jwt" if request.path == "/request" else "application/json"
        content = country.request.encode() if request.path == "/request" else body
        return Response(code, {"content-type": kind, "cache-control": "no-store"}, content)

    async def run() -> None:
        server = await httpd.serve(handle, port=0)
        started.append(server.port)
        ready.set()
        await stop.wait()
        await server.stop()

    stop = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(run()), daemon=True)
    thread.start()
    ready.wait(20)
    try:
        yield f"http://127.0.0.1:{started[0]}"
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(20)
        loop.close()


class Country(parties.Country):
    """The parties, with a request that lies at an address."""

    request = ""

    def route(self, method: str, path: str, headers: Any, body: bytes) -> Any:
        return {} if path == "/request" else super().route(method, path, headers, body)


def test_others_libraries_take_read_and_show_our_credentials(libraries: Path, tmp_path: Path) -> None:
    country = Country(tmp_path)
    query = parties.query(("child_name",), ("residence", "township"))
    asked = presenting.ask(country.client_id, query, f"{SITE}/answer")
    country.asked["now"] = asked
    sign, x5c = tokens.signer(country.verifier_key), tokens.chain_header(country.verifier_certificate)
    country.request = presenting.request_object(asked, sign=sign, x5c=x5c)
    country.list[5] = status.Status.REVOKED
    statuses = status.token(
        country.list,
        uri=parties.LIST,
        sign=tokens.signer(country.issuer_key),
        x5c=tokens.chain_header(country.issuer_certificate),
        issued_at=clock.now(),
        life=3600,
        ttl=900,
    )
    offer = country.issuer.offer("birth", {"facts": parties.FACTS})
    with served(country) as base:
        given = {
            "base": base,
            "site": SITE,
            "offer": offer.uri,
            "txCode": offer.tx_code,
            "batch": 4,
            "request": presenting.link(asked, f"{SITE}/request"),
            "list": statuses,
            "index": 5,
        }
        done = subprocess.run(
            ["node", str(SCRIPT), str(libraries)],
            input=json.dumps(given),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout)
    assert found["count"] == 4
    assert found["version"] == "V1"
    assert {name: found["claims"][name] for name in parties.FACTS} == parties.FACTS
    assert found["listed"] == status.Status.REVOKED
    assert (found["clientPrefix"], found["answered"]) == ("x509_hash", 200)
    shown = country.results[0]["one"][0].claims
    assert (shown["child_name"], shown["residence"]) == ("林安安", {"township": "臺北市文山區"})
    assert "birth_date" not in shown
