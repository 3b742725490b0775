"""Words for periods, windows of months and members, in both languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from smartgov.engines.expr import Unknown
from smartgov.engines.rules.periods.asking import Ask
from smartgov.engines.rules.periods.plan import Step
from smartgov.engines.rules.periods.span import ONCE, Span
from smartgov.engines.rules.periods.variables import Variable
from smartgov.engines.rules.wording import Term, show
from smartgov.shared.text import Text

_TAKEN = {
    "sum": Text("{title} of {over}, in all", "{over}{title}合計"),
    "average": Text("average {title} of {over}", "{over}{title}平均"),
    "min": Text("lowest {title} of {over}", "{over}{title}最低"),
    "max": Text("highest {title} of {over}", "{over}{title}最高"),
    "count": Text("months of {over} with {title}", "{over}{title}月數"),
    "any": Text("{title} in any month of {over}", "{over}任一月{title}"),
    "all": Text("{title} in every month of {over}", "{over}每月均{title}"),
    "spell": Text("months in a row with {title}, to {last}", "至{last}連續{title}月數"),
}
_OF_MEMBERS = {
    "sum": Text("{title} of the members, in all", "家戶成員{title}合計"),
    "average": Text("average {title} of the members", "家戶成員{title}平均"),
    "min": Text("lowest {title} of a member", "家戶成員{title}最低"),
    "max": Text("highest {title} of a member", "家戶成員{title}最高"),
    "count": Text("members with {title}", "{title}之家戶成員數"),
    "any": Text("any member with {title}", "任一家戶成員{title}"),
    "all": Text("every member with {title}", "家戶成員均{title}"),
}
_PEOPLE = Text("members who count", "計入之家戶成員數")
_SELF = "member"


def title(variable: Variable, span: Span) -> Text:
    """`Insured salary (July 2026)`."""
    if span == ONCE:
        return variable.title
    period = span.text()
    return Text(f"{variable.title.en} ({period.en})", f"{variable.title.zh}（{period.zh}）")


def as_in(variable: Variable, span: Span, since: Span) -> Text:
    """A value that was taken over from an earlier month."""
    here, there = title(variable, span), since.text()
    return Text(f"{here.en}, as in {there.en}", f"{here.zh}，沿用{there.zh}")


def between(first: Span, last: Span) -> Text:
    """`July to November 2026`; one month alone is itself."""
    a, b = first.text(), last.text()
    if first == last:
        return a
    same = first.start.year == last.start.year
    return Text(
        f"{a.en.split(' ')[0] if same else a.en} to {b.en}", f"{a.zh}至{b.zh.partition('年')[2] if same else b.zh}"
    )


def window(ask: Ask | None, variable: Variable, spans: Sequence[Span]) -> Text:
    """What is taken of which months."""
    over = between(spans[0], spans[-1])
    name = Text(_small(variable.title.en), variable.title.zh)
    return _TAKEN[ask.take or "" if ask else ""].format(title=name, over=over, last=spans[-1].text())


def of_members(ask: Ask | None, variable: Variable, span: Span) -> Text:
    """What is taken of the members."""
    if variable.name == _SELF:
        return _PEOPLE
    called = title(variable, span)
    return _OF_MEMBERS[ask.take or "" if ask else ""].format(title=Text(_small(called.en), called.zh))


def runs(spans: Sequence[Span], values: Sequence[Any]) -> list[tuple[int, int]]:
    """First and last position of each run of equal values."""
    found: list[tuple[int, int]] = []
    for at in range(len(spans)):
        known = not isinstance(values[at], Unknown)
        if found and type(values[at]) is type(values[at - 1]) and (not known or values[at] == values[at - 1]):
            found[-1] = (found[-1][0], at)
        else:
            found.append((at, at))
    return found


def months(variable: Variable, spans: Sequence[Span], values: Sequence[Any], found: Sequence[tuple[int, int]]) -> Text:
    """The months in runs: `June to August 2026: NT$30,300 (3 months); September 2026: NT$31,800`."""
    parts = []
    for first, last in found:
        over, shown = between(spans[first], spans[last]), show(values[first], variable.kind, variable.labels)
        count = last - first + 1
        each = Text(f" ({count} months)", f"（{count}個月）") if count > 1 else Text("", "")
        parts.append(Text(f"{over.en}: {shown.en}{each.en}", f"{over.zh}：{shown.zh}{each.zh}"))
    return Text("; ".join(part.en for part in parts), "；".join(part.zh for part in parts))


_NOTES: Mapping[bool | None, Text] = {
    True: Text("", ""),
    False: Text(" (does not count)", "（不計入）"),
    None: Text(" (not known whether counted)", "（是否計入尚未得知）"),
}


def members(found: Sequence[tuple[str, Any, Text]]) -> Text:
    """Each member with the value, those who do not count too."""
    parts = []
    for who, hold, shown in found:
        note = _NOTES[hold if isinstance(hold, bool) else None]
        parts.append(Text(f"{who}: {shown.en}{note.en}", f"{who}：{shown.zh}{note.zh}"))
    return Text("; ".join(part.en for part in parts), "；".join(part.zh for part in parts))


def kind(step: Step) -> str:
    """How a step's value is shown: a count of months or people is not money."""
    take = step.ask.take if step.ask and step.kind in ("months", "members") else None
    if take in ("count", "spell"):
        return "months" if step.kind == "months" else "people"
    return step.variable.kind


def period_terms(span: Span) -> Mapping[str, Term]:
    """The period's first and last day as names of a sentence."""
    if span == ONCE:
        return {}
    unit = Text("the month", "當月") if span.unit == "month" else Text("the year", "當年")
    first = Text(f"first day of {unit.en}", f"{unit.zh}首日")
    last = Text(f"last day of {unit.en}", f"{unit.zh}末日")
    return {"period.start": Term(first, "date"), "period.end": Term(last, "date")}


def _small(title: str) -> str:
    return title[:1].lower() + title[1:]
