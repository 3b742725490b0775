"""The registers of the six agencies that the demo serves: they agree with each other, less the stated rates of dirt."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from itertools import chain, pairwise

import numpy as np

from smartgov.engines.population import analytic, margins, tables
from smartgov.engines.population.cast import CastVillage
from smartgov.engines.population.dirt import Dirt, township_words
from smartgov.engines.population.fields import addresses, ids_of, key
from smartgov.engines.population.frame import CODES
from smartgov.engines.population.ids import numbered
from smartgov.engines.population.people import DEAD_DAYS, DIVORCED, MARITAL, MARRIED, NEVER, NOBODY, days
from smartgov.engines.population.streams import Array, stream
from smartgov.engines.population.tables import Days, Letters, Numbers, Table, Words
from smartgov.engines.population.village import Village
from smartgov.engines.population.work import LABOUR, PUBLIC

Served = dict[str, dict[str, Iterable[tables.Row]]]
WAGE_MONTHS = 12
_SEX = ("unknown", "male", "female")
_ALLOWANCE = np.array([0, 5_000, 6_000, 7_000])  # by birth order; what is paid today is decided by engines/rules
_HEALTH_INSURANCE_BEGAN = days(date(1995, 3, 1))
_OF_AGE = 18
_TO_MOTHER = 0.7  # how often a court or the parents leave a child to the mother
_FIRST_BUSINESS = 90_000_000
_HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)


def registers(played: CastVillage) -> Served:
    """The tables of each agency's register, as `content/tw/registers/<agency>.yaml` describes them; rows are lazy."""
    village = played.village
    dirt = Dirt(village, frozenset(played.cast.values()))
    found: Served = {}
    for agency, name, table in _served(village, dirt):
        found.setdefault(agency, {})[name] = tables.rows(table)
    return found


def all_tables(village: Village) -> Iterator[tuple[str, str, Table]]:
    """Agency, name and table of every register of the country: the served ones and the analytic ones."""
    dirt = Dirt(village)
    served = ((agency, name, table) for agency, name, table in _served(village, dirt) if (agency, name) not in _WIDER)
    wider = ((agency, name, make(village, dirt)) for (agency, name), make in _WIDER.items())
    return chain(served, wider, analytic.all_tables(village, dirt))


def _served(village: Village, dirt: Dirt) -> Iterator[tuple[str, str, Table]]:
    yield "ris", "people", _people(village, dirt)
    yield "ris", "households", _households(village)
    yield "hpa", "births", _births(village, dirt)
    yield "nhi", "insured", _insured(village, dirt)
    yield "sfaa", "placements", _placements(village)
    yield "sfaa", "allowances", _allowances(village)
    yield "bli", "insurance", _insurance(village, dirt)
    yield "bli", "wages", _wages(village)
    yield "bli", "benefits", _maternity(village)
    yield "mof", "refund_accounts", _refund_accounts(village, dirt)
    yield "mof", "incomes", _incomes(village)
    yield "ris", "custody", _custody(village)
    yield "mof", "businesses", _businesses(village)


def _custody(village: Village) -> Table:
    """Who holds parental rights alone after a divorce, and who is guardian of a minor whose parents have died.

    Where both parents live and are not divorced there is no row: the law makes both of them representatives.
    """
    folk, today = village.people, village.today
    minor = folk.alive & (village.age < _OF_AGE)
    mother, father = (
        np.where((line != NOBODY) & folk.alive[line], line, NOBODY) for line in (folk.mother, folk.father)
    )
    both = minor & (mother != NOBODY) & (father != NOBODY)
    apart = both & (folk.marital[mother] == DIVORCED) & (folk.partner[mother] == father)
    to_mother = stream(village.seed, village.number, "custody").random(len(folk)) < _TO_MOTHER
    orphan = minor & (mother == NOBODY) & (father == NOBODY)
    head = village.homes.head[village.homes.of]
    orphan &= (head != np.arange(len(folk))) & folk.alive[head] & (village.age[head] >= _OF_AGE)
    holder = np.where(apart, np.where(to_mother, mother, father), head)
    ward = np.flatnonzero(apart | orphan)
    return {
        "id": key(village, "custody", len(ward)),
        "ward_id": ids_of(village, ward),
        "holder_id": ids_of(village, holder[ward]),
        "kind": Words(orphan[ward].astype(np.int8), ("parental_rights", "guardianship")),
        "from_date": Days(np.maximum(folk.born[ward], today - 365)),
        "to_date": Days(np.full(len(ward), NEVER, dtype=np.int32)),
    }


