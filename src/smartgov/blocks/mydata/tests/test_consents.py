"""What a consent is: hers, for one agency, one register, named fields, an end; and gone when she takes it back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.http import Http404

from smartgov.blocks.exchange import transport
from smartgov.blocks.identity.tests.factories import a_person, signed_in_citizen
from smartgov.blocks.mydata import api
from smartgov.blocks.mydata.models import Consent
from smartgov.blocks.mydata.tests.factories import RecordedTransport, an_item
from smartgov.blocks.ops import api as ops
from smartgov.shared import clock
from smartgov.shared.actor import Actor
from smartgov.shared.ids import uuid7
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

pytestmark = pytest.mark.django_db


@pytest.fixture
def troad() -> Iterator[RecordedTransport]:
    played = RecordedTransport()
    with transport.replaced(played):
        yield played


@pytest.fixture
def mother() -> Actor:
    return Actor("citizen", subject=a_person(), assurance=2)


def ask(actor: Actor, *items: api.ConsentItem, application: str = "") -> str:
    return api.consent_request(
        actor=actor,
        application=application or uuid7(),
        title=Text("A child was born", "寶寶出生"),
        items=items or (an_item(), an_item("maternity", "bli")),
        return_path="/services/",
    )


def test_only_what_she_ticks_is_signed_and_for_that_agency_alone(troad: RecordedTransport, mother: Actor) -> None:
    request = ask(mother)
    granted = api.grant(actor=mother, request_id=request, accepted=[an_item().id])
    assert list(granted) == [an_item().id]
    (claims,) = troad.consents
    assert (claims["requester"], claims["provider"]) == ("TW/GOV/sfaa/cases", "TW/GOV/mof/taxation/taxation.v1")
    assert (claims["fields"], claims["purpose"]) == (["account"], "birth.allowance")


def test_artefacts_are_found_by_part_and_service(troad: RecordedTransport, mother: Actor) -> None:
    application = uuid7()
    request = ask(mother, application=application)
    api.decide(actor=mother, request_id=request, accepted=[an_item().id])
    found = api.artefacts(actor=mother, application=application)
    assert list(found) == ["allowance"]
    assert found["allowance"]["TW/GOV/mof/taxation/taxation.v1"].startswith("artefact.")


def test_unticking_revokes_and_ticking_again_signs_anew(troad: RecordedTransport, mother: Actor) -> None:
    application = uuid7()
    request = ask(mother, application=application)
    api.decide(actor=mother, request_id=request, accepted=[an_item().id])
    api.decide(actor=mother, request_id=request, accepted=[])
    assert api.artefacts(actor=mother, application=application) == {}
    assert [view.state for view in api.consents(actor=mother)] == ["revoked"]
    taken_back = Consent.objects.get()
    assert api.revoked() == [taken_back.id]
    api.tell_issuer(ops.EmittedEvent("consent_revoked", "", {"consent": taken_back.id}, mother, ""))
    assert troad.taken_back == [("portal", taken_back.id, taken_back.expires_at.isoformat())]
    api.decide(actor=mother, request_id=request, accepted=[an_item().id])
    assert sorted(view.state for view in api.consents(actor=mother)) == ["active", "revoked"]


def test_what_was_taken_back_is_told_beyond_its_end_because_clocks_differ(
    troad: RecordedTransport, mother: Actor
) -> None:
    request = ask(mother)
    api.decide(actor=mother, request_id=request, accepted=[an_item().id])
    api.decide(actor=mother, request_id=request, accepted=[])
    (taken_back,) = Consent.objects.all()
    with clock.travelling(delta=timedelta(days=180, minutes=1)):
        assert api.revoked() == [taken_back.id]
    with clock.travelling(delta=timedelta(days=182)):
        assert api.revoked() == []


def test_refusing_everything_is_a_decision(troad: RecordedTransport, mother: Actor) -> None:
    application = uuid7()
    items = [an_item()]
    request = ask(mother, *items, application=application)
    assert not api.is_decided(actor=mother, application=application, items=items)
    api.decide(actor=mother, request_id=request, accepted=[])
    assert api.is_decided(actor=mother, application=application, items=items)
    assert not api.is_decided(actor=mother, application=application, items=[*items, an_item("maternity", "bli")])


def test_a_consent_ends_by_itself_and_its_artefact_is_erased(troad: RecordedTransport, mother: Actor) -> None:
    request = ask(mother)
    api.decide(actor=mother, request_id=request, accepted=[an_item().id])
    with clock.travelling(delta=timedelta(days=181)):
        assert [view.state for view in api.consents(actor=mother)] == ["expired"]
        ops.retire_all(clock.now())
        assert Consent.objects.get().artefact == ""


def test_a_silent_gateway_leaves_everything_as_it_was(troad: RecordedTransport, mother: Actor) -> None:
    request = ask(mother)
    troad.down = True
    with pytest.raises(Problem):
        api.decide(actor=mother, request_id=request, accepted=[an_item().id])
    assert api.request(actor=mother, request_id=request).allowed is None


def test_an_item_that_was_not_asked_for_is_refused(troad: RecordedTransport, mother: Actor) -> None:
    with pytest.raises(Problem, match="consent-item-unknown"):
        api.decide(actor=mother, request_id=ask(mother), accepted=["registration:TW/GOV/ris/household/people.v1"])


def test_another_citizen_finds_nothing(troad: RecordedTransport, mother: Actor) -> None:
    request = ask(mother)
    api.decide(actor=mother, request_id=request, accepted=[an_item().id])
    stranger = Actor("citizen", subject=a_person(), assurance=2)
    consent = Consent.objects.get().id
    for verb in (
        lambda: api.request(actor=stranger, request_id=request),
        lambda: api.decide(actor=stranger, request_id=request, accepted=[]),
        lambda: api.revoke(actor=stranger, consent_id=consent),
        lambda: api.receipt(actor=stranger, consent_id=consent),
    ):
        with pytest.raises(Http404):
            verb()
    assert api.consents(actor=stranger) == []


def test_the_page_names_agency_field_purpose_duration_and_refusal(troad: RecordedTransport, mother: Actor) -> None:
    assert mother.subject
    browser = signed_in_citizen(mother.subject)
    url = f"/mydata/requests/{ask(mother)}"
    page = browser.get(url).content.decode()
    for words in ("社會及家庭署", "財政資訊中心", "帳號", "發給津貼", "180天", "您自行填寫。"):
        assert words in page
    assert "checked" not in page
    answer = browser.post(url, {"accept": [an_item().id]})
    assert (answer.status_code, answer["Location"]) == (302, "/services/")
    assert "checked" in browser.get(url).content.decode()


def test_consents_page_revokes_after_asking_and_gives_a_receipt(troad: RecordedTransport, mother: Actor) -> None:
    assert mother.subject
    browser = signed_in_citizen(mother.subject)
    browser.post(f"/mydata/requests/{ask(mother)}", {"accept": [an_item().id]})
    consent = Consent.objects.get().id
    receipt = browser.get(f"/mydata/consents/{consent}/receipt").json()
    assert receipt["data_controller"] == "TW/GOV/sfaa/cases"
    assert receipt["artefact"].startswith("artefact.")
    assert "有效" in browser.get("/mydata/consents/").content.decode()
    assert browser.get(f"/mydata/consents/{consent}/revoke").status_code == 200
    assert Consent.objects.get().revoked_at is None
    browser.post(f"/mydata/consents/{consent}/revoke")
    assert "已撤回" in browser.get("/mydata/consents/").content.decode()
