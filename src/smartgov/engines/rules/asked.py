"""Facts that a rule asks of a formula by period: declared beside the fact, worked out where nobody stated the value.

    average_wage:
      kind: money
      title: ...
      ask: {formula: average_insured_salary, day: {var: fact.left_on}}

The formula is worked out for the month (or year) that holds `day`; without `day` for the one of the decision.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from hashlib import sha256
from typing import Any

from smartgov.engines import expr
from smartgov.engines.rules.decision import Asked, FactAsk, RuleVersion, Step, typed
from smartgov.engines.rules.periods.calculation import Calculation, walk
from smartgov.engines.rules.periods.span import ONCE, Span
from smartgov.engines.rules.periods.variables import Variable
from smartgov.engines.rules.sources import invalid
from smartgov.shared.canonical import dumps
from smartgov.shared.text import Text

Calculate = Callable[[str, Span], Calculation]


def read_asks(
    facts: Mapping[str, Mapping[str, Any]], variables: Mapping[str, Variable], place: str
) -> dict[str, FactAsk]:
    """The questions beside a rule's facts; Problem `rule-invalid` for one that no formula of a person answers."""
    found = {}
    for name, raw in facts.items():
        if "ask" not in raw:
            continue
        ask = raw["ask"]
        variable = variables.get(ask.get("formula"))
        if variable is None or variable.entity != "person" or variable.kind != raw["kind"]:
            raise invalid(place, f"asks {name} of {ask.get('formula')}, which is no formula of a person of that kind")
        day = ask.get("day", {"var": "on"})
        expr.check(day)
        lost = expr.references(day) - {"on"} - {f"fact.{other}" for other, each in facts.items() if "ask" not in each}
        if lost or set(ask) - {"formula", "day"}:
            raise invalid(place, f"asks {name} for a day made of {sorted(lost)}, which must be stated facts")
        found[name] = FactAsk(variable.name, day)
    return found


def answered(
    version: RuleVersion, facts: Mapping[str, Any], on: date, calculate: Calculate, variables: Mapping[str, Variable]
) -> Asked:
    """The facts that nobody stated, from their formulas."""
    stated = typed(facts, version.facts)
    values, steps, digests = {}, [], {}
    for name, ask in version.asks.items():
        if name in stated:
            continue
        day = expr.evaluate(ask.day, {"fact": stated, "on": on})
        if isinstance(day, expr.Unknown):
            values[name] = day
            continue
        variable = variables[ask.formula]
        month = Span.month_of(day)
        found = calculate(ask.formula, month.year() if variable.period == "year" else month)
        values[name] = found.value if found.value is not None else expr.Unknown(frozenset(found.missing))
        steps.append(_step(name, found, version))
        digests[f"formula {ask.formula}"] = _digest(found, variable)
    return Asked(values, tuple(steps), digests)


def _step(name: str, found: Calculation, version: RuleVersion) -> Step:
    """One step of the decision: the sentence of the formula and of the months below it; the whole account as tree."""
    account = found.account
    parts = [part for _, part in walk(account)]
    cited = {each.name: each for part in parts for each in part.parameters}
    told = [part.because for part in (account, *account.parts) if part.because.en]
    return Step(
        kind="formula",
        id=f"fact.{name}",
        text=account.text,
        because=Text(". ".join(each.en for each in told), "。".join(each.zh for each in told)),
        holds=None,
        facts_used={},
        parameter=next(iter(cited), None),
        parameters=tuple(cited.values()),
        value=account.value,
        shown=account.shown,
        source=account.source or next((part.source for part in parts if part.source), version.source),
        tree=account.as_dict(),
    )


def _digest(found: Calculation, variable: Variable) -> str:
    """Changes with the text of the formula and with every parameter that it or what it asked for used."""
    held = variable.on(found.period.start) if found.period != ONCE else variable.versions[-1]
    cited = {each.name: each.as_dict() for _, part in walk(found.account) for each in part.parameters}
    text = expr.as_json(held.node) if held else None
    return sha256(dumps({"text": text, "parameters": cited})).hexdigest()[:12]
