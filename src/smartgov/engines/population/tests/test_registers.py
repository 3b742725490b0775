"""The registers agree with each other, fit their descriptions, and hold no more dirt than stated."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import numpy as np
import pytest

from smartgov.engines.population import DIRT, personas, registers
from smartgov.shared import content
from smartgov.shared.tw import accounts, national_id

Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def tables(village) -> dict[tuple[str, str], Rows]:
    made = registers(village)
    return {(agency, table): list(rows) for agency, rows_of in made.items() for table, rows in rows_of.items()}


@pytest.mark.parametrize("agency", ["ris", "hpa", "nhi", "sfaa", "bli", "mof"])
def test_rows_have_exactly_the_described_columns(tables, agency):
    described = content.read(f"registers/{agency}.yaml")["tables"]
    assert {table for owner, table in tables if owner == agency} == set(described)
    for table, description in described.items():
        assert tables[agency, table], table
        assert {tuple(row) for row in tables[agency, table]} == {tuple(description["columns"])}


def test_ids_of_rows_are_unique(tables):
    for rows in tables.values():
        assert max(Counter(row["id"] for row in rows).values()) == 1


def test_every_person_named_anywhere_is_in_the_household_register_or_died_lately(tables, village):
    known = {row["national_id"] for row in tables["ris", "people"]}
    known |= {village.ids[index] for index in np.flatnonzero(~village.people.alive)}
    for (agency, table), rows in tables.items():
        columns = content.read(f"registers/{agency}.yaml")["tables"][table]["columns"]
        named = [name for name, column in columns.items() if column.get("format") == "national-id"]
        assert all(row[name] is None or row[name] in known for row in rows for name in named)


def test_registered_births_agree_with_the_household_register(tables):
    people: dict[tuple[str, str], list[str]] = {}
    for row in tables["ris", "people"]:
        people.setdefault((row["mother_id"], row["birth_date"]), []).append(row["sex"])
    born: dict[tuple[str, str], list[str]] = {}
    for row in tables["hpa", "births"]:
        if row["status"] == "registered":
            born.setdefault((row["mother_id"], row["born_on"]), []).append(row["child_sex"])
        else:
            assert (row["mother_id"], row["born_on"]) not in people
    assert len(born) > 50
    for key, sexes in born.items():
        assert sorted(people[key]) == sorted(sexes)  # twins have one key


def test_children_are_insured_through_an_insured_worker(tables):
    workers = {row["national_id"] for row in tables["bli", "insurance"]}
    through = [row for row in tables["nhi", "insured"] if row["insured_as"] == "dependent"]
    assert through
    assert all(row["insured_through_id"] in workers for row in through)


def test_nobody_gets_the_allowance_and_a_place(tables):
    paid = {row["child_id"] for row in tables["sfaa", "allowances"]}
    placed = {row["child_id"] for row in tables["sfaa", "placements"]}
    assert paid
    assert placed
    assert not paid & placed


def test_bank_accounts_have_the_form_that_banks_take(tables):
    assert all(accounts.is_valid_account(row["bank_code"], row["account"]) for row in tables["mof", "refund_accounts"])


def test_dirt_is_there_at_its_stated_rate_and_spares_the_cast(tables, village):
    cast = {persona.national_id for persona in personas(village)}
    people = tables["ris", "people"]
    dirty = [row for row in people if re.search("[０-９]", row["address"])]
    rate = DIRT["ris.address_full_width"]
    assert 0 < len(dirty) < 3 * rate * len(people)
    assert not cast & {row["national_id"] for row in dirty}
    twice = Counter(row["national_id"] for row in tables["nhi", "insured"])
    doubled = {person for person, count in twice.items() if count > 1}
    assert 0 < len(doubled) < 3 * DIRT["nhi.insured_twice"] * len(people) + 5
    assert not cast & doubled
    assert all(national_id.is_synthetic(person) for person in doubled)
