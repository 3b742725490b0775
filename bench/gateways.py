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
SERVICE = "TW/GOV/hpa/births/births.v1"
PURPOSE = "birth-registration"
LAW = "household-act-48"
GRANTED = ("born_on", "hospital", "id", "mother_id")
"""The register answers more fields than these; the provider's gateway must cut the rest."""
_KINDS = ["request", "answer"]


class Gateways:
    """ris asks, hpa answers; homes, keys and logs are in `folder`."""

    def __init__(self, folder: Path, register_port: int, started: Started) -> None:
        self.folder = folder
        services = {"births": {"services": {"births.v1": f"http://127.0.0.1:{register_port}"}}}
        self._centre = Centre.create(folder / "centre", clock.now())
        self._described = [self._home("ris", {"cases": {}}), self._home("hpa", services)]
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
            module = "smartgov.engines.troad.gateway"
            process = Process.python(module, "--home", folder / code, port=port, output=output)
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
        right = {"client": CLIENT, "service": SERVICE, "endpoints": ["POST /births/query"], "purpose": PURPOSE}
        return {
            "issued_at": now.isoformat(),
            "instance": "TW",
            "members": [
                {"id": one["member"], "name": {"en": one["member"], "zh": one["member"]}, "gateways": [one["gateway"]]}
                for one in self._described
            ],
            "subsystems": [name for one in self._described for name in one["subsystems"]],
            "services": [{"id": SERVICE, "personal": True, "related": [], "visibility": "own"}],
            "rights": [{**right, "basis": {"kind": "statute", "code": LAW}, "fields": list(GRANTED)}],
            "consent_issuers": [],
            "token_issuers": [],
        }
