"""`smartgov deid`: run a policy on a table, and check a release; `gate` answers what stands before its publication."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from smartgov.engines.deid import gate


def main(arguments: Sequence[str] | None = None) -> int:
    """`smartgov deid ARGUMENTS`; the exit status."""
    parser = argparse.ArgumentParser(
        prog="smartgov deid", description="De-identify tables, and check what was released."
    )
    add_verbs(parser.add_subparsers(metavar="verb", required=True))
    options = parser.parse_args(arguments)
    return int(options.run(options))


def add_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The words after `smartgov deid`."""
    run = verbs.add_parser("run", help="de-identify a table by a policy")
    run.add_argument("policy", type=Path, help="the policy, YAML")
    run.add_argument("data", type=Path, help="Parquet (a file or a folder of parts), or CSV in UTF-8")
    run.add_argument("--out", type=Path, required=True, help="folder of the release; must not hold another")
    run.add_argument("--resume", action="store_true", help="go on where an earlier run into this folder stopped")
    run.add_argument("--keys", type=Path, help="the project's key file, for pseudonyms and date shifts of the policy")
    run.set_defaults(run=_run)
    check = verbs.add_parser("check", help="measure a release again: every model of its policy, from its rows")
    check.add_argument("release", type=Path, help="folder of the release")
    check.add_argument("--beside", type=Path, help="folder of the policy, where its hierarchies lie")
    check.set_defaults(run=_check)
    from smartgov.engines.deid import verbs as values_and_tables

    values_and_tables.add_verbs(verbs)
    gate.add_verbs(verbs)


def _run(options: argparse.Namespace) -> int:
    from smartgov.engines.deid import keyring, release
    from smartgov.engines.deid.policy import Policy

    policy = Policy.read(options.policy)
    keys = None
    if options.keys:
        keyring.refuse_beside(options.keys, options.out)
        keys = keyring.load(options.keys, policy.project)
    state = options.out / release.STATE
    _ready(options.out, state, options.resume)
    with _stopping() as stopped:
        made = release.anonymise(options.data, policy, progress=Console(), cancel=stopped.asked, state=state, keys=keys)
    made.save(options.out)
    state.unlink(missing_ok=True)
    _print(made)
    return 0


def _ready(out: Path, state: Path, resume: bool) -> None:
    """A folder for this run alone."""
    from smartgov.engines.deid import release
    from smartgov.shared.problems import Problem
    from smartgov.shared.text import Text

    if (out / release.RECORD).exists():
        raise Problem(
            "deid-release-exists",
            409,
            what=Text(f"{out.name} already holds a release.", f"{out.name} 內已有釋出資料。"),
            why=Text("A release is never written over: others may rest on it.", "為免影響引用者，釋出資料不得覆寫。"),
            todo=Text("Choose another folder.", "請指定其他資料夾。"),
        )
    out.mkdir(parents=True, exist_ok=True)
    if not resume:
        state.unlink(missing_ok=True)


class Stop:
    """Whether somebody pressed Ctrl-C."""

    def __init__(self) -> None:
        self.pressed = False

    def asked(self) -> bool:
        """For `anonymise`."""
        return self.pressed

    def press(self, number: int, frame: FrameType | None) -> None:
        """The first press asks, the second interrupts."""
        if self.pressed:
            raise KeyboardInterrupt
        self.pressed = True
        print("stopping ... (once more to stop at once)", file=sys.stderr)


@contextmanager
def _stopping() -> Iterator[Stop]:
    stop = Stop()
    before = signal.signal(signal.SIGINT, stop.press)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


class Console:
    """One line that says where the run stands, not more often than twice a second."""

    def __init__(self) -> None:
        self._last, self._step = 0.0, ""

    def __call__(self, report: object) -> None:
        """Say it."""
        from smartgov.engines.deid.release import Report

        if not isinstance(report, Report) or (report.step == self._step and time.monotonic() - self._last < 0.5):
            return
        self._last, self._step = time.monotonic(), report.step
        words = f"{report.step} {report.rows:,} rows"
        if report.outcome is not None:
            found = report.outcome
            best = f"{found.cost:.6g}, gap {found.gap:.1%}" if found.node is not None else "none yet"
            words = f"search: {found.looked_at:,} of {found.nodes:,} nodes, best {best}, {found.seconds:.0f} s"
        print(words, file=sys.stderr, flush=True)


def _print(made: object) -> None:
    from smartgov.engines.deid.release import Release

    if not isinstance(made, Release):
        return
    for name, level in made.levels.items():
        print(f"{name}\tlevel {level}")
    print(f"rows\t{made.rows}\nsuppressed\t{made.suppressed}\nclasses\t{made.classes}\nsmallest class\t{made.smallest}")
    print(f"{made.policy.metric}\t{made.score:.12g}\nbound\t{made.bound:.12g}\ngap\t{made.gap:.4%}")
    for figure in made.measured:
        print(f"{figure['model']}\tmeasured {figure['measured']:.6g}")


def _check(options: argparse.Namespace) -> int:
    from smartgov.engines.deid.checking import check
    from smartgov.engines.deid.release import Release

    found = check(Release.load(options.release, beside=options.beside))
    for figure in found:
        print(f"{'holds' if figure.holds else 'FAILS'}\t{figure.words}\tmeasured {figure.measured:.6g}")
    return 0 if all(figure.holds for figure in found) else 1
