"""The budget ledger: nothing comes back, nothing is overspent, nothing is altered unseen."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smartgov.engines.deid import budget
from smartgov.engines.deid.budget import MICRO, Ledger
from smartgov.shared.problems import Problem


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    ledger = Ledger(tmp_path / "budget.sqlite3")
    ledger.create()
    ledger.grant("births", "1.0", by="data steward", reason="yearly plan")
    return ledger


def refused(slug: str, call: object, *arguments: object, **named: object) -> Problem:
    with pytest.raises(Problem) as caught:
        call(*arguments, **named)  # type: ignore[operator]
    assert caught.value.slug == slug
    assert caught.value.todo.zh
    return caught.value


def test_spending_until_nothing_is_left(ledger: Ledger) -> None:
    first = ledger.reserve("births", "0.7", {"kind": "count"})
    ledger.release(first, b"result")
    problem = refused("budget-exhausted", ledger.reserve, "births", "0.300001", {})
    assert problem.extra["left"] == "0.3"
    ledger.reserve("births", "0.3", {})
    (account,) = ledger.accounts()
    assert (account.granted, account.spent, account.open, account.left) == (MICRO, MICRO, 300_000, 0)
    refused("budget-exhausted", ledger.reserve, "births", "0.000001", {})
    refused("budget-exhausted", ledger.reserve, "deaths", "0.1", {})


def test_a_reservation_is_released_once_and_never_returned(ledger: Ledger) -> None:
    reservation = ledger.reserve("births", "0.4", {})
    ledger.release(reservation, b"result")
    refused("ledger-broken", ledger.release, reservation, b"again")
    assert ledger.accounts()[0].spent == 400_000
    assert not {"void", "cancel", "give_back", "refund"} & set(dir(ledger))


@pytest.mark.parametrize("amount", [0, "-1", "0.0000001", "1e9", "nan", "inf", "much", 0.5, True, None, "101"])
def test_odd_amounts_are_refused(amount: object) -> None:
    refused("epsilon-invalid", budget.micro, amount)


@given(st.integers(1, budget.MOST))
def test_amounts_are_exact(amount: int) -> None:
    assert budget.micro(budget.written(amount)) == amount


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 400_000), max_size=12))
def test_never_more_than_granted(tmp_path_factory: pytest.TempPathFactory, amounts: list[int]) -> None:
    ledger = Ledger(tmp_path_factory.mktemp("ledger") / "budget.sqlite3")
    ledger.create()
    ledger.grant("births", 1, by="steward", reason="test")
    spent = 0
    for amount in amounts:
        if spent + amount > MICRO:
            refused("budget-exhausted", ledger.reserve, "births", budget.written(amount), {})
        else:
            ledger.reserve("births", budget.written(amount), {})
            spent += amount
    assert ledger.accounts()[0].spent == spent <= MICRO


def test_a_lost_ledger_is_no_new_budget(tmp_path: Path, ledger: Ledger) -> None:
    refused("ledger-broken", Ledger(tmp_path / "absent").reserve, "births", "0.1", {})
    assert not (tmp_path / "absent").exists()
    refused("ledger-broken", ledger.create)
    refused("ledger-broken", ledger.grant, "births", "1", by="", reason="")
    (tmp_path / "junk").write_bytes(b"not a database, but long enough to look like one" * 40)
    refused("ledger-broken", Ledger(tmp_path / "junk").reserve, "births", "0.1", {})


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE entry SET body = CAST(replace(body, '400000', '100000') AS BLOB) WHERE seq = 2",
        "DELETE FROM entry WHERE seq = 2",
        "UPDATE entry SET seq = seq + 10",
    ],
)
def test_what_was_altered_is_found(ledger: Ledger, change: str) -> None:
    ledger.reserve("births", "0.4", {})
    ledger.reserve("births", "0.1", {})
    with closing(sqlite3.connect(ledger.path)) as db:
        with pytest.raises(sqlite3.IntegrityError):
            db.execute(change)
        db.executescript("DROP TRIGGER entry_kept; DROP TRIGGER entry_stays;")
        db.execute(change)
        db.commit()
    refused("ledger-broken", ledger.reserve, "births", "0.1", {})
    refused("ledger-broken", ledger.accounts)


def test_a_cut_end_is_found_by_a_head_kept_elsewhere(ledger: Ledger) -> None:
    ledger.reserve("births", "0.4", {})
    head = ledger.head()
    assert len(ledger.verify(head)) == 2
    with closing(sqlite3.connect(ledger.path)) as db:
        db.executescript("DROP TRIGGER entry_stays; DELETE FROM entry WHERE seq = 2;")
    assert len(ledger.verify()) == 1
    refused("ledger-broken", ledger.verify, head)


SPEND = """
import sys
from pathlib import Path
from smartgov.engines.deid.budget import Ledger
from smartgov.shared.problems import Problem
ledger, got = Ledger(Path(sys.argv[1])), 0
while True:
    try:
        ledger.release(ledger.reserve("births", "0.01", {}), b"r")
        got += 1
    except Problem as problem:
        assert problem.slug == "budget-exhausted", problem
        break
print(got)
"""

DIE = """
import sys
from pathlib import Path
from smartgov.engines.deid.budget import Ledger
reservation = Ledger(Path(sys.argv[1])).reserve("births", "0.6", {"kind": "count"})
print("reserved", flush=True)
sys.stdin.read()
"""


def start(script: str, ledger: Ledger) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", script, str(ledger.path)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)


@pytest.mark.process
def test_processes_side_by_side_cannot_overspend(ledger: Ledger) -> None:
    processes = [start(SPEND, ledger) for _ in range(4)]
    got = [int(process.communicate(timeout=120)[0]) for process in processes]
    assert [process.returncode for process in processes] == [0] * 4
    assert sum(got) == 100
    assert ledger.accounts()[0].left == 0
    assert len(ledger.verify()) == 1 + 2 * 100


@pytest.mark.process
def test_a_kill_between_reserve_and_release_gives_nothing_back(ledger: Ledger) -> None:
    process = start(DIE, ledger)
    assert process.stdout
    assert process.stdout.readline() == "reserved\n"
    process.send_signal(signal.SIGKILL)
    assert process.wait(timeout=30) == -signal.SIGKILL
    process.communicate()
    (account,) = ledger.accounts()
    assert (account.spent, account.open, account.left) == (600_000, 600_000, 400_000)
    refused("budget-exhausted", ledger.reserve, "births", "0.5", {})
    ledger.reserve("births", "0.4", {})
    ledger.verify()
