"""A form as data: pages of one question, fields, choices; read from YAML and checked.

Conditions (`show_if`) are expressions over the answers. Facts that agencies fetched are named `part.fact`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from smartgov.engines import expr
from smartgov.shared import content
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

KINDS = frozenset(
    {"text", "date", "choice", "yesno", "national_id", "bank_account", "email", "phone", "fact", "consent"}
)
_ID = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Choice:
    """One possibility. It is offered only while the fact `needs_fact` is known; `detail_fact` is shown beside it."""

    value: str
    label: Text
    hint: Text | None = None
    needs_fact: str | None = None
    detail_fact: str | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """One input. `name` is what error messages call it; `elsewhere` marks what another page of the site asks.

    `pattern` is a regular expression over the whole text; `earliest` and `latest` bound a date (ISO, or `today`).
    """

    id: str
    kind: str
    label: Text
    name: Text
    hint: Text | None = None
    required: bool = True
    multiple: bool = False
    default: Any = None
    always: tuple[str, ...] = ()
    choices: tuple[Choice, ...] = ()
    facts: tuple[str, ...] = ()
    prefill: tuple[str, ...] = ()
    max_length: int = 200
    multiline: bool = False
    pattern: str | None = None
    pattern_error: Text | None = None
    show_if: Any = True
    earliest: str | None = None
    latest: str | None = None
    elsewhere: bool = False

    def offered(self, facts: Mapping[str, Any]) -> tuple[Choice, ...]:
        """The choices that the known facts allow."""
        return tuple(choice for choice in self.choices if not choice.needs_fact or _known(facts, choice.needs_fact))

    def initial(self, facts: Mapping[str, Any]) -> Any:
        """What the field holds before anybody answers: the first known prefill fact, else the default."""
        return next((facts[name] for name in self.prefill if _known(facts, name)), self.default)


@dataclass(frozen=True, slots=True)
class Page:
    """One question. `before_facts` pages are asked before the agencies fetch anything; `summary` shows all answers."""

    id: str
    title: Text
    fields: tuple[Field, ...]
    hint: Text | None = None
    show_if: Any = True
    before_facts: bool = False
    summary: bool = False


def load_pages(path: Path) -> tuple[str, Text, tuple[Page, ...]]:
    """Id, title and pages of a form file; Problem `form-invalid` when it is not coherent."""
    raw = content.parse(path.read_text(encoding="utf-8"))
    try:
        pages = tuple(_page(page) for page in raw["pages"])
        identity = (str(raw["id"]), Text.of(raw["title"]))
        _check(pages, path.name)
    except Problem as problem:
        raise problem if problem.slug == "form-invalid" else invalid(path.name, problem.why.en) from problem
    except (KeyError, TypeError, ValueError, re.error) as error:
        raise invalid(path.name, f"{type(error).__name__}: {error}") from error
    return *identity, pages


def shown(condition: Any, answers: Mapping[str, Any]) -> bool:
    """Whether a condition shows its page or field; what hangs on an unanswered question is shown."""
    verdict = expr.evaluate(condition, answers)
    return isinstance(verdict, expr.Unknown) or verdict is True


def asked(condition: Any, answers: Mapping[str, Any]) -> bool:
    """Whether a field must be answered: only once the answers that it hangs on call for it."""
    return expr.evaluate(condition, answers) is True


def invalid(place: str, why: str) -> Problem:
    """The refusal of a form file that is not coherent."""
    return Problem(
        "form-invalid",
        500,
        what=Text("A form cannot be used.", "表單無法使用。"),
        why=f"{place}: {why}",
        todo=Text("Mend the file and load it again.", "請修正檔案後重新載入。"),
    )


def _known(facts: Mapping[str, Any], name: str) -> bool:
    return facts.get(name) is not None


def _page(raw: Mapping[str, Any]) -> Page:
    return Page(
        id=raw["id"],
        title=Text.of(raw["title"]),
        fields=tuple(_field(field) for field in raw["fields"]),
        hint=Text.of(raw["hint"]) if "hint" in raw else None,
        show_if=raw.get("show_if", True),
        before_facts=raw.get("before_facts", False),
        summary=raw.get("summary", False),
    )


def _field(raw: Mapping[str, Any]) -> Field:
    if raw["kind"] not in KINDS or set(raw) - _FIELD_KEYS:
        raise ValueError(f"{raw['id']} has an unknown kind or key")
    label = Text.of(raw["label"])
    if "pattern" in raw:
        re.compile(raw["pattern"])
    texts = {key: Text.of(raw[key]) for key in ("hint", "pattern_error") if key in raw}
    lists = {key: tuple(raw[key]) for key in ("always", "facts", "prefill") if key in raw}
    plain = {key: raw[key] for key in _PLAIN if key in raw}
    return Field(
        **{**plain, **texts, **lists},
        label=label,
        name=Text.of(raw.get("name", label)),
        choices=tuple(_choice(choice) for choice in raw.get("choices", ())),
    )


_FIELD_KEYS = frozenset(each.name for each in fields(Field))
_PLAIN = _FIELD_KEYS - {"label", "name", "hint", "pattern_error", "always", "facts", "prefill", "choices"}


def _choice(raw: Mapping[str, Any]) -> Choice:
    if not isinstance(raw["value"], str):
        raise TypeError(f"the choice {raw['value']!r} is not text; quote it")
    hint = Text.of(raw["hint"]) if "hint" in raw else None
    return Choice(raw["value"], Text.of(raw["label"]), hint, raw.get("needs_fact"), raw.get("detail_fact"))


def _check(pages: tuple[Page, ...], place: str) -> None:
    ids = [field.id for page in pages for field in page.fields]
    names = [page.id for page in pages]
    if len(set(ids)) != len(ids) or len(set(names)) != len(names):
        raise invalid(place, "two pages or two fields share an id")
    if not all(_ID.fullmatch(name) for name in ids + names):
        raise invalid(place, "ids are small letters, digits and underscores")
    known: set[str] = set()
    for condition, field in _conditions(pages):
        expr.check(condition)
        if not expr.references(condition) <= known:
            raise invalid(place, f"a condition asks for {sorted(expr.references(condition) - known)} too early")
        if field is not None:
            known.add(field.id)
            _check_field(field, place)


def _check_field(field: Field, place: str) -> None:
    values = [choice.value for choice in field.choices]
    if (field.kind == "choice") != bool(values) or len(set(values)) != len(values):
        raise invalid(place, f"{field.id}: a choice, and only a choice, has different choices")
    if not set(field.always) <= set(values) or (field.always and not field.multiple):
        raise invalid(place, f"{field.id}: always names choices of a multiple choice")
    if bool(field.pattern) != bool(field.pattern_error):
        raise invalid(place, f"{field.id}: a pattern needs its own error text")


def _conditions(pages: tuple[Page, ...]) -> Iterator[tuple[Any, Field | None]]:
    """Every condition in the order in which it is evaluated, with the field that it belongs to."""
    for page in pages:
        yield page.show_if, None
        for field in page.fields:
            yield field.show_if, field
