"""One village: every column of its people's lives, in the order in which they are drawn."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from smartgov.engines.population import families as kin
from smartgov.engines.population import firms as trading
from smartgov.engines.population import households, ids, margins, names, people, places
from smartgov.engines.population import schooling as learning
from smartgov.engines.population import wealth as owning
from smartgov.engines.population import welfare as caring
from smartgov.engines.population import work as working
from smartgov.engines.population.people import NEVER, People
from smartgov.engines.population.streams import Array, stream
from smartgov.shared.tw import national_id

SIZE = 10_000
BLOCK = 10_500
"""Serials of a village: its people, and those who died within two years."""
NEWBORN_SERIALS = national_id.NEWBORN_SERIALS
VILLAGES = NEWBORN_SERIALS.start // BLOCK
"""How many villages have ids."""


@dataclass(slots=True)
class Accounts:
    """Columns over people: the bank (position in `margins.BANKS`, -1 for none) and the number of a refund account."""

    bank: Array
    number: Array


@dataclass
class Village:
    """A village as columns over people, the oldest first; days count from 1970 and `NEVER` is no day."""

    seed: bytes
    number: int
    on: date
    people: People
    homes: households.Households
    schooling: learning.Schooling
    work: working.Work
    families: kin.Families
    births: kin.Births
    stays: kin.Stays
    wealth: owning.Wealth
    firms: trading.Firms
    welfare: caring.Welfare
    accounts: Accounts
    letters: names.Letters
    numbers: NDArray[np.uint8]
    employers: tuple[str, ...]

    @property
    def today(self) -> int:
        """`on` in days from 1970."""
        return people.days(self.on)

    @cached_property
    def age(self) -> NDArray[np.float64]:
        """Ages in years today, of the dead at death."""
        return self.people.ages(self.today)

    @cached_property
    def living(self) -> int:
        """How many people live here."""
        return int(self.people.alive.sum())

    @cached_property
    def public(self) -> NDArray[np.bool_]:
        """Who is insured, or draws a pension, as a servant of the state, a teacher or a soldier."""
        draw = stream(self.seed, self.number, "public")
        retired = (self.age >= 62) & (draw.random(len(self.people)) < 0.07)
        found: NDArray[np.bool_] = (self.work.insurance == working.PUBLIC) | retired
        return found

    @cached_property
    def ids(self) -> list[str]:
        """National ids as text."""
        return [row.tobytes().decode() for row in self.numbers]

    @cached_property
    def names(self) -> list[str]:
        """Names as text."""
        return ["".join(map(chr, filter(None, row))) for row in self.letters.tolist()]


def make_village(seed: bytes, number: int, *, on: date, size: int = SIZE) -> Village:
    """Village `number` (0 to VILLAGES-1) of the country with this seed, as it stands on the day `on`.

    The same arguments give the same village. `size` below 10,000 serves tests.
    """
    if not 0 <= number < VILLAGES or not 0 < size <= SIZE:
        raise ValueError("village number or size out of range")
    today = people.days(on)
    folk = people.make_people(stream(seed, number, "people"), size, on)
    age = folk.ages(today)
    homes = households.make_households(stream(seed, number, "households"), folk, today, number)
    township = homes.township[homes.of]
    rural = places.places().rural[township]
    school = learning.make_schooling(stream(seed, number, "schooling"), folk, age)
    work = working.make_work(stream(seed, number, "work"), folk, age, today, school, rural)
    family = kin.count_children(folk, today)
    births = kin.make_births(stream(seed, number, "births"), folk, family, today)
    working.take_leave(stream(seed, number, "leave"), work, folk, family.youngest, today)
    wealth = owning.make_wealth(
        stream(seed, number, "wealth"), folk, homes, age, work.income, rural, work.insurance == working.FARMERS
    )
    runs = trading.make_firms(stream(seed, number, "firms"), folk, age, today, school)
    welfare = caring.make_welfare(stream(seed, number, "welfare"), folk, homes, family, births, work, age, today)
    welfare.applied.update(
        land_self_use=wealth.granted,
        construction_registration=runs.applied,
        site_director=runs.licensed != NEVER,
    )
    return Village(
        seed=seed,
        number=number,
        on=on,
        people=folk,
        homes=homes,
        schooling=school,
        work=work,
        families=family,
        births=births,
        stays=kin.make_stays(stream(seed, number, "stays"), folk, age, today, township, places.places().county),
        wealth=wealth,
        firms=runs,
        welfare=welfare,
        accounts=_accounts(seed, number, age, folk),
        letters=names.make_names(stream(seed, number, "names"), folk),
        numbers=_ids(seed, number, folk),
        employers=_employers(seed, number),
    )


def _ids(seed: bytes, number: int, folk: People) -> NDArray[np.uint8]:
    """Serials in an order that tells no age."""
    if len(folk) > BLOCK:
        raise ValueError("more people than serials")
    order = stream(seed, number, "ids").permutation(BLOCK)[: len(folk)]
    return ids.make_ids(number * BLOCK + order, folk.sex)


def _accounts(seed: bytes, number: int, age: Array, folk: People) -> Accounts:
    """Accounts for tax refunds: four adults in five have one."""
    draw = stream(seed, number, "accounts")
    holds = (age >= 20) & folk.alive & (draw.random(len(age)) < 0.8)
    bank = np.where(holds, draw.integers(0, len(margins.BANKS), len(age)), -1)
    return Accounts(bank.astype(np.int8), draw.integers(0, 10**12, len(age)))


def _employers(seed: bytes, number: int) -> tuple[str, ...]:
    """Employers of the village; the last is the one of the cast."""
    draw = stream(seed, number, "employers")
    stems, kinds = margins.EMPLOYER_STEMS, margins.EMPLOYER_KINDS
    picks = draw.integers(0, len(stems), (margins.EMPLOYERS_PER_VILLAGE, 2)).tolist()
    kind = draw.integers(0, len(kinds), margins.EMPLOYERS_PER_VILLAGE).tolist()
    made = [f"{stems[a]}{stems[b]}{kinds[k]}" for (a, b), k in zip(picks, kind, strict=True)]
    return (*made, margins.CAST_EMPLOYER)
