"""The published set of rules: data of a jurisdiction, each rule with its words, its source, and its examples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from smartgov.shared import content
from smartgov.shared.text import Text

SEVERITIES = ("error", "warning")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a rule comes from."""

    title: Text
    url: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `check` names a function of `checks`, `options` are its words; `good` and `bad` change the example."""

    id: str
    severity: str
    text: Text
    todo: Text
    source: Source
    check: str
    options: Mapping[str, Any] = field(default_factory=dict)
    good: tuple[Mapping[str, Any], ...] = ()
    bad: tuple[Mapping[str, Any], ...] = ()

    @property
    def refuses(self) -> bool:
        """Whether a document that breaks it is not taken."""
        return self.severity == "error"


@dataclass(frozen=True, slots=True)
class Ruleset:
    """All rules of a jurisdiction; `example` is a small document that keeps every one."""

    id: str
    version: str
    title: Text
    rules: tuple[Rule, ...]
    example: Mapping[str, Any]


def read(data: Mapping[str, Any] | None = None) -> Ruleset:
    """The set in `data`, or that of the content folder; ValueError or KeyError names what is wrong in it."""
    given = content.read("api-rules.yaml") if data is None else data
    sources = {name: Source(Text.of(row["title"]), row["url"]) for name, row in given["sources"].items()}
    rules = tuple(_rule(row, sources) for row in given["rules"])
    if len({rule.id for rule in rules}) != len(rules):
        raise ValueError("two rules share an id")
    return Ruleset(given["id"], str(given["version"]), Text.of(given["title"]), rules, given["example"])


def _rule(row: Mapping[str, Any], sources: Mapping[str, Source]) -> Rule:
    if row["severity"] not in SEVERITIES:
        raise ValueError(f"{row['id']}: a severity is one of {', '.join(SEVERITIES)}")
    return Rule(
        id=row["id"],
        severity=row["severity"],
        text=Text.of(row["text"]),
        todo=Text.of(row["todo"]),
        source=sources[row["source"]],
        check=row.get("check", row["id"]),
        options=row.get("options") or {},
        good=tuple(row.get("good") or ()),
        bad=tuple(row["bad"]),
    )
