"""What it costs a gateway to read an hour from its log, so that it can be compared with another one.

A log of one signed answer for each exchange, in form and size as a gateway writes it. CPU for each is all that reading
takes: records, hashes, the order, the root; the rests that it leaves to exchanges are in the wall time only. What was
read is compared with the same log of which one record was taken out: that one must be found, and no other.
"""

from __future__ import annotations

import asyncio
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event
from typing import Any

from bench.ledger import HOUR, PEER, answers
from bench.processes import ROOT
from smartgov.engines.troad import exchanged, hours
from smartgov.engines.troad.exchanged import Part

SIZES = (10_000, 100_000, 1_000_000)
_AT_ONCE = 5000


def main() -> None:
    """Print one line a size; each is read in a process of its own, so that its memory can be seen."""
    print("exchanges  CPU us each  wall s  peak MB", flush=True)
    for size in sizes(SIZES):
        with tempfile.TemporaryDirectory(dir=os.environ.get("SMARTGOV_BENCH_DISK")) as folder:
            file = Path(folder) / "log.sqlite3"
            _grow(file, size)
            subprocess.run([sys.executable, "-m", "bench.hours", str(file)], check=True, cwd=ROOT)


def sizes(usual: Sequence[int]) -> Sequence[int]:
    """The sizes that `--sizes=N,...` names, else the usual ones."""
    given = next((word for word in sys.argv if word.startswith("--sizes=")), "")
    return [int(size) for size in given.removeprefix("--sizes=").split(",") if size] or usual


def _grow(file: Path, size: int) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as db:
        db.executescript("PRAGMA synchronous=OFF; CREATE TABLE ledger_record (idx INTEGER PRIMARY KEY, record BLOB)")
        made = answers(size)
        for first in range(0, size, _AT_ONCE):
            part = [(first + at, next(made)) for at in range(min(_AT_ONCE, size - first))]
            db.execute("BEGIN")
            db.executemany("INSERT INTO ledger_record VALUES (?, ?)", part)
            db.execute("COMMIT")


def measure(file: Path) -> None:
    """Read the hour of this log twice, the second time without one of its records."""

    @contextmanager
    def reading() -> Iterator[tuple[sqlite3.Connection, Any]]:
        with closing(sqlite3.connect(file)) as db:
            yield db, None

    began, started = time.perf_counter(), time.process_time()
    first = hours.read(reading, HOUR, Event()).ids(PEER, "provider")
    wall, cpu, size = time.perf_counter() - began, time.process_time() - started, first.part().count
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    with closing(sqlite3.connect(file)) as db, db:
        taken = "DELETE FROM ledger_record WHERE idx = 7 RETURNING json_extract(CAST(record AS TEXT), '$.id')"
        (gone,) = db.execute(taken).fetchone()
    second = hours.read(reading, HOUR, Event()).ids(PEER, "provider")

    async def tell(prefix: str) -> Part:
        return Part.of(second.part(prefix).as_dict())

    if asyncio.run(exchanged.differences(first, tell)) != ({gone}, set()):
        raise SystemExit("the record that was taken out was not found, or another one was")
    print(f"{size:>9,}  {cpu / size * 1e6:>11.1f}  {wall:>6.1f}  {peak:>7.0f}", flush=True)


if __name__ == "__main__":
    measure(Path(sys.argv[1]))
