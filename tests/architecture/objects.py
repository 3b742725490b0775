"""One real object for every address that names one: who owns it, and who has the same right but not to this object."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.test import Client

from smartgov.blocks.cases import api as cases
from smartgov.blocks.cases.models import Case
from smartgov.blocks.cases.tests import factories as case_files
from smartgov.blocks.credentials import api as credentials
from smartgov.blocks.credentials.tests import factories as certificates
from smartgov.blocks.exchange import api as exchange
from smartgov.blocks.exchange import centre, transport
from smartgov.blocks.exchange.tests import factories as roads
from smartgov.blocks.identity import api as identity
from smartgov.blocks.identity import mobile
from smartgov.blocks.identity.models import (
    Account,
    CitizenCertificate,
    KeptPost,
    KnownBrowser,
    MobileKey,
    OpenidAuthorization,
    OpenidRelation,
    Passkey,
)
from smartgov.blocks.identity.people import recovery
from smartgov.blocks.identity.tests import certified
from smartgov.blocks.identity.tests import factories as people
from smartgov.blocks.identity.tests.relying import Shop
from smartgov.blocks.mandates import api as mandates
from smartgov.blocks.mandates.tests import factories as families
from smartgov.blocks.mydata import api as mydata
from smartgov.blocks.mydata.tests.factories import RecordedTransport, an_item
from smartgov.blocks.notify import api as notify
from smartgov.blocks.payments import api as payments
from smartgov.blocks.payments.models import Batch
from smartgov.blocks.payments.tests import factories as money
from smartgov.blocks.services import api as services
from smartgov.blocks.services.tests import factories as applications
from smartgov.blocks.signing import api as signing
from smartgov.blocks.signing.tests import factories as desk
from smartgov.engines.openid.ciba import CIBA
from smartgov.shared import clock
from smartgov.shared.actor import Actor
from smartgov.shared.ids import uuid7
from smartgov.shared.text import Text


@dataclass(frozen=True)
class Scene:
    """An object, its owner's browser, the browsers that hold the same right without owning it, and a form to post."""

    kwargs: Mapping[str, object]
    owner: Client
    foreign: tuple[Client, ...]
    posted: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Stage:
    """What a scene may need: contexts that last for the test, and a folder."""

    contexts: ExitStack
    folder: Path

    def road(self) -> RecordedTransport:
        """Gateways that answer as all agencies do."""
        played = applications.agencies()
        self.contexts.enter_context(transport.replaced(played))
        return played


Maker = Callable[[Stage], Scene]


def _citizens() -> tuple[str, Client, tuple[Client, ...]]:
    """A person with her browser; another citizen, and an officer of some agency, who have accounts of their own."""
    subject = people.a_person()
    strangers = (people.signed_in_citizen(), people.signed_in_officer("nhi", "case_officer"))
    return subject, people.signed_in_citizen(subject), strangers


def kept_post(stage: Stage) -> Scene:
    """Answers of an ended session."""
    subject, owner, strangers = _citizens()
    cookie = owner.cookies.pop(settings.SESSION_COOKIE_NAME)
    owner.post("/identity/seat", {"seat": "x"})
    owner.cookies[settings.SESSION_COOKIE_NAME] = cookie.value
    return Scene({"kept": KeptPost.objects.get(subject=subject).id}, owner, strangers)


def passkey(stage: Stage) -> Scene:
    """One of two passkeys."""
    subject, owner, strangers = _citizens()
    account = Account.objects.get(subject=subject)
    made = [Passkey.objects.create(account=account, credential_id=uuid7(), public_key=b"k", name="n") for _ in "ab"]
    return Scene({"passkey": made[0].id}, owner, strangers)


def phone(stage: Stage) -> Scene:
    """One of two phones."""
    subject, owner, strangers = _citizens()
    account = Account.objects.get(subject=subject)
    made = [MobileKey.objects.create(account=account, key_id=uuid7(), public_jwk={}) for _ in "ab"]
    return Scene({"key": made[0].id}, owner, strangers)


def citizen_certificate(stage: Stage) -> Scene:
    """One of two certificates of the state."""
    subject, owner, strangers = _citizens()
    account = Account.objects.get(subject=subject)
    made = [CitizenCertificate.objects.create(account=account, means="card", number_index=uuid7()) for _ in "ab"]
    return Scene({"certificate": made[0].id}, owner, strangers)


