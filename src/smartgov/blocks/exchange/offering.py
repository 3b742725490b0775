"""Writing verbs of services for an agency's own officers: from an OpenAPI file, or from tables of its register."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from smartgov.blocks.exchange import contracts, domain, refusals, replacing
from smartgov.blocks.exchange.asking import own
from smartgov.blocks.exchange.domain import Settings
from smartgov.blocks.exchange.models import Contract, Service
from smartgov.blocks.exchange.registry import (
    SERVICE,
    SUBSYSTEM,
    find,
    publish_service,
    register_subsystem,
    withdraw_service,
)
from smartgov.engines.apigen import config, spec
from smartgov.shared import content
from smartgov.shared.actor import Actor
from smartgov.shared.text import Text

TABLES = Text("The tables", "資料表")


@transaction.atomic
def offer_service(
    *, actor: Actor, service: str, settings: Settings, document: bytes | None = None, replace: bool = False
) -> None:
    """Publish a service of the officer's own agency, or change it; without `document` the one in force stays.

    Problems: `not-registered` for another agency's, `openapi-refused` with its findings, `registration-invalid`,
    `service-exists` with what would change, unless `replace` says that it is known.
    """
    domain.check_name(service, 5, SERVICE)
    own(actor, service, SERVICE)
    if not replace and (found := replacing.replacement(service, settings, document)):
        raise found.problem()
    if document is None:
        document = document_of(service).encode()
    publish_service(
        actor=actor,
        service=service,
        personal=settings.personal,
        related=settings.related,
        visibility=settings.visibility,
        visibility_terms=settings.visibility_terms,
        document=document,
        limits=settings.limits,
        durability=settings.durability,
        retain_days=settings.retain_days,
    )


def offer_tables(
    *, actor: Actor, service: str, tables: Sequence[str], settings: Settings, replace: bool = False
) -> None:
    """Publish some tables of the agency's own register as a service; its API and document are made from them."""
    settings, document = of_tables(actor=actor, service=service, tables=tables, settings=settings)
    offer_service(actor=actor, service=service, settings=settings, document=document, replace=replace)


def of_tables(*, actor: Actor, service: str, tables: Sequence[str], settings: Settings) -> tuple[Settings, bytes]:
    """The settings and the document with which tables of the agency's own register are offered.

    Whether it is about persons, and which keys name further ones, follows from the tables.
    """
    domain.check_name(service, 5, SERVICE)
    own(actor, service, SERVICE)
    known = register_of(actor.agency or "")
    if known is None or not tables or set(tables) - set(known.tables):
        raise refusals.invalid(TABLES, "choose tables of the agency's own register")
    chosen = {name: known.source["tables"][name] for name in tables}
    part = config.parse({**known.source, "tables": chosen})
    described = Settings(
        personal=any(table.personal for table in part.tables.values()),
        related=tuple(spec.related(part)),
        visibility=settings.visibility,
        visibility_terms=settings.visibility_terms,
        limits=settings.limits,
        durability=settings.durability,
        retain_days=settings.retain_days,
    )
    return described, spec.contract(part, service)


def replacement(
    *, actor: Actor, service: str, settings: Settings, document: bytes | None
) -> replacing.Replacement | None:
    """What offering a service in this way would change of what is offered under its name; None when nothing is lost.

    Problems: as `offer_service`.
    """
    domain.check_name(service, 5, SERVICE)
    own(actor, service, SERVICE)
    return replacing.replacement(service, settings, document)


@transaction.atomic
def withdraw_offer(*, actor: Actor, service: str) -> None:
    """Offer a service of the officer's own agency no more; rights to it stay on record and are of no use."""
    own(actor, service, SERVICE)
    withdraw_service(actor=actor, service=service)


@transaction.atomic
def add_subsystem(*, actor: Actor, subsystem: str) -> None:
    """Register an information system of the officer's own agency."""
    domain.check_name(subsystem, 4, SUBSYSTEM)
    own(actor, subsystem, SUBSYSTEM)
    register_subsystem(actor=actor, subsystem=subsystem)


def register_of(agency: str) -> config.RegisterConfig | None:
    """The description of the agency's register, if it has one of ours."""
    entries = content.read("exchange.yaml")["registers"]
    if not any(entry["agency"] == agency for entry in entries):
        return None
    return config.parse(content.read(f"registers/{agency}.yaml"))


def document_of(service: str) -> str:
    """The OpenAPI document in force of a service; Problem `not-registered` when there is none."""
    row = find(Service, service, SERVICE)
    found = Contract.objects.filter(service=row, digest=row.contract).first() if row.contract else None
    if found is None:
        raise refusals.unknown(contracts.DOCUMENT, service[: domain.NAME_LENGTH])
    return found.document


def tables_of(agency: str) -> list[tuple[str, Text]]:
    """The tables of the agency's register, if it has one of ours."""
    known = register_of(agency)
    return [(name, table.title) for name, table in known.tables.items()] if known else []
