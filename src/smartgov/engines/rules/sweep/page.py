"""The pages of a comparison: one file a language, standing alone; one hue, labelled bars, a table behind each chart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path

from smartgov.engines.rules.sweep.whatif import Comparison, Group
from smartgov.engines.rules.wording import show
from smartgov.shared.money import format_ntd
from smartgov.shared.text import Text
from smartgov.shared.tw.roc import roc_date

_STYLE = (Path(__file__).parent / "page.css").read_text(encoding="utf-8")

_WORDS = {
    "what_if": Text("What if", "政策試算"),
    "synthetic": Text(
        "Worked out on a synthetic country of {people} people, none of them real. Figures compare, not forecast.",
        "依合成國家 {people} 人試算，其中沒有任何真實人物；數字用以比較，並非預測。",
    ),
    "as_of": Text("As of {day}.", "以{day}為準。"),
    "parameter": Text("Parameter", "參數"),
    "now": Text("Now", "現行"),
    "then": Text("Instead", "改為"),
    "unverified": Text(
        "At least one value in use has not been checked against its official source.",
        "所用數值中有未經官方來源查證者。",
    ),
    "not_checked": Text("not verified", "未經查證"),
    "cost": Text("Change of cost", "經費增減"),
    "before": Text("Cost now", "現行經費"),
    "after": Text("Cost instead", "改後經費"),
    "entitled": Text("Entitled, now → instead", "符合人數（現行→改後）"),
    "winners": Text("Get more", "增加者"),
    "losers": Text("Get less", "減少者"),
    "table": Text("The figures as a table", "以表格呈現"),
    "other": Text("中文", "English"),
    "none": Text("Nothing changes for anybody.", "沒有人受影響。"),
    "group": Text("Group", "分組"),
    "townships": Text("By township", "依鄉鎮市區"),
}
_BY = {
    "age": Text("By age", "依年齡"),
    "county": Text("By county", "依縣市"),
    "decile": Text(
        "By income of the household a head (tenths of the people, 1 the lowest)", "依家戶每人所得十等分（1為最低）"
    ),
}
_EACH = {
    "ntd_per_month": Text(" a month", "／月"),
    "ntd_per_year": Text(" a year", "／年"),
    "ntd": Text(" once", "（一次）"),
}


def page(comparison: Comparison, language: str, other: str) -> str:
    """The page in `language` (`en` or `zh-Hant`); `other` is the address of the same page in the other language."""

    def say(text: Text) -> str:
        return escape(text.in_language(language))

    title = say(comparison.change.title)
    day = comparison.on.isoformat() if language == "en" else roc_date(comparison.on)
    body = [
        f'<p class="soft">{say(_WORDS["what_if"])} · <a href="{escape(other)}">{say(_WORDS["other"])}</a></p>',
        f"<h1>{title}</h1>",
        f"<p>{say(_WORDS['synthetic'].format(people=f'{comparison.people:,}'))}",
        f" {say(_WORDS['as_of'].format(day=day))}</p>",
        _parameters(comparison, say),
        *(_rule(comparison, rule, say) for rule in comparison.titles),
    ]
    view = '<meta name="viewport" content="width=device-width, initial-scale=1">'
    head = f'<meta charset="utf-8">{view}<title>{title}</title>'
    return (
        f'<!doctype html>\n<html lang="{language}"><head>{head}<style>{_STYLE}</style></head>'
        f"<body><main>{''.join(body)}</main></body></html>\n"
    )


Say = Callable[[Text], str]


def _parameters(comparison: Comparison, say: Say) -> str:
    rows, checked = [], True
    for title, unit, was, now, verified in comparison.was.values():
        mark = "" if verified else f" <small>({say(_WORDS['not_checked'])})</small>"
        checked = checked and verified
        rows.append([say(title), say(show(was, unit)) + mark, say(show(now, unit))])
    heads = [say(_WORDS[name]) for name in ("parameter", "now", "then")]
    notice = "" if checked else f'<p class="notice">{say(_WORDS["unverified"])}</p>'
    return _table(heads, rows) + notice


def _rule(comparison: Comparison, rule: str, say: Say) -> str:
    found = comparison.of(rule, "all")
    parts = [f"<h2>{say(comparison.titles[rule])}</h2>"]
    if not found or not (found[0].winners or found[0].losers):
        return "".join([*parts, f"<p>{say(_WORDS['none'])}</p>"])
    each = _EACH.get(comparison.units[rule], Text("", ""))
    total = found[0]
    facts = (
        ("cost", say(_signed(total.cost_after - total.cost_before, each))),
        ("before", say(_money(total.cost_before, each))),
        ("after", say(_money(total.cost_after, each))),
        ("entitled", f"{total.before:,} → {total.after:,}"),
        ("winners", f"{total.winners:,}"),
        ("losers", f"{total.losers:,}"),
    )
    items = "".join(f"<li>{say(_WORDS[name])}<b>{value}</b></li>" for name, value in facts)
    parts.append(f'<ul class="facts">{items}</ul>')
    for by, title in _BY.items():
        groups = comparison.of(rule, by)
        parts.append(f"<h3>{say(title)}</h3>{_bars(groups, each, say)}{_behind(groups, say)}")
    townships = [group for group in comparison.of(rule, "township") if group.winners or group.losers]
    parts.append(f"<h3>{say(_WORDS['townships'])}</h3>{_behind(townships, say)}")
    return "".join(parts)


def _bars(groups: Sequence[Group], each: Text, say: Say) -> str:
    """The change of cost of each group: a filled bar to the right for more, an outlined one to the left for less."""
    changes = [group.cost_after - group.cost_before for group in groups]
    low, high = min(0, *changes), max(0, *changes)
    span = max(high - low, 1)
    zero = -low * 1000 // span
    rows = []
    for group, change in zip(groups, changes, strict=True):
        width = abs(change) * 1000 // span
        start, kind = (zero, "more") if change >= 0 else (zero - width, "less")
        bar = (
            f'<svg class="bar" viewBox="0 0 1000 20" preserveAspectRatio="none" aria-hidden="true">'
            f'<rect class="{kind}" x="{start}" y="2" width="{width}" height="16"/>'
            f'<line x1="{zero}" y1="0" x2="{zero}" y2="20"/></svg>'
        )
        rows.append(f"<dt>{say(group.label)}</dt>{bar}<dd>{say(_signed(change, each))}</dd>")
    return f'<dl class="bars">{"".join(rows)}</dl>'


def _behind(groups: Sequence[Group], say: Say) -> str:
    heads = [say(_WORDS[name]) for name in ("group", "before", "after", "winners", "losers")]
    rows = [
        [say(g.label), format_ntd(g.cost_before), format_ntd(g.cost_after), f"{g.winners:,}", f"{g.losers:,}"]
        for g in groups
    ]
    return f"<details><summary>{say(_WORDS['table'])}</summary>{_table(heads, rows)}</details>"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col">{cell}</th>' for cell in heads)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="scroll" tabindex="0"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _money(amount: int, each: Text) -> Text:
    return Text(f"{format_ntd(amount)}{each.en}", f"{format_ntd(amount)}{each.zh}")


def _signed(amount: int, each: Text) -> Text:
    shown = _money(abs(amount), each)
    sign = "+" if amount > 0 else "−" if amount < 0 else ""
    return Text(sign + shown.en, sign + shown.zh)
