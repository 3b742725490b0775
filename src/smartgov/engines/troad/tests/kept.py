"""What was acknowledged to those who asked, kept aside, and every log held to it afterwards.

A blow may cost an answer that was on its way, and never one that was given: whatever an information system was told
must stand in both gateways' logs, byte for byte as it was told. This reads the files by itself, not through the store.
"""

from __future__ import annotations

import hmac
import json
import sqlite3
from base64 import b64encode
from collections.abc import Collection
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256, sha512
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from smartgov.engines.ledger import Log
from smartgov.engines.troad import home as homes
from smartgov.engines.troad.bodies import commitment
from smartgov.engines.troad.client import Answer, LocalGateway
from smartgov.engines.troad.names import member_of
from smartgov.engines.troad.tests.country import Country, ask_births
from smartgov.shared.problems import Problem


@dataclass(frozen=True, slots=True)
class Told:
    """One acknowledged answer: `proof` is the request hash that came with it, over all that was signed."""

    exchange: str
    asker: str
    provider: str
    status: int
    proof: str
    index: int


class Kept:
    """The answers that a test was given; `hold` looks for each of them in the logs."""

    def __init__(self, country: Country) -> None:
        self.country = country
        self.told: dict[str, Told] = {}
        self.erased = set[str]()

    def ask(self, sdk: LocalGateway | None = None, **changes: Any) -> str:
        """Ask once: `answered`, and that answer is kept, or the problem."""
        asking = sdk or self.country.sdk()
        try:
            self.take(ask_births(asking, **changes), member_of(asking.client_id))
        except Problem as problem:
            return problem.slug
        return "answered"

    def some(self, count: int, **changes: Any) -> list[str]:
        """Ask so many times; how each ended."""
        return [self.ask(**changes) for _ in range(count)]

    def take(self, answer: Answer, asker: str = "TW/GOV/ris") -> str:
        """Keep one answer; its exchange."""
        origin, index, _ = answer.log_ref.split(" ")
        proof = answer.headers["x-road-request-hash"]
        assert member_of(origin) == asker
        self.told[answer.exchange_id] = Told(
            answer.exchange_id, origin, answer.provider, answer.status, proof, int(index)
        )
        return answer.exchange_id

    def hold(self, *codes: str, but: Collection[str] = (), bodies: bool = True) -> None:
        """Hold the logs in these homes (default: of all that took part) to what was told (AssertionError).

        `but`: exchanges that a log may lack, because it says so itself; `bodies` False: of a service that keeps none.
        """
        assert self.told, "a test that acknowledged nothing proves nothing"
        found_homes = [path.parent for path in self.country.folder.glob("*/gateway.yaml")]
        homes_of = {homes.load(path).gateway: path.name for path in found_homes}
        took_part = {name for one in self.told.values() for name in (one.asker, one.provider)}
        for gateway in sorted(took_part):
            if codes and homes_of[gateway] not in codes:
                continue
            home = self.country.folder / homes_of[gateway]
            assert whole(home) == [], f"{gateway}: records were altered or removed"
            found, never_sent = messages(home), unsent(home)
            for one in self.told.values():
                if gateway in {one.asker, one.provider} and one.exchange not in but:
                    self._held(one, gateway, found.get(one.exchange, []), never_sent, bodies=bodies)

    def _held(
        self, one: Told, gateway: str, found: list[Message], never_sent: set[tuple[str, str]], *, bodies: bool
    ) -> None:
        name = f"{one.exchange} in the log of {gateway}"
        kinds = [record["kind"] for _, record, _ in found]
        assert kinds[-2:] == ["request", "answer"], f"{name} is missing, or half of it"
        for _, record, _ in found[:-2]:  # questions to gateways that could not be reached: the log says that of each
            assert (record["kind"], gateway) == ("request", one.asker), name
            assert (one.exchange, record["gateway"]) in never_sent, f"{name}: asked more than once"
        index, record, kept = found[-1]
        assert record["status"] == one.status, name
        assert gateway != one.asker or index == one.index, f"{name} stands elsewhere than was said"
        if kept is None:
            assert not bodies or one.exchange in self.erased, f"{name}: its body is gone"
            return
        salt, body, base = kept
        assert b64encode(sha512(base).digest()).decode() == one.proof, f"{name}: another answer than was given"
        assert sha256(base).hexdigest() == record["base"], name
        assert hmac.compare_digest(commitment(salt, body), record["body"]), name


Message = tuple[int, dict[str, Any], tuple[bytes, bytes, bytes] | None]
"""Index, record, and salt, body and signature base where they are kept."""


def messages(home: Path) -> dict[str, list[Message]]:
    """Questions and answers in a gateway's log, by exchange."""
    found: dict[str, list[Message]] = {}
    wrap = AESGCM(homes.load(home).secret_key("body"))
    with _reading(home) as db:
        sealed = {index: (key, body) for index, key, body in db.execute("SELECT idx, wrapped_key, sealed FROM message")}
        for index, exact in db.execute("SELECT idx, record FROM ledger_record ORDER BY idx"):
            record = json.loads(exact)
            if record["kind"] in {"request", "answer"}:
                kept = _opened(wrap, index, *sealed.get(index, (None, None)))
                found.setdefault(record["id"], []).append((index, record, kept))
    return found


def unsent(home: Path) -> set[tuple[str, str]]:
    """Exchange and gateway of the questions that a log says never left."""
    with _reading(home) as db:
        records = [json.loads(row) for (row,) in db.execute("SELECT record FROM ledger_record")]
    reasons = {"gateway-unreachable", "gateway-untrusted"}
    return {(one["id"], one["gateway"]) for one in records if one.get("reason") in reasons and one.get("gateway")}


def whole(home: Path) -> list[int]:
    """The indexes at which a gateway's log is not what its own tree says."""
    with _reading(home) as db:
        return Log(db, homes.load(home).gateway).verify_stored()


def stored(country: Country, code: str) -> list[int]:
    """As `whole`, of one home of the country."""
    return whole(country.folder / code)


def _reading(home: Path) -> closing[sqlite3.Connection]:
    return closing(sqlite3.connect(f"file:{home / 'log.sqlite3'}?mode=ro", uri=True, timeout=10))


def _opened(wrap: AESGCM, index: int, key: bytes | None, sealed: bytes | None) -> tuple[bytes, bytes, bytes] | None:
    if key is None or sealed is None:
        return None
    bound = str(index).encode()
    plain = AESGCM(wrap.decrypt(key[:12], key[12:], bound)).decrypt(sealed[:12], sealed[12:], bound)
    size = int.from_bytes(plain[32:36], "big")
    return plain[:32], plain[36 + size :], plain[36 : 36 + size]
