"""Keeping processes running: one thread starts all of them, starts crashed ones anew, and stops every one at the end.

Each process leads a group of its own, so that its children are stopped with it, and asks the kernel for SIGTERM should
the supervisor die without a word. The kernel binds that wish to the thread that forked, hence the single thread.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from smartgov.site.supervise.programs import Program, environment

log = structlog.get_logger()
_TICK = 0.05
_GRACE_SECONDS = 10.0
_FIRST_DELAY, _LONGEST_DELAY = 0.5, 30.0
_STEADY_SECONDS = 20.0  # a process that ran this long has recovered: its next crash is a first one
_BURIAL = ("setpriv", "--pdeathsig", "TERM", "--")


@dataclass(slots=True)
class _Child:
    """What the supervisor knows of one program. `wanted` is False while it is held down."""

    program: Program
    wanted: bool = False
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    next_start: float = 0.0
    failures: int = 0
    starts: int = 0

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None


class Supervisor:
    """Runs `programs`; their output goes to files in `logs`."""

    def __init__(self, programs: Sequence[Program], logs: Path) -> None:
        self._children = {program.name: _Child(program) for program in programs}
        self._logs = logs
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._launcher = _BURIAL if shutil.which(_BURIAL[0]) else ()

    def log_file(self, name: str) -> Path:
        """Where the output of a program goes."""
        return self._logs / f"{name}.log"

    def start(self, names: Iterable[str] | None = None) -> None:
        """Start these programs (all of them by default) and keep them running."""
        self._logs.mkdir(parents=True, exist_ok=True)
        for name in names if names is not None else list(self._children):
            self._children[name].wanted = True
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Stop everything, children of children too; returns when nothing is left."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def names(self) -> list[str]:
        """The names of all programs."""
        return list(self._children)

    def pid(self, name: str) -> int | None:
        """The process id of a running program."""
        child = self._children[name]
        return child.process.pid if child.process is not None and child.running else None

    def starts(self, name: str) -> int:
        """How often a program was started."""
        return self._children[name].starts

    def unhealthy(self, names: Iterable[str] | None = None) -> list[str]:
        """Those of the programs that do not answer now."""
        chosen = names if names is not None else self._children
        return [name for name in chosen if not self._answers(self._children[name])]

    def wait_healthy(self, names: Iterable[str] | None = None, *, seconds: float = 60.0) -> None:
        """Return when all of them answer; TimeoutError names those that do not, with the end of their logs."""
        waiting, until = list(names if names is not None else self._children), time.monotonic() + seconds
        while waiting := self.unhealthy(waiting):
            if self._stopping.is_set() or time.monotonic() > until:
                tails = "\n".join(f"--- {name}\n{self._tail(name)}" for name in waiting)
                raise TimeoutError(f"not healthy: {', '.join(waiting)}\n{tails}")
            time.sleep(_TICK)

    def crash(self, name: str) -> None:
        """Kill a process as a power cut would; the supervisor starts it anew."""
        child = self._children[name]
        if child.process is not None:
            _signal_group(child.process.pid, signal.SIGKILL)
            child.process.wait()

    def hold(self, name: str) -> None:
        """Kill a process and keep it down until `release`."""
        child = self._children[name]
        child.wanted = False
        self.crash(name)
        child.process = None

    def release(self, name: str, *, seconds: float = 60.0) -> None:
        """Start a process that was held down, and wait until it is healthy."""
        child = self._children[name]
        child.failures, child.next_start, child.wanted = 0, 0.0, True
        self.wait_healthy([name], seconds=seconds)

    # -- the supervising thread ---------------------------------------------------------------------------------------

    def _watch(self) -> None:
        while not self._stopping.wait(_TICK):
            for child in self._children.values():
                self._look_after(child)
        self._stop_all()

    def _look_after(self, child: _Child) -> None:
        if not child.wanted or child.running:
            return
        now = time.monotonic()
        if child.process is not None:
            self._note_end(child, now)
        if now >= child.next_start:
            self._spawn(child, now)

    def _note_end(self, child: _Child, now: float) -> None:
        assert child.process is not None
        _signal_group(child.process.pid, signal.SIGKILL)  # its own children, should any have survived it
        child.failures = 1 if now - child.started_at > _STEADY_SECONDS else child.failures + 1
        delay = min(_FIRST_DELAY * 2 ** (child.failures - 1), _LONGEST_DELAY)
        log.warning("process_ended", process_name=child.program.name, status=child.process.returncode, again_in=delay)
        child.process, child.next_start = None, now + delay

    def _spawn(self, child: _Child, now: float) -> None:
        file = self.log_file(child.program.name)
        if file.exists():
            file.replace(file.with_suffix(".previous.log"))
        with file.open("wb") as output:
            child.process = subprocess.Popen(  # noqa: S603 - commands are ours
                [*self._launcher, *child.program.command],
                env=environment(child.program.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        child.started_at, child.starts = now, child.starts + 1

    def _stop_all(self) -> None:
        """Doors for people first, then what they depend on."""
        stages = sorted({child.program.stage for child in self._children.values()})
        for stage in stages:
            self._stop([child for child in self._children.values() if child.program.stage == stage])

    def _stop(self, children: Sequence[_Child]) -> None:
        alive = [child.process for child in children if child.process is not None]
        for process in alive:
            _signal_group(process.pid, signal.SIGTERM)
        until = time.monotonic() + _GRACE_SECONDS
        for process in alive:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(until - time.monotonic(), 0))
            _signal_group(process.pid, signal.SIGKILL)
            process.wait()
            _wait_for_group(process.pid)

    def _answers(self, child: _Child) -> bool:
        return child.running and child.program.healthy()

    def _tail(self, name: str) -> str:
        file = self.log_file(name)
        return file.read_text(errors="replace")[-1_500:] if file.exists() else ""


def _wait_for_group(pid: int) -> None:
    """Wait until the killed children of a process are gone too; where nobody reaps them, for two seconds at most."""
    until = time.monotonic() + 2
    while time.monotonic() < until:
        try:
            os.killpg(pid, 0)
        except (ProcessLookupError, PermissionError):
            return
        time.sleep(0.01)


def _signal_group(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
