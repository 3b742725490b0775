"""A small country for tests: portal, ris and hpa with their gateways, and an information system behind hpa and ris.

Gateways run in one thread on uvloop over real loopback sockets; tests talk to them with the blocking client.
"""

from __future__ import annotations

import asyncio
import json
import random
import socket
import sqlite3
import ssl
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import uvloop

from smartgov.engines.httpd import Client, Request, Response, Server, serve, sync
from smartgov.engines.troad import bodies, reference, wire
from smartgov.engines.troad import home as homes
from smartgov.engines.troad import snapshot as snapshots
from smartgov.engines.troad.client import LocalGateway
from smartgov.engines.troad.gateway import Gateway
from smartgov.engines.trust import Centre
from smartgov.shared import clock
from smartgov.shared.ids import uuid7
from smartgov.shared.tw import national_id

MOTHER = national_id.make(7, 2)
FATHER = national_id.make(8, 1)
CHILD = national_id.make(9, 1)
BIRTHS = "TW/GOV/hpa/births/births.v1"
PEOPLE = "TW/GOV/ris/household/people.v1"
CASES = "TW/GOV/ris/cases"
PURPOSE = "birth-registration"
LAW = "household-act-48"
_SINGLE = 21_000, 22_000
"""Where single ports come from; `free_ports` takes its rows from elsewhere."""
_claims: dict[int, socket.socket] = {}  # held until their country stops, or the process ends


def release(*ports: int) -> None:
    """Let others have these ports again: a run of all tests raises more countries than the range has ports for."""
    for port in ports:
        if (claim := _claims.pop(port, None)) is not None:
            claim.close()


def free_port() -> int:
    """A free loopback port of the range that these tests use, claimed against other processes of the suite.

    The suite's workers draw the same random numbers, so that a port which only looks free may be another's a moment
    later. The claim is an abstract Unix address: the kernel gives it to one process and takes it back at its end.
    """
    while True:
        port = random.randrange(*_SINGLE)
        if _claimed(port) and is_free(port):
            return port


def free_ports(count: int) -> int:
    """The first of `count` (at most 100) free ports in a row, claimed as `free_port` claims; `release` gives them back.

    A country takes minutes to bind all of its ports: two that are raised side by side must not choose alike.
    """
    # Below the ports that outgoing connections take.
    starts = [first for first in range(10_000, 32_000, 100) if first not in range(*_SINGLE)]
    random.SystemRandom().shuffle(starts)
    for first in starts:
        if _claimed(first):
            if all(is_free(port) for port in range(first, first + count)):
                return first
            release(first)
    raise RuntimeError("no free ports")


