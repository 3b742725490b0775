"""What pages write of a case: answers with their labels, facts in words, the rule's steps with law and values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from smartgov.blocks.cases.selectors import CaseView, FactRow
from smartgov.shared import content
from smartgov.shared.money import format_ntd
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
OUTCOMES = {
    "granted": Text("The rule grants it", "規則判定：符合"),
    "refused": Text("The rule refuses it", "規則判定：不符合"),
    "undecided": Text("The rule cannot decide it; you do", "規則無法判定，由承辦人員決定"),
}


def answers(view: CaseView) -> list[tuple[Any, Any]]:
    """Label and value of each answer, in the words of the form that asked."""
    labels = _labels("birth")
    rows = []
    for name, value in view.answers.items():
        label, choices = labels.get(name, (name, {}))
        rows.append((label, choices.get(str(value), shown(value))))
    return rows


def facts(view: CaseView) -> list[tuple[Any, ...]]:
    """A table row for each verified fact: title, value, source, ground, time, exchange."""
    return [
        (row.title, fact_value(row), row.agency, row.basis, words.write_time(row.answered_at), row.exchange)
        for row in view.facts
    ]


def fact_value(row: FactRow) -> Any:
    """A fact's value in words, by its kind."""
    if row.kind == "date":
        return words.write_date(row.value)
    if row.kind == "money":
        return format_ntd(int(row.value))
    if row.kind == "sex":
        return SEX.get(row.value, row.value)
    return shown(row.value)


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


def explanation(steps: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The evaluated tree for the `explain` component: conditions and values, each with what it rests on."""
    return [_step(step) for step in steps]


def history(view: CaseView) -> list[dict[str, Any]]:
    """The history for the `timeline` component, newest last."""
    return [
        {"title": line["title"], "at": line["at"], "text": line["note"], "agency": line["actor"], "state": "done"}
        for line in view.history
    ]


def _step(step: Mapping[str, Any]) -> dict[str, Any]:
    is_value = step["kind"] == "value"
    children = [{"text": step["because"], "holds": step["holds"], "value": step["value"] if is_value else None}]
    children += [_parameter(parameter) for parameter in step.get("parameters", ())]
    return {
        "text": step["text"],
        "holds": step["holds"],
        "value": step["value"] if is_value else None,
        "source": step["source"],
        "children": children,
    }


def _parameter(parameter: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "text": parameter["title"],
        "holds": None,
        "value": parameter["value"],
        "source": parameter["source"],
    }


@lru_cache(maxsize=8)
def _labels(form: str) -> dict[str, tuple[Text, dict[str, Text]]]:
    pages = content.read(f"forms/{form}.yaml")["pages"]
    return {
        field["id"]: (
            Text.of(field["label"]),
            {str(choice["value"]): Text.of(choice["label"]) for choice in field.get("choices", ())},
        )
        for page in pages
        for field in page["fields"]
    }
