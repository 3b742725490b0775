"""One family's whole paper trail: every table that declares personal data gets a row about this mother."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from smartgov.blocks.cases import api as cases
from smartgov.blocks.cases.tests import factories as case_files
from smartgov.blocks.cases.tests.test_flow import Country, submitted
from smartgov.blocks.credentials.models import Certificate
from smartgov.blocks.credentials.wallets import DatabaseMemory
from smartgov.blocks.exchange import transport
from smartgov.blocks.identity import api as identity
from smartgov.blocks.identity import mobile
from smartgov.blocks.identity.models import Account, MobileKey, Password
from smartgov.blocks.identity.openid import logouts
from smartgov.blocks.identity.people import authenticator_app, codes, recovery, totp
from smartgov.blocks.identity.tests import certified
from smartgov.blocks.identity.tests import factories as people
from smartgov.blocks.identity.tests.authenticator import Authenticator
from smartgov.blocks.identity.tests.relying import Shop
from smartgov.blocks.mandates import api as mandates
from smartgov.blocks.notify import ports as mail
from smartgov.blocks.notify.domain import Mail
from smartgov.blocks.ops import api as ops
from smartgov.blocks.payments import api as payments
from smartgov.blocks.payments.models import Instruction
from smartgov.blocks.payments.tests import factories as money
from smartgov.blocks.services import api as services
from smartgov.blocks.services.tests import factories as applications
from smartgov.blocks.signing import api as signing
from smartgov.blocks.signing.tests import factories as desk
from smartgov.shared import clock
from smartgov.shared.actor import Actor
from smartgov.shared.ids import uuid7

MOTHER, NAME, MAIL = case_files.MOTHER, "陳美玲", "mei-ling@example.test"
CORRECTED = "55555555555555"
SECRETS = (
    MOTHER,
    case_files.FATHER,
    NAME,
    "林志明",
    "林安安",
    "和平路1號",
    MAIL,
    applications.ANSWERS["contact"]["contact_email"],
    applications.ANSWERS["contact"]["contact_phone"],
    applications.ANSWERS["account"]["bank_account_account"],
    "12345678901234",
    CORRECTED,
)


class Mailbox:
    """Takes every mail."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []

    def send(self, mail: Mail) -> None:
        """Keep it."""
        self.mails.append(mail)


def lived(folder: Path) -> Mailbox:
    """She signs in, applies, is asked, decided, paid, certified, looked up; a draft and a kept form stay behind."""
    box = Mailbox()
    with ExitStack() as contexts:
        contexts.enter_context(mail.replaced(box))
        subject = people.a_person(NAME, MAIL, MOTHER)
        mother = applications.Mother(
            Actor("citizen", subject=subject, assurance=2), MOTHER, people.signed_in_citizen(subject)
        )
        _devices(mother)
        _certified(mother, folder / "ministry")
        _elsewhere(mother)
        _applied(mother)
        _decided(folder)
        _signed(mother, folder / "desk")
        _entrusted(mother)
    return box


def _entrusted(mother: applications.Mother) -> None:
    """A mandate that she gave, and that she ended."""
    number = people.a_national_id()
    other = people.a_person(NAME, nid=number)
    day = clock.today()
    made = mandates.draft(actor=mother.actor, kind="proxy", to=number, to_name=NAME, scope=["applications"], until=day)
    digest = mandates.one(actor=mother.actor, mandate=made).digest
    mandates.offer(actor=mother.actor, mandate=made, proof={"digest": digest})
    mandates.accept(actor=Actor("citizen", subject=other, assurance=2), mandate=made)
    mandates.end(actor=mother.actor, mandate=made)
    while ops.dispatch():
        pass


def _signed(mother: applications.Mother, folder: Path) -> None:
    """A document with her name signed on her phone, and one of the agency's in a batch."""
    with desk.world(folder) as world:
        subject = str(mother.actor.subject)
        identity.add_mobile_key(actor=people.SEEDER, subject=subject, jwk=world.phone.persona.public_jwk)
        desk.certified(world, mother.actor)
        desk.signed(world, mother.actor)
        signing.upload(actor=mother.actor, name=f"{NAME}.pdf", content=f"%PDF {NAME} {MOTHER}".encode())
        with certified.world(folder / "ministry") as ministry:
            waiting = desk.a_paper(ministry, mother.actor)
            signing.deliver_paper(paper_id=waiting, answer=f"{NAME} {MOTHER}")
            signing.is_paper_waiting(actor=mother.actor, paper_id=waiting)
        files = [(f"{NAME}.pdf", f"%PDF {MOTHER}".encode())]
        mother.browser.post("/signing/check", {"file": SimpleUploadedFile("a.pdf", f"%PDF {NAME}".encode())})
        signing.begin_batch(actor=desk.officer(), name="1", reason="1", files=files)