def is_free(port: int) -> bool:
    """Whether a server could listen there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _claimed(port: int) -> bool:
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0smartgov-test-port-{port}")
    except OSError:
        claim.close()
        return False
    _claims[port] = claim
    return True


class Behind:
    """The information system behind the gateways: remembers what reached it and answers as told."""

    def __init__(self) -> None:
        self.port = free_port()
        self.seen: list[Request] = []
        self.answer: Callable[[Request], Response] = self.births

    @staticmethod
    def births(request: Request) -> Response:
        item = {
            "mother_id": national_id.urn(MOTHER),
            "born_on": "2026-11-01",
            "weight_g": 3100,
            "hospital": "臺大醫院",
            "id": 5,
        }
        return Response.json({"items": [item], "as_of": "2026-11-22T00:00:00Z", "secret": "cut me"})

    async def handle(self, request: Request) -> Response:
        self.seen.append(request)
        return self.answer(request)


class Country:
    """Homes, snapshot, gateways and the loop they run in."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.behind = folder, Behind()
        self.centre = Centre.create(folder / "centre", clock.now())
        url = f"http://127.0.0.1:{self.behind.port}"
        self.described = self.members(url)
        self.publish()
        self.gateways: dict[str, Gateway] = {}
        self.loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._server: Server | None = None

    def members(self, url: str) -> dict[str, dict[str, Any]]:
        """Make the homes; `url` is where their services are."""
        return {
            "portal": self._home("portal", {"portal": {}}, {"portal": ["consent", "token"]}),
            "ris": self._home(
                "ris", {"cases": {}, "household": {"services": {"people.v1": url}}}, {"cases": ["erase"]}
            ),
            "hpa": self._home("hpa", {"births": {"services": {"births.v1": url}}}, {}),
        }

    def _home(self, code: str, subsystems: dict[str, Any], may: dict[str, list[str]]) -> dict[str, Any]:
        return homes.create(
            self.folder / code,
            member=code,
            port=free_port(),
            local_port=free_port(),
            subsystems=subsystems,
            may=may,
            anchor=self.centre.anchor,
        )

    def data(self) -> dict[str, Any]:
        """The configuration as it stands; tests alter it and publish."""
        right = {"client": CASES, "service": BIRTHS, "endpoints": ["POST /births/query"], "purpose": PURPOSE}
        own = {"client": CASES, "service": PEOPLE, "endpoints": ["* /people/**"], "fields": None, "purpose": ""}
        now = clock.now()
        return {
            "issued_at": now.isoformat(),
            "instance": "TW",
            "members": [
                {"id": one["member"], "name": {"en": code, "zh": code}, "gateways": [one["gateway"]]}
                for code, one in self.described.items()
            ],
            "subsystems": [name for one in self.described.values() for name in one["subsystems"]],
            "services": [
                {"id": BIRTHS, "personal": True, "related": ["father_id"], "visibility": "own"},
                {"id": PEOPLE, "personal": True, "related": ["child"], "visibility": "own"},
            ],
            "rights": [
                {**right, "basis": {"kind": "statute", "code": LAW}, "fields": ["mother_id", "born_on", "hospital"]},
                {**right, "basis": {"kind": "consent"}, "fields": ["born_on", "weight_g", "hospital"]},
                {**own, "basis": {"kind": "statute", "code": LAW}},
            ],
            "consent_issuers": [{"member": "TW/GOV/portal", "key": self.described["portal"]["consent_key"]}],
            "token_issuers": [{"member": "TW/GOV/portal", "key": self.described["portal"]["token_key"]}],
        }

    def publish(self, *, at: datetime | None = None, **changes: Any) -> bytes:
        """Have members and centre sign the configuration with `changes`, as of `at`, and give it to every home."""
        self.centre.publish(
            {**self.data(), **changes},
            member_keys={
                self.described[one]["member"]: homes.configuration_key(self.folder / one) for one in self.described
            },
            sign=self.sign,
            now=at or clock.now(),
        )
        bundle = self.centre.repository.bundle()
        for code in self.described:
            homes.set_bundle(self.folder / code, bundle)
        return bundle

    def sign(self, **offer: Any) -> Any:
        """What a member offers, signed by its own key in its home."""
        return homes.sign_offer(self.folder / offer["member"].rsplit("/", 1)[1], **offer)

    def snapshot(self) -> snapshots.Snapshot:
        """The configuration as gateways read it."""
        return snapshots.parse({**self.data(), "version": 0, "expires_at": clock.now().isoformat()})

    def run(self, main: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine in the gateways' loop."""
        return asyncio.run_coroutine_threadsafe(main, self.loop).result(30)

    def start(self, *codes: str) -> None:
        """Start the system behind and the named gateways (default: all)."""
        if self._server is None:
            self._thread.start()
            self._server = self.run(serve(self.behind.handle, port=self.behind.port))
        for code in codes or self.described:
            self.gateways[code] = Gateway(self.folder / code)
            self.run(self.gateways[code].start())

    def quiet(self, code: str) -> None:
        """From now on a gateway publishes and stamps only what the test asks for, not every two seconds by itself."""

        async def nothing() -> None:
            """Look at nothing."""

        self.gateways[code].core.heads.look = nothing  # type: ignore[method-assign]

    def halt(self, code: str) -> None:
        """Stop one gateway in order."""
        self.run(self.gateways.pop(code).stop())

    def stop(self) -> None:
        """Stop everything."""
        for code in list(self.gateways):
            self.halt(code)
        if self._server is not None:
            self.run(self._server.stop())
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join()
            sync.close()
        self.loop.close()
        listed = [homes.load(self.folder / code) for code in self.described if (self.folder / code).exists()]
        release(self.behind.port, *(port for one in listed for port in (one.port, one.local_port)))

    def url(self, code: str) -> str:
        """The local door of one gateway."""
        return f"http://127.0.0.1:{homes.load(self.folder / code).local_port}"

    def sdk(self, subsystem: str = CASES) -> LocalGateway:
        """The client of one information system."""
        code, name = subsystem.split("/")[2:]
        return LocalGateway(self.url(code), homes.secret(self.folder / code, name), subsystem)

    def records(self, code: str) -> list[dict[str, Any]]:
        """Every record in one gateway's log."""
        with sqlite3.connect(self.folder / code / "log.sqlite3") as db:
            return [json.loads(row) for (row,) in db.execute("SELECT record FROM ledger_record ORDER BY idx")]

    def edit(self, code: str, statement: str, *values: Any) -> int:
        """Alter a gateway's log file as somebody with the disk could."""
        with sqlite3.connect(self.folder / code / "log.sqlite3") as db:
            return db.execute(statement, values).rowcount


@contextmanager
def running(folder: Path) -> Iterator[Country]:
    """A running country."""
    country = Country(folder)
    country.start()
    try:
        yield country
    finally:
        country.stop()


def ask_births(sdk: LocalGateway, **changes: Any) -> Any:
    """The call that most tests make."""
    given: dict[str, Any] = {"json": {"where": {}}, "subject": MOTHER, "purpose": PURPOSE, "basis": LAW}
    given |= {"issue": "case-1", "user": "s1"}
    return sdk.call(BIRTHS, "POST", "/births/query", **{**given, **changes})


def wait_for(holds: Callable[[], Any], seconds: int = 120) -> None:
    """Until it holds; the test fails when it never does. Long, because a test shares a few cores with others."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.05)


class Rogue:
    """Speaks to hpa's gateway with ris's keys, and with whatever else a test puts in their place."""

    def __init__(self, country: Country, *, tls: str = "ris", signer: str = "ris") -> None:
        self.country = country
        self.here, self.signer = homes.load(country.folder / tls), homes.load(country.folder / signer)
        self.to = country.snapshot().gateways["TW/GOV/hpa/gw1"]
        self.now = int(clock.now().timestamp())

    def message(self, *, body: bytes = b'{"where":{}}', person: str | None = MOTHER, **fields: str | None) -> Message:
        """A sound request to hpa, with `fields` changed (names with _ for -; None leaves one out) before signing."""
        rid = fields.get("x_road_id") or uuid7()
        exp = self.now + 100
        body = reference.hide(body, lambda one: reference.make(one, self.to.recipient, rid=rid, exp=exp))
        head = {
            "content-type": "application/json",
            "x-road-client": CASES,
            "x-road-id": rid,
            "troad-receiver": self.to.id,
            "troad-purpose": PURPOSE,
            "troad-basis": LAW,
        }
        if person is not None:
            head["troad-subject"] = reference.make(person, self.to.recipient, rid=rid, exp=exp)
        for name, value in fields.items():
            head.pop(name.replace("_", "-"), None)
            if value is not None:
                head[name.replace("_", "-")] = value
        path = f"/r1/{BIRTHS}/births/query"
        return Message(wire.Head("POST", self.to.authority, path, "", head), body)

    def sign(self, message: Message, *, created: int | None = None, key: Any = None) -> Message:
        """Commit to the body and sign."""
        _, commitment = bodies.commit(message.body)
        message.head.fields.update(commitment)
        key = key or self.signer.p256("message")
        wire.sign_request(message.head, key, created=created or self.now, nonce=wire.new_nonce())
        return message

    def send(self, message: Message) -> Response:
        """Send the bytes as they are, over TLS with this rogue's certificate."""

        async def go() -> Response:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.load_cert_chain(self.here.path / "certs/tls.pem", self.here.path / "keys/tls.key")
            context.load_verify_locations(cadata=self.to.tls_certificate)
            client = Client(ssl=context)
            url = f"https://{self.to.authority}{message.head.path}"
            url += f"?{message.head.query}" if message.head.query else ""
            try:
                return await client.request(message.head.method, url, headers=message.head.fields, body=message.body)
            finally:
                await client.close()

        answer: Response = self.country.run(go())
        return answer


@dataclass
class Message:
    """Head and body of a request that is being forged."""

    head: wire.Head
    body: bytes


def problem_type(answer: Response) -> str:
    """The problem type of a refusal."""
    return str(answer.parsed()["type"]).removeprefix("urn:smartgov:problem:")
