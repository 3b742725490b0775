"""How a time stands in records."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from smartgov.engines.troad import records

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
TIMES = st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1), timezones=ZONES)  # noqa: DTZ001 - the zone is drawn


@given(TIMES)
def test_a_time_is_cut_to_milliseconds_in_utc(now: datetime) -> None:
    assert records.moment(now) == now.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def test_the_last_microsecond_belongs_to_its_second() -> None:
    assert records.moment(datetime(2026, 11, 29, 23, 59, 59, 999_999, UTC)) == "2026-11-29T23:59:59.999Z"
