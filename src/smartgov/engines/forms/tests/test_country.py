"""The mothers of the synthetic country, from the registers' rows to what each agency previews for them."""

from datetime import date

import pytest

from smartgov.engines import population, rules
from smartgov.engines.forms.services import PREPARE, load_service
from smartgov.shared import content
from smartgov.shared.tw import national_id

ON = date(2026, 11, 22)
BIRTH = load_service(content.ROOT / "services" / "birth.yaml")
BOOK = rules.load(content.ROOT)


@pytest.fixture(scope="module")
def country():
    village = population.build_village(b"a test", 0, on=ON)
    tables = {name: content.read(f"registers/{name}.yaml")["tables"] for name in content.names("registers")}
    registers = population.registers(village)
    rows = {agency: {name: list(found) for name, found in each.items()} for agency, each in registers.items()}
    return {each.key: each.national_id for each in population.personas(village)}, tables, rows


def preview(country, persona, part):
    people, tables, rows = country
    applicant = national_id.urn(people[persona])
    context = {"applicant": applicant, "on": ON.isoformat(), "fact": {}}
    for query in part.queries(PREPARE):
        agency, name = query.facts[0].agency, query.path.split("/")[1]
        shown = [_as_answered(row, tables[agency][name]["columns"]) for row in rows[agency][name]]
        own = [row for row in shown if applicant in [row[key] for key in tables[agency][name]["subject_columns"]]]
        query.values([{key: row[key] for key in query.fields} for row in own], context)
    return BOOK.decide(part.rule, context["fact"], ON)


def _as_answered(row, columns):
    """A row as the register's API writes it: every column, national ids as URNs."""
    values = {name: row.get(name) for name in columns}
    for name, column in columns.items():
        if column.get("format") == "national-id" and values[name] and not values[name].startswith("urn:"):
            values[name] = national_id.urn(values[name])
    return values


@pytest.mark.parametrize(
    ("persona", "monthly", "benefit"),
    [("mother", 6000, 2 * 36_300), ("mother-third-child", 7000, None), ("mother-premature", 5000, 2 * 33_300)],
)
def test_each_mothers_story_comes_out_of_the_registers(country, persona, monthly, benefit):
    decisions = {part.id: preview(country, persona, part) for part in BIRTH.parts}
    assert decisions["registration"].outcome == "granted"
    assert decisions["nhi"].expected
    assert (decisions["allowance"].expected, decisions["allowance"].values["amount"]) == (True, monthly)
    assert decisions["maternity"].outcome == ("granted" if benefit else "refused")
    assert decisions["maternity"].values.get("amount") == benefit
