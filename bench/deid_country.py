"""A whole country at once: 23,400,000 rows of eight quasi-identifiers (`deid_data.py`), k = 5, on this machine.

At 0 % the optimum and its proof; at 1 % the best release within five minutes, and by how much of its cost another could
be cheaper at most (the proven gap). Classes of every released table are counted again by a plain GROUP BY.
Prints growth from 10,000 rows up, because a figure for one size says little.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from bench.deid import K, Table, ours, people

SIZES = (10_000, 100_000, 1_000_000, 5_000_000, 23_400_000)
MINUTES_AT_1 = 4.5
"""For the search at 1 %; reading and writing take the rest of the five minutes."""


def main() -> None:
    """Print a line a run."""
    print(f"{'rows':>12}{'limit':>7}{'s':>9}{'CPU s':>9}{'MB':>8}{'gap':>8}  node, score, classes, suppressed")
    for rows in SIZES:
        with tempfile.TemporaryDirectory(prefix="smartgov-bench-") as name:
            table = people(Path(name), f"synthetic {rows:,}", rows, as_csv=False)
            _print(rows, 0.0, _checked(table, ours(table, table.policy(0.0)), rows, 0.0))
            policy = table.policy(0.01, time_limit_s=MINUTES_AT_1 * 60)
            _print(rows, 0.01, _checked(table, ours(table, policy), rows, 0.01))


def _checked(table: Table, found: dict[str, Any], rows: int, limit: float) -> dict[str, Any]:
    """End unless the figures fit together; the table was recounted where it was made."""
    if (
        found["suppressed"] > limit * rows
        or found["classes"] * K > rows - found["suppressed"]
        or not found["bound"] <= found["score"]
    ):
        raise SystemExit(f"{table.name}, {limit:.0%}: impossible figures: {found}")
    return found


def _print(rows: int, limit: float, found: dict[str, Any]) -> None:
    print(
        f"{rows:>12,}{limit:>7.0%}{found['seconds']:>9.1f}{found['cpu_s']:>9.1f}{found['memory_kb'] / 1024:>8.0f}"
        f"{found['gap']:>8.2%}"
        f"  {found['node']}, {found['score']:.0f}, {found['classes']}, {found['suppressed']}",
        flush=True,
    )
