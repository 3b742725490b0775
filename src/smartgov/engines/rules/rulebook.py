"""Rules as data: read, checked, and kept by id with their dated versions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

from smartgov.engines import expr
from smartgov.engines.rules.asked import answered, read_asks
from smartgov.engines.rules.decision import Condition, Decision, Parameters, RuleVersion, Value, decide
from smartgov.engines.rules.parameters import Parameter, load_parameters
from smartgov.engines.rules.periods.calculation import Calculation, calculate
from smartgov.engines.rules.periods.plan import check_formulas
from smartgov.engines.rules.periods.situation import Situation
from smartgov.engines.rules.periods.span import Span
from smartgov.engines.rules.periods.variables import Variable, load_variables
from smartgov.engines.rules.sources import Citation, effective_from, invalid, read
from smartgov.engines.rules.tables import read_table
from smartgov.engines.rules.wording import Term, places
from smartgov.shared.canonical import dumps
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

FACT_KINDS = frozenset({"date", "number", "money", "yesno", "text", "month"})
OUTCOMES = ("granted", "refused", "undecided")


@dataclass(frozen=True, slots=True)
class Rule:
    """One decision that an agency makes, through time."""

    id: str
    title: Text
    agency: str
    versions: tuple[RuleVersion, ...]

    def at(self, day: date) -> RuleVersion | None:
        """The version in force on `day`, or None before the first one."""
        held = [version for version in self.versions if version.since <= day]
        return held[-1] if held else None

    def using(self, parameters: Mapping[str, Parameter]) -> Rule:
        """The same rule over other values of its parameters."""
        versions = tuple(
            replace(version, parameters=tuple(parameters[each.name] for each in version.parameters))
            for version in self.versions
        )
        return replace(self, versions=versions)


@dataclass(frozen=True, slots=True)
class RuleBook:
    """All rules of a jurisdiction with the parameters that they use."""

    rules: Mapping[str, Rule]
    parameters: Mapping[str, Parameter]
    variables: Mapping[str, Variable] = field(default_factory=dict)

    def changed(self, values: Mapping[str, int]) -> RuleBook:
        """The same book with other values of some parameters, in force since ever: for asking "what if".

        Problem `rule-invalid` for a parameter that the book does not have.
        """
        unknown = sorted(set(values) - set(self.parameters))
        if unknown:
            raise invalid("the change", f"names parameters that do not exist: {unknown}")
        fixed = {name: self.parameters[name].fixed(value) for name, value in values.items()}
        parameters = {**self.parameters, **fixed}
        return RuleBook({rule.id: rule.using(parameters) for rule in self.rules.values()}, parameters, self.variables)

    def situation(self, raw: Mapping[str, Any]) -> Situation:
        """Persons and households with what is known of them by period, as JSON; Problem `fact-invalid`."""
        return Situation.of(raw, self.variables)

    def calculate(self, formula: str, situation: Situation, period: Span, who: str) -> Calculation:
        """Work out a formula by period for one person or household, with its account.

        Problem `rule-invalid` for a formula or period that does not fit, `fact-invalid` for a situation that does not.
        """
        return calculate(self.variables, self.parameters, formula, situation, period, who)

    def decide(
        self, rule_id: str, facts: Mapping[str, Any], on: date, *, situation: Situation | None = None, who: str = ""
    ) -> Decision:
        """Decide by the version in force on the day `on` (the day of application).

        Facts are JSON values by name; an absent or null fact is not known. Nothing here raises for want of knowledge:
        what cannot be decided comes back as `undecided` with the names of what is missing. A fact that is not stated
        and that the rule asks of a formula by period is worked out for the person `who` of `situation`.
        """
        rule = self.rules.get(rule_id)
        if rule is None:
            raise invalid(rule_id, "is not a rule of this book")
        version = rule.at(on)
        asked = None
        if situation is not None and version is not None:

            def work_out(name: str, span: Span) -> Calculation:
                return self.calculate(name, situation, span, who)

            asked = answered(version, facts, on, work_out, self.variables)
        return decide(rule.id, rule.title, version, facts=facts, on=on, parameters=self.parameters, asked=asked)


def load(directory: str | Path) -> RuleBook:
    """The rule book of a folder that holds `rules/` and `parameters/`.

    Problem `rule-unsourced` for a rule or parameter without source or effective day, `rule-invalid` for one that names
    what does not exist; the whole book is refused, because a missing rule must not look like a refusal.
    """
    folder = Path(directory)
    parameters = load_parameters(folder / "parameters")
    variables = load_variables(folder)
    check_formulas(variables, parameters)
    rules = [_rule(path, parameters, variables) for path in sorted((folder / "rules").glob("*.yaml"))]
    return RuleBook({rule.id: rule for rule in rules}, parameters, variables)


_books: dict[Path, tuple[tuple[tuple[str, int, int], ...], RuleBook]] = {}


def current(directory: str | Path) -> RuleBook:
    """The rule book of a folder as its files are now: read again only when one of them has changed."""
    folder = Path(directory).resolve()
    files = sorted(path for name in ("rules", "parameters", "formulas") for path in (folder / name).glob("*.yaml"))
    files += [path for path in (folder / "inputs.yaml",) if path.is_file()]
    state = tuple((str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in files)
    if folder not in _books or _books[folder][0] != state:
        _books[folder] = (state, load(folder))
    return _books[folder][1]


def _rule(path: Path, parameters: Mapping[str, Parameter], variables: Mapping[str, Variable]) -> Rule:
    place = f"rules/{path.name}"
    raw = read(path, place)
    if not isinstance(raw, Mapping) or raw.get("id") != path.stem:
        raise invalid(place, "needs its file's name as id")
    try:
        versions = tuple(_version(version, place, parameters, variables) for version in raw["versions"])
        rule = Rule(raw["id"], Text.of(raw["title"]), raw["agency"], versions)
    except Problem as problem:
        if problem.slug == "expr-invalid":
            raise invalid(place, problem.why.en) from problem
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise invalid(place, f"lacks or misstates {error}") from error
    if not versions or any(a.since >= b.since for a, b in pairwise(versions)):
        raise invalid(place, "needs versions in the order of their days")
    return rule


def _version(
    raw: Mapping[str, Any], place: str, parameters: Mapping[str, Parameter], variables: Mapping[str, Variable]
) -> RuleVersion:
    source = Citation.of(raw.get("source"), place)
    facts = {name: _fact_term(fact, place) for name, fact in raw["facts"].items()}
    terms: dict[str, Term] = {f"fact.{name}": term for name, term in facts.items()}
    formulas = tuple(_value(value, source, place, terms, "formula") for value in raw.get("formulas", ()))
    values = tuple(_value(value, source, place, terms, "value") for value in raw.get("values", ()))
    version = RuleVersion(
        since=effective_from(raw, place),
        source=source,
        facts=facts,
        conditions=tuple(_condition(condition, source, place) for condition in raw["conditions"]),
        refer=tuple(_condition(condition, source, place) for condition in raw.get("refer", ())),
        values=values,
        summary={outcome: Text.of(raw["summary"][outcome]) for outcome in OUTCOMES},
        parameters=_used(raw, [each.value for each in (*formulas, *values)], parameters, place),
        fingerprint=sha256(dumps(expr.as_json(raw))).hexdigest(),
        formulas=formulas,
        asks=read_asks(raw["facts"], variables, place),
    )
    _check(version, place)
    return version


def _fact_term(raw: Mapping[str, Any], place: str) -> Term:
    if raw["kind"] not in FACT_KINDS:
        raise invalid(place, f"has a fact of unknown kind {raw['kind']}")
    labels = {str(value): Text.of(text) for value, text in raw.get("labels", {}).items()}
    return Term(Text.of(raw["title"]), raw["kind"], labels)


def _condition(raw: Mapping[str, Any], source: Citation, place: str) -> Condition:
    own = Citation.of(raw["source"], place) if "source" in raw else source
    return Condition(raw["id"], Text.of(raw["text"]), raw["when"], own)


def _value(raw: Mapping[str, Any], source: Citation, place: str, terms: dict[str, Term], what: str) -> Value:
    """A formula or value; a decision table becomes an ordinary expression once it is checked."""
    own = Citation.of(raw["source"], place) if "source" in raw else source
    node = read_table(raw["table"], terms, f"{place}: {raw['id']}").node() if "table" in raw else raw["value"]
    labels = {str(value): Text.of(text) for value, text in raw.get("labels", {}).items()}
    value = Value(raw["id"], Text.of(raw["title"]), raw["kind"], node, own, labels)
    terms[f"{what}.{value.id}"] = Term(value.title, value.kind, labels)
    return value


def _used(raw: Mapping[str, Any], computed: list[Any], parameters: Mapping[str, Parameter], place: str) -> Parameters:
    """The parameters that any expression or text of the version names."""
    conditions = [*raw["conditions"], *raw.get("refer", ())]
    nodes = [item["when"] for item in conditions] + computed
    texts = [Text.of(item["text"]) for item in conditions] + [Text.of(text) for text in raw["summary"].values()]
    paths = expr.references(nodes).union(*(places(text) for text in texts))
    names = {path.removeprefix("param.") for path in paths if path.startswith("param.")}
    if names - set(parameters):
        raise invalid(place, f"uses parameters that do not exist: {sorted(names - set(parameters))}")
    return tuple(parameters[name] for name in sorted(names))


def _check(version: RuleVersion, place: str) -> None:
    """Every name that an expression or a text uses exists where it is used."""
    known = version.names() | {f"formula.{each.id}" for each in version.formulas}
    for node, text, allowed in _parts(version):
        expr.check(node)
        unknown = (set(expr.references(node)) | places(text)) - (known if allowed is None else allowed)
        if unknown:
            raise invalid(place, f"uses names that do not exist here: {sorted(unknown)}")
    for text in version.summary.values():
        unknown = places(text) - known - {f"value.{value.id}" for value in version.values}
        if unknown:
            raise invalid(place, f"uses names that do not exist here: {sorted(unknown)}")


def _parts(version: RuleVersion) -> Iterator[tuple[Any, Text, set[str] | None]]:
    """Each expression with its text and the names that it may use (None: all but values)."""
    earlier = version.names()
    for formula in version.formulas:
        yield formula.value, formula.title, set(earlier)
        earlier.add(f"formula.{formula.id}")
    for condition in (*version.conditions, *version.refer):
        yield condition.when, condition.text, None
    for value in version.values:
        yield value.value, value.title, set(earlier)
        earlier.add(f"value.{value.id}")
