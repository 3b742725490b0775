"""Real gateways, each a process, under the smallest configuration by which some may ask others about persons.

One asks and one answers, or several share the machine, or one alone asks its own member, where nothing crosses a wire
and one log holds both sides. A further one, the portal's, says which consents stand.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.consents import FIELDS, PROBE, Consents
from bench.processes import Process, Started, free_port
from smartgov.engines.ledger import Log
from smartgov.engines.troad import home as homes
from smartgov.engines.troad import snapshot as snapshots
from smartgov.engines.troad.snapshot import Gateway
from smartgov.engines.trust import Centre
from smartgov.shared import clock

PROFILES: dict[str, dict[str, Any]] = {
    "signed": {"personal": False},
    "personal": {"personal": True},
    "full": {"personal": True, "contract": True},
    "once": {"personal": True, "contract": True},
    "soon": {"personal": True, "durability": "soon"},
    "meta": {"personal": True, "durability": "meta"},
}
"""What is measured: rights and limits alone, strict; persons as references and fields cut besides, under a statute;
everything on: request and answer held to a contract, and a consent whose issuer is asked whether it stands; the same
with a consent for each single question; persons with the two other durabilities.
"""
CONSENTED = frozenset({"full", "once"})
PURPOSE = "birth-registration"
LAW = "household-act-48"
GRANTED = ("born_on", "filling", "hospital", "id", "mother_id")
"""The register answers more fields than these; the provider's gateway must cut the rest."""
_KINDS = ["request", "answer"]
_PER_MINUTE = 10_000_000
_DOCUMENT = json.dumps(
    {
        "openapi": "3.1.0",
        "info": {"title": "births", "version": "1"},
        "paths": {
            "/births/query": {
                "post": {
                    "requestBody": {
                        "required": True,
                        "content": {
                            "application/json": {
                                "schema": {
                                    "type": "object",
                                    "required": ["where"],
                                    "properties": {
                                        "where": {"type": "object", "properties": {"id": {"type": "integer"}}}
                                    },
                                }
                            }
                        },
                    },
                    "responses": {
                        "200": {
                            "description": "rows",
                            "content": {
                                "application/json": {
                                    "schema": {
                                        "type": "object",
                                        "required": ["items", "as_of"],
                                        "properties": {
                                            "items": {
                                                "type": "array",
                                                "items": {
                                                    "type": "object",
                                                    "required": ["id", "born_on"],
                                                    "properties": {
                                                        "born_on": {"type": "string", "format": "date"},
                                                        "weight_g": {"type": "integer", "minimum": 0},
                                                    },
                                                },
                                            }
                                        },
                                    }
                                }
                            },
                        }
                    },
                }
            }
        },
    }
).encode()


def granted(profile: str) -> frozenset[str]:
    """The fields that the asker may have: of the right, and of the consent where there is one."""
    return frozenset(GRANTED).intersection(FIELDS) if profile in CONSENTED else frozenset(GRANTED)


@dataclass(frozen=True, slots=True)
class Way:
    """The door of one gateway for the information system that asks, and what that shows."""

    url: str
    secret: str
    client: str


