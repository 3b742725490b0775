"""`{% load theme %}`: the components and filters of every page. docs/manuals/developer/theme.md shows each in use.

A text may everywhere be a string, a `Text` or `{en, zh}`. Tags write HTML that works without script; what a caller
passes is escaped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django import template
from django.http import QueryDict
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from smartgov.theme import fields, icons, words

register = template.Library()
_block_tag: Callable[[Callable[..., str]], Callable[..., str]] = (
    register.simple_block_tag
)  # the stubs do not know it yet

register.filter("bi", words.bilingual)
register.filter("marked", words.marked)
register.filter("roc_date", words.write_date)
register.filter("taipei_time", words.write_time)
register.filter("taipei_clock", words.write_clock)
register.filter("ntd", words.write_money)
register.filter("shown", words.write_value)
register.simple_tag(words.colon, name="colon")
register.simple_tag(icons.icon, name="icon")
register.simple_tag(icons.leaf, name="leaf")

_TAGS = {"done": "check", "active": "more", "waiting": "clock", "todo": "circle", "bad": "cross", "plain": "dot"}
_NOTICES = {"plain": "info", "good": "check", "heed": "alert", "bad": "cross"}
_FACTS = {
    "verified": ("shield", gettext_noop("From the agency's own record")),
    "missing": ("clock", gettext_noop("Not received yet")),
    "corrected": ("pencil", gettext_noop("Changed by you")),
    "entered": ("person", gettext_noop("Entered by you")),
    "refused": ("cross", gettext_noop("Not proven")),
}


def _show(component: str, /, **context: Any) -> SafeString:
    return SafeString(render_to_string(f"theme/components/{component}.html", context))


@register.simple_tag
def button(
    label: Any, kind: str = "primary", *, href: str = "", name: str = "", value: str = "", icon: str = ""
) -> str:
    """A button that sends the form around it, or with `href` a link that looks like one.

    `kind`: primary (one a page), secondary, danger, quiet.
    """
    return _show("button", label=label, kind=kind, href=href, name=name, value=value, icon=icon)


@register.simple_tag
def field(
    name: str,
    label: Any,
    kind: str = "text",
    *,
    value: Any = None,
    error: Any = None,
    hint: Any = None,
    choices: Any = None,
    required: bool = True,
    heading: bool = False,
    width: str = "",
    rows: int = 4,
    **attributes: Any,
) -> str:
    """A labelled form control; see `theme.fields.KINDS`. With `heading` the label is the page's h1.

    `date` posts `name_y`, `name_m`, `name_d`; `bank_account` posts `name_bank` and `name_account`. Its first control
    has the id `f-name`, to which `error_summary` links. Other keywords become attributes of the control.
    """
    if kind not in fields.KINDS:
        raise ValueError(f"a field is one of {', '.join(sorted(fields.KINDS))}, not {kind}")
    if kind == "yesno":
        value = {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value
        choices = [("yes", _("Yes")), ("no", _("No"))]
    described = " ".join(f"f-{name}-{part}" for part, given in (("hint", hint), ("error", error)) if given)
    return _show(
        "field",
        id=f"f-{name}",
        name=name,
        label=label,
        kind=kind,
        value="" if value is None else value,
        ticked=value in (True, "yes", "on", "1"),
        error=error,
        hint=hint,
        choices=fields.choices_of(choices, value),
        required=required,
        heading=heading,
        group=kind in fields.GROUPS,
        described=described,
        parts=fields.account_parts(value, name) if kind == "bank_account" else fields.date_parts(value, name),
        attributes=fields.input_attributes(kind, attributes),
        width=fields.width_of(kind, width),
        rows=rows,
    )


@register.simple_tag
def error_summary(errors: Any) -> str:
    """What is wrong, at the head of a form: `{field name: text}`, each linked to its field. Nothing when empty.

    A key that is empty or `form` stands for the whole form and is not linked.
    """
    rows = [(name, text) for name, text in (errors or {}).items() if text]
    return _show("error_summary", rows=rows) if rows else SafeString("")


@register.simple_tag
def notice(text: Any, kind: str = "plain", title: Any = "") -> str:
    """Something to know: plain, good (it worked), heed (act soon), bad (it did not work)."""
    return _show("notice", text=text, kind=kind, title=title, icon=_NOTICES[kind])


@_block_tag
def noticebox(content: str, kind: str = "plain", title: Any = "") -> str:
    """As `notice`, around any HTML: `{% noticebox kind="good" title=t %}...{% endnoticebox %}`."""
    return _show("notice", content=content, kind=kind, title=title, icon=_NOTICES[kind])


@register.simple_tag
def status_tag(label: Any, kind: str = "plain") -> str:
    """Where something stands, in a word with a shape: done, active, waiting, todo, bad, plain."""
    return _show("status_tag", label=label, kind=kind, icon=_TAGS[kind])


@register.simple_tag
def fact_card(
    title: Any,
    value: Any = None,
    *,
    source: Any = "",
    at: datetime | str | None = None,
    state: str = "",
    kind: str = "",
    note: Any = "",
) -> str:
    """A fact beside where it comes from and when it was fetched.

    `state`: verified, missing, corrected, entered, refused; without one, verified when there is a value. `kind` date,
    money or time says how to write the value; `note` is one more sentence, such as why it is missing.
    """
    empty = value is None or value == ""
    state = state or ("missing" if empty else "verified")
    icon, mark = _FACTS[state]
    return _show(
        "fact_card",
        title=title,
        value="" if empty else _written(value, kind),
        source=source,
        at=at,
        state=state,
        icon=icon,
        mark=_(mark),
        note=note,
    )


@register.simple_tag
def fact_group(rows: Any, source: Any, ground: Any = "", at: datetime | str | None = None) -> str:
    """Facts of one answer: who gave it, on which ground and when stands once, above `(title, value[, note])` rows."""
    shaped = [dict(zip(("title", "value", "note"), row, strict=False)) for row in rows]
    return _show("fact_group", rows=shaped, source=source, ground=ground, at=at)


def _written(value: Any, kind: str) -> str:
    write = {"date": words.write_date, "money": words.write_money, "time": words.write_time}.get(kind)
    if kind == "yesno" and isinstance(value, str):
        value = {"yes": True, "no": False}.get(value, value)
    return write(value) if write else words.write_value(value)


@register.simple_tag
def consent_card(
    *,
    provider: Any,
    fields: Any,
    purpose: Any,
    requester: Any = "",
    duration: Any = "",
    legal: Any = "",
    legal_url: str = "",
    name: str = "",
    value: str = "yes",
    checked: bool = False,
    note: Any = "",
) -> str:
    """Who gives which fields to whom, for what, how long, under which law; with `name`, a box to tick."""
    return _show(
        "consent_card",
        provider=provider,
        fields=list(fields),
        purpose=purpose,
        requester=requester,
        duration=duration,
        legal=legal,
        legal_url=legal_url,
        name=name,
        value=value,
        checked=checked,
        note=note,
    )


@register.simple_tag
def timeline(items: Any) -> str:
    """What happened and what comes.

    Items have title and state (done, active, waiting, todo, bad), and may have at, agency, due, text, href and link.
    """
    return _show("timeline", items=[_timeline_item(item) for item in items])


def _timeline_item(item: Any) -> dict[str, Any]:
    names = ("title", "at", "agency", "text", "href", "link", "due")
    state = fields.part(item, "state", "") or "done"
    spoken = {
        "done": _("Done"),
        "active": _("In progress"),
        "waiting": _("Waiting"),
        "todo": _("Not started"),
        "bad": _("Needs attention"),
    }
    return {key: fields.part(item, key) for key in names} | {
        "state": state,
        "icon": _TAGS[state],
        "spoken": spoken[state],
    }


@register.simple_tag
def summary_list(rows: Any) -> str:
    """Terms and values: `(label, value[, change_url])`, or what has label, value, change (an address) and note."""
    shaped = [
        dict(zip(("label", "value", "change"), row, strict=False))
        if isinstance(row, list | tuple)
        else {key: fields.part(row, key) for key in ("label", "value", "change", "note")}
        for row in rows
    ]
    return _show("summary_list", rows=shaped)


@register.simple_tag
def progress(current: int, total: int) -> str:
    """How far along a form of many pages one is."""
    pages = [("done" if n < current else "active" if n == current else "todo") for n in range(1, total + 1)]
    return _show("progress", current=current, total=total, pages=pages)


@register.simple_tag
def steps(items: Any, current: int) -> str:
    """A few named steps, of which number `current` (from 1) is at hand."""
    rows = [
        (number, text, "done" if number < current else "active" if number == current else "todo")
        for number, text in enumerate(items, start=1)
    ]
    return _show("steps", rows=rows)


@register.simple_tag
def deadline(day: Any, label: Any = "", big: bool = False, done: bool = False) -> str:
    """A date to keep, with the days left; red and in words when it has passed. `done`: it was kept, count no more."""
    date = words.as_date(day)
    if date is None:
        return SafeString("")
    days = words.days_left(date)
    return _show(
        "deadline",
        day=date,
        label=label,
        days=abs(days),
        left="" if done else words.write_days_left(days),
        unit=words.days_unit(days),
        late=days < 0 and not done,
        soon=0 <= days <= 7 and not done,
        big=big,
    )


@register.simple_tag
def money(amount: int | None, owed: bool = False, big: bool = False) -> str:
    """An amount in whole New Taiwan dollars; `owed` when the reader must pay it."""
    return _show("money", amount=amount, owed=owed, big=big)


@register.simple_tag
def explain(items: Any) -> str:
    """Why a rule decided so: steps with text, holds (True, False, None), value, source, children.

    The rule engine's own steps will do: `because` and `parameters` become children, `shown` is the value in words.
    """
    return _show("explain", rows=[_explained(item) for item in items])


def _explained(item: Any) -> dict[str, Any]:
    holds, source = fields.part(item, "holds"), fields.part(item, "source")
    state, icon, spoken = {
        True: ("holds", "check", _("Fulfilled")),
        False: ("fails", "cross", _("Not fulfilled")),
        None: ("open", "question", _("Not known yet")),
    }[holds]
    if holds is None and (fields.part(item, "value") is not None or fields.part(item, "reckoned")):
        state, icon, spoken = "open", "dot", _("Value used")
    return {
        "text": fields.part(item, "text") or fields.part(item, "title"),
        "value": fields.part(item, "shown", fields.part(item, "value")),
        "state": state,
        "icon": icon,
        "spoken": spoken,
        "law": _law(source),
        "url": fields.part(source, "url", "") if source and not isinstance(source, str) else "",
        "unverified": fields.part(item, "verified") is False,
        "children": [_explained(child) for child in _reasons(item)],
    }


def _reasons(item: Any) -> list[Any]:
    """What a step rests on: its children, or what the engine retells of the tree and the parameters it used."""
    because = fields.part(item, "because")
    reckoned = fields.part(item, "value") is not None  # how a value came about is neither fulfilled nor unknown
    retold = [{"text": because, "holds": fields.part(item, "holds"), "reckoned": reckoned}] if because else []
    return [*retold, *(fields.part(item, "parameters") or ()), *(fields.part(item, "children") or ())]


def _law(source: Any) -> str:
    if not source or isinstance(source, str) or (isinstance(source, Mapping) and set(source) == {"en", "zh"}):
        return words.bilingual(source)
    parts = [words.bilingual(fields.part(source, name)) for name in ("title", "article")]
    return " ".join(text for text in parts if text)


@register.simple_tag
def table(columns: Any, rows: Any, caption: Any = "") -> str:
    """A table that turns into cards on a phone: column titles, and rows of cells whose first is the row's title."""
    titles = list(columns)
    shaped = [list(zip(titles, row, strict=True)) for row in rows]
    return _show("table", columns=titles, rows=shaped, caption=caption)


