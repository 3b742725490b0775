"""What the pages of a draft show: fields with values and errors, facts, both sides of a conflict, all answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from smartgov.blocks.services import catalogue, domain, paging
from smartgov.blocks.services.domain import FactView, PartPreview
from smartgov.blocks.services.models import Application
from smartgov.blocks.services.preparing import UNVERIFIED, fact_values
from smartgov.blocks.services.preparing import preview as read_preview
from smartgov.blocks.services.web import fields
from smartgov.engines.forms.services import PREPARE, Part
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
_OUTLOOK: Mapping[str, Text] = {
    "granted": Text("From what is known now: yes", "依目前資料：符合"),
    "refused": Text("From what is known now: no", "依目前資料：不符合"),
    "undecided": Text("Not decidable yet; nothing speaks against it so far", "尚待後續資料，目前沒有不符之處"),
    "open": Text("Not decidable yet", "尚無法判斷"),
}
_COLUMNS = (Text("Question", "問題"), Text("Saved in the other window", "另一視窗已儲存"), Text("Just typed here", "剛才在此填寫"))


def posted(request: HttpRequest) -> dict[str, Any]:
    """What was posted, without our own fields; several values of one name stay a list."""
    ours = {"csrfmiddlewaretoken", "version", "overwrite"}
    return {
        name: values if len(values) > 1 else values[0] for name, values in request.POST.lists() if name not in ours
    }


def page(
    request: HttpRequest, who: Actor, row: Application, name: str, *, errors: Mapping[str, Text] | None = None
) -> dict[str, Any]:
    """The context of one question: with errors the typed values come back, else what is saved or known already."""
    form = catalogue.form(row.service)
    spec = form.page(name)
    typed = posted(request) if request.method == "POST" else None
    shown = fields.of_page(spec, answers=row.answers, typed=typed, errors=errors or {}, row=row)
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
    spec = catalogue.form(row.service).page(name)
    rows = [
        [field.label, fields.in_words(field, found.stored.get(field.id)), fields.in_words(field, found.typed.get(field.id))]
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


def check(who: Actor, row: Application) -> dict[str, Any]:
    """All answers page by page with links to change them, who gets what, and the proofs that were not needed."""
    form = catalogue.form(row.service)
    groups = []
    for spec in form.visible_pages(row.answers):
        if paging.kind_of(spec) != "page":
            continue
        change = f"{reverse('services:page', args=[row.id, spec.id])}?from=check"
        rows = [(field.label, fields.in_words(field, row.answers.get(field.id)), change) for field in spec.fields]
        groups.append({"title": spec.title, "rows": [item for item in rows if item[1] not in ("", None)]})
    parts = catalogue.chosen_parts(catalogue.service(row.service), row.answers)
    return {
        "answers": [group for group in groups if group["rows"]],
        "agencies": [{"agency": catalogue.agency_name(part.agency), "part": part.title} for part in parts],
        "saved_proofs": saved_proofs(row),
    }


def saved_proofs(row: Application) -> list[Text]:
    """The papers that this application makes needless, each once."""
    seen: dict[str, Text] = {}
    for part in catalogue.chosen_parts(catalogue.service(row.service), row.answers):
        seen |= {paper.en: paper for paper in part.proofs_replaced}
    return list(seen.values())


def previews(row: Application, found: Iterable[PartPreview]) -> list[dict[str, Any]]:
    """What each agency found, beside source and time, and what its rule would say."""
    definition = catalogue.service(row.service)
    return [_preview(definition.part(item.part), item) for item in found]


def fact_cards(row: Application, names: Iterable[str]) -> list[dict[str, Any]]:
    """The named facts (`part.fact`) as cards; one that is missing says so."""
    definition = catalogue.service(row.service)
    prepared = row.prepared
    cards = []
    for name in names:
        part_id, fact_id = name.split(".", 1)
        part = definition.part(part_id)
        found = read_preview(part, prepared[part_id]) if part_id in prepared else None
        facts = {fact.id: fact for fact in found.facts} if found else {}
        if fact_id in facts and facts[fact_id].value is not None:
            cards.append(_fact(part, facts[fact_id]))
        else:
            cards += [
                {"title": spec.title, "source": catalogue.agency_name(spec.agency), "note": _NOT_FOUND}
                for spec in part.facts_at(PREPARE)
                if spec.id == fact_id
            ]
    return cards


_NOT_FOUND = Text("Not found; the agency looks it up again", "目前查無資料，機關將再查詢")


def _preview(part: Part, item: PartPreview) -> dict[str, Any]:
    decision = item.decision or {}
    outcome = item.outcome
    if outcome == "undecided" and not decision.get("expected"):
        outcome = "open"
    values = decision.get("values") or {}
    return {
        "title": part.title,
        "agency": catalogue.agency_name(part.agency),
        "facts": [_fact(part, fact) for fact in item.facts if _is_shown(part, fact)],
        "missing": [
            {
                "title": lack.title,
                "source": catalogue.agency_name(lack.source),
                "state": "refused" if lack.reason in UNVERIFIED else "missing",
                "text": lack.text,
            }
            for lack in item.missing
        ],
        "decision": item.decision,
        "outlook": _OUTLOOK.get(outcome, _OUTLOOK["open"]),
        "amount": values.get("amount") if outcome != "refused" else None,
        "explanation": decision.get("explanation") or [],
    }


def _is_shown(part: Part, fact: FactView) -> bool:
    return all(spec.shown for spec in part.facts_at(PREPARE) if spec.id == fact.id)


def _fact(part: Part, fact: FactView) -> dict[str, Any]:
    kind = next((spec.kind for spec in part.facts_at(PREPARE) if spec.id == fact.id), "text")
    return {
        "title": fact.title,
        "value": fields.fact_in_words(kind, fact.value),
        "kind": kind if kind in ("date", "money", "yesno") else "",
        "source": catalogue.agency_name(fact.source),
        "at": fact.answered_at,
        "note": "",
    }


__all__ = ["check", "conflict", "fact_cards", "fact_values", "page", "posted", "previews", "progress", "saved_proofs"]
