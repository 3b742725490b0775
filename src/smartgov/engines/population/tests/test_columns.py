"""Text, ids and dates as arrays are what one would write one by one."""

from __future__ import annotations

from datetime import date

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from smartgov.engines.population import ids, tables
from smartgov.engines.population.dirt import Dirt
from smartgov.engines.population.people import NEVER, day_of, days
from smartgov.shared.tw import national_id

people = st.lists(st.tuples(st.integers(0, national_id.CAPACITY - 1), st.sampled_from([1, 2])), min_size=1, max_size=20)


@given(people)
def test_many_ids_are_those_made_one_by_one(some):
    serials, sexes = (np.array(column) for column in zip(*some, strict=True))
    made = [row.tobytes().decode() for row in ids.make_ids(serials, sexes)]
    assert made == [national_id.make(serial, sex) for serial, sex in some]
    assert all(national_id.is_synthetic(value) for value in made)


@given(st.lists(st.integers(0, 99_999), max_size=20), st.integers(0, 2_399))
def test_keys_count_up(rows, village):
    made = [row.tobytes().decode() for row in ids.numbered("wage", village, np.array(rows, dtype=np.int64))]
    assert made == [f"wage-{village:04d}-{row:06d}" for row in rows]


@given(st.lists(st.integers(0, 9_999), min_size=1, max_size=20))
def test_numbers_as_text_have_no_zeros_in_front_unless_wanted(numbers):
    values = np.array(numbers)
    assert tables.Letters(tables.digits(values, 4)).values() == [str(number) for number in numbers]
    assert tables.Letters(tables.digits(values, 4, leading=True)).values() == [f"{number:04d}" for number in numbers]


@given(st.lists(st.dates(date(1900, 1, 1), date(2100, 1, 1)), min_size=1, max_size=20))
def test_swapped_dates_are_dates_with_day_and_month_exchanged(some):
    before = np.array([days(day) for day in some], dtype=np.int32)
    after = Dirt.swapped(None, before, np.ones(len(some), dtype=bool))
    for day, count in zip(some, after, strict=True):
        swapped = day_of(count)
        expected = (day.year, day.day, day.month) if day.day <= 12 else (day.year, day.month, day.day)
        assert (swapped.year, swapped.month, swapped.day) == expected


def test_no_day_stays_no_day():
    assert Dirt.swapped(None, np.array([NEVER]), np.array([True])).tolist() == [NEVER]


words = st.lists(st.text(st.sampled_from("陳林A0９？\ue123"), max_size=5), min_size=1, max_size=20)


@given(words)
def test_text_comes_out_as_it_went_in(some):
    pa = __import__("pytest").importorskip("pyarrow")
    from smartgov.engines.population import parquet

    letters = tables.Letters(tables.texts(some))
    expected = [word or None for word in some]
    assert letters.values() == expected
    batch = parquet.table_batch({"word": letters})
    assert batch.column(0).to_pylist() == expected
    assert batch.schema.field(0).type == pa.string()
