"""What a use record says on the local hop, and what an audit detail never says."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from smartgov.blocks.audit import domain
from smartgov.shared.actor import Actor
from smartgov.shared.tw import national_id

NID = national_id.make(5, 2)


def test_a_record_names_seat_law_and_subject_in_its_local_form() -> None:
    pending = domain.Pending(
        id="u1",
        agency="ris",
        national_id=NID,
        actor="seat-1",
        fields=("name",),
        purpose="birth registration",
        basis="household-registration-act-48",
        case="",
        request="u1",
        used_at=datetime(2026, 11, 22, tzinfo=UTC),
    )
    assert pending.as_record() == {
        "kind": "local-read",
        "subject": f"urn:tw:nid:{NID}",
        "actor": "seat-1",
        "fields": ["name"],
        "purpose": "birth registration",
        "basis": "household-registration-act-48",
        "case": None,
        "request": "u1",
        "time": "2026-11-22T00:00:00+00:00",
    }


def test_a_national_id_in_a_detail_is_an_error() -> None:
    domain.refuse_personal({"case": "c1", "rule": "birth@1a2b"})
    with pytest.raises(ValueError, match="national id"):
        domain.refuse_personal({"note": f"asked for {NID}"})


def test_the_user_of_data_is_named_by_seat_or_system() -> None:
    assert domain.used_by(Actor("officer", subject="person", seat="s1", agency="ris")) == "s1"
    assert domain.used_by(Actor.for_system("ris", "cases")) == "cases"
    assert domain.used_by(Actor("citizen", subject="person")) == "citizen"
