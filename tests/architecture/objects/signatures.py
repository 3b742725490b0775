"""Scenes of the signing desk and of the registration office."""

from __future__ import annotations

from smartgov.blocks.credentials.tests import factories as certificates
from smartgov.blocks.identity.tests import certified
from smartgov.blocks.identity.tests import factories as people
from smartgov.blocks.signing import api as signing
from smartgov.blocks.signing.tests import factories as desk
from smartgov.shared.actor import Actor
from tests.architecture.objects.stage import Maker, Scene, Stage


def paper(*, signed: bool = False) -> Maker:
    """A document on somebody's signing desk."""

    def make(stage: Stage) -> Scene:
        world = stage.contexts.enter_context(desk.world(stage.folder))
        who = desk.a_citizen(world)
        desk.certified(world, who)
        if signed:
            desk.signed(world, who)
        made = signing.documents(actor=who)[0].id if signed else desk.laid(who)
        return Scene({"document_id": made}, people.signed_in_citizen(who.subject), (people.signed_in_citizen(),))

    return make


def approval(stage: Stage) -> Scene:
    """A request on somebody's phone."""
    world = stage.contexts.enter_context(desk.world(stage.folder))
    who = desk.a_citizen(world)
    made = signing.begin_certificate(actor=who)
    return Scene({"approval_id": made}, people.signed_in_citizen(who.subject), (people.signed_in_citizen(),))


def state_paper(stage: Stage) -> Scene:
    """A document that waits for somebody's card."""
    stage.contexts.enter_context(desk.world(stage.folder / "desk"))
    ministry = stage.contexts.enter_context(certified.world(stage.folder))
    who = Actor("citizen", subject=people.a_person("林美玲"), assurance=2)
    made = desk.a_paper(ministry, who)
    return Scene({"paper_id": made}, people.signed_in_citizen(who.subject), (people.signed_in_citizen(),))


def key_certificate(stage: Stage) -> Scene:
    """A certificate of the registration office; other agencies' officers with the same role have none."""
    world = stage.contexts.enter_context(desk.world(stage.folder))
    record = desk.certified(world, desk.a_citizen(world))
    owner, foreign = (people.signed_in_officer(agency, "credential_manager") for agency in ("ris", "nhi"))
    return Scene({"record": record.id}, owner, (foreign,), {"step": "suspend"})


def seals(*, item: bool = False) -> Maker:
    """A batch of seals, or a sealed document of one."""

    def make(stage: Stage) -> Scene:
        stage.contexts.enter_context(desk.world(stage.folder))
        stage.contexts.enter_context(certificates.gateway(stage.folder))
        made = signing.begin_batch(actor=desk.officer(), name="a", reason="b", files=[("a.pdf", desk.a_pdf())])
        signing.seal_next()
        owner, foreign = (people.signed_in_officer(agency, "credential_manager") for agency in ("ris", "nhi"))
        return Scene({"batch_id": made, **({"number": 1} if item else {})}, owner, (foreign,), {"do": "stop"})

    return make
