"""Waiting, giving up, and what may stand in an event."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest

from smartgov.blocks.ops import domain
from smartgov.shared.actor import Actor
from smartgov.shared.problems import Problem
from smartgov.shared.tw import national_id

KIND = domain.EventKind("parcel_sent", "tests", frozenset({"parcel"}))


def test_waits_double_up_to_a_minute() -> None:
    waits = [domain.wait_after(n).total_seconds() for n in range(1, 9)]
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
    assert domain.wait_after(10_000) == timedelta(seconds=60)


def test_what_is_refused_is_asked_again_for_minutes() -> None:
    waits = [domain.wait_after_refusal(n).total_seconds() for n in range(1, domain.MAX_REFUSALS)]
    assert waits == [4, 16, 64, 256]


@pytest.mark.parametrize(
    ("status", "refusal"),
    [(400, True), (404, True), (422, True), (409, False), (425, False), (429, False), (503, False)],
)
def test_only_answers_that_stay_no_count_as_refusals(status: int, refusal: bool) -> None:
    assert domain.is_refusal(Problem("x", status, what="x")) is refusal


def test_an_unforeseen_error_is_no_refusal() -> None:
    assert not domain.is_refusal(KeyError("x"))


def test_five_refusals_are_the_end() -> None:
    assert [domain.is_dead(refusals=n) for n in (0, 4, 5)] == [False, False, True]


def test_payload_has_exactly_the_declared_keys() -> None:
    domain.check_payload(KIND, {"parcel": "1"})
    for payload in ({}, {"parcel": "1", "more": 2}):
        with pytest.raises(ValueError, match="carries"):
            domain.check_payload(KIND, payload)


def test_payload_holds_no_national_id_at_any_depth() -> None:
    with pytest.raises(ValueError, match="national id"):
        domain.check_payload(KIND, {"parcel": {"for": [national_id.make(7, 2)]}})


def test_fields_are_declared_in_three_ways() -> None:
    @dataclass
    class Sent:
        parcel: str

    assert domain.field_names(Sent) == domain.field_names({"parcel": str}) == domain.field_names(["parcel"])
    with pytest.raises(TypeError):
        domain.field_names(int)


def test_actor_survives_storage() -> None:
    actor = Actor("officer", seat="s", agency="ris", assurance=2)
    stored = domain.actor_to_json(actor)
    assert stored == {"kind": "officer", "seat": "s", "agency": "ris", "assurance": 2}
    assert domain.actor_from_json(stored) == actor
