"""The figures of the exchange as one table for the documentation, and how they stand to the aims."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median
from typing import TYPE_CHECKING

from bench.cases import Case

if TYPE_CHECKING:
    from bench.exchange import Figures
    from bench.load import Round

_COLUMNS = (
    "at a time",
    "KiB",
    "who",
    "CPU us",
    "by nginx",
    "by Node",
    "a second",
    "p50 ms",
    "p99 ms",
    "p99 at half",
    "asks: loop + writer us",
    "answers: loop + writer us",
    "kernel",
    "MB",
)
_HALF_MS = 50


def lines(figures: Figures) -> Iterator[str]:
    """A Markdown table, what it says, and one line for each aim."""
    yield f"| {' | '.join(_COLUMNS)} |"
    yield "|" + "---|" * len(_COLUMNS)
    for name, beside in (("nginx, two hops, mTLS", figures.floor), ("Node, signing gateway", figures.peer)):
        for (connections, kib), rounds in beside.items():
            yield _row(connections, kib, name, rounds, [None, None], None, [])
    for case, rounds in figures.troad.items():
        if case.rate:
            continue
        calm = _calm(figures, case)
        ratios = [figures.ratio(case, figures.floor), figures.ratio(case, figures.peer)]
        yield _row(case.connections, case.kib, case.name, rounds, ratios, calm, figures.megabytes.get(case, []))
    yield ""
    asking = [one.asking / one.count * 1e6 for rounds in figures.troad.values() for one in rounds]
    yield f"who asks took {median(asking):.0f} CPU us a question on the same machine; it is in no figure above"
    if not figures.floor:
        yield "nginx: NOT RUN"
    if not figures.peer:
        yield "Node: NOT RUN (SMARTGOV_PEERS has no signatures, or there is no node)"
    yield from _aims(figures)


def _row(
    connections: int,
    kib: int,
    name: str,
    rounds: list[Round],
    ratios: list[float | None],
    calm: list[Round] | None,
    megabytes: list[float],
) -> str:
    micros = sorted(one.micros for one in rounds)
    halves = len(rounds[0].parts) // 2
    cells = [
        str(connections),
        str(kib),
        name,
        f"{median(micros):.0f} ({micros[0]:.0f} to {micros[-1]:.0f})",
        *("" if one is None else f"{one:.2f}" for one in ratios),
        f"{median(one.rate for one in rounds):.0f}",
        *(f"{median(one.millis(share) for one in rounds):.1f}" for share in (0.5, 0.99)),
        f"{median(one.millis(0.99) for one in calm):.1f}" if calm else "",
        _parts(rounds, slice(None, halves)),
        _parts(rounds, slice(halves, None)),
        f"{median(sum(part.kernel for part in one.parts) / max(one.cpu, 1e-9) for one in rounds):.0%}",
        " + ".join(f"{one:.0f}" for one in megabytes),
    ]
    return f"| {' | '.join(cells)} |"


def _calm(figures: Figures, case: Case) -> list[Round] | None:
    """The rounds of this case at half of its rate, if there were some."""
    return next((figures.troad[one] for one in figures.troad if one.rate and one.at(0) == case), None)


def _parts(rounds: list[Round], which: slice) -> str:
    """CPU us an exchange of the thread of connections and of the others, in the processes of one side."""
    first, others = (
        median(sum(getattr(part, name) for part in one.parts[which]) / one.count * 1e6 for one in rounds)
        for name in ("first", "others")
    )
    return f"{first:.0f} + {others:.0f}"


def _aims(figures: Figures) -> Iterator[str]:
    def rate(case: Case) -> float:
        return median(one.rate for one in figures.troad[case])

    for case in figures.troad:
        if case.rate or case.kib > 1 or case.connections != 128 or not case.batch or case.gateways != 2:
            continue
        if case.profile == "signed":
            yield _aim("signed, strict, a second at 128", rate(case), 3000)
            if (over := figures.ratio(case, figures.floor)) is not None:
                yield _aim("its CPU by that of nginx", over, 5, most=True)
            if (beside := figures.ratio(case, figures.peer)) is not None:
                yield _aim("the CPU of Node by its", 1 / beside, 3)
        if case.profile == "full":
            yield _aim("everything on, a second at 128", rate(case), 1500)
        if case.profile in {"signed", "full"} and (calm := _calm(figures, case)) is not None:
            slow = median(one.millis(0.99) for one in calm)
            yield _aim(f"p99 of {case.profile} at half of its rate at 128, ms", slow, _HALF_MS, most=True)


def _aim(what: str, found: float, aim: float, *, most: bool = False) -> str:
    met = found <= aim if most else found >= aim
    return f"- {what}: {found:,.1f}, aim {'at most' if most else 'at least'} {aim:,}: {'met' if met else 'NOT met'}"
