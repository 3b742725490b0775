"""Health for machines, the operators' page, and who may open it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from smartgov.blocks.identity.tests.factories import signed_in_officer
from smartgov.blocks.ops import api, manifest
from smartgov.blocks.ops.models import Delivery, Heartbeat, Occasion
from smartgov.blocks.ops.tests import listeners
from smartgov.shared import clock
from smartgov.shared.actor import Actor
from smartgov.shared.text import Text

pytestmark = pytest.mark.django_db


@pytest.fixture
def dead(settings: Any) -> Delivery:
    settings.SMARTGOV_FLOWS = "smartgov.blocks.ops.tests.listeners.FLOWS"
    listeners.ANSWERS.clear()
    listeners.HEARD.clear()
    api.emit("parcel_sent", aggregate="a", payload={"parcel": "p"}, actor=Actor.for_system("ris", "t"))
    Delivery.objects.filter(listener__endswith="first").update(state=Delivery.DEAD, problem="not-wanted")
    return Delivery.objects.get(state=Delivery.DEAD)


def test_live_answers_without_a_database_query(client: Client, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert client.get("/ops/live").json() == {"live": True}


def test_health_is_bad_without_a_worker_and_good_with_one(client: Client) -> None:
    assert client.get("/ops/health").status_code == 503
    Heartbeat.objects.create(worker="w", beat_at=clock.now())
    said = client.get("/ops/health")
    assert (said.status_code, said.json()["healthy"]) == (200, True)
    with clock.travelling(delta=timedelta(minutes=2)):
        assert client.get("/ops/health").status_code == 503


def test_health_counts_dead_letters(client: Client, dead: Delivery) -> None:
    checks = {row["name"]: row for row in client.get("/ops/health").json()["checks"]}
    assert (checks["outbox"]["ok"], checks["outbox"]["detail"]) == (False, "pending=1 dead=1")


def test_strangers_sign_in_and_other_officers_are_refused(client: Client) -> None:
    assert client.get("/ops/").headers["Location"].startswith("/identity/sign-in")
    assert signed_in_officer("ris", "case_officer").get("/ops/").status_code == 403


def test_operator_retries_a_dead_letter(dead: Delivery) -> None:
    browser = signed_in_officer("portal", "operator")
    page = browser.get("/ops/").content.decode()
    assert "not-wanted" in page
    assert "此動作無法復原" in page, "what giving up means stands before its button"
    assert browser.post(f"/ops/deliveries/{dead.id}/retry").status_code == 302
    assert api.dispatch() == 2
    assert browser.post(f"/ops/deliveries/{dead.id}/retry").status_code == 302, "a second press finds it done"
    assert api.dispatch() == 0
    assert browser.post("/ops/deliveries/99999/retry").status_code == 404


def test_the_problem_of_a_dead_letter_is_told_in_words(dead: Delivery) -> None:
    browser = signed_in_officer("portal", "operator")
    assert "對方拒絕接受" in browser.get("/ops/").content.decode(), "also one that nobody knows"
    Delivery.objects.filter(id=dead.id).update(problem="right-missing")
    told = browser.get("/ops/").content.decode()
    assert "沒有呼叫此服務的權限" in told
    assert "right-missing" in told
    english = browser.get("/ops/", headers={"Accept-Language": "en"}).content.decode()
    assert "There is no right to make this call. Ask for it with" in english


def test_operator_drops_a_dead_letter(dead: Delivery) -> None:
    browser = signed_in_officer("portal", "operator")
    browser.post(f"/ops/deliveries/{dead.id}/drop")
    dead.refresh_from_db()
    assert dead.state == Delivery.DROPPED
    assert browser.post(f"/ops/deliveries/{dead.id}/drop").status_code == 302, "a second press finds it done"
    assert browser.post("/ops/deliveries/99999/drop").status_code == 404


def test_events_and_listeners_are_told_in_words_with_their_codes(dead: Delivery, monkeypatch: Any) -> None:
    happened, does = Text("A parcel was sent", "已寄出包裹"), Text("Notes it", "記錄")
    monkeypatch.setattr(manifest, "events", lambda: {"parcel_sent": happened})
    monkeypatch.setattr(manifest, "listeners", lambda: {dead.listener: does})
    Delivery.objects.exclude(id=dead.id).update(attempts=1, problem="right-missing")
    page = signed_in_officer("portal", "operator").get("/ops/").content.decode()
    assert page.count("已寄出包裹") == 2, "of the dead letter, and of the one that waits"
    assert f"記錄 <small><code>{dead.listener}</code></small>" in page
    assert page.count("<code>parcel_sent</code>") == 2
    assert "沒有呼叫此服務的權限" in page, "why the waiting one failed"
    assert "等候 1 件，遭拒絕 1 件" in page
    assert "pending=1" not in page


def test_every_job_and_check_is_said_in_words(client: Client) -> None:
    assert [name for name, words in manifest.jobs().items() if not (words.en and words.zh)] == []
    Occasion.objects.create(name="ops.retire", due_at=clock.now())
    page = signed_in_officer("portal", "operator").get("/ops/", headers={"Accept-Language": "en"}).content.decode()
    assert "Erases personal data whose time is over" in page
    assert "Messages between blocks" in page
    assert "ops.retire" not in page
