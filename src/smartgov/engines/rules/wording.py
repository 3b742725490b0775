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


def because(tree: Trace, terms: Mapping[str, Term]) -> Text:
    """The evaluated tree in one sentence: each comparison with its two sides and whether it holds."""
    if tree.op in ("and", "or"):
        return _joined(tree, terms)
    if tree.op in _COMPARISONS:
        return _comparison(tree, terms)
    return _operand(tree, terms)


def _number(value: int, kind: str) -> Text:
    if kind in ("money", "ntd"):
        return Text.of(format_ntd(value) if value >= 0 else f"-{format_ntd(-value)}")
    if kind == "ntd_per_month":
        return Text(f"{format_ntd(value)} a month", f"每月{format_ntd(value)}")
    if kind in _COUNTED:
        one, many, zh = _COUNTED[kind]
        return Text(f"{value:,} {one if value == 1 else many}", f"{value:,}{zh}")
    return Text.of(f"{value:,}")


_COUNTED = {
    "days": ("day", "days", "日"),
    "weeks": ("week", "weeks", "週"),
    "months": ("month", "months", "個月"),
    "years": ("year", "years", "歲"),
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
    "==": Text("is", "等於"),
    "!=": Text("is not", "不等於"),
    "<": Text("is less than", "小於"),
    "<=": Text("is at most", "不超過"),
    ">": Text("is more than", "大於"),
    ">=": Text("is at least", "至少為"),
    "in": Text("is one of", "屬於"),
}
_FUNCTIONS = {
    "days_between": Text("days from {a} to {b}", "{a}至{b}之日數"),
    "months_between": Text("months from {a} to {b}", "{a}至{b}之月數"),
    "age": Text("age of a person born on {a} on {b}", "{a}出生者於{b}之足歲"),
    "add_days": Text("{a} and {b} days", "{a}起算{b}日"),
    "add_months": Text("{a} and {b} months", "{a}起算{b}個月"),
    "+": Text("{a} + {b}", "{a} + {b}"),
    "-": Text("{a} − {b}", "{a} − {b}"),
    "*": Text("{a} × {b}", "{a} × {b}"),
    "/": Text("{a} ÷ {b}", "{a} ÷ {b}"),
    "round": Text("{a}, rounded", "{a}四捨五入"),
    "month": Text("the month of {a}", "{a}所屬月份"),
    "!": Text("not ({a})", "非（{a}）"),
}


def _verdict(value: Any) -> Text:
    if isinstance(value, Unknown):
        return UNKNOWN
    return Text("yes", "成立") if value else Text("no", "不成立")


def _joined(tree: Trace, terms: Mapping[str, Term]) -> Text:
    parts = [because(child, terms) for child in tree.children]
    word = Text("; and ", "；且") if tree.op == "and" else Text("; or ", "；或")
    return Text(word.en.join(part.en for part in parts), word.zh.join(part.zh for part in parts))


def _comparison(tree: Trace, terms: Mapping[str, Term]) -> Text:
    kind = _kind(tree, terms)
    left, right = (_operand(child, terms, kind) for child in tree.children)
    word, verdict = _COMPARISONS[tree.op], _verdict(tree.value)
    return Text(f"{left.en} {word.en} {right.en}: {verdict.en}", f"{left.zh}{word.zh}{right.zh}：{verdict.zh}")


def _kind(tree: Trace, terms: Mapping[str, Term]) -> Term | None:
    """The term whose kind and labels the plain values beside it share."""
    for child in tree.children:
        term = terms.get(child.path or "")
        if term is not None:
            return term
    return None


def _operand(tree: Trace, terms: Mapping[str, Term], beside: Term | None = None) -> Text:
    if tree.op == "var":
        return _named(tree, terms)
    if tree.op == "if" and tree.children:
        return _operand(tree.children[-1], terms, beside)
    if tree.op in _COMPARISONS or tree.op in ("and", "or"):
        return because(tree, terms)
    if tree.op in _FUNCTIONS:
        return _function(tree, terms)
    return show(tree.value, beside.kind if beside else "", beside.labels if beside else None)


def _named(tree: Trace, terms: Mapping[str, Term]) -> Text:
    term = terms.get(tree.path or "")
    if term is None:
        return show(tree.value)
    shown = show(tree.value, term.kind, term.labels)
    return Text(f"{term.title.en} ({shown.en})", f"{term.title.zh}（{shown.zh}）")


def _function(tree: Trace, terms: Mapping[str, Term]) -> Text:
    sides: list[Text] = [_operand(child, terms) for child in tree.children]
    joined = _chain(sides, tree.op) if len(sides) > 2 else None
    template = _FUNCTIONS[tree.op]
    text = joined or template.format(a=sides[0], b=sides[1] if len(sides) > 1 else Text("", ""))
    if tree.op == "!":
        return text
    value = show(tree.value)
    return Text(f"{text.en} = {value.en}", f"{text.zh} = {value.zh}")


def _chain(sides: list[Text], op: str) -> Text:
    sign = f" {op} "
    return Text(sign.join(side.en for side in sides), sign.join(side.zh for side in sides))
