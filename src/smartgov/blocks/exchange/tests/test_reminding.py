"""Who may renew what ends is told of it, once for each stage."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from smartgov.blocks.exchange import api, centre
from smartgov.blocks.exchange.models import Certificate, Right
from smartgov.blocks.exchange.tests.factories import RecordedCentre, two_members
from smartgov.blocks.exchange.tests.test_joining import XYZ, Authority, authority, home, joined
from smartgov.blocks.exchange.tests.test_register_api import DOCUMENT, STATIONS, WISH, post, put
from smartgov.blocks.identity.tests.factories import signed_in_officer
from smartgov.blocks.notify import api as notify
from smartgov.blocks.notify.models import Notice
from smartgov.blocks.ops.models import Event
from smartgov.shared import clock

__all__ = ["authority"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def road() -> Iterator[None]:
    with centre.replaced(RecordedCentre()):
        two_members()
        yield


def granted() -> Right:
    ris, nhi = (signed_in_officer(one, "exchange_officer") for one in ("ris", "nhi"))
    assert put(ris, STATIONS, {"document": DOCUMENT, "personal": False}).status_code == 200
    asked = post(nhi, "/requests", WISH).json()["id"]
    until = (clock.today() + timedelta(days=60)).isoformat()
    assert post(ris, f"/requests/{asked}/decision", {"outcome": "granted", "until": until}).status_code == 200
    return Right.objects.get()


def emitted() -> list[tuple[str, str]]:
    api.remind_of_endings()
    found = Event.objects.filter(name="ending_near").order_by("happened_at", "id")
    return [(one.payload["kind"], one.payload["stage"]) for one in found]


def test_a_right_is_told_of_a_month_and_a_week_before_and_at_its_end(road: None) -> None:
    right = granted()
    assert right.expires_at is not None
    stages: list[tuple[str, str]] = []
    for left, stage in ((40, ""), (29, "month"), (20, ""), (6, "week"), (1, ""), (-1, "ended"), (-9, "")):
        with clock.travelling(to=right.expires_at - timedelta(days=left)):
            stages += [("right", stage)] if stage else []
            assert emitted() == stages, left
            assert emitted() == stages, "once for each stage"


def test_a_right_that_was_renewed_begins_anew(road: None) -> None:
    right = granted()
    assert right.expires_at is not None
    with clock.travelling(to=right.expires_at - timedelta(days=3)):
        assert emitted() == [("right", "week")]
        Right.objects.update(expires_at=right.expires_at + timedelta(days=20))
        assert emitted() == [("right", "week"), ("right", "month")]


def test_both_sides_are_told_in_both_languages_and_nobody_else(road: None) -> None:
    right = granted()
    assert right.expires_at is not None
    signed_in_officer("ris", "case_officer")
    with clock.travelling(to=right.expires_at - timedelta(days=3)):
        emitted()
        event = Event.objects.get(name="ending_near")
        for _ in range(2):
            notify.tell_of_ending(event)  # type: ignore[arg-type]
    notices = list(Notice.objects.filter(template="right_ending"))
    assert len({one.subject for one in notices}) == len(notices) == 2, "the provider's officer and the asker's"
    assert "TW/GOV/nhi/cases" in notices[0].body
    assert "將於" in notices[0].body
    assert "ends on" in notices[0].body


def test_a_right_that_was_ended_meanwhile_is_not_told_of(road: None) -> None:
    right = granted()
    assert right.expires_at is not None
    with clock.travelling(to=right.expires_at - timedelta(days=3)):
        emitted()
        Right.objects.update(state="revoked")
        notify.tell_of_ending(Event.objects.get(name="ending_near"))  # type: ignore[arg-type]
    assert not Notice.objects.exists()


def test_a_certificate_that_is_not_renewed_is_told_to_the_registers_officers(
    authority: Authority, tmp_path: Path
) -> None:
    joined(home(tmp_path / "xyz"))
    (certificate,) = Certificate.objects.all()
    with clock.travelling(to=certificate.begins_at + timedelta(days=3)):
        assert emitted() == []
    with clock.travelling(to=certificate.ends_at - timedelta(days=1)):
        assert emitted() == [("certificate", "ending")]
        notify.tell_of_ending(Event.objects.get(name="ending_near"))  # type: ignore[arg-type]
    with clock.travelling(to=certificate.ends_at + timedelta(hours=1)):
        assert emitted() == [("certificate", "ending"), ("certificate", "ended")]
    notices = list(Notice.objects.filter(template="certificate_ending"))
    assert notices
    assert f"{XYZ}/gw1" in notices[0].body
