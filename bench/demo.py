"""The whole demo: what raising it costs, how soon it answers, how much memory it takes, and one journey's CPU.

The journey is the one of `tests/journeys/birth.py`, which checks each of its pages; afterwards the log of every gateway
must verify. The people's own browsers and phones' owners are this process and are in no CPU figure.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
import time
import urllib.request
from collections.abc import Callable
from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import Any

from bench.machine import cpu_seconds, descendants, filesystem, pss_megabytes
from smartgov.engines.ledger import Log
from smartgov.site.country import Ports, raise_country
from smartgov.site.supervise import Country

BASE = 29000
GIGABYTE = 1024
SUPERVISOR = "supervisor (this bench)"
_IDLE_SECONDS = 5.0
_JOURNEY = "tests.journeys.birth"


def main() -> None:
    """Print every figure of one country in a temporary folder."""
    os.environ.pop("SMARTGOV_HOME", None)  # the country says itself where it lives
    with tempfile.TemporaryDirectory(prefix="smartgov-bench-") as folder:
        home = Path(folder) / "country"
        _raise(home)
        for text in ("first start", "second start"):
            country = Country(home, port=BASE)
            try:
                _start(country, text)
                if text == "second start":
                    print_memory(country)
                    _travel(country)
            finally:
                country.stop()
            print(f"{'  its folder':<24}{megabytes(home):8.0f} MB after it")
        exchanges = verify_logs(home)
        print(f"{'verified':<24}{exchanges:8d} questions in the logs of all gateways, and every log verifies")


def _raise(home: Path) -> None:
    started, cpu = time.monotonic(), time.process_time()
    raise_country(home, ports=Ports(BASE))
    seconds, cpu = time.monotonic() - started, time.process_time() - cpu
    size = megabytes(home)
    print(f"{'raise 10,000 people':<24}{seconds:8.1f} s ({cpu:.1f} s CPU), {size:.0f} MB on {filesystem(home)}")


def megabytes(folder: Path) -> float:
    """What the files of a folder take on disk."""
    return sum(path.lstat().st_blocks * 512 for path in folder.rglob("*")) / 2**20


def _start(country: Country, text: str) -> None:
    started = time.monotonic()
    country.start(wait=False)
    page = urllib.request.urlopen(country.url, timeout=60).read()
    first = time.monotonic() - started
    if b"<html" not in page:
        raise SystemExit(f"the first page is none: {page[:200]!r}")
    country.wait_healthy()
    healthy = time.monotonic() - started
    print(f"{text:<24}{first:8.1f} s to the first page, {healthy:.1f} s until all processes are healthy")


# -- memory -----------------------------------------------------------------------------------------------------------


def print_memory(country: Country) -> None:
    """PSS of every program with its children, most first, and whether the sum keeps the aim."""
    found = {name: sum(map(pss_megabytes, pids)) for name, pids in processes(country).items()}
    for name, size in sorted(found.items(), key=lambda row: -row[1]):
        print(f"  {name:<22}{size:8.1f} MB")
    total = sum(found.values())
    verdict = "holds" if total < GIGABYTE else "DOES NOT HOLD"
    count = sum(len(pids) for pids in processes(country).values())
    print(f"{'memory (PSS)':<24}{total:8.1f} MB in {count} processes; aim under {GIGABYTE} MB: {verdict}")


def processes(country: Country) -> dict[str, list[int]]:
    """The process ids of every program, its children included, and of the supervisor."""
    found: dict[str, list[int]] = {SUPERVISOR: [os.getpid()]}
    for name in country.supervisor.names():
        pid = country.supervisor.pid(name)
        found[name] = [] if pid is None else [pid, *descendants(pid)]
    return found


# -- one journey ------------------------------------------------------------------------------------------------------


def _travel(country: Country) -> None:
    if (whole_journey := _journey()) is None:
        print("one whole journey: NOT RUN")
        return
    from tests.journeys.people import Country as People

    names = [name for name in processes(country) if name != SUPERVISOR]
    time.sleep(_IDLE_SECONDS)  # what a start leaves to do is not idling
    idle = _spent(country, lambda: time.sleep(_IDLE_SECONDS), names)
    rate, before = sum(idle.values()) / _IDLE_SECONDS * 1000, verify_logs(country.home)
    print(f"{'idle':<24}{rate:8.0f} CPU ms a second in all processes: {_most(idle, _IDLE_SECONDS)}")
    started = time.monotonic()
    spent = _spent(country, lambda: whole_journey(People(country.home, country.ports.web)), names)
    seconds, exchanges = time.monotonic() - started, verify_logs(country.home) - before
    total = sum(spent.values()) * 1000
    print(f"{'one whole journey':<24}{total:8.0f} CPU ms in all processes, {exchanges} exchanges, {seconds:.1f} s")
    print(f"{'  of which':<24}{_most(spent, 1)}")
    print(f"{'  without idling':<24}{max(total - rate * seconds, 0):8.0f} CPU ms")


def _most(seconds: dict[str, float], by: float) -> str:
    rows = sorted(seconds.items(), key=lambda row: -row[1])[:5]
    return ", ".join(f"{name} {spent / by * 1000:.0f}" for name, spent in rows)


def _journey() -> Callable[[Any], Any] | None:
    try:
        found: Callable[[Any], Any] = import_module(_JOURNEY).whole_journey
    except ModuleNotFoundError as error:
        if not _JOURNEY.startswith(error.name or "?"):
            raise
        return None
    return found


def _spent(country: Country, act: Callable[[], object], names: list[str]) -> dict[str, float]:
    """CPU seconds of each program while `act` ran."""
    pids = processes(country)
    before = {name: cpu_seconds(pids[name]) for name in names}
    act()
    if (now := processes(country)) != pids:
        changed = [name for name in names if now[name] != pids[name]]
        raise SystemExit(f"these processes did not live through it: {changed}")
    return {name: cpu_seconds(pids[name]) - before[name] for name in names}


def verify_logs(home: Path) -> int:
    """Recompute the log of every gateway; how many questions the asking sides recorded."""
    asked = 0
    for gateway in sorted((home / "gateways").iterdir()):
        with closing(sqlite3.connect(f"file:{gateway / 'log.sqlite3'}?mode=ro", uri=True)) as db:
            db.execute("BEGIN")
            if damaged := Log(db, gateway.name).verify_stored():
                raise SystemExit(f"the log of {gateway.name} does not verify: {damaged[:5]}")
            (count,) = db.execute(
                "SELECT count(*) FROM ledger_record WHERE json_extract(CAST(record AS TEXT), '$.kind') = 'request'"
                " AND json_extract(CAST(record AS TEXT), '$.side') IN ('client', 'own')"
            ).fetchone()
            asked += count
    return asked
