"""Low income, disability, special circumstances, childcare; and what has been applied for or paid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from smartgov.engines.population import margins
from smartgov.engines.population.families import Births, Families
from smartgov.engines.population.frame import CODES
from smartgov.engines.population.households import Households
from smartgov.engines.population.people import (
    DIVORCED,
    FEMALE,
    NEVER,
    NOBODY,
    SINGLE,
    WIDOWED,
    YEAR,
    Ints,
    People,
)
from smartgov.engines.population.streams import Array, Flags, Floats, picked
from smartgov.engines.population.work import FARMERS, LABOUR, PENSION, Work

CIRCUMSTANCES = {name: code for code, name in enumerate(CODES["circumstance"])}
PLACEMENTS = {name: code for code, name in enumerate(CODES["placement"])}
_DISABLED = (0.006, 0.010, 0.013, 0.018, 0.028, 0.044, 0.067, 0.103, 0.157, 0.22)  # at 0, 10, ... 90 years


@dataclass(slots=True)
class Welfare:
    """Columns over people, coded as in the frame; `applied` has one column of flags for each benefit."""

    low_income: Array
    disability: Array
    circumstance: Array
    circumstance_since: Ints
    placement: Array
    placed: Ints
    payer: Ints  # of the dead: who paid for the funeral
    survivors: Array
    cause_known: Flags
    applied: dict[str, Flags]


def make_welfare(
    draw: Generator,
    people: People,
    homes: Households,
    families: Families,
    births: Births,
    work: Work,
    age: Floats,
    today: int,
) -> Welfare:
    """The state's care for the people of a village."""
    size = len(people)
    severity = 1 + picked(draw, (0.38, 0.30, 0.20, 0.12), size)
    disabled = draw.random(size) < np.interp(age, np.arange(0, 100, 10), _DISABLED)
    circumstance = _circumstances(draw, people, families, work, age)
    known = circumstance > 0
    since = np.where(known, today - draw.integers(20, 900, size), NEVER).astype(np.int32)
    placement, placed = _placements(draw, people, age, today)
    payer, survivors = _survivors(draw, people)
    welfare = Welfare(
        low_income=_low_income(draw, people, homes, work),
        disability=np.where(disabled, severity, 0).astype(np.int8),
        circumstance=circumstance,
        circumstance_since=since,
        placement=placement,
        placed=placed,
        payer=payer,
        survivors=survivors,
        cause_known=~people.alive & (draw.random(size) < 0.985),
        applied={},
    )
    _apply(draw, people, welfare, births, work, families, age=age, today=today)
    return welfare


def _low_income(draw: Generator, people: People, homes: Households, work: Work) -> Array:
    """The poorest households by income a head, less chance: about one person in eighty each for both kinds."""
    total = np.bincount(homes.of, weights=np.where(people.alive, work.income, 0), minlength=len(homes))
    score = total / np.maximum(homes.size, 1) + draw.gamma(2.0, 90_000, len(homes))
    order = np.argsort(np.where(homes.size > 0, score, np.inf), kind="stable")
    reached = np.cumsum(homes.size[order]) / max(int(homes.size.sum()), 1)
    target = margins.TARGETS["welfare"]["values"]
    kind = np.where(reached <= target["low"], 1, np.where(reached <= target["low"] + target["middle_low"], 2, 0))
    status = np.zeros(len(homes), dtype=np.int8)
    status[order] = kind
    found: Array = status[homes.of]
    return found


def _circumstances(draw: Generator, people: People, families: Families, work: Work, age: Floats) -> Array:
    """Kinds by what the register tells of a marriage; rare others fall on anybody between 18 and 65."""
    size = len(people)
    chance = draw.random(size)
    adult = (age >= 18) & (age < 65) & people.alive
    poor = work.income < 600_000
    parent = adult & poor & (families.under[18] > 0)
    found = np.zeros(size, dtype=np.int8)
    found[adult & (chance > 0.9990)] = CIRCUMSTANCES["domestic_violence"]
    found[adult & (chance > 0.9994)] = CIRCUMSTANCES["major_change"]
    found[parent & (chance > 0.9985)] = CIRCUMSTANCES["spouse_imprisoned"]
    found[parent & (people.marital == WIDOWED) & (chance < 0.45)] = CIRCUMSTANCES["spouse_dead_or_missing"]
    found[parent & (people.marital == DIVORCED) & (chance < 0.10)] = CIRCUMSTANCES["single_parent"]
    found[parent & (people.marital == DIVORCED) & (chance < 0.05)] = CIRCUMSTANCES["deserted_or_abused_divorce"]
    young = adult & (people.sex == FEMALE) & (people.marital == SINGLE) & (age < 40)
    found[young & (chance < 0.0015)] = CIRCUMSTANCES["unmarried_pregnant"]
    return found


