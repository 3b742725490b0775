"""A formula worked out for one person or household, and the account of how: every step, its months, its law."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from smartgov.engines import expr
from smartgov.engines.expr import Trace, Unknown
from smartgov.engines.rules.decision import Cited
from smartgov.engines.rules.facts import invalid
from smartgov.engines.rules.parameters import Parameter
from smartgov.engines.rules.periods import words
from smartgov.engines.rules.periods.plan import Plan, Step, make_plan
from smartgov.engines.rules.periods.situation import Situation
from smartgov.engines.rules.periods.span import ONCE, Span
from smartgov.engines.rules.periods.variables import Variables
from smartgov.engines.rules.sources import Citation
from smartgov.engines.rules.wording import Term, because, show
from smartgov.shared.text import Text

DEEPEST = 12
"""Levels of an account; what lies below is named and not taken apart."""


@dataclass(frozen=True, slots=True)
class Account:
    """How one value came about.

    `text` names the value and its period, `who` whose it is, `because` retells the calculation or lists the months,
    `value` is JSON (None: not known), `shown` the value in words, `parts` are the accounts of what was asked for.
    """

    name: str
    who: str
    period: str
    text: Text
    because: Text
    value: Any
    shown: Text
    parameters: tuple[Cited, ...]
    source: Citation | None
    parts: tuple[Account, ...]

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "name": self.name,
            "who": self.who,
            "period": self.period,
            "text": self.text.as_dict(),
            "because": self.because.as_dict(),
            "value": self.value,
            "shown": self.shown.as_dict(),
            "parameters": [cited.as_dict() for cited in self.parameters],
            "source": self.source.as_dict() if self.source else None,
            "parts": [part.as_dict() for part in self.parts],
        }


@dataclass(frozen=True, slots=True)
class Calculation:
    """A formula's value for one person or household; None, with what is `missing`, when it is not known."""

    formula: str
    who: str
    period: Span
    value: Any
    missing: tuple[str, ...]
    account: Account

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        plain = {"formula": self.formula, "who": self.who, "period": str(self.period)}
        return {
            **plain,
            "value": expr.as_json(self.value),
            "missing": list(self.missing),
            "account": self.account.as_dict(),
        }


def calculate(
    variables: Variables,
    parameters: Mapping[str, Parameter],
    formula: str,
    situation: Situation,
    period: Span,
    who: str,
    plan: Plan | None = None,
) -> Calculation:
    """Work out `formula` for the person or household `who`; Problem `fact-invalid` when the situation lacks them."""
    plan = plan or make_plan(variables, parameters, {formula: (formula, period)})
    key = plan.wanted[formula]
    if who not in situation.given[plan.steps[key].entity]:
        raise invalid(f"there is no {plan.steps[key].entity} {who} in the situation")
    work = _Work(plan, situation, parameters, who)
    value = work.value(key, who)
    missing = tuple(sorted(value.missing)) if isinstance(value, Unknown) else ()
    known = None if isinstance(value, Unknown) else value
    return Calculation(formula, who, plan.steps[key].span, known, missing, work.account(key, who))