@register.simple_tag(takes_context=True)
def pagination(context: dict[str, Any], page: Any) -> str:
    """Links to the neighbours of a Django `Page`; keeps the other query parameters. Nothing for a single page."""
    if page.paginator.num_pages < 2:
        return SafeString("")
    query = context["request"].GET.copy() if "request" in context else QueryDict(mutable=True)
    links = {}
    for key, there in (("previous", page.has_previous()), ("next", page.has_next())):
        if there:
            query["page"] = str(page.number + (1 if key == "next" else -1))
            links[key] = f"?{query.urlencode()}"
    return _show("pagination", page=page, links=links)


@register.simple_tag
def empty(title: Any, text: Any = "", href: str = "", label: Any = "", icon: str = "inbox") -> str:
    """What stands where nothing is yet: what will appear here, and how."""
    return _show("empty", title=title, text=text, href=href, label=label, icon=icon)


@register.simple_tag
def saved_papers(papers: Any) -> str:
    """The proofs that the applicant did not have to bring, counted. Nothing when there are none."""
    rows = list(papers)
    return _show("saved_papers", papers=rows, count=len(rows)) if rows else SafeString("")


@register.simple_tag
def figures(items: Any) -> str:
    """Counts at the head of an officer's page: `(label, value[, kind])`, kind `bad` for what is late or failed."""
    rows = [dict(zip(("label", "value", "kind"), item, strict=False)) for item in items]
    return _show("figures", rows=rows)


@register.simple_tag
def copyable(value: Any, label: Any = "") -> str:
    """A code with a button that copies it (the button appears only where script runs)."""
    return _show("copyable", value=value, label=label)
