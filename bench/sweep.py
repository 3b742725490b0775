"""All rules over a whole country: wall time, CPU, memory and growth; answers are compared with Python while it runs.

Takes the country's folder from SMARTGOV_BENCH_COUNTRY (made by `smartgov population --out`); without it, NOT RUN.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from time import perf_counter, process_time

import duckdb

from smartgov.engines import rules
from smartgov.engines.rules import sweep
from smartgov.engines.rules.sql import OUTCOMES
from smartgov.shared import content

ON = date(2026, 11, 1)
CHECKED = 300


def main() -> None:
    """Print a row for a tenth, a third and the whole of the country's parts."""
    folder = os.environ.get("SMARTGOV_BENCH_COUNTRY", "")
    if not folder:
        print("sweep: NOT RUN, SMARTGOV_BENCH_COUNTRY names no country")
        return
    book = rules.load(content.ROOT)
    mapping = sweep.load_mapping(content.ROOT, book)
    frame = sweep.open_frame(Path(folder))
    print(f"{agreement(frame, book, mapping)} answers of {CHECKED} people are those of Python")
    print(f"{'people':>12}{'rules':>7}{'wall s':>9}{'CPU s':>9}{'CPU us a person':>17}{'peak MB':>9}")
    for parts in sorted({max(1, len(frame.parts) // 10), max(1, len(frame.parts) // 3), len(frame.parts)}):
        some = replace(frame, parts=frame.parts[:parts])
        wall, cpu = perf_counter(), process_time()
        result = sweep.sweep(some, book, mapping, ON)
        wall, cpu = perf_counter() - wall, process_time() - cpu
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        each = cpu / result.people * 1e6
        print(f"{result.people:>12,}{len(mapping.rules):>7}{wall:>9.1f}{cpu:>9.1f}{each:>17.2f}{peak:>9}")


def agreement(frame: sweep.Frame, book: rules.RuleBook, mapping: sweep.SweepMap) -> int:
    """Compare the answers of some people of the first part, person by person; ends when one differs."""
    load, columns = frame.load(frame.parts[0], mapping, ON)
    with duckdb.connect() as base:
        base.execute(f"CREATE TYPE rule_id AS ENUM ({', '.join(repr(rule) for rule in mapping.rules)})")
        base.execute(f"CREATE TEMP TABLE people AS {load} ORDER BY f.person LIMIT {CHECKED}")
        cursor = base.execute("SELECT * FROM people")
        names = [column[0] for column in cursor.description or ()]
        rows = [sweep.decoded(dict(zip(names, row, strict=True)), columns) for row in cursor.fetchall()]
        asked = base.execute(sweep.answers(book, mapping.rules.values(), ON, columns)).fetchall()
    ours = {(person, rule): (OUTCOMES[outcome], amount) for rule, person, outcome, amount, _ in asked}
    theirs = dict(_decided(rows, book, mapping))
    if ours != theirs:
        wrong = [key for key in {*ours, *theirs} if ours.get(key) != theirs.get(key)]
        raise SystemExit(f"SQL and Python differ for {wrong[:3]}")
    return len(ours)


def _decided(rows: list, book: rules.RuleBook, mapping: sweep.SweepMap) -> Iterator[tuple]:
    for row in rows:
        for rule, each in mapping.rules.items():
            decision = each.answer(book, row, ON)
            if decision is not None:
                amount = decision.values.get(each.amount) if each.amount else None
                yield (row["person"], rule), (decision.outcome, amount)
