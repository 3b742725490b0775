import json
import re
from datetime import timedelta

import pytest

from smartgov.engines.pki import keys
from smartgov.shared import canonical, clock
from smartgov.simulators.phone import home as phones
from smartgov.simulators.phone.app import PhoneApp

from .driving import ask, hidden, post_form, slug

BODY = {
    "origin": "http://localhost:8000",
    "nonce": "n-123",
    "number": "47",
    "text": {"en": "Sign in", "zh": "登入"},
    "callback": "login-1",
}


@pytest.fixture
def home(tmp_path):
    for persona, name in (("mother", "林淑芬"), ("officer", "王<小>明")):
        phones.enrol(tmp_path, persona=persona, name=name)
    return tmp_path


@pytest.fixture
def app(home):
    return PhoneApp(home, "http://localhost:8024")


def provider(app, method, path, body=None):
    return ask(app, method, path, body, authorization=f"Bearer {phones.sp_secret(app.home)}")


def push(app, **more):
    response = provider(app, "POST", "/sp/tickets", {**BODY, "persona": "mother", **more})
    assert response.status == 201, response.body
    return json.loads(response.body)["ticket"]


def result(app, ticket):
    return json.loads(provider(app, "GET", f"/sp/tickets/{ticket}").body)


def approve(app, ticket, number="47", persona="mother"):
    path = f"/phones/{persona}/requests/{ticket}"
    return post_form(app, path, {**hidden(ask(app, "GET", path)), "number": number})


def test_an_approval_is_signed_by_the_persons_own_key_over_what_she_saw(app, home):
    ticket = push(app)
    assert result(app, ticket)["status"] == "pending"
    assert approve(app, ticket).status == 303
    got = result(app, ticket)
    assert (got["status"], got["callback"]) == ("approved", "login-1")
    payload = json.loads(got["payload"])
    assert set(payload) == {"origin", "nonce", "number", "text", "issued"}
    assert {name: payload[name] for name in ("origin", "nonce", "number", "text")} == {
        name: BODY[name] for name in ("origin", "nonce", "number", "text")
    }
    assert canonical.dumps(payload) == got["payload"].encode()
    mother, officer = phones.personas(home)
    assert got["key_id"] == mother.key_id
    signature = keys.from_b64url(got["signature"])
    assert keys.verify(keys.from_jwk(mother.public_jwk), signature, got["payload"].encode())
    assert not keys.verify(keys.from_jwk(officer.public_jwk), signature, got["payload"].encode())


def test_a_push_may_name_the_key_and_a_plain_text(app, home):
    [mother, _] = phones.personas(home)
    response = provider(app, "POST", "/sp/tickets", {**BODY, "key_id": mother.key_id, "text": "登入"})
    ticket = json.loads(response.body)["ticket"]
    approve(app, ticket)
    assert json.loads(result(app, ticket)["payload"])["text"] == "登入"


def test_the_page_offers_three_numbers_and_a_wrong_one_ends_it(app):
    ticket = push(app)
    page = ask(app, "GET", f"/phones/mother/requests/{ticket}").body.decode()
    numbers = re.findall(r'name="number" value="(\d\d)"', page)
    assert len(set(numbers)) == 3
    assert "47" in numbers
    assert "登入" in page
    assert "Sign in" in page
    approve(app, ticket, next(number for number in numbers if number != "47"))
    got = result(app, ticket)
    assert (got["status"], got["reason"]) == ("refused", "wrong-number")
    assert "signature" not in got
    assert approve(app, ticket).status == 403, "no second try"


def test_refusing_tells_the_other_side(app):
    ticket = push(app)
    path = f"/phones/mother/requests/{ticket}"
    post_form(app, path, {**hidden(ask(app, "GET", path)), "refuse": "1"})
    assert (result(app, ticket)["status"], result(app, ticket)["reason"]) == ("refused", "declined")


def test_a_request_runs_out_and_cannot_be_approved_late(app):
    ticket = push(app, expires=(clock.now() + timedelta(seconds=60)).isoformat())
    path = f"/phones/mother/requests/{ticket}"
    fields = hidden(ask(app, "GET", path))
    with clock.travelling(delta=timedelta(seconds=61)):
        assert post_form(app, path, {**fields, "number": "47"}).status == 409
        assert result(app, ticket)["status"] == "expired"


def test_a_request_lives_five_minutes_at_most(app):
    ticket = push(app, expires=(clock.now() + timedelta(days=1)).isoformat())
    with clock.travelling(delta=timedelta(minutes=5, seconds=1)):
        assert result(app, ticket)["status"] == "expired"


