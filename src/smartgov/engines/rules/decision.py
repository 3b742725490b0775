"""One decision: conditions and values evaluated over facts, explained from the evaluated tree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from typing import Any

from smartgov.engines import expr
from smartgov.engines.rules.facts import invalid as fact_invalid
from smartgov.engines.rules.parameters import DatedValue, Parameter
from smartgov.engines.rules.sources import Citation
from smartgov.engines.rules.wording import Term, because, fill, show
from smartgov.shared.canonical import dumps
from smartgov.shared.text import Text

Parameters = tuple[Parameter, ...]
Conditions = tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that must hold, or (among `refer`) that only a person may judge."""

    id: str
    text: Text
    when: Any
    source: Citation


@dataclass(frozen=True, slots=True)
class Value:
    """Something that the decision computes; `kind` says how it is shown, `labels` gives words for certain values."""

    id: str
    title: Text
    kind: str
    value: Any
    source: Citation
    labels: Mapping[str, Text] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FactAsk:
    """A fact that a formula by period gives where nobody states it: for the period that holds the day `day`."""

    formula: str
    day: Any


@dataclass(frozen=True, slots=True)
class RuleVersion:
    """A rule as it reads from the day `since` on."""

    since: date
    source: Citation
    facts: Mapping[str, Term]
    conditions: Conditions
    refer: Conditions
    values: tuple[Value, ...]
    summary: Mapping[str, Text]
    parameters: Parameters
    fingerprint: str
    formulas: tuple[Value, ...] = ()
    asks: Mapping[str, FactAsk] = field(default_factory=dict)

    def names(self) -> set[str]:
        """What expressions and texts may refer to, besides formulas and values computed before them."""
        return {"on"} | {f"fact.{name}" for name in self.facts} | {f"param.{each.name}" for each in self.parameters}

    def terms(self) -> dict[str, Term]:
        """How each name is called and shown."""
        terms = {f"fact.{name}": term for name, term in self.facts.items()}
        terms |= {f"param.{each.name}": Term(each.title, each.unit) for each in self.parameters}
        terms |= {f"formula.{each.id}": Term(each.title, each.kind, each.labels) for each in self.formulas}
        return terms | {f"value.{value.id}": Term(value.title, value.kind, value.labels) for value in self.values}


@dataclass(frozen=True, slots=True)
class Cited:
    """A parameter's value as a decision used it."""

    name: str
    title: Text
    unit: str
    held: DatedValue

    def as_dict(self) -> dict[str, Any]:
        """The JSON form: the value, since when, from which source, and whether we saw the source."""
        return {
            "name": self.name,
            "title": self.title.as_dict(),
            "unit": self.unit,
            "value": self.held.value,
            "shown": show(self.held.value, self.unit).as_dict(),
            "from": self.held.since.isoformat(),
            "source": self.held.source.as_dict(),
            "verified": self.held.verified,
        }


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the explanation.

    `kind` is formula, condition, refer or value. `holds` is whether a condition holds (None: not known; always None for
    formulas and values).
    `text` states it, `because` retells the evaluated tree, `tree` is that tree, `shown` a value in words.
    `parameter` names the first parameter used, `parameters` gives all of them with their citations.
    """

    kind: str
    id: str
    text: Text
    because: Text
    holds: bool | None
    facts_used: Mapping[str, Any]
    parameter: str | None
    parameters: tuple[Cited, ...]
    value: Any
    shown: Text | None
    source: Citation
    tree: Mapping[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "kind": self.kind,
            "id": self.id,
            "text": self.text.as_dict(),
            "because": self.because.as_dict(),
            "holds": self.holds,
            "facts_used": dict(self.facts_used),
            "parameter": self.parameter,
            "parameters": [cited.as_dict() for cited in self.parameters],
            "value": self.value,
            "shown": self.shown.as_dict() if self.shown else None,
            "source": self.source.as_dict(),
            "tree": dict(self.tree),
        }


@dataclass(frozen=True, slots=True)
class Asked:
    """What formulas by period gave a decision: facts (Unknown where they are not known), their steps, and a digest of
    each formula's text and parameters."""

    facts: Mapping[str, Any] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    digests: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decision:
    """What a rule says about given facts on a given day.

    `outcome` is granted (all conditions hold, nothing is referred), refused (a condition does not hold) or undecided
    (something is missing or a person must judge). `expected` is true while nothing known speaks against granting.
    `values` are JSON values; those that rest on missing facts are absent, and a refusal has none. `version` changes
    with the rule's text and with every parameter value it used.
    """

    rule: str
    title: Text
    version: str
    on: date
    outcome: str
    expected: bool
    summary: Text
    values: Mapping[str, Any]
    missing: tuple[str, ...]
    explanation: tuple[Step, ...]
    source: Citation | None

    def as_dict(self) -> dict[str, Any]:
        """The JSON form, without floats."""
        return {
            "rule": self.rule,
            "title": self.title.as_dict(),
            "version": self.version,
            "on": self.on.isoformat(),
            "outcome": self.outcome,
            "expected": self.expected,
            "summary": self.summary.as_dict(),
            "values": dict(self.values),
            "missing": list(self.missing),
            "explanation": [step.as_dict() for step in self.explanation],
            "source": self.source.as_dict() if self.source else None,
        }


