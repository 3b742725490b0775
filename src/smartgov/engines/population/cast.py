"""The cast: the people of a village whom the demo and the journeys play, and what must be true of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.random import Generator

from smartgov.engines.population import families, margins
from smartgov.engines.population.people import FEMALE, MALE, MARRIED, NEVER, NOBODY, YEAR, People
from smartgov.engines.population.streams import stream
from smartgov.engines.population.village import SIZE, Village, make_village
from smartgov.engines.population.work import LABOUR
from smartgov.shared.text import Text


@dataclass(frozen=True, slots=True)
class Part:
    """A part to play: its key, the seats it holds as (agency, role), its story, and whether a woman plays it.

    Officers may have a birth of their own to tell: nobody decides a case in which they are a party.
    """

    key: str
    seats: tuple[tuple[str, str], ...]
    story: Text
    woman: bool = False


@dataclass(frozen=True, slots=True)
class Mother:
    """What is arranged for a mother: elder children, her baby's age in days, weeks of pregnancy, days insured."""

    key: str
    elder_children: int
    baby_days: int
    weeks: int
    insured_days: int
    wage: int


MOTHERS = (
    Mother("mother", elder_children=1, baby_days=5, weeks=39, insured_days=1_460, wage=36_300),
    Mother("mother-third-child", elder_children=2, baby_days=9, weeks=39, insured_days=200, wage=31_800),
    Mother("mother-premature", elder_children=0, baby_days=12, weeks=31, insured_days=220, wage=33_300),
)

PARTS = (
    Part(
        "mother",
        (),
        Text(
            "Her second child was born five days ago; she works and has been insured for four years.",
            "五天前生下第二胎；在職，參加勞保四年。",
        ),
    ),
    Part("father", (), Text("Her husband, the child's father.", "她的先生，寶寶的父親。")),
    Part(
        "mother-third-child",
        (),
        Text(
            "Her third child was born; insured for less than 280 days, so one benefit is refused and explained.",
            "生下第三胎；參加勞保未滿 280 日，一項給付不符資格並附理由。",
        ),
    ),
    Part(
        "mother-premature",
        (),
        Text(
            "Her first child came early, at 31 weeks; 181 insured days suffice.",
            "第一胎於 31 週早產；參加勞保滿 181 日即可請領。",
        ),
    ),
    Part(
        "registrar",
        (("hpa", "hospital_registrar"),),
        Text("Notifies births at the hospital.", "在醫院辦理出生通報。"),
    ),
    Part(
        "ris-officer",
        (("ris", "case_officer"), ("ris", "credential_manager"), ("ris", "counter_officer")),
        Text("Decides birth registrations at the household office.", "在戶政機關審核出生登記。"),
    ),
    Part(
        "nhi-officer",
        (("nhi", "case_officer"), ("nhi", "integrator")),
        Text("Works on health insurance cases.", "承辦健保案件。"),
        woman=True,
    ),
    Part(
        "sfaa-officer",
        (("sfaa", "case_officer"),),
        Text("Works on childcare allowances.", "承辦育兒津貼案件。"),
        woman=True,
    ),
    Part(
        "sfaa-preparer",
        (("sfaa", "payment_preparer"), ("sfaa", "payment_releaser")),
        Text(
            "Prepares payments, and holds a releaser's seat too: still one person, so not the second pair of eyes.",
            "編製撥款批次；雖另有核准職務，仍是同一人，不能核准自己編製的批次。",
        ),
        woman=True,
    ),
    Part("sfaa-releaser", (("sfaa", "payment_releaser"),), Text("Releases allowance payments.", "核准津貼撥款。")),
    Part(
        "bli-officer",
        (("bli", "case_officer"), ("bli", "payment_preparer")),
        Text("Works on maternity benefits and prepares their payment.", "承辦生育給付並編製撥款批次。"),
    ),
    Part("bli-releaser", (("bli", "payment_releaser"),), Text("Releases benefit payments.", "核准給付撥款。")),
    Part(
        "auditor",
        (("ris", "auditor"), ("sfaa", "auditor"), ("bli", "auditor")),
        Text(
            "Sees who did what under which law, and that nothing was altered.",
            "查核誰依何法令做了什麼，且紀錄未經竄改。",
        ),
    ),
    Part("operator", (("portal", "operator"),), Text("Keeps the platform running.", "維運平臺。")),
    Part(
        "ris-integrator",
        (("ris", "exchange_officer"),),
        Text("Publishes the household agency's services and reviews who may ask.", "發布戶政服務並審核查詢權限。"),
    ),
    Part(
        "nhi-integrator",
        (("nhi", "exchange_officer"),),
        Text("Asks for rights for the health insurer's systems.", "為健保資訊系統申請查詢權限。"),
    ),
)


@dataclass(slots=True)
class CastVillage:
    """A village to play in: the village, and the person who plays each part."""

    village: Village
    cast: dict[str, int]

    @property
    def people(self) -> People:
        """The people of the village."""
        return self.village.people

    @property
    def number(self) -> int:
        """The village's number."""
        return self.village.number

    @property
    def ids(self) -> list[str]:
        """National ids, by person."""
        return self.village.ids

    @property
    def names(self) -> list[str]:
        """Names, by person."""
        return self.village.names

    @property
    def living(self) -> int:
        """How many people live here."""
        return self.village.living


