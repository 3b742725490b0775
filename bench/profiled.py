"""A gateway under the profiler: `python -m bench.profiled FOLDER --home DIR`, stopped by a signal.

It writes `loop.prof` and `writer.prof` (the thread that commits) into FOLDER, for `pstats`. Times are CPU of the
thread, and for shares only: what calls much and does little looks dearer than it is.
"""

from __future__ import annotations

import cProfile
import sys
from pathlib import Path
from time import thread_time
from typing import Any

from smartgov.engines.troad import gateway
from smartgov.engines.troad.store import Store


def main() -> None:
    """Run the gateway, each of its two threads under a profiler of its own."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    run = Store._run

    def profiled(store: Any) -> None:
        profile = cProfile.Profile(thread_time)
        profile.runcall(run, store)
        profile.dump_stats(folder / "writer.prof")

    Store._run = profiled  # type: ignore[method-assign]
    profile = cProfile.Profile(thread_time)
    try:
        profile.runcall(gateway.main, sys.argv[2:])
    finally:
        profile.dump_stats(folder / "loop.prof")


if __name__ == "__main__":
    main()
