"""Server CPU of an officer's log-in by password and authenticator app, with Argon2id at 19 MiB and two passes.

One log-in is the form with its forgery token, then password and code together: two requests, of which the second
checks the hash, spends the code's step, opens a session, notes the sign-in for the person and writes the audit entry.
The floor is the hash alone, measured in this process. SQLite, and PostgreSQL when there is one.
"""

from __future__ import annotations

import http.cookiejar
import json
import re
import shutil
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

from argon2 import PasswordHasher, Type

from bench.machine import cpu_seconds, descendants
from bench.processes import ROOT, Process, free_port
from smartgov.blocks.identity.people import totp
from smartgov.shared import clock

OFFICERS, ROUNDS, WARM = 60, 3, 3
EDGE = 5


def main() -> None:
    """Print CPU a log-in, what one core could do of them, and the floor."""
    hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, type=Type.ID)
    known = hasher.hash("three herons over the paddy")
    started = time.process_time()
    for _ in range(40):
        hasher.verify(known, "three herons over the paddy")
    floor = (time.process_time() - started) / 40
    print(f"{'log-in':<24}{'ms':>8}{'a second a core':>18}")
    print(f"{'Argon2id alone':<24}{floor * 1000:8.1f}{1 / floor:18.1f}")
    with tempfile.TemporaryDirectory(prefix="smartgov-bench-") as folder:
        _line("smartgov (SQLite)", lambda: _site(Path(folder) / "sqlite", ""))
        if shutil.which("postgres") or list(Path("/usr/lib/postgresql").glob("*/bin")):
            from scripts.with_postgres import cluster

            with cluster() as url:
                _line("smartgov (PostgreSQL)", lambda: _site(Path(folder) / "postgres", url))
        else:
            print("smartgov (PostgreSQL): NOT RUN")


def _line(name: str, start: Callable[[], tuple[Process, str, Path]]) -> None:
    process, origin, people = start()
    try:
        process.wait_ready()
        officers = json.loads(people.read_text())
        for officer in officers[:WARM]:
            _log_in(origin, officer)
        least = min(_cpu(process, origin, officers[WARM + n :: ROUNDS]) for n in range(ROUNDS))
    finally:
        process.stop()
    print(f"{name:<24}{least * 1000:8.1f}{1 / least:18.1f}", flush=True)


def _cpu(process: Process, origin: str, officers: list[dict[str, str]]) -> float:
    """Seconds of the server's CPU for one log-in; each officer logs in once, as each code works once."""
    pids = [process.pid, *descendants(process.pid)]
    before = cpu_seconds(pids)
    for officer in officers:
        _log_in(origin, officer)
    return (cpu_seconds(pids) - before) / len(officers)


def _log_in(origin: str, officer: dict[str, str]) -> None:
    jar = http.cookiejar.CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar), _Stay())
    page = browser.open(f"{origin}/identity/password").read().decode()
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert found
    _away_from_the_edge()
    form = {
        "csrfmiddlewaretoken": found.group(1),
        "national_id": officer["national_id"],
        "password": officer["password"],
        "code": totp.code(officer["secret"], totp.step_at(clock.now())),
    }
    answer = browser.open(urllib.request.Request(f"{origin}/identity/password", urlencode(form).encode()))
    if answer.status != 302:
        raise RuntimeError(f"a log-in was answered with {answer.status}")


def _away_from_the_edge() -> None:
    """A code counts in its own half minute only; on a busy machine an answer may take seconds."""
    left = totp.STEP - clock.now().timestamp() % totp.STEP
    if left < EDGE:
        time.sleep(left + 0.05)


class _Stay(urllib.request.HTTPRedirectHandler):
    """Takes a redirect as the answer that it is."""

    def http_error_302(self, req: object, fp: object, code: int, msg: str, headers: object) -> object:
        """The answer itself."""
        return fp


def _site(home: Path, database: str) -> tuple[Process, str, Path]:
    home.mkdir(parents=True)
    port = free_port()
    arguments = ["bench.identity_site", str(home), str(port), str(OFFICERS + WARM), database]
    process = Process.python(*arguments, port=port, output=home / "output.txt")
    assert (ROOT / "bench/identity_site.py").exists()
    return process, f"http://127.0.0.1:{port}", home / "officers.json"
