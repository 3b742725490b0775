"""A gateway under a sampler: `python -m bench.profiled FOLDER --home DIR`, stopped by a signal.

A thousand times in each second of CPU it notes which function the thread of connections is in, and who called it. The
counts go to `own.json` and `within.json` in FOLDER, by file, line and name. Unlike a tracing profiler it costs next to
nothing and makes no function look dearer than it is; what the writing thread does is not in it.
"""

from __future__ import annotations

import json
import signal
import sys
from collections import Counter
from pathlib import Path
from types import FrameType

from smartgov.engines.troad import gateway

_SECONDS = 0.001


def main() -> None:
    """Run the gateway and note where it is."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    own: Counter[str] = Counter()
    within: Counter[str] = Counter()

    def note(_: int, frame: FrameType | None) -> None:
        if frame is None:
            return
        own[_line(frame)] += 1
        seen = set()
        while frame is not None:
            seen.add(_name(frame))
            frame = frame.f_back
        within.update(seen)

    signal.signal(signal.SIGPROF, note)
    signal.setitimer(signal.ITIMER_PROF, _SECONDS, _SECONDS)
    try:
        gateway.main(sys.argv[2:])
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        (folder / "own.json").write_text(json.dumps(own.most_common()))
        (folder / "within.json").write_text(json.dumps(within.most_common()))


def _name(frame: FrameType) -> str:
    return f"{Path(frame.f_code.co_filename).name}:{frame.f_code.co_name}"


def _line(frame: FrameType) -> str:
    return f"{_name(frame)}:{frame.f_lineno}"


if __name__ == "__main__":
    main()