class _Work:
    """Values by step and entity, each worked out once."""

    def __init__(self, plan: Plan, situation: Situation, parameters: Mapping[str, Parameter], who: str) -> None:
        self._plan, self._situation, self._parameters, self._who = plan, situation, parameters, who
        self._values: dict[tuple[str, str], Any] = {}
        self._traces: dict[tuple[str, str], Trace] = {}

    def value(self, key: str, who: str) -> Any:
        """The value of a step, Unknown with the names of what is missing.

        What comes before is worked out first, in the plan's order, so that long chains of months need no deep stack.
        """
        if (key, who) not in self._values:
            self._values[key, who] = self._found(self._plan.steps[key], who)
        return self._values[key, who]

    def _found(self, step: Step, who: str) -> Any:
        if step.kind == "input":
            return self._named(self._situation.value(step.variable, who, step.span), who)
        if step.kind == "nothing":
            return self._named(Unknown(frozenset({f"{step.variable.name} {step.span}".strip()})), who)
        if step.kind == "members":
            return self._of_members(step, who)
        if step.kind == "household":
            home = self._situation.household.get(who)
            missing = Unknown(frozenset({f"household of {who}"}))
            return missing if home is None else self.value(step.of or "", home)
        trace = expr.trace(step.node, self._data(step, who))
        self._traces[step.key, who] = trace
        return self._checked(step, trace.value)

    def _checked(self, step: Step, value: Any) -> Any:
        if isinstance(value, Unknown) or value is None:
            names = value.missing if isinstance(value, Unknown) else {"ask.nothing"}
            name = f"{step.variable.name} {step.span}".strip()
            return Unknown(frozenset(name if each.startswith("ask.") else each for each in names))
        if step.kind == "formula" and (isinstance(value, Fraction) or not _is(value, step.variable.kind)):
            kind = "fraction; round it" if isinstance(value, Fraction) else f"{expr.values.kind(value)}"
            raise invalid(f"{step.variable.name} should be a {step.variable.kind}, and is a {kind}")
        return value

    def _data(self, step: Step, who: str) -> dict[str, Any]:
        data: dict[str, Any] = {"param": {name: held.value for name, held in step.parameters.items()}}
        if step.span != ONCE:
            data["period"] = {"start": step.span.start, "end": step.span.end}
        data["ask"] = {key: self.value(key, who) for key in step.reads}
        return data

    def _named(self, value: Any, who: str) -> Any:
        """What is missing of others is missing with their name."""
        if isinstance(value, Unknown) and who != self._who:
            return Unknown(frozenset(f"{name} ({who})" for name in value.missing))
        return value

    def members(self, step: Step, home: str) -> list[tuple[str, Any, Any]]:
        """Each member who may count: id, whether the condition holds, the value."""
        role = step.ask.role if step.ask else None
        people = [name for name, own in self._situation.members[home].items() if role is None or own == role]
        return [
            (name, self.value(step.where, name) if step.where else True, self.value(step.of or "", name))
            for name in people
        ]

    def _of_members(self, step: Step, home: str) -> Any:
        take = step.ask.take if step.ask else ""
        found = self.members(step, home)
        if take in ("any", "all", "count"):
            return self._of_flags(take, found)
        counted = [(hold, value) for _, hold, value in found if hold is not False]
        unknown = [each for hold, value in counted for each in (hold, value) if isinstance(each, Unknown)]
        if unknown:
            return expr.values.join(unknown)
        values = [value for _, value in counted]
        if take == "sum":
            return sum(values)
        if not values:
            return Unknown(frozenset({f"{step.variable.name} {step.span}".strip()}))
        average = Fraction(sum(values), len(values))
        return expr.values.tidy(average) if take == "average" else {"min": min, "max": max}[take or ""](values)

    def _of_flags(self, take: str, found: list[tuple[str, Any, Any]]) -> Any:
        if take == "all":
            return _kleene("and", [_kleene("or", [_not(hold), value]) for _, hold, value in found])
        flags = [_kleene("and", [hold, value]) for _, hold, value in found]
        if take == "any":
            return _kleene("or", flags)
        unknown = [each for each in flags if isinstance(each, Unknown)]
        return expr.values.join(unknown) if unknown else sum(each is True for each in flags)

    def account(self, key: str, who: str, depth: int = 0) -> Account:
        """How the value of a step came about, as deep as it is worth telling."""
        step = self._plan.steps[key]
        if step.kind == "household":
            return (
                self.account(step.of or "", self._situation.household.get(who, ""), depth)
                if self._lives(who)
                else self._plain(step, who)
            )
        if step.kind == "members":
            return self._account_of_members(step, who, depth)
        if step.kind == "months":
            return self._account_of_months(step, who, depth)
        trace = self._traces.get((key, who))
        if trace is None:
            return self._plain(step, who)
        passed = self._passed_on(step, who, trace)
        if passed is not None:
            account = self.account(passed, who, depth)
            since = self._plan.steps[passed].span
            return replace(account, text=words.as_in(step.variable, step.span, since), period=str(step.span))
        return self._account_of_formula(step, who, trace, depth)

    def _lives(self, who: str) -> bool:
        return who in self._situation.household

    def _passed_on(self, step: Step, who: str, trace: Trace) -> str | None:
        """The earlier month of the same formula whose value this month took over unchanged."""
        last, found = trace, None
        while True:
            while last.op == "if" and last.children and last.children[-1].value == last.value:
                last = last.children[-1]
            key = (last.path or "").removeprefix("ask.")
            other = self._plan.steps.get(key) if last.op == "var" else None
            if other is None or other.kind != "formula" or other.variable is not step.variable:
                return found
            found, last = key, self._traces[key, who]

    def _account_of_formula(self, step: Step, who: str, trace: Trace, depth: int) -> Account:
        names = list(dict.fromkeys(node.path for node in trace.walk() if node.path))
        keys = [name.removeprefix("ask.") for name in names if name.removeprefix("ask.") in step.reads]
        params = [name.removeprefix("param.") for name in names if name.startswith("param.")]
        parts = [self.account(key, who, depth + 1) for key in keys if self._told(key, depth)]
        return self._account(
            step,
            who,
            because=_why(trace, self._terms(step), step.variable.kind),
            parameters=tuple(self._cited(name, step) for name in params if name in step.parameters),
            source=step.version.source if step.version else None,
            parts=tuple(parts),
        )

    def _told(self, key: str, depth: int) -> bool:
        """An input is told by the sentence that uses it; everything else has an account of its own."""
        step = self._plan.steps[key]
        if step.kind == "household":
            step = self._plan.steps[step.of or ""]
        return step.kind != "input" and depth < DEEPEST

    def _account_of_months(self, step: Step, who: str, depth: int) -> Account:
        """The months in runs of equal values; a formula is taken apart for the last month of the newest runs."""
        spans = [self._plan.steps[key].span for key in step.asked]
        values = [self.value(key, who) for key in step.asked]
        runs = words.runs(spans, values)
        ends = [step.asked[end] for _, end in runs][-3:]
        parts = [self.account(key, who, depth + 1) for key in ends if self._told(key, depth)]
        told = words.months(step.variable, spans, values, runs)
        return self._account(
            step, who, because=told, text=words.window(step.ask, step.variable, spans), parts=tuple(parts)
        )

    def _account_of_members(self, step: Step, home: str, depth: int) -> Account:
        found = self.members(step, home)
        shown = [(who, hold, show(value, step.variable.kind, step.variable.labels)) for who, hold, value in found]
        counted = [who for who, hold, _ in found if hold is not False]
        told = [self.account(step.of or "", who, depth + 1) for who in counted if self._told(step.of or "", depth)]
        text = words.of_members(step.ask, step.variable, step.span)
        return self._account(step, home, because=words.members(shown), text=text, parts=tuple(told))

    def _plain(self, step: Step, who: str) -> Account:
        return self._account(step, who, because=Text("", ""))

    def _account(
        self,
        step: Step,
        who: str,
        *,
        because: Text,
        text: Text | None = None,
        parameters: tuple[Cited, ...] = (),
        source: Citation | None = None,
        parts: tuple[Account, ...] = (),
    ) -> Account:
        value, kind = self.value(step.key, who), words.kind(step)
        return Account(
            name=step.variable.name,
            who=who,
            period=str(step.span),
            text=text or words.title(step.variable, step.span),
            because=because,
            value=expr.as_json(value),
            shown=show(value, kind, step.variable.labels if kind == step.variable.kind else None),
            parameters=parameters,
            source=source,
            parts=parts,
        )

    def _terms(self, step: Step) -> Mapping[str, Term]:
        terms = {f"ask.{key}": self._term(self._plan.steps[key], step) for key in step.reads}
        for name in step.parameters:
            parameter = self._parameters[name]
            terms[f"param.{name}"] = Term(parameter.title, parameter.unit)
        return {**terms, **words.period_terms(step.span)}

    def _term(self, step: Step, reader: Step) -> Term:
        kind = words.kind(step)
        labels = step.variable.labels if kind == step.variable.kind else {}
        return Term(self._called(step, reader), kind, labels)

    def _called(self, step: Step, reader: Step) -> Text:
        if step.kind == "months":
            return words.window(step.ask, step.variable, [self._plan.steps[key].span for key in step.asked])
        if step.kind == "members":
            return words.of_members(step.ask, step.variable, step.span)
        return step.variable.title if step.span in (reader.span, ONCE) else words.title(step.variable, step.span)

    def _cited(self, name: str, step: Step) -> Cited:
        parameter = self._parameters[name]
        return Cited(name, parameter.title, parameter.unit, step.parameters[name])


