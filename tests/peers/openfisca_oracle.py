"""Run by the Python of the peers' folder, never imported: OpenFisca decides our cases.

Reads the YAML by itself and shares no code with the product. OpenFisca keeps the dated parameters, the periods and the
facts; conditions become NumPy formulas. Cases with a fact left out are skipped, because OpenFisca has no unknown.
Prints one JSON object: how many cases ran, and which outcomes and values differ from the case.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
from pathlib import Path

import numpy as np
import yaml
from openfisca_core import entities, parameters, periods, simulations, taxbenefitsystems, variables

PERSON = entities.build_entity(key="person", plural="persons", label="Person", is_person=True)
DAY = np.datetime64
KINDS = {"number": int, "money": int, "yesno": bool, "date": dt.date, "text": str, "month": str}


class Skip(Exception):
    """The case asks for what OpenFisca does not have."""


def main(folder: Path) -> None:
    ran, skipped, wrong = 0, 0, []
    raw = {path.stem: yaml.safe_load(path.read_text()) for path in sorted((folder / "parameters").glob("*.yaml"))}
    system = taxbenefitsystems.TaxBenefitSystem([PERSON])
    children = {}
    for name, each in raw.items():
        values = {str(value["from"]): {"value": value["value"]} for value in each["values"]}
        children[name] = {"values": values}
    system.parameters = parameters.ParameterNode("", data=children)
    for path in sorted((folder / "rules").glob("*.yaml")):
        rule = yaml.safe_load(path.read_text())
        for case in yaml.safe_load((folder / "rules" / "tests" / path.name).read_text()):
            try:
                outcome, values = decide(system, rule, case)
            except Skip:
                skipped += 1
                continue
            ran += 1
            if outcome != case["outcome"]:
                wrong.append([rule["id"], case["name"]["en"], outcome, case["outcome"]])
            for name, value in case.get("values", {}).items():
                if name in values and outcome == "granted" and values[name] != value:
                    wrong.append([rule["id"], case["name"]["en"], name, str(values[name]), str(value)])
    print(json.dumps({"ran": ran, "skipped": skipped, "wrong": wrong}))


def decide(system, rule, case):
    versions = [version for version in rule["versions"] if version["from"] <= case["day"]]
    if not versions or set(versions[-1]["facts"]) - set(case["facts"]):
        raise Skip
    version, day = versions[-1], case["day"]
    work = Formulas(system, version, day)
    names = {f"{rule['id']}_{name}": name for name in version["facts"]}
    simulation = population(system, names, version, case, day)
    facts = {name: simulation.calculate(long, str(day)) for long, name in names.items()}
    return work.decide(facts)


def population(system, names, version, case, day):
    """A simulation of one person whose facts are OpenFisca variables of the day."""
    for long, name in names.items():
        if system.get_variable(long) is None:
            kind = KINDS[version["facts"][name]["kind"]]
            body = {"value_type": kind, "entity": PERSON, "definition_period": periods.DateUnit.DAY, "label": name}
            system.add_variable(type(long, (variables.Variable,), body))
    built = simulations.SimulationBuilder()
    facts = {long: {str(day): plain(case["facts"][name])} for long, name in names.items()}
    return built.build_from_entities(system, {"persons": {"one": facts}})


def plain(value):
    return value.isoformat() if isinstance(value, dt.date) else value


class Formulas:
    """Conditions and values of one version over NumPy columns; whole numbers stay whole, fractions are pairs."""

    def __init__(self, system, version, day):
        self.version, self.day = version, day
        self.params = system.get_parameters_at_instant(str(day))

    def decide(self, facts):
        self.data = {f"fact.{name}": column for name, column in facts.items()}
        self.data["on"] = np.array([DAY(self.day)])
        for each in self.version.get("formulas", ()):
            self.data[f"formula.{each['id']}"] = self.value(each)
        held = all(bool(self.node(each["when"])[0]) for each in self.version["conditions"])
        referred = any(bool(self.node(each["when"])[0]) for each in self.version.get("refer", ()))
        values, whole = {}, True
        for each in self.version.get("values", ()):
            found = self.value(each)
            self.data[f"value.{each['id']}"] = found
            whole = whole and found is not None
            values[each["id"]] = shown(found)
        return ("refused" if not held else "undecided" if referred or not whole else "granted"), values

    def value(self, each):
        return self.table(each["table"]) if "table" in each else self.node(each["value"])

    def table(self, table):
        inputs = {each["id"]: self.node(each["of"]) for each in table["inputs"]}
        for row in table["rows"]:
            if all(self.cell(inputs[name], cell) for name, cell in (row.get("when") or {}).items()):
                return self.node(row["then"])
        return self.node(table["otherwise"]) if table.get("otherwise") is not None else None

    def cell(self, column, cell):
        if isinstance(cell, dict):
            return all(bool(COMPARE[op](column, constant(bound))[0]) for op, bound in cell.items())
        return any(bool((column == constant(each))[0]) for each in (cell if isinstance(cell, list) else [cell]))

    def node(self, node):
        if not isinstance(node, dict):
            return constant(node)
        ((op, arguments),) = node.items()
        arguments = arguments if isinstance(arguments, list) else [arguments]
        if op == "var":
            path = arguments[0]
            if path.startswith("param."):
                try:
                    return constant(int(getattr(self.params, path.removeprefix("param."))))
                except Exception as error:
                    raise Skip from error
            found = self.data[path]
            if found is None:
                raise Skip
            return found
        if op == "if":
            for condition, value in zip(arguments[:-1:2], arguments[1::2], strict=False):
                if bool(self.node(condition)[0]):
                    return self.node(value)
            return self.node(arguments[-1])
        if op == "in":
            return np.isin(self.node(arguments[0]), arguments[1])
        return OPERATORS[op](*(self.node(each) for each in arguments))


def constant(value):
    return np.array([DAY(value) if isinstance(value, dt.date) else value])


def shown(column):
    if column is None:
        return None
    value = column[0]
    return value.item() if isinstance(value, DAY) else int(value) if isinstance(value, np.integer | float) else value


def months(day):
    return day.astype("datetime64[M]")


def add_months(day, count):
    first = months(day) + count.astype("timedelta64[M]")
    last = (first + np.timedelta64(1, "M")).astype("datetime64[D]") - first.astype("datetime64[D]")
    past = day.astype("datetime64[D]") - months(day).astype("datetime64[D]")
    inside = np.minimum(past, last - np.timedelta64(1, "D"))
    return first.astype("datetime64[D]") + inside


def age(born, on):
    years = on.astype("datetime64[Y]").astype(int) - born.astype("datetime64[Y]").astype(int)
    before = month_day(on) < month_day(born)
    return years - before


def month_day(day):
    month = months(day).astype(int) % 12
    return month * 100 + (day.astype("datetime64[D]") - months(day).astype("datetime64[D]")).astype(int)


COMPARE = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
OPERATORS = COMPARE | {
    "and": lambda *all_: np.logical_and.reduce(all_),
    "or": lambda *all_: np.logical_or.reduce(all_),
    "!": np.logical_not,
    "+": lambda *all_: sum(all_[1:], all_[0].astype(object) if all_[0].dtype.kind == "i" else all_[0]),
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "min": lambda *all_: np.minimum.reduce(all_),
    "max": lambda *all_: np.maximum.reduce(all_),
    "earlier": np.minimum,
    "later": np.maximum,
    "round": lambda a: np.floor(np.asarray(a, float) + 0.5 + 1e-9).astype(int),
    "date": lambda a: a.astype("datetime64[D]"),
    "month": lambda a: months(a).astype(str),
    "add_days": lambda a, b: a + b.astype("timedelta64[D]"),
    "add_months": add_months,
    "days_between": lambda a, b: (b.astype("datetime64[D]") - a.astype("datetime64[D]")).astype(int),
    "months_between": lambda a, b: (months(b) - months(a)).astype(int),
    "age": age,
}

if __name__ == "__main__":
    main(Path(sys.argv[1]))
