"""Kinship, determinism and the cast."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from smartgov.engines.population import (
    NEWBORN_SERIALS,
    SIZE,
    VILLAGES,
    build_village,
    make_village,
    personas,
    registers,
)
from smartgov.engines.population.people import FEMALE, MALE, MARRIED, NEVER, NOBODY, WIDOWED, YEAR, day_of
from smartgov.engines.population.tests.conftest import ON
from smartgov.engines.population.village import BLOCK
from smartgov.engines.population.work import LABOUR
from smartgov.shared.tw import national_id


def columns(village):
    """Every array of a village."""
    inner = village.village
    for part in (inner.people, inner.homes, inner.work, inner.births, inner.stays, inner.wealth, inner.firms):
        yield from (getattr(part, name) for name in part.__slots__)


def test_the_same_seed_gives_the_same_village_and_another_seed_another(village):
    again = build_village(b"test", 3, on=ON, size=4_000)
    assert (again.ids, again.names, again.cast) == (village.ids, village.names, village.cast)
    assert all(np.array_equal(one, other) for one, other in zip(columns(again), columns(village), strict=True))
    assert build_village(b"other", 3, on=ON, size=4_000).names != village.names


def test_villages_share_no_ids(village):
    neighbour = build_village(b"test", 4, on=ON, size=4_000)
    assert not set(village.ids) & set(neighbour.ids)
    assert NEWBORN_SERIALS.start >= VILLAGES * BLOCK
    assert VILLAGES * SIZE >= 23_400_000
    newborn = {national_id.make(serial, 1) for serial in NEWBORN_SERIALS[:100]}
    assert not newborn & set(village.ids)


def test_every_id_is_valid_marked_and_tells_the_sex(village):
    assert len(set(village.ids)) == len(village.ids)
    assert all(national_id.is_synthetic(value) for value in village.ids)
    assert all(int(value[1]) == sex for value, sex in zip(village.ids, village.people.sex, strict=True))


def test_a_village_of_full_size_has_so_many_living_people_and_some_dead():
    village = make_village(b"test", 1, on=ON)
    assert village.living == SIZE
    assert 100 < len(village.people) - SIZE < 300
    died = village.people.died[~village.people.alive]
    assert (died < village.today).all()
    assert (died >= village.today - 731).all()
    assert (died > village.people.born[~village.people.alive]).all()


def test_marriage_is_mutual_and_never_between_siblings(village):
    people = village.people
    for index in np.flatnonzero((people.spouse != NOBODY) & people.alive):
        spouse = people.spouse[index]
        assert people.spouse[spouse] == index
        assert people.alive[spouse]
        assert people.sex[spouse] != people.sex[index]
        assert people.mother[index] == NOBODY or people.mother[index] != people.mother[spouse]


def test_who_survives_a_spouse_is_widowed(village):
    people = village.people
    dead = np.flatnonzero(~people.alive & (people.marital == MARRIED))
    left = people.partner[dead]
    assert len(left) > 10
    assert (people.marital[left[people.alive[left]]] == WIDOWED).all()


def test_parents_have_the_right_sex_and_age_and_lived_at_the_birth(village):
    people = village.people
    child = np.flatnonzero(people.mother != NOBODY)
    ages = (people.born[child] - people.born[people.mother[child]]) / YEAR
    assert ages.min() >= 17.8  # a twin takes the birth day of the other
    assert ages.max() <= 45
    assert (people.sex[people.mother[child]] == FEMALE).all()
    fathered = np.flatnonzero(people.father != NOBODY)
    assert (people.sex[people.father[fathered]] == MALE).all()
    assert ((people.born[fathered] - people.born[people.father[fathered]]) / YEAR).min() >= 17.8
    for parent, of in ((people.mother[child], child), (people.father[fathered], fathered)):
        dead = people.died[parent] != NEVER
        assert (people.died[parent[dead]] >= people.born[of[dead]]).all()


def test_siblings_are_twins_or_born_a_pregnancy_apart_and_are_not_too_many(village):
    twins = 0
    for children in village.people.children():
        born = [int(village.people.born[child]) for child in children]
        gaps = [later - earlier for earlier, later in pairwise(born)]
        twins += gaps.count(0)
        assert all(gap == 0 or gap >= 300 for gap in gaps)
        assert len(children) <= 9
    assert 0 < twins < 40


def test_children_bear_a_parents_surname_and_live_with_a_parent(village):
    people, home = village.people, village.village.homes.of
    young = (people.mother != NOBODY) & (people.born > people.born.max() - 17 * YEAR) & people.alive
    for index in np.flatnonzero(young):
        mother, father = people.mother[index], people.father[index]
        surnames = {village.names[parent][0] for parent in (mother, father) if parent != NOBODY}
        assert village.names[index][0] in surnames
        living = {home[parent] for parent in (mother, father) if parent != NOBODY and people.alive[parent]}
        assert not living or home[index] in living


def test_couples_live_together_and_heads_are_members(village):
    people, homes = village.people, village.village.homes
    married = np.flatnonzero((people.marital == MARRIED) & people.alive)
    assert (homes.of[married] == homes.of[people.partner[married]]).all()
    assert (homes.of[homes.head] == np.arange(len(homes))).all()
    assert homes.size.sum() == village.living
    assert people.alive[homes.head[homes.size > 0]].all()


def test_the_cast_is_distinct_and_unrelated_to_the_mother(village):
    cast = village.cast
    assert len(set(cast.values())) == len(cast)
    assert village.people.spouse[cast["mother"]] == cast["father"]
    family = {cast["mother"], cast["father"]}
    officers = [index for key, index in cast.items() if "mother" not in key and key != "father"]
    for index in officers:
        assert village.people.alive[index]
        assert not {village.people.mother[index], village.people.father[index]} & family
        assert village.people.mother[index] == NOBODY or village.people.mother[index] not in {
            village.people.mother[relative] for relative in family
        }


@pytest.mark.parametrize(
    ("key", "elder", "days_ago", "insured_days", "weeks"),
    [("mother", 1, 5, 1_460, 39), ("mother-third-child", 2, 9, 200, 39), ("mother-premature", 0, 12, 220, 31)],
)
def test_each_mother_is_what_her_story_says(village, key, *, elder, days_ago, insured_days, weeks):
    index, inner = village.cast[key], village.village
    assert len(village.people.children()[index]) == elder
    (birth,) = np.flatnonzero((inner.births.mother == index) & (inner.births.child == NOBODY))
    assert (ON - day_of(inner.births.born[birth])).days == days_ago
    assert (inner.births.order[birth], inner.births.weeks[birth]) == (elder + 1, weeks)
    assert inner.work.insurance[index] == LABOUR
    assert inner.births.born[birth] - inner.work.since[index] == insured_days


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


def test_a_village_out_of_range_says_so():
    with pytest.raises(ValueError, match="out of range"):
        make_village(b"test", VILLAGES, on=ON)


def test_registers_are_the_same_each_time(village):
    first, second = (
        {a: {t: list(rows) for t, rows in ts.items()} for a, ts in registers(village).items()} for _ in "ab"
    )
    assert first == second