def _devices(mother: applications.Mother) -> None:
    """A passkey, a phone, a push, a try, and a form that was on its way when the session ended."""
    account = Account.objects.get(subject=mother.actor.subject)
    authenticator = Authenticator(settings.ORIGIN)
    options = mother.browser.post("/identity/account/passkeys/new/options").json()
    made = mother.browser.post(
        "/identity/account/passkeys/new/register", authenticator.create(options), content_type="application/json"
    )
    assert made.status_code == 200, made.content
    who = Actor("citizen", subject=account.subject, assurance=2)
    secret = authenticator_app.begin(account).secret
    assert authenticator_app.confirm(actor=who, account=account, typed=totp.code(secret, totp.step_at(clock.now())))
    codes.make(actor=who, account=account)
    Password.objects.create(account=account, hash="$argon2id$")
    recovery.begin(browser="b", national_id=MOTHER)
    phone = people.Phone()
    MobileKey.objects.create(account=account, key_id=uuid7(), public_jwk=phone.jwk)
    with mobile.service_replaced(phone):
        Client().post("/identity/mobile", {"way": "push", "national_id": MOTHER})
    with clock.travelling(delta=timedelta(minutes=31)):
        kept = mother.browser.post("/identity/seat", {"seat": MAIL, "why": NAME})
        assert "kept" in kept["Location"]


def _certified(mother: applications.Mother, folder: Path) -> None:
    """She signs in with her card for the first time, in another browser."""
    browser = Client()
    with certified.world(folder) as world:
        made = certified.begun(browser)
        world.card(MOTHER, NAME).answers(browser, made)
        done = browser.post(f"/identity/prove/{made}/person", {"national_id": MOTHER})
        assert done.status_code == 302, done.content


def _elsewhere(mother: applications.Mother) -> None:
    """She signs in to another service, comes back to it from time to time, and signs out."""
    browser = people.signed_in_citizen(mother.actor.subject)
    shop = Shop(backchannel_logout_uri="http://127.0.0.1:9/logout")
    shop.rp.scope = "openid profile email offline_access"
    assert shop.rp.userinfo(shop.sign_in(browser).access_token)["name"] == NAME
    browser.post("/identity/sign-out")
    with logouts.post_replaced(lambda *_: None):
        ops.dispatch()


def _applied(mother: applications.Mother) -> None:
    """An application with consents, a question and its answer, a certificate; and a draft."""
    road = applications.agencies()
    with transport.replaced(road):
        applications.announce(MOTHER)
        application = applications.handed_in(replace(mother, browser=people.signed_in_citizen(mother.actor.subject)))
        part = applications.part_of(application, "registration")
        inbound = applications.inbound(mother, "ris")
        asked, issued = uuid7(), uuid7()
        told = {"ask": {"en": f"Is {NAME} right?", "zh": f"{NAME}是否正確？"}}
        for body in (
            applications.a_step(part, "supplement_asked", supplement={"id": asked, **told}),
            applications.a_step(
                part, "certificate_issued", certificate={"id": issued, "title": {"en": "Certificate", "zh": "證明書"}}
            ),
        ):
            services.record_step(inbound=inbound, application=application, body=body)
        services.answer_supplement(actor=mother.actor, supplement_id=asked, answers={"answer": f"{NAME} {MOTHER}"})
        road.answers["TW/GOV/ris/cases/cases.v1", f"/cases/{part.id}/supplements"] = {"state": "working"}
        applications.announce(MOTHER)
        newest = services.life_events(actor=mother.actor)
        draft = next(event for event in newest if event.application_state != "submitted")
        services.start(actor=mother.actor, service="birth", life_event=draft.id)
        while ops.dispatch():
            pass


def _decided(folder: Path) -> None:
    """The agencies' side: a question, the decision, registers, a payment sent back and corrected, the certificate."""
    with case_files.road() as road, money.bank() as bank:
        country = Country(road, folder)
        robot = Actor.for_system("ris", "TW/GOV/hpa/cases")
        row = dict(road.rows(case_files.BIRTHS, "births")[0])
        cases.receive_announcement(actor=robot, agency="ris", birth="b-1", mother=MOTHER, row=row)
        ids = submitted()
        country.work()
        officer, case = case_files.officer(), ids["registration"]
        asked = cases.ask_supplement(
            actor=officer,
            case=case,
            version=cases.case(actor=officer, case_id=case).version,
            question=f"{NAME}的住址？",
        )
        cases.receive_supplement(
            actor=case_files.PORTAL, agency="ris", case=case, applicant=MOTHER, supplement=asked, answer="和平路1號"
        )
        country.work()
        case_files.approved(case, officer)
        country.work()
        _paid(country, bank)
    Client().get(f"/credentials/verify/{Certificate.objects.get().code}")
    shown = {"agency": "nhi", "shown": [[{"en": "Mother", "zh": "母親"}, f"{NAME} {MOTHER}"]]}
    DatabaseMemory().put("shown", uuid7(), shown, clock.now() + timedelta(minutes=10))


def _paid(country: Country, bank: money.RecordedBank) -> None:
    old = Instruction.objects.get(agency=money.AGENCY)
    for failing in ((old.reference,), ()):
        batch = money.released(bank)
        bank.results[batch] = bank.answer(batch, failing=failing)
        payments.poll_results()
        country.work()
        if failing:
            payments.correct(
                actor=money.officer(), instruction=old.id, payee_name=NAME, bank_code="812", account=CORRECTED
            )
    other = Instruction.objects.get(agency="bli")
    payments.cancel(actor=money.officer(agency="bli"), instruction=other.id)


def closed() -> None:
    """Every account is closed."""
    for subject in Account.objects.values_list("subject", flat=True):
        identity.close(actor=people.SEEDER, subject=subject)
