"""npm's certified relying parties and provider: every flow and every attack with the same script, ours and theirs.

`SMARTGOV_PEERS/openid` has openid-client, oauth4webapi and oidc-provider (`scripts/peers.sh`); Node runs them. The
names of flows and attacks follow the modules of the OpenID Foundation's conformance suite where there is one.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bench.openid_peer.site import client_file
from bench.processes import ROOT, Process, Started

from smartgov.engines.pki import keys
from smartgov.engines.troad.tests.country import free_port
from smartgov.shared import settings

pytestmark = [pytest.mark.process, pytest.mark.enable_socket]
PEER = ROOT / "bench/openid_peer"
PEERS = Path(settings.get("SMARTGOV_PEERS") or "/nonexistent")


@pytest.fixture(scope="module")
def providers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tuple[str, Path]]]:
    """Ours and theirs, running: address and file of the client that both know."""
    if not (PEERS / "openid/node_modules/oidc-provider").is_dir() or shutil.which("node") is None:
        pytest.skip("NOT RUN: SMARTGOV_PEERS has no openid, or there is no node")
    home, elsewhere = tmp_path_factory.mktemp("ours"), tmp_path_factory.mktemp("theirs")
    client_file(elsewhere / "client.json", ids=("shop", "other"), key=keys.generate_p256(), cookies={})
    ports = free_port(), free_port()
    with Started() as started:
        mine = [sys.executable, "-m", "bench.openid_peer.site", str(home), str(ports[0])]
        peer = ["node", str(PEER / "oidc_provider.mjs"), str(PEERS), str(ports[1]), str(elsewhere / "client.json")]
        for command, port, log in ((mine, ports[0], home / "log"), (peer, ports[1], elsewhere / "log")):
            started.add(Process(command, port, log)).wait_ready()
        yield {
            "ours": (f"http://127.0.0.1:{ports[0]}", home / "client.json"),
            "theirs": (f"http://127.0.0.1:{ports[1]}", elsewhere / "client.json"),
        }


def said(provider: tuple[str, Path], what: str) -> dict[str, Any]:
    """What the script found."""
    command = ["node", str(PEER / "relying_party.mjs"), str(PEERS), provider[0], str(provider[1]), what]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, env=dict(os.environ))
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("whose", ["theirs", "ours"])
def test_certified_relying_parties_complete_every_flow(providers: dict[str, tuple[str, Path]], whose: str) -> None:
    found = said(providers[whose], "flows")
    assert len(found) >= 4
    assert found == dict.fromkeys(found, "accepted")


def test_every_attack_is_refused_by_both_alike(providers: dict[str, tuple[str, Path]]) -> None:
    ours, theirs = (said(providers[whose], "attacks") for whose in ("ours", "theirs"))
    assert len(ours) >= 30
    assert [name for name, outcome in ours.items() if not outcome.startswith("refused")] == []
    assert [name for name, outcome in theirs.items() if not outcome.startswith("refused")] == []
    assert {name: (outcome, theirs[name]) for name, outcome in ours.items() if outcome != theirs[name]} == ALIKE


# Where both refuse, each in words of its own.
ALIKE: dict[str, tuple[str, str]] = {
    # FAPI forbids the type there, so it calls the whole request invalid; RFC 6749 has a code for it.
    "par-with-another-response-type": ("refused: unsupported_response_type", "refused: invalid_request"),
    # RFC 9126 section 2.1 asks for invalid_request.
    "par-with-request-uri": ("refused: invalid_request", "refused: request_uri_not_supported"),
}
