"""Two who do the same at the very same time: one does it, the other finds it done."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier, BrokenBarrierError
from typing import Any

import pytest
from django.db import connection, connections
from django.test import Client

from smartgov.blocks.exchange import api, asking, registry
from smartgov.blocks.exchange.models import RightRequest, Service
from smartgov.blocks.exchange.tests.forms import tables
from smartgov.shared.actor import Actor

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("two_on_the_road"),
    pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite lets one writer in, as each transaction begins"),
]
PERSONS = "TW/GOV/ris/household/persons.v1"


def at_once(monkeypatch: pytest.MonkeyPatch, module: Any, step: str, deed: Callable[[], Any]) -> list[Any]:
    """What two get who do it, when each waits after its `step` until the other is as far, or for a second."""
    both, plain = Barrier(2), getattr(module, step)

    def waiting(*given: Any) -> Any:
        found = plain(*given)
        with suppress(BrokenBarrierError):
            both.wait(1)
        return found

    def alone() -> Any:
        try:
            return deed()
        finally:
            connections.close_all()

    monkeypatch.setattr(module, step, waiting)
    with ThreadPoolExecutor(2) as pool:
        return [one.result() for one in [pool.submit(alone) for _ in range(2)]]


def test_the_same_request_at_the_same_time_is_one(ris: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    tables(ris)
    wish = asking.Wish(
        client="TW/GOV/nhi/cases",
        service=PERSONS,
        endpoints=("POST /people/query",),
        basis=asking.Basis.CONSENT,
        purpose="insurance.enrolment",
        fields=("name",),
    )
    officer = Actor("officer", seat="seat-1", agency="nhi")
    first, second = at_once(monkeypatch, asking, "_waiting", lambda: asking.ask_right(actor=officer, wish=wish))
    assert first == second == RightRequest.objects.get().id


def test_a_service_published_twice_at_the_same_time_is_published_once(monkeypatch: pytest.MonkeyPatch) -> None:
    officer, changes = Actor("officer", seat="seat-1", agency="ris"), []
    monkeypatch.setattr(registry, "changed", lambda *told, **detail: changes.append(told))
    endpoints = ["POST /people/query"]
    at_once(
        monkeypatch,
        registry,
        "_check_entry",
        lambda: api.publish_service(actor=officer, service=PERSONS, endpoints=endpoints),
    )
    assert (Service.objects.get().id, len(changes)) == (PERSONS, 1)
