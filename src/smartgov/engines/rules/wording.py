"""Words for values and for evaluated trees, in both languages."""

from __future__ import annotations

import re
from calendar import month_name
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any

from smartgov.engines.expr import Trace, Unknown
from smartgov.shared.money import format_ntd
from smartgov.shared.text import Text
from smartgov.shared.tw.roc import OFFSET, roc_date

UNKNOWN = Text("not known yet", "尚未得知")
_MONTHS = tuple(month_name)[1:]
_PLACE = re.compile(r"\{([a-z_]+(?:\.[a-z_0-9]+)?)\}")
_MONTH = re.compile(r"(\d{4})-(\d{2})")


@dataclass(frozen=True, slots=True)
class Term:
    """A name that a text or tree may mention: its title, how its value is shown, and words for certain values."""

    title: Text
    kind: str
    labels: Mapping[str, Text] = field(default_factory=dict)


def show(value: Any, kind: str = "", labels: Mapping[str, Text] | None = None) -> Text:
    """A value in words; `kind` is a fact's kind or a parameter's unit."""
    if value is None or isinstance(value, Unknown):
        return UNKNOWN
    if labels and str(value) in labels:
        return labels[str(value)]
    if isinstance(value, bool):
        return Text("yes", "是") if value else Text("no", "否")
    if isinstance(value, date):
        return Text(f"{value.day} {_MONTHS[value.month - 1]} {value.year}", roc_date(value))
    if isinstance(value, Fraction):
        return Text.of(f"{float(value):,.2f}")
    if isinstance(value, int):
        return _number(value, kind)
    if isinstance(value, list | tuple):
        shown = [show(item, kind, labels) for item in value]
        return Text(", ".join(item.en for item in shown), "、".join(item.zh for item in shown))
    return _text(str(value), kind)


def fill(text: Text, data: Mapping[str, Any], terms: Mapping[str, Term]) -> Text:
    """`text` with every `{fact.x}`, `{param.x}`, `{value.x}` and `{on}` replaced by the value in words."""
    return Text(_fill(text.en, "en", data, terms), _fill(text.zh, "zh-hant", data, terms))


def places(text: Text) -> set[str]:
    """The names that a text wants filled."""
    return set(_PLACE.findall(text.en)) | set(_PLACE.findall(text.zh))


def because(tree: Trace, terms: Mapping[str, Term], kind: str = "") -> Text:
    """The evaluated tree in one sentence: each comparison with its two sides and whether it holds.

    `kind` is how the value of a calculation is shown.
    """
    if tree.op in ("and", "or"):
        return _joined(tree, terms)
    if tree.op in _COMPARISONS or tree.op == "!":
        return _comparison(tree, terms)
    text, value = _operand(tree, terms, nested=False), show(tree.value, kind or _KINDS.get(tree.op, ""))
    if tree.op in ("var", "if", "literal"):
        return text
    return Text(f"{text.en} = {value.en}", f"{text.zh} = {value.zh}")


def _number(value: int, kind: str) -> Text:
    if kind in ("money", "ntd"):
        return Text.of(format_ntd(value) if value >= 0 else f"-{format_ntd(-value)}")
    if kind == "ntd_per_month":
        return Text(f"{format_ntd(value)} a month", f"每月{format_ntd(value)}")
    if kind == "ntd_per_year":
        return Text(f"{format_ntd(value)} a year", f"每年{format_ntd(value)}")
    if kind in _COUNTED:
        one, many, zh = _COUNTED[kind]
        return Text(f"{value:,} {one if value == 1 else many}", f"{value:,}{zh}")
    return Text.of(f"{value:,}")


_COUNTED = {
    "days": ("day", "days", "日"),
    "weeks": ("week", "weeks", "週"),
    "months": ("month", "months", "個月"),
    "years": ("year", "years", "歲"),
    "hours": ("hour", "hours", "小時"),
    "people": ("person", "persons", "人"),
    "percent": ("percent", "percent", "%"),
    "permille": ("per mille", "per mille", "‰"),
    "m2": ("m²", "m²", "平方公尺"),
}


def _text(value: str, kind: str) -> Text:
    found = _MONTH.fullmatch(value) if kind == "month" else None
    if not found:
        return Text.of(value)
    year, month = int(found[1]), int(found[2])
    return Text(f"{_MONTHS[month - 1]} {year}", f"民國{year - OFFSET}年{month}月")


def _fill(sentence: str, language: str, data: Mapping[str, Any], terms: Mapping[str, Term]) -> str:
    def shown(match: re.Match[str]) -> str:
        value: Any = data
        for name in match[1].split("."):
            value = value.get(name) if isinstance(value, Mapping) else None
        term = terms.get(match[1])
        return show(value, term.kind if term else "", term.labels if term else None).in_language(language)

    return _PLACE.sub(shown, sentence)