def _placements(draw: Generator, people: People, age: Floats, today: int) -> tuple[Array, Ints]:
    small = (age < 3) & people.alive
    kind = np.where(small & (age > 0.2), picked(draw, (0.70, 0.08, 0.217, 0.003), len(age)), 0).astype(np.int8)
    earliest = people.born + 60
    since = np.where(kind > 0, earliest + (today - earliest) * draw.random(len(age)) * 0.9, NEVER)
    return kind, since.astype(np.int32)


def _survivors(draw: Generator, people: People) -> tuple[Ints, Array]:
    """Who paid for a funeral (the spouse, a child, a parent), and how many near relatives live."""
    size = len(people)
    payer = np.full(size, NOBODY, dtype=np.int32)
    count = np.zeros(size, dtype=np.int32)
    everybody = np.arange(size, dtype=np.int32)
    for parent in (people.mother, people.father):
        known = (parent != NOBODY) & people.alive
        count += np.bincount(parent[known], minlength=size).astype(np.int32)
        grown = known & (people.born < people.born.max() - 20 * YEAR)
        payer[parent[grown]] = everybody[grown]
        living = (parent != NOBODY) & people.alive[parent]
        count += living
        payer = np.where((payer == NOBODY) & living & ~people.alive, parent, payer)
    spouse = people.spouse
    widowed = ~people.alive & (spouse != NOBODY) & people.alive[spouse]
    count += widowed
    payer = np.where(widowed & ((payer == NOBODY) | (draw.random(size) < 0.5)), spouse, payer)
    dead = ~people.alive
    return np.where(dead, payer, NOBODY).astype(np.int32), np.where(dead, np.minimum(count, 100), 0).astype(np.int8)


def _apply(
    draw: Generator,
    people: People,
    welfare: Welfare,
    births: Births,
    work: Work,
    families: Families,
    *,
    age: Floats,
    today: int,
) -> None:
    """Who applied: most of those to whom something is due by rough rules (the exact ones are not this engine's)."""
    size = len(people)
    gone = np.where(people.alive, 0, today - people.died)
    last = np.full(size, NEVER, dtype=np.int32)
    np.maximum.at(last, births.mother, births.born)
    unregistered = np.zeros(size, dtype=np.bool_)
    unregistered[births.mother[births.child == NOBODY]] = True
    bore = (last != NEVER) & ~unregistered
    inside = bore & (last > today - 5 * YEAR)
    before = inside & (work.since < last - 150)
    small, alone = (age < 2) & people.alive, welfare.placement == 0
    old = (age >= 65) & people.alive

    def most(share: float, due: Flags) -> Flags:
        found: Flags = due & (draw.random(size) < share)
        return found

    low = welfare.low_income > 0
    builder_ = np.zeros(size, dtype=np.bool_)
    welfare.applied.update(
        birth_registration=bore,
        newborn_health_insurance=most(0.99, small & (age > 0.08)),
        childcare_allowance=most(0.95, small & alone & (age > 0.06)),
        preschool_allowance=most(0.94, (age >= 2) & (age < 5) & people.alive & alone),
        childcare_subsidy=most(0.97, (age < 3) & ((welfare.placement == 1) | (welfare.placement == 2))),
        maternity_bli=most(0.93, before & (work.insurance == LABOUR)),
        maternity_np=most(0.85, inside & (work.insurance == PENSION) & (work.pension_days > 30)),
        maternity_fi=most(0.9, inside & (work.insurance == FARMERS)),
        birth_grant_county=most(0.9, inside & (last < today - 30)),
        tuition_waiver=most(0.8, low & (age >= 15) & (age < 25)),
        unemployment=work.benefit_months > 0,
        training_allowance=most(0.85, work.training != NEVER),
        early_reemployment=most(0.6, (work.again != NEVER) & (work.benefit_months > 0) & (work.benefit_months < 5)),
        parental_leave=most(0.93, work.leave != NEVER),
        special_circumstance=most(0.7, welfare.circumstance > 0),
        old_farmer=most(0.95, old & (work.insurance == FARMERS) & (work.farmer_days > 15 * 365)),
        np_old_age=most(0.93, old & (work.pension_days > 0) & (age > 65.1)),
        bli_old_age=most(0.92, old & (work.days > 365)),
        death_registration=most(0.985, gone > 3) | (gone > 40),
        funeral_bli=most(0.9, (gone > 20) & (work.insurance == LABOUR)),
        funeral_np=most(0.85, (gone > 20) & (work.insurance == PENSION)),
        funeral_fi=most(0.95, (gone > 20) & (work.insurance == FARMERS)),
        land_self_use=builder_,
        construction_registration=builder_,
        site_director=builder_,
    )
