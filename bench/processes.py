"""Starting the processes that are measured, and ending exactly those."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_PORTS = range(29100, 29999)
_taken: set[int] = set()


def free_port() -> int:
    """A loopback port on which nothing listens and which no earlier call gave out."""
    while True:
        port = random.choice(_PORTS)
        with socket.socket() as probe:
            if port not in _taken and probe.connect_ex(("127.0.0.1", port)) != 0:
                _taken.add(port)
                return port


class Process:
    """One process that listens on a port; ready when the port answers."""

    def __init__(self, command: Sequence[str], port: int, output: Path) -> None:
        paths = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
        self._port, self._output = port, output
        with output.open("wb") as file:
            self._child = subprocess.Popen(
                command, env={**os.environ, "PYTHONPATH": paths}, cwd=ROOT, stdout=file, stderr=subprocess.STDOUT
            )

    @classmethod
    def python(cls, module: str, *arguments: object, port: int, output: Path) -> Process:
        """A module, run by the present interpreter."""
        return cls([sys.executable, "-m", module, *map(str, arguments)], port, output)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._child.pid

    def wait_ready(self, seconds: float = 60) -> None:
        """Return when the port answers; RuntimeError with the end of its output when it does not."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and self._child.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self._port)) == 0:
                    return
            time.sleep(0.02)
        raise RuntimeError(f"a process did not come up\n{self._output.read_text(errors='replace')[-2000:]}")

    def stop(self) -> None:
        """End it in order; kill it when it does not go."""
        if self._child.poll() is None:
            self._child.terminate()
        try:
            self._child.wait(15)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()


class Started:
    """Processes that end together, also when one of them does not come up."""

    def __init__(self) -> None:
        self._processes: list[Process] = []

    def add(self, process: Process) -> Process:
        """Keep a process, to be ended with the others."""
        self._processes.append(process)
        return process

    def __enter__(self) -> Started:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End them now."""
        while self._processes:
            self._processes.pop().stop()
