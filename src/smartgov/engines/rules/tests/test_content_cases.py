"""The published rules decide the cases that stand beside them."""

from datetime import date

import pytest
import yaml

from smartgov.engines import rules
from smartgov.engines.expr import as_json
from smartgov.engines.rules import checking
from smartgov.engines.rules.periods.sql import check_periods
from smartgov.engines.rules.periods.variables import used_parameters
from smartgov.shared import content

BOOK = rules.load(content.ROOT)
CASES = [
    pytest.param(path.stem, case, id=f"{path.stem}: {case['name']['en']}")
    for path in sorted((content.ROOT / "rules" / "tests").glob("*.yaml"))
    for case in yaml.safe_load(path.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize(("rule", "case"), CASES)
def test_case(rule, case):
    decision = checking.decided(BOOK, rule, case)
    assert decision.outcome == case["outcome"], [(step.id, step.holds) for step in decision.explanation]
    assert {name: decision.values.get(name) for name in case.get("values", {})} == as_json(case.get("values", {}))
    assert not set(case.get("absent", ())) & set(decision.values)
    if "missing" in case:
        assert list(decision.missing) == case["missing"]
    if "expected" in case:
        assert decision.expected is case["expected"]
    held = {step.id: step.holds for step in decision.explanation}
    assert {name: held[name] for name in case.get("holds", {})} == case.get("holds", {})


FORMULAS = [name for name, each in BOOK.variables.items() if each.versions]


@pytest.mark.parametrize("formula", FORMULAS)
def test_formula(formula):
    found = checking.formula_cases(content.ROOT, formula)
    assert any(case.get("value") is not None for case in found)
    assert [list(checking.formula_differences(BOOK, formula, case)) for case in found] == [[] for _ in found]


def test_formulas_have_sql_on_both_databases():
    check_periods(BOOK.variables, BOOK.parameters)


def test_every_rule_has_granted_and_refused_cases():
    outcomes = {rule: set() for rule in BOOK.rules}
    for rule, case in (param.values for param in CASES):
        outcomes[rule].add(case["outcome"])
    assert all({"granted", "refused", "undecided"} <= found for found in outcomes.values())


def test_every_parameter_is_used_and_every_condition_decides_somewhere():
    used = {each.name for rule in BOOK.rules.values() for version in rule.versions for each in version.parameters}
    used |= set(used_parameters(BOOK.variables))
    assert used == set(BOOK.parameters)
    refusing = {(rule, step.id) for rule, case in (param.values for param in CASES) for step in _failing(rule, case)}
    conditions = {(rule.id, each.id) for rule in BOOK.rules.values() for v in rule.versions for each in v.conditions}
    assert refusing == conditions


def _failing(rule, case):
    decision = checking.decided(BOOK, rule, case)
    return [step for step in decision.explanation if step.kind == "condition" and step.holds is False]


def test_every_step_cites_an_official_address_in_both_languages():
    decision = BOOK.decide(
        "childcare_allowance_0_2", {"birth_date": "2026-11-01", "elder_children": 1}, date(2026, 11, 22)
    )
    for step in decision.as_dict()["explanation"]:
        assert step["source"]["url"].startswith("https://")
        assert all(step[key][language] for key in ("text", "because") for language in ("en", "zh"))