def decide(
    rule: str,
    title: Text,
    version: RuleVersion | None,
    *,
    facts: Mapping[str, Any],
    on: date,
    parameters: Mapping[str, Parameter],
    asked: Asked | None = None,
) -> Decision:
    """Evaluate `version` over `facts` on the day `on`; without a version in force the case goes to a person.

    `asked` are facts that formulas by period gave; their steps come first.
    """
    if version is None:
        return _not_in_force(rule, title, on)
    held = {each.name: each.at(on) for each in version.parameters}
    in_force = {name: value for name, value in held.items() if value is not None}
    asked = asked or Asked()
    work = _Work(version, typed(facts, version.facts) | dict(asked.facts), in_force, parameters, on)
    formulas = [work.formula(each) for each in version.formulas]
    conditions = [work.condition("condition", each) for each in version.conditions]
    referred = [work.condition("refer", each) for each in version.refer]
    values = [work.value(each) for each in version.values]
    outcome = _outcome(conditions, referred, values)
    # A refusal carries no amount: nobody shall read, or pay, what was not granted.
    given = [] if outcome == "refused" else values
    return Decision(
        rule=rule,
        title=title,
        version=_fingerprint(rule, version, in_force, asked),
        on=on,
        outcome=outcome,
        expected=all(step.holds is not False for step in conditions) and not any(step.holds for step in referred),
        summary=fill(version.summary[outcome], work.data, work.terms),
        values={step.id: step.value for step in given if step.value is not None},
        missing=work.missing(),
        explanation=asked.steps
        + tuple(formulas + conditions + [step for step in referred if step.holds is not False] + given),
        source=version.source,
    )


