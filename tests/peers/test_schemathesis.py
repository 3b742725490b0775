"""schemathesis as its own command, in all its phases, on every OpenAPI document that a running country serves.

Its neighbours in the blocks ask each operation with real objects and half-sound bodies within one process; here whole
processes are asked over HTTP, with negative data, other methods, missing headers and chains of calls. How many
examples each operation gets is SMARTGOV_PEERS_EXAMPLES. A no to sound data, or a yes to unsound data, is no fault by
itself: most of what is refused here is refused by rules that no schema can say.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from pytest_socket import enable_socket

from smartgov.engines.httpd import sync
from smartgov.shared import settings
from smartgov.shared.tw import national_id
from smartgov.site.supervise import Country as Running
from tests.journeys.conftest import raised
from tests.journeys.people import Country, Person

pytest.importorskip("schemathesis", reason="NOT RUN: schemathesis is not installed")
pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.process,
    pytest.mark.skipif(
        not settings.get("SMARTGOV_PEERS"),
        reason="NOT RUN: takes a country and half an hour; runs where SMARTGOV_PEERS is",
    ),
]
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    enable_socket()
    yield from raised(size=3000)


@pytest.fixture(scope="module")
def country(running: Running) -> Country:
    return Country(running.home, running.ports.web)


def hold(folder: Path, document: str, headers: Mapping[str, str], *more: str, checks: tuple[str, ...] = CHECKS) -> None:
    """Let schemathesis hold the answers against a document; what it prints is the failure."""
    told = [part for name, value in headers.items() for part in ("--header", f"{name}: {value}")]
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", document, "--checks", ",".join(checks)),
        *("--phases", "examples,coverage,fuzzing,stateful", "--mode", "all", "--continue-on-failure", "--no-color"),
        *("--max-examples", settings.get("SMARTGOV_PEERS_EXAMPLES"), "--generation-database", "none"),
        *("--seed", "1", "--suppress-health-check", "all", *told, *more),
    ]
    environment = {**os.environ, "PYTHONPATH": ""}
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=3600, env=environment
    )
    print(done.stdout[-1500:])
    assert done.returncode == 0, done.stdout[-12_000:] + done.stderr[-2000:]
    assert " generated" in done.stdout, done.stdout


@pytest.mark.parametrize("door", ["openid", "credentials", "signing"])
def test_the_doors_of_protocols(door: str, country: Country, tmp_path: Path) -> None:
    # schemathesis reads every application/jwt as JSON, which no JWT is.
    jwt = ("--exclude-path-regex", r"[.]jwt$") if door == "credentials" else ()
    hold(tmp_path, f"{country.origin}/{door}/openapi.json", {}, *jwt)


def test_the_api_for_an_officer(country: Country, tmp_path: Path) -> None:
    person = Person(country, "ris-integrator")
    person.sign_in()
    person.take_seat("Department of Household", "Data exchange officer")
    cookies = {one.name: str(one.value) for one in person.browser.cookies}
    form_token = next(value for name, value in cookies.items() if "csrf" in name)
    headers = {
        "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
        "X-CSRFToken": form_token,
        "Origin": country.origin,
    }
    hold(tmp_path, f"{country.origin}/api/openapi.json", headers)


@pytest.mark.parametrize(("agency", "subsystem", "client"), [("ris", "cases", "portal"), ("portal", "portal", "ris")])
def test_the_doors_on_t_road(agency: str, subsystem: str, client: str, country: Country, tmp_path: Path) -> None:
    headers = {
        **secret(country.home / "gateways" / agency / "secrets" / subsystem),
        "X-Road-Client": f"TW/GOV/{client}/{'portal' if client == 'portal' else 'cases'}",
        "X-Road-Id": "peer-0001",
        "X-TRoad-Subject": national_id.urn(country.personas["mother"]["national_id"]),
    }
    hold(tmp_path, f"{country.origin}/troad/{agency}/openapi.json", headers)


def test_a_gateways_local_door(running: Running, tmp_path: Path) -> None:
    headers = {
        **secret(running.home / "gateways" / "ris" / "secrets" / "cases"),
        "Accept": "application/problem+json",
    }
    base = f"http://127.0.0.1:{running.ports.gateway_local('ris')}"
    # A service that is nowhere is the answer of a gateway that cannot go on: the statuses of 502 to 504 are documented.
    hold(tmp_path, f"{base}/local/v1/openapi.json", headers)
    x_road = {name: value for name, value in headers.items() if name != "Accept"}
    # X-Road's own word for any refusal is 500 (protocol for REST, 4.6); what it looks like is documented.
    hold(tmp_path, f"{base}/local/v1/openapi.json", x_road, "--include-path-regex", "^/r1/", checks=CHECKS[1:])


@pytest.mark.parametrize("agency", ["ris", "hpa", "nhi", "bli", "sfaa", "mof"])
def test_registers_that_are_made_from_a_description(agency: str, running: Running, tmp_path: Path) -> None:
    home = running.home / "registers" / agency
    described: dict[str, Any] = yaml.safe_load((home / "register.yaml").read_text(encoding="utf-8"))
    base = f"http://127.0.0.1:{described['port']}"
    headers = {
        **secret(home / "secrets" / "gateway"),
        "X-Road-Client": f"TW/GOV/{agency}/cases",
        "X-TRoad-Subject": national_id.urn(Country(running.home, running.ports.web).personas["mother"]["national_id"]),
    }
    (tmp_path / "document.json").write_bytes(sync.request("GET", f"{base}/openapi.json", headers).body)
    hold(tmp_path, "document.json", headers, "--url", base)


def secret(file: Path) -> dict[str, str]:
    """The header by which a gateway and an information system know each other."""
    return {"Authorization": f"Bearer {file.read_text(encoding='utf-8').strip()}"}
