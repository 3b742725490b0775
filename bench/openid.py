"""Server CPU of a whole FAPI 2.0 sign-in, of token issuance and of a refresh, ours beside npm's oidc-provider.

Both are driven by the same script (`openid_peer/relying_party.mjs`, npm's certified openid-client), in turn. Ours
stores everything in SQLite, and in PostgreSQL when there is one, writes an audit entry and looks the consent up; theirs
keeps everything in memory. One flow is a pushed request, the authorization, the code's redemption and userinfo, with
private_key_jwt and DPoP. The script checks each ID token and the name of the person. Without the peer or Node: NOT RUN.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.machine import cpu_seconds, descendants
from bench.openid_peer.site import client_file
from bench.processes import ROOT, Process, free_port
from smartgov.engines.pki import keys
from smartgov.shared import settings

PEER = ROOT / "bench/openid_peer"
FLOWS, REFRESHES, ROUNDS = 100, 200, 3


def main() -> None:
    """Print CPU a flow and a refresh, and what one core could do of each."""
    peers = Path(settings.get("SMARTGOV_PEERS") or "/nonexistent")
    if not (peers / "openid/node_modules/oidc-provider").is_dir() or shutil.which("node") is None:
        print("openid: NOT RUN (SMARTGOV_PEERS has no openid, or there is no node)")
        return
    with tempfile.TemporaryDirectory(prefix="smartgov-bench-") as folder:
        print(f"{'provider':<24}{'flow ms':>10}{'flows/s/core':>14}{'refresh ms':>12}{'refreshes/s/core':>18}")
        _line("oidc-provider (memory)", lambda: _theirs(peers, Path(folder) / "theirs"), peers)
        _line("smartgov (SQLite)", lambda: _ours(Path(folder) / "sqlite", ""), peers)
        if shutil.which("postgres") or list(Path("/usr/lib/postgresql").glob("*/bin")):
            from scripts.with_postgres import cluster

            with cluster() as url:
                _line("smartgov (PostgreSQL)", lambda: _ours(Path(folder) / "postgres", url), peers)
        else:
            print("smartgov (PostgreSQL): NOT RUN")


def _line(name: str, start: Callable[[], tuple[Process, str, Path]], peers: Path) -> None:
    process, issuer, client = start()
    try:
        process.wait_ready()
        flow = min(_cpu(process, peers, issuer, client, "flows", FLOWS) for _ in range(ROUNDS))
        refresh = min(_cpu(process, peers, issuer, client, "refreshes", REFRESHES) for _ in range(ROUNDS))
    finally:
        process.stop()
    print(f"{name:<24}{flow * 1000:10.2f}{1 / flow:14.0f}{refresh * 1000:12.2f}{1 / refresh:18.0f}", flush=True)


def _cpu(process: Process, peers: Path, issuer: str, client: Path, what: str, count: int) -> float:
    """Seconds of CPU of the server for one of `count`; the script's first one, which warms up, is not counted."""
    command = ["node", str(PEER / "relying_party.mjs"), str(peers), issuer, str(client), f"{what}", str(count)]
    if what == "flows":
        command[-2] = "measure"
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as script:
        assert script.stdin is not None
        assert script.stdout is not None
        _expect(script.stdout, "warm")
        pids = [process.pid, *descendants(process.pid)]
        before = cpu_seconds(pids)
        script.stdin.write("go\n")
        script.stdin.flush()
        _expect(script.stdout, "done")
        return (cpu_seconds(pids) - before) / count


def _expect(lines: Iterator[str], word: str) -> None:
    said = next(lines, "").strip()
    if said != word:
        raise RuntimeError(f"the relying party's script said {said!r} and not {word!r}")


def _ours(home: Path, database: str) -> tuple[Process, str, Path]:
    home.mkdir()
    port = free_port()
    with _environment(SMARTGOV_DATABASE_URL=database):
        command = [sys.executable, "-m", "bench.openid_peer.site", str(home), str(port)]
        return Process(command, port, home / "log"), f"http://127.0.0.1:{port}", home / "client.json"


def _theirs(peers: Path, home: Path) -> tuple[Process, str, Path]:
    home.mkdir()
    port, client = free_port(), home / "client.json"
    client_file(client, ids=("shop", "other"), key=keys.generate_p256(), cookies={})
    command = ["node", str(PEER / "oidc_provider.mjs"), str(peers), str(port), str(client)]
    return Process(command, port, home / "log"), f"http://127.0.0.1:{port}", client


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update({name: value for name, value in values.items() if value})
    os.environ.pop("SMARTGOV_HOME", None)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


if __name__ == "__main__":
    main()
