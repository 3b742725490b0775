"""Two real gateways as two processes, under the smallest configuration by which one may ask the other."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from bench.processes import Process, Started, free_port
from smartgov.engines.ledger import Log
from smartgov.engines.troad import home as homes
from smartgov.engines.trust import Centre
from smartgov.shared import clock

CLIENT = "TW/GOV/ris/cases"
PROFILES = {
    "signed": {"personal": False},
    "personal": {"personal": True},
    "full": {"personal": True, "contract": True},
    "soon": {"personal": True, "durability": "soon"},
    "meta": {"personal": True, "durability": "meta"},
}
"""What is measured: rights and limits alone, strict; persons as references and fields cut besides; request and answer
held to a contract besides; persons with the two other durabilities.
"""
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


def service(profile: str) -> str:
    """The id of the service that is offered in this way."""
    return f"TW/GOV/hpa/births/{profile}.v1"


class Gateways:
    """ris asks, hpa answers; homes, keys and logs are in `folder`."""

    def __init__(self, folder: Path, register_port: int, started: Started, *, batch: bool, sampled: str = "") -> None:
        self.folder, self._batch = folder, batch
        url = f"http://127.0.0.1:{register_port}"
        services = {"births": {"services": {f"{profile}.v1": url for profile in PROFILES}}}
        self._centre = Centre.create(folder / "centre", clock.now())
        self._described = [self._home("ris", {"cases": {}}), self._home("hpa", services)]
        self._contract = homes.add_contract(folder / "hpa", _DOCUMENT)
        self._centre.publish(
            self._configuration(),
            member_keys={f"TW/GOV/{code}": homes.configuration_key(folder / code) for code in ("ris", "hpa")},
            sign=lambda **offer: homes.sign_offer(folder / offer["member"].rsplit("/", 1)[1], **offer),
            now=clock.now(),
        )
        self._processes = []
        for code in ("ris", "hpa"):
            homes.set_bundle(folder / code, self._centre.repository.bundle())
            port, output = homes.load(folder / code).local_port, folder / f"{code}.log"
            module = ["smartgov.engines.troad.gateway"]
            if sampled:
                module = ["bench.profiled", f"{sampled}/{code}"]
            process = Process.python(*module, "--home", folder / code, port=port, output=output)
            self._processes.append(started.add(process))
        for process in self._processes:
            process.wait_ready()

    @property
    def pids(self) -> list[int]:
        """The two processes."""
        return [process.pid for process in self._processes]

    @property
    def url(self) -> str:
        """Where ris's information system asks."""
        return f"http://127.0.0.1:{homes.load(self.folder / 'ris').local_port}"

    @property
    def secret(self) -> str:
        """What ris's information system shows its gateway."""
        return homes.secret(self.folder / "ris", "cases")

    def verify_logs(self, exchanges: set[str]) -> int:
        """Hold both stopped gateways' logs to exactly these exchanges; how many records that are.

        Each log must verify from its records up, and hold one signed question and one signed answer an exchange.
        """
        return sum(self._verify_log(code, exchanges) for code in ("ris", "hpa"))

    def _verify_log(self, code: str, exchanges: set[str]) -> int:
        with closing(sqlite3.connect(self.folder / code / "log.sqlite3")) as db:
            log = Log(db, f"TW/GOV/{code}/gw1")
            if damaged := log.verify_stored():
                raise SystemExit(f"the log of {code} does not verify: {damaged[:5]}")
            found: dict[str, list[str]] = {}
            for _, raw in log.records():
                record = json.loads(raw)
                found.setdefault(record.get("id", ""), []).append(record["kind"] if "signature" in record else "")
            size = log.size()
        if set(found) != exchanges or any(kinds != _KINDS for kinds in found.values()):
            raise SystemExit(f"the log of {code} does not hold the {len(exchanges)} exchanges and nothing else")
        return size

    def _home(self, code: str, subsystems: dict[str, Any]) -> dict[str, Any]:
        return homes.create(
            self.folder / code,
            member=code,
            port=free_port(),
            local_port=free_port(),
            subsystems=subsystems,
            anchor=self._centre.anchor,
        )

    def _configuration(self) -> dict[str, Any]:
        now = clock.now()
        right = {"client": CLIENT, "endpoints": ["POST /births/query"], "purpose": PURPOSE, "fields": list(GRANTED)}
        right["basis"] = {"kind": "statute", "code": LAW}
        if not self._batch:
            for one in self._described:
                one["gateway"].pop("signatures")
        return {
            "issued_at": now.isoformat(),
            "instance": "TW",
            "members": [
                {"id": one["member"], "name": {"en": one["member"], "zh": one["member"]}, "gateways": [one["gateway"]]}
                for one in self._described
            ],
            "subsystems": [name for one in self._described for name in one["subsystems"]],
            "services": [self._service(profile, terms) for profile, terms in PROFILES.items()],
            "rights": [{**right, "service": service(profile)} for profile in PROFILES],
            "consent_issuers": [],
            "token_issuers": [],
        }

    def _service(self, profile: str, terms: dict[str, Any]) -> dict[str, Any]:
        offered = {"id": service(profile), "related": [], "visibility": "own", "limits": {"per_minute": _PER_MINUTE}}
        return {**offered, **terms, "contract": self._contract if terms.get("contract") else ""}
