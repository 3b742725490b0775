"""What the pages of a draft show: fields with values and errors, facts, both sides of a conflict, all answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from smartgov.blocks.services import catalogue, consenting, domain, paging
from smartgov.blocks.services.api import Application
from smartgov.blocks.services.web import fields
from smartgov.engines import forms
from smartgov.shared.actor import Actor
from smartgov.shared.text import Text

_REASONS: Mapping[str, Text] = {
    "order": Text(
        "That page comes later. This is the first question without an answer; what you typed before is kept.",
        "那一頁要稍後才填。這是第一個還沒回答的問題，先前填的內容都已保存。",
    ),
    "changed": Text(
        "Answers were changed in another window. Please look them over before you hand in.",
        "答案已在另一個視窗更改，請再確認一次後送出。",
    ),
    "unanswered": Text("This question needs an answer before you can hand in.", "送出前請先回答這個問題。"),
}
_CONSENTS = Text("Consents", "同意查詢")
_ALLOWED = Text("{allowed} of {asked} allowed", "{asked} 項中同意 {allowed} 項")
_COLUMNS = (
    Text("Question", "問題"),
    Text("Saved in the other window", "另一視窗已儲存"),
    Text("Just typed here", "剛才在此填寫"),
)


def posted(request: HttpRequest) -> dict[str, Any]:
    """What was posted, without our own fields; several values of one name stay a list."""
    ours = {"csrfmiddlewaretoken", "version", "overwrite"}
    return {name: values if len(values) > 1 else values[0] for name, values in request.POST.lists() if name not in ours}


def page(
    request: HttpRequest, who: Actor, row: Application, name: str, *, errors: Mapping[str, Text] | None = None
) -> dict[str, Any]:
    """The context of one question: with errors the typed values come back, else what is saved or known already."""
    form = catalogue.form(row.service)
    spec = form.page(name)
    typed = posted(request) if request.method == "POST" else None
    shown = fields.of_page(spec, row, typed=typed, errors=errors or {})
    return {
        "application": row,
        "page": spec,
        "fields": shown,
        "errors": errors or {},
        "heading_in_field": len(shown) == 1 and shown[0]["heading"],
        "version": row.version,
        "reason": _REASONS.get(request.GET.get("why", "")),
        **progress(paging.stations(who, row), name, row),
    }


def progress(way: list[paging.Station], name: str, row: Application | None = None) -> dict[str, Any]:
    """Which question of how many this is, and the one before."""
    names = [station.name for station in way]
    place = names.index(name) if name in names else 0
    back = way[place - 1].url(row.id) if place and row is not None else ""
    return {"number": place + 1, "total": len(way), "back_url": back}


def conflict(row: Application, name: str, found: domain.Conflict, typed: Mapping[str, Any]) -> dict[str, Any]:
    """Both values of each field that differs, and what the form must send again if she prefers hers."""
    form = catalogue.form(row.service)
    spec = form.page(name)
    rows = [
        [field.label, _in_words(form, found.stored, field.id), _in_words(form, found.typed, field.id)]
        for field in spec.fields
        if found.stored.get(field.id) != found.typed.get(field.id)
    ]
    again = [(key, item) for key, value in typed.items() for item in (value if isinstance(value, list) else [value])]
    return {
        "columns": _COLUMNS,
        "rows": rows,
        "typed": again,
        "keep_url": reverse("services:page", args=[row.id, name]),
    }


def _in_words(form: forms.Form, answers: Mapping[str, Any], field: str) -> Text | str:
    """One answer in words, or a dash."""
    return next((row.value for row in form.summary(answers) if row.field == field), "—")


def check(who: Actor, row: Application) -> dict[str, Any]:
    """All answers page by page with links to change them, who gets what, and the proofs that were not needed."""
    form = catalogue.form(row.service)
    pages = {spec.id for spec in form.visible_pages(row.answers) if paging.kind_of(spec) == "page"}
    answers: list[tuple[Text, Any, str]] = [
        (item.label, item.value, f"{reverse('services:page', args=[row.id, item.page])}?from=check")
        for item in form.summary(row.answers)
        if item.page in pages
    ]
    asked, allowed = consenting.count(who, row)
    if asked:
        answers.append(
            (_CONSENTS, _ALLOWED.format(allowed=allowed, asked=asked), reverse("services:consent", args=[row.id]))
        )
    parts = catalogue.chosen_parts(catalogue.service(row.service), row.answers)
    return {
        "answers": answers,
        "agencies": [{"agency": catalogue.agency_name(part.agency), "part": part.title} for part in parts],
        "saved_proofs": saved_proofs(row),
    }


def saved_proofs(row: Application) -> list[Text]:
    """The papers that this application makes needless, each once."""
    seen: dict[str, Text] = {}
    for part in catalogue.chosen_parts(catalogue.service(row.service), row.answers):
        seen |= {paper.en: paper for paper in part.proofs_replaced}
    return list(seen.values())
