"""The bench of the exchange measures what it says: it ends when an answer or a log is not as it must be."""

from __future__ import annotations

import sqlite3
import subprocess
from typing import Any

import pytest
from bench import exchange, floor, gateways, machine, signature_peer

pytestmark = [pytest.mark.enable_socket, pytest.mark.process]


CASES = [exchange.Case("signed", True, 2), exchange.Case("full", False, 2)]


def test_a_short_run_checks_every_answer_and_both_logs() -> None:
    figures = exchange.measure(CASES, count=20, rounds=2)
    asked = len(CASES) * (2 + 2 * 20)
    assert figures.records == 2 * 2 * asked
    assert [[one.count for one in figures.troad[case]] for case in CASES] == [[20, 20], [20, 20]]
    through_nginx = 2 + 2 * 20 * exchange.FLOOR_TIMES if floor.present() else 0
    through_node = 2 + 2 * 20 if signature_peer.present() else 0
    assert figures.answers == asked + through_nginx + through_node
    assert len(figures.floor.get(2, [])) == (2 if floor.present() else 0)
    rounds = [one for case in CASES for one in figures.troad[case]]
    assert all(one.cpu >= 0 and one.seconds > 0 and len(one.waits) == 20 for one in rounds)


def run_with_logs_seen_by(monkeypatch: pytest.MonkeyPatch, verify: Any) -> None:
    monkeypatch.setattr(gateways.Gateways, "verify_logs", verify)
    monkeypatch.setattr(floor, "present", lambda: False)
    monkeypatch.setattr(signature_peer, "present", lambda: False)
    exchange.measure(CASES[1:], count=2, rounds=1)


def test_a_wrong_answer_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "row", lambda number, subject, pad: {"id": number, "born_on": "1999-01-01"})
    with pytest.raises(SystemExit, match=r"wrong answer to question [01]: http/1.1 200"):
        run_with_logs_seen_by(monkeypatch, lambda pair, exchanges: 0)


def test_an_altered_or_incomplete_log_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    verify = gateways.Gateways.verify_logs

    def look(pair: gateways.Gateways, exchanges: set[str]) -> int:
        good = verify(pair, exchanges)
        with pytest.raises(SystemExit, match="ris does not hold the 3 exchanges"):
            verify(pair, set(list(exchanges)[:3]))
        with sqlite3.connect(pair.folder / "hpa" / "log.sqlite3") as db:
            db.execute("UPDATE ledger_record SET record = replace(record, 'births', 'deaths') WHERE idx = 2")
        with pytest.raises(SystemExit, match=r"hpa does not verify: \[2\]"):
            verify(pair, exchanges)
        return good

    run_with_logs_seen_by(monkeypatch, look)


def test_a_refusal_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    made = exchange._question

    def curious(*about: Any, **cut: bool) -> Any:
        question = made(*about, **cut)
        wanted = f"x-troad-purpose: {gateways.PURPOSE}".encode()
        return lambda number: (question(number)[0].replace(wanted, b"x-troad-purpose: curiosity"), question(number)[1])

    monkeypatch.setattr(exchange, "_question", curious)
    with pytest.raises(SystemExit, match=r"wrong answer to question [01]: http/1.1 40"):
        run_with_logs_seen_by(monkeypatch, lambda pair, exchanges: 0)


def test_children_of_children_are_counted() -> None:
    busy = "while :; do :; done"
    with subprocess.Popen(["sh", "-c", f"sh -c '{busy}' & echo up; wait"], stdout=subprocess.PIPE) as parent:
        try:
            assert parent.stdout is not None
            assert parent.stdout.readline() == b"up\n"
            (child,) = machine.descendants(parent.pid)
            while machine.cpu_seconds([child]) == 0:
                pass
            assert machine.cpu_seconds([parent.pid, child]) > machine.cpu_seconds([parent.pid])
            assert machine.pss_megabytes(child) > 0
        finally:
            subprocess.run(["kill", *map(str, machine.descendants(parent.pid))], check=True)
            parent.wait()
