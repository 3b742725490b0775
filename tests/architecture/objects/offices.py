"""Scenes of offices: cases, payments, certificates, and what an officer asks to be shown."""

from __future__ import annotations

from smartgov.blocks.cases import api as cases
from smartgov.blocks.cases.models import Case
from smartgov.blocks.cases.tests import factories as case_files
from smartgov.blocks.credentials import api as credentials
from smartgov.blocks.credentials.tests import factories as certificates
from smartgov.blocks.identity import api as identity
from smartgov.blocks.identity.tests import factories as people
from smartgov.blocks.payments import api as payments
from smartgov.blocks.payments.models import Batch
from smartgov.blocks.payments.tests import factories as money
from smartgov.shared.actor import Actor
from tests.architecture.objects.stage import Maker, Scene, Stage


def presentation(stage: Stage) -> Scene:
    """A request for a credential."""
    stage.contexts.enter_context(certificates.gateway(stage.folder))
    seat = people.a_seat("nhi", "case_officer")
    who = Actor("officer", subject=identity.person_of_seat(seat), seat=seat, agency="nhi", assurance=2)
    asked = credentials.ask(actor=who, template="birth_certificate", claims=["child_name"])
    owner, foreign = (people.signed_in_officer(agency, "case_officer") for agency in ("nhi", "sfaa"))
    return Scene({"asked": asked}, owner, (foreign,))


CASE_FORM = {
    "question": "?",
    "decision": "approve",
    "cited": "household-registration-act-48",
    "reason": "查證相符",
}


def case(stage: Stage) -> Scene:
    """A case in review."""
    stage.contexts.enter_context(case_files.road())
    opened = case_files.opened()
    cases.work_on_due()
    version = Case.objects.get(id=opened).version
    owner, foreign = (people.signed_in_officer(agency, "case_officer") for agency in ("ris", "nhi"))
    return Scene({"case_id": opened}, owner, (foreign,), {"version": version, **CASE_FORM})


def batch(role: str) -> Maker:
    """A batch that was prepared; `role` is what the address asks for."""

    def make(stage: Stage) -> Scene:
        money.instruct()
        made = payments.prepare_batch(actor=money.officer(), agency=money.AGENCY)
        digest = Batch.objects.get(id=made).digest
        owner, foreign = (people.signed_in_officer(agency, role) for agency in (money.AGENCY, "bli"))
        return Scene({"batch_id": made}, owner, (foreign,), {"reason": "a test", "seen_hash": digest})

    return make


def instruction(stage: Stage) -> Scene:
    """A payment that is ready."""
    made = money.instruct()
    owner, foreign = (people.signed_in_officer(agency, "payment_preparer") for agency in (money.AGENCY, "bli"))
    return Scene({"instruction_id": made}, owner, (foreign,), {"do": "cancel"})


def certificate(stage: Stage) -> Scene:
    """A certificate in the desk of its agency."""
    stage.contexts.enter_context(certificates.gateway(stage.folder))
    issued = certificates.issued()
    owner, foreign = (people.signed_in_officer(agency, "credential_manager") for agency in ("ris", "nhi"))
    return Scene({"code": issued.code}, owner, (foreign,), {"reason": "error"})
