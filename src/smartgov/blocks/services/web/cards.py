"""Facts beside their source and time, and what a rule would say of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from smartgov.blocks.services import catalogue
from smartgov.blocks.services.api import Application
from smartgov.blocks.services.domain import FactView, PartPreview
from smartgov.blocks.services.preparing import UNVERIFIED
from smartgov.blocks.services.preparing import preview as read_preview
from smartgov.engines import forms
from smartgov.engines.forms.services import PREPARE, Part
from smartgov.shared.text import Text

_OUTLOOK: Mapping[str, Text] = {
    "granted": Text("From what is known now: yes", "依目前資料：符合"),
    "refused": Text("From what is known now: no", "依目前資料：不符合"),
    "undecided": Text("Not decidable yet; nothing speaks against it so far", "尚待後續資料，目前沒有不符之處"),
    "open": Text("Not decidable yet", "尚無法判斷"),
}


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
        "value": fact.value if isinstance(fact.value, Text) else forms.fact_in_words(fact.value, kind),
        "kind": "",
        "source": catalogue.agency_name(fact.source),
        "at": fact.answered_at,
        "note": "",
    }
