"""A whole country: raised and run by the command line, then split in two; broken, mended, and gone at the end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest
from pytest_socket import enable_socket

from smartgov.engines.httpd import sync
from smartgov.engines.troad.client import LocalGateway
from smartgov.engines.troad.tests.country import free_ports
from smartgov.shared.problems import Problem
from smartgov.site.country import Ports, raise_country
from smartgov.site.supervise.country import PID_FILE, Country
from smartgov.site.supervise.programs import environment, python

LISTEN = "import socket, sys; s = socket.create_server(('127.0.0.1', int(sys.argv[1]))); s.accept()"
pytestmark = [pytest.mark.process, pytest.mark.enable_socket]


@cache
def port() -> int:
    """Where the countries of this module begin, one after the other."""
    return free_ports(60)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    enable_socket()
    place = tmp_path_factory.mktemp("running") / "var"
    raise_country(place, size=4_000, ports=Ports(port()))
    return place


def _left_running(home: Path) -> list[str]:
    """Command lines of processes that belong to this country, by their arguments or environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line, variables = (folder / "cmdline").read_bytes(), (folder / "environ").read_bytes()
        except OSError:
            continue
        if int(folder.name) != os.getpid() and os.fsencode(home) in line + variables:
            found.append(line.replace(b"\0", b" ").decode())
    return found


@contextmanager
def _demo(home: Path):
    """The demo as a person starts it, and the lines that it prints."""
    command = python("smartgov.cli", "demo", "--home", home, "--port", port(), "--people", 4_000)
    process = subprocess.Popen(
        command, env=environment({}), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8"
    )
    watchdog = threading.Timer(180, process.kill)
    watchdog.start()
    try:
        yield process
    finally:
        watchdog.cancel()
        process.kill()
        process.wait()
        process.stdout.close()


def _until(process: subprocess.Popen[str], words: str) -> str:
    said = ""
    for line in process.stdout:
        said += line
        if words in line:
            return said
    raise AssertionError(said)


def _call(country: Country, subject: str):
    folder = country.home / "gateways" / "ris"
    gateway = LocalGateway(
        f"http://127.0.0.1:{country.ports.gateway_local('ris')}",
        (folder / "secrets" / "cases").read_text().strip(),
        "TW/GOV/ris/cases",
    )
    return gateway.call(
        "TW/GOV/hpa/births/births.v1",
        "POST",
        "/births/query",
        json={},
        subject=subject,
        purpose="birth.registration",
        basis="child-welfare-act-14",
    )


def test_the_demo_raises_a_country_says_where_it_is_and_leaves_nothing_after_ctrl_c(tmp_path):
    _runs_and_ends(tmp_path / "var", signal.SIGINT)


def test_the_demo_runs_the_country_that_is_there_and_leaves_nothing_after_sigterm(home):
    _runs_and_ends(home, signal.SIGTERM)


def _runs_and_ends(home: Path, number: signal.Signals) -> None:
    with _demo(home) as process:
        said = _until(process, "All processes are healthy")
        assert f"http://localhost:{port()}" in said
        assert "mother" in said
        assert sync.request("GET", f"http://127.0.0.1:{port()}/").status == 200
        process.send_signal(number)
        said = _until(process, "nothing is left running")
        assert process.wait() == 0
    assert not _left_running(home)
    assert not Ports(port()).taken()
    assert not (home / PID_FILE).exists()


def test_a_country_in_two_web_processes_is_broken_and_mended(home):
    country = Country(home, port=port(), split="ris")
    mother = next(person for person in country.personas() if person["key"] == "mother")["national_id"]
    with country:
        for url in (country.url, country.agency_url):
            assert sync.request("GET", f"{url.replace('localhost', '127.0.0.1')}/ops/live").status == 200
        if not os.environ.get("SMARTGOV_DATABASE_URL"):
            assert (home / "web.sqlite3").exists()
            assert (home / "ris.sqlite3").exists()
        assert _call(country, mother).status == 200
        with pytest.raises(Problem) as refused:
            Country(home, port=port()).start()
        assert refused.value.slug == "country-running"

        country.kill("register-hpa")
        with pytest.raises(Problem):
            _call(country, mother)
        country.restart("register-hpa")
        assert _call(country, mother).status == 200

        before = country.supervisor.starts("gateway-ris")
        country.crash("gateway-ris")
        country.supervisor.wait_healthy(["gateway-ris"])
        assert country.supervisor.starts("gateway-ris") == before + 1
        assert _call(country, mother).status == 200
    assert not _left_running(home)


def test_a_taken_port_is_named(home):
    blocker = subprocess.Popen((sys.executable, "-c", LISTEN, str(port() + 27)))
    try:
        while port() + 27 not in Ports(port()).taken():
            assert blocker.poll() is None
        with pytest.raises(Problem) as refused:
            Country(home, port=port()).start()
        assert refused.value.slug == "ports-taken"
        assert str(port() + 27) in refused.value.what.en
    finally:
        blocker.kill()
        blocker.wait()
    assert not (home / PID_FILE).exists()
