"""The bench of the exchange measures what it says: it ends when an answer or a log is not as it must be."""

from __future__ import annotations

import sqlite3
import subprocess
from typing import Any

import pytest
from bench import exchange, floor, gateways, machine, register

from smartgov.engines.httpd import Response

pytestmark = [pytest.mark.enable_socket, pytest.mark.process]


def test_a_short_run_checks_every_answer_and_both_logs() -> None:
    figures = exchange.measure(count=20, rounds=2)
    asked = exchange.CONCURRENCY + 2 * 20
    assert figures.records == 2 * 2 * asked
    assert [one.count for one in figures.troad] == [20, 20]
    through_nginx = exchange.CONCURRENCY + 2 * 20 * exchange.FLOOR_TIMES if floor.present() else 0
    assert figures.answers == asked + through_nginx
    assert len(figures.floor) == (2 if floor.present() else 0)
    assert all(one.cpu >= 0 and one.seconds > 0 for one in figures.troad + figures.floor)


def test_a_wrong_answer_ends_it() -> None:
    items = [register.row(7, "urn:tw:nid:A")]
    exchange.check(Response.json({"items": items, "as_of": register.AS_OF}), 7, "urn:tw:nid:A", cut=False)
    with pytest.raises(exchange.WrongAnswerError, match="wrong answer to question 7"):
        exchange.check(Response.json({"items": items, "as_of": register.AS_OF}), 7, "urn:tw:nid:A", cut=True)
    with pytest.raises(exchange.WrongAnswerError, match="wrong answer to question 8"):
        exchange.check(Response.json({"items": items, "as_of": register.AS_OF}), 8, "urn:tw:nid:A", cut=False)


def run_with_logs_seen_by(monkeypatch: pytest.MonkeyPatch, verify: Any) -> None:
    monkeypatch.setattr(gateways.Gateways, "verify_logs", verify)
    monkeypatch.setattr(exchange, "CONCURRENCY", 2)
    monkeypatch.setattr(floor, "present", lambda: False)
    exchange.measure(count=2, rounds=1)


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
    monkeypatch.setattr(exchange.gateways, "SERVICE", "TW/GOV/hpa/births/births.v2")
    monkeypatch.setattr(exchange, "_PATH", "/r1/TW/GOV/hpa/births/births.v2/births/query")
    with pytest.raises(SystemExit, match=r"wrong answer to question [01]: 40"):
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