def proving(*, answered: bool = False) -> Maker:
    """A request for a card that one browser has begun; every other browser is a stranger to it."""

    def make(stage: Stage) -> Scene:
        world = stage.contexts.enter_context(certified.world(stage.folder))
        owner, elsewhere, number = Client(), Client(), people.a_national_id()
        people.a_person(nid=number)
        made = certified.begun(owner)
        certified.begun(elsewhere)
        if answered:
            world.card(number).answers(owner, made)
        strangers = (Client(), elsewhere, people.signed_in_citizen())
        return Scene({"proving_id": made}, owner, strangers, {"national_id": number})

    return make


def login(stage: Stage) -> Scene:
    """A sign-in that one browser has begun; another browser, signed in or not, is a stranger to it."""
    stage.contexts.enter_context(mobile.service_replaced(people.Phone()))
    owner = Client()
    address = owner.post("/identity/mobile", {"way": "scan"})["Location"]
    begun_elsewhere = Client()
    begun_elsewhere.post("/identity/mobile", {"way": "scan"})
    return Scene({"login": address.rsplit("/", 1)[-1]}, owner, (Client(), begun_elsewhere, people.signed_in_citizen()))


def openid_interaction(stage: Stage) -> Scene:
    """A request of a relying party that one browser has brought; every other browser is a stranger to it."""
    owner = people.signed_in_citizen()
    page, _ = Shop().visit(owner)
    elsewhere = people.signed_in_citizen()
    Shop().visit(elsewhere)
    return Scene({"authorization": page.request["PATH_INFO"].rsplit("/", 1)[-1]}, owner, (Client(), elsewhere))


def openid_asked(stage: Stage) -> Scene:
    """A request of a counter that waits for one person's answer."""
    subject, owner, strangers = _citizens()
    shop = Shop(grants=["authorization_code", CIBA])
    hint = {"scope": "openid", "login_hint": shop.sign_in(owner).claims["sub"]}
    shop.rp.post("backchannel_authentication_endpoint", hint)
    (found,) = OpenidAuthorization.objects.filter(subject=subject, way="ciba")
    return Scene({"asked": found.id}, owner, strangers)


def openid_relation(stage: Stage) -> Scene:
    """A service that a person has agreed to."""
    subject, owner, strangers = _citizens()
    Shop().sign_in(owner)
    return Scene({"relation": OpenidRelation.objects.get(subject=subject).id}, owner, strangers)


def openid_party(stage: Stage) -> Scene:
    """A service that an agency has begun to register."""
    owner = people.signed_in_officer("nhi", "integrator")
    form = {"name_zh": "甲", "name_en": "A", "purpose_zh": "乙", "purpose_en": "B"}
    address = owner.post("/identity/parties/new", form)["Location"]
    other = people.signed_in_officer("ris", "integrator")
    return Scene({"party": address.rsplit("/", 1)[-1]}, owner, (other,), form)


def consent_request(stage: Stage) -> Scene:
    """A consent page."""
    stage.road()
    subject, owner, strangers = _citizens()
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
    subject, owner, strangers = _citizens()
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


def presentation(stage: Stage) -> Scene:
    """A request for a credential."""
    stage.contexts.enter_context(certificates.gateway(stage.folder))
    seat = people.a_seat("nhi", "case_officer")
    who = Actor("officer", subject=identity.person_of_seat(seat), seat=seat, agency="nhi", assurance=2)
    asked = credentials.ask(actor=who, template="birth_certificate", claims=["child_name"])
    owner, foreign = (people.signed_in_officer(agency, "case_officer") for agency in ("nhi", "sfaa"))
    return Scene({"asked": asked}, owner, (foreign,))


def _step(mother: applications.Mother, kind: str, name: str, content: dict[str, Any]) -> str:
    application = applications.handed_in(mother)
    made = uuid7()
    part = applications.part_of(application, "registration")
    body = applications.a_step(part, kind, **{name: {"id": made, **content}})
    services.record_step(inbound=applications.inbound(mother, "ris"), application=application, body=body)
    return made


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


def open_session(stage: Stage) -> Scene:
    """Another open session of the same person."""
    subject, owner, strangers = _citizens()
    other = people.signed_in_citizen(subject).session["smartgov"]["sid"]
    return Scene({"sid": other}, owner, strangers)


def known_browser(stage: Stage) -> Scene:
    """A browser in which a person has signed in."""
    subject, owner, strangers = _citizens()
    return Scene({"browser": KnownBrowser.objects.filter(account__subject=subject)[0].id}, owner, strangers)


