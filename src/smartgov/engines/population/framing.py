"""The frame of one village: its columns as `frame.COLUMNS` describes them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smartgov.engines.population import margins, places
from smartgov.engines.population.frame import PERSON_BASE
from smartgov.engines.population.people import NEVER, NOBODY
from smartgov.engines.population.streams import Array, Flags
from smartgov.engines.population.village import Village
from smartgov.engines.population.work import FARMERS, LABOUR, NP_AMOUNT, PENSION

_DECEASED_INSURANCE = {LABOUR: 1, PENSION: 2, FARMERS: 3}


@dataclass(frozen=True, slots=True)
class Filled:
    """A column's values and where they are known."""

    values: Array
    known: Flags | None = None


Frame = dict[str, Filled]


def make_frame(village: Village) -> Frame:
    """All columns, in no particular order; rows are the people of the village in their order."""
    found: Frame = {}
    for part in (_person, _kin, _household, _school, _work, _insurance, _money, _care, _home, _firm, _death):
        found.update(part(village))
    found.update({f"paid_{name}": Filled(flags) for name, flags in village.welfare.applied.items()})
    return found


def _day(values: Array) -> Filled:
    return Filled(values, values != NEVER)


def _when(values: Array, known: Flags) -> Filled:
    return Filled(values, known)


def _relative(village: Village, index: Array) -> Filled:
    return Filled(index.astype(np.int64) + village.number * PERSON_BASE, index != NOBODY)


def _person(village: Village) -> Frame:
    people, size = village.people, len(village.people)
    township = village.homes.township[village.homes.of]
    return {
        "person": Filled(np.arange(size, dtype=np.int64) + village.number * PERSON_BASE),
        "village": Filled(np.full(size, village.number)),
        "township": Filled(township + 1),
        "county": Filled(places.places().county[township] + 1),
        "sex": Filled(people.sex),
        "birth_date": Filled(people.born),
        "death_date": _day(people.died),
        "nationality": Filled(np.zeros(size, dtype=np.int8)),
        "marital_status": Filled(people.marital),
        "registered_since": Filled(village.stays.since),
        "resident_days_last_year": Filled(village.stays.resident_days),
    }


def _kin(village: Village) -> Frame:
    people, families, births = village.people, village.families, village.births
    known = people.mother != NOBODY
    last = np.full(len(people), NEVER, dtype=np.int32)
    np.maximum.at(last, births.mother, births.born)
    latest = births.born == last[births.mother]
    multiple = np.bincount(births.mother[latest], minlength=len(people))
    weeks = np.full(len(people), 99, dtype=np.int32)
    weeks[births.mother[latest]] = births.weeks[latest]
    pending = np.zeros(len(people), dtype=np.bool_)
    pending[births.mother[latest & (births.child == NOBODY)]] = True
    bore = last != NEVER
    return {
        "mother": _relative(village, people.mother),
        "father": _relative(village, people.father),
        "spouse": _relative(village, people.spouse),
        "birth_order": Filled(families.order, known),
        "elder_children": Filled(families.order - 1, known),
        **{f"children_under_{years}": Filled(counts) for years, counts in families.under.items()},
        "youngest_child_birth": _day(families.youngest),
        "last_birth_date": _when(last, bore),
        "last_birth_multiple": Filled(multiple, bore),
        "last_birth_premature": Filled(weeks < 37, bore),
        "last_birth_registered": Filled(~pending, bore),
    }


def _household(village: Village) -> Frame:
    homes = village.homes
    head = homes.head[homes.of]
    return {
        "household": _relative(village, head),
        "household_size": Filled(np.minimum(homes.size[homes.of], 120)),
        "is_head": Filled((head == np.arange(len(village.people))) & village.people.alive),
    }


def _school(village: Village) -> Frame:
    school = village.schooling
    return {
        "education": Filled(school.education),
        "study_field": Filled(school.field),
        "school_level": Filled(school.school),
        "school_repeating": Filled(school.repeating, school.school > 0),
        "school_public": Filled(school.public, school.school > 0),
    }


