"""The worker as a process: it delivers, and stops in order when told to."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

OPTIONAL = ("notify", "payments", "credentials", "mydata", "services", "cases")
pytestmark = [pytest.mark.enable_socket, pytest.mark.process]
SOURCE = Path(__file__).resolve().parents[4]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A home of its own on SQLite, with the required blocks only."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SMARTGOV_")}
    return {
        **kept,
        "SMARTGOV_HOME": str(tmp_path),
        "SMARTGOV_BLOCKS_OFF": ",".join(OPTIONAL),
        "DJANGO_SETTINGS_MODULE": "smartgov.site.settings",
        "PYTHONPATH": str(SOURCE),
    }


@pytest.fixture
def worker(environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A worker on a migrated database."""
    django = [sys.executable, "-m", "django"]
    subprocess.run([*django, "migrate", "-v0"], env=environment, check=True, timeout=300)
    with subprocess.Popen([*django, "worker"], env=environment, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def test_it_beats_works_and_stops_in_order(worker: subprocess.Popen[str], tmp_path: Path) -> None:
    assert worker.stdout is not None
    lines = iter(worker.stdout)
    assert "worker_started" in next(lines)
    with sqlite3.connect(tmp_path / "web.sqlite3") as db:
        _until(lambda: db.execute("SELECT count(*) FROM ops_occasion WHERE ran_at IS NOT NULL").fetchone()[0])
        assert db.execute("SELECT count(*) FROM ops_heartbeat").fetchone() == (1,)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=60) == 0
        assert any("worker_stopped" in line for line in lines)
        assert db.execute("SELECT count(*) FROM ops_heartbeat").fetchone() == (0,)


def _until(condition: object) -> None:
    """Wait for something that another process does; a minute is a defect."""
    import time

    assert callable(condition)
    for _ in range(600):
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError(json.dumps({"waited_for": repr(condition)}))
