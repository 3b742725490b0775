"""Writing a country: parts of whole villages, over several processes, resumable after any interruption.

A part is finished when `country.json` lists it; only the parent writes that file, after the worker has moved the part's
files into their places and they are on the disk. What a killed run had begun lies in `.building` and is cleared by the
next one.
"""

from __future__ import annotations

import errno
import json
import multiprocessing as mp
import os
import shutil
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from importlib import metadata
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import pyarrow as pa

from smartgov.engines.population import frame, margins, parquet, places, problems, served
from smartgov.engines.population.framing import make_frame
from smartgov.engines.population.village import VILLAGES, make_village

PART = 15
"""Villages in a part: some 150,000 people."""
FORMAT = 1
VILLAGE_BYTES = 2_300_000
"""What a village takes on disk, rounded up."""
MARK = "country.json"
_BUILDING = ".building"
_LIBRARIES = ("numpy", "pyarrow", "duckdb")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the writing is."""

    people: int
    villages: int
    of_villages: int
    seconds: float

    @property
    def people_per_second(self) -> float:
        """Speed of this run."""
        return self.people / self.seconds if self.seconds else 0.0

    @property
    def seconds_left(self) -> float:
        """At this speed."""
        return (self.of_villages - self.villages) * self.seconds / self.villages if self.villages else 0.0


@dataclass(slots=True)
class State:
    """What `country.json` says."""

    seed: str
    on: date
    villages: int
    parts: dict[int, dict[str, int]] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The file's content."""
        return {
            "format": FORMAT,
            "synthetic": True,
            "seed": self.seed,
            "on": self.on.isoformat(),
            "villages": self.villages,
            "libraries": libraries(),
            "villages_in_a_part": PART,
            "income_decile_limits": list(margins.INCOME_DECILES),
            "codes": frame.CODES,
            "parts": {str(part): self.parts[part] for part in sorted(self.parts)},
        }


def libraries() -> dict[str, str]:
    """The versions on which the bytes depend."""
    return {name: metadata.version(name) for name in _LIBRARIES}


