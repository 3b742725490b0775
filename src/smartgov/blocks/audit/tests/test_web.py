"""The auditor sees the own agency's entries, and only auditors see them."""

from __future__ import annotations

import pytest
from django.test import Client

from smartgov.blocks.audit import api
from smartgov.blocks.identity.tests.factories import a_seat, signed_in_citizen, signed_in_officer
from smartgov.shared.actor import Actor

pytestmark = pytest.mark.django_db


@pytest.fixture
def auditor() -> Client:
    for agency, object_id in (("ris", "case-of-ris"), ("nhi", "case-of-nhi")):
        who = Actor("officer", seat=f"seat-{agency}", agency=agency)
        api.record(actor=who, action="case.approved", object_type="case", object_id=object_id)
    return signed_in_officer("ris", "auditor")


def test_only_auditors_enter(client: Client) -> None:
    assert client.get("/audit/").status_code == 302
    assert signed_in_citizen().get("/audit/").status_code == 403
    assert signed_in_officer("ris", "case_officer").get("/audit/").status_code == 403


def test_the_own_agency_only_whatever_is_asked(auditor: Client) -> None:
    for query in ("", "?agency=nhi", "?object=case-of-nhi"):
        assert "case case-of-nhi" not in auditor.get(f"/audit/{query}").content.decode()
    page = auditor.get("/audit/").content.decode()
    assert "case-of-ris" in page
    assert "seat-ris" in page


def test_filters_narrow_and_a_wrong_date_filters_nothing(auditor: Client) -> None:
    assert "case-of-ris" in auditor.get("/audit/?action=case.&since=nonsense").content.decode()
    assert "case-of-ris" not in auditor.get("/audit/?action=payment.").content.decode()
    assert "case-of-ris" not in auditor.get("/audit/?since=2999-01-01").content.decode()
    assert "case-of-ris" not in auditor.get("/audit/?until=1999-01-01").content.decode()


def test_a_seat_elsewhere_does_not_help(auditor: Client) -> None:
    assert a_seat("nhi", "auditor")
    assert "case-of-nhi" not in auditor.get("/audit/").content.decode()


def test_actions_and_objects_are_in_words_with_the_code_beneath(auditor: Client) -> None:
    auditor.cookies["smartgov_language"] = "en"
    page = auditor.get("/audit/").content.decode()
    assert "Case<small><code>case-of-ris</code></small>" in page
    seat = a_seat("ris", "case_officer")
    who = Actor("officer", seat=seat, agency="ris")
    api.record(actor=who, action="case.approve", object_type="case", object_id="one")
    page = auditor.get("/audit/?action=case.approve").content.decode()
    assert "Case approved<small><code>case.approve</code></small>" in page
    assert f"Case officer<small><code>{seat}</code></small>" in page
