"""Kinship, determinism and the cast."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import numpy as np
import pytest

from smartgov.engines.population import NEWBORN_SERIALS, SIZE, VILLAGES, build_village, personas, registers
from smartgov.engines.population.people import FEMALE, MALE, NOBODY, YEAR
from smartgov.engines.population.tests.conftest import ON
from smartgov.shared.tw import national_id


def test_the_same_seed_gives_the_same_village_and_another_seed_another(village):
    again = build_village(b"test", 3, on=ON, size=4_000)
    assert (again.ids, again.names, again.cast, again.births) == (
        village.ids,
        village.names,
        village.cast,
        village.births,
    )
    assert build_village(b"other", 3, on=ON, size=4_000).names != village.names


def test_villages_share_no_ids(village):
    neighbour = build_village(b"test", 4, on=ON, size=4_000)
    assert not set(village.ids) & set(neighbour.ids)
    newborn = {national_id.make(serial, 1) for serial in NEWBORN_SERIALS[:100]}
    assert not newborn & set(village.ids)
    assert NEWBORN_SERIALS.start == VILLAGES * SIZE


def test_every_id_is_valid_marked_and_tells_the_sex(village):
    assert len(set(village.ids)) == len(village.ids)
    assert all(national_id.is_synthetic(value) for value in village.ids)
    assert all(int(value[1]) == sex for value, sex in zip(village.ids, village.people.sex, strict=True))


def test_marriage_is_mutual_and_never_between_siblings(village):
    people = village.people
    for index in np.flatnonzero(people.spouse != NOBODY):
        spouse = people.spouse[index]
        assert people.spouse[spouse] == index
        assert people.sex[spouse] != people.sex[index]
        assert people.mother[index] == NOBODY or people.mother[index] != people.mother[spouse]


def test_parents_have_the_right_sex_and_age(village):
    people = village.people
    child = np.flatnonzero(people.mother != NOBODY)
    ages = (people.born[child] - people.born[people.mother[child]]) / YEAR
    assert ages.min() >= 18
    assert ages.max() <= 45
    assert (people.sex[people.mother[child]] == FEMALE).all()
    fathered = np.flatnonzero(people.father != NOBODY)
    assert (people.sex[people.father[fathered]] == MALE).all()
    assert ((people.born[fathered] - people.born[people.father[fathered]]) / YEAR).min() >= 18


def test_siblings_are_born_a_pregnancy_apart_and_are_not_too_many(village):
    for children in village.people.children():
        born = [int(village.people.born[child]) for child in children]
        assert all(later - earlier >= 300 for earlier, later in pairwise(born))
        assert len(children) <= 6


def test_children_bear_a_parents_surname_and_live_with_a_parent(village):
    people = village.people
    for index in np.flatnonzero((people.mother != NOBODY) & (people.born > people.born.max() - 17 * YEAR)):
        mother, father = people.mother[index], people.father[index]
        surnames = {village.names[parent][0] for parent in (mother, father) if parent != NOBODY}
        assert village.names[index][0] in surnames
        assert village.household_of[index] in {village.household_of[mother], village.household_of[father]}


def test_the_cast_is_distinct_and_unrelated_to_the_mother(village):
    cast = village.cast
    assert len(set(cast.values())) == len(cast)
    assert village.people.spouse[cast["mother"]] == cast["father"]
    family = {cast["mother"], cast["father"]}
    officers = [index for key, index in cast.items() if "mother" not in key and key != "father"]
    for index in officers:
        assert not {village.people.mother[index], village.people.father[index]} & family
        assert village.people.mother[index] == NOBODY or village.people.mother[index] not in {
            village.people.mother[relative] for relative in family
        }


@pytest.mark.parametrize(
    ("key", "elder", "days_ago", "insured_days", "weeks"),
    [("mother", 1, 5, 1_460, 39), ("mother-third-child", 2, 9, 200, 39), ("mother-premature", 0, 12, 220, 31)],
)
def test_each_mother_is_what_her_story_says(village, key, *, elder, days_ago, insured_days, weeks):
    index = village.cast[key]
    assert len(village.people.children()[index]) == elder
    (birth,) = [birth for birth in village.births if birth.mother == index and birth.child == NOBODY]
    assert birth.born_on == ON - timedelta(days=days_ago)
    assert (birth.order, birth.gestation_weeks) == (elder + 1, weeks)
    (job,) = [job for job in village.jobs if job.person == index]
    assert (birth.born_on - job.from_date).days == insured_days


def test_personas_hold_the_seats_that_four_eyes_need(village):
    holders = {}
    for persona in personas(village):
        for seat in persona.seats:
            holders.setdefault(seat, set()).add(persona.national_id)
    assert holders[("sfaa", "payment_releaser")] - holders[("sfaa", "payment_preparer")]
    assert holders[("bli", "payment_releaser")].isdisjoint(holders[("bli", "payment_preparer")])


def test_a_village_too_small_to_play_says_so():
    with pytest.raises(ValueError, match="nobody in this village can play mother"):
        build_village(b"test", 0, on=ON, size=20)


def test_registers_are_the_same_each_time(village):
    first, second = (
        {a: {t: list(rows) for t, rows in ts.items()} for a, ts in registers(village).items()} for _ in "ab"
    )
    assert first == second
