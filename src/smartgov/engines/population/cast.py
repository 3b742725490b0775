"""The cast: the people of a village whom the demo and the journeys play, and what must be true of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta

from numpy.random import Generator

from smartgov.engines.population import margins
from smartgov.engines.population.lives import Account, Birth, Job, birth
from smartgov.engines.population.people import FEMALE, MALE, MARRIED, NOBODY, YEAR, People, days
from smartgov.shared.text import Text

_OTHER_BIRTHS = 4  # births of the last weeks that nobody has registered yet, beside those of the cast


@dataclass(frozen=True, slots=True)
class Part:
    """A part to play: its key, the seats it holds as (agency, role), and its story."""

    key: str
    seats: tuple[tuple[str, str], ...]
    story: Text


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
        (("ris", "case_officer"), ("ris", "credential_manager")),
        Text("Decides birth registrations at the household office.", "在戶政機關審核出生登記。"),
    ),
    Part("nhi-officer", (("nhi", "case_officer"),), Text("Works on health insurance cases.", "承辦健保案件。")),
    Part("sfaa-officer", (("sfaa", "case_officer"),), Text("Works on childcare allowances.", "承辦育兒津貼案件。")),
    Part(
        "sfaa-preparer",
        (("sfaa", "payment_preparer"), ("sfaa", "payment_releaser")),
        Text(
            "Prepares payments, and holds a releaser's seat too: still one person, so not the second pair of eyes.",
            "編製撥款批次；雖另有核准職務，仍是同一人，不能核准自己編製的批次。",
        ),
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
)


@dataclass(slots=True)
class Lives:
    """The records that casting may change."""

    jobs: list[Job]
    births: list[Birth]
    accounts: list[Account]


def choose(draw: Generator, people: People, lives: Lives, on: date) -> dict[str, int]:
    """Pick a person for each part and make their records fit; ValueError in a village too small to play.

    Also leaves a few more births of the last weeks unregistered, as in life.
    """
    cast: dict[str, int] = {}
    for wanted in MOTHERS:
        cast[wanted.key] = _first(_mothers(people, wanted.elder_children, on), cast, wanted.key)
        _arrange(draw, lives, cast[wanted.key], wanted=wanted, on=on)
    cast["father"] = int(people.partner[cast["mother"]])
    family = {relative for index in cast.values() for relative in _relatives(people, index)}
    for part in PARTS:
        if part.key not in cast:
            free = (index for index in _adults(people, lives, on) if index not in family)
            cast[part.key] = _first(free, cast, part.key)
    _other_births(draw, people, lives, cast, on)
    return cast


def _first(candidates: Iterable[int], taken: dict[str, int], key: str) -> int:
    used = set(taken.values())
    for index in candidates:
        if index not in used:
            return index
    raise ValueError(f"nobody in this village can play {key}; make it larger")


def _mothers(people: People, elder_children: int, on: date) -> Iterable[int]:
    """Married women of 25 to 38 with so many children, the youngest from two to nine years old."""
    children = people.children()
    today = days(on)
    for index in range(len(people)):
        if people.sex[index] != FEMALE or people.marital[index] != MARRIED or len(children[index]) != elder_children:
            continue
        her_age = (today - people.born[index]) / YEAR
        youngest = (today - people.born[children[index][-1]]) / YEAR if elder_children else 5
        husband_fits = people.sex[people.partner[index]] == MALE
        if 25 <= her_age <= 38 and 2 <= youngest <= 9 and husband_fits:
            yield index


def _arrange(draw: Generator, lives: Lives, index: int, *, wanted: Mother, on: date) -> None:
    born_on = on - timedelta(days=wanted.baby_days)
    began = born_on - timedelta(days=wanted.insured_days)
    lives.jobs[:] = [job for job in lives.jobs if job.person != index]
    lives.jobs.append(Job(index, "示範精密股份有限公司", began, None, wanted.wage))
    made = birth(draw, index, order=wanted.elder_children + 1, born_on=born_on)
    weight = 1_620 if wanted.weeks < 37 else 3_150
    lives.births.append(replace(made, gestation_weeks=wanted.weeks, weight_g=weight))
    if all(account.person != index for account in lives.accounts):
        lives.accounts.append(Account(index, margins.BANKS[0], f"{int(draw.integers(0, 10**12)):012d}"))


def _relatives(people: People, index: int) -> set[int]:
    near = {index, int(people.partner[index]), int(people.mother[index]), int(people.father[index])}
    for parent in (int(people.mother[index]), int(people.father[index])):
        if parent != NOBODY:
            near |= {child for child in range(len(people)) if parent in (people.mother[child], people.father[child])}
    return near


def _adults(people: People, lives: Lives, on: date) -> Iterable[int]:
    """Working people of 28 to 58 without small children, in an order that looks like chance."""
    today = days(on)
    has_small: Callable[[int], bool] = {b.mother for b in lives.births}.__contains__
    jobs = sorted(lives.jobs, key=lambda job: (job.from_date, job.person))
    return (
        job.person for job in jobs if 28 <= (today - people.born[job.person]) / YEAR <= 58 and not has_small(job.person)
    )


def _other_births(draw: Generator, people: People, lives: Lives, cast: dict[str, int], on: date) -> None:
    used = set(cast.values())
    mothers = [index for count in (0, 1) for index in _mothers(people, count, on) if index not in used]
    children = people.children()
    for index in draw.permutation(mothers)[:_OTHER_BIRTHS]:
        born_on = on - timedelta(days=int(draw.integers(8, 30)))
        lives.births.append(birth(draw, int(index), order=len(children[int(index)]) + 1, born_on=born_on))
