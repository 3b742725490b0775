"""Seconds, CPU and memory of writing a country, by size: growth must be linear. The largest size only with `--full`."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb

from bench.machine import descendants, pss_megabytes

SIZES = (1, 20, 200)
FULL = 2_340
ON = "2026-11-28"
JOBS = 2


class WrongCountryError(Exception):
    """What was written is not what was asked for."""


@dataclass(frozen=True, slots=True)
class Figures:
    """One size: wall and CPU seconds, the most memory of all its processes at once, and bytes on disk."""

    villages: int
    people: int
    seconds: float
    cpu: float
    megabytes: float
    disk: int
    outside: int


def main() -> None:
    """One line a size, and what a person costs relative to the size before."""
    sizes = (*SIZES, FULL) if "--full" in sys.argv else SIZES
    head = (
        f"{'villages':>9}{'people':>12}{'seconds':>9}{'people/s':>10}{'CPU us/person':>15}{'peak MB':>9}{'disk MB':>9}"
    )
    print(head + "  margins outside")
    before = None
    for villages in sizes:
        found = measure(villages)
        each = found.cpu / found.people * 1e6
        growth = f"  x{each / before:.2f} a person" if before else ""
        print(
            f"{villages:>9,}{found.people:>12,}{found.seconds:>9.1f}{found.people / found.seconds:>10,.0f}{each:>15.1f}"
            f"{found.megabytes:>9,.0f}{found.disk / 1e6:>9,.0f}{found.outside:>5}{growth}",
            flush=True,
        )
        before = each
    if FULL not in sizes:
        print(f"{FULL:,} villages: NOT RUN (python -m bench population --full; 6 GB of disk)")


def measure(villages: int) -> Figures:
    """Write a country into a temporary folder with the command that people use, and check it."""
    with tempfile.TemporaryDirectory(prefix="smartgov-bench-") as place:
        folder = Path(place) / "country"
        began, cpu = time.monotonic(), _children_cpu()
        megabytes = _run(folder, villages)
        seconds, cpu = time.monotonic() - began, _children_cpu() - cpu
        state = json.loads((folder / "country.json").read_text(encoding="utf-8"))
        disk = sum(path.stat().st_size for path in folder.rglob("*.parquet"))
        report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
        people = _check(folder, villages, sum(part["people"] for part in state["parts"].values()))
    outside = sum(not line["within"] for line in report["lines"])
    return Figures(villages, people, seconds, cpu, megabytes, disk, outside)


def _run(folder: Path, villages: int) -> float:
    """The peak of the proportional memory of all processes, looked at ten times a second."""
    words = ["population", "--villages", str(villages), "--out", str(folder), "--on", ON, "--jobs", str(JOBS)]
    run = subprocess.Popen(
        [sys.executable, "-m", "smartgov.cli", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    peak = 0.0
    while run.poll() is None:
        with suppress(FileNotFoundError, ProcessLookupError):  # one of them has just ended
            peak = max(peak, sum(pss_megabytes(pid) for pid in (run.pid, *descendants(run.pid))))
        time.sleep(0.1)
    if run.returncode:
        raise WrongCountryError(f"the command ended with {run.returncode}")
    return peak


def _check(folder: Path, villages: int, said: int) -> int:
    with duckdb.connect() as db:
        frame = str(folder / "frame" / "*.parquet")
        living, persons, rows = db.execute(
            "SELECT count(*) FILTER (death_date IS NULL), count(DISTINCT person) FILTER (village < 20),"
            " count(*) FILTER (village < 20) FROM read_parquet(?)",
            [frame],
        ).fetchone()
        registered = db.execute(
            "SELECT count(*) FROM read_parquet(?)", [str(folder / "registers/ris/people/*.parquet")]
        ).fetchone()[0]
    if living != villages * 10_000 or registered != living or said != living or persons != rows:
        raise WrongCountryError(f"{living} living, {registered} registered, {said} said of {villages} villages")
    return int(living)


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
