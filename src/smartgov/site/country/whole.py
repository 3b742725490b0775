"""The verb that writes a whole country: progress on the screen, a way to go on, and the report of its margins."""

from __future__ import annotations

import shlex
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from smartgov.shared import clock
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

if TYPE_CHECKING:
    from smartgov.engines.population.country import Progress, State
    from smartgov.engines.population.report import Line

HALF_A_COMMAND = Problem(
    "population-options",
    422,
    what=Text("--villages and --out belong together.", "--villages 與 --out 必須一併指定。"),
    why=Text("A country needs a size and a folder.", "建立國家需要大小與資料夾。"),
    todo=Text(
        "Example: smartgov population --villages 20 --out var/country",
        "例：smartgov population --villages 20 --out var/country",
    ),
)


def write(folder: Path, villages: int, seed: str, on: date | None, jobs: int) -> int:
    """Write or go on writing; the exit status. Without `on` a country that is there keeps its day."""
    try:
        from smartgov.engines.population import country, report
    except ModuleNotFoundError as error:
        from smartgov.engines.population import problems

        raise problems.missing_libraries(error.name or str(error)) from error
    there = country.read_state(folder)
    day = on or (there.on if there else clock.today())
    try:
        state = country.write_country(folder, villages=villages, seed=seed, on=day, jobs=jobs, progress=_show)
    except KeyboardInterrupt:
        print(file=sys.stderr)  # noqa: T201 - the end of the progress line
        _say(f"已停止；再次執行下列指令即可接續：  Stopped. To go on:\n  {_again(folder, villages, seed, day, jobs)}")
        return 130
    _finish(state)
    lines = report.write(folder, day.isoformat())
    _print_report(lines)
    _say(f"{folder / 'report.md'}")
    return 0


def _show(progress: Progress) -> None:
    left = int(progress.seconds_left)
    sys.stderr.write(
        f"\r{progress.villages:,}/{progress.of_villages:,} villages 村落  "
        f"{progress.people_per_second:,.0f} people/s 人/秒  {left // 60}:{left % 60:02d} left 剩餘   "
    )
    sys.stderr.flush()


def _finish(state: State) -> None:
    sys.stderr.write("\n")
    people, size = (sum(part[name] for part in state.parts.values()) for name in ("people", "bytes"))
    print(f"{people:,} people 人, {size / 1e6:,.0f} MB, {state.on}")  # noqa: T201 - this is the verb's output


def _print_report(lines: list[Line]) -> None:
    """The cells one under the other; those outside their limit are marked."""
    for line in lines:
        mark = "" if line.within else "  <- outside 超出容許值"
        print(  # noqa: T201 - this is the verb's output
            f"{line.margin:<18}{line.cell:<20}{line.target:>12,.4g}{line.measured:>12,.4g}{line.deviation:>+9.1%}{mark}"
        )
    outside = sum(not line.within for line in lines)
    print(f"{len(lines)} cells 項, {outside} outside 超出")  # noqa: T201 - this is the verb's output


def _again(folder: Path, villages: int, seed: str, on: date, jobs: int) -> str:
    words = {"--villages": villages, "--out": folder, "--seed": seed, "--on": on, "--jobs": jobs}
    return shlex.join(["smartgov", "population", *(str(word) for pair in words.items() for word in pair)])


def _say(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201 - this is the verb's output
