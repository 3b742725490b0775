"""schemathesis as its own command, in all its phases, on every OpenAPI document that a running country serves.

Its neighbours in the blocks ask each operation with real objects and half-sound bodies within one process; here whole
processes are asked over HTTP, with negative data, other methods, missing headers and chains of calls. How many
examples each operation gets is SMARTGOV_PEERS_EXAMPLES. A no to sound data, or a yes to unsound data, is no fault by
itself: most of what is refused here is refused by rules that no schema can say. Whatever is answered, no process may
have recorded an error of its own meanwhile.
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


PEOPLE = {"instance": "TW", "group": "GOV", "member": "ris", "subsystem": "household", "service": "people.v1"}
HOOKS = Path(__file__).with_name("schemathesis_hooks.py")
ADDRESSES = "SMARTGOV_CLIENT_ADDRESS_HEADER"


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    enable_socket()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(ADDRESSES, "X-Forwarded-For")
        yield from raised(size=3000)


@pytest.fixture(scope="module")
def country(running: Running) -> Country:
    return Country(running.home, running.ports.web)


@pytest.fixture(autouse=True)
def _nothing_failed_inside(running: Running) -> Iterator[None]:
    before = {log: len(lines) for log, lines in recorded(running).items()}
    yield
    since = {log: lines[before.get(log, 0) :] for log, lines in recorded(running).items()}
    assert not any(since.values()), since


def recorded(running: Running) -> dict[str, list[str]]:
    """The errors of our own that each process of the country has recorded."""
    said = {
        log.name: log.read_text(encoding="utf-8", errors="replace").splitlines()
        for log in (running.home / "logs").glob("*.log")
    }
    return {
        log: [line for line in lines if '"request_failed"' in line or line.startswith("Traceback")]
        for log, lines in said.items()
    }


def hold(folder: Path, document: str, headers: Mapping[str, str], *more: str, checks: tuple[str, ...] = CHECKS) -> None:
    """Let schemathesis hold the answers against a document; what it prints is the failure."""
    told = [part for name, value in headers.items() for part in ("--header", f"{name}: {value}")]
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", document, "--checks", ",".join(checks)),
        *("--phases", "examples,coverage,fuzzing,stateful", "--mode", "all", "--continue-on-failure", "--no-color"),
        *("--max-examples", settings.get("SMARTGOV_PEERS_EXAMPLES"), "--generation-database", "none"),
        *("--seed", "1", "--suppress-health-check", "all", *told, *more),
    ]
    environment = {**os.environ, "PYTHONPATH": "", "SCHEMATHESIS_HOOKS": str(HOOKS)}
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
    document = f"{country.origin}/{door}/openapi.json"
    hold(tmp_path, document, {}, *jwt)
    if door == "credentials":
        hold(at(tmp_path, agency="ris", number="1"), document, {}, "--include-path-regex", "{agency}")


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
    document = f"{country.origin}/api/openapi.json"
    hold(tmp_path, document, headers)
    # Her own service. What takes it away is left out, as the tests that follow ask it.
    service = at(tmp_path, **PEOPLE)
    hold(service, document, headers, "--include-path-regex", "{service}", "--exclude-method", "DELETE")


@pytest.mark.parametrize(
    ("agency", "subsystem", "client", "services"),
    [("ris", "cases", "portal", "cases|credentials"), ("portal", "portal", "ris", "services|exchange")],
)
def test_the_doors_on_t_road(
    agency: str, subsystem: str, client: str, services: str, country: Country, tmp_path: Path
) -> None:
    headers = {
        **secret(country.home / "gateways" / agency / "secrets" / subsystem),
        "X-Road-Client": f"TW/GOV/{client}/{'portal' if client == 'portal' else 'cases'}",
        "X-Road-Id": "peer-0001",
        "X-TRoad-Subject": national_id.urn(country.personas["mother"]["national_id"]),
    }
    # One document has the services of all roles; what this agency does not serve is 404 whatever is asked.
    document = f"{country.origin}/troad/{agency}/openapi.json"
    hold(tmp_path, document, headers, "--include-path-regex", f"^/({services})[.]")


@pytest.mark.parametrize(("agency", "subsystem"), [("ris", "cases"), ("portal", "portal")])
def test_a_gateways_local_door(agency: str, subsystem: str, running: Running, tmp_path: Path) -> None:
    headers = secret(running.home / "gateways" / agency / "secrets" / subsystem)
    document = f"http://127.0.0.1:{running.ports.gateway_local(agency)}/local/v1/openapi.json"
    checks = ("only_named_failures", *CHECKS[1:])
    hold(tmp_path, document, {**headers, "Accept": "application/problem+json"}, checks=checks)
    people = at(tmp_path, **PEOPLE, **{"class": PEOPLE["group"], "path": "people"})
    hold(
        people,
        document,
        {**headers, "Accept": "application/problem+json"},
        "--include-path-regex",
        "{member}",
        checks=checks,
    )
    # X-Road's own word for any refusal is 500 (protocol for REST, 4.6); what it looks like is documented.
    hold(tmp_path, document, headers, "--include-path-regex", "^/r1/", checks=checks)


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


def at(folder: Path, **path: str) -> Path:
    """A folder in which schemathesis asks at one address: made up, hardly one would name anything."""
    folder = folder / "known"
    folder.mkdir()
    fixed = "".join(f'"path.{name}" = "{value}"\n' for name, value in path.items())
    (folder / "schemathesis.toml").write_text(f"[parameters]\n{fixed}", encoding="utf-8")
    return folder


def secret(file: Path) -> dict[str, str]:
    """The header by which a gateway and an information system know each other."""
    return {"Authorization": f"Bearer {file.read_text(encoding='utf-8').strip()}"}
