"""Handing over what may happen only once, with the real commands and both of hpa's gateways as processes."""

from __future__ import annotations

import os
import subprocess
import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import smartgov
from smartgov.engines.httpd import sync
from smartgov.engines.troad import home as homes
from smartgov.engines.troad.configuration import Configuration
from smartgov.engines.troad.joining import looking_after
from smartgov.engines.troad.tests.country import Country, wait_for
from smartgov.engines.troad.tests.stamped import settings
from smartgov.engines.troad.tests.test_gateway_process import Process
from smartgov.engines.troad.tests.test_single_place_process import move, provider
from smartgov.engines.troad.tests.test_two_gateways_process import SECOND, Two
from smartgov.shared import clock

DEADLY = """
import os, signal
from pathlib import Path
from smartgov.engines.troad import handover, moving, provider, store
def deadly(sound, after):
    def kills(*given, **named):
        if not Path({folder!r}, "armed").exists():
            return sound(*given, **named)
        done = sound(*given, **named) if after else None
        Path({folder!r}, "struck").write_text({where!r})
        os.kill(os.getpid(), signal.SIGKILL)
        return done
    return kills
{where} = deadly({where}, {after})
"""
"""What the program runs first: it dies where `where` is called, or when that is done, once there is a file `armed`."""
STILL = """
from smartgov.engines.troad import moving
async def still(self):
    pass
moving.Moving.look = still
"""
"""A gateway that does not go on with a handover, so that the state can be looked at that the blow left."""


def start(one: Process, prelude: str = "") -> None:
    """Start it, and wait until it takes exchanges: after a blow its witnesses are asked first."""
    one.start(prelude)
    wait_for(lambda: "log-restored" not in health(one.country, one.code)["alarms"])


def health(country: Country, code: str) -> dict[str, Any]:
    told: dict[str, Any] = sync.request("GET", country.url(code) + "/local/v1/health").parsed()
    return told


def verb(two: Two, code: str, *given: str, prelude: str = "") -> subprocess.CompletedProcess[str]:
    """`smartgov gateway ...` for one of the homes, as a process."""
    program = f"{prelude}\nimport sys\nfrom smartgov.engines.troad.gateway import main\nsys.exit(main())"
    command = [sys.executable, "-c", program, *given, "--home", str(two.country.folder / code)]
    source = str(Path(smartgov.__file__).parent.parent)
    environment = {**os.environ, "PYTHONPATH": source}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)


def give(two: Two, file: Path) -> None:
    done = verb(two, "hpa", "handover", "--to", "gw2", "--file", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    assert SECOND in done.stdout


def take(two: Two, file: Path) -> None:
    done = verb(two, "hpa2", "takeover", "--file", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Took over" in done.stdout


def word(two: Two, code: str, to: str, **given: Any) -> dict[str, Any]:
    """What `offer --sign --once` has the member say when it is run for this home."""
    at = homes.load(two.country.folder / code)
    options = Namespace(**{"once": to, "former_stopped": False, **given})
    said = looking_after._once(at, Configuration(at), {"gw1", "gw2"}, options)
    assert said is not None
    return said


def sign(two: Two, code: str = "hpa2", to: str = "gw2") -> None:
    """Have the member say so, and wait for the moment that it names where that is a second ahead."""
    since = word(two, code, to)["since"]
    move(two, to, since)
    wait_for(lambda: not 0 <= since - clock.timestamp() < 5)


def record(two: Two, code: str, kind: str, **members: Any) -> tuple[int, dict[str, Any]]:
    """The only such record of a log, and its index."""
    found = [
        (index, one)
        for index, one in enumerate(two.country.records(code))
        if one["kind"] == kind and members.items() <= one.items()
    ]
    assert len(found) == 1, found
    return found[0]


def asked(two: Two, **changes: Any) -> int:
    """How often the service was asked for one call, which was answered."""
    two.country.behind.seen.clear()
    assert provider(two, **changes) == SECOND
    return len(two.country.behind.seen)


def erasing(two: Two) -> None:
    """Let hpa's system erase at the first gateway."""
    two.first.end()
    entry = homes.content.parse((two.country.folder / "hpa/gateway.yaml").read_text())["subsystems"]
    entry["births"]["may"] = ["erase", "evidence"]
    settings(two.country, "hpa", subsystems=entry)
    start(two.first)


@pytest.fixture(autouse=True)
def _no_leftovers() -> Iterator[None]:
    yield
    sync.close()
