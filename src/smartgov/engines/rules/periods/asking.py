"""`ask`: how a formula asks for another value, of the same month or another, over months, of members or the household.

    {ask: insured_salary}                                              the same month
    {ask: insured_salary, months_back: 1}                              the month before
    {ask: income, years_back: 1}                                       the year before
    {ask: insured_salary, over: 6 months, take: average}               this month and the five before it
    {ask: childcare_allowance, over: year, take: sum}                  the months of the year
    {ask: insured, over: year to date, take: count}                    January to this month
    {ask: insured, over: 36 months, take: spell}                       months in a row to this one
    {ask: income, of: members, take: sum, role: child, where: {...}}   a household of its members
    {ask: living_cost, of: household}                                  a person of the household

`take` is sum, average, min, max (of numbers), count, any, all (of yes or no) or spell. What `where` asks is asked in
each month of the window, or of each member.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from smartgov.engines.expr.values import invalid

LONGEST = 600
"""Months of a window, or back."""
TAKES = frozenset({"sum", "average", "min", "max", "count", "any", "all", "spell"})
_KNOWN = frozenset({"ask", "months_back", "years_back", "over", "take", "of", "role", "where"})
_MONTHS = re.compile(r"(\d{1,3}) months?")


@dataclass(frozen=True, slots=True)
class Ask:
    """One question. `over` is None, `year`, `year to date` or a number of months that end with the period asked in.

    `inside` is the entity, and `in_month` whether the period is a month, where it stands in another ask's `where`.
    """

    name: str
    back: int = 0
    back_unit: str = "month"
    over: int | str | None = None
    take: str | None = None
    of: str | None = None
    role: str | None = None
    where: Any = None
    inside: str | None = None
    in_month: bool = False


def is_ask(node: Any) -> bool:
    """Whether a node is a question and not an operation."""
    return isinstance(node, Mapping) and "ask" in node


def read_ask(raw: Mapping[str, Any], inside: str | None = None, in_month: bool = False) -> Ask:
    """The YAML form; Problem `expr-invalid` for one that is not coherent."""
    lost = sorted(set(raw) - _KNOWN)
    if lost or not isinstance(raw["ask"], str):
        raise invalid(f"an ask names one value, and does not know {lost}")
    back = {unit: raw[f"{unit}s_back"] for unit in ("month", "year") if f"{unit}s_back" in raw}
    if len(back) > 1 or any(
        isinstance(n, bool) or not isinstance(n, int) or not 0 < n <= LONGEST for n in back.values()
    ):
        raise invalid(f"{raw['ask']} is asked months_back or years_back by a number up to {LONGEST}")
    unit, count = next(iter(back.items()), ("month", 0))
    over, take, of = _over(raw.get("over")), raw.get("take"), raw.get("of")
    if of not in (None, "members", "household") or (of and over):
        raise invalid(f"{raw['ask']} is asked of members or of the household, or over months; not both at once")
    if bool(over or of == "members") != (take in TAKES) or (take == "spell" and (of or raw.get("where") is not None)):
        raise invalid(f"{raw['ask']} over months, or of members, says what to take: {', '.join(sorted(TAKES))}")
    if ("role" in raw and of != "members") or (raw.get("where") is not None and not take):
        raise invalid(f"{raw['ask']} has role or where, and nothing to choose among")
    return Ask(raw["ask"], count, unit, over, take, of, raw.get("role"), raw.get("where"), inside, in_month)


def _over(written: Any) -> int | str | None:
    if written in (None, "year", "year to date"):
        return written  # type: ignore[no-any-return]
    found = _MONTHS.fullmatch(str(written))
    if found is None or not 1 <= int(found[1]) <= LONGEST:
        raise invalid(f"over is `year`, `year to date` or up to `{LONGEST} months`, not {written!r}")
    return int(found[1])


def asks(node: Any, inside: str | None = None, in_month: bool = False) -> Iterator[Ask]:
    """Every question of an expression, those inside `where` too."""
    if is_ask(node):
        ask = read_ask(node, inside, in_month)
        yield ask
        if ask.where is not None:
            yield from asks(ask.where, "person" if ask.of == "members" else inside, in_month or bool(ask.over))
    elif isinstance(node, Mapping):
        for argument in node.values():
            yield from asks(argument, inside, in_month)
    elif isinstance(node, list | tuple):
        for item in node:
            yield from asks(item, inside, in_month)


def replaced(node: Any, answer: Any) -> Any:
    """The expression with every question replaced by `answer(question)`; `where` is left to the answerer."""
    if is_ask(node):
        return answer(read_ask(node))
    if isinstance(node, Mapping):
        return {op: replaced(argument, answer) for op, argument in node.items()}
    if isinstance(node, list | tuple):
        return [replaced(item, answer) for item in node]
    return node


def with_asks(node: Any) -> Iterator[Any]:
    """The expression itself and every `where` in it, each as an ordinary expression (questions as `ask.<name>`)."""
    yield replaced(node, lambda ask: {"var": f"ask.{ask.name}"})
    for ask in asks(node):
        if ask.where is not None:
            yield replaced(ask.where, lambda inner: {"var": f"ask.{inner.name}"})
