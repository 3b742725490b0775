"""Authenticator apps, recovery codes and officers' passwords: what they open, what they never open, their limits."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from smartgov.blocks.identity import accounts, domain, sessions, throttle
from smartgov.blocks.identity.models import Account, AuthenticatorApp, Password, RecoveryCode, SignIn, Throttle
from smartgov.blocks.identity.openid.service import MEANS
from smartgov.blocks.identity.people import authenticator_app, breached, browsers, codes, passwords, totp
from smartgov.blocks.identity.tests.factories import a_person, a_seat, signed_in_citizen, signed_in_officer
from smartgov.blocks.identity.tests.officers import PASSWORD, Officer
from smartgov.blocks.identity.tests.relying import Shop
from smartgov.blocks.ops.models import Event
from smartgov.shared import clock
from smartgov.shared.actor import Actor

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMARTGOV_OFFICER_PASSWORDS", "yes")


@pytest.fixture
def officer() -> Officer:
    return Officer()


def told(subject: str) -> list[str]:
    """What the person was told of, in order."""
    rows = Event.objects.filter(name="account_touched", aggregate=subject).order_by("happened_at", "id")
    return [row.payload["what"] for row in rows]


def is_signed_in(browser: Client) -> bool:
    return browser.get("/identity/account").status_code == 200


def test_password_and_code_sign_an_officer_in(client: Client, officer: Officer) -> None:
    assert officer.sign_in(client).status_code == 302
    assert is_signed_in(client)
    row = SignIn.objects.get(account=officer.account)
    assert (row.method, row.assurance, row.refused) == ("password", 2, False)


def test_it_never_is_phishing_resistant(officer: Officer) -> None:
    assert MEANS["password"] == (("pwd", "otp", "mfa"), False)
    browser, shop = Client(), Shop()
    officer.sign_in(browser)
    got = shop.sign_in(browser)
    assert (got.claims["acr"], got.claims["amr"]) == ("urn:smartgov:acr:aal2", ["pwd", "otp", "mfa"])
    page, _ = shop.visit(browser, acr_values="phr")
    assert page.status_code == 200, "asked to step up"
    assert "通行密鑰" in page.content.decode()


def test_neither_alone_opens_anything(client: Client, officer: Officer) -> None:
    answers = [
        officer.sign_in(client, password="three herons over the pad"),
        officer.sign_in(client, code="000000"),
        officer.sign_in(client, code=""),
        officer.sign_in(client, password=""),
    ]
    assert {answer.status_code for answer in answers} == {403}
    said = {re.sub(r'value="[^"]*"', "", answer.content.decode()) for answer in answers}
    assert len(said) == 1, "nobody learns which part was wrong"
    assert not is_signed_in(client)


def test_a_wrong_password_spends_no_code(client: Client, officer: Officer) -> None:
    officer.sign_in(client, password="wrong wrong wrong wrong")
    assert officer.sign_in(client).status_code == 302


def test_each_code_works_once(client: Client, officer: Officer) -> None:
    code = officer.code()
    assert officer.sign_in(client, code=code).status_code == 302
    assert officer.sign_in(Client(), code=code).status_code == 403
    with clock.travelling(delta=timedelta(seconds=-totp.STEP)):
        assert officer.sign_in(Client()).status_code == 403, "an earlier step neither"


def test_a_code_is_spent_by_the_session_that_it_opens(
    client: Client, officer: Officer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise domain.under_age()

    code = officer.code()
    with monkeypatch.context() as patched:
        patched.setattr(sessions, "sign_in", broken)
        assert officer.sign_in(client, code=code).status_code != 302
    assert not is_signed_in(client)
    assert officer.sign_in(client, code=code).status_code == 302, "what opened nothing is not lost"
    assert officer.sign_in(Client(), code=code).status_code != 302


def test_a_code_ends_with_its_step(client: Client, officer: Officer) -> None:
    code = officer.code()
    with clock.travelling(delta=timedelta(seconds=totp.STEP)):
        assert officer.sign_in(client, code=code).status_code == 403


def test_unknown_people_and_those_without_a_password_get_the_same_answer(client: Client, officer: Officer) -> None:
    wrong = officer.sign_in(client, code="000000")
    citizen = a_person()
    for national_id in ("A123456789", "nonsense", Account.objects.get(subject=citizen).national_id):
        form = {"national_id": national_id, "password": PASSWORD, "code": "000000"}
        answer = client.post("/identity/password", form)
        assert answer.status_code == wrong.status_code
        assert answer.context["refused"].why == wrong.context["refused"].why


def test_the_same_work_is_done_for_nobody(client: Client, officer: Officer, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    real = passwords._HASHER

    class Counting:
        def verify(self, known: str, given: str) -> bool:
            done.append(known)
            return real.verify(known, given)

        def hash(self, given: str) -> str:
            return real.hash(given)

    monkeypatch.setattr(passwords, "_HASHER", Counting())
    client.post("/identity/password", {"national_id": "A123456789", "password": "x", "code": "1"})
    officer.sign_in(client, password="wrong wrong wrong wrong")
    assert len(done) == 2
    assert all(known.startswith("$argon2id$v=19$m=19456,t=2,p=1$") for known in done)


def test_citizens_have_no_passwords(officer: Officer) -> None:
    assert signed_in_citizen().get("/identity/account/password").status_code == 404
    page = signed_in_citizen().get("/identity/account").content.decode()
    assert "/identity/account/password" not in page
    accounts.end_seat(actor=officer.actor, seat=accounts.seats_of(officer.subject)[0].id)
    assert officer.sign_in(Client()).status_code == 403, "no officer any more"


def test_without_the_setting_there_are_no_passwords(
    client: Client, officer: Officer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMARTGOV_OFFICER_PASSWORDS", "no")
    assert client.get("/identity/password").status_code == 404
    assert officer.sign_in(client).status_code == 404
    assert "/identity/password" not in client.get("/identity/sign-in").content.decode()


def test_a_stranger_locks_out_neither_a_trusted_browser_nor_other_means(client: Client, officer: Officer) -> None:
    assert officer.sign_in(client).status_code == 302
    assert client.post("/identity/account/browsers/trust").status_code == 302
    client.post("/identity/sign-out")
    stranger = Client()
    answers = [officer.sign_in(stranger, code="000000").status_code for _ in range(6)]
    assert answers == [403] * 5 + [429]
    with clock.travelling(delta=timedelta(minutes=1)):
        assert officer.sign_in(Client()).status_code == 429, "right, but from a browser that nobody knows"
        assert officer.sign_in(client).status_code == 302, "the own browser"
    with clock.travelling(delta=timedelta(minutes=16)):
        assert officer.sign_in(Client()).status_code == 302
    assert "refused_tries" in told(officer.subject)
    assert SignIn.objects.filter(account=officer.account, refused=True).count() == 5


def test_a_copied_cookie_in_another_kind_of_browser_counts_for_nothing(client: Client, officer: Officer) -> None:
    officer.sign_in(client, headers={"User-Agent": "Firefox Linux"})
    client.post("/identity/account/browsers/trust", headers={"User-Agent": "Firefox Linux"})
    thief = Client()
    thief.cookies[browsers.COOKIE] = client.cookies[browsers.COOKIE].value
    for _ in range(5):
        officer.sign_in(thief, code="000000", headers={"User-Agent": "Chrome Windows"})
    assert officer.sign_in(thief, code="000000", headers={"User-Agent": "Chrome Windows"}).status_code == 429


def test_after_a_hundred_failures_strangers_are_not_heard(client: Client, officer: Officer) -> None:
    Password.objects.filter(account=officer.account).update(failures=passwords.ENOUGH)
    assert officer.sign_in(client).status_code == 403


def test_very_many_failures_of_one_address_are_stopped(officer: Officer, client: Client) -> None:
    for _ in range(throttle.ADDRESS_LIMIT):
        throttle.failed("127.0.0.1")
    assert officer.sign_in(client).status_code == 429
    with clock.travelling(delta=timedelta(minutes=16)):
        assert officer.sign_in(client).status_code == 302


def test_the_secret_and_the_codes_are_not_readable_in_the_database(officer: Officer) -> None:
    made = codes.make(actor=officer.actor, account=officer.account)
    with connection.cursor() as cursor:
        stored = ""
        for table in ("identity_authenticatorapp", "identity_recoverycode", "identity_password", "audit_entry"):
            cursor.execute(f"SELECT * FROM {table}")
            stored += str(cursor.fetchall())
    assert officer.secret not in stored
    assert PASSWORD not in stored
    assert not any(code in stored or codes.cleaned(code) in stored for code in made)


def test_recovery_codes_are_shown_once_and_used_once(client: Client, officer: Officer) -> None:
    officer.sign_in(client)
    page = client.post("/identity/account/recovery-codes").content.decode()
    made = re.findall(r"<code>([^<]+)</code>", page)
    assert len(made) == codes.COUNT
    assert all(re.fullmatch(r"([2-9A-HJ-NP-Z]{4}-){5}[2-9A-HJ-NP-Z]{4}", code) for code in made)
    assert made[0] not in client.get("/identity/account/recovery-codes").content.decode()
    stand_in = made[0].lower().replace("-", " ")
    assert officer.sign_in(Client(), code=stand_in).status_code == 302
    assert officer.sign_in(Client(), code=stand_in).status_code == 403
    assert codes.left(officer.account) == codes.COUNT - 1
    client.post("/identity/account/recovery-codes")
    assert officer.sign_in(Client(), code=made[1]).status_code == 403, "void after new ones were made"
    assert told(officer.subject).count("codes_made") == 2


def test_another_persons_code_is_worth_nothing(officer: Officer) -> None:
    other = Officer()
    made = codes.make(actor=other.actor, account=other.account)
    assert officer.sign_in(Client(), code=made[0]).status_code == 403
    assert RecoveryCode.objects.filter(used_at=None).count() == codes.COUNT


def set_up(browser: Client, typed: str | None = None) -> Any:
    browser.get("/identity/account/app")
    waiting = AuthenticatorApp.objects.get(confirmed_at=None)
    code = totp.code(waiting.secret, totp.step_at(clock.now())) if typed is None else typed
    return browser.post("/identity/account/app", {"code": code})


def test_an_app_counts_only_after_its_first_code(client: Client) -> None:
    subject = a_person()
    browser = signed_in_officer("ris", "case_officer", subject)
    account = Account.objects.get(subject=subject)
    assert "驗證碼" in set_up(browser, "12").content.decode()
    assert authenticator_app.of(account) is None
    assert browser.get("/identity/account/password").headers["Location"] == "/identity/account/app"
    assert set_up(browser).headers["Location"] == "/identity/account/recovery-codes"
    assert authenticator_app.of(account) is not None
    assert "means_added" in told(subject)


def test_a_password_is_set_changed_and_removed_by_its_officer(officer: Officer) -> None:
    browser = Client()
    officer.sign_in(browser)
    form = {"present": "wrong", "password": "a lantern under seven stars"}
    assert "與目前的密碼不符" in browser.post("/identity/account/password", form).content.decode()
    form["present"] = PASSWORD
    assert browser.post("/identity/account/password", {**form, "password": "short"}).status_code == 200
    assert browser.post("/identity/account/password", form).status_code == 302
    with clock.travelling(delta=timedelta(seconds=31)):
        assert officer.sign_in(Client()).status_code == 403
        assert officer.sign_in(Client(), password=form["password"]).status_code == 302
    assert browser.post("/identity/account/app/remove").status_code == 302
    assert Password.objects.count() == 0, "alone it would open nothing"


def test_a_password_form_lets_managers_and_pasting_in(client: Client, officer: Officer) -> None:
    page = client.get("/identity/password").content.decode()
    assert 'type="password"' in page
    assert 'autocomplete="current-password"' in page
    officer.sign_in(client)
    page = client.get("/identity/account/password").content.decode()
    assert 'autocomplete="new-password"' in page
    assert "onpaste" not in page


def test_passwords_of_breaches_are_refused(officer: Officer, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr(breached, "table_path", lambda: tmp_path / "breached.bin")
    assert breached.is_listed("password1")
    assert not breached.is_listed("seventeen purple kettles")
    written = breached.write(map(breached.digest, ["seventeen purple kettles", "b", "b"]), breached.table_path())
    assert written == 2
    against = passwords.set_new(
        actor=officer.actor, account=officer.account, present=PASSWORD, password="seventeen purple kettles"
    )
    assert "password" in against
    long = "密碼可以很長 而且包含空格與標點。" * 4
    assert not passwords.set_new(actor=officer.actor, account=officer.account, present=PASSWORD, password=long)


def test_means_are_touched_after_a_fresh_sign_in_only(officer: Officer) -> None:
    browser = signed_in_citizen(officer.subject)
    with clock.travelling(delta=timedelta(minutes=16)):
        for path in ("app", "recovery-codes", "password"):
            assert "/identity/sign-in" in browser.get(f"/identity/account/{path}").headers["Location"]
        for path in (
            "app/remove",
            "recovery-codes",
            "password/remove",
            "sessions/end-others",
            "sessions/x/end",
            "browsers/trust",
        ):
            assert "/identity/sign-in" in browser.post(f"/identity/account/{path}").headers["Location"]
    assert passwords.of(officer.account)


def test_an_officer_without_an_app_gets_no_password() -> None:
    subject = a_person()
    a_seat("ris", "case_officer", subject)
    account = Account.objects.get(subject=subject)
    with pytest.raises(Exception, match="permission-missing"):
        passwords.set_new(actor=Actor("citizen", subject=subject), account=account, present="", password=PASSWORD)


def test_a_password_counts_exactly_as_it_was_typed(client: Client, officer: Officer) -> None:
    for other in (PASSWORD.upper(), f" {PASSWORD}", f"{PASSWORD} ", PASSWORD + "x" * 200):
        Throttle.objects.all().delete()
        assert officer.sign_in(client, password=other).status_code == 403, other
    Throttle.objects.all().delete()
    assert officer.sign_in(client).status_code == 302


def test_a_password_does_not_expire(client: Client, officer: Officer) -> None:
    with clock.travelling(delta=timedelta(days=3650)):
        assert officer.sign_in(client).status_code == 302


def test_challenges_are_long_and_new(client: Client) -> None:
    made = {client.post("/identity/passkey/options").json()["challenge"] for _ in range(20)}
    assert len(made) == 20
    assert min(map(len, made)) >= 43, "256 bits in base64url"
