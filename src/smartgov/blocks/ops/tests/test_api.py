"""Events reach their listeners once, in order, after failures and crashes; personal data is retired."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import FieldError
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from smartgov.blocks.ops import api, outbox, periodic
from smartgov.blocks.ops.manifest import Periodic
from smartgov.blocks.ops.models import Delivery, Event, Heartbeat, Occasion, Release
from smartgov.blocks.ops.tests import listeners
from smartgov.shared import clock
from smartgov.shared.actor import Actor

pytestmark = pytest.mark.django_db
ROBOT = Actor.for_system("ris", "tests")


@pytest.fixture(autouse=True)
def flow(settings: Any) -> None:
    settings.SMARTGOV_FLOWS = "smartgov.blocks.ops.tests.listeners.FLOWS"
    listeners.HEARD.clear()
    listeners.ANSWERS.clear()


def send(parcel: str = "p", aggregate: str = "a") -> str:
    return api.emit("parcel_sent", aggregate=aggregate, payload={"parcel": parcel}, actor=ROBOT)


def heard() -> list[tuple[str, str]]:
    return [(name, event.payload["parcel"]) for name, event in listeners.HEARD]


def test_each_listener_hears_an_event_once() -> None:
    event = send("one")
    assert api.dispatch() == 2
    assert api.dispatch() == 0
    assert heard() == [("first", "one"), ("second", "one")]
    got = listeners.HEARD[0][1]
    assert (got.name, got.aggregate, got.id, got.actor) == ("parcel_sent", "a", event, ROBOT)


@pytest.mark.django_db(transaction=True)
def test_an_event_needs_the_transaction_of_its_change() -> None:
    with pytest.raises(RuntimeError, match="transaction"):
        send()
    with transaction.atomic():
        send()
        transaction.set_rollback(True)
    assert api.dispatch() == 0


@pytest.mark.django_db(transaction=True)
def test_a_listener_runs_outside_transactions(monkeypatch: pytest.MonkeyPatch) -> None:
    inside: list[bool] = []
    monkeypatch.setattr(listeners, "first", lambda event: inside.append(connection.in_atomic_block))
    with transaction.atomic():
        send()
    api.dispatch()
    assert inside == [False]


def test_undeclared_events_and_doubled_declarations_are_refused() -> None:
    with pytest.raises(ValueError, match="not declared"):
        api.emit("parcel_eaten", aggregate="a", payload={}, actor=ROBOT)
    with pytest.raises(ValueError, match="twice"):
        api.declare_events("other", {"parcel_sent": ["parcel"]})


def test_an_event_without_listeners_is_written_and_goes_nowhere() -> None:
    api.emit("parcel_lost", aggregate="a", payload={"parcel": "p"}, actor=ROBOT)
    assert Event.objects.count() == 1
    assert api.dispatch() == 0


def test_a_failing_listener_waits_and_the_other_does_not() -> None:
    listeners.ANSWERS["first"] = ConnectionError()
    send()
    assert api.dispatch() == 1
    assert api.dispatch() == 0
    listeners.ANSWERS.clear()
    with clock.travelling(delta=timedelta(seconds=2)):
        assert api.dispatch() == 1
    assert heard() == [("second", "p"), ("first", "p")]


def test_events_of_one_aggregate_stay_in_order_and_others_pass() -> None:
    listeners.ANSWERS["first"] = ConnectionError()
    send("a1")
    api.dispatch()
    listeners.ANSWERS.clear()
    send("a2")
    send("b1", aggregate="b")
    api.dispatch()
    assert ("first", "a2") not in heard()
    assert ("first", "b1") in heard()
    with clock.travelling(delta=timedelta(seconds=2)):
        api.dispatch()
        api.dispatch()
    assert [p for name, p in heard() if name == "first"] == ["b1", "a1", "a2"]


def _try_for(minutes: int) -> None:
    for minute in range(minutes):
        with clock.travelling(delta=timedelta(seconds=61 * minute)):
            api.dispatch()


def test_refusals_become_a_dead_letter_that_can_be_tried_again() -> None:
    listeners.ANSWERS["first"] = listeners.refuse()
    send()
    _try_for(10)
    (dead,) = api.dead_letters()
    assert (dead.refusals, dead.problem, dead.event.name) == (5, "not-wanted", "parcel_sent")
    listeners.ANSWERS.clear()
    api.retry(dead.id)
    assert api.dispatch() == 1
    assert api.dead_letters() == []


def test_what_came_before_what_it_belongs_to_is_taken_when_that_is_there() -> None:
    listeners.ANSWERS["first"] = listeners.refuse()
    send()
    _try_for(6)  # in which what it belongs to was not there yet
    listeners.ANSWERS.clear()
    with clock.travelling(delta=timedelta(minutes=10)):
        assert api.dispatch() == 1
    assert ("first", "p") in heard()


def test_an_outage_never_becomes_a_dead_letter() -> None:
    listeners.ANSWERS["first"] = ConnectionError()
    send()
    _try_for(30)
    assert api.dead_letters() == []
    assert Delivery.objects.get(listener__endswith="first").attempts == 30


def test_a_dead_letter_holds_back_its_aggregate_until_dropped() -> None:
    listeners.ANSWERS["first"] = listeners.refuse()
    send("a1")
    _try_for(10)
    listeners.ANSWERS.clear()
    send("a2")
    api.dispatch()
    assert ("first", "a2") not in heard()
    api.drop(api.dead_letters()[0].id)
    api.dispatch()
    assert ("first", "a2") in heard()


def test_an_error_text_is_not_kept() -> None:
    listeners.ANSWERS["first"] = ValueError("A123456789 has no such thing")
    send()
    api.dispatch()
    assert Delivery.objects.get(listener__endswith="first").problem == "ValueError"


def test_a_killed_workers_delivery_is_taken_up_when_its_lease_ends() -> None:
    send()
    delivery = Delivery.objects.get(listener__endswith="first")
    assert outbox._lease(delivery)
    assert not outbox._lease(delivery)
    api.dispatch()
    assert ("first", "p") not in heard()
    with clock.travelling(delta=outbox.LEASE + timedelta(seconds=1)):
        assert api.dispatch() == 1


def test_a_worker_slower_than_its_lease_does_not_undo_what_another_has_done() -> None:
    send()
    slow = Delivery.objects.get(listener__endswith="first")
    assert outbox._lease(slow)
    with clock.travelling(delta=outbox.LEASE + timedelta(seconds=1)):
        assert api.dispatch() == 2
        outbox._failed(slow, TimeoutError())
        assert Delivery.objects.get(id=slow.id).state == Delivery.DONE
        assert api.dispatch() == 0
    assert heard().count(("first", "p")) == 1


def test_a_worker_that_is_told_to_stop_begins_no_further_delivery() -> None:
    for aggregate in "abc":
        send(aggregate, aggregate=aggregate)
    assert api.dispatch(stop=lambda: len(listeners.HEARD) >= 2) == 2
    assert api.dispatch() == 4


def test_periodic_work_runs_when_due_and_a_failure_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    task = Periodic("tests.tick", 10, "smartgov.blocks.ops.tests.test_api.tick")
    monkeypatch.setattr(periodic, "calendar", lambda: [task])
    monkeypatch.setattr(periodic, "import_string", lambda path: lambda: calls.append(path))
    assert [periodic.run_due(), periodic.run_due()] == [1, 0]
    with clock.travelling(delta=timedelta(seconds=11)):
        assert [periodic.run_due(), periodic.run_due()] == [1, 0]
    assert len(calls) == 2

    monkeypatch.setattr(periodic, "import_string", lambda path: lambda: 1 // 0)
    with clock.travelling(delta=timedelta(seconds=22)):
        periodic.run_due()
    assert Occasion.objects.get(name=task.name).problem == "ZeroDivisionError"


def test_one_round_of_the_worker_beats_and_delivers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(periodic, "calendar", list)
    send()
    call_command("worker", once=True)
    assert len(listeners.HEARD) == 2
    assert Heartbeat.objects.count() == 1


def test_events_are_deleted_after_thirty_days_unless_somebody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    send("done")
    api.dispatch()
    listeners.ANSWERS["first"] = ConnectionError()
    waiting = send("waiting", aggregate="b")
    api.dispatch()
    in_a_month = clock.now() + timedelta(days=31)
    assert api.retire_all(in_a_month)["ops.Event"] >= 1
    assert list(Event.objects.values_list("id", flat=True)) == [waiting]


def test_every_model_of_ours_declares_its_personal_data() -> None:
    problems = {model.__name__: api.declaration_of(model).problem for model in api.our_models()}
    ours = {"Event", "Delivery", "Occasion", "Heartbeat", "Release", "Entry", "UseRecord", "Account", "Seat", "SignIn"}
    assert ours <= set(problems)
    assert {name: problems[name] for name in ours if problems[name]} == {}


def test_upgrade_check_refuses_a_database_of_a_newer_release() -> None:
    call_command("upgrade_check")
    Release.objects.update(version="999.0")
    with pytest.raises(CommandError, match=r"newer release 999\.0"):
        call_command("upgrade_check")


def test_encrypted_columns_hide_their_value_and_refuse_searching() -> None:
    from smartgov.blocks.identity.models import Account

    account = Account.objects.create(name="王小明")
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM identity_account WHERE id = %s", [account.id])
        (stored,) = cursor.fetchone()
    assert "王" not in stored
    assert Account.objects.get(id=account.id).name == "王小明"
    for lookup in ({"name": "王小明"}, {"name__contains": "王"}):
        with pytest.raises(FieldError):
            Account.objects.filter(**lookup).exists()
    assert not Account.objects.filter(name="").exists()
