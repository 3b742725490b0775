"""The people of one question: what is known of each, by period, and who lives with whom.

    persons:
      mother: {birth_date: 1990-05-05, insured_salary: {2026-05: 30300, 2026-06: 31800}}
      child: {birth_date: 2026-06-02}
    households:
      home: {members: {mother: head, child: child}, rent: [{from: 2026-01-01, to: 2026-06-30, value: 12000}]}

An input of a month or year lists its values by month or year, or as spells of days: the spell that holds on the day
that the input names (`at`) gives the month its value, the highest where several do. An input that is not there at all
is not known; of one that is there, a month that is not listed is what the input says holds `otherwise`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from smartgov.engines.expr import Unknown
from smartgov.engines.rules.decision import as_kind
from smartgov.engines.rules.facts import invalid
from smartgov.engines.rules.periods.span import ONCE, Span
from smartgov.engines.rules.periods.variables import MEMBER, Variable, Variables

OPEN = date(9999, 12, 31)


@dataclass(frozen=True, slots=True)
class Spell:
    """A value from a day to a day, both included."""

    first: date
    last: date
    value: Any


Listed = Mapping[Span, Any] | tuple[Spell, ...]


@dataclass(frozen=True, slots=True)
class Situation:
    """Read values: by entity, its id and the input; the members of each household with their roles."""

    given: Mapping[str, Mapping[str, Mapping[str, Any]]]
    members: Mapping[str, Mapping[str, str]]
    household: Mapping[str, str]

    @classmethod
    def of(cls, raw: Mapping[str, Any], variables: Variables) -> Situation:
        """Read the JSON form; Problem `fact-invalid` for an unknown name, a wrong kind, or a person in two homes."""
        persons, households = raw.get("persons") or {}, raw.get("households") or {}
        members = {name: dict(each.get("members") or {}) for name, each in households.items()}
        of = [(person, home) for home, people in members.items() for person in people]
        if len({person for person, _ in of}) < len(of) or not {person for person, _ in of} <= set(persons):
            raise invalid("every member of a household is one of the persons, and in one household only")
        plain = {name: {k: v for k, v in each.items() if k != "members"} for name, each in households.items()}
        given = {
            entity: {name: _inputs(each, entity, variables) for name, each in entities.items()}
            for entity, entities in (("person", persons), ("household", plain))
        }
        return cls(given, members, dict(of))

    def value(self, variable: Variable, who: str, span: Span) -> Any:
        """An input's value, Unknown with its name where it is not known."""
        if variable is MEMBER:
            return True
        missing = Unknown(frozenset({f"{variable.name} {span}".strip()}))
        listed = self.given[variable.entity][who].get(variable.name)
        if listed is None:
            return missing
        if span == ONCE:
            return listed
        found = (
            _in_spells(listed, variable, span) if isinstance(listed, tuple) else listed.get(span, variable.otherwise)
        )
        return missing if found is None else found


def _inputs(raw: Mapping[str, Any], entity: str, variables: Variables) -> dict[str, Any]:
    found = {}
    for name, value in raw.items():
        variable = variables.get(name)
        if variable is None or not variable.given or variable.entity != entity:
            raise invalid(f"{name} is not an input of a {entity}")
        if value is not None:
            found[name] = _read(variable, value)
    return found


def _read(variable: Variable, value: Any) -> Any:
    if variable.period == "once":
        return as_kind(value, variable.kind, variable.name)
    if isinstance(value, Mapping):
        return {_span(variable, key): _typed(variable, each) for key, each in value.items()}
    if isinstance(value, list | tuple) and variable.period == "month" and variable.kind in ("number", "money", "yesno"):
        return _spells(variable, value)
    raise invalid(f"{variable.name} is listed by {variable.period}")


def _typed(variable: Variable, value: Any) -> Any:
    return None if value is None else as_kind(value, variable.kind, variable.name)


def _span(variable: Variable, key: Any) -> Span:
    span = Span.of(key)
    if span.unit != variable.period:
        raise invalid(f"{variable.name} is listed by {variable.period}, not {key}")
    return span


def _spells(variable: Variable, raw: Sequence[Mapping[str, Any]]) -> tuple[Spell, ...]:
    spells = []
    for each in raw:
        if set(each) - {"from", "to", "value"} or not {"from", "value"} <= set(each):
            raise invalid(f"a spell of {variable.name} has from, to and value")
        last = OPEN if each.get("to") is None else as_kind(each["to"], "date", variable.name)
        spells.append(Spell(as_kind(each["from"], "date", variable.name), last, _typed(variable, each["value"])))
    return tuple(spells)


def _in_spells(spells: tuple[Spell, ...], variable: Variable, span: Span) -> Any:
    """The value of a month: `otherwise` when no spell holds, None when none that holds is known."""
    first = span.end if variable.at == "end" else span.start
    last = span.start if variable.at == "start" else span.end
    held = [each.value for each in spells if each.first <= last and each.last >= first]
    if not held:
        return variable.otherwise
    return max((value for value in held if value is not None), default=None)
