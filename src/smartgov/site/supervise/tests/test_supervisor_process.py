"""The supervisor with real processes: they come back, stay down when held, and none is left at the end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from smartgov.site.supervise.programs import Program, environment
from smartgov.site.supervise.supervisor import Supervisor

pytestmark = pytest.mark.process

# Writes its own pid and that of a child of its own, then sleeps; ready when the file is there, which it then is whole.
FAMILY = """
import os, pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
file = pathlib.Path(sys.argv[1])
file.with_suffix(".new").write_text(f"{os.getpid()} {child.pid}")
file.with_suffix(".new").rename(file)
time.sleep(600)
"""
STUBBORN = FAMILY.replace("import os", "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\nimport os")


def _program(place: Path, name: str, code: str = FAMILY, *, stage: int = 0) -> Program:
    file = place / f"{name}.pids"
    return Program(name, (sys.executable, "-c", code, str(file)), file.exists, stage=stage)


def _pids(place: Path, name: str) -> list[int]:
    return [int(word) for word in (place / f"{name}.pids").read_text().split()]


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def _until(condition) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


@pytest.fixture
def supervisor(tmp_path):
    made = Supervisor([_program(tmp_path, "a"), _program(tmp_path, "b", stage=1)], tmp_path / "logs")
    yield made
    made.stop()


def test_stopping_leaves_neither_processes_nor_their_children(supervisor, tmp_path):
    supervisor.start()
    supervisor.wait_healthy()
    pids = _pids(tmp_path, "a") + _pids(tmp_path, "b")
    assert all(_alive(pid) for pid in pids)
    supervisor.stop()
    assert not [pid for pid in pids if _alive(pid)]


def test_a_process_that_ignores_sigterm_is_stopped_all_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr("smartgov.site.supervise.supervisor._GRACE_SECONDS", 0.3)
    supervisor = Supervisor([_program(tmp_path, "stubborn", STUBBORN)], tmp_path / "logs")
    supervisor.start()
    supervisor.wait_healthy()
    pids = _pids(tmp_path, "stubborn")
    supervisor.stop()
    assert not [pid for pid in pids if _alive(pid)]


def test_a_crashed_process_comes_back_and_its_children_are_gone(supervisor, tmp_path):
    supervisor.start()
    supervisor.wait_healthy()
    before = _pids(tmp_path, "a")
    (tmp_path / "a.pids").unlink()
    os.kill(before[0], signal.SIGKILL)
    _until((tmp_path / "a.pids").exists)
    assert supervisor.starts("a") == 2
    assert supervisor.starts("b") == 1
    assert not [pid for pid in before if _alive(pid)]


def test_a_held_process_stays_down_until_it_is_released(supervisor, tmp_path):
    supervisor.start()
    supervisor.wait_healthy()
    (tmp_path / "a.pids").unlink()
    supervisor.hold("a")
    time.sleep(0.8)  # longer than the first delay of a restart
    assert supervisor.pid("a") is None
    assert supervisor.unhealthy() == ["a"]
    supervisor.release("a")
    assert supervisor.pid("a") == _pids(tmp_path, "a")[0]


def test_what_does_not_come_up_is_named_with_the_end_of_its_log(tmp_path):
    broken = Program("broken", (sys.executable, "-c", "print('no such key'); raise SystemExit(3)"), lambda: False)
    supervisor = Supervisor([broken], tmp_path / "logs")
    supervisor.start()
    try:
        _until(lambda: supervisor.starts("broken") >= 2)  # it was tried again
        with pytest.raises(TimeoutError, match=r"(?s)broken.*no such key"):
            supervisor.wait_healthy(seconds=0.2)
    finally:
        supervisor.stop()


def test_a_supervisor_that_dies_without_a_word_leaves_nothing(tmp_path):
    code = textwrap.dedent(
        """
        import pathlib, sys, time
        from smartgov.site.supervise.programs import Program
        from smartgov.site.supervise.supervisor import Supervisor
        place = pathlib.Path(sys.argv[1])
        code = "import os, pathlib, sys, time; pathlib.Path(sys.argv[1]).write_text(str(os.getpid())); time.sleep(600)"
        file = place / "orphan.pids"
        made = Supervisor([Program("orphan", (sys.executable, "-c", code, str(file)), file.exists)], place / "logs")
        made.start()
        made.wait_healthy()
        time.sleep(600)
        """
    )
    boss = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], env=environment({}))
    try:
        _until(lambda: (tmp_path / "orphan.pids").exists() and (tmp_path / "orphan.pids").read_text())
        (orphan,) = _pids(tmp_path, "orphan")
        assert _alive(orphan)
    finally:
        boss.kill()
        boss.wait()
    _until(lambda: not _alive(orphan))
