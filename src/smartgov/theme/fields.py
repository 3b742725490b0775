"""What a form field needs on a page, whatever shape the caller's data has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from smartgov.theme.words import bilingual

DATE_PARTS = ("y", "m", "d")
_INPUTS: dict[str, dict[str, str]] = {
    "text": {},
    "email": {"type": "email", "autocomplete": "email", "spellcheck": "false"},
    "phone": {"type": "tel", "autocomplete": "tel", "inputmode": "tel"},
    "number": {"inputmode": "numeric"},
    "national_id": {"spellcheck": "false", "autocapitalize": "characters", "maxlength": "10", "autocomplete": "off"},
    "password": {"type": "password", "autocomplete": "current-password"},
    "search": {"type": "search"},
    "day": {"type": "date"},
    "file": {"type": "file"},
    "code": {"inputmode": "numeric", "autocomplete": "one-time-code"},
}
_WIDTHS = {"number": "8", "national_id": "16", "code": "8", "day": "16", "phone": "16"}
GROUPS = frozenset({"choice", "yesno", "checklist", "date", "bank_account"})
KINDS = frozenset({*_INPUTS, *GROUPS, "textarea", "select", "checkbox", "consent"})


@dataclass(frozen=True, slots=True)
class Choice:
    """One possibility of a choice, ready to show."""

    value: str
    label: str
    hint: str
    chosen: bool
    disabled: bool


def choices_of(given: Iterable[Any] | None, value: Any) -> list[Choice]:
    """Choices from `(value, label[, hint])`, mappings or objects with those names; `value` says which are chosen."""
    chosen = {str(item) for item in value} if isinstance(value, list | tuple | set) else {str(value)}
    if value is None:
        chosen = set()
    return [_choice(item, chosen) for item in given or ()]


def _choice(item: Any, chosen: set[str]) -> Choice:
    if isinstance(item, list | tuple):
        item = dict(zip(("value", "label", "hint"), item, strict=False))
    value = str(part(item, "value", ""))
    hint = bilingual(part(item, "hint", None) or part(item, "detail", None))
    return Choice(
        value, bilingual(part(item, "label", value)), hint, value in chosen, bool(part(item, "disabled", False))
    )


def part(item: Any, name: str, default: Any = None) -> Any:
    """`name` of a mapping or of an object."""
    return item.get(name, default) if isinstance(item, Mapping) else getattr(item, name, default)


def date_parts(value: Any, name: str) -> dict[str, str]:
    """Year, month and day as written in three inputs: from a date, its ISO text, or what was posted."""
    if isinstance(value, date):
        value = value.isoformat()
    if isinstance(value, str) and value.count("-") == 2:
        year, month, day = value.split("-")
        return {"y": year, "m": month.lstrip("0"), "d": day[:2].lstrip("0")}
    if isinstance(value, Mapping):
        return {key: str(value.get(key, value.get(f"{name}_{key}", ""))) for key in DATE_PARTS}
    return dict.fromkeys(DATE_PARTS, "")


def account_parts(value: Any, name: str) -> dict[str, str]:
    """Bank code and account number in two inputs: from `{bank, account}`, what was posted, or `004-0012345678`."""
    if isinstance(value, str) and "-" in value:
        bank, account = value.split("-", 1)
        return {"bank": bank, "account": account}
    if isinstance(value, Mapping):
        bank = value.get("bank", value.get("bank_code", value.get(f"{name}_bank", "")))
        return {"bank": str(bank), "account": str(value.get("account", value.get(f"{name}_account", "")))}
    return {"bank": "", "account": ""}


def input_attributes(kind: str, given: Mapping[str, Any]) -> dict[str, str]:
    """The HTML attributes of an input of this kind; what the page gave wins, an empty one is left out."""
    known = {**_INPUTS.get(kind, {}), **{key: str(value) for key, value in given.items() if value not in (None, "")}}
    return {"type": "text", **known}


def width_of(kind: str, given: str) -> str:
    """How wide the input is drawn, in characters: 4, 8, 16, or empty for the whole column."""
    return given or _WIDTHS.get(kind, "")