def _businesses(village: Village) -> Table:
    """The businesses of the village's companies as the tax office has them; numbers are made up."""
    firms = village.firms
    owner = np.flatnonzero((firms.kind > 0) & village.people.alive)
    return {
        "id": key(village, "business", len(owner)),
        "number": Letters(tables.digits(_FIRST_BUSINESS + village.number * 2_000 + np.arange(len(owner)), 8)),
        "name": Letters(analytic.company_names(village, owner)),
        "responsible_id": ids_of(village, owner),
        "status": Words(np.zeros(len(owner), dtype=np.int8), ("active", "closed")),
        "registered_on": Days(firms.registered[owner]),
    }


def _people(village: Village, dirt: Dirt) -> Table:
    folk, persons = village.people, np.flatnonzero(village.people.alive)
    address = dirt.full_width(addresses(village, persons), dirt.hits("ris.address_full_width", persons))
    township = dirt.township(
        village.homes.township[village.homes.of[persons]], dirt.hits("ris.variant_character", persons)
    )
    return {
        "id": Letters(numbered("person", village.number, persons)),
        "national_id": ids_of(village, persons),
        "name": Letters(village.letters[persons]),
        "sex": Words(folk.sex[persons], _SEX),
        "birth_date": Days(folk.born[persons]),
        "household_id": Letters(numbered("household", village.number, village.homes.of[persons])),
        "father_id": ids_of(village, folk.father[persons]),
        "mother_id": ids_of(village, folk.mother[persons]),
        "spouse_id": ids_of(village, folk.spouse[persons]),
        "marital_status": Words(folk.marital[persons], MARITAL),
        "address": Letters(address),
        "township": Words(township, township_words()),
        "registered_on": Days(village.stays.registered[persons]),
        "nationality": Words(np.zeros(len(persons), dtype=np.int8), ("TW",)),
    }


def _households(village: Village) -> Table:
    homes = village.homes
    living = np.flatnonzero(homes.size > 0)
    heads = homes.head[living]
    return {
        "id": Letters(numbered("household", village.number, living)),
        "head_id": ids_of(village, heads),
        "address": Letters(addresses(village, heads)),
        "township": Words(homes.township[living], township_words()),
    }


def _uuids(village: Village, count: int) -> Letters:
    """Ids as hospitals make them, which do not change from run to run."""
    raw = np.frombuffer(stream(village.seed, village.number, "birth keys").bytes(16 * count), dtype=np.uint8)
    nibbles = np.stack([raw >> 4, raw & 15], axis=1).reshape(count, 32).copy()
    nibbles[:, 12] = 4
    nibbles[:, 16] = 8 + (nibbles[:, 16] & 3)
    letters = _HEX[nibbles]
    dash = np.full((count, 1), ord("-"), dtype=np.uint8)
    cuts = (0, 8, 12, 16, 20, 32)
    parts = [letters[:, first:last] for first, last in pairwise(cuts)]
    return Letters(np.hstack([piece for part in parts for piece in (part, dash)][:-1]))


def _births(village: Village, dirt: Dirt) -> Table:
    births = village.births
    space = tables.where(dirt.hits("hpa.mother_name_trailing_space", births.mother), " ")
    return {
        "id": _uuids(village, len(births)),
        "mother_id": ids_of(village, births.mother),
        "mother_name": Letters(tables.beside([village.letters[births.mother], space])),
        "child_sex": Words(births.sex, _SEX),
        "born_on": Days(births.born),
        "weight_g": Numbers(births.weight),
        "gestation_weeks": Numbers(births.weeks),
        "birth_order_hospital": Numbers(births.order),
        "hospital": Words(births.hospital, margins.HOSPITALS),
        "notified_on": Days(births.notified),
        "status": Words((births.child != NOBODY).astype(np.int8), ("notified", "registered")),
    }


