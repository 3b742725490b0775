"""An agency that joins as a new user would: the examples of the manuals, run as they stand, and its gateway."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import smartgov
from smartgov.engines.httpd import sync
from smartgov.engines.troad import home as homes
from smartgov.engines.troad.client import LocalGateway
from tests.journeys.people import until

SOURCE = Path(smartgov.__file__).parent.parent
MANUALS = SOURCE.parent / "docs" / "manuals"


class Manual:
    """The bash examples of one page; `left` are those that nobody has run."""

    def __init__(self, page: str) -> None:
        self.page = page
        self.examples = re.findall(r"```bash\n(.*?)```", (MANUALS / page).read_text(), re.DOTALL)
        self.left = list(self.examples)

    def take(self, words: str) -> str:
        """The one example that has these words."""
        (found,) = [one for one in self.examples if words in one]
        if found in self.left:
            self.left.remove(found)
        return found


class Agency:
    """One agency's machine: a folder with its gateway's home, a shell, and the gateway once it is started."""

    def __init__(self, folder: Path, port: int, **variables: object) -> None:
        self.folder, self.home, self.port = folder, folder / "xyz", port
        shim = folder / "bin" / "smartgov"
        shim.parent.mkdir(parents=True)
        shim.write_text(f'#!/bin/sh\nexec {sys.executable} -m smartgov.cli "$@"\n')
        shim.chmod(0o755)
        self.variables = {
            **os.environ,
            "PYTHONPATH": str(SOURCE),
            "PATH": f"{shim.parent}:{os.environ['PATH']}",
            "DIR": str(self.home),
            "PORT": str(port),
            "LOCAL_PORT": str(port + 1),
            **{name: str(value) for name, value in variables.items()},
        }

    def run(self, script: str, *, good: tuple[int, ...] = (0,), **variables: object) -> str:
        """Run an example in the folder; each of its commands must end with one of these statuses."""
        given = {**self.variables, **{name: str(value) for name, value in variables.items()}}
        command = ["bash", "-e", "-c", script]
        done = subprocess.run(
            command, env=given, cwd=self.folder, capture_output=True, text=True, check=False, timeout=200
        )
        assert done.returncode in good, f"{script}\n{done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    @contextmanager
    def running(self) -> Iterator[None]:
        """The gateway, as the manual starts it; stopped in order at the end."""
        child = subprocess.Popen(
            ["smartgov", "gateway", "--home", str(self.home)],
            executable=str(self.folder / "bin" / "smartgov"),
            env=self.variables,
            stderr=subprocess.DEVNULL,
        )
        try:
            until(self._answers, bool)
            yield
        finally:
            child.terminate()
            child.wait(20)

    def _answers(self) -> bool:
        try:
            return sync.request("GET", f"http://127.0.0.1:{self.port + 1}/local/v1/health").status == 200
        except OSError:
            return False

    def client(self, system: str = "cases") -> LocalGateway:
        """The client of one of its information systems."""
        return LocalGateway(
            f"http://127.0.0.1:{self.port + 1}", homes.secret(self.home, system), f"TW/GOV/xyz/{system}"
        )
