"""Getting back in: proven at a counter, new means that cool, and stopped by whoever it was not."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from django.conf import settings
from django.test import Client

from smartgov.blocks.identity import accounts, api, mobile
from smartgov.blocks.identity.expiry import expire
from smartgov.blocks.identity.models import Account, MobileKey, Passkey, Recovery
from smartgov.blocks.identity.people import codes, phones, recovery
from smartgov.blocks.identity.ports import Enrolment, Ticket
from smartgov.blocks.identity.tests.authenticator import Authenticator
from smartgov.blocks.identity.tests.factories import (
    SEEDER,
    Phone,
    a_national_id,
    a_person,
    signed_in_citizen,
    signed_in_officer,
)
from smartgov.blocks.identity.tests.relying import Shop
from smartgov.blocks.ops.models import Event
from smartgov.shared import canonical, clock
from smartgov.shared.actor import Actor

pytestmark = pytest.mark.django_db


class NewPhone(Phone):
    """A phone that nobody knows; it answers an invitation (port PhoneEnrolment)."""

    def __init__(self) -> None:
        super().__init__()
        self.invitations: list[dict[str, Any]] = []
        self.enrolment = Enrolment("waiting")

    def invite(self, *, origin: str, nonce: str, number: str, text: dict[str, str]) -> Ticket:
        self.invitations.append({"origin": origin, "nonce": nonce, "number": number, "text": text})
        return Ticket("t", "http://phone.test/scan")

    def enrolled(self, ticket: str) -> Enrolment:
        return self.enrolment

    def accept(self, **other: Any) -> None:
        """The person agrees on it."""
        issued = clock.now().isoformat()
        content = {**self.invitations[-1], "issued": issued, "task": {"kind": "enrol"}, **other}
        signature = self.key.sign(canonical.dumps(content), ec.ECDSA(SHA256()))
        self.enrolment = Enrolment("approved", self.jwk, signature, issued)


class Case:
    """A person who has lost their phone, the browser in which they recover, and an officer at the counter."""

    def __init__(self) -> None:
        self.national_id, self.old, self.new = a_national_id(), Phone(), NewPhone()
        self.subject = a_person(nid=self.national_id)
        self.account = Account.objects.get(subject=self.subject)
        api.add_mobile_key(actor=SEEDER, subject=self.subject, jwk=self.old.jwk)
        self.browser = Client()
        self.counter = signed_in_officer("ris", "counter_officer")

    def begin(self, code: str = "") -> str:
        """Begin; the number for the counter."""
        form = {"national_id": self.national_id, "code": code}
        assert self.browser.post("/identity/recover", form).headers["Location"] == "/identity/recover/mine"
        page = self.browser.get("/identity/recover/mine").content.decode()
        return re.findall(r'match-number">([2-9A-Z]{8})<', page)[0]

    def prove(self, reference: str, **form: str) -> Any:
        """At the counter."""
        given = {"do": "prove", "reference": reference, "national_id": self.national_id, "seen": "yes", **form}
        return self.counter.post("/identity/counter", given)

    def enrol(self) -> None:
        """Enrol the new phone."""
        assert self.browser.post("/identity/recover/mine/phone/invite").status_code == 302
        assert self.new.invitations[-1]["number"] in self.browser.get("/identity/recover/mine/phone").content.decode()
        self.new.accept()
        assert self.browser.get("/identity/recover/mine/phone").status_code == 302

    def sign_in(self, phone: Phone, browser: Client | None = None) -> Client:
        """Sign in with a phone."""
        browser = browser or Client()
        with mobile.service_replaced(phone):
            waiting = browser.post("/identity/mobile", {"way": "code", "next": "/identity/account"})
            phone.approve()
            self.answer = browser.get(waiting.headers["Location"])
        return browser

    def told(self) -> list[str]:
        """What the person was told of."""
        rows = Event.objects.filter(name="account_touched", aggregate=self.subject).order_by("happened_at", "id")
        return [row.payload["what"] for row in rows]


@pytest.fixture
def case() -> Iterator[Case]:
    made = Case()
    with phones.service_replaced(made.new):
        yield made


def is_signed_in(browser: Client) -> bool:
    return browser.get("/identity/account").status_code == 200


def test_a_lost_phone_is_recovered(case: Case) -> None:
    assert case.prove(case.begin(), suspend="yes").status_code == 200
    case.enrol()
    browser = case.sign_in(case.new)
    page = browser.get("/identity/account").content.decode()
    assert "等待期" in page
    assert case.told() == ["recovery_begun", "recovery_proven", "means_added"]
    with clock.travelling(delta=timedelta(hours=73)):
        expire()
        assert case.told()[-1] == "recovery_done"
        settled = case.sign_in(case.new)
        assert settled.post("/identity/account/recovery-codes").status_code == 200
        assert settled.session["smartgov"]["assurance"] == 2
        case.sign_in(case.old)
        assert case.answer.status_code == 403, "the lost phone is removed"
    assert MobileKey.objects.count() == 1


def test_what_cools_opens_a_weak_session_only(case: Case) -> None:
    case.prove(case.begin(), suspend="yes")
    case.enrol()
    browser = case.sign_in(case.new)
    assert browser.session["smartgov"]["assurance"] == 1
    assert api.mobile_keys(subject=case.subject) == {}, "nothing is signed with it"
    assert browser.get("/signing/").status_code == 403
    may = accounts.roles()["recovering"].permissions
    assert may == {"mydata.trail", "credentials.view", "notify.wall"}
    assert browser.get("/notify/").status_code in (200, 404)
    for path in ("app", "recovery-codes", "passkeys/new"):
        assert browser.get(f"/identity/account/{path}").status_code == 403
    for path in ("passkeys/new/options", "recovery-codes", "sign-out-everywhere", "sessions/end-others"):
        assert browser.post(f"/identity/account/{path}").status_code == 403
    got = Shop().sign_in(browser)
    assert got.claims["acr"] == "urn:smartgov:acr:aal1"
    page, _ = Shop().visit(browser, acr_values="urn:smartgov:acr:aal2")
    assert page.status_code == 200, "more has to be proven"


def test_an_officer_who_recovers_takes_no_seat(case: Case) -> None:
    api.add_seat(actor=SEEDER, subject=case.subject, agency="portal", role="operator")
    case.prove(case.begin())
    case.enrol()
    browser = case.sign_in(case.new)
    seat = api.seats_of(case.subject)[0].id
    browser.post("/identity/seat", {"seat": seat})
    assert browser.get("/ops/").status_code == 403


def test_a_passkey_can_be_made_in_a_recovery_and_cools_too(case: Case) -> None:
    case.prove(case.begin())
    device = Authenticator(settings.ORIGIN)
    options = case.browser.post("/identity/recover/mine/passkey/options").json()
    made = case.browser.post(
        "/identity/recover/mine/passkey/register", json.dumps(device.create(options)), content_type="application/json"
    )
    assert made.status_code == 200, made.content
    browser = Client()
    options = browser.post("/identity/passkey/options").json()
    answer = browser.post("/identity/passkey/sign-in", json.dumps(device.get(options)), content_type="application/json")
    assert answer.status_code == 200
    page, _ = Shop().visit(browser, acr_values="phr")
    assert page.status_code == 200, "not resistant before it has cooled"
    assert Passkey.objects.get().cools_until is not None


def test_nothing_is_made_before_somebody_was_seen(case: Case) -> None:
    case.begin()
    for path in ("phone/invite", "passkey/options"):
        assert case.browser.post(f"/identity/recover/mine/{path}").status_code == 404
    assert "/identity/recover/mine/phone" not in case.browser.get("/identity/recover/mine").content.decode()


def test_the_page_belongs_to_the_browser_that_began(case: Case) -> None:
    case.prove(case.begin())
    assert Client().get("/identity/recover/mine").status_code == 404
    assert Client().post("/identity/recover/mine/phone/invite").status_code == 404


def test_the_counter_needs_number_document_and_another_person(case: Case) -> None:
    reference = case.begin()
    assert case.prove(reference, seen="").status_code == 422
    assert case.prove("ZZZZZZZZ").status_code == 404
    assert case.prove(reference, national_id=a_national_id()).status_code == 404
    api.add_seat(actor=SEEDER, subject=case.subject, agency="ris", role="counter_officer")
    case.counter = signed_in_officer("ris", "counter_officer", case.subject)
    assert case.prove(reference).status_code == 403, "nobody proves themselves"
    assert signed_in_officer("ris", "case_officer").post("/identity/counter", {}).status_code == 403
    assert Recovery.objects.get().state == "begun"


def test_a_number_ends_after_a_week(case: Case) -> None:
    reference = case.begin()
    with clock.travelling(delta=timedelta(days=7, minutes=1)):
        case.counter = signed_in_officer("ris", "counter_officer")
        assert case.prove(reference).status_code == 404
        assert case.browser.get("/identity/recover/mine").status_code == 404


def stop_path(case: Case) -> str:
    return api.recovery_stop_path(Recovery.objects.get(account=case.account).id)


def test_the_mail_stops_it_without_signing_in(case: Case) -> None:
    case.prove(case.begin(), suspend="yes")
    case.enrol()
    intruder = case.sign_in(case.new)
    assert is_signed_in(intruder)
    case.sign_in(case.old)
    assert case.answer.status_code == 403, "suspended at the counter"
    owner = Client()
    assert "停止帳號復原" in owner.get(stop_path(case)).content.decode()
    assert owner.post(stop_path(case)).status_code == 200
    assert not is_signed_in(intruder)
    assert MobileKey.objects.count() == 1
    assert is_signed_in(case.sign_in(case.old)), "the old phone works again"
    assert owner.get(stop_path(case)).status_code == 404
    assert "recovery_stopped" in case.told()
    assert case.browser.get("/identity/recover/mine").status_code == 404


def test_the_owner_stops_it_on_the_account_page(case: Case) -> None:
    case.begin()
    browser = signed_in_citizen(case.subject)
    page = browser.get("/identity/account").content.decode()
    address = re.findall(r'action="(/identity/account/recoveries/[^"]+)"', page)[0]
    assert signed_in_citizen().post(address).status_code == 404
    assert browser.post(address).status_code == 302
    assert Recovery.objects.get().state == "stopped"


def test_who_stops_a_strangers_recovery_keeps_what_her_own_has_suspended(case: Case) -> None:
    """Her phone is stolen and suspended at the counter; the thief begins a recovery as well, and she stops that one."""
    case.prove(case.begin(), suspend="yes")
    hers = Recovery.objects.get()
    stranger = Client()
    stranger.post("/identity/recover", {"national_id": case.national_id, "code": ""})
    theirs = Recovery.objects.exclude(id=hers.id).get()
    assert Client().post(api.recovery_stop_path(theirs.id)).status_code == 200
    case.sign_in(case.old)
    assert case.answer.status_code == 403, "it stays suspended"
    assert Client().post(api.recovery_stop_path(hers.id)).status_code == 200
    assert is_signed_in(case.sign_in(case.old))


@pytest.mark.parametrize("ends", ["stopped", "cooled"])
def test_the_end_of_a_recovery_brings_back_no_key_of_which_there_is_a_copy(case: Case, ends: str) -> None:
    copied = Passkey.objects.create(
        account=case.account, credential_id="c", public_key=b"", name="k", suspended_at=clock.now()
    )
    with clock.travelling(delta=timedelta(hours=1)):
        case.counter = signed_in_officer("ris", "counter_officer")
        case.prove(case.begin(), suspend="yes")
        row = Recovery.objects.get()
        if ends == "stopped":
            recovery.stop(actor=SEEDER, row=row)
    with clock.travelling(delta=timedelta(days=30)):
        recovery.settle()
    assert MobileKey.objects.get().suspended_at is None
    assert Passkey.objects.get(id=copied.id).suspended_at is not None


def test_guesses_at_the_counter_are_limited_though_they_fail(case: Case) -> None:
    reference = case.begin()
    for _ in range(30):
        assert case.prove("ZZZZZZZZ").status_code == 404
    assert case.prove(reference).status_code == 429
    assert Recovery.objects.get().state == "begun"


def test_a_forged_word_stops_nothing(case: Case) -> None:
    case.begin()
    name = Recovery.objects.get().id
    for word in (name, f"{name}.", f"{name}.{'0' * 64}", "x.y"):
        assert Client().post(f"/identity/recover/stop/{word}").status_code == 404
    assert Recovery.objects.get().state == "begun"


def test_a_recovery_code_shortens_the_wait(case: Case) -> None:
    actor = Actor("citizen", subject=case.subject, assurance=2)
    made = codes.make(actor=actor, account=case.account)
    case.prove(case.begin(made[3]))
    row = Recovery.objects.get()
    assert row.proven_at
    assert row.cooled_at == row.proven_at + timedelta(hours=24)
    assert codes.left(case.account) == codes.COUNT - 1
    assert recovery.cooling_time(with_code=False) == timedelta(hours=72)


def test_begin_tells_nobody_who_has_an_account(case: Case) -> None:
    pages = []
    for national_id in (case.national_id, a_national_id(), "nonsense"):
        browser = Client()
        answer = browser.post("/identity/recover", {"national_id": national_id})
        page = browser.get(answer.headers["Location"]).content.decode()
        pages.append(re.sub(r'match-number">\w{8}|value="[^"]{64}"', "", page))
    assert len(set(pages)) == 1


def test_it_is_begun_three_times_a_day_at_most(case: Case) -> None:
    for _ in range(3):
        case.begin()
    form = {"national_id": case.national_id}
    assert Client().post("/identity/recover", form).status_code == 429
    with clock.travelling(delta=timedelta(hours=25)):
        assert Client().post("/identity/recover", form).status_code == 302


@pytest.mark.parametrize(
    "other", [{"nonce": "x"}, {"number": "00"}, {"origin": "https://evil.test"}, {"task": {}}], ids=str
)
def test_a_phone_that_signs_anything_else_is_not_enrolled(case: Case, other: dict[str, Any]) -> None:
    case.prove(case.begin())
    case.browser.post("/identity/recover/mine/phone/invite")
    case.new.accept(**other)
    assert case.browser.get("/identity/recover/mine/phone").status_code == 403
    assert MobileKey.objects.count() == 1


def test_a_phone_of_somebody_else_is_not_enrolled(case: Case) -> None:
    api.add_mobile_key(actor=SEEDER, subject=a_person(), jwk=case.new.jwk)
    case.prove(case.begin())
    case.browser.post("/identity/recover/mine/phone/invite")
    case.new.accept()
    assert case.browser.get("/identity/recover/mine/phone").status_code == 403
    assert MobileKey.objects.filter(account=case.account).count() == 1


def test_when_nothing_new_was_made_the_old_means_work_again(case: Case) -> None:
    case.prove(case.begin(), suspend="yes")
    with clock.travelling(delta=timedelta(hours=73)):
        expire()
        assert is_signed_in(case.sign_in(case.old))
    assert Recovery.objects.get().state == "done"


def test_the_counter_ends_all_sessions_of_whoever_asks(case: Case) -> None:
    browser = signed_in_citizen(case.subject)
    answer = case.counter.post("/identity/counter", {"do": "sessions", "whose": case.national_id})
    assert answer.status_code == 200
    assert not is_signed_in(browser)
    assert case.counter.post("/identity/counter", {"do": "sessions", "whose": "nobody"}).status_code == 404


def test_the_listener_puts_the_way_to_stop_into_the_notice(case: Case) -> None:
    from smartgov.blocks.notify.models import Notice
    from smartgov.blocks.ops import api as ops

    case.begin()
    while ops.dispatch():
        pass
    notice = Notice.objects.get(subject=case.subject, template="account_recovery_begun")
    assert notice.link == stop_path(case)
    assert Client().get(notice.link).status_code == 200


def test_bytes_of_a_key_are_public_only(case: Case) -> None:
    case.prove(case.begin())
    case.enrol()
    stored = MobileKey.objects.get(recovery__gt="").public_jwk
    assert set(stored) == {"kty", "crv", "x", "y"}
    assert len(base64.urlsafe_b64decode(stored["x"] + "=")) == 32