class _Work:
    """The data of one decision while its steps are evaluated in order."""

    def __init__(
        self,
        version: RuleVersion,
        facts: Mapping[str, Any],
        held: Mapping[str, DatedValue],
        parameters: Mapping[str, Parameter],
        on: date,
    ) -> None:
        self.terms = version.terms()
        self._held, self._parameters = held, parameters
        self._missing: set[str] = set()
        self._values: dict[str, Any] = {}
        self._formulas: dict[str, Any] = {}
        params = {name: value.value for name, value in held.items()}
        self.data: dict[str, Any] = {"fact": facts, "param": params, "value": self._values, "on": on}
        self.data["formula"] = self._formulas

    def condition(self, kind: str, condition: Condition) -> Step:
        """Evaluate a condition; what it misses is remembered."""
        tree = expr.trace(condition.when, self.data)
        if isinstance(tree.value, expr.Unknown):
            self._missing |= tree.value.missing
        holds = None if isinstance(tree.value, expr.Unknown) else tree.value is True
        return self._step(kind, condition, condition.text, tree, holds)

    def formula(self, formula: Value) -> Step:
        """Work out what conditions and values may use; one that cannot be known passes on what it misses."""
        tree = expr.trace(formula.value, self.data)
        if tree.value is not None:
            self._formulas[formula.id] = tree.value
        return self._step("formula", formula, formula.title, tree, None)

    def value(self, value: Value) -> Step:
        """Compute a value; later values may use it. Null, like the unknown, is no value."""
        tree = expr.trace(value.value, self.data)
        if isinstance(tree.value, expr.Unknown):
            self._missing |= tree.value.missing
        elif tree.value is not None:
            self._values[value.id] = tree.value
        return self._step("value", value, value.title, tree, None)

    def missing(self) -> tuple[str, ...]:
        """The plain names of facts (and of parameters not in force) that were wanted and not there."""
        own = ("value.", "formula.")
        return tuple(sorted({name.removeprefix("fact.") for name in self._missing if not name.startswith(own)}))

    def _step(self, kind: str, part: Condition | Value, text: Text, tree: expr.Trace, holds: bool | None) -> Step:
        paths = list(dict.fromkeys(node.path for node in tree.walk() if node.path))
        facts = [path.removeprefix("fact.") for path in paths if path.startswith("fact.")]
        names = [path.removeprefix("param.") for path in paths if path.startswith("param.")]
        return Step(
            kind=kind,
            id=part.id,
            text=fill(text, self.data, self.terms),
            because=because(tree, self.terms, part.kind if isinstance(part, Value) else ""),
            holds=holds,
            facts_used={name: expr.as_json(self.data["fact"].get(name)) for name in facts},
            parameter=names[0] if names else None,
            parameters=tuple(self._cited(name) for name in names if name in self._held),
            value=expr.as_json(tree.value),
            shown=show(tree.value, part.kind, part.labels) if isinstance(part, Value) else None,
            source=part.source,
            tree=tree.as_dict(),
        )

    def _cited(self, name: str) -> Cited:
        parameter = self._parameters[name]
        return Cited(name, parameter.title, parameter.unit, self._held[name])


def _outcome(conditions: list[Step], referred: list[Step], values: list[Step]) -> str:
    if any(step.holds is False for step in conditions):
        return "refused"
    unsure = any(step.holds is None for step in conditions) or any(step.holds is not False for step in referred)
    return "undecided" if unsure or any(step.value is None for step in values) else "granted"


def typed(facts: Mapping[str, Any], terms: Mapping[str, Term]) -> dict[str, Any]:
    """The declared facts in their types; null and undeclared ones are left out."""
    given = {name: value for name, value in facts.items() if name in terms and value is not None}
    return {name: as_kind(value, terms[name].kind, name) for name, value in given.items()}


_TYPES: dict[str, type] = {"number": int, "money": int, "yesno": bool, "text": str, "month": str, "date": date}


def as_kind(value: Any, kind: str, name: str) -> Any:
    """A JSON value in the type that its kind wants; Problem `fact-invalid` when it is of another."""
    if kind == "date" and isinstance(value, str):
        try:
            value = date.fromisoformat(value)
        except ValueError as error:
            raise fact_invalid(f"{name} is not a date written YYYY-MM-DD") from error
    if not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "yesno"):
        raise fact_invalid(f"{name} is not a {kind}")
    return value


def _fingerprint(rule: str, version: RuleVersion, held: Mapping[str, DatedValue], asked: Asked) -> str:
    used = {name: [each.value, each.since.isoformat(), each.source.as_dict()] for name, each in held.items()}
    used |= {name: [digest] for name, digest in asked.digests.items()}
    return sha256(dumps({"rule": rule, "text": version.fingerprint, "parameters": used})).hexdigest()[:12]


def _not_in_force(rule: str, title: Text, on: date) -> Decision:
    text = Text(
        "No published version of this rule was in force on that day; an officer decides.",
        "該日尚無已公布之規則版本，由承辦人員審查。",
    )
    return Decision(rule, title, "none", on, "undecided", False, text, {}, (), (), None)