def _insured(village: Village, dirt: Dirt) -> Table:
    """One row a person; newborns whose parents have not applied yet are missing; some persons are there twice."""
    folk = village.people
    pending = (village.age < 2) & ~village.welfare.applied["newborn_health_insurance"]
    persons = np.flatnonzero(folk.alive & ~pending)
    holder = _insured_through(village)[persons]
    at_work = np.isin(village.work.insurance[persons], (LABOUR, PUBLIC))
    category = np.where(at_work, 0, np.where(holder != NOBODY, 1, 2))
    twice = np.flatnonzero(dirt.hits("nhi.insured_twice", persons))
    order = np.sort(np.concatenate([np.arange(len(persons)), twice]), kind="stable")
    again = np.concatenate([[False], order[1:] == order[:-1]])
    category, holder = np.where(again, 2, category[order]), np.where(again, NOBODY, holder[order])
    persons = persons[order]
    return {
        "id": key(village, "insured", len(persons)),
        "national_id": ids_of(village, persons),
        "status": Words(np.zeros(len(persons), dtype=np.int8), ("insured", "ended")),
        "insured_as": Words(category, ("employee", "dependent", "resident")),
        "insured_through_id": ids_of(village, np.where(category == 1, holder, NOBODY)),
        "from_date": Days(np.maximum(folk.born[persons], _HEALTH_INSURANCE_BEGAN)),
        "card_no": Letters(
            tables.beside(
                [tables.digits(9_000_000 + village.number + 0 * persons, 7), tables.digits(persons, 5, leading=True)]
            )
        ),
    }


def _insured_through(village: Village) -> Array:
    """Those not at work: below 25 through a parent at work, else through the spouse; NOBODY for the others."""
    folk = village.people
    works = (village.work.insurance == LABOUR) & folk.alive
    found = np.full(len(folk), NOBODY, dtype=np.int32)
    partner = (folk.marital == MARRIED) & works[folk.partner]
    found[partner] = folk.partner[partner]
    for parent in (folk.father, folk.mother):
        through = (parent != NOBODY) & works[parent] & (village.age < 25)
        found[through] = parent[through]
    found[works] = NOBODY
    return found


def _placements(village: Village) -> Table:
    welfare, folk = village.welfare, village.people
    child = np.flatnonzero((welfare.placement > 0) & (folk.mother != NOBODY))
    return {
        "id": key(village, "placement", len(child)),
        "child_id": ids_of(village, child),
        "parent_id": ids_of(village, folk.mother[child]),
        "kind": Words(welfare.placement[child], CODES["placement"]),
        "from_date": Days(welfare.placed[child]),
        "to_date": Days(np.full(len(child), NEVER, dtype=np.int32)),
    }


def _allowances(village: Village) -> Table:
    return _allowances_of(village, (("childcare_allowance", "childcare_0_2", 0, 2),))


def _wider_allowances(village: Village, dirt: Dirt) -> Table:
    kinds = (("childcare_allowance", "childcare_0_2", 0, 2), ("preschool_allowance", "preschool_2_5", 2, 5))
    return _allowances_of(village, kinds)


def _allowances_of(village: Village, kinds: tuple[tuple[str, str, int, int], ...]) -> Table:
    folk, applied = village.people, village.welfare.applied
    known = folk.mother != NOBODY
    each = [np.flatnonzero(applied[name] & known) for name, *_ in kinds]
    child = np.concatenate(each)
    kind = np.repeat(np.arange(len(kinds)), [len(some) for some in each])
    start, end = (np.array([spec[at] for spec in kinds])[kind] * 12 for at in (2, 3))
    month = folk.born[child].astype("M8[D]").astype("M8[M]").astype(np.int64)
    return {
        "id": key(village, "allowance", len(child)),
        "child_id": ids_of(village, child),
        "parent_id": ids_of(village, folk.mother[child]),
        "kind": Words(kind, tuple(name for _, name, *_ in kinds)),
        "monthly_amount": Numbers(_ALLOWANCE[np.minimum(village.families.order[child], 3)]),
        "from_month": Letters(_months(month + start)),
        "to_month": Letters(_months(month + end)),
        "case_id": Words(np.full(len(child), -1), ("",)),
    }


def _months(months: Array) -> Array:
    """Months counted from January 1970 as `YYYY-MM`."""
    year, month = np.divmod(months, 12)
    dash = np.full((len(months), 1), ord("-"))
    return tables.beside([tables.digits(1970 + year, 4), dash, tables.digits(month + 1, 2, leading=True)])


