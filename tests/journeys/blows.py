"""Blows that a running country takes, each proved to have been struck, and looks into its files afterwards."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from smartgov.engines.pki import keys
from smartgov.shared import clock
from smartgov.site.supervise import Country as Running
from smartgov.site.supervise.programs import answers, environment, python
from tests.journeys.people import Country, Person, until


@contextmanager
def down(running: Running, name: str) -> Iterator[None]:
    """Keep a process down within the block."""
    pid = running.supervisor.pid(name)
    assert pid is not None, f"{name} was not running"
    running.kill(name)
    assert running.supervisor.pid(name) is None
    assert not is_alive(pid)
    try:
        yield
    finally:
        running.restart(name)


@contextmanager
def foreign_message_key(running: Running, agency: str) -> Iterator[None]:
    """Within the block, an agency's gateway signs with a key that the published configuration does not name."""
    name, file = f"gateway-{agency}", running.home / "gateways" / agency / "keys" / "message.key"
    true = file.read_bytes()
    running.kill(name)
    keys.save_private(file, keys.generate_p256())
    assert file.read_bytes() != true
    running.restart(name)
    try:
        yield
    finally:
        running.kill(name)
        keys.write_secret(file, true)
        running.restart(name)


@contextmanager
def slow_bank(running: Running) -> Iterator[None]:
    """Within the block, the bank takes batches and needs an hour for each result."""
    command = python("smartgov.simulators.bank", "--home", running.home / "bank", "--port", running.ports.bank)
    with down(running, "bank"):
        bank = subprocess.Popen([*command, "--settle-after", "3600"], env=environment({}))
        try:
            until(lambda: answers(f"http://127.0.0.1:{running.ports.bank}/health"), bool)
            yield
        finally:
            bank.terminate()
            bank.wait()


def crash(running: Running, name: str) -> None:
    """Kill a process as a power cut would, and wait until the supervisor has started it anew."""
    before = running.supervisor.pid(name)
    running.crash(name)
    assert before is not None
    assert not is_alive(before)
    running.supervisor.wait_healthy([name])
    assert running.supervisor.pid(name) not in (None, before)


def is_alive(pid: int) -> bool:
    """Whether a process is there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def change_register(country: Country, agency: str, statement: str, *values: Any) -> int:
    """Write into a register's file past its program, as its owner's clerk could; how many rows changed."""
    with sqlite3.connect(country.home / "registers" / agency / "register.sqlite3") as connection:
        return connection.execute(statement, values).rowcount


def rows(file: Path, query: str, *values: Any) -> list[tuple[Any, ...]]:
    """Read a database file that belongs to a running process."""
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as connection:
        return connection.execute(query, values).fetchall()


def web_rows(running: Running, query: str, *values: Any, agency: str | None = None) -> list[tuple[Any, ...]]:
    """Read the database of the web process of the portal, or of the agency that runs apart."""
    web = next(web for web in running.web_processes if web.agency == agency)
    url = web.environment.get("SMARTGOV_DATABASE_URL")
    if not url:
        return rows(running.home / web.environment.get("SMARTGOV_DATABASE_NAME", "web.sqlite3"), query, *values)
    with psycopg.connect(url) as connection:
        return connection.execute(query.replace("?", "%s").encode(), values).fetchall()


def web_tables(running: Running, *, agency: str | None = None) -> list[str]:
    """The tables of such a database."""
    web = next(web for web in running.web_processes if web.agency == agency)
    on_server = web.environment.get("SMARTGOV_DATABASE_URL")
    query = "SELECT tablename FROM pg_tables" if on_server else "SELECT name FROM sqlite_master WHERE type = 'table'"
    return [name for (name,) in web_rows(running, query, agency=agency)]


def verified(home: Path) -> subprocess.CompletedProcess[str]:
    """What `smartgov verify` says of a gateway's log."""
    command = [sys.executable, "-m", "smartgov.cli", "verify", str(home)]
    return subprocess.run(command, env=environment({}), capture_output=True, text=True, check=False)


def notify_birth(country: Country, key: str, **changed: str) -> None:
    """The hospital notifies that one of the cast gave birth today, and she reads it on her wall."""
    hospital = Person(country, "registrar")
    hospital.sign_in()
    hospital.take_seat("Health Promotion", "registrar")
    form = hospital.get("/cases/births/new").form_with("mother_id")
    facts, today = country.personas[key], clock.today()
    typed = {
        "mother_id": facts["national_id"],
        "mother_name": facts["name"],
        "born_on_y": str(today.year),
        "born_on_m": str(today.month),
        "born_on_d": str(today.day),
        "child_sex": "female",
        "weight_g": "3200",
        "gestation_weeks": "39",
        "birth_order": "1",
        "hospital": "和平示範醫院",
    }
    sent = hospital.submit(form, **{**typed, **changed})
    assert "sent=1" in sent.url, sent.text
