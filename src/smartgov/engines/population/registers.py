"""The registers of the six agencies as rows: they agree with each other, less the stated rates of dirt."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from hashlib import sha256
from typing import Any

from numpy.random import Generator

from smartgov.engines.population import lives, margins
from smartgov.engines.population.people import MARITAL, NOBODY
from smartgov.engines.population.streams import stream
from smartgov.engines.population.village import Village

Row = dict[str, Any]
Tables = dict[str, Iterable[Row]]
_SEX = {1: "male", 2: "female"}
_FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")
_ALLOWANCE = (5_000, 6_000, 7_000)  # by birth order; what is paid today is decided by engines/rules, not here


def registers(village: Village) -> dict[str, Tables]:
    """The tables of each agency's register, as `content/tw/registers/<agency>.yaml` describes them; rows are lazy."""
    return {
        "ris": {"people": _people(village), "households": _households(village)},
        "hpa": {"births": _births(village)},
        "nhi": {"insured": _insured(village)},
        "sfaa": {"placements": _placements(village), "allowances": _allowances(village)},
        "bli": {"insurance": _insurance(village), "wages": _wages(village), "benefits": _benefits(village)},
        "mof": {"refund_accounts": _refund_accounts(village), "incomes": _incomes(village)},
    }


class _Dirt:
    """Says which rows carry a given dirt; the cast never does."""

    def __init__(self, village: Village) -> None:
        self._draws: dict[str, Generator] = {}
        self._village = village
        self._clean = set(village.cast.values())

    def has(self, kind: str, person: int) -> bool:
        draw = self._draws.setdefault(kind, stream(self._village.seed, self._village.number, f"dirt.{kind}"))
        return bool(draw.random() < margins.DIRT[kind]) and person not in self._clean


def _key(village: Village, table: str, number: int) -> str:
    return f"{table}-{village.number:04d}-{number:06d}"


def birth_key(village: Village, number: int) -> str:
    """The id of a birth notification: a UUID, as hospitals make them, that does not change from run to run."""
    name = f"{village.number}/birth/{number}".encode()
    return str(uuid.UUID(bytes=sha256(village.seed + b"/" + name).digest()[:16], version=4))


def _id(village: Village, person: int) -> str | None:
    return None if person == NOBODY else village.ids[person]


def _address(village: Village, person: int, dirt: _Dirt) -> tuple[str, str]:
    home = village.households[village.household_of[person]]
    township, address = home.township, home.address
    if dirt.has("ris.address_full_width", person):
        address = address.translate(_FULL_WIDTH)
    if dirt.has("ris.variant_character", person):
        township = township.replace("臺", "台")
    return township, address


def _people(village: Village) -> Iterator[Row]:
    folk, dirt = village.people, _Dirt(village)
    for index in range(len(folk)):
        township, address = _address(village, index, dirt)
        born_on = folk.born_on(index)
        yield {
            "id": _key(village, "person", index),
            "national_id": village.ids[index],
            "name": village.names[index],
            "sex": _SEX[int(folk.sex[index])],
            "birth_date": born_on.isoformat(),
            "household_id": _key(village, "household", village.household_of[index]),
            "father_id": _id(village, int(folk.father[index])),
            "mother_id": _id(village, int(folk.mother[index])),
            "spouse_id": _id(village, int(folk.spouse[index])),
            "marital_status": MARITAL[int(folk.marital[index])],
            "address": address,
            "township": township,
            "registered_on": (born_on + timedelta(days=14 + index % 40)).isoformat(),
            "nationality": "TW",
        }


def _households(village: Village) -> Iterator[Row]:
    for number, home in enumerate(village.households):
        yield {
            "id": _key(village, "household", number),
            "head_id": village.ids[home.head],
            "address": home.address,
            "township": home.township,
        }


def _births(village: Village) -> Iterator[Row]:
    dirt = _Dirt(village)
    for number, birth in enumerate(village.births):
        name = village.names[birth.mother]
        yield {
            "id": birth_key(village, number),
            "mother_id": village.ids[birth.mother],
            "mother_name": name + " " if dirt.has("hpa.mother_name_trailing_space", birth.mother) else name,
            "child_sex": _SEX[birth.child_sex],
            "born_on": birth.born_on.isoformat(),
            "weight_g": birth.weight_g,
            "gestation_weeks": birth.gestation_weeks,
            "birth_order_hospital": birth.order,
            "hospital": birth.hospital,
            "notified_on": birth.notified_on.isoformat(),
            "status": "notified" if birth.child == NOBODY else "registered",
        }


