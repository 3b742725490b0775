"""A form's fields as the theme's controls, and values in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smartgov.blocks.services.models import Application
from smartgov.blocks.services.preparing import fact_values
from smartgov.engines import forms
from smartgov.shared.text import Text
from smartgov.shared.tw.accounts import masked

# Which control of the theme shows a field of the form engine.
_CONTROLS = {"choice": "choice", "yesno": "yesno", "consent": "consent", "fact": "yesno"}
_SEXES = {
    "1": Text("Male", "男"),
    "2": Text("Female", "女"),
    "male": Text("Male", "男"),
    "female": Text("Female", "女"),
}
_YES, _NO = Text("Yes", "是"), Text("No", "否")
_CONFIRM = (("yes", Text("Yes, this is right", "是，資料正確")), ("no", Text("No, something is wrong", "否，資料有誤")))


def of_page(
    spec: forms.Page,
    *,
    answers: Mapping[str, Any],
    typed: Mapping[str, Any] | None,
    errors: Mapping[str, Text],
    row: Application,
) -> list[dict[str, Any]]:
    """Every field of a page: what was typed wins over what is saved, which wins over what the agencies know."""
    facts = fact_values(row)
    single = len(spec.fields) == 1
    return [_field(field, answers, typed, errors, facts, row, heading=single) for field in spec.fields]


def _field(
    field: forms.Field,
    answers: Mapping[str, Any],
    typed: Mapping[str, Any] | None,
    errors: Mapping[str, Text],
    facts: Mapping[str, Any],
    row: Application,
    *,
    heading: bool,
) -> dict[str, Any]:
    from smartgov.blocks.services.web import present

    kind = control(field)
    return {
        "id": field.id,
        "kind": kind,
        "label": field.label,
        "hint": field.hint,
        "required": field.required,
        "max_length": field.max_length or "",
        "choices": choices(field, facts),
        "value": typed_value(field, typed) if typed is not None else start_value(field, answers, facts),
        "error": errors.get(field.id),
        "heading": heading and kind not in ("consent", "checkbox") and not field.facts,
        "facts": present.fact_cards(row, field.facts),
    }


def control(field: forms.Field) -> str:
    """The theme's kind for a field."""
    if field.kind == "choice" and field.multiple:
        return "checklist"
    if field.kind == "fact":
        return "choice"
    if field.kind == "text" and field.multiline:
        return "textarea"
    return _CONTROLS.get(field.kind, field.kind)


def choices(field: forms.Field, facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The possibilities of a choice; one that needs a fact nobody found is left out."""
    if field.kind == "fact":
        return [{"value": value, "label": label} for value, label in _CONFIRM]
    return [
        {
            "value": choice.value,
            "label": choice.label,
            "hint": fact_in_words("address", facts.get(choice.detail_fact)) if choice.detail_fact else None,
        }
        for choice in field.choices
        if not choice.needs_fact or facts.get(choice.needs_fact) is not None
    ]


def start_value(field: forms.Field, answers: Mapping[str, Any], facts: Mapping[str, Any]) -> Any:
    """What the control shows first: the saved answer, else a known fact, else the form's default."""
    if field.id in answers:
        return answers[field.id]
    for name in field.prefill:
        if facts.get(name) is not None:
            return facts[name]
    return field.default


def typed_value(field: forms.Field, typed: Mapping[str, Any]) -> Any:
    """What she typed, in the form in which the control shows it again."""
    if field.kind == "date":
        return {part: typed.get(f"{field.id}_{part}", "") for part in ("y", "m", "d")}
    if field.kind == "bank_account":
        return {part: typed.get(f"{field.id}_{part}", "") for part in ("bank", "account")}
    return typed.get(field.id)


def in_words(field: forms.Field, value: Any) -> Any:
    """An answer as a person reads it; an account number shows its last digits only."""
    if value in (None, "", []):
        return ""
    if field.kind == "bank_account" and isinstance(value, Mapping):
        return f"{value.get('bank_code', '')}-{masked(str(value.get('account', '')))}"
    if field.kind in ("yesno", "consent", "fact"):
        return _YES if value in (True, "yes") else _NO
    labels = {choice.value: choice.label for choice in field.choices}
    if isinstance(value, list):
        return [labels.get(item, item) for item in value]
    return labels.get(value, value) if isinstance(value, str) else value


def fact_in_words(kind: str, value: Any) -> Any:
    """A register's value as a person reads it."""
    if kind == "sex":
        return _SEXES.get(str(value), value)
    if kind == "bank_account" and isinstance(value, Mapping):
        return f"{value.get('bank_code', '')}-{masked(str(value.get('account', '')))}"
    if isinstance(value, Mapping) and set(value) != {"en", "zh"}:
        return " ".join(str(part) for part in value.values() if part)
    return value
