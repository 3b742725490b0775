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
    assert 'Case<small><a href="?object=case-of-ris"><code>case-of-ris</code></a></small>' in page
    seat = a_seat("ris", "case_officer")
    who = Actor("officer", seat=seat, agency="ris")
    api.record(actor=who, action="case.approve", object_type="case", object_id="one")
    page = auditor.get("/audit/?action=case.approve").content.decode()
    assert "Case approved<small><code>case.approve</code></small>" in page
    assert f'Case officer<small><a href="?seat={seat}"><code>{seat}</code></a></small>' in page


def test_a_code_in_a_row_leads_to_all_that_was_noted_of_it(auditor: Client) -> None:
    who = Actor("officer", seat="seat-2", agency="ris")
    api.record(actor=who, action="case.approved", object_type="case", object_id="other & another")
    page = auditor.get("/audit/").content.decode()
    assert 'href="?object=other+%26+another"' in page
    told = auditor.get("/audit/?object=other+%26+another").content.decode()
    assert "seat-2" in told
    assert "seat-ris" not in told


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", ("Reason: late", "Fields: name, sex")), ("zh-hant", ("理由：late", "欄位：name, sex"))],
)
def test_the_detail_of_an_entry_is_told_in_words(auditor: Client, language: str, words: tuple[str, str]) -> None:
    who = Actor("officer", seat="seat-2", agency="ris")
    told = {"reason": "late", "fields": ["name", "sex"], "odd_one": 1}
    api.record(actor=who, action="case.approved", object_type="case", object_id="c", detail=told)
    page = auditor.get("/audit/", headers={"Accept-Language": language}).content.decode()
    assert all(one in page for one in words), "in whatever order the database keeps them"
    assert "odd_one" in page, "what has no words is shown by its name"


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01"])
def test_a_day_that_no_entry_can_have_filters_nothing(auditor: Client, day: str) -> None:
    answer = auditor.get(f"/audit/?since={day}&until={day}")
    assert (answer.status_code, "case-of-ris" in answer.content.decode()) == (200, True)
