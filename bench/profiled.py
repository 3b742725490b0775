"""A gateway under a sampler: `python -m bench.profiled FOLDER --home DIR`, stopped by a signal.

A thousand times in each second of CPU it notes which function the thread of connections is in, and who called it. The
counts go to FOLDER: `own.json` (by file, line and name), `within.json` (by file and name, with all that these call) and
`stages.json` (by the stages of `stages.py`, with the CPU of the thread of connections and of the other threads, in
microseconds; what happens before the first request is in none). Unlike a tracing profiler it costs next to nothing and
makes no function look dearer than it is.
"""

from __future__ import annotations

import json
import resource
import signal
import sys
from collections import Counter
from pathlib import Path
from types import FrameType

from bench import stages
from smartgov.engines.troad import gateway

_SECONDS = 0.001
_START = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_THREAD)


def main() -> None:
    """Run the gateway and note where it is."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    own, within, staged, others = Counter[str](), Counter[str](), Counter[str](), Counter[str]()

    def note(_: int, frame: FrameType | None) -> None:
        if frame is None:
            return
        own[f"{_name(frame)}:{frame.f_lineno}"] += 1
        stack = list[str]()
        while frame is not None:
            stack.append(_name(frame))
            frame = frame.f_back
        within.update(set(stack))
        stage = stages.stage_of(stack)
        staged[stage] += 1
        if stage == stages.OTHER:
            others[stack[0]] += 1

    signal.signal(signal.SIGPROF, note)
    signal.setitimer(signal.ITIMER_PROF, _SECONDS, _SECONDS)
    try:
        gateway.main(sys.argv[2:])
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        whole, loop = (_micros(which, since) for which, since in zip(_KINDS, _START, strict=True))
        found = {"stages": staged, "others": others, "loop_micros": loop, "thread_micros": whole - loop}
        (folder / "own.json").write_text(json.dumps(own.most_common()))
        (folder / "within.json").write_text(json.dumps(within.most_common()))
        (folder / "stages.json").write_text(json.dumps(found))


_KINDS = (resource.RUSAGE_SELF, resource.RUSAGE_THREAD)


def _micros(which: int, since: resource.struct_rusage) -> float:
    spent = resource.getrusage(which)
    return 1e6 * (spent.ru_utime + spent.ru_stime - since.ru_utime - since.ru_stime)


def _name(frame: FrameType) -> str:
    path = Path(frame.f_code.co_filename)
    folder = "lib" if path.parent.name.startswith("python3") else path.parent.name  # of Python itself
    return f"{folder}/{path.name}:{frame.f_code.co_name}"


if __name__ == "__main__":
    main()
