"""The gateway's own figures: exact counts, quantiles a fifth off at most, and a bounded memory."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from smartgov.engines.troad.traffic import ELSEWHERE, MOST, Traffic

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


@given(st.lists(st.floats(min_value=0.001, max_value=100), min_size=1, max_size=60), st.sampled_from([0.5, 0.99]))
def test_a_quantile_is_at_most_a_fifth_too_high(times: list[float], part: float) -> None:
    traffic = Traffic(NOW)
    for seconds in times:
        traffic.count("client", "s", "p", "answered", seconds, NOW)
    exact = sorted(times)[math.ceil(len(times) * part) - 1]
    told = traffic.rows["client", "s", "p"].quantile(part)
    assert told is not None
    assert exact * 0.999 <= told <= exact * 1.2001


def test_refusals_stand_apart_by_kind_and_minutes_move_on() -> None:
    traffic = Traffic(NOW)
    traffic.count("provider", "s", "p", "answered", 0.01, NOW - timedelta(minutes=2))
    traffic.count("provider", "s", "p", "right-missing", 0.01, NOW)
    told = traffic.as_dict(NOW)
    (row,) = told["rows"]
    assert (row["answered"], row["refused"]) == (1, {"right-missing": 1})
    assert told["minutes"][-3:] == [1, 0, 1]
    assert traffic.minutes(NOW + timedelta(minutes=61)) == [0] * 60


def test_names_that_strangers_make_up_do_not_fill_the_memory() -> None:
    traffic = Traffic(NOW)
    for number in range(MOST + 50):
        traffic.count("provider", f"s{number}", "p", "service-unknown", 0.01, NOW)
    assert len(traffic.rows) == MOST + 1
    assert sum(traffic.rows["provider", ELSEWHERE, ELSEWHERE].outcomes.values()) == 50