def _work(village: Village) -> Frame:
    work, births = village.work, village.births
    last = np.full(len(village.people), NEVER, dtype=np.int32)
    np.maximum.at(last, births.mother, births.born)
    ever = work.since != NEVER
    present = np.where(work.left != NEVER, work.left, village.today)
    since_birth = np.clip(present - np.maximum(last, work.since), 0, None)
    before = np.clip(work.days - since_birth, 0, None)
    return {
        "bli_insured": Filled((work.insurance == LABOUR) & village.people.alive),
        "bli_from": _when(work.since, ever),
        "bli_days": Filled(work.days),
        "bli_days_before_birth": Filled(before, last != NEVER),
        "bli_wage": Filled(work.wage, ever),
        "ei_days_3y": Filled(work.employment_days),
        "left_job_on": _day(work.left),
        "left_involuntary": Filled(work.involuntary, work.left != NEVER),
        "job_seeker_since": _day(work.seeker),
        "training_from": _day(work.training),
        "unemployment_paid_months": Filled(work.benefit_months),
        "reemployed_on": _day(work.again),
        "parental_leave_from": _day(work.leave),
        "parental_leave_months": Filled(work.leave_months, work.leave != NEVER),
    }


def _insurance(village: Village) -> Frame:
    work, alive = village.work, village.people.alive
    return {
        "np_insured": Filled((work.insurance == PENSION) & alive),
        "np_days": Filled(work.pension_days),
        "np_amount": Filled(np.full(len(alive), NP_AMOUNT), work.pension_days > 0),
        "fi_insured": Filled((work.insurance == FARMERS) & alive),
        "fi_days": Filled(work.farmer_days),
        "public_pension": Filled(village.public),
    }


def _money(village: Village) -> Frame:
    homes, alive = village.homes, village.people.alive
    income = np.where(alive, village.work.income, 0)
    total = np.bincount(homes.of, weights=income, minlength=len(homes)).astype(np.int64)
    owned = np.where(alive, village.wealth.property, 0)
    property_ = np.bincount(homes.of, weights=owned, minlength=len(homes)).astype(np.int64)
    a_head = total / np.maximum(homes.size, 1)
    decile = np.searchsorted(margins.INCOME_DECILES, a_head, side="right") + 1
    return {
        "income": Filled(village.work.income),
        "household_income": Filled(total[homes.of]),
        "income_decile": Filled(decile[homes.of]),
        "household_property": Filled(property_[homes.of]),
        "movable_property": Filled(village.wealth.movable),
    }


def _care(village: Village) -> Frame:
    welfare = village.welfare
    return {
        "low_income": Filled(welfare.low_income),
        "disability": Filled(welfare.disability),
        "circumstance": Filled(welfare.circumstance),
        "placement": Filled(welfare.placement),
    }


def _home(village: Village) -> Frame:
    wealth = village.wealth
    owns = wealth.owns
    return {
        "home_own": Filled(owns),
        "home_registered": Filled(wealth.lives_in, owns),
        "home_let": Filled(wealth.let, owns),
        "land_area_m2": Filled(wealth.area, owns),
        "land_urban": Filled(wealth.urban, owns),
        "land_value": Filled(wealth.land_value, owns),
        "land_self_use_granted": Filled(wealth.granted, owns),
        "vehicles": Filled(wealth.cars + wealth.motorcycles),
    }


def _firm(village: Village) -> Frame:
    firms = village.firms
    runs, graded = firms.kind > 0, firms.grade > 0
    return {
        "company_role": Filled(runs.astype(np.int8)),
        "company_kind": Filled(firms.kind),
        "construction_grade": Filled(firms.grade),
        "company_capital": Filled(firms.capital, runs),
        "company_registered_on": _day(firms.registered),
        "construction_permit_on": _day(firms.permit),
        "construction_turnover_5y": Filled(firms.turnover, graded),
        "construction_grade_years": Filled(firms.grade_years, graded),
        "sd_exam": Filled(firms.exam),
        "sd_experience_years": Filled(firms.experience),
        "sd_course_passed": Filled(firms.course),
        "sd_licensed_on": _day(firms.licensed),
        "sd_retraining_hours": Filled(firms.retraining, firms.licensed != NEVER),
    }


def _death(village: Village) -> Frame:
    dead, welfare = ~village.people.alive, village.welfare
    insurance = np.zeros(len(dead), dtype=np.int8)
    for kind, code in _DECEASED_INSURANCE.items():
        insurance[dead & (village.work.insurance == kind)] = code
    return {
        "cause_of_death_known": Filled(welfare.cause_known, dead),
        "deceased_insurance": Filled(insurance, dead),
        "survivors": Filled(welfare.survivors, dead),
        "funeral_payer": _relative(village, welfare.payer),
    }
