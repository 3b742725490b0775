"""Which consents an application needs, as items of the consent page."""

from __future__ import annotations

from smartgov.blocks.exchange import api as exchange
from smartgov.blocks.mydata import api as mydata
from smartgov.blocks.services import catalogue
from smartgov.blocks.services.models import Application
from smartgov.engines.forms.services import Part, Query
from smartgov.shared.actor import Actor
from smartgov.shared.text import Text

_REFUSED_NEEDED = Text(
    "{agency} asks you for it instead, and its decision takes longer.",
    "{agency}會改請您自行提供，審核時間較長。",
)
_REFUSED_HANDY = Text("You type it yourself on a later page.", "您在後面的頁面自行填寫即可。")


def items(application: Application) -> list[mydata.ConsentItem]:
    """One item for each agency and register: fields in words, purpose, and what a refusal means."""
    definition = catalogue.service(application.service)
    return [
        _item(application.service, part, query)
        for part in catalogue.chosen_parts(definition, application.answers)
        for query in part.consents()
    ]


def request_for(actor: Actor, application: Application, return_path: str) -> str:
    """The consent page of this application; its id changes when other agencies or fields are needed."""
    return mydata.consent_request(
        actor=actor,
        application=application.id,
        title=catalogue.service(application.service).title,
        items=items(application),
        return_path=return_path,
    )


def is_decided(actor: Actor, application: Application) -> bool:
    """Whether she has decided about exactly what is needed now (nothing needed counts as decided)."""
    wanted = items(application)
    return not wanted or mydata.is_decided(actor=actor, application=application.id, items=wanted)


def count(actor: Actor, application: Application) -> tuple[int, int]:
    """How many consents are asked for, and how many of them are in force."""
    given = mydata.artefacts(actor=actor, application=application.id)
    wanted = items(application)
    return len(wanted), sum(item.provider in given.get(item.part, {}) for item in wanted)


def _item(service: str, part: Part, query: Query) -> mydata.ConsentItem:
    needed = any(fact.needed for fact in query.facts)
    return mydata.ConsentItem(
        id=f"{part.id}:{query.service}",
        part=part.id,
        agency=part.agency,
        requester=exchange.subsystem_of(part.agency),
        source=query.facts[0].agency,
        provider=query.service,
        fields=tuple(
            mydata.FieldView(name, mydata.column_title(query.service, query.path, name)) for name in query.fields
        ),
        purpose_code=f"{service}.{part.id}",
        purpose=part.purpose,
        on_refusal=_REFUSED_NEEDED.format(agency=catalogue.agency_short(part.agency)) if needed else _REFUSED_HANDY,
    )
