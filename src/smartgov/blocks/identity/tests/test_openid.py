"""The provider on the site: sign-in, consent, sessions, logout, what the person can take back."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.management import call_command
from django.test import Client

from smartgov.blocks.audit.models import Entry
from smartgov.blocks.identity.models import (
    OpenidAuthorization,
    OpenidLogout,
    OpenidMark,
    OpenidRelation,
    OpenidToken,
    SignIn,
)
from smartgov.blocks.identity.openid import keyfiles, logouts, parties
from smartgov.blocks.identity.tests.factories import a_person, signed_in_citizen
from smartgov.blocks.identity.tests.relying import CALLBACK, Shop, registered, send_to_site
from smartgov.blocks.ops import api as ops
from smartgov.engines.openid import jose
from smartgov.engines.openid.client import SignInError
from smartgov.engines.pki import keys
from smartgov.shared import clock
from smartgov.shared.problems import Problem

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return Shop(backchannel_logout_uri="https://shop.example.test/logout")


@pytest.fixture
def browser() -> Client:
    return signed_in_citizen()


def refused(code: str) -> Any:
    return pytest.raises(SignInError, match=f"^{code}:")


def test_a_whole_sign_in_with_consent_and_then_without(shop: Shop, browser: Client) -> None:
    page, kept = shop.visit(browser)
    text = page.content.decode()
    assert "包裹中心" in text
    assert "您的姓名" in text
    assert "form-action 'self' https://shop.example.test" in page.headers["Content-Security-Policy"]
    answer = shop.agree(browser, page)
    done = shop.rp.finish(urlsplit(answer.headers["Location"]).query, kept)
    assert done.claims["acr"] == "urn:smartgov:acr:aal2"
    assert shop.rp.userinfo(done.access_token)["name"] == "林美玲"
    again, _ = shop.visit(browser)
    assert again.status_code == 302, "what was agreed is not asked again"
    assert Entry.objects.filter(action="openid.granted").count() == 2


def test_a_stranger_signs_in_first_and_comes_back(shop: Shop, client: Client) -> None:
    page, _ = shop.visit(client)
    assert page.request["PATH_INFO"] == "/identity/sign-in"
    assert "/openid/interaction/" in page.content.decode()


def test_refusing_goes_back_with_access_denied(shop: Shop, browser: Client) -> None:
    page, kept = shop.visit(browser)
    answer = shop.agree(browser, page, "refuse")
    with refused("access_denied"):
        shop.rp.finish(urlsplit(answer.headers["Location"]).query, kept)
    assert browser.get(page.request["PATH_INFO"]).status_code == 410


def test_what_another_person_saw_is_not_agreed_to(shop: Shop, browser: Client) -> None:
    page, _ = shop.visit(browser)
    other = signed_in_citizen()
    other.cookies["smartgov_openid_8000"] = browser.cookies["smartgov_openid_8000"].value
    assert shop.agree(other, page).status_code == 200, "asked anew, in their own name"
    stranger = signed_in_citizen()
    assert stranger.get(page.request["PATH_INFO"]).status_code == 404


def test_the_pages_are_the_sites_own(shop: Shop, browser: Client) -> None:
    page, _ = shop.visit(browser)
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = browser.cookies
    assert strict.post(page.request["PATH_INFO"], {"answer": "agree"}).status_code == 403


def test_step_up_asks_for_a_passkey(shop: Shop) -> None:
    browser = signed_in_citizen()
    session = browser.session
    session["smartgov"] = {**session["smartgov"], "method": "mobile"}
    session.save()
    page, kept = shop.visit(browser, acr_values="phr")
    assert page.status_code == 200
    assert "通行密鑰" in page.content.decode()
    wanted = {"id_token": {"acr": {"essential": True, "values": ["phrh"]}}}
    page, kept = shop.visit(browser, claims=wanted)
    query = urlsplit(page.headers["Location"]).query
    with refused("unmet_authentication_requirements"):
        shop.rp.finish(query, kept)


def test_max_age_asks_again(shop: Shop) -> None:
    browser = signed_in_citizen()
    shop.sign_in(browser)
    with clock.travelling(delta=timedelta(seconds=60)):
        page, _ = shop.visit(browser, max_age="30")
        assert page.status_code == 200
        assert "再次登入" in page.content.decode()


def test_requests_that_cannot_be_believed_go_nowhere(shop: Shop, browser: Client) -> None:
    for query in (
        "client_id=nobody",
        f"client_id={shop.row.id}",
        f"client_id={shop.row.id}&request_uri=urn:ietf:params:oauth:request_uri:x",
        f"client_id={shop.row.id}&redirect_uri=https://evil.test&response_type=code",
        "client_id=a&client_id=b",
    ):
        answer = browser.get(f"/openid/authorize?{query}")
        assert answer.status_code == 400, query
        assert "Location" not in answer.headers


def test_a_party_that_is_not_approved_is_nobody(shop: Shop) -> None:
    shop.row.state = "suspended"
    shop.row.save()
    parties.forget(shop.row.id)
    with refused("invalid_client"):
        shop.rp.begin()


def test_replays_are_noticed_by_every_process(shop: Shop, browser: Client) -> None:
    """The marks lie in the database: a second store, as in another process, knows them."""
    shop.sign_in(browser)
    assert OpenidMark.objects.count() == 4
    done = shop.sign_in(browser)
    proof = shop.rp._proof("GET", shop.rp.metadata["userinfo_endpoint"], done.access_token)
    headers = {"authorization": f"DPoP {done.access_token}", "dpop": proof}
    assert send_to_site("GET", shop.rp.metadata["userinfo_endpoint"], headers, b"")[0] == 200
    assert send_to_site("GET", shop.rp.metadata["userinfo_endpoint"], headers, b"")[0] == 401


def test_secrets_are_stored_as_digests(shop: Shop, browser: Client) -> None:
    shop.rp.scope = "openid offline_access"
    done = shop.sign_in(browser)
    rows = [*OpenidToken.objects.values(), *OpenidAuthorization.objects.values(), *OpenidMark.objects.values()]
    for secret in (done.access_token, done.refresh_token):
        assert secret not in str(rows)


def test_code_reuse_revokes_and_is_audited(shop: Shop, browser: Client) -> None:
    answer, kept = shop.visit(browser)
    query = urlsplit(shop.agree(browser, answer).headers["Location"]).query
    done = shop.rp.finish(query, kept)
    with refused("invalid_grant"):
        shop.rp.finish(query, kept)
    with refused("invalid_token"):
        shop.rp.userinfo(done.access_token)
    assert Entry.objects.get(action="openid.revoked").detail == {"reason": "code-reuse"}


def test_signing_out_ends_tokens_and_tells_the_party(shop: Shop, browser: Client) -> None:
    heard: list[tuple[str, bytes]] = []
    done = shop.sign_in(browser)
    browser.post("/identity/sign-out")
    with refused("invalid_token"):
        shop.rp.userinfo(done.access_token)
    with logouts.post_replaced(lambda address, body: heard.append((address, body))):
        assert ops.dispatch() == 1
    ((address, body),) = heard
    assert address == "https://shop.example.test/logout"
    said = shop.rp.logout_token(parse_qs(body.decode())["logout_token"][0])
    assert (said["sid"], said["sub"]) == (done.claims["sid"], done.claims["sub"])
    assert OpenidLogout.objects.get().arrived_at is not None


def test_a_logout_is_told_again_until_it_is_heard(shop: Shop, browser: Client) -> None:
    shop.sign_in(browser)
    browser.post("/identity/account/sign-out-everywhere")
    with logouts.post_replaced(_raise):
        assert ops.dispatch() == 0
    heard: list[bytes] = []
    with clock.travelling(delta=timedelta(minutes=2)), logouts.post_replaced(lambda _, body: heard.append(body)):
        assert ops.dispatch() == 1
    assert len(heard) == 1


def test_a_logout_that_nobody_hears_is_given_up_after_a_day(shop: Shop, browser: Client) -> None:
    shop.sign_in(browser)
    browser.post("/identity/sign-out")
    with clock.travelling(delta=timedelta(days=1, minutes=1)), logouts.post_replaced(_raise):
        assert ops.dispatch() == 1
    assert OpenidLogout.objects.get().arrived_at is None


def _raise(address: str, body: bytes) -> None:
    raise Problem("logout-not-heard", 503, what="x")


def test_offline_access_outlives_the_session(shop: Shop, browser: Client) -> None:
    shop.rp.scope = "openid offline_access"
    done = shop.sign_in(browser)
    browser.post("/identity/sign-out")
    assert shop.rp.refresh(done.refresh_token).claims["sub"] == done.claims["sub"]


def test_an_agreement_is_taken_back(shop: Shop) -> None:
    subject = a_person()
    browser = signed_in_citizen(subject)
    shop.rp.scope = "openid profile offline_access"
    done = shop.sign_in(browser)
    page = browser.get("/openid/services").content.decode()
    assert "包裹中心" in page
    relation = OpenidRelation.objects.get(subject=subject)
    assert signed_in_citizen().post(f"/openid/services/{relation.id}/withdraw").status_code == 404
    browser.post(f"/openid/services/{relation.id}/withdraw", {"stranger": "yes"})
    with refused("invalid_grant"):
        shop.rp.refresh(done.refresh_token)
    assert shop.sign_in(browser).claims["sub"] != done.claims["sub"]


def test_the_party_asks_to_sign_out(browser: Client) -> None:
    back = "https://shop.example.test/bye"
    shop = Shop(post_logout_redirect_uris=[back])
    done = shop.sign_in(browser)
    query = f"id_token_hint={done.id_token}&post_logout_redirect_uri={back}&state=s"
    page = browser.get(f"/openid/end-session?{query}")
    assert page.status_code == 200
    assert browser.get("/identity/account").status_code == 200, "nobody is signed out without being asked"
    answer = browser.post("/openid/leave", {"query": page.context["query"]})
    assert answer.headers["Refresh"] == f"0; url={back}?state=s"
    assert browser.get("/identity/account").status_code == 302
    by_form = Client(enforce_csrf_checks=True).post("/openid/end-session", {"id_token_hint": done.id_token})
    assert by_form.status_code in {302, 400}
    for wrong in (query.replace("/bye", "/evil"), f"post_logout_redirect_uri={back}", "id_token_hint=a.b.c"):
        assert browser.get(f"/openid/end-session?{wrong}").status_code == 400


def test_discovery_is_one_document(client: Client) -> None:
    found = client.get("/.well-known/openid-configuration").json()
    assert found == client.get("/.well-known/oauth-authorization-server").json()
    assert found["issuer"] == "http://localhost:8000"
    resource = client.get("/.well-known/oauth-protected-resource/openid/userinfo").json()
    assert resource["resource"] == found["userinfo_endpoint"]
    assert client.get("/openid/jwks").json()["keys"][0]["alg"] == "ES256"
    assert client.get("/openid/token").status_code == 405


def test_the_key_file_is_the_owners_alone() -> None:
    coming = keyfiles.announce(clock.now() + timedelta(days=2))
    file = keyfiles.folder() / f"{coming.kid}.pem"
    assert file.stat().st_mode & 0o777 == 0o600
    assert [plan.kid for plan in keyfiles.FileSigner().plans()][-1] == coming.kid


def test_plain_profile_without_par(browser: Client) -> None:
    key = keys.generate_p256()
    row = registered(key, profile="plain", sunset="2099-01-01", sender="none", auth_method="none")
    query = f"client_id={row.id}&response_type=code&scope=openid&redirect_uri={CALLBACK}&state=s"
    challenge = "a" * 43
    ok = browser.get(f"/openid/authorize?{query}&code_challenge={challenge}&code_challenge_method=S256")
    assert ok.status_code == 302
    assert ok.headers["Location"].startswith("/openid/interaction/")
    wrong = browser.get(f"/openid/authorize?{query}")
    assert wrong.headers["Location"].startswith(f"{CALLBACK}?error=invalid_request")
    assert parties.client_of(row).sunset is not None


def test_a_sign_in_elsewhere_adds_no_sign_in_here(shop: Shop, browser: Client) -> None:
    before = SignIn.objects.count()
    shop.sign_in(browser)
    assert SignIn.objects.count() == before


def test_a_key_is_announced_and_then_takes_over(
    shop: Shop, browser: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(keyfiles, "folder", lambda: tmp_path)
    before = jose.read(shop.sign_in(browser).id_token).header["kid"]
    said = StringIO()
    call_command("openid_keys", "--announce", stdout=said)
    assert [line.split()[1] for line in said.getvalue().splitlines()] == ["signs", "announced"]
    assert len(Client().get("/openid/jwks").json()["keys"]) == 2
    assert jose.read(shop.sign_in(browser).id_token).header["kid"] == before
    with clock.travelling(delta=timedelta(days=1, minutes=1)):
        shop.rp._nonce = ""
        later = signed_in_citizen()
        assert jose.read(shop.sign_in(later).id_token).header["kid"] != before
        assert len(Client().get("/openid/jwks").json()["keys"]) == 2, "the old one is still published"
    with clock.travelling(delta=timedelta(days=1, hours=2)):
        assert len(Client().get("/openid/jwks").json()["keys"]) == 1
