"""The bench of the exchange measures what it says: it ends when an answer or a log is not as it must be."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from bench import exchange, exchange_table, floor, gateways, machine, signature_peer, stages
from bench.cases import Case
from bench.consents import Consents

import smartgov

pytestmark = [pytest.mark.enable_socket, pytest.mark.process]


CASES = [
    Case("signed", True, 2),
    Case("full", False, 2),
    Case("once", True, 2),
    Case("personal", True, 4, gateways=3),
    Case("full", True, 2, gateways=1),
]


def test_a_short_run_checks_every_answer_and_all_logs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [*sys.argv, "--stages"])
    figures = exchange.measure(CASES, count=20, rounds=2)
    asked, own = ([case.connections + 2 * 20 for case in CASES if (case.gateways == 1) is one] for one in (False, True))
    assert figures.records == 2 * 2 * sum(asked) + 2 * sum(own), "one log holds both sides of what one gateway asks"
    assert [[one.count for one in figures.troad[case]] for case in CASES] == [[20, 20]] * 5
    beside = sum(connections + 2 * 20 for connections in (2, 4))
    assert figures.answers == sum(asked) + sum(own) + beside * (floor.present() + signature_peer.present())
    assert len(figures.floor.get((2, 0), [])) == (2 if floor.present() else 0)
    rounds = [one for case in CASES for one in figures.troad[case]]
    assert all(one.cpu >= 0 and one.seconds > 0 and len(one.waits) == 20 for one in rounds)
    assert figures.refused == 0
    told = list(exchange_table.lines(figures))
    assert len([line for line in told if line.startswith("| 2 ")]) == 4 + floor.present() + signature_peer.present()
    assert len({line.count("|") for line in told if line.startswith("|")}) == 1
    staged = [line for line in figures.stages if line.endswith("  read and verify")]
    assert len(staged) == 4, "one table for each set of gateways"
    assert any(not line.strip().startswith("0.0 us") for line in staged)


def test_any_number_of_gateways_is_a_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        sys, "argv", ["exchange", "--profiles=signed", "--connections=8", "--pairs=3", "--gateways=1,5"]
    )
    assert [(case.gateways, case.batch) for case in exchange._chosen()] == [
        (1, True),
        (5, True),
        (5, False),
        (6, True),
        (6, False),
    ]


def test_a_sample_counts_for_the_innermost_function_that_a_stage_names() -> None:
    loop = ["troad/gateway.py:main", "asyncio/runners.py:run", "httpd/runner.py:run"][::-1]
    assert stages.stage_of(
        ["json/encoder.py:encode", "shared/canonical.py:dumps", "troad/consumer.py:_question", *loop]
    ) == ("commit: rows and statements")
    assert stages.stage_of(["troad/rights.py:cut", "troad/passage.py:release", *loop]) == "cut and hide"
    assert stages.stage_of(["troad/rights.py:authorise", "troad/passage.py:admit", *loop]) == "authorise"
    assert stages.stage_of(loop) == "TLS, HTTP, the loop"
    assert stages.stage_of(["somewhere/new.py:work", *loop]) == stages.OTHER


def test_every_named_function_and_file_is_there() -> None:
    """A stage that names what was renamed would count it as `other`, and nobody would see why."""
    source = Path(smartgov.__file__).parent
    for name in (
        name for names in stages.STAGES.values() for name in names if not name.startswith(("asyncio/", "lib/"))
    ):
        file, _, function = name.partition(":")
        found = [path for path in source.rglob(file.rpartition("/")[2]) if f"{path.parent.name}/{path.name}" == file]
        assert len(found) == 1, name
        assert function == "*" or f"def {function}(" in found[0].read_text(), name


def run_with_logs_seen_by(monkeypatch: pytest.MonkeyPatch, verify: Any) -> None:
    monkeypatch.setattr(gateways.Gateways, "verify_logs", verify)
    monkeypatch.setattr(floor, "present", lambda: False)
    monkeypatch.setattr(signature_peer, "present", lambda: False)
    exchange.measure(CASES[1:2], count=2, rounds=1)


def test_a_wrong_answer_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "row", lambda number, subject, pad: {"id": number, "born_on": "1999-01-01"})
    with pytest.raises(SystemExit, match=r"wrong answer to question [01]: b'"):
        run_with_logs_seen_by(monkeypatch, lambda *about: 0)


def test_an_altered_or_incomplete_log_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    verify = gateways.Gateways.verify_logs

    def look(pair: gateways.Gateways, numbers: set[int], *about: Any) -> int:
        good = verify(pair, numbers, *about)
        with pytest.raises(SystemExit, match="ris does not hold the 3 exchanges"):
            verify(pair, set(sorted(numbers)[:3]), *about)
        with sqlite3.connect(pair.folder / "hpa" / "log.sqlite3") as db:
            db.execute("UPDATE ledger_record SET record = replace(record, 'births', 'deaths') WHERE idx = 2")
        with pytest.raises(SystemExit, match=r"hpa does not verify: \[2\]"):
            verify(pair, numbers, *about)
        return good

    run_with_logs_seen_by(monkeypatch, look)


def test_refusals_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    made = exchange._question

    def curious(*about: Any) -> Any:
        question = made(*about)
        wanted = f"x-troad-purpose: {gateways.PURPOSE}".encode()
        return lambda number: (question(number)[0].replace(wanted, b"x-troad-purpose: curiosity"), question(number)[1])

    monkeypatch.setattr(exchange, "_question", curious)
    with pytest.raises(SystemExit, match=r"refused: .'403 .*': 2. of 2"):
        run_with_logs_seen_by(monkeypatch, lambda *about: 0)


def test_a_consent_that_is_not_looked_at_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    make = Consents._make
    changed = {"taken-back": "another"}
    monkeypatch.setattr(Consents, "_make", lambda self, kind, at, jti: make(self, kind, at, changed.get(jti, jti)))
    with pytest.raises(SystemExit, match="answered where consent-revoked was due"):
        run_with_logs_seen_by(monkeypatch, lambda *about: 0)


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