def _insurance(village: Village, dirt: Dirt) -> Table:
    work = village.work
    present = (work.insurance == LABOUR) & village.people.alive
    back = present & (work.again != NEVER)
    died = (work.insurance == LABOUR) & ~village.people.alive
    past = (~present & (work.left != NEVER)) | back | died
    ends = np.where(died, village.people.died, work.left)
    person = np.concatenate([np.flatnonzero(present), np.flatnonzero(past)])
    ended = np.arange(len(person)) >= present.sum()
    before = np.maximum(work.left - np.maximum(work.employment_days, 30), village.people.born + 16 * 365)
    began = np.where(ended & back[person], before[person], work.since[person]).astype(np.int32)
    until = np.where(ended, ends[person], NEVER).astype(np.int32)
    short = dirt.hits("bli.employer_short_form", person)
    names = tables.texts(village.employers)
    shorter = tables.texts([name.replace("股份有限公司", "（股）公司") for name in village.employers])
    wide = np.zeros_like(names)
    wide[:, : shorter.shape[1]] = shorter
    employer = work.employer[person]
    return {
        "id": key(village, "spell", len(person)),
        "national_id": ids_of(village, person),
        "employer": Letters(np.where(short[:, None], wide[employer], names[employer])),
        "from_date": Days(began),
        "to_date": Days(until),
        "days": Numbers(np.where(ended, until, village.today).astype(np.int32) - began),
    }


def _wages(village: Village) -> Table:
    """The insured wage of each insured month of the last twelve."""
    work = village.work
    present = (work.insurance == LABOUR) & village.people.alive
    died = (work.insurance == LABOUR) & ~village.people.alive
    until = np.where(present, village.today, np.where(died, village.people.died, work.left))
    this_month = np.datetime64(village.on, "M").astype(np.int64)
    last = until.astype("M8[D]").astype("M8[M]").astype(np.int64)
    first = work.since.astype("M8[D]").astype("M8[M]").astype(np.int64)
    worker = np.flatnonzero((work.since != NEVER) & (last > this_month - WAGE_MONTHS))
    months = np.arange(this_month - WAGE_MONTHS + 1, this_month + 1)
    inside = (months >= first[worker, None]) & (months <= last[worker, None])
    row, month = np.nonzero(inside)
    person = worker[row]
    return {
        "id": key(village, "wage", len(person)),
        "national_id": ids_of(village, person),
        "month": Words(month, tuple(str(np.datetime64(int(each), "M")) for each in months)),
        "insured_wage": Numbers(work.wage[person]),
    }


def _maternity(village: Village) -> Table:
    return _benefits_of(village, ("maternity",))


def _wider_benefits(village: Village, dirt: Dirt) -> Table:
    return _benefits_of(village, tuple(analytic.benefit_kinds(village)))


def _benefits_of(village: Village, names: tuple[str, ...]) -> Table:
    """Benefits paid, by kind."""
    kinds = analytic.benefit_kinds(village)
    each = [np.flatnonzero(kinds[name][0]) for name in names]
    person = np.concatenate(each)
    amount = np.concatenate([kinds[name][1][some] for name, some in zip(names, each, strict=True)])
    decided = np.concatenate([kinds[name][2][some] for name, some in zip(names, each, strict=True)])
    return {
        "id": key(village, "benefit", len(person)),
        "national_id": ids_of(village, person),
        "kind": Words(np.repeat(np.arange(len(names)), [len(some) for some in each]), names),
        "amount": Numbers(amount.astype(np.int32)),
        "case_id": Words(np.full(len(person), -1), ("",)),
        "decided_on": Days(np.clip(decided, None, village.today).astype(np.int32)),
    }


def _refund_accounts(village: Village, dirt: Dirt) -> Table:
    person = np.flatnonzero(village.accounts.bank >= 0)
    names = dirt.big5(village.letters[person], dirt.hits("mof.holder_big5", person))
    space = tables.where(dirt.hits("mof.holder_trailing_space", person), " ")
    return {
        "id": key(village, "account", len(person)),
        "national_id": ids_of(village, person),
        "bank_code": Words(village.accounts.bank[person], margins.BANKS),
        "account": Letters(tables.digits(village.accounts.number[person], 12, leading=True)),
        "holder": Letters(tables.beside([names, space])),
    }


def _incomes(village: Village) -> Table:
    """Two years of income of all who had any; the year before last only of those who had theirs already."""
    income, year = village.work.income, village.on.year
    last = np.flatnonzero((income > 0) & village.people.alive)
    before = last[village.work.since[last] < village.today - 2 * DEAD_DAYS // 2]
    person = np.concatenate([last, before])
    amount = np.concatenate([income[last], income[before] * 0.97]).astype(np.int32)
    years = np.repeat([year - 1, year - 2], [len(last), len(before)])
    return {
        "id": key(village, "income", len(person)),
        "national_id": ids_of(village, person),
        "year": Numbers(years.astype(np.int32)),
        "amount": Numbers(amount),
    }


_WIDER = {("sfaa", "allowances"): _wider_allowances, ("bli", "benefits"): _wider_benefits}
"""Tables that hold more kinds in the country than the demo serves."""
