"""What pages write of a case: answers with their labels, facts in words, the rule's steps with law and values."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from smartgov.blocks.cases.selectors import CaseView, FactRow
from smartgov.blocks.directory import api as directory
from smartgov.blocks.identity import api as identity
from smartgov.shared import content
from smartgov.shared.money import format_ntd
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text
from smartgov.shared.tw import national_id
from smartgov.theme import words

SEX = {"male": Text("Male", "男"), "female": Text("Female", "女")}
STATE_KINDS: Mapping[str, str] = {
    "held": "todo",
    "received": "active",
    "waiting_for_facts": "waiting",
    "in_review": "active",
    "supplement_asked": "waiting",
    "approved": "done",
    "refused": "bad",
    "stopped": "bad",
    "done": "done",
    "closed": "plain",
}
BY_ITSELF = Text("by rule", "依規則自動處理")
OWN = Text("Own record; {basis}", "本機關登錄資料；{basis}")
OUTCOMES = {
    "granted": Text("The rule grants it", "規則判定：符合"),
    "refused": Text("The rule refuses it", "規則判定：不符合"),
    "undecided": Text("The rule cannot decide it; you do", "規則無法判定，由承辦人員決定"),
}


def declared(view: CaseView) -> list[Any]:
    """The sentences that the applicant ticked."""
    labels = _labels("birth")
    return [labels[name][0] for name, value in view.answers.items() if value is True and labels[name][2] == "consent"]


def answers(view: CaseView) -> list[tuple[Any, Any]]:
    """Label and value of each answer, in the words of the form that asked."""
    labels = _labels("birth")
    rows = []
    for name, value in view.answers.items():
        if value in (None, "") or name not in labels or labels[name][2] == "consent":
            continue
        label, choices, _ = labels[name]
        rows.append((label, choices.get(str(value), shown(value))))
    return rows


def facts(view: CaseView, *, shown: bool = True) -> list[dict[str, Any]]:
    """The verified facts by the answer that brought them: source, ground, time, exchange, and (title, value) rows.

    `shown` false gives those that only the rule needs.
    """
    found: dict[tuple[str, str, str], list[FactRow]] = {}
    for row in view.facts:
        if row.shown == shown:
            found.setdefault((row.agency.en, row.basis.en, row.exchange), []).append(row)
    return [_answer(rows) for rows in found.values()]


def _answer(rows: list[FactRow]) -> dict[str, Any]:
    first = rows[0]
    return {
        "source": first.agency,
        "ground": OWN.format(basis=first.basis) if first.own else first.basis,
        "at": first.answered_at,
        "exchange": first.exchange,
        "rows": [(row.title, fact_value(row)) for row in rows],
    }


def fact_value(row: FactRow) -> Any:
    """A fact's value in words, by its kind."""
    if row.kind == "date":
        return words.write_date(row.value)
    if row.kind == "money":
        return format_ntd(int(row.value))
    if row.kind == "sex":
        return SEX.get(row.value, row.value)
    if str(row.value) in row.labels:
        return row.labels[str(row.value)]
    if row.kind == "address" and isinstance(row.value, Mapping):
        return f"{row.value.get('township') or ''}{row.value.get('address') or ''}"
    return shown(row.value)


def _actor(label: str) -> Text:
    """Who moved a case, from the label that its history keeps: another member, this system, or a seat by its role."""
    kind, _, name = label.partition(":")
    try:
        if name.startswith("TW/GOV/"):
            return directory.agency(name.split("/")[2]).short
        return identity.seat(name).role_title if kind == "officer" else BY_ITSELF
    except Problem:
        return BY_ITSELF if kind == "system" else Text.of(name)


def shown(value: Any) -> Any:
    """Any value in words; a national id is shown only in part, because the page names the person already."""
    if isinstance(value, str) and value.startswith("urn:tw:nid:"):
        return hidden(national_id.from_urn(value))
    if isinstance(value, Mapping):
        return " ".join(str(shown(part)) for part in value.values() if part)
    return value


def hidden(number: str) -> str:
    """A national id with its middle hidden."""
    return f"{number[:2]}******{number[-2:]}" if number else ""


def history(view: CaseView) -> list[dict[str, Any]]:
    """The history for the `timeline` component, newest last; where an open case stands now is not done."""
    now = len(view.history) - 1 if view.row.is_open else -1
    return [
        {
            "title": line["title"],
            "at": line["at"],
            "text": line["note"],
            "agency": _actor(line["actor"]),
            "state": "active" if place == now else "done",
        }
        for place, line in enumerate(view.history)
    ]


@lru_cache(maxsize=8)
def _labels(form: str) -> dict[str, tuple[Text, dict[str, Text], str]]:
    pages = content.read(f"forms/{form}.yaml")["pages"]
    return {
        field["id"]: (
            Text.of(field["label"]),
            {str(choice["value"]): Text.of(choice["label"]) for choice in field.get("choices", ())},
            field["kind"],
        )
        for page in pages
        for field in page["fields"]
    }
