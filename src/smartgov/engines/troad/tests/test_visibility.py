"""What a service's entry may declare, and when a use of it appears."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from smartgov.engines.troad import visibility
from smartgov.engines.troad.store import Entry
from smartgov.engines.troad.visibility import NEVER, Visibility
from smartgov.shared.clock import TAIPEI

NOON = int(datetime(2026, 11, 28, 12, tzinfo=TAIPEI).timestamp())
SEAL = {"class": "sealed", "order": "114-1", "until": "2027-01-01"}
NEW_YEAR = int(datetime(2027, 1, 1, tzinfo=TAIPEI).timestamp())


@pytest.mark.parametrize(
    ("entry", "shown"),
    [
        (None, 0),
        ("own", 0),
        ("third-person-masked", 0),
        ({"class": "third-person-masked"}, 0),
        ({"class": "delayed", "days": 90}, NOON + 90 * 86_400),
        ({"class": "delayed", "until": "2027-01-01"}, NEW_YEAR),
        ({"class": "delayed", "until": "2027-01-01", "days": 1}, NEW_YEAR),
        ({"class": "delayed", "until": "2026-01-01", "days": 1}, NOON + 86_400),
        ({"class": "sealed", "order": "114-1", "until": "2027-01-01"}, NEW_YEAR),
        ({"class": "sealed", "order": "114-1", "until": "2027-01-01T00:00:00+08:00"}, NEW_YEAR),
        ("delayed", NEVER),
        ("sealed", NEVER),
    ],
)
def test_when_a_use_appears(entry: Any, shown: int) -> None:
    assert visibility.read(entry).shown_from(NOON) == shown


@pytest.mark.parametrize(
    "entry",
    [
        "secret",
        {"class": "secret"},
        {"class": "sealed", "until": "2027-01-01"},
        {"class": "sealed", "order": "114-1"},
        {"class": "sealed", "order": "114-1", "until": "soon"},
        {"class": "sealed", "order": "114-1", "until": "2027-01-01T00:00:00"},
        {"class": "delayed"},
        {"class": "delayed", "days": 0},
        {"class": "delayed", "days": 1, "order": "114-1"},
        {"class": "own", "until": "2027-01-01"},
        {},
    ],
)
def test_what_cannot_be_meant_is_refused(entry: Any) -> None:
    with pytest.raises((ValueError, KeyError)):
        visibility.read(entry)


@pytest.mark.parametrize(
    ("declared", "shown", "seal", "veiled"),
    [
        (["own"], 0, "", False),
        (["own", "third-person-masked"], 0, "", True),
        (["third-person-masked", "third-person-masked"], 0, "", True),
        ([{"class": "delayed", "days": 1}, {"class": "delayed", "days": 3}], NOON + 3 * 86_400, "", False),
        ([{"class": "delayed", "days": 3}, {"class": "delayed", "days": 1}], NOON + 3 * 86_400, "", False),
        ([{"class": "delayed", "days": 900}, SEAL], NOON + 900 * 86_400, "114-1", False),
        ([SEAL, {"class": "delayed", "days": 900}], NOON + 900 * 86_400, "114-1", False),
        ([SEAL, {"class": "sealed", "order": "b", "until": "2028-01-01"}], None, "b", False),
        ([{"class": "sealed", "order": "b", "until": "2028-01-01"}, SEAL], None, "b", False),
    ],
)
def test_all_declared_classes_hold(declared: list[Any], shown: int | None, seal: str, veiled: bool) -> None:
    entry = Entry({"user": "s1", "issue": "c1"}, NOON)
    visibility.show(entry, "her", [visibility.read(one) for one in declared])
    assert entry.shown_from == shown if shown is not None else entry.shown_from > NEW_YEAR
    assert (entry.seal, entry.veil is not None, "user" in entry.record) == (seal, veiled, not veiled)


@pytest.mark.parametrize(
    ("excludes", "hidden"),
    [
        (["TW/GOV/hpa"], True),
        (["TW/GOV/hpa/births/births.v1"], True),
        (["TW/GOV/ris/cases"], True),
        (["TW/GOV/hp"], False),
        (["purpose:counselling"], True),
        (["purpose:counsel"], False),
        ([], False),
    ],
)
def test_what_a_mandate_keeps_back(excludes: list[str], hidden: bool) -> None:
    record = {"service": "TW/GOV/hpa/births/births.v1", "client": "TW/GOV/ris/cases", "purpose": "counselling"}
    assert visibility.excluded(record, excludes) is hidden


def test_the_class_is_the_whole_of_it() -> None:
    assert visibility.read({"class": "sealed", "order": "114-1", "until": "2027-01-01"}) == Visibility(
        "sealed", NEW_YEAR, 0, "114-1"
    )
