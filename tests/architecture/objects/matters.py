"""Scenes of a person's own matters: consents, notices, mandates, applications."""

from __future__ import annotations

from typing import Any

from smartgov.blocks.identity.models import (
    Account,
)
from smartgov.blocks.identity.tests import factories as people
from smartgov.blocks.mandates import api as mandates
from smartgov.blocks.mandates.tests import factories as families
from smartgov.blocks.mydata import api as mydata
from smartgov.blocks.mydata.tests.factories import an_item
from smartgov.blocks.notify import api as notify
from smartgov.blocks.services import api as services
from smartgov.blocks.services.tests import factories as applications
from smartgov.shared.actor import Actor
from smartgov.shared.ids import uuid7
from smartgov.shared.text import Text
from tests.architecture.objects.stage import Scene, Stage, citizens


def consent_request(stage: Stage) -> Scene:
    """A consent page."""
    stage.road()
    subject, owner, strangers = citizens()
    request = mydata.consent_request(
        actor=Actor("citizen", subject=subject, assurance=2),
        application=uuid7(),
        title=Text("A child was born", "寶寶出生"),
        items=(an_item(),),
        return_path="/services/",
    )
    return Scene({"request_id": request}, owner, strangers[:1])


def consent(stage: Stage) -> Scene:
    """A consent that was given."""
    scene = consent_request(stage)
    scene.owner.post(f"/mydata/requests/{scene.kwargs['request_id']}", {"accept": [an_item().id]})
    subject = Account.objects.get(pk=scene.owner.session["_auth_user_id"]).subject
    (given,) = mydata.consents(actor=Actor("citizen", subject=subject, assurance=2))
    return Scene({"consent": given.id}, scene.owner, scene.foreign)


def notice(stage: Stage) -> Scene:
    """A notice on a wall."""
    subject, owner, strangers = citizens()
    told = {"reference": "B-7K3M9Q", "agency": "戶政司", "ask": "哪個病房？", "due": "2026-12-01"}
    sent = notify.send(actor=people.SEEDER, subject=subject, template="supplement_asked", context=told)
    return Scene({"notice": sent}, owner, strangers[:1])


def mandate(stage: Stage) -> Scene:
    """A mother's mandate for her child."""
    family = families.a_family()
    stage.contexts.enter_context(families.registers(family))
    mandates.draw(actor=family.actor)
    (drawn,) = mandates.views(actor=family.actor)
    strangers = (people.signed_in_citizen(family.father), people.signed_in_citizen())
    return Scene({"mandate": drawn.id}, people.signed_in_citizen(family.mother), strangers, {"do": "end"})


def draft(stage: Stage) -> Scene:
    """A draft that was begun."""
    stage.road()
    mother = applications.a_mother()
    application = services.start(actor=mother.actor, service="birth", life_event=mother.life_event)
    return Scene({"application": application}, mother.browser, (people.signed_in_citizen(),))


def page(stage: Stage) -> Scene:
    """The first page of a draft."""
    scene = draft(stage)
    return Scene(
        {**scene.kwargs, "page": "parts"}, scene.owner, scene.foreign, {"parts": ["registration"], "version": "0"}
    )


def submitted(stage: Stage) -> Scene:
    """An application that was handed in."""
    stage.road()
    mother = applications.a_mother()
    application = applications.handed_in(mother)
    return Scene({"application": application}, mother.browser, (people.signed_in_citizen(),))


def question(stage: Stage) -> Scene:
    """An agency's question."""
    stage.road()
    mother = applications.a_mother()
    asked = _step(mother, "supplement_asked", "supplement", {"ask": {"en": "Which ward?", "zh": "哪個病房？"}})
    return Scene({"supplement": asked}, mother.browser, (people.signed_in_citizen(),), {"answer": "三樓"})


def certificate_copy(stage: Stage) -> Scene:
    """A certificate as the portal knows it."""
    stage.road().answers["TW/GOV/ris/cases/credentials.v1", "/documents"] = {"content": "JVBERi0="}
    mother = applications.a_mother()
    title = {"title": {"en": "Certificate", "zh": "證明書"}}
    issued = _step(mother, "certificate_issued", "certificate", title)
    return Scene({"certificate": issued}, mother.browser, (people.signed_in_citizen(),))


def wallet_offer(stage: Stage) -> Scene:
    """A certificate as the portal knows it, and its agency offers it to a wallet."""
    scene = certificate_copy(stage)
    offered = {"uri": "openid-credential-offer://?x", "tx_code": "123456"}
    stage.road().answers["TW/GOV/ris/cases/credentials.v1", "/offers"] = offered
    return scene


def _step(mother: applications.Mother, kind: str, name: str, content: dict[str, Any]) -> str:
    application = applications.handed_in(mother)
    made = uuid7()
    part = applications.part_of(application, "registration")
    body = applications.a_step(part, kind, **{name: {"id": made, **content}})
    services.record_step(inbound=applications.inbound(mother, "ris"), application=application, body=body)
    return made
