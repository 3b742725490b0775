"""The first page and the birth that is already on it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from smartgov.blocks.identity import api as identity
from smartgov.blocks.identity.tests.factories import SEEDER
from smartgov.blocks.mydata.tests.factories import RecordedTransport
from smartgov.blocks.notify import api as notify
from smartgov.blocks.ops import api as ops
from smartgov.blocks.services import api, preparing
from smartgov.blocks.services.models import Application, LifeEvent
from smartgov.blocks.services.tests import factories
from smartgov.blocks.services.tests.factories import Mother, announce, walk
from smartgov.shared import clock
from smartgov.shared.actor import Actor
from smartgov.shared.problems import Problem
from smartgov.shared.tw import national_id

pytestmark = pytest.mark.django_db


def test_signed_out_the_page_says_what_this_is_and_where_to_sign_in() -> None:
    page = Client().get("/")
    assert page.status_code == 200
    assert "寶寶出生" in page.content.decode()
    assert "/identity/sign-in" in page.content.decode()
    assert Client().get("/services/").status_code == 200
    assert Client().get("/services/birth/").status_code == 200
    assert Client().get("/services/moon/").status_code == 404


@pytest.mark.parametrize(("today", "left"), [(5, 53), (6, 52), (9, 50)])
def test_her_wall_already_says_that_a_child_was_born_what_can_be_done_and_by_when(
    today: int, left: int, troad: RecordedTransport
) -> None:
    with clock.travelling(to=datetime(2026, 11, today, 9, tzinfo=clock.TAIPEI)):
        mother = factories.a_mother()
        (event,) = api.life_events(actor=mother.actor)
        assert event.deadline.days_left == left, "born ten days ago; Friday, 25 December, is a holiday"
        page = mother.browser.get("/").content.decode()
        for words in ("寶寶出生", "台大醫院", "出生登記", "第48條", f">{left}<"):
            assert words in page
        assert ("順延至次一上班日" in page) == (left > 50)
        english = mother.browser.get("/", headers={"accept-language": "en"}).content.decode()
    assert "A child was born" in english
    assert f"<strong>{left}</strong> days left" in english
    assert ("a day of rest" in english) == (left > 50)


def test_nothing_yet_is_said_in_words(troad: RecordedTransport) -> None:
    page = factories.a_mother(announced=False).browser.get("/").content.decode()
    assert page.count('class="empty"') == 1
    for words in ("還沒有申請案件", "機關為您辦理的進度", "機關為您核發的電子證明"):
        assert words in page


def test_a_birth_announced_twice_is_one_and_a_changed_one_is_refused(mother: Mother) -> None:
    assert announce(mother.person, event_id="b-7") == (False, True)
    assert announce(mother.person, event_id="b-7") == (True, True)
    with pytest.raises(Problem, match="life-event-differs"):
        announce(mother.person, event_id="b-7", hospital="馬偕醫院")
    assert LifeEvent.objects.count() == 2


def test_a_birth_announced_before_she_has_an_account_waits_for_her(troad: RecordedTransport) -> None:
    person = national_id.make(77_001, 2)
    assert announce(person) == (False, False)
    subject = identity.enrol(actor=SEEDER, national_id=person, name="林美玲")
    stranger = factories.a_mother(announced=False)
    assert api.life_events(actor=stranger.actor) == []
    assert len(api.life_events(actor=Actor("citizen", subject=subject))) == 1


def test_the_mother_is_told_by_notice_with_hospital_and_day(mother: Mother) -> None:
    event = LifeEvent.objects.get()
    emitted = ops.EmittedEvent("life_event_announced", event.id, {"life_event": event.id}, factories.HPA, "e")
    api.tell_parent(emitted)
    api.tell_parent(emitted)
    (notice,) = notify.wall(actor=mother.actor)
    assert "台大醫院" in notice.body.zh
    assert "台大醫院" not in notice.subject.zh


def test_starting_twice_gives_one_application(mother: Mother) -> None:
    posted = {"service": "birth", "life_event": mother.life_event}
    places = {mother.browser.post("/services/start", posted)["Location"] for _ in range(2)}
    assert len(places) == 1
    assert Application.objects.count() == 1
    assert "繼續" in mother.browser.get("/").content.decode()


def test_nobody_starts_from_another_persons_life_event(mother: Mother) -> None:
    stranger = factories.a_mother(announced=False)
    posted = {"service": "birth", "life_event": mother.life_event}
    assert stranger.browser.post("/services/start", posted).status_code == 404
    assert Application.objects.count() == 0


def test_what_agencies_find_after_she_withdrew_is_not_kept(mother: Mother, monkeypatch: pytest.MonkeyPatch) -> None:
    """She withdraws in another window while the agencies are being asked."""
    application, asked = walk(mother, upto="facts"), preparing.together

    def meanwhile(*questions: Any, **limits: Any) -> Any:
        api.withdraw(actor=mother.actor, application_id=application)
        return asked(*questions, **limits)

    monkeypatch.setattr(preparing, "together", meanwhile)
    with pytest.raises(Problem, match="application-not-draft"):
        api.prepare(actor=mother.actor, application=application)
    assert Application.objects.get(id=application).prepared == {}


def test_a_withdrawn_draft_is_erased_and_she_may_start_again(mother: Mother) -> None:
    application = walk(mother, upto="surname")
    url = f"/services/applications/{application}/withdraw"
    assert mother.browser.get(url).status_code == 200
    assert mother.browser.post(url)["Location"] == "/"
    row = Application.objects.get(id=application)
    assert (row.state, row.answers, row.prepared) == ("withdrawn", {}, {})
    assert mother.browser.get(f"/services/applications/{application}/").status_code == 200
    assert api.start(actor=mother.actor, service="birth", life_event=mother.life_event) != application
