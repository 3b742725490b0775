"""People and the services they sign in to: in words, as a list, and taken back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F

from smartgov.blocks.audit import api as audit
from smartgov.blocks.directory import api as directory
from smartgov.blocks.identity import domain
from smartgov.blocks.identity.models import OpenidRelation, RelyingParty
from smartgov.blocks.identity.openid import logouts
from smartgov.engines.openid.model import Authorization, Client, DetailType
from smartgov.shared import clock
from smartgov.shared.actor import Actor
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

FACTS: dict[str, Text] = {
    "name": Text("Your name", "您的姓名"),
    "email": Text("Your e-mail address", "您的電子郵件地址"),
    "national_id": Text("Your national identification number", "您的國民身分證統一編號"),
}
OTHERS_FACTS: dict[str, Text] = {
    "name": Text("The name of {name}", "{name}的姓名"),
    "email": Text("The e-mail address of {name}", "{name}的電子郵件地址"),
    "national_id": Text("The national identification number of {name}", "{name}的國民身分證統一編號"),
}


@dataclass(frozen=True, slots=True)
class RelationView:
    """One service that a person has agreed to."""

    id: str
    name: Text
    agency: Text
    purpose: Text
    facts: tuple[Text, ...]
    agreed_at: datetime | None
    until: datetime | None
    in_force: bool


def facts_asked(claims: frozenset[str], represented: str = "") -> list[Text]:
    """The asked facts in words, in a fixed order; what is not a fact of the person is left out.

    Under a mandate they are those of the represented, whose name is `represented`.
    """
    if represented:
        return [words.format(name=represented) for name, words in OTHERS_FACTS.items() if name in claims]
    return [words for name, words in FACTS.items() if name in claims]


def details_asked(types: Mapping[str, DetailType], found: Authorization) -> list[Text]:
    """The rich requests in words."""
    return [types[each["type"]].describe(each) for each in found.asked.details]


def agency_of(client: Client) -> Text:
    """Who answers for the service."""
    try:
        return directory.agency(client.agency).name
    except Problem:
        return Text.of(client.agency)


def of(subject: str) -> list[RelationView]:
    """The services that a person has agreed to, the newest first."""
    rows = list(OpenidRelation.objects.filter(subject=subject).order_by("-agreed_at"))
    parties = RelyingParty.objects.in_bulk({row.client for row in rows})
    return [_view(row, parties[row.client]) for row in rows if row.client in parties]


def _view(row: OpenidRelation, party: RelyingParty) -> RelationView:
    from smartgov.blocks.identity.openid.parties import client_of

    client = client_of(party)
    return RelationView(
        row.id,
        client.name,
        agency_of(client),
        client.purpose,
        tuple(facts_asked(frozenset(row.claims))),
        row.agreed_at,
        row.until,
        row.until is not None and row.until > clock.now(),
    )


@transaction.atomic
def withdraw(*, actor: Actor, subject: str, relation: str, stranger: bool) -> None:
    """Take an agreement back: tokens end, the service is told. As a stranger the person gets another pseudonym."""
    row = OpenidRelation.objects.select_for_update().filter(id=relation, subject=subject).first()
    if row is None:
        raise domain.person_unknown()
    logouts.withdrawn(subject, row.client)
    now = clock.now()
    OpenidRelation.objects.filter(id=row.id).update(
        scopes=[], claims=[], until=None, withdrawn_at=now, generation=F("generation") + (1 if stranger else 0)
    )
    audit.record(
        actor=actor,
        action="openid.withdrawn",
        object_type="relation",
        object_id=row.id,
        detail={"client": row.client, "stranger": stranger},
    )