def _insured(village: Village) -> Iterator[Row]:
    dirt, number = _Dirt(village), 0
    for person, category, holder in lives.health_insurance(village.people, village.jobs, village.on):
        row = {
            "id": _key(village, "insured", number),
            "national_id": village.ids[person],
            "status": "insured",
            "insured_as": category,
            "insured_through_id": _id(village, holder),
            "from_date": max(village.people.born_on(person), date(1995, 3, 1)).isoformat(),
            "card_no": f"9000{village.number:04d}{person:04d}",
        }
        number += 1
        yield row
        if dirt.has("nhi.insured_twice", person):
            yield {**row, "id": _key(village, "insured", number), "insured_as": "resident", "insured_through_id": None}
            number += 1


def _small_children(village: Village) -> Iterator[tuple[int, int, int]]:
    """Child, mother and birth order of the registered children below two."""
    for birth in village.births:
        if birth.child != NOBODY and (village.on - birth.born_on).days < 730:
            yield birth.child, birth.mother, birth.order


def _placements(village: Village) -> Iterator[Row]:
    for number, (child, parent, _) in enumerate(_small_children(village)):
        if kind := _placed(child):
            since = village.people.born_on(child) + timedelta(days=120)
            yield {
                "id": _key(village, "placement", number),
                "child_id": village.ids[child],
                "parent_id": village.ids[parent],
                "kind": kind,
                "from_date": since.isoformat(),
                "to_date": None,
            }


def _placed(child: int) -> str | None:
    """About one child in five is in public or contracted care, one in two hundred in public placement."""
    return {0: "public", 1: "quasi_public", 2: "quasi_public"}.get(child % 14) or (
        "public_placement" if child % 200 == 7 else None
    )


def _allowances(village: Village) -> Iterator[Row]:
    for number, (child, parent, order) in enumerate(_small_children(village)):
        if _placed(child):
            continue
        born_on = village.people.born_on(child)
        yield {
            "id": _key(village, "allowance", number),
            "child_id": village.ids[child],
            "parent_id": village.ids[parent],
            "kind": "childcare_0_2",
            "monthly_amount": _ALLOWANCE[min(order, 3) - 1],
            "from_month": f"{born_on:%Y-%m}",
            "to_month": f"{born_on.year + 2}-{born_on.month:02d}",
            "case_id": None,
        }


def _insurance(village: Village) -> Iterator[Row]:
    dirt = _Dirt(village)
    for number, job in enumerate(village.jobs):
        short = dirt.has("bli.employer_short_form", job.person)
        yield {
            "id": _key(village, "spell", number),
            "national_id": village.ids[job.person],
            "employer": job.employer.replace("股份有限公司", "（股）公司") if short else job.employer,
            "from_date": job.from_date.isoformat(),
            "to_date": job.to_date.isoformat() if job.to_date else None,
            "days": ((job.to_date or village.on) - job.from_date).days,
        }


def _wages(village: Village) -> Iterator[Row]:
    months = _months(village.on, lives.WAGE_MONTHS)
    number = 0
    for job in village.jobs:
        for month in months:
            if month >= f"{job.from_date:%Y-%m}":
                yield {
                    "id": _key(village, "wage", number),
                    "national_id": village.ids[job.person],
                    "month": month,
                    "insured_wage": job.wage,
                }
                number += 1


def _months(on: date, count: int) -> list[str]:
    last = on.year * 12 + on.month - 1
    return [f"{month // 12}-{month % 12 + 1:02d}" for month in range(last - count + 1, last + 1)]


def _benefits(village: Village) -> Iterator[Row]:
    """Maternity benefits already paid to mothers who were insured long enough."""
    jobs = {job.person: job for job in village.jobs}
    for number, birth in enumerate(village.births):
        job = jobs.get(birth.mother)
        if birth.child == NOBODY or job is None or (birth.born_on - job.from_date).days < 280:
            continue
        yield {
            "id": _key(village, "benefit", number),
            "national_id": village.ids[birth.mother],
            "kind": "maternity",
            "amount": job.wage * 2,
            "case_id": None,
            "decided_on": (birth.born_on + timedelta(days=30)).isoformat(),
        }


def _refund_accounts(village: Village) -> Iterator[Row]:
    dirt = _Dirt(village)
    for number, account in enumerate(village.accounts):
        name = village.names[account.person]
        yield {
            "id": _key(village, "account", number),
            "national_id": village.ids[account.person],
            "bank_code": account.bank_code,
            "account": account.number,
            "holder": name + " " if dirt.has("mof.holder_trailing_space", account.person) else name,
        }


def _incomes(village: Village) -> Iterator[Row]:
    number = 0
    for job in village.jobs:
        for year in (village.on.year - 2, village.on.year - 1):
            if job.from_date.year <= year:
                months = 12 if job.from_date.year < year else 13 - job.from_date.month
                yield {
                    "id": _key(village, "income", number),
                    "national_id": village.ids[job.person],
                    "year": year,
                    "amount": job.wage * months * 11 // 10,
                }
                number += 1
