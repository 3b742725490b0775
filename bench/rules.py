"""How many decisions with their full explanation one core makes in a second of CPU; every amount is checked."""

from __future__ import annotations

from datetime import date, timedelta
from time import process_time

from smartgov.engines import rules
from smartgov.engines.rules import checking
from smartgov.shared import content

AMOUNTS = (5000, 6000, 7000)
ON = date(2026, 11, 22)
PEOPLE = 2000


def main() -> None:
    """Print decisions a second for the childcare allowance and the maternity benefit, and what loading costs."""
    started = process_time()
    book = rules.load(content.ROOT)
    print(f"load the rule book            {(process_time() - started) * 1000:8.1f} CPU ms")
    for name, once in (("childcare_allowance_0_2", _allowance), ("maternity_benefit_labour", _maternity)):
        started = process_time()
        for person in range(PEOPLE):
            once(book, person)
        print(
            f"{name:<30}{PEOPLE / (process_time() - started):8.0f} decisions a CPU second, all {PEOPLE} amounts right"
        )
    _cases(book)


def _cases(book: rules.RuleBook) -> None:
    """Every test case of every rule, ten times over; the outcome must be the one that stands in the case."""
    cases = [(rule, case) for rule in book.rules for case in checking.cases(content.ROOT, rule)]
    started = process_time()
    for _ in range(10):
        for rule, case in cases:
            if checking.decided(book, rule, case).outcome != case["outcome"]:
                raise SystemExit(f"wrong decision: {rule} {case['name']}")
    each = (process_time() - started) / len(cases) / 10
    print(
        f"all {len(cases)} cases of {len(book.rules)} rules   {each * 1e6:8.0f} CPU us a decision with its explanation"
    )


def _allowance(book: rules.RuleBook, person: int) -> None:
    elder, days = person % 5, person % 60
    facts = {
        "birth_date": (ON - timedelta(days=days)).isoformat(),
        "child_registered": True,
        "child_nationality": "TW",
        "elder_children": elder,
        "placement": "none",
        "already_paid": False,
    }
    decision = book.decide("childcare_allowance_0_2", facts, ON)
    _expect(decision, "granted", AMOUNTS[min(elder, 2)])


def _maternity(book: rules.RuleBook, person: int) -> None:
    insured, wage = 150 + person % 300, 27_470 + person
    facts = {
        "birth_date": "2026-11-01",
        "children_born": 1,
        "gestation_weeks": 39,
        "insured_days": insured,
        "insured_at_birth": True,
        "average_wage": wage,
        "already_paid": False,
    }
    decision = book.decide("maternity_benefit_labour", facts, ON)
    _expect(decision, *(("granted", 2 * wage) if insured >= 280 else ("refused", None)))


def _expect(decision: rules.Decision, outcome: str, amount: int | None) -> None:
    if (decision.outcome, decision.values.get("amount")) != (outcome, amount):
        raise SystemExit(f"wrong decision: {decision.outcome} {decision.values}, expected {outcome} {amount}")
