"""Run a command with a PostgreSQL of its own: a temporary cluster on loopback, gone afterwards.

Sets SMARTGOV_DATABASE_URL for the command. The server refuses to run as root, so root starts it as the account
`postgres` that Debian's package brings.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def main() -> int:
    """The exit status of the command."""
    with cluster() as url:
        environment = {**os.environ, "SMARTGOV_DATABASE_URL": url}
        return subprocess.run(sys.argv[1:], env=environment, check=False).returncode


@contextmanager
def cluster() -> Iterator[str]:
    """A fresh cluster; yields the URL of its database `smartgov`."""
    folder = Path(tempfile.mkdtemp(prefix="smartgov-pg-", dir="/tmp"))
    as_user: list[str] = []
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
        as_user = ["runuser", "-u", "postgres", "--"]
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
    port = _free_port()
    data = folder / "data"
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "check": True, "cwd": "/"}
    subprocess.run([*as_user, programs / "initdb", "-D", data, "-U", "smartgov", "-A", "trust", "-E", "UTF8"], **quiet)
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c max_connections=200"
    start = [*as_user, programs / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options, "start"]
    subprocess.run(start, **quiet)
    try:
        subprocess.run(
            [*as_user, programs / "createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "smartgov", "smartgov"], **quiet
        )
        yield f"postgresql://smartgov@127.0.0.1:{port}/smartgov"
    finally:
        subprocess.run([*as_user, programs / "pg_ctl", "-D", data, "-m", "immediate", "stop"], **quiet)
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
