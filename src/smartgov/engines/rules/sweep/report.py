"""Results of a sweep and of a comparison as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from smartgov.engines.rules.sweep.run import SweepResult
from smartgov.engines.rules.sweep.whatif import Comparison

_HEADS = ("rule", "asked", "entitled", "undecided", "not applied", "NT$", "")
_EACH = {"ntd_per_month": "a month", "ntd_per_year": "a year", "ntd": "once"}


def table(result: SweepResult) -> Iterator[str]:
    """Each rule with its counts; a star marks a rule that uses a value nobody has verified yet."""
    yield f"{result.people:,} people, {result.on}  (* uses a value that is not verified 含未經查證之數值)"
    yield _line(*_HEADS)
    for count in result.rules.values():
        absent = "—" if count.not_applied is None else f"{count.not_applied:,}"
        amount = f"{count.amount:,}" if count.unit else "—"
        name = count.rule + ("" if count.verified else " *")
        figures = (f"{count.asked:,}", f"{count.granted:,}", f"{count.undecided:,}", absent, amount)
        yield _line(name, *figures, _EACH.get(count.unit, ""))
    notes = [f"  {count.rule}: {each.en} {each.zh}" for count in result.rules.values() for each in count.assumes]
    if notes:
        yield "assumed 假設:"
        yield from notes


def changes(found: Comparison) -> Iterator[str]:
    """Each touched rule: cost before and after, who gets more and who less."""
    yield f"{found.change.title.zh}  {found.change.title.en}"
    yield _line("rule", "cost now", "cost instead", "change", "get more", "get less", "")
    for rule in found.titles:
        for group in found.of(rule, "all"):
            change = f"{group.cost_after - group.cost_before:+,}"
            figures = (f"{group.cost_before:,}", f"{group.cost_after:,}", change, f"{group.winners:,}")
            yield _line(rule, *figures, f"{group.losers:,}", _EACH.get(found.units[rule], ""))


def _line(name: str, *cells: str) -> str:
    *figures, last = cells
    return f"{name:<40}" + "".join(f"{cell:>18}" for cell in figures) + f"  {last}"
