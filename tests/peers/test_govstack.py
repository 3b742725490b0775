"""The cucumber suite of GovStack's information mediator against a country of five members, its expectations untouched.

The suite lies in `im/test/openAPI` of the folder (with its `node_modules`); it runs from a copy in which only the
hard-coded address of the system under test is another.

Its steps return thenables, so that cucumber sends each request before header and query have been added; what it then
asserts is weak. The same calls, whole and with their statuses, are in `troad/tests/test_xroad_process.py`.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pytest_socket import enable_socket

from smartgov.engines.troad import home as homes
from smartgov.engines.troad.tests.country import Country, free_port
from smartgov.shared import clock, settings

ASKER = "eGovStack/GOV/90000009/digitalregistries"
PROVIDERS = (
    "identifier/identifier/alp4aNum3r1c/alp4aNum3r1c",
    "a11a11a11a/asd2211a/12as12/m3mb3rc0d3",
    "a552example/zzz321a/m3mb3rc0d3/aa15",
    "valid1dentifi3r/rand0mid3nt/str1ng/azxcv55",
)
CODE = "alp4aNum3r1c"
DOCUMENT = b'{"openapi":"3.1.0","info":{"title":"a","version":"1"},"paths":{"/x":{"get":{"responses":{"200":{}}}}}}'
SCENARIOS = 28

pytestmark = [pytest.mark.enable_socket, pytest.mark.process]


class Mediated(Country):
    """The members that the suite speaks of; each offers one service with a document."""

    digest = ""

    def members(self, url: str) -> dict[str, dict[str, Any]]:
        return {name.split("/")[2]: self._member(name, url) for name in (ASKER, *PROVIDERS)}

    def _member(self, subsystem: str, url: str) -> dict[str, Any]:
        member, _, name = subsystem.rpartition("/")
        home = self.folder / member.rsplit("/", 1)[1]
        described = homes.create(
            home,
            member=member,
            port=free_port(),
            local_port=free_port(),
            subsystems={name: {"open": subsystem == ASKER, "services": {CODE: url}}},
            anchor=self.centre.anchor,
        )
        self.digest = homes.add_contract(home, DOCUMENT)
        return described

    def data(self) -> dict[str, Any]:
        terms = {"personal": False, "paths": ["GET /x"], "contract": self.digest}
        right = {"client": ASKER, "endpoints": ["GET /x"], "basis": {"kind": "none"}}
        return {
            "issued_at": clock.now().isoformat(),
            "instance": "eGovStack",
            "members": [
                {"id": one["member"], "name": {"en": code, "zh": code}, "gateways": [one["gateway"]]}
                for code, one in self.described.items()
            ],
            "subsystems": [name for one in self.described.values() for name in one["subsystems"]],
            "services": [{"id": f"{name}/{CODE}", **terms} for name in PROVIDERS],
            "rights": [{**right, "service": f"{name}/{CODE}"} for name in PROVIDERS],
        }


@pytest.fixture
def suite_folder(tmp_path: Path) -> Path:
    """A copy of the suite; skipped when it is not there."""
    folder = settings.get("SMARTGOV_PEERS")
    source = Path(folder) / "im" / "test" / "openAPI"
    if not folder or not (source / "node_modules").is_dir() or shutil.which("node") is None:
        pytest.skip("NOT RUN: SMARTGOV_PEERS has no im/test/openAPI with node_modules, or there is no node")
    copy = tmp_path / "suite"
    shutil.copytree(source, copy, ignore=shutil.ignore_patterns("node_modules"))
    (copy / "node_modules").symlink_to(source.resolve() / "node_modules")
    return copy


def test_all_scenarios_of_govstacks_information_mediator_pass(suite_folder: Path, tmp_path: Path) -> None:
    enable_socket()
    country = Mediated(tmp_path / "country")
    country.start()
    try:
        helpers = suite_folder / "features" / "support" / "helpers" / "helpers.js"
        told = helpers.read_text()
        assert "'http://localhost:3366/'" in told
        helpers.write_text(told.replace("http://localhost:3366", country.url("90000009")))
        result = tmp_path / "result.json"
        command = ["node", "node_modules/.bin/cucumber-js", "--format", f"json:{result}"]
        run = subprocess.run(command, cwd=suite_folder, capture_output=True, text=True, timeout=300, check=False)
        features = json.loads(result.read_text())
    finally:
        country.stop()
    outcomes = [
        {step["result"]["status"] for step in scenario["steps"]}
        for feature in features
        for scenario in feature["elements"]
    ]
    passed = sum(one == {"passed"} for one in outcomes)
    print(f"GovStack information mediator: {passed} of {len(outcomes)} scenarios")
    assert (run.returncode, passed, len(outcomes)) == (0, SCENARIOS, SCENARIOS), run.stdout[-3000:]
