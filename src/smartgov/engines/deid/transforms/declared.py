"""What a policy may declare of a single value's change: kinds, their words, and what is wrong with a declaration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf, isfinite
from typing import Any

from smartgov.shared import content
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

PLACES = content.ROOT / "townships.csv"
_UNITS = ("year", "quarter", "month", "week")


@dataclass(frozen=True, slots=True)
class Transform:
    """One declared change; `words` are the checked words of the policy."""

    kind: str
    words: Mapping[str, Any]

    @classmethod
    def parse(cls, attribute: str, spec: Mapping[str, Any]) -> Transform:
        """From a policy's `transform:`; Problem `transform-invalid` for unknown, missing or mistyped words."""
        kind = spec.get("kind")
        if kind not in DECLARED:
            raise invalid(
                attribute, f"its kind is none of {', '.join(DECLARED)}", f"kind 須為 {'、'.join(DECLARED)} 之一"
            )
        words = {name: value for name, value in spec.items() if name != "kind"}
        for name, value in words.items():
            if name not in DECLARED[kind] or not DECLARED[kind][name](value):
                raise invalid(attribute, f"{name} is unknown or has a wrong value", f"{name} 未知或值不符")
        if absent := _REQUIRED.get(kind, set()) - set(words):
            raise invalid(attribute, f"{min(absent)} is missing", f"缺少 {min(absent)}")
        if kind == "limit" and (
            not {"top", "bottom"} & set(words) or words.get("bottom", -inf) >= words.get("top", inf)
        ):
            raise invalid(
                attribute, "it needs a top, a bottom, or both in order", "須有 top 或 bottom，且 bottom 小於 top"
            )
        return cls(kind, words)

    @property
    def keyed(self) -> bool:
        """Whether a key ring is needed: nobody else can tell what a value becomes."""
        return self.kind in {"pseudonym", "date-shift"}

    @property
    def subject(self) -> str | None:
        """The column whose value decides what becomes of a row's, where another one does."""
        found = self.words.get("subject")
        return None if found is None else str(found)

    def as_dict(self) -> dict[str, Any]:
        """As a policy writes it."""
        return {"kind": self.kind, **self.words}


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_positive(value: Any) -> bool:
    return _is_number(value) and value > 0


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _one_of(*allowed: str) -> Callable[[Any], bool]:
    return lambda value: value in allowed


DECLARED: dict[str, dict[str, Callable[[Any], bool]]] = {
    "remove": {},
    "pseudonym": {"domain": _is_text},
    "mask": {"first": _is_count, "last": _is_count, "sign": _is_text, "width": _is_count},
    "limit": {"top": _is_number, "bottom": _is_number, "at_least": _is_count},
    "round": {"to": _is_positive, "mode": _one_of("nearest", "down", "up")},
    "truncate": {"to": _one_of(*_UNITS)},
    "date-shift": {
        "subject": _is_text,
        "days": lambda value: _is_count(value) and 7 <= value <= 3650,
        "weeks": lambda value: isinstance(value, bool),
        "domain": _is_text,
    },
    "coarsen": {"from": _one_of("address", "code"), "to": _one_of("township", "county"), "places": _is_text},
}
"""Each kind's words, and what a word's value must be."""
_REQUIRED = {
    "pseudonym": {"domain"},
    "round": {"to"},
    "truncate": {"to"},
    "date-shift": {"subject", "days"},
    "coarsen": {"from", "to"},
}


def invalid(attribute: str, why_en: str, why_zh: str) -> Problem:
    """A declaration that cannot be used, whatever the table."""
    return Problem(
        "transform-invalid",
        422,
        what=Text("The policy's transform cannot be used.", "政策中的轉換無法使用。"),
        why=Text(f"{attribute}: {why_en}.", f"{attribute}：{why_zh}。"),
        todo=Text("Mend the policy.", "請修正政策檔。"),
        attribute=attribute,
    )


def refused(attribute: str, why_en: str, why_zh: str) -> Problem:
    """A column that cannot be changed as declared."""
    return Problem(
        "transform-refused",
        422,
        what=Text("A column cannot be transformed as declared.", "欄位無法依宣告轉換。"),
        why=Text(f"{attribute}: {why_en}.", f"{attribute}：{why_zh}。"),
        todo=Text("Clean the column or change its transform.", "請清理該欄或修改轉換方式。"),
        attribute=attribute,
    )