_COMPARISONS = {
    "==": Text("is", "為"),
    "!=": Text("is not", "不為"),
    "<": Text("is less than", "小於"),
    "<=": Text("is at most", "不超過"),
    ">": Text("is more than", "大於"),
    ">=": Text("is at least", "達到"),
    "in": Text("is one of", "屬於"),
    "not in": Text("is none of", "不屬於"),
}
_DATES = {
    "<": Text("is before", "早於"),
    "<=": Text("is not after", "不晚於"),
    ">": Text("is after", "晚於"),
    ">=": Text("is not before", "不早於"),
}
_FUNCTIONS = {
    "days_between": Text("days from {a} to {b}", "{a}至{b}之日數"),
    "months_between": Text("months from {a} to {b}", "{a}至{b}之月數"),
    "age": Text("age on {b} of who was born on {a}", "{a}出生者於{b}之足歲"),
    "add_days": Text("{a} plus {b}", "{a}加計{b}"),
    "add_months": Text("{a} plus {b}", "{a}加計{b}"),
    "earlier": Text("the earlier of {a} and {b}", "{a}與{b}之較早者"),
    "later": Text("the later of {a} and {b}", "{a}與{b}之較晚者"),
    "round": Text("{a}, rounded", "{a}（四捨五入）"),
    "month": Text("the month of {a}", "{a}所屬月份"),
    "date": Text("{a}", "{a}"),
}
_SIGNS = {"+": " + ", "-": " − ", "*": " × ", "/": " ÷ "}
_KINDS = {"days_between": "days", "months_between": "months", "age": "years", "month": "month"}


def _joined(tree: Trace, terms: Mapping[str, Term]) -> Text:
    parts = [because(child, terms) for child in tree.children]
    word = Text("; and ", "；且") if tree.op == "and" else Text("; or ", "；或")
    return Text(word.en.join(part.en for part in parts), word.zh.join(part.zh for part in parts))


def _comparison(tree: Trace, terms: Mapping[str, Term]) -> Text:
    """`left is at least right: yes`; a fact compared with yes or no is just named with its value."""
    op, pair = tree.op, tree.children
    if op == "!":
        inner = tree.children[0]
        if inner.op != "in":
            text = because(inner, terms)
            return Text(f"not: {text.en}", f"並非：{text.zh}")
        op, pair = "not in", inner.children
    if op in ("==", "!=") and isinstance(pair[1].value, bool):
        return _stated(pair[0], terms)
    beside = _beside(pair, terms)
    left, right = (_operand(child, terms, beside) for child in pair)
    dates = any(isinstance(child.value, date) for child in pair)
    word = _DATES.get(op, _COMPARISONS[op]) if dates else _COMPARISONS[op]
    verdict = show(tree.value) if not isinstance(tree.value, bool) else _verdict(tree.value)
    return Text(f"{left.en} {word.en} {right.en}: {verdict.en}", f"{left.zh}{word.zh}{right.zh}：{verdict.zh}")


def _verdict(holds: bool) -> Text:
    return Text("yes", "成立") if holds else Text("no", "不成立")


def _stated(tree: Trace, terms: Mapping[str, Term]) -> Text:
    title, value = _title(tree, terms), show(tree.value)
    return Text(f"{title.en}: {value.en}", f"{title.zh}：{value.zh}")


def _beside(pair: tuple[Trace, ...], terms: Mapping[str, Term]) -> Term | None:
    """The term whose kind and labels the plain values beside it share."""
    return next((terms[child.path] for child in pair if child.path and child.path in terms), None)


def _operand(tree: Trace, terms: Mapping[str, Term], beside: Term | None = None, *, nested: bool = True) -> Text:
    if tree.op == "var":
        return _named(tree, terms)
    if tree.op == "if" and tree.children:
        return _operand(tree.children[-1], terms, beside)
    if tree.op in _SIGNS:
        return _sum(tree, terms)
    if tree.op in _FUNCTIONS:
        return _function(tree, terms, nested=nested)
    if tree.op in _COMPARISONS or tree.op in ("and", "or", "!"):
        return because(tree, terms)
    return show(tree.value, beside.kind if beside else "", beside.labels if beside else None)


def _title(tree: Trace, terms: Mapping[str, Term]) -> Text:
    term = terms.get(tree.path or "")
    title = term.title if term else Text.of(tree.path or "")
    return Text(title.en[:1].lower() + title.en[1:], title.zh)


def _named(tree: Trace, terms: Mapping[str, Term]) -> Text:
    term = terms.get(tree.path or "")
    if term is None:
        return show(tree.value)
    title, shown = _title(tree, terms), show(tree.value, term.kind, term.labels)
    return Text(f"{title.en} ({shown.en})", f"{title.zh}（{shown.zh}）")


def _function(tree: Trace, terms: Mapping[str, Term], *, nested: bool) -> Text:
    kind = {"add_days": "days", "add_months": "months"}.get(tree.op)
    beside = Term(Text.of(""), kind) if kind else None
    sides = [_operand(child, terms, beside) for child in tree.children]
    text = _FUNCTIONS[tree.op].format(a=sides[0], b=sides[-1])
    if not nested or tree.op == "date":
        return text
    value = show(tree.value, _KINDS.get(tree.op, ""))
    return Text(f"{text.en} ({value.en})", f"{text.zh}（{value.zh}）")


def _sum(tree: Trace, terms: Mapping[str, Term]) -> Text:
    sign = _SIGNS[tree.op]
    sides = [_operand(child, terms) for child in tree.children]
    if tree.op in ("*", "/"):
        loose = [child.op in ("+", "-") for child in tree.children]
        if tree.op == "/":
            loose[1] = tree.children[1].op in _SIGNS
        sides = [Text(f"({s.en})", f"（{s.zh}）") if put else s for s, put in zip(sides, loose, strict=True)]
    return Text(sign.join(side.en for side in sides), sign.join(side.zh for side in sides))
