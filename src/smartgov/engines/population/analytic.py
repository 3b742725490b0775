"""The registers that only the analyst's country has, one table a function; data/registers.yaml describes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from smartgov.engines.population import margins, tables
from smartgov.engines.population.dirt import Dirt, township_words
from smartgov.engines.population.fields import addresses, ids_of, key
from smartgov.engines.population.firms import CONSTRUCTION
from smartgov.engines.population.frame import CODES
from smartgov.engines.population.people import MALE, NEVER, NOBODY, Ints
from smartgov.engines.population.schooling import LEVELS
from smartgov.engines.population.streams import Array, Flags
from smartgov.engines.population.tables import Days, Letters, Numbers, Table, Words
from smartgov.engines.population.village import Village
from smartgov.engines.population.work import FARMERS, NP_AMOUNT, PENSION

Kinds = dict[str, tuple[Flags, Array, Ints]]
_FI_AMOUNT = 20_400  # insured monthly amount of the farmers' insurance, rounded knowledge


def all_tables(village: Village, dirt: Dirt) -> Iterator[tuple[str, str, Table]]:
    """Agency, name and table of each."""
    for (agency, name), make in MAKERS.items():
        yield agency, name, make(village, dirt)


def benefit_kinds(village: Village) -> Kinds:
    """Of each benefit: who got it, how much (by rough rules; the exact ones are the rules engine's), and when."""
    applied, work, people, today = village.welfare.applied, village.work, village.people, village.today
    last = np.full(len(people), NEVER, dtype=np.int32)
    np.maximum.at(last, village.births.mother, village.births.born)
    birth = np.where(last == NEVER, NEVER, last + 30).astype(np.int32)
    lately = np.full(len(people), today - 15, dtype=np.int32)
    death = np.where(people.alive, NEVER, people.died + 20).astype(np.int32)
    wage, six_tenths = work.wage, work.wage * 6 // 10
    flat = np.ones(len(people), dtype=np.int64)
    pension = np.maximum(NP_AMOUNT * work.pension_days // 365 * 13 // 1000, 3_500)
    paid = np.maximum(work.benefit_months.astype(np.int32), 1)
    return {
        "maternity": (applied["maternity_bli"], wage * 2, birth),
        "maternity_np": (applied["maternity_np"], flat * NP_AMOUNT * 2, birth),
        "maternity_fi": (applied["maternity_fi"], flat * _FI_AMOUNT * 3, birth),
        "unemployment": (applied["unemployment"], six_tenths * paid, work.left + 30 + 30 * paid),
        "training_allowance": (applied["training_allowance"], six_tenths, work.training + 30),
        "early_reemployment": (applied["early_reemployment"], six_tenths * 2, work.again + 100),
        "parental_leave": (applied["parental_leave"], six_tenths * work.leave_months, work.leave + 30),
        "np_old_age": (applied["np_old_age"], pension, lately),
        "bli_old_age": (applied["bli_old_age"], wage * (work.days // 365 + 1) * 155 // 10_000, lately),
        "old_farmer": (applied["old_farmer"], flat * 8_110, lately),
        "funeral_bli": (applied["funeral_bli"], wage * 5, death),
        "funeral_np": (applied["funeral_np"], flat * NP_AMOUNT * 5, death),
        "funeral_fi": (applied["funeral_fi"], flat * _FI_AMOUNT * 15, death),
    }


def _moves(village: Village, dirt: Dirt) -> Table:
    stays, homes = village.stays, village.homes
    person = np.flatnonzero((stays.moved != NEVER) & village.people.alive)
    return {
        "id": key(village, "move", len(person)),
        "national_id": ids_of(village, person),
        "moved_on": Days(stays.moved[person]),
        "from_township": Words(stays.origin[person], township_words()),
        "to_township": Words(homes.township[homes.of[person]], township_words()),
    }


def _marriages(village: Village, dirt: Dirt) -> Table:
    people = village.people
    husband = np.flatnonzero((people.sex == MALE) & (people.partner != NOBODY))
    wife = people.partner[husband]
    ended = np.where(~people.alive[husband] | ~people.alive[wife], 2, np.where(people.marital[husband] == 2, 1, 0))
    return {
        "id": key(village, "marriage", len(husband)),
        "husband_id": ids_of(village, husband),
        "wife_id": ids_of(village, wife),
        "married_on": Days(village.stays.wedding[husband]),
        "status": Words(ended, ("married", "divorced", "ended_by_death")),
    }


def _deaths(village: Village, dirt: Dirt) -> Table:
    people, welfare = village.people, village.welfare
    dead = np.flatnonzero(welfare.applied["death_registration"])
    swapped = dirt.swapped(people.born[dead], dirt.hits("ris.death_birth_date_swapped", dead))
    return {
        "id": key(village, "death", len(dead)),
        "national_id": ids_of(village, dead),
        "name": Letters(village.letters[dead]),
        "birth_date": Days(swapped),
        "death_date": Days(people.died[dead]),
        "cause_known": Numbers(welfare.cause_known[dead]),
        "reported_by_id": ids_of(village, welfare.payer[dead]),
    }


def _low_income(village: Village, dirt: Dirt) -> Table:
    homes, status = village.homes, village.welfare.low_income
    head = homes.head[homes.size > 0]
    head = head[status[head] > 0]
    return {
        "id": key(village, "low-income", len(head)),
        "head_id": ids_of(village, head),
        "kind": Words(status[head], CODES["low_income"]),
        "members": Numbers(homes.size[homes.of[head]]),
        "address": Letters(addresses(village, head)),
    }


def _disability(village: Village, dirt: Dirt) -> Table:
    person = np.flatnonzero((village.welfare.disability > 0) & village.people.alive)
    twice = person[dirt.hits("sfaa.disability_twice", person)]
    person = np.sort(np.concatenate([person, twice]))
    return {
        "id": key(village, "disability", len(person)),
        "national_id": ids_of(village, person),
        "degree": Words(village.welfare.disability[person], CODES["disability"]),
    }


def _circumstances(village: Village, dirt: Dirt) -> Table:
    """Families that were found to be in special circumstances upon their application."""
    person = np.flatnonzero(village.welfare.applied["special_circumstance"] & village.people.alive)
    return {
        "id": key(village, "circumstance", len(person)),
        "national_id": ids_of(village, person),
        "kind": Words(village.welfare.circumstance[person], CODES["circumstance"]),
        "found_on": Days(village.welfare.circumstance_since[person]),
    }


def _farmers(village: Village, dirt: Dirt) -> Table:
    work, people = village.work, village.people
    person = np.flatnonzero((work.insurance == FARMERS) & people.alive)
    return {
        "id": key(village, "farmer", len(person)),
        "national_id": ids_of(village, person),
        "name": Letters(dirt.big5(village.letters[person], dirt.hits("bli.farmer_name_big5", person))),
        "birth_date": Days(dirt.swapped(people.born[person], dirt.hits("bli.farmer_birth_date_swapped", person))),
        "from_date": Days((village.today - work.farmer_days[person]).astype(np.int32)),
        "days": Numbers(work.farmer_days[person]),
    }


def _national_pension(village: Village, dirt: Dirt) -> Table:
    work = village.work
    person = np.flatnonzero(((work.insurance == PENSION) | (work.pension_days > 0)) & village.people.alive)
    return {
        "id": key(village, "pension", len(person)),
        "national_id": ids_of(village, person),
        "insured": Numbers(work.insurance[person] == PENSION),
        "days": Numbers(work.pension_days[person]),
        "insured_amount": Numbers(np.full(len(person), NP_AMOUNT, dtype=np.int32)),
    }


def _leavings(village: Village, dirt: Dirt) -> Table:
    """Who left an insured job within three years, and why."""
    work = village.work
    person = np.flatnonzero((work.left > village.today - 3 * 365) & village.people.alive)
    return {
        "id": key(village, "leaving", len(person)),
        "national_id": ids_of(village, person),
        "left_on": Days(work.left[person]),
        "reason": Words(work.involuntary[person].astype(np.int8), ("voluntary", "involuntary")),
        "employment_insurance_days": Numbers(work.employment_days[person]),
    }


def _parental_leaves(village: Village, dirt: Dirt) -> Table:
    work = village.work
    person = np.flatnonzero(work.leave != NEVER)
    return {
        "id": key(village, "leave", len(person)),
        "national_id": ids_of(village, person),
        "from_date": Days(work.leave[person]),
        "months": Numbers(work.leave_months[person]),
    }


def _seekers(village: Village, dirt: Dirt) -> Table:
    person = np.flatnonzero(village.work.seeker != NEVER)
    return {
        "id": key(village, "seeker", len(person)),
        "national_id": ids_of(village, person),
        "registered_on": Days(village.work.seeker[person]),
    }


def _trainings(village: Village, dirt: Dirt) -> Table:
    person = np.flatnonzero(village.work.training != NEVER)
    return {
        "id": key(village, "training", len(person)),
        "national_id": ids_of(village, person),
        "from_date": Days(village.work.training[person]),
        "full_time": Numbers(np.ones(len(person), dtype=np.bool_)),
    }


def _certificates(village: Village, dirt: Dirt) -> Table:
    person = np.flatnonzero(village.firms.exam > 0)
    return {
        "id": key(village, "certificate", len(person)),
        "national_id": ids_of(village, person),
        "kind": Words(village.firms.exam[person], CODES["sd_exam"]),
    }


def _enrolments(village: Village, dirt: Dirt) -> Table:
    school, people = village.schooling, village.people
    person = np.flatnonzero((school.school > 0) & people.alive)
    return {
        "id": key(village, "enrolment", len(person)),
        "national_id": ids_of(village, person),
        "name": Letters(village.letters[person]),
        "birth_date": Days(dirt.swapped(people.born[person], dirt.hits("moe.birth_date_swapped", person))),
        "level": Words(school.school[person], CODES["school_level"]),
        "repeating": Numbers(school.repeating[person]),
        "public": Numbers(school.public[person]),
    }


def _degrees(village: Village, dirt: Dirt) -> Table:
    school = village.schooling
    person = np.flatnonzero((school.education >= LEVELS["senior"]) & village.people.alive)
    field = np.where(dirt.hits("moe.degree_field_missing", person), -1, school.field[person])
    return {
        "id": key(village, "degree", len(person)),
        "national_id": ids_of(village, person),
        "education": Words(school.education[person], CODES["education"]),
        "study_field": Words(field, CODES["study_field"]),
    }


def _parcels(village: Village, dirt: Dirt) -> Table:
    """Land under homes, then farm land."""
    wealth, homes = village.wealth, village.homes
    home, field = np.flatnonzero(wealth.owns), np.flatnonzero(wealth.field_area > 0)
    owner = np.concatenate([home, field])
    farm = np.arange(len(owner)) >= len(home)
    return {
        "id": key(village, "parcel", len(owner)),
        "owner_id": ids_of(village, owner),
        "owner_name": Letters(dirt.big5(village.letters[owner], dirt.hits("dla.owner_name_big5", owner))),
        "township": Words(homes.township[homes.of[owner]], township_words()),
        "area_m2": Numbers(np.where(farm, wealth.field_area[owner], wealth.area[owner])),
        "use": Words(np.where(farm, 2, wealth.urban[owner]), ("rural_building", "urban_building", "farm")),
        "assessed_value": Numbers(
            np.where(farm, wealth.field_area[owner].astype(np.int64) * 600, wealth.land_value[owner])
        ),
    }


def _houses(village: Village, dirt: Dirt) -> Table:
    wealth = village.wealth
    owner = np.flatnonzero(wealth.owns)
    use = np.where(wealth.let[owner], 2, np.where(wealth.lives_in[owner], 0, 1))
    return {
        "id": key(village, "house", len(owner)),
        "owner_id": ids_of(village, owner),
        "address": Letters(addresses(village, owner)),
        "use": Words(use, ("own", "empty", "let")),
        "registered": Numbers(wealth.lives_in[owner]),
        "assessed_value": Numbers(wealth.house_value[owner]),
        "self_use_rate": Numbers(wealth.granted[owner]),
    }


def _deposits(village: Village, dirt: Dirt) -> Table:
    person = np.flatnonzero((village.wealth.movable >= 1_000) & village.people.alive)
    return {
        "id": key(village, "deposit", len(person)),
        "national_id": ids_of(village, person),
        "amount": Numbers(village.wealth.movable[person]),
    }


def company_names(village: Village, owner: Array) -> Array:
    """Made-up names: two syllables of luck and a trade."""
    stems = tables.texts(list(margins.EMPLOYER_STEMS))
    code = village.firms.name[owner]
    kinds = ["營造有限公司" if at == CONSTRUCTION else "有限公司" for at in range(3)]
    first, second = stems[code % len(stems)], stems[code // 97 % len(stems)]
    return tables.beside([first, second, tables.texts(kinds)[village.firms.kind[owner]]])


def _companies(village: Village, dirt: Dirt) -> Table:
    firms, homes = village.firms, village.homes
    owner = np.flatnonzero(firms.kind > 0)
    stale = dirt.hits("moea.responsible_name_big5", owner)
    return {
        "id": key(village, "company", len(owner)),
        "name": Letters(company_names(village, owner)),
        "responsible_id": ids_of(village, owner),
        "responsible_name": Letters(dirt.big5(village.letters[owner], stale)),
        "kind": Words(firms.kind[owner], CODES["company_kind"]),
        "capital": Numbers(firms.capital[owner]),
        "registered_on": Days(firms.registered[owner]),
        "township": Words(homes.township[homes.of[owner]], township_words()),
    }


def _construction_firms(village: Village, dirt: Dirt) -> Table:
    firms = village.firms
    company = np.flatnonzero(firms.kind > 0)
    number = np.flatnonzero(firms.kind[company] == CONSTRUCTION)
    owner = company[number]
    return {
        "id": key(village, "construction", len(owner)),
        "company_id": Letters(key(village, "company", len(company)).codes[number]),
        "responsible_id": ids_of(village, owner),
        "permit_on": Days(firms.permit[owner]),
        "grade": Words(firms.grade[owner], CODES["construction_grade"]),
        "grade_years": Numbers(firms.grade_years[owner]),
        "turnover_5y": Numbers(firms.turnover[owner]),
        "registration_applied": Numbers(firms.applied[owner]),
    }


def _site_directors(village: Village, dirt: Dirt) -> Table:
    """Who passed the course, and who of them is licensed."""
    firms = village.firms
    person = np.flatnonzero(firms.course | (firms.licensed != NEVER))
    return {
        "id": key(village, "site-director", len(person)),
        "national_id": ids_of(village, person),
        "experience_years": Numbers(firms.experience[person]),
        "course_passed": Numbers(firms.course[person]),
        "licensed_on": Days(firms.licensed[person]),
        "retraining_hours": Numbers(firms.retraining[person], firms.licensed[person] != NEVER),
    }


def _vehicles(village: Village, dirt: Dirt) -> Table:
    """One row a vehicle, with the owner's address; a stale one is that of another household of the village."""
    wealth, homes = village.wealth, village.homes
    persons = np.arange(len(village.people))
    owner = np.concatenate([np.repeat(persons, wealth.cars), np.repeat(persons, wealth.motorcycles)])
    car = np.arange(len(owner)) < int(wealth.cars.sum())
    stale = dirt.hits("thb.address_stale", owner)
    seen = np.where(stale, homes.head[(homes.of[owner] + 37) % len(homes)], owner)
    born = np.where(dirt.hits("thb.birth_date_missing", owner), NEVER, village.people.born[owner])
    return {
        "id": key(village, "vehicle", len(owner)),
        "owner_id": ids_of(village, owner),
        "owner_birth_date": Days(born.astype(np.int32)),
        "kind": Words((~car).astype(np.int8), ("car", "motorcycle")),
        "address": Letters(addresses(village, seen)),
        "township": Words(homes.township[homes.of[seen]], township_words()),
    }


def _absences(village: Village, dirt: Dirt) -> Table:
    days = village.stays.resident_days
    long = (days < 340) & village.people.alive & (village.age >= 1)
    person = np.flatnonzero(long)
    return {
        "id": key(village, "absence", len(person)),
        "national_id": ids_of(village, person),
        "year_until": Days(np.full(len(person), village.today, dtype=np.int32)),
        "days_abroad": Numbers((365 - days[person]).astype(np.int16)),
    }


MAKERS: dict[tuple[str, str], Callable[[Village, Dirt], Table]] = {
    ("ris", "moves"): _moves,
    ("ris", "marriages"): _marriages,
    ("ris", "deaths"): _deaths,
    ("sfaa", "low_income"): _low_income,
    ("sfaa", "disability"): _disability,
    ("sfaa", "circumstances"): _circumstances,
    ("bli", "farmers"): _farmers,
    ("bli", "national_pension"): _national_pension,
    ("bli", "leavings"): _leavings,
    ("bli", "parental_leaves"): _parental_leaves,
    ("wda", "job_seekers"): _seekers,
    ("wda", "trainings"): _trainings,
    ("wda", "certificates"): _certificates,
    ("moe", "enrolments"): _enrolments,
    ("moe", "degrees"): _degrees,
    ("dla", "parcels"): _parcels,
    ("tax", "houses"): _houses,
    ("mof", "deposits"): _deposits,
    ("moea", "companies"): _companies,
    ("nlma", "construction_firms"): _construction_firms,
    ("nlma", "site_directors"): _site_directors,
    ("thb", "vehicles"): _vehicles,
    ("nia", "absences"): _absences,
}
