"""One village of the country."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from smartgov.engines.population import cast as casting
from smartgov.engines.population import households, lives, names, people
from smartgov.engines.population.streams import stream
from smartgov.shared.text import Text
from smartgov.shared.tw import national_id

SIZE = 10_000
VILLAGES = 240
"""How many villages have ids: the marked id space holds 2.6 million serials, the last 200,000 of them for newborns."""
NEWBORN_SERIALS = range(VILLAGES * SIZE, national_id.CAPACITY)


@dataclass(slots=True)
class Village:
    """A village as columns: people (the oldest first), their names, ids and households, and records of their lives."""

    number: int
    on: date
    seed: bytes
    people: people.People
    names: list[str]
    ids: list[str]
    households: list[households.Household]
    household_of: list[int]
    jobs: list[lives.Job]
    births: list[lives.Birth]
    accounts: list[lives.Account]
    cast: dict[str, int]


@dataclass(frozen=True, slots=True)
class Persona:
    """A person of the cast: what the demo needs to enrol them and to tell their story."""

    key: str
    name: str
    national_id: str
    email: str
    seats: tuple[tuple[str, str], ...]
    story: Text


def build_village(seed: bytes, number: int, *, on: date, size: int = SIZE) -> Village:
    """Village `number` (0 to VILLAGES-1) of the country with this seed, as it stands on the day `on`.

    The same arguments give the same village. `size` below 10,000 serves tests; ValueError when nobody fits a part.
    """
    if not 0 <= number < VILLAGES or not 0 < size <= SIZE:
        raise ValueError("village number or size out of range")
    folk = people.make_people(stream(seed, number, "people"), size, on)
    homes, household_of = households.make_households(stream(seed, number, "households"), folk, people.days(on), number)
    records = casting.Lives(
        jobs=lives.make_jobs(stream(seed, number, "jobs"), folk, on),
        births=lives.make_births(stream(seed, number, "births"), folk, on),
        accounts=lives.make_accounts(stream(seed, number, "accounts"), folk, on),
    )
    return Village(
        number=number,
        on=on,
        seed=seed,
        people=folk,
        names=names.make_names(stream(seed, number, "names"), folk),
        ids=_ids(seed, number, folk),
        households=homes,
        household_of=household_of,
        cast=casting.choose(stream(seed, number, "cast"), folk, records, on),
        jobs=records.jobs,
        births=records.births,
        accounts=records.accounts,
    )


def _ids(seed: bytes, number: int, folk: people.People) -> list[str]:
    """Serials in an order that tells no age."""
    order = stream(seed, number, "ids").permutation(SIZE)[: len(folk)]
    return [
        national_id.make(number * SIZE + int(serial), int(sex)) for serial, sex in zip(order, folk.sex, strict=True)
    ]


def personas(village: Village) -> list[Persona]:
    """The cast of the village, in the order of the play."""
    return [
        Persona(
            key=part.key,
            name=village.names[village.cast[part.key]],
            national_id=village.ids[village.cast[part.key]],
            email=f"{part.key.replace('-', '.')}@mail.example",
            seats=part.seats,
            story=part.story,
        )
        for part in casting.PARTS
    ]