def write_country(
    folder: Path,
    *,
    villages: int,
    seed: str = "smartgov",
    on: date,
    jobs: int = 2,
    progress: Callable[[Progress], None] = lambda _: None,
) -> State:
    """Write (or go on writing) a country of so many villages into `folder`; KeyboardInterrupt leaves it resumable.

    Problems: `villages-out-of-range`, `country-in-the-way` (something else lies there), `country-differs` (another
    seed, day or version), `disk-full`, `part-failed`.
    """
    if not 1 <= villages <= VILLAGES or jobs < 1:
        raise problems.out_of_range(villages, VILLAGES)
    state = _open(folder, State(seed, on, villages))
    wanted = {part: min(PART, villages - part * PART) for part in range(-(-villages // PART))}
    open_ = [part for part, count in wanted.items() if state.parts.get(part, {}).get("villages") != count]
    _remove_beyond(folder, state, wanted)
    state.villages = villages
    _save(folder, state)
    _check_room(folder, sum(wanted[part] for part in open_))
    if open_:
        _Writing(folder, state, wanted, progress).run(open_, min(jobs, len(open_)))
    shutil.rmtree(folder / _BUILDING, ignore_errors=True)
    return state


def read_state(folder: Path) -> State | None:
    """What an earlier run left in `folder`; None when there is no country."""
    try:
        said = json.loads((folder / MARK).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    parts = {int(part): about for part, about in said["parts"].items()}
    state = State(said["seed"], date.fromisoformat(said["on"]), said["villages"], parts)
    if said["libraries"] != libraries() or said["format"] != FORMAT or said["villages_in_a_part"] != PART:
        raise problems.other_versions(folder, said["libraries"], libraries())
    return state


def _open(folder: Path, new: State) -> State:
    there = read_state(folder)
    if there is None:
        if folder.exists() and any(folder.iterdir()):
            raise problems.in_the_way(folder)
        folder.mkdir(parents=True, exist_ok=True)
        _write_townships(folder)
        return new
    if (there.seed, there.on) != (new.seed, new.on):
        raise problems.other_country(folder, there.seed, there.on, new.seed, new.on)
    shutil.rmtree(folder / _BUILDING, ignore_errors=True)
    return there


def _check_room(folder: Path, villages: int) -> None:
    free, needed = shutil.disk_usage(folder).free, villages * VILLAGE_BYTES
    if free < needed:
        raise problems.no_room(folder, needed, free)


def _save(folder: Path, state: State) -> None:
    beside = folder / f"{MARK}.new"
    try:
        beside.write_text(json.dumps(state.as_dict(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        parquet.sync(beside)
        beside.replace(folder / MARK)
        parquet.sync(folder)
    except OSError as error:
        raise problems.cannot_write(folder, error) from error


def _remove_beyond(folder: Path, state: State, wanted: dict[int, int]) -> None:
    """Parts of an earlier, larger country go, and parts of another length are written anew."""
    for part in [part for part, about in state.parts.items() if wanted.get(part) != about["villages"]]:
        del state.parts[part]
        for path in folder.rglob(f"part-{part:04d}.parquet"):
            path.unlink()


def _write_townships(folder: Path) -> None:

    each = places.places()
    county = [int(at) for at in each.county]
    table = pa.table(
        {
            "code": pa.array(range(1, len(county) + 1), type=pa.int16()),
            "county_code": pa.array([at + 1 for at in county], type=pa.int8()),
            "county": [each.counties[at] for at in county],
            "township": list(each.names),
            "county_en": [each.counties_en[at] for at in county],
            "township_en": list(each.names_en),
        }
    )
    parquet.write(folder / "townships.parquet", table.to_batches())


class _Writing:
    """One run: workers that write parts, and the parent that lists them."""

    def __init__(
        self, folder: Path, state: State, wanted: dict[int, int], progress: Callable[[Progress], None]
    ) -> None:
        self.folder, self.state, self.wanted, self.progress = folder, state, wanted, progress
        self.people = self.villages = 0
        self.began = time.monotonic()

    def run(self, parts: list[int], jobs: int) -> None:
        """Share the parts among `jobs` processes and wait for them; stop them when told to."""
        context = mp.get_context("spawn")
        stop = context.Event()
        workers, ends = [], []
        for job in range(jobs):
            ours, theirs = context.Pipe(duplex=False)
            tasks = [(part, self.wanted[part]) for part in parts[job::jobs]]
            about = (self.folder, self.state.seed, self.state.on)
            worker = context.Process(target=_work, args=(about, tasks, theirs, stop), daemon=True)
            _start_deaf(worker)
            theirs.close()
            workers.append(worker)
            ends.append(ours)
        try:
            self._listen(ends, sum(self.wanted[part] for part in parts))
        except BaseException:
            stop.set()
            raise
        finally:
            for worker in workers:
                worker.join()

    def _listen(self, ends: list[Connection], of_villages: int) -> None:
        open_ = list(ends)
        while open_:
            for end in [end for end in open_ if end in wait(open_)]:
                try:
                    said = end.recv()
                except EOFError:
                    open_.remove(end)
                else:
                    self._hear(said, of_villages)
        left = [part for part, count in self.wanted.items() if self.state.parts.get(part, {}).get("villages") != count]
        if left:
            raise problems.part_failed(left[0], "a worker process ended before its time")

    def _hear(self, said: tuple[Any, ...], of_villages: int) -> None:
        if said[0] == "village":
            self.people += said[1]
            self.villages += 1
            self.progress(Progress(self.people, self.villages, of_villages, time.monotonic() - self.began))
        elif said[0] == "part":
            self.state.parts[said[1]] = said[2]
            _save(self.folder, self.state)
        elif said[0] == "disk":
            raise problems.cannot_write(self.folder, OSError(said[1], os.strerror(said[1])))
        else:
            raise problems.part_failed(said[1], said[2])


def _start_deaf(worker: Any) -> None:
    """Start a worker to which Ctrl-C means nothing from its first moment: the parent tells it when to stop."""
    if threading.current_thread() is not threading.main_thread():
        worker.start()
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        worker.start()
    finally:
        signal.signal(signal.SIGINT, before)


def _work(about: tuple[Path, str, date], tasks: Iterable[tuple[int, int]], tell: Connection, stop: Any) -> None:
    """A worker: writes its parts one after the other; ends when told to, or when nobody listens any more."""
    part = -1
    try:
        for part, villages in tasks:
            written = _write_part(about, part, villages, tell, stop)
            if written is None:
                return
            tell.send(("part", part, written))
    except BrokenPipeError:
        return
    except OSError as error:
        _tell_last(tell, ("disk", error.errno or errno.EIO))
    except Exception:  # whatever it is, the parent must say it
        _tell_last(tell, ("failed", part, traceback.format_exc()))


def _tell_last(tell: Connection, said: tuple[Any, ...]) -> None:
    """Say why a worker ends; a parent that was killed hears nothing, and its successor may have cleared our files."""
    with suppress(BrokenPipeError):
        tell.send(said)


def _write_part(
    about: tuple[Path, str, date], part: int, villages: int, tell: Connection, stop: Any
) -> dict[str, int] | None:
    folder, seed, on = about
    frames: list[Any] = []
    tables: dict[str, list[Any]] = {}
    people = 0
    for number in range(part * PART, part * PART + villages):
        if stop.is_set():
            return None
        village = make_village(seed.encode(), number, on=on)
        frames.append(parquet.frame_batch(make_frame(village)))
        for agency, name, table in served.all_tables(village):
            tables.setdefault(f"registers/{agency}/{name}", []).append(parquet.table_batch(table))
        people += village.living
        tell.send(("village", village.living))
    building = folder / _BUILDING / f"{part:04d}.{os.getpid()}"
    building.mkdir(parents=True)
    size, name = 0, f"part-{part:04d}.parquet"
    for path, batches in (("frame", frames), *tables.items()):
        size += parquet.write(building / path / name, batches)
    for path in ("frame", *tables):
        (folder / path).mkdir(parents=True, exist_ok=True)
        (building / path / name).replace(folder / path / name)
        parquet.sync(folder / path)
    shutil.rmtree(building)
    return {"villages": villages, "people": people, "bytes": size}