@dataclass(frozen=True, slots=True)
class Persona:
    """A person of the cast: what the demo needs to enrol them and to tell their story."""

    key: str
    name: str
    national_id: str
    email: str
    seats: tuple[tuple[str, str], ...]
    story: Text


def build_village(seed: bytes, number: int, *, on: date, size: int = SIZE) -> CastVillage:
    """Village `number` as the country has it, with a cast: some lives are arranged to fit the parts of the play.

    The same arguments give the same village. `size` below 10,000 serves tests; ValueError when nobody fits a part.
    """
    village = make_village(seed, number, on=on, size=size)
    return CastVillage(village, choose(stream(seed, number, "cast"), village))


def personas(played: CastVillage) -> list[Persona]:
    """The cast of the village, in the order of the play."""
    return [
        Persona(
            key=part.key,
            name=played.names[played.cast[part.key]],
            national_id=played.ids[played.cast[part.key]],
            email=f"{part.key.replace('-', '.')}@mail.example",
            seats=part.seats,
            story=part.story,
        )
        for part in PARTS
    ]


def choose(draw: Generator, village: Village) -> dict[str, int]:
    """Pick a person for each part and make their records fit; ValueError in a village too small to play."""
    people = village.people
    cast: dict[str, int] = {}
    for wanted in MOTHERS:
        cast[wanted.key] = _first(_mothers(village, wanted.elder_children), cast, wanted.key)
        _arrange(draw, village, cast[wanted.key], wanted=wanted)
    cast["father"] = int(people.partner[cast["mother"]])
    family = {relative for index in cast.values() for relative in _relatives(people, index)}
    for part in PARTS:
        if part.key not in cast:
            free = (
                index
                for index in _adults(village)
                if index not in family and (people.sex[index] == FEMALE or not part.woman)
            )
            cast[part.key] = _first(free, cast, part.key)
    return cast


def _first(candidates: Iterable[int], taken: dict[str, int], key: str) -> int:
    used = set(taken.values())
    for index in candidates:
        if index not in used:
            return index
    raise ValueError(f"nobody in this village can play {key}; make it larger")


def _mothers(village: Village, elder_children: int) -> list[int]:
    """Married women of 25 to 38 with so many children, the youngest from two to nine years old, none just born."""
    people, today = village.people, village.today
    count = np.bincount(people.mother[people.mother != NOBODY], minlength=len(people))
    youngest = (today - village.families.youngest) / YEAR if elder_children else np.full(len(people), 5.0)
    fits = (people.sex == FEMALE) & (people.marital == MARRIED) & people.alive & (count == elder_children)
    fits &= (village.age >= 25) & (village.age <= 38) & (youngest >= 2) & (youngest <= 9)
    fits &= (people.sex[people.partner] == MALE) & people.alive[people.partner]
    fits[village.births.mother[village.births.child == NOBODY]] = False
    found: list[int] = np.flatnonzero(fits).tolist()
    return found


def _arrange(draw: Generator, village: Village, index: int, *, wanted: Mother) -> None:
    """Her job, her wage, her baby, and an account; nothing is applied for yet."""
    born, work, applied = village.today - wanted.baby_days, village.work, village.welfare.applied
    work.insurance[index], work.union[index] = LABOUR, False
    work.employer[index] = len(village.employers) - 1
    work.since[index], work.days[index] = born - wanted.insured_days, wanted.insured_days + wanted.baby_days
    work.wage[index], work.salary[index] = wanted.wage, wanted.wage
    for column in (work.left, work.again, work.seeker, work.training, work.leave):
        column[index] = NEVER
    work.income[index] = wanted.wage * 13
    for kind in ("birth_registration", "maternity_bli", "maternity_np", "maternity_fi", "birth_grant_county"):
        applied[kind][index] = False
    made = families.measured(
        draw,
        mother=np.array([index], dtype=np.int32),
        child=np.array([NOBODY], dtype=np.int32),
        sex=np.where(draw.random(1) < margins.FEMALE[0], FEMALE, MALE).astype(np.int32),
        born=np.array([born], dtype=np.int32),
        order=np.array([wanted.elder_children + 1], dtype=np.int32),
    )
    made.weeks[:], made.weight[:] = wanted.weeks, 1_620 if wanted.weeks < 37 else 3_150
    village.births = families.together(village.births, made)
    village.accounts.bank[index] = max(village.accounts.bank[index], 0)


def _relatives(people: People, index: int) -> set[int]:
    near = {index, int(people.partner[index]), int(people.mother[index]), int(people.father[index])}
    for parent in (int(people.mother[index]), int(people.father[index])):
        if parent != NOBODY:
            near |= set(np.flatnonzero((people.mother == parent) | (people.father == parent)).tolist())
    return near


def _adults(village: Village) -> list[int]:
    """Working people of 28 to 58 without small children, those longest in their job first."""
    fits = (village.work.insurance == LABOUR) & village.people.alive & (village.age >= 28) & (village.age <= 58)
    fits[village.births.mother] = False
    found = np.flatnonzero(fits)
    ordered: list[int] = found[np.lexsort((found, village.work.since[found]))].tolist()
    return ordered
