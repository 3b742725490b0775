"""The draft in a browser without scripts: one question a page, saved, resumed, in order, in two windows."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from smartgov.blocks.mydata.tests.factories import RecordedTransport
from smartgov.blocks.ops import api as ops
from smartgov.blocks.services import api
from smartgov.blocks.services.models import Application
from smartgov.blocks.services.tests import factories
from smartgov.blocks.services.tests.factories import ANSWERS, Mother, version_of, walk
from smartgov.shared import clock
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

pytestmark = pytest.mark.django_db


def begin(mother: Mother) -> str:
    return api.start(actor=mother.actor, service="birth", life_event=mother.life_event)


def url(application: str, tail: str) -> str:
    return f"/services/applications/{application}/{tail}"


def test_the_way_leads_through_every_page_and_asks_nothing_twice(mother: Mother) -> None:
    application = walk(mother)
    assert Application.objects.get(id=application).answers["given_name"] == "小安"
    resumed = mother.browser.get(url(application, ""))
    assert resumed["Location"] == url(application, "check")
    page = mother.browser.get(url(application, "check")).content.decode()
    for words in ("小安", "從母姓", "***", "社會及家庭署", "mother@example.test"):
        assert words in page
    assert "00012345678901" not in page


def test_she_resumes_at_the_first_open_question(mother: Mother) -> None:
    application = walk(mother, upto="name")
    assert mother.browser.get(url(application, ""))["Location"] == url(application, "pages/name")


def test_a_wrong_value_comes_back_with_its_error_and_is_not_kept(mother: Mother) -> None:
    application = walk(mother, upto="name")
    answer = mother.browser.post(url(application, "pages/name"), {"given_name": "Bob", "version": 9})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'href="#f-given_name"' in page
    assert 'value="Bob"' in page
    assert "given_name" not in Application.objects.get(id=application).answers


@pytest.mark.parametrize("tail", ["pages/name", "facts", "check", "consent"])
def test_a_page_out_of_order_leads_to_the_right_one_and_says_why(mother: Mother, tail: str) -> None:
    application = begin(mother)
    method = mother.browser.get if tail == "consent" else mother.browser.post
    answer = method(url(application, tail), {"given_name": "小安", "declaration": "yes"})
    assert answer["Location"] == url(application, "pages/parts") + "?why=order"
    assert "第一個還沒回答的問題" in mother.browser.get(answer["Location"]).content.decode()
    assert Application.objects.get(id=application).answers == {}


def test_the_second_window_is_told_and_shown_both_values(mother: Mother) -> None:
    application = walk(mother, upto="household")
    page = url(application, "pages/name")
    seen = version_of(application)
    mother.browser.post(page, {"given_name": "小平", "version": seen})
    answer = mother.browser.post(page, {"given_name": "小和", "version": seen})
    text = answer.content.decode()
    assert answer.status_code == 409
    assert "小平" in text
    assert "小和" in text
    assert Application.objects.get(id=application).answers["given_name"] == "小平"
    chosen = {"given_name": "小和", "version": version_of(application), "overwrite": "yes"}
    assert mother.browser.post(page, chosen).status_code == 302
    assert Application.objects.get(id=application).answers["given_name"] == "小和"


def test_saving_another_page_or_the_same_value_is_no_conflict(mother: Mother) -> None:
    application = walk(mother, upto="household")
    seen = version_of(application)
    mother.browser.post(url(application, "pages/name"), {"given_name": "小平", "version": seen})
    same = mother.browser.post(url(application, "pages/name"), {"given_name": "小平", "version": seen})
    other = mother.browser.post(url(application, "pages/surname"), {"surname_from": "mother", "version": seen})
    assert (same.status_code, other.status_code) == (302, 302)


def test_a_page_without_a_version_cannot_overwrite(mother: Mother) -> None:
    application = walk(mother, upto="household")
    answer = mother.browser.post(url(application, "pages/name"), {"given_name": "小平"})
    assert answer.status_code == 409


def test_answers_are_encrypted_and_drafts_go_after_ninety_days(mother: Mother) -> None:
    application = walk(mother, upto="household")
    with connection.cursor() as cursor:
        cursor.execute("SELECT answers_text FROM services_application WHERE id = %s", [application])
        (raw,) = cursor.fetchone()
    assert "小安" not in raw
    with clock.travelling(delta=timedelta(days=89)):
        ops.retire_all(clock.now())
        assert Application.objects.filter(id=application).exists()
    with clock.travelling(delta=timedelta(days=91)):
        ops.retire_all(clock.now())
        assert not Application.objects.filter(id=application).exists()


def test_another_citizen_finds_no_page_of_it(mother: Mother) -> None:
    application = walk(mother, upto="household")
    stranger = factories.a_mother(announced=False)
    for tail in ("", "pages/name", "consent", "facts", "check", "withdraw"):
        assert stranger.browser.get(url(application, tail)).status_code == 404
    for tail in ("pages/name", "facts", "check", "withdraw"):
        assert stranger.browser.post(url(application, tail), {}).status_code == 404


def test_an_ended_session_keeps_what_was_typed_for_after_the_next_sign_in(mother: Mother) -> None:
    application = walk(mother, upto="name")
    mother.browser.session.flush()
    answer = mother.browser.post(url(application, "pages/name"), {"given_name": "小安", "version": 5})
    assert answer.status_code == 302
    assert "kept" in answer["Location"]


def test_each_agency_gets_only_its_own_answers_and_consents(mother: Mother, troad: RecordedTransport) -> None:
    walk(mother)
    asked = {call.json["part"]: call for call in troad.calls if call.path == "/preparations"}
    assert set(asked) == set(factories.NAMES)
    call = asked["allowance"]
    assert (call.client, call.service) == ("TW/GOV/portal/portal", "TW/GOV/sfaa/cases/cases.v1")
    assert (call.subject, call.purpose, call.basis) == (mother.person, "birth.allowance", "subject")
    assert set(call.json["consents"]) == {"TW/GOV/hpa/births/births.v1", "TW/GOV/mof/taxation/taxation.v1"}
    assert "given_name" not in call.json["answers"]
    assert call.json["notification"] == "n-1"
    assert mother.person not in str(call.json)


def test_what_she_refused_is_not_signed(mother: Mother, troad: RecordedTransport) -> None:
    walk(mother, agree=False)
    assert troad.consents == []
    assert all(call.json["consents"] == {} for call in troad.calls if call.path == "/preparations")


def test_facts_stand_beside_source_and_time_and_proofs_are_counted(mother: Mother) -> None:
    application = walk(mother, upto="child")
    answer = mother.browser.get(url(application, "facts"))
    page = answer.content.decode()
    for words in ("民國115年11月12日", "國民健康署", "陳怡君", "臺北市中正區中正路1號", "NT$6,000", "紙本出生證明書"):
        assert words in page
    assert len(answer.context["saved_proofs"]) == page.count("saved-count") * len(answer.context["saved_proofs"]) > 5


def test_a_silent_agency_is_a_missing_fact_and_no_obstacle(mother: Mother, troad: RecordedTransport) -> None:
    del troad.answers["TW/GOV/ris/cases/cases.v1", "/preparations"]
    application = walk(mother, upto="child")
    page = mother.browser.get(url(application, "facts")).content.decode()
    assert "機關目前沒有回應" in page
    assert "NT$6,000" in page
    assert mother.browser.get(url(application, ""))["Location"] == url(application, "pages/child")


@pytest.mark.parametrize("slug", ["answer-signature-invalid", "answer-mismatch", "gateway-untrusted"])
def test_an_answer_with_a_wrong_signature_is_not_shown(mother: Mother, troad: RecordedTransport, slug: str) -> None:
    broken = Problem(slug, 502, what=Text("The signature does not hold.", "簽章不符。"))
    troad.answers["TW/GOV/sfaa/cases/cases.v1", "/preparations"] = broken
    application = walk(mother, upto="child")
    assert "未通過驗證" in mother.browser.get(url(application, "facts")).content.decode()


def test_facts_are_asked_again_with_fresh_values(mother: Mother, troad: RecordedTransport) -> None:
    application = walk(mother, upto="child")
    troad.answers["TW/GOV/ris/cases/cases.v1", "/preparations"] = lambda call: {
        "facts": [{"id": "hospital", "value": "馬偕醫院", "source": "hpa", "answered_at": clock.now().isoformat()}],
        "missing": [],
        "decision": None,
    }
    mother.browser.post(url(application, "facts"))
    page = mother.browser.get(url(application, "facts")).content.decode()
    assert "馬偕醫院" in page
    assert "臺北市中正區" not in page


def test_known_facts_fill_the_form_and_offer_only_what_exists(mother: Mother) -> None:
    application = walk(mother, upto="account")
    page = mother.browser.get(url(application, "pages/account")).content.decode()
    assert 'value="00012345678901"' in page
    surname = mother.browser.get(url(application, "pages/surname")).content.decode()
    assert "從母姓" in surname
    assert "從父姓" not in surname


def test_other_parts_ask_for_their_own_consent_and_facts_again(mother: Mother) -> None:
    application = walk(mother, upto="name")
    posted = {"parts": ["registration", "nhi"], "version": version_of(application)}
    answer = mother.browser.post(url(application, "pages/parts"), posted)
    assert answer["Location"] == url(application, "consent")
    assert "社會及家庭署" not in mother.browser.get(
        mother.browser.get(url(application, "consent"))["Location"]
    ).content.decode().replace("服務", "")


def test_changing_an_answer_from_the_check_page_leads_back_to_it(mother: Mother) -> None:
    application = walk(mother)
    page = url(application, "pages/name") + "?from=check"
    answer = mother.browser.post(page, {**ANSWERS["name"], "given_name": "小樂", "version": version_of(application)})
    assert answer["Location"] == url(application, "check")
