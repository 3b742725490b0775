"""One run of our de-identification in a process of its own, so that its CPU and its memory are its own.

`python -m bench.deid_run policy.json data.parquet` prints a line of JSON: what was chosen, what it costs, what it took.
The release is made as a user's is, output table included.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from smartgov.engines import deid


def recounted(release: deid.Release) -> tuple[int, int]:
    """Classes of the released table and the smallest of them, by a plain GROUP BY that knows nothing of the search."""
    import duckdb  # after the figures were taken: the run itself needs none

    with duckdb.connect(config={"memory_limit": "4GB"}) as db:
        rows = db.read_parquet(str(release.table)) if isinstance(release.table, Path) else db.from_arrow(release.table)
        columns = ", ".join(f'"{name}"' for name in release.policy.quasi)
        groups = rows.aggregate(f"{columns}, count(*) AS many")
        many, smallest = groups.aggregate("count(*), min(many)").fetchall()[0]
        return int(many), int(smallest or 0)


def main() -> None:
    """Run and print."""
    policy, source = Path(sys.argv[1]), Path(sys.argv[2])
    started = time.monotonic()
    release = deid.anonymise(source, deid.Policy.parse(json.loads(policy.read_text()), folder=policy.parent))
    took, cpu = time.monotonic() - started, time.process_time()
    status = Path("/proc/self/status").read_text()
    memory = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))
    found = {
        "score": release.score,
        "node": release.node,
        "bound": release.bound,
        "gap": release.gap,
        "classes": release.classes,
        "suppressed": release.suppressed,
        "seconds": took,
        "cpu_s": cpu,
        "memory_kb": memory,
    }
    many, smallest = recounted(release)
    if many != release.classes or smallest != release.smallest:
        raise SystemExit(f"{many} classes from {smallest} rows, not {release.classes} from {release.smallest}")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
