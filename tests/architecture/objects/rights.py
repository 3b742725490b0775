"""Scenes of the exchange: services, requests for rights, rights."""

from __future__ import annotations

from dataclasses import replace

from django.test import Client

from smartgov.blocks.exchange import api as exchange
from smartgov.blocks.exchange import centre
from smartgov.blocks.exchange.tests import factories as roads
from smartgov.blocks.identity.tests import factories as people
from smartgov.shared import clock
from smartgov.shared.actor import Actor
from tests.architecture.objects.stage import Scene, Stage


def exchange_offices(stage: Stage) -> tuple[Client, Client, tuple[Client, ...]]:
    """Two members; officers of the provider, of the consumer, and of an agency that has no part in it."""
    stage.contexts.enter_context(centre.replaced(roads.RecordedCentre()))
    roads.two_members()
    provider, consumer, third = (people.signed_in_officer(one, "exchange_officer") for one in ("ris", "nhi", "bli"))
    exchange.offer_tables(
        actor=Actor("officer", seat="seat-ris", agency="ris"),
        service=OFFERED,
        tables=["people"],
        settings=exchange.Settings(),
    )
    return provider, consumer, (third,)


OFFERED = "TW/GOV/ris/household/persons.v1"
GRANT = {"do": "grant", "endpoints": ["POST /people/query"], "has_fields": "yes", "fields": ["name"]}


def asked_right() -> str:
    """A request of nhi for a right to the service of ris."""
    wish = exchange.Wish(
        client="TW/GOV/nhi/cases",
        service=OFFERED,
        endpoints=("POST /people/query",),
        basis=exchange.Basis.STATUTE,
        basis_code="household-registration-act-67",
        fields=("name",),
        purpose="insurance.enrolment",
    )
    return exchange.ask_right(actor=Actor("officer", seat="seat-nhi", agency="nhi"), wish=wish)


def right_request(stage: Stage) -> Scene:
    """A request for a right, before the provider's officer."""
    provider, _, foreign = exchange_offices(stage)
    return Scene({"request_id": asked_right()}, provider, foreign, {**GRANT, "until": clock.today().isoformat()})


def granted_right(stage: Stage) -> Scene:
    """A right to a service; who holds it may not end it."""
    provider, consumer, foreign = exchange_offices(stage)
    granted = exchange.grant_request(
        actor=Actor("officer", seat="seat-ris", agency="ris"), request=asked_right(), until=clock.today()
    )
    return Scene({"right_id": granted}, provider, (consumer, *foreign), {"reason": "a test"})


def renewable_right(stage: Stage) -> Scene:
    """The same right; only the provider lets it end later."""
    scene = granted_right(stage)
    return replace(scene, posted={"until": clock.today().isoformat()})


def offered_service(stage: Stage) -> Scene:
    """A service of an agency, which alone changes it."""
    provider, consumer, foreign = exchange_offices(stage)
    return Scene({"service": OFFERED.replace("/", "~")}, provider, (consumer, *foreign), {"do": "withdraw"})
