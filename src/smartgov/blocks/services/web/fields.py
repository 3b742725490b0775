"""A form's fields as the theme's controls, and values in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from smartgov.blocks.services.api import Application
from smartgov.blocks.services.preparing import fact_values
from smartgov.blocks.services.web import cards
from smartgov.engines import forms
from smartgov.shared.text import Text

# Which control of the theme shows a field of the form engine.
_CONTROLS = {"choice": "choice", "yesno": "yesno", "consent": "consent"}
_CONFIRM = (("yes", forms.CONFIRMED[True]), ("no", forms.CONFIRMED[False]))


@dataclass(frozen=True, slots=True)
class Filling:
    """A page at hand: the application, its answers and facts, and after a faulty post what was typed and why not."""

    row: Application
    answers: Mapping[str, Any]
    facts: Mapping[str, Any]
    typed: Mapping[str, Any] | None = None
    errors: Mapping[str, Text] = field(default_factory=dict)


def of_page(
    spec: forms.Page, row: Application, *, typed: Mapping[str, Any] | None, errors: Mapping[str, Text]
) -> list[dict[str, Any]]:
    """Every field of a page: what was typed wins over what is saved, which wins over what the agencies know."""
    filling = Filling(row, row.answers, fact_values(row), typed, errors)
    asked = [item for item in spec.fields if not item.elsewhere]
    return [_field(item, filling, alone=len(asked) == 1) for item in asked]


def _field(item: forms.Field, filling: Filling, *, alone: bool) -> dict[str, Any]:
    kind = control(item)
    typed = filling.typed
    return {
        "id": item.id,
        "kind": kind,
        "label": item.label,
        "hint": item.hint,
        "required": item.required and item.show_if is True,
        "max_length": item.max_length if item.kind == "text" else "",
        "choices": choices(item, filling.facts),
        "value": start_value(item, filling) if typed is None else typed_value(item, typed),
        "error": filling.errors.get(item.id),
        "heading": alone and kind != "consent" and not item.facts,
        "facts": cards.fact_cards(filling.row, item.facts),
    }


def control(item: forms.Field) -> str:
    """The theme's kind for a item."""
    if item.kind == "choice" and item.multiple:
        return "checklist"
    if item.kind == "fact":
        return "choice"
    if item.kind == "text" and item.multiline:
        return "textarea"
    return _CONTROLS.get(item.kind, item.kind)


def choices(item: forms.Field, facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The possibilities of a choice; one that needs a fact nobody found is left out."""
    if item.kind == "fact":
        return [{"value": value, "label": label} for value, label in _CONFIRM]
    return [
        {"value": choice.value, "label": choice.label, "hint": _detail(choice, facts)} for choice in item.offered(facts)
    ]


def _detail(choice: forms.Choice, facts: Mapping[str, Any]) -> Text | None:
    known = facts.get(choice.detail_fact) if choice.detail_fact else None
    return forms.fact_in_words(known) if known is not None else choice.hint


def start_value(item: forms.Field, filling: Filling) -> Any:
    """What the control shows first: the saved answer, else what the form says a fresh field holds."""
    value = filling.answers[item.id] if item.id in filling.answers else item.initial(filling.facts)
    if item.kind == "fact" and isinstance(value, bool):
        return "yes" if value else "no"
    return value


def typed_value(item: forms.Field, typed: Mapping[str, Any]) -> Any:
    """What she typed, in the form in which the control shows it again."""
    if item.kind == "date":
        return {part: typed.get(f"{item.id}_{part}", "") for part in ("y", "m", "d")}
    if item.kind == "bank_account":
        return {part: typed.get(f"{item.id}_{part}", "") for part in ("bank", "account")}
    return typed.get(item.id)
