"""Checking a finished release: k, l, t, the three attackers and population uniqueness, by size.

Rows are made by seed (`python -m bench.deid_check ROWS ...` takes other sizes). Every figure is compared with the same
figure counted from the numbers that the file was made of, before its time is printed.
"""

from __future__ import annotations

import resource
import sys
import tempfile
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from smartgov.engines.deid import risk, uniqueness
from smartgov.engines.deid.recount import recount

SIZES = (10_000, 100_000, 1_000_000, 23_400_000)
SEED = 20_261_101
#: How many released values each quasi-identifier has.
QUASI = {"sex": 2, "age": 9, "county": 22, "marital": 2, "education": 4, "occupation": 5, "origin": 2, "household": 3}
VALUES = 30


def main() -> None:
    """One line a size: seconds, CPU seconds, peak memory, and what was found."""
    sizes = tuple(int(word) for word in sys.argv[1:] if word.isdigit()) or SIZES
    print(f"{'rows':>11} {'seconds':>8} {'CPU s':>7} {'peak MB':>8}  found")
    with tempfile.TemporaryDirectory(prefix="deid-check-") as folder:
        for rows in sizes:
            path = Path(folder) / "release.parquet"
            expected = write(path, rows)
            wall, cpu = perf_counter(), process_time()
            found = check(path)
            wall, cpu = perf_counter() - wall, process_time() - cpu
            if found != expected:
                raise SystemExit(f"wrong at {rows}: {found}, expected {expected}")
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            told = ", ".join(f"{name} {value:g}" for name, value in found.items())
            print(f"{rows:>11,} {wall:>8.2f} {cpu:>7.2f} {peak:>8.0f}  {told}", flush=True)


def check(path: Path) -> dict[str, float]:
    """What a steward asks of a finished release, from its file alone."""
    counted = recount(path, tuple(QUASI), ("ailment",))
    measured = risk.of_sizes(counted.sizes, counted.suppressed)
    unique = uniqueness.estimate(counted.sizes, measured.rows * 2)
    ailment = counted.sensitive[0]
    return {
        "k": measured.k, "classes": measured.classes, "marketer": round(measured.marketer, 9), "l": ailment.l,
        "t": round(ailment.t, 9), "uniques": round(unique.share, 9),
    }  # fmt: skip


def write(path: Path, rows: int) -> dict[str, float]:
    """A release of that many rows, and the figures that `check` must find."""
    draw = np.random.default_rng(SEED)
    key = np.zeros(rows, dtype=np.int64)
    columns = {}
    for name, kinds in QUASI.items():
        # Uneven, as people are: the first value of each is the most frequent.
        share = 1 / np.arange(1, kinds + 1) ** 0.7
        code = np.searchsorted(np.cumsum(share / share.sum()), draw.random(rows, dtype=np.float32)).clip(max=kinds - 1)
        key = key * kinds + code
        columns[name] = _column(code, [f"{name} {value}" for value in range(kinds)])
    ailment = np.floor(VALUES * draw.random(rows, dtype=np.float32) ** 1.5).astype(np.int64)
    columns["ailment"] = _column(ailment, [f"ailment {value}" for value in range(VALUES)])
    pq.write_table(pa.table(columns), path, row_group_size=1 << 20)
    return _expected(key, ailment)


def _column(code: np.ndarray, names: list[str]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(code.astype(np.int8)), pa.array(names))


def _expected(key: np.ndarray, ailment: np.ndarray) -> dict[str, float]:
    cells = np.bincount(key * VALUES + ailment).astype(np.int64)
    cells = np.pad(cells, (0, -len(cells) % VALUES)).reshape(-1, VALUES)
    cells = cells[cells.sum(axis=1) > 0]
    sizes = cells.sum(axis=1)
    far = np.abs(cells / sizes[:, None] - cells.sum(axis=0) / sizes.sum()).sum(axis=1) / 2
    unique = uniqueness.estimate(risk.Sizes.of(sizes), int(sizes.sum()) * 2)
    return {
        "k": int(sizes.min()), "classes": len(sizes), "marketer": round(len(sizes) / int(sizes.sum()), 9),
        "l": float((cells > 0).sum(axis=1).min()), "t": round(float(far.max()), 9), "uniques": round(unique.share, 9),
    }  # fmt: skip


if __name__ == "__main__":
    main()
