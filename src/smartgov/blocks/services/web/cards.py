"""Facts beside their source and time, and what a rule would say of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from smartgov.blocks.services import catalogue
from smartgov.blocks.services.api import Application
from smartgov.blocks.services.domain import FactView, PartPreview
from smartgov.blocks.services.preparing import preview as read_preview
from smartgov.engines import forms
from smartgov.engines.forms.services import CONSENT, PREPARE, Part
from smartgov.engines.troad.problems import UNBELIEVABLE
from smartgov.shared.text import Text

_OUTLOOK: Mapping[str, Text] = {
    "granted": Text("From what is known now: yes", "依目前資料：符合"),
    "refused": Text("From what is known now: no", "依目前資料：不符合"),
    "undecided": Text("Nothing speaks against it so far", "目前沒有不符之處"),
    "open": Text("Not decidable yet", "尚無法判斷"),
}
_OUTLOOK_KINDS = {"granted": "done", "refused": "bad", "undecided": "active"}


def previews(row: Application, found: Iterable[PartPreview]) -> list[dict[str, Any]]:
    """What each agency found, beside source and time, and what its rule would say."""
    definition = catalogue.service(row.service)
    return [_preview(definition.part(item.part), item) for item in found]


def fact_cards(row: Application, names: Iterable[str]) -> dict[str, Any]:
    """The named facts (`part.fact`), grouped by the answer that brought them; one that is missing says so."""
    definition = catalogue.service(row.service)
    prepared = row.prepared
    known: dict[str, tuple[Part, list[FactView]]] = {}
    missing = []
    for name in names:
        part_id, fact_id = name.split(".", 1)
        part = definition.part(part_id)
        found = read_preview(part, prepared[part_id]) if part_id in prepared else None
        facts = {fact.id: fact for fact in found.facts} if found else {}
        if fact_id in facts and facts[fact_id].value is not None:
            known.setdefault(part_id, (part, []))[1].append(facts[fact_id])
        else:
            missing += [
                {"title": spec.title, "source": catalogue.agency_name(spec.agency), "note": _NOT_FOUND}
                for spec in part.facts_at(PREPARE)
                if spec.id == fact_id
            ]
    return {"groups": [group for held in known.values() for group in _groups(*held)], "missing": missing}


_OWN = Text("The deciding agency's own record", "審核機關自己的登錄資料")
_CONSENT = Text("With your consent", "經您同意")
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
        "groups": _groups(part, [fact for fact in item.facts if _is_shown(part, fact)]),
        "count": sum(_is_shown(part, fact) for fact in item.facts),
        "missing": [
            {
                "title": lack.title,
                "source": catalogue.agency_name(lack.source),
                "state": "refused" if lack.reason in UNBELIEVABLE else "missing",
                "text": lack.text,
            }
            for lack in item.missing
        ],
        "decision": item.decision,
        "outlook": _OUTLOOK.get(outcome, _OUTLOOK["open"]),
        "outlook_kind": _OUTLOOK_KINDS.get(outcome, "waiting"),
        "amount": _amount(part, values) if outcome != "refused" else None,
        "explanation": decision.get("explanation") or [],
    }


def _is_shown(part: Part, fact: FactView) -> bool:
    return all(spec.shown for spec in part.facts_at(PREPARE) if spec.id == fact.id)


def _amount(part: Part, values: Mapping[str, Any]) -> Text | None:
    """What she may expect; a monthly amount says so (the part then pays another value first)."""
    amount = values.get("amount")
    if not isinstance(amount, int):
        return None
    monthly = part.pays is not None and part.pays.value != "amount"
    return forms.fact_in_words(amount, "ntd_per_month" if monthly else "money")


def _groups(part: Part, facts: Iterable[FactView]) -> list[dict[str, Any]]:
    """Facts by source, ground and minute, so that a page says these once."""
    found: dict[tuple[str, str, str], list[FactView]] = {}
    for fact in facts:
        found.setdefault((fact.source, fact.basis, fact.answered_at[:16]), []).append(fact)
    return [
        {
            "source": catalogue.agency_name(source),
            "ground": _ground(part, source, basis),
            "at": held[0].answered_at,
            "rows": [(fact.title, _in_words(part, fact)) for fact in held],
        }
        for (source, basis, _), held in found.items()
    ]


def _ground(part: Part, source: str, basis: str) -> Text:
    """Why the deciding agency may know it: its own record, her consent, or the law that lets it ask."""
    if source == part.agency:
        return _OWN
    if basis == CONSENT:
        return _CONSENT
    law = catalogue.law(basis)
    return Text(f"By law: {law.en}", f"依{law.zh}")


def _in_words(part: Part, fact: FactView) -> Any:
    spec = next((spec for spec in part.facts_at(PREPARE) if spec.id == fact.id), None)
    if spec is None or isinstance(fact.value, Text | bool):
        return fact.value
    return forms.fact_in_words(fact.value, spec.kind, spec.labels)
