"""Ages, custody and the catalogue: pure rules."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from smartgov.blocks.mandates import catalogue, domain
from smartgov.blocks.mandates.domain import Custody
from smartgov.shared.clock import TAIPEI

BIRTHS = st.dates(date(1930, 1, 1), date(2060, 12, 31))


@given(BIRTHS)
@example(date(2012, 2, 29))
@example(date(2012, 2, 28))
def test_the_14th_birthday_is_the_first_day_on_which_fourteen_years_are_full(born: date) -> None:
    day = domain.comes_of_age(born, 14)
    # Full years by the calendar, counted in another way: month and day as a pair.
    years = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
    before = day - timedelta(days=1)
    assert years == 14
    assert before.year - born.year - ((before.month, before.day) < (born.month, born.day)) == 13


@given(BIRTHS, st.integers(0, 86_399))
@example(date(2012, 2, 29), 0)
def test_a_parents_mandate_holds_to_the_last_second_before_the_birthday_in_taipei(born: date, second: int) -> None:
    kind = catalogue.known().kinds["parent"]
    eve = domain.comes_of_age(born, 14) - timedelta(days=1)
    ends = domain.ends_of(kind, born, None, eve)
    assert ends is not None
    moment = datetime.combine(eve, datetime.min.time(), TAIPEI) + timedelta(seconds=second)
    assert moment < ends
    assert ends.astimezone(TAIPEI).date() == domain.comes_of_age(born, 14)


@given(BIRTHS, st.integers(0, 20_000))
def test_no_day_from_14_to_17_is_left_to_parents(born: date, after: int) -> None:
    day = born + timedelta(days=after)
    ends = domain.ends_of(catalogue.known().kinds["parent"], born, None, day)
    if day < domain.comes_of_age(born, 14):
        assert ends is not None
        assert ends > domain.start_of(day)
    elif day < domain.comes_of_age(born, 18):
        assert ends is not None
        assert ends <= domain.start_of(day)
    else:
        assert ends is None


def test_registrations_go_before_kinship() -> None:
    on = date(2026, 11, 29)
    to_mother = Custody("mother", False, date(2025, 1, 1), None)
    guardian = Custody("aunt", True, date(2025, 1, 1), date(2026, 11, 29))
    over = Custody("aunt", True, date(2020, 1, 1), date(2026, 11, 28))
    parents = ("mother", "father")
    assert domain.kind_by_registers(parents, [], "father", on) == "parent"
    assert domain.kind_by_registers(parents, [], "aunt", on) is None
    assert domain.kind_by_registers(parents, [to_mother], "father", on) is None
    assert domain.kind_by_registers(parents, [to_mother], "mother", on) == "parent"
    assert domain.kind_by_registers(parents, [guardian], "aunt", on) == "guardian"
    assert domain.kind_by_registers(parents, [guardian], "mother", on) is None
    assert domain.kind_by_registers(parents, [over], "mother", on) == "parent"
    assert domain.kind_by_registers((), [], "", on) is None


def test_nothing_follows_an_end() -> None:
    assert not domain.FOLLOWS[domain.State.ENDED] | domain.FOLLOWS[domain.State.REFUSED]
    assert set(domain.FOLLOWS) == set(domain.State)


def test_no_mandate_reaches_accounts_or_mandates() -> None:
    known = catalogue.known()
    reached = frozenset().union(*(scope.permissions for scope in known.scopes.values()))
    assert not [name for name in reached if name.startswith(("identity.", "mandates."))]
