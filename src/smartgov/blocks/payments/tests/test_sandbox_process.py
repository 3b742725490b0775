"""The sandbox bank as a real process passes what every bank must do."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from smartgov.blocks.payments.adapters.sandbox import SandboxBank
from smartgov.blocks.payments.tests import conformance
from smartgov.engines.troad.tests.country import free_port
from smartgov.shared import homes
from smartgov.shared.problems import Problem

pytestmark = [pytest.mark.enable_socket, pytest.mark.process]


@pytest.fixture
def bank(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxBank]:
    monkeypatch.setattr(homes, "home", lambda: tmp_path)
    port = free_port()
    command = [sys.executable, "-m", "smartgov.simulators.bank", "--home", str(tmp_path / "bank"), "--port", str(port)]
    source = Path(__file__).resolve().parents[4]
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(source)}, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port)
        yield SandboxBank(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(10)


def test_the_sandbox_bank_conforms(bank: SandboxBank) -> None:
    conformance.check(bank)


def test_a_batch_without_our_signature_is_not_taken(bank: SandboxBank, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SandboxBank, "_secret", staticmethod(lambda: b"another secret"))
    with pytest.raises(Problem) as refused:
        bank.send(conformance.order())
    assert refused.value.slug == "bank-refused"


def test_a_bank_that_is_not_there_is_a_problem_that_says_so() -> None:
    with pytest.raises(Problem) as refused:
        SandboxBank(f"http://127.0.0.1:{free_port()}").send(conformance.order())
    assert refused.value.slug == "bank-unreachable"


def _wait_for(port: int) -> None:
    for _ in range(1200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the bank did not start")
