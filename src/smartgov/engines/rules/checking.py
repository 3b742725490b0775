"""The test cases that stand beside the rules, and everything else that a content folder must hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from smartgov.engines.expr import as_json
from smartgov.engines.rules.decision import Decision
from smartgov.engines.rules.periods.span import ONCE, Span
from smartgov.engines.rules.rulebook import RuleBook, load
from smartgov.engines.rules.sources import read
from smartgov.shared.text import Text


@dataclass(slots=True)
class Report:
    """What was checked and what is wrong; `unverified` are the parameters whose source nobody has opened yet."""

    rules: int = 0
    formulas: int = 0
    parameters: int = 0
    cases: int = 0
    faults: list[Text] = field(default_factory=list)
    unverified: list[str] = field(default_factory=list)


def cases(folder: Path, rule: str) -> list[Mapping[str, Any]]:
    """The test cases beside a rule."""
    file = folder / "rules" / "tests" / f"{rule}.yaml"
    return list(read(file, f"rules/tests/{file.name}")) if file.is_file() else []


def check(folder: Path) -> Report:
    """Load the book (a Problem ends it) and decide every case; faults say rule, case and what differs."""
    book = load(folder)
    formulas = [name for name, each in book.variables.items() if each.versions]
    report = Report(rules=len(book.rules), formulas=len(formulas), parameters=len(book.parameters))
    for formula in formulas:
        found = formula_cases(folder, formula)
        report.cases += len(found)
        report.faults += _of_formula(book, formula, found)
    report.unverified = sorted(name for name, each in book.parameters.items() if not each.values[-1].verified)
    for rule in book.rules:
        found = cases(folder, rule)
        report.cases += len(found)
        report.faults += _of_rule(book, rule, found)
    return report


def formula_cases(folder: Path, formula: str) -> list[Mapping[str, Any]]:
    """The test cases beside a formula by period."""
    file = folder / "formulas" / "tests" / f"{formula}.yaml"
    return list(read(file, f"formulas/tests/{file.name}")) if file.is_file() else []


def _of_formula(book: RuleBook, formula: str, found: list[Mapping[str, Any]]) -> Iterator[Text]:
    if all(case.get("value") is None for case in found):
        yield Text(f"{formula}: no case has a value", f"{formula}：沒有得出數值的案例")
    for case in found:
        name = Text.of(case["name"])
        for difference in formula_differences(book, formula, case):
            yield Text(f"{formula}: {name.en}: {difference}", f"{formula}：{name.zh}：{difference}")


def formula_differences(book: RuleBook, formula: str, case: Mapping[str, Any]) -> Iterator[str]:
    """Where a case of a formula and what it gives differ."""
    span = ONCE if case["period"] == "once" else Span.of(case["period"])
    found = book.calculate(formula, book.situation(as_json(case["situation"])), span, case["who"])
    if found.value != case.get("value"):
        yield f"{found.value}, expected {case.get('value')}"
    if "missing" in case and list(found.missing) != case["missing"]:
        yield f"missing {list(found.missing)}, expected {case['missing']}"


def decided(book: RuleBook, rule: str, case: Mapping[str, Any]) -> Decision:
    """The decision of a case; facts that it leaves to formulas come from its situation."""
    situation = book.situation(as_json(case["situation"])) if "situation" in case else None
    return book.decide(rule, as_json(case["facts"]), case["day"], situation=situation, who=case.get("who", ""))


def _of_rule(book: RuleBook, rule: str, found: list[Mapping[str, Any]]) -> Iterator[Text]:
    outcomes = {case["outcome"] for case in found}
    for wanted in ("granted", "refused", "undecided"):
        if wanted not in outcomes:
            yield Text(f"{rule}: no case is {wanted}", f"{rule}：沒有結果為 {wanted} 的案例")
    for case in found:
        for difference in differences(book, rule, case):
            name = Text.of(case["name"])
            yield Text(f"{rule}: {name.en}: {difference}", f"{rule}：{name.zh}：{difference}")


def differences(book: RuleBook, rule: str, case: Mapping[str, Any]) -> Iterator[str]:
    """Where a case and the decision differ; nothing when they agree."""
    decision = decided(book, rule, case)
    if decision.outcome != case["outcome"]:
        yield f"outcome {decision.outcome}, expected {case['outcome']}"
    for name, value in as_json(case.get("values", {})).items():
        if decision.values.get(name) != value:
            yield f"{name} {decision.values.get(name)}, expected {value}"
    for name in set(case.get("absent", ())) & set(decision.values):
        yield f"{name} {decision.values[name]}, expected none"
    if "missing" in case and list(decision.missing) != case["missing"]:
        yield f"missing {list(decision.missing)}, expected {case['missing']}"
    if "expected" in case and decision.expected is not case["expected"]:
        yield f"expected {decision.expected}"
    held = {step.id: step.holds for step in decision.explanation}
    for name, holds in case.get("holds", {}).items():
        if held.get(name) is not holds:
            yield f"{name} {held.get(name)}, expected {holds}"