class Gateways:
    """ris asks, hpa answers (of several ris2 and hpa2, and so on); homes, keys and logs are in `folder`."""

    purpose = PURPOSE

    def __init__(
        self, folder: Path, register_port: int, started: Started, *, batch: bool, count: int = 2, sampled: str = ""
    ) -> None:
        self.folder, self._batch, self._sampled = folder, batch, sampled
        url = f"http://127.0.0.1:{register_port}"
        services = {"births": {"services": {f"{profile}.v1": url for profile in PROFILES}}}
        self._centre = Centre.create(folder / "centre", clock.now())
        self._asking = [f"ris{number or ''}" for number in (0, *range(2, (count + 1) // 2 + 1))]
        self._answering = [code.replace("ris", "hpa") for code in self._asking][: count // 2] or self._asking
        systems = {code: {"cases": {}} for code in self._asking}
        for code in self._answering:
            systems[code] = {**systems.get(code, {}), **services}
        self._described = [self._home(code, of) for code, of in systems.items()]
        self._described.append(self._home("portal", {"portal": {}}, {"portal": ["consent"]}))
        (self._contract,) = {homes.add_contract(folder / code, _DOCUMENT) for code in self._answering}
        self._publish()
        self._processes = {code: self._start(code, started) for code in (*systems, "portal")}
        for process in self._processes.values():
            process.wait_ready()
        self.ways = [self._way(code) for code in self._asking]
        self.consents = Consents(self)
        self.consents.check()

    @property
    def pids(self) -> list[int]:
        """The processes that ask and then those that answer; the portal's is not on the way of an exchange."""
        return [process.pid for code, process in self._processes.items() if code != "portal"]

    @property
    def urls(self) -> list[str]:
        """Where the information systems ask, one for each gateway that asks."""
        return [way.url for way in self.ways]

    def service(self, profile: str, number: int) -> str:
        """The id of the service that is offered in this way, at the gateway which question `number` is for."""
        return f"TW/GOV/{self._answering[self._answers(number)]}/births/{profile}.v1"

    def pair(self, number: int) -> tuple[Gateway, Gateway]:
        """The gateway that carries question `number`, and the one that it is for."""
        asking, answering = self._asking[number % len(self.ways)], self._answering[self._answers(number)]
        return self._known[f"TW/GOV/{asking}/gw1"], self._known[f"TW/GOV/{answering}/gw1"]

    def _answers(self, number: int) -> int:
        """Every gateway that asks asks all that answer."""
        return number // len(self._asking) % len(self._answering)

    def verify_logs(self, numbers: set[int], name: Callable[[int], str], refused: frozenset[int] = frozenset()) -> int:
        """Hold all stopped gateways' logs to exactly these exchanges; how many records that are.

        Each log must verify from its records up, and hold one signed question and one signed answer an exchange; those
        that were `refused` may be there as they ended.
        """
        found = 0
        if self._asking == self._answering:
            return self._verify_log(self._asking[0], set(map(name, numbers)), set(map(name, refused)), signed=False)
        for at, code in enumerate(self._asking):
            mine = {name(number) for number in numbers if number % len(self._asking) == at}
            found += self._verify_log(code, mine, {name(number) for number in refused})
        for at, code in enumerate(self._answering):
            mine = {name(number) for number in numbers if self._answers(number) == at}
            found += self._verify_log(code, mine, {name(number) for number in refused})
        return found

    def _verify_log(self, code: str, exchanges: set[str], refused: set[str], *, signed: bool = True) -> int:
        found: dict[str, list[str]] = {}
        with closing(sqlite3.connect(self.folder / code / "log.sqlite3")) as db:
            log = Log(db, f"TW/GOV/{code}/gw1")
            if damaged := log.verify_stored():
                raise SystemExit(f"the log of {code} does not verify: {damaged[:5]}")
            for _, raw in log.records():
                record = json.loads(raw)
                if record["kind"] == "comparison":
                    if not record["agrees"]:
                        raise SystemExit(f"{code} has not exchanged what the other one says: {record}")
                    continue
                exchange = record.get("id", "")
                if exchange not in refused and not exchange.startswith(PROBE):
                    found.setdefault(exchange, []).append(record["kind"] if ("signature" in record) is signed else "")
        if set(found) != exchanges or any(kinds != _KINDS for kinds in found.values()):
            raise SystemExit(f"the log of {code} does not hold the {len(exchanges)} exchanges and nothing else")
        return sum(map(len, found.values()))

    # -- the country ------------------------------------------------------------------------------------------------

    def _home(self, code: str, subsystems: dict[str, Any], may: dict[str, list[str]] | None = None) -> dict[str, Any]:
        return homes.create(
            self.folder / code,
            member=code,
            port=free_port(),
            local_port=free_port(),
            subsystems=subsystems,
            may=may or {},
            anchor=self._centre.anchor,
        )

    def _publish(self) -> None:
        data = self._configuration()
        codes = [one["member"].rsplit("/", 1)[1] for one in self._described]
        self._centre.publish(
            data,
            member_keys={f"TW/GOV/{code}": homes.configuration_key(self.folder / code) for code in codes},
            sign=lambda **offer: homes.sign_offer(self.folder / offer["member"].rsplit("/", 1)[1], **offer),
            now=clock.now(),
        )
        for code in codes:
            homes.set_bundle(self.folder / code, self._centre.repository.bundle())
        read = snapshots.parse({**data, "version": 0, "expires_at": clock.now().isoformat()})
        self._known = read.gateways

    def _start(self, code: str, started: Started) -> Process:
        port, output = homes.load(self.folder / code).local_port, self.folder / f"{code}.log"
        module = ["smartgov.engines.troad.gateway"]
        if self._sampled and code != "portal":
            module = ["bench.profiled", f"{self._sampled}/{code}"]
        return started.add(Process.python(*module, "--home", self.folder / code, port=port, output=output))

    def _way(self, code: str) -> Way:
        url = f"http://127.0.0.1:{homes.load(self.folder / code).local_port}"
        return Way(url, homes.secret(self.folder / code, "cases"), f"TW/GOV/{code}/cases")

    def _configuration(self) -> dict[str, Any]:
        if not self._batch:
            for one in self._described:
                one["gateway"].pop("signatures")
        portal = self._described[-1]
        return {
            "issued_at": clock.now().isoformat(),
            "instance": "TW",
            "members": [
                {"id": one["member"], "name": {"en": one["member"], "zh": one["member"]}, "gateways": [one["gateway"]]}
                for one in self._described
            ],
            "subsystems": [name for one in self._described for name in one["subsystems"]],
            "services": [self._service(code, name) for code in self._answering for name in PROFILES],
            "rights": [
                self._right(asking, answering, name)
                for asking in self._asking
                for answering in self._answering
                for name in PROFILES
            ],
            "consent_issuers": [{"member": portal["member"], "key": portal["consent_key"]}],
            "token_issuers": [],
        }

    @staticmethod
    def _right(asking: str, answering: str, profile: str) -> dict[str, Any]:
        basis = {"kind": "consent"} if profile in CONSENTED else {"kind": "statute", "code": LAW}
        return {
            "client": f"TW/GOV/{asking}/cases",
            "service": f"TW/GOV/{answering}/births/{profile}.v1",
            "endpoints": ["POST /births/query"],
            "purpose": PURPOSE,
            "fields": list(GRANTED),
            "basis": basis,
        }

    def _service(self, code: str, profile: str) -> dict[str, Any]:
        terms = PROFILES[profile]
        name = f"TW/GOV/{code}/births/{profile}.v1"
        offered = {"id": name, "related": [], "visibility": "own", "limits": {"per_minute": _PER_MINUTE}}
        return {**offered, **terms, "contract": self._contract if terms.get("contract") else ""}
