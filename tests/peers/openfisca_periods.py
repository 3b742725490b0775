"""Run by the Python of the peers' folder, never imported: OpenFisca works out our formulas by period.

Reads the YAML by itself and shares no code with the product. Every input and formula becomes an OpenFisca variable of
its entity and period; OpenFisca asks other months, sums years, members and households, and takes parameters by date.
Cases that expect "not known" are skipped, because OpenFisca has no unknown. Prints one JSON object.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
from pathlib import Path

import numpy as np
import yaml
from openfisca_core import entities, parameters, periods, populations, simulations, taxbenefitsystems, variables
from openfisca_oracle import KINDS, OPERATORS, constant

ROLES = ("head", "spouse", "child", "other")
PERSON = entities.build_entity(key="person", plural="persons", label="Person", is_person=True)
HOUSEHOLD = entities.build_entity(
    key="household",
    plural="households",
    label="Household",
    roles=[{"key": role, "plural": f"{role}s", "label": role} for role in ROLES],
)
ENTITIES = {"person": PERSON, "household": HOUSEHOLD}
UNITS = {"month": periods.DateUnit.MONTH, "year": periods.DateUnit.YEAR, "once": periods.DateUnit.ETERNITY}
YEARS = range(2020, 2029)


def main(folder: Path) -> None:
    read = {path.stem: yaml.safe_load(path.read_text()) for path in sorted((folder / "formulas").glob("*.yaml"))}
    inputs = yaml.safe_load((folder / "inputs.yaml").read_text())
    system = taxbenefitsystems.TaxBenefitSystem([PERSON, HOUSEHOLD])
    system.parameters = parameters.ParameterNode("", data=_parameters(folder))
    for name, each in inputs.items():
        body = declared(each) | ({"default_value": each["otherwise"]} if "otherwise" in each else {})
        system.add_variable(type(name, (variables.Variable,), body))
    periods_of = {name: each["period"] for name, each in (inputs | read).items()}
    for name, each in read.items():
        formulas = {
            f"formula_{version['from']:%Y_%m_%d}": made(version["value"], periods_of) for version in each["versions"]
        }
        system.add_variable(type(name, (variables.Variable,), declared(each, calculated=True) | formulas))
    ran, skipped, wrong = 0, 0, []
    for name in read:
        for case in yaml.safe_load((folder / "formulas" / "tests" / f"{name}.yaml").read_text()):
            if case.get("value") is None:
                skipped += 1
                continue
            ran += 1
            found = decide(system, inputs, name, case)
            if found != case["value"]:
                wrong.append([name, case["name"]["en"], str(found), str(case["value"])])
    print(json.dumps({"ran": ran, "skipped": skipped, "wrong": wrong}))


def _parameters(folder):
    raw = {path.stem: yaml.safe_load(path.read_text()) for path in sorted((folder / "parameters").glob("*.yaml"))}
    return {
        name: {"values": {str(value["from"]): {"value": value["value"]} for value in each["values"]}}
        for name, each in raw.items()
    }


def declared(each, calculated=False):
    # OpenFisca's eternity is for inputs: what is worked out once is worked out by month.
    period = "month" if calculated and each["period"] == "once" else each["period"]
    return {
        "value_type": KINDS[each["kind"]],
        "entity": ENTITIES[each["entity"]],
        "definition_period": UNITS[period],
        "label": each["title"]["en"],
    }


def made(node, periods_of):
    """A formula method, as OpenFisca wants it."""

    def formula(population, period, parameters):
        return Work(population, period, parameters, periods_of).node(node)

    return formula


class Work:
    """One formula for one population in one period."""

    def __init__(self, population, period, parameters, periods_of):
        self.population, self.period, self.parameters, self.periods = population, period, parameters, periods_of

    def node(self, node):
        if isinstance(node, dict) and "ask" in node:
            return self.ask(node)
        if not isinstance(node, dict):
            return np.repeat(constant(node), self.population.count)
        ((op, arguments),) = node.items()
        arguments = arguments if isinstance(arguments, list) else [arguments]
        if op == "var":
            return np.repeat(constant(self.named(arguments[0])), self.population.count)
        if op == "if":
            *pairs, rest = arguments
            conditions = [self.node(each) for each in pairs[::2]]
            return np.select(conditions, [self.node(each) for each in pairs[1::2]], self.node(rest))
        return OPERATORS[op](*(self.node(each) for each in arguments))

    def named(self, path):
        if path == "period.start":
            return dt.date.fromisoformat(str(self.period.start))
        if path == "period.end":
            return dt.date.fromisoformat(str(self.period.stop))
        return int(getattr(self.parameters(self.period), path.removeprefix("param.")))

    def ask(self, ask):
        name, take = ask["ask"], ask.get("take")
        if ask.get("of") == "household":
            return self.population.household(name, self.when(ask))
        if ask.get("of") == "members":
            return self.members(ask)
        if ask.get("over") == "year" and take == "sum" and "where" not in ask:
            return self.population(name, self.period, options=[populations.ADD])
        return self.window(ask) if "over" in ask else self.population(name, self.when(ask))

    def when(self, ask):
        unit = self.periods[ask["ask"]]
        period = self.period.this_year if unit == "year" else self.period
        back = ask.get("months_back", ask.get("years_back", 0))
        return period.offset(-back, unit) if back else period

    def window(self, ask):
        months = int(ask["over"].split()[0])
        spans = [self.period.offset(-each - ask.get("months_back", 0), "month") for each in range(months)]
        values = [self.population(ask["ask"], span) for span in spans]
        holds = [np.ones(self.population.count, bool) for _ in spans]
        if "where" in ask:
            inside = [Work(self.population, span, self.parameters, self.periods) for span in spans]
            holds = [work.node(ask["where"]) for work in inside]
        total = sum(value * hold for value, hold in zip(values, holds, strict=True))
        count = sum(hold.astype(int) for hold in holds)
        return {"sum": total, "count": total, "average": total / np.maximum(count, 1)}[ask["take"]]

    def members(self, ask):
        people = self.population.members
        values = people(ask["ask"], self.when(ask)).astype(int)
        if "where" in ask:
            values = values * Work(people, self.period, self.parameters, self.periods).node(ask["where"])
        if ask["take"] not in ("sum", "count"):
            raise NotImplementedError(ask["take"])
        return self.population.sum(values)


def decide(system, inputs, name, case):
    """The value of a case; amounts come back as whole numbers."""
    raw, when = case["situation"], "2026-01" if case["period"] == "once" else str(case["period"])
    persons = {who: given(inputs, each) for who, each in raw["persons"].items()}
    homes = {}
    for home, each in (raw.get("households") or {}).items():
        roles = {}
        for who, role in each["members"].items():
            roles.setdefault(f"{role}s", []).append(who)
        homes[home] = roles
    homes = homes or {"home": {"heads": list(persons)}}
    built = simulations.SimulationBuilder().build_from_entities(system, {"persons": persons, "households": homes})
    names = homes if system.get_variable(name).entity.key == "household" else persons
    value = built.calculate(name, when)[list(names).index(case["who"])]
    return value.item() if isinstance(value, np.generic) else value


def given(inputs, each):
    found = {}
    for name, value in each.items():
        if inputs[name]["period"] == "once":
            found[name] = {"ETERNITY": value.isoformat() if isinstance(value, dt.date) else value}
        elif isinstance(value, list):
            months = [dt.date(year, month, 1) for year in YEARS for month in range(1, 13)]
            found[name] = {
                f"{month:%Y-%m}": spell["value"]
                for month in months
                for spell in value
                if spell["from"] <= month <= (spell.get("to") or dt.date.max)
            }
        else:
            found[name] = {str(key): one for key, one in value.items()}
    return {name: value for name, value in found.items() if value}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
