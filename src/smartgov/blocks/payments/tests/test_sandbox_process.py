"""The adapter and the bank program, each from its own side of the wire."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from smartgov.blocks.payments.adapters.sandbox import SandboxBank
from smartgov.blocks.payments.domain import Line, batch_digest, check_result, parse_result
from smartgov.blocks.payments.ports import Order
from smartgov.shared.problems import Problem

SOURCE = Path(__file__).resolve().parents[4]
LINES = (
    Line("r1", "林淑芬", "700", "012345678901", 6000, "育兒津貼"),
    Line("r2", "陳美玲", "700", "987654320000", 5000, "育兒津貼"),
)


@pytest.fixture
def bank(tmp_path, monkeypatch):
    monkeypatch.setenv("SMARTGOV_HOME", str(tmp_path))
    command = [sys.executable, "-m", "smartgov.simulators.bank", "--home", str(tmp_path / "bank"), "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={"PYTHONPATH": str(SOURCE)}) as process:
        try:
            port = re.search(r'"port": (\d+)', process.stderr.readline())[1]
            yield SandboxBank(f"http://127.0.0.1:{port}")
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=20)


@pytest.mark.enable_socket
@pytest.mark.process
def test_a_batch_travels_to_the_bank_and_its_result_is_accepted(bank, tmp_path):
    order = Order("b1", "sfaa", batch_digest("b1", "salt", LINES), LINES)
    assert bank.result("b1") is None
    bank.send(order)
    bank.send(order)
    found = parse_result(bank.result("b1"))
    check_result(found, digest=order.digest, amounts={line.reference: line.amount for line in LINES})
    assert [(outcome.reference, outcome.paid, outcome.reason) for outcome in found.outcomes] == [
        ("r1", True, ""),
        ("r2", False, "account-closed"),
    ]
    with pytest.raises(Problem, match="bank-refused"):
        bank.send(Order("b2", "sfaa", "d", LINES[:1]))
    (tmp_path / "bank" / "secrets" / "payer").write_text("another")
    with pytest.raises(Problem, match="bank-refused"):
        bank.send(order)
