"""Server CPU of a whole FAPI 2.0 sign-in, of token issuance and of a refresh, ours beside npm's oidc-provider.

All are driven by the same script (`openid_peer/relying_party.mjs`, npm's certified openid-client), in turn. Ours stores
everything in SQLite, and in PostgreSQL when there is one, writes an audit entry and looks the consent up; theirs keeps
everything in memory. One flow is a pushed request, the authorization (the person is signed in and has agreed before, on
both sides), the code's redemption and userinfo, with private_key_jwt and DPoP. The script checks each ID token and the
name of the person, and counts its requests. Without the peer or Node: NOT RUN.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.machine import cpu_seconds, descendants
from bench.openid_peer.site import client_file
from bench.processes import ROOT, Process, free_port
from smartgov.engines.pki import keys
from smartgov.shared import settings

PEER = ROOT / "bench/openid_peer"
THEIRS = "oidc-provider (memory)"
FLOWS, REFRESHES, ROUNDS = 100, 200, 5
WARM_FLOWS, WARM_REFRESHES = 600, 400  # a JIT compiler goes on learning for as long
# Keycloak publishes 120 issuances and 120 refreshes a second for a vCPU; ours should be at least these.
AIMS = {"issuances": 150, "refreshes": 120}


def main() -> None:
    """Print CPU a flow and a refresh beside the peer's, and what one core could do of issuances and refreshes."""
    peers = Path(settings.get("SMARTGOV_PEERS") or "/nonexistent")
    if not (peers / "openid/node_modules/oidc-provider").is_dir() or shutil.which("node") is None:
        print("openid: NOT RUN (SMARTGOV_PEERS has no openid, or there is no node)")
        return
    with tempfile.TemporaryDirectory(prefix="smartgov-bench-") as folder, ExitStack() as stack:
        starts = {
            THEIRS: lambda: _theirs(peers, Path(folder) / "theirs"),
            "smartgov (SQLite)": lambda: _ours(Path(folder) / "sqlite", ""),
        }
        if shutil.which("postgres") or list(Path("/usr/lib/postgresql").glob("*/bin")):
            from scripts.with_postgres import cluster

            url = stack.enter_context(cluster())
            starts["smartgov (PostgreSQL)"] = lambda: _ours(Path(folder) / "postgres", url)
        else:
            print("smartgov (PostgreSQL): NOT RUN")
        _print(_measured([_started(stack, name, start, peers) for name, start in starts.items()]))


@dataclass
class Side:
    """A running provider, and seconds of its CPU for one of each: every round, in order."""

    name: str
    process: Process
    issuer: str
    client: Path
    peers: Path
    flow: list[float] = field(default_factory=list)
    refresh: list[float] = field(default_factory=list)
    requests: float = 0

    def cpu(self, what: str, count: int) -> float:
        """Seconds of CPU of the server for one of `count`."""
        script = [str(PEER / "relying_party.mjs"), str(self.peers), self.issuer, str(self.client), what, str(count)]
        with subprocess.Popen(["node", *script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as run:
            assert run.stdin is not None
            assert run.stdout is not None
            _expect(run.stdout, "warm")
            pids = [self.process.pid, *descendants(self.process.pid)]
            before = cpu_seconds(pids)
            run.stdin.write("go\n")
            run.stdin.flush()
            asked = _expect(run.stdout, "done")
            spent = (cpu_seconds(pids) - before) / count
        if what == "measure":
            self.requests = int(asked) / count
        return spent


def _started(stack: ExitStack, name: str, start: Callable[[], tuple[Process, str, Path]], peers: Path) -> Side:
    process, issuer, client = start()
    stack.callback(process.stop)
    process.wait_ready()
    return Side(name, process, issuer, client, peers)


def _measured(sides: list[Side]) -> list[Side]:
    """Each side in turn, so that what else the machine does meets all of them."""
    for side in sides:
        side.cpu("measure", WARM_FLOWS)
        side.cpu("refreshes", WARM_REFRESHES)
    for _ in range(ROUNDS):
        for side in sides:
            side.flow.append(side.cpu("measure", FLOWS))
        for side in sides:
            side.refresh.append(side.cpu("refreshes", REFRESHES))
    return sides


def _print(sides: list[Side]) -> None:
    print(f"{'provider':<24}{'requests':>9}{'flow ms':>9}{'of theirs':>11}{'refresh ms':>12}{'of theirs':>11}")
    for side in sides:
        ratios = [
            _ratio(mine, theirs) for mine, theirs in ((side.flow, sides[0].flow), (side.refresh, sides[0].refresh))
        ]
        flow, refresh = min(side.flow) * 1000, min(side.refresh) * 1000
        print(f"{side.name:<24}{side.requests:9.2f}{flow:9.2f}{ratios[0]:11.2f}{refresh:12.2f}{ratios[1]:11.2f}")
    for what, aim in AIMS.items():
        for side in sides:
            rate = 1 / min(side.flow if what == "issuances" else side.refresh)
            print(f"{what} a second a core, {side.name}: {rate:.0f} (aim: {aim})")


def _ratio(mine: list[float], theirs: list[float]) -> float:
    """The median of the rounds' ratios."""
    found = sorted(one / other for one, other in zip(mine, theirs, strict=True))
    return found[len(found) // 2]


def _expect(lines: Iterator[str], word: str) -> str:
    said, _, more = next(lines, "").strip().partition(" ")
    if said != word:
        raise RuntimeError(f"the relying party's script said {said!r} and not {word!r}")
    return more


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
