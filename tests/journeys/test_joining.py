"""J2: an agency joins by page and command alone, as a new user would, and calls another member's service."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import smartgov
from smartgov.engines.httpd import sync
from smartgov.engines.troad import home as homes
from smartgov.engines.troad.client import LocalGateway
from smartgov.shared.problems import Problem
from smartgov.shared.tw import national_id
from smartgov.site.supervise import Country as Running
from smartgov.site.supervise import programs
from tests.journeys.conftest import free_ports, raised
from tests.journeys.people import Country, Person, until

SOURCE = str(Path(smartgov.__file__).parent.parent)
GRANT = """
import django; django.setup()
from smartgov.blocks.exchange import api
from smartgov.shared.actor import Actor
api.grant_right(actor=Actor.for_system("portal", "journey"), terms=api.Terms(
    client="TW/GOV/xyz/cases", service="TW/GOV/ris/household/people.v1", endpoints=("POST /people/query",),
    basis=api.Basis.STATUTE, basis_code="household-act-48", citation="48", purpose="birth.registration",
    fields=("name",)))
"""


@pytest.fixture(scope="module")
def small() -> Iterator[Running]:
    yield from raised(size=1000)


def gateway(*words: object, check: bool = True) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "smartgov.cli", "gateway", *map(str, words)]
    environment = {**os.environ, "PYTHONPATH": SOURCE}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert not check or done.returncode in (0, 3), done.stderr
    return done


def test_a_member_joins_and_calls(small: Running, tmp_path: Path) -> None:
    country, home, port = Country(small.home, small.ports.web), tmp_path / "xyz", free_ports(2)
    operator = Person(country, "operator")
    operator.sign_in()
    operator.take_seat("portal", "Operator")
    shown = operator.get("/exchange/joining").text.partition("on paper:")[2]
    root = "".join(re.findall(r"\b[0-9a-f]{4}\b", shown)[:16])
    assert len(root) == 64, shown or operator.page.text
    init = ["init", "--home", home, "--member", "TW/GOV/xyz", "--centre", country.origin, "--root", root]
    init += ["--name-en", "Agency of Trials", "--name-zh", "試辦機關", "--office", "IT", "--email", "it@example.tw"]
    init += ["--host", "127.0.0.1", "--port", port, "--local-port", port + 1, "--system", "cases"]
    wrong = gateway(*["0" * 64 if word == root else word for word in init], check=False)
    assert (wrong.returncode, "another root" in wrong.stderr) == (1, True)
    asked = gateway(*init)
    assert asked.returncode == 3
    fingerprint = "".join(re.findall(r"\b[0-9a-f]{4}\b", asked.stdout))
    assert len(fingerprint) == 64

    page = operator.get("/exchange/joining")
    assert "Agency of Trials" in page.text
    page = operator.submit(page.form_with("told"), told=f"{fingerprint[-8:-4]} {fingerprint[-4:]}")
    assert "Joined" in gateway(*init, "--wait", "60").stdout

    running = subprocess.Popen(
        [sys.executable, "-m", "smartgov.cli", "gateway", "--home", str(home)],
        env={**os.environ, "PYTHONPATH": SOURCE},
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: _answers(port + 1), bool)
        until(lambda: gateway("ping", "--home", home, "ris", check=False).returncode, lambda status: status == 0)
        web = programs.webs(small.home, small.ports, split=None, demo=True)[0]
        subprocess.run([sys.executable, "-c", GRANT], env=programs.environment(web.environment), check=True)
        client = LocalGateway(f"http://127.0.0.1:{port + 1}", homes.secret(home, "cases"), "TW/GOV/xyz/cases")
        mother = country.personas["mother"]
        until(lambda: _name(client, mother["national_id"]), lambda name: name == mother["name"])
        checked = gateway("check", "--home", home, check=False).stdout
        assert all(re.search(rf"^ok +{name} ", checked, re.MULTILINE) for name in ("signing", "log", "peer")), checked
    finally:
        running.terminate()
        running.wait(20)


def _answers(port: int) -> bool:
    try:
        return sync.request("GET", f"http://127.0.0.1:{port}/local/v1/health").status == 200
    except OSError:
        return False


def _name(client: LocalGateway, person: str) -> str:
    try:
        answer = client.call(
            "TW/GOV/ris/household/people.v1",
            "POST",
            "/people/query",
            json={"where": {"national_id": national_id.urn(person)}},
            subject=person,
            purpose="birth.registration",
            basis="household-act-48",
        )
    except Problem as problem:
        return str(problem)
    return str(answer.body["items"][0]["name"])
