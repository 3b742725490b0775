"""Asking several at once: results, errors and silence side by side, and nobody waits for the slowest."""

from __future__ import annotations

import threading
from datetime import timedelta

from smartgov.shared import clock
from smartgov.shared.together import Silent, together


def test_results_errors_and_silence_stand_side_by_side() -> None:
    release = threading.Event()

    def fail() -> str:
        raise ValueError("no")

    def wait() -> str:
        release.wait(30)
        return "late"

    found = together({"good": lambda: "yes", "bad": fail, "slow": wait}, limit_s=0.2)
    release.set()
    assert found["good"] == "yes"
    assert isinstance(found["bad"], ValueError)
    assert isinstance(found["slow"], Silent)


def test_tasks_run_at_the_same_time() -> None:
    meeting = threading.Barrier(3, timeout=10)
    found = together(dict.fromkeys(range(3), meeting.wait), limit_s=10)
    assert sorted(value for value in found.values() if isinstance(value, int)) == [0, 1, 2]


def test_tasks_see_the_moved_clock() -> None:
    with clock.travelling(delta=timedelta(days=365)):
        found = together({"now": clock.now}, limit_s=5)
        moved = found["now"]
        assert not isinstance(moved, Exception)
        assert abs(moved - clock.now()) < timedelta(minutes=1)


def test_nothing_to_ask_is_nothing_to_wait_for() -> None:
    assert together({}, limit_s=0) == {}