def test_the_qr_way_binds_the_ticket_to_the_phone_that_scans_first(app):
    response = json.loads(provider(app, "POST", "/sp/tickets", BODY).body)
    assert response["link"] == f"http://localhost:8024/scan?ticket={response['ticket']}"
    page = ask(app, "GET", response["link"].removeprefix("http://localhost:8024"))
    assert "林淑芬" in page.body.decode()
    scanned = post_form(app, "/scan", {**hidden(page), "persona": "mother"})
    assert scanned.headers["location"] == f"/phones/mother/requests/{response['ticket']}"
    assert post_form(app, "/scan", {**hidden(page), "persona": "officer"}).status == 403
    assert ask(app, "GET", f"/scan?ticket={response['ticket']}").status == 409
    approve(app, response["ticket"])
    assert result(app, response["ticket"])["status"] == "approved"


def test_only_the_addressed_phone_shows_and_approves_a_request(app):
    ticket = push(app)
    assert "登入" in ask(app, "GET", "/phones/mother").body.decode()
    assert "登入" not in ask(app, "GET", "/phones/officer").body.decode()
    assert ask(app, "GET", f"/phones/officer/requests/{ticket}").status == 404
    fields = hidden(ask(app, "GET", f"/phones/mother/requests/{ticket}"))
    assert post_form(app, f"/phones/officer/requests/{ticket}", {**fields, "number": "47"}).status == 404
    assert result(app, ticket)["status"] == "pending"


def test_forms_of_other_sites_are_refused(app):
    path = f"/phones/mother/requests/{push(app)}"
    fields = hidden(ask(app, "GET", path))
    assert post_form(app, path, {"number": "47"}).status == 403
    assert post_form(app, path, {**fields, "number": "47"}, sec_fetch_site="cross-site").status == 403
    assert ask(app, "GET", "/", host="evil.example:8024").status == 403


def test_strangers_cannot_ask(app):
    for secret in ("", "wrong"):
        response = ask(app, "POST", "/sp/tickets", BODY, authorization=f"Bearer {secret}")
        assert (response.status, slug(response)) == (401, "caller-unknown")
    assert ask(app, "GET", f"/sp/tickets/{push(app)}").status == 401


@pytest.mark.parametrize(
    "change",
    [
        {"number": "4"},
        {"number": 47},
        {"number": "٤٧"},
        {"nonce": ""},
        {"origin": None},
        {"text": {"en": "only"}},
        {"text": ""},
        {"expires": "soon"},
        {"expires": "2020-01-01T00:00:00+00:00"},
        {"expires": 5},
    ],
)
def test_a_wrong_request_names_the_member(app, change):
    response = provider(app, "POST", "/sp/tickets", {**BODY, "persona": "mother", **change})
    assert response.status == 422
    assert json.loads(response.body)["member"] == next(iter(change))


def test_nobody_can_be_worn_down_by_requests(app):
    for _ in range(5):
        push(app)
    response = provider(app, "POST", "/sp/tickets", {**BODY, "persona": "mother"})
    assert (response.status, slug(response)) == (429, "too-many-attempts")
    assert provider(app, "POST", "/sp/tickets", {**BODY, "persona": "nobody"}).status == 404


def test_the_phone_looks_by_itself_until_it_is_told_to_keep_still(app):
    moving, still = (ask(app, "GET", f"/phones/mother{query}") for query in ("", "?still=1"))
    assert moving.headers["refresh"] == "3"
    assert "?still=1" in moving.body.decode()
    assert "refresh" not in still.headers


def test_pages_are_strict_bilingual_and_escaped(app):
    push(app, persona="officer", text="<script>x</script>", origin="<b>")
    response = ask(app, "GET", "/phones/officer")
    page, policy = response.body.decode(), response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "王&lt;小&gt;明" in page
    assert "<script" not in page
    assert "<b>" not in page
    assert 'lang="en"' in page


def test_keys_stay_with_their_owner_and_survive_a_second_enrolment(home):
    before = phones.personas(home)[0]
    again = phones.enrol(home, persona="mother", name="林淑芳")
    assert (again.key_id, again.name) == (before.key_id, "林淑芳")
    for path in ("keys/mother.key", "personas/mother.json", "secrets/sp"):
        assert (home / path).stat().st_mode & 0o777 == 0o600
    assert "BEGIN CERTIFICATE REQUEST" in phones.signing_request(home, again)
    with pytest.raises(ValueError, match="persona id"):
        phones.enrol(home, persona="A223456781", name="x")
