"""Applying the rules to a document."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from smartgov.engines.apilint import checks
from smartgov.engines.apilint.document import Document, Unreadable, written
from smartgov.engines.apilint.rules import Rule, Ruleset
from smartgov.shared.text import Text

FIRST = "openapi-valid"
READABLE = "readable"
"""The rule behind all others: what cannot be read is not judged."""
_UNREADABLE = Text("The document is JSON or YAML in UTF-8.", "文件須為 UTF-8 編碼的 JSON 或 YAML。")


@dataclass(frozen=True, slots=True)
class Finding:
    """One place at which a document breaks a rule; `line` and `column` count from 1, `at` is a JSON pointer."""

    rule: str
    severity: str
    text: Text
    todo: Text
    note: Text
    at: str
    line: int
    column: int

    def as_dict(self) -> dict[str, object]:
        """The JSON form."""
        return {
            "rule": self.rule,
            "severity": self.severity,
            "line": self.line,
            "column": self.column,
            "at": self.at,
            "text": self.text.as_dict(),
            "note": self.note.as_dict(),
            "todo": self.todo.as_dict(),
        }


def lint(source: bytes, rules: Ruleset) -> list[Finding]:
    """What is wrong with a document, in the order of its lines; at most some hundred places of one rule.

    A document that is not OpenAPI is judged by that rule alone: the others rely on its objects being what they are.
    """
    try:
        document = Document.parse(source)
    except Unreadable as error:
        note = Text(str(error), str(error))
        return [Finding(READABLE, "error", _UNREADABLE, Text("", ""), note, "", error.line, error.column)]
    first = [one for rule in rules.rules if rule.check == FIRST for one in _apply(rule, document)]
    others = [rule for rule in rules.rules if rule.check != FIRST]
    found = first or [one for rule in others for one in _apply(rule, document)]
    return sorted(found, key=lambda one: (one.line, one.column, one.rule))


def errors(findings: Iterable[Finding]) -> list[Finding]:
    """Those for which a document is not taken."""
    return [one for one in findings if one.severity == "error"]


def _apply(rule: Rule, document: Document) -> list[Finding]:
    found: dict[tuple[object, ...], Finding] = {}
    for hit in checks.CHECKS[rule.check](document, rule.options):
        line, column = document.line(hit.at)
        severity = rule.severity if hit.severity is None else hit.severity
        one = Finding(rule.id, severity, rule.text, rule.todo, hit.note, written(hit.at), line, column)
        found.setdefault((one.at, one.note.en), one)
        if len(found) >= checks.MOST:
            break
    return list(found.values())