def _why(trace: Trace, terms: Mapping[str, Term], kind: str) -> Text:
    """The calculation in words; of a choice the conditions that were looked at, then what was chosen."""
    if trace.op != "if" or not trace.children:
        return because(trace, terms, kind)
    *conditions, chosen = trace.children
    told = [because(each, terms) for each in conditions]
    if chosen.op != "literal":
        told.append(_why(chosen, terms, kind))
    return Text("; ".join(each.en for each in told), "；".join(each.zh for each in told))


def _is(value: Any, kind: str) -> bool:
    wanted = {"money": "number", "yesno": "boolean"}.get(kind, kind)
    return expr.values.kind(value) == wanted


def _not(value: Any) -> Any:
    return value if isinstance(value, Unknown) else not value


def _kleene(op: str, values: list[Any]) -> Any:
    """`and` or `or` of any number of values: one that decides decides, whatever the unknown ones are."""
    deciding = op == "or"
    if any(value is deciding for value in values):
        return deciding
    unknown = [value for value in values if isinstance(value, Unknown)]
    return expr.values.join(unknown) if unknown else not deciding


def walk(account: Account) -> Iterator[tuple[int, Account]]:
    """Every account with its depth, each before its parts."""
    yield 0, account
    for part in account.parts:
        yield from ((depth + 1, each) for depth, each in walk(part))