def begun_recovery(stage: Stage) -> Scene:
    """A recovery of a person's account that somebody has begun."""
    subject, owner, strangers = _citizens()
    national_id = Account.objects.get(subject=subject).national_id
    return Scene({"recovery_id": recovery.begin(browser="b", national_id=national_id).id}, owner, strangers)


PAGES: Mapping[str, Maker] = {
    "identity:session-end": open_session,
    "identity:browser-forget": known_browser,
    "identity:recovery-stop": begun_recovery,
    "exchange:request": right_request,
    "exchange:right-renew": renewable_right,
    "exchange:right-revoke": granted_right,
    "exchange:service-change": offered_service,
    "identity:mobile": login,
    "identity:party": openid_party,
    "identity:party-decide": openid_party,
    "identity:party-edit": openid_party,
    "openid:interaction": openid_interaction,
    "openid:asked-one": openid_asked,
    "openid:other-device": openid_interaction,
    "openid:withdraw": openid_relation,
    "identity:mobile-state": login,
    "identity:kept": kept_post,
    "identity:passkey-remove": passkey,
    "identity:mobile-remove": phone,
    "identity:certificate-remove": citizen_certificate,
    "identity:prove": proving(),
    "identity:prove-state": proving(),
    "identity:prove-cancel": proving(),
    "identity:prove-person": proving(answered=True),
    "notify:read": notice,
    "payments:batch": batch("payment_releaser"),
    "payments:release": batch("payment_releaser"),
    "payments:void": batch("payment_preparer"),
    "payments:instruction": instruction,
    "credentials:manage": certificate,
    "credentials:asked": presentation,
    "credentials:asked-state": presentation,
    "signing:document": paper(),
    "signing:file": paper(),
    "signing:signed": paper(signed=True),
    "signing:approval": approval,
    "signing:approval-state": approval,
    "signing:paper": state_paper,
    "signing:paper-state": state_paper,
    "signing:paper-cancel": state_paper,
    "signing:certificate": key_certificate,
    "signing:batch": seals(),
    "signing:sealed": seals(item=True),
    "mandates:one": mandate,
    "mandates:act": mandate,
    "mandates:answer": mandate,
    "mandates:receipt": mandate,
    "mandates:sign-options": mandate,
    "mydata:request": consent_request,
    "mydata:revoke": consent,
    "mydata:receipt": consent,
    "services:application": submitted,
    "services:page": page,
    "services:consent": draft,
    "services:facts": draft,
    "services:check": draft,
    "services:withdraw": draft,
    "services:question": question,
    "services:certificate": certificate_copy,
    "services:wallet": wallet_offer,
    "cases:case": case,
    "cases:supplement": case,
    "cases:decision": case,
    "cases:facts": case,
}

# Addresses with a parameter that belongs to nobody in particular; each says why.
OWNED_BY_NOBODY: Mapping[str, str] = {
    "identity:recover-stop": "whoever got the mail; the word names one recovery and can only stop it",
    "credentials:verify": "whoever holds a certificate's code may check it; the page shows no more than the document",
    "exchange:member": "who is on T-Road is known to every member; only its own officers add to it (test_pages)",
    "exchange:service": "what is offered on T-Road is known to every member",
    "exchange:service-openapi": "a contract is there to be read by whoever may ask for the service",
    "exchange:ask": "every member may ask for every service",
    "services:service": "a service of the catalogue",
    "credential-issuer": "an agency as an issuer; what it issues is no secret",
    "credential-server": "an agency's token endpoint; what it needs is in the code",
    "credentials:wallet-offer": "the same code for everybody; it gives nothing before its holder has signed in",
    "credentials:token": "whoever brings an offer's code and the number told with it",
    "credentials:nonce": "a nonce is for anybody and good for nothing alone",
    "credentials:credential": "whoever brings the token",
    "credentials:status-list": "one list for all credentials of an agency; nobody's place is told",
    "credentials:request-object": "whoever scans the code; it holds a question and nothing of a person",
    "credentials:answer": "whoever can answer the question with the holder's key",
    "identity:prove-begin": "names a means, not an object",
    "identity:prove-answer": "a helper's page brings what a card signed; only the browser that asked acts on it",
    "signing:paper-answer": "a helper's page brings what a card signed; only its owner's page acts on it",
    "openid:link": "whoever scans the code on a screen may answer it in their own name, for a minute",
    "ops:retry": "a delivery belongs to the process that its operators run, and holds ids only",
    "ops:drop": "a delivery belongs to the process that its operators run, and holds ids only",
}
