"""The gateway as a process of its own: started, killed in the middle of its work, started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import smartgov
from smartgov.engines.httpd import Response, sync
from smartgov.engines.troad import configuration
from smartgov.engines.troad import home as homes
from smartgov.engines.troad.tests.country import Country, Rogue, ask_births, problem_type, wait_for
from smartgov.engines.troad.tests.kept import Kept, stored
from smartgov.shared.problems import Problem

pytestmark = [pytest.mark.enable_socket, pytest.mark.process]


class Process:
    """One gateway, hpa's if no other is named, in a process."""

    def __init__(self, country: Country, code: str = "hpa") -> None:
        self.country, self.code = country, code
        self.child: subprocess.Popen[bytes] | None = None

    def start(self, prelude: str = "") -> None:
        """Start it; `prelude` are statements that its program runs first, to move its clock or to quiet it."""
        source = str(Path(smartgov.__file__).parent.parent)
        program = f"{prelude}\nimport sys\nfrom smartgov.engines.troad.gateway import main\nsys.exit(main())"
        command = (
            [sys.executable, "-c", program] if prelude else [sys.executable, "-m", "smartgov.engines.troad.gateway"]
        )
        command += ["--home", str(self.country.folder / self.code)]
        self.child = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": source}, stderr=subprocess.DEVNULL)
        wait_for(self._answers)

    def _answers(self) -> bool:
        try:
            sync.request("GET", self.country.url(self.code) + "/local/v1/health")
        except OSError:
            return False
        return True

    def kill(self) -> None:
        assert self.child is not None
        self.child.send_signal(signal.SIGKILL)
        self.child.wait(20)

    def end(self) -> int:
        assert self.child is not None
        self.child.terminate()
        return self.child.wait(20)


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    country = Country(tmp_path)
    country.start("ris", "portal")
    made = Process(country)
    made.start()
    yield made
    if made.child is not None and made.child.poll() is None:
        made.end()
    country.stop()


def test_a_replay_after_kill_9_is_refused(process: Process) -> None:
    rogue = Rogue(process.country)
    message = rogue.sign(rogue.message())
    assert rogue.send(message).status == 200
    process.kill()
    process.start()
    process.country.behind.seen.clear()
    assert problem_type(rogue.send(message)) == "replay"
    assert process.country.behind.seen == []
    assert process.country.records("hpa")[-1]["reason"] == "replay"
    assert ask_births(process.country.sdk()).status == 200


def test_nothing_that_was_answered_is_missing_after_kill_9(process: Process) -> None:
    country, kept, failed = process.country, Kept(process.country), []

    def work() -> None:
        sdk = country.sdk()
        for _ in range(200):
            if (ended := kept.ask(sdk)) != "answered":
                failed.append(ended)
                break
        sync.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(kept.told) >= 40)
    process.kill()
    for thread in threads:
        thread.join()
    process.start()
    assert len(failed) == len(threads), "it was killed in the middle of their work"
    assert set(failed) <= {"gateway-unreachable", "gateway-silent"}
    kept.hold()
    assert ask_births(country.sdk()).status == 200


def test_it_ends_in_order(process: Process) -> None:
    assert ask_births(process.country.sdk()).status == 200
    assert process.end() == 0
    assert stored(process.country, "hpa") == []


def test_keys_secrets_and_log_are_for_their_owner_only(process: Process) -> None:
    home = process.country.folder / "hpa"
    assert home.stat().st_mode & 0o077 == 0
    files = [*(home / "keys").iterdir(), *(home / "secrets").iterdir(), home / "log.sqlite3"]
    assert len(files) == 13
    assert all(file.stat().st_mode & 0o077 == 0 for file in files)


def test_a_gateway_that_cannot_write_its_log_sends_nothing(tmp_path: Path) -> None:
    country = Country(tmp_path)
    country.start()
    try:
        sdk = country.sdk()
        assert ask_births(sdk).status == 200
        for code in ("hpa", "ris"):  # first the provider's log, then the client's
            country.behind.seen.clear()
            before = len(country.records("hpa"))
            country.edit(code, "ALTER TABLE ledger_hash RENAME TO moved_away")
            with pytest.raises(Problem) as problem:
                ask_births(sdk)
            assert (problem.value.slug, problem.value.status) == ("log-unavailable", 503)
            assert country.behind.seen == []
            assert len(country.records("hpa")) == before
            country.edit(code, "ALTER TABLE moved_away RENAME TO ledger_hash")
            assert ask_births(sdk).status == 200
    finally:
        country.stop()


def test_a_newer_configuration_is_fetched_from_the_centre(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(configuration, "CENTRE_SECONDS", 0.02)
    country = Country(tmp_path)
    ris = homes.load(tmp_path / "ris")
    port = country.behind.port
    homes.create(
        tmp_path / "ris",
        member="ris",
        port=ris.port,
        local_port=ris.local_port,
        subsystems={"cases": {}},
        centre_url=f"http://127.0.0.1:{port}/snapshot",
    )
    held = ris.bundle.read_bytes()
    newer = country.publish()
    homes.set_bundle(tmp_path / "ris", held)
    country.behind.answer = lambda request: Response(200, {"content-type": "application/json"}, newer)
    country.start("ris")
    try:
        wait_for(lambda: country.sdk().health()["configuration"]["version"] == 2)
        assert ris.bundle.read_bytes() == newer
        country.behind.answer = lambda request: Response(200, {}, b"nonsense")
        time.sleep(0.1)
        assert country.sdk().health()["configuration"]["version"] == 2
    finally:
        country.stop()


def test_many_messages_share_one_commit(tmp_path: Path) -> None:
    country = Country(tmp_path)
    country.start()
    try:
        store = country.gateways["ris"].core.store
        sizes: list[int] = []
        original = store.writer._committed
        store.writer._committed = lambda jobs, done: (sizes.append(len(jobs)), original(jobs, done))[1]  # type: ignore[method-assign,func-returns-value]

        async def burst() -> list[int]:
            import asyncio

            entries = [store.commit([country.gateways["ris"].core.entry({"n": n})]) for n in range(100)]
            return [places[0].index for places in await asyncio.gather(*entries)]

        indexes = country.run(burst())
        assert sorted(indexes) == list(range(indexes[0], indexes[0] + 100))
        assert sum(sizes) >= 100, "and what the gateway itself keeps meanwhile"
        assert len(sizes) < 60
    finally:
        country.stop()
