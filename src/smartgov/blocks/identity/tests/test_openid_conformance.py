"""Modules of the OpenID Foundation's suite that need a browser: refusing, and signing out. Tests bear their names."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from django.test import Client

from smartgov.blocks.identity.openid import logouts
from smartgov.blocks.identity.tests.factories import signed_in_citizen
from smartgov.blocks.identity.tests.relying import Shop
from smartgov.blocks.ops import api as ops
from smartgov.engines.openid import jose
from smartgov.engines.openid.client import SignedIn, SignInError
from smartgov.engines.pki import keys

pytestmark = pytest.mark.django_db
BACK = "https://shop.example.test/bye"


@pytest.fixture
def shop() -> Shop:
    return Shop(post_logout_redirect_uris=[BACK], backchannel_logout_uri="https://shop.example.test/logout")


@pytest.fixture
def browser() -> Client:
    return signed_in_citizen()


def query(done: SignedIn | None = None, **more: str) -> str:
    """A logout request, with the ID token of a sign-in as its hint."""
    given = {**({"id_token_hint": done.id_token} if done else {}), **more}
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in given.items())


def left(browser: Client, asked: str) -> Any:
    """The answer when the person confirms that they want to sign out; the page that asks comes first."""
    page = browser.get(f"/openid/end-session?{asked}")
    assert page.status_code == 200
    assert browser.get("/identity/account").status_code == 200, "nobody is signed out without being asked"
    return browser.post("/openid/leave", {"query": page.context["query"]})


def is_signed_out(shop: Shop, browser: Client) -> bool:
    """Whether a silent request is now answered with `login_required`."""
    answer, kept = shop.visit(browser, prompt="none")
    with pytest.raises(SignInError, match=r"^login_required"):
        shop.rp.finish(urlsplit(answer.headers["Location"]).query, kept)
    return browser.get("/identity/account").status_code == 302


def test_fapi2_security_profile_final_user_rejects_authentication(shop: Shop, browser: Client) -> None:
    page, kept = shop.visit(browser)
    answer = shop.agree(browser, page, "refuse")
    with pytest.raises(SignInError, match=r"^access_denied"):
        shop.rp.finish(urlsplit(answer.headers["Location"]).query, kept)


def test_fapi2_par_reused_request_uri_is_for_the_browser_that_brought_it(shop: Shop, browser: Client) -> None:
    """The person loads the address anew before answering, and then agrees once."""
    address, kept = shop.rp.begin()
    path = f"{urlsplit(address).path}?{urlsplit(address).query}"
    first, again = browser.get(path), browser.get(path)
    assert first.headers["Location"] == again.headers["Location"]
    assert signed_in_citizen().get(path).status_code == 400
    page = browser.get(again.headers["Location"])
    done = shop.rp.finish(urlsplit(shop.agree(browser, page).headers["Location"]).query, kept)
    assert done.access_token
    assert browser.get(path).status_code == 400, "used up by the answer"


def test_oidcc_rp_initiated_logout_discovery_endpoint_verification(shop: Shop) -> None:
    assert shop.rp.metadata["end_session_endpoint"].endswith("/openid/end-session")


def test_oidcc_rp_initiated_logout(shop: Shop, browser: Client) -> None:
    done = shop.sign_in(browser)
    answer = left(browser, query(done, post_logout_redirect_uri=BACK, state="s 1"))
    assert answer.headers["Refresh"] == f"0; url={BACK}?state=s%201"
    assert is_signed_out(shop, browser)


def test_oidcc_rp_initiated_logout_no_state(shop: Shop, browser: Client) -> None:
    done = shop.sign_in(browser)
    assert left(browser, query(done, post_logout_redirect_uri=BACK)).headers["Refresh"] == f"0; url={BACK}"
    assert is_signed_out(shop, browser)


def test_oidcc_rp_initiated_logout_no_params(shop: Shop, browser: Client) -> None:
    shop.sign_in(browser)
    assert left(browser, "").status_code == 302
    assert is_signed_out(shop, browser)


def test_oidcc_rp_initiated_logout_only_state(shop: Shop, browser: Client) -> None:
    shop.sign_in(browser)
    assert left(browser, "state=s").headers["Location"] == "/"
    assert is_signed_out(shop, browser)


def test_oidcc_rp_initiated_logout_no_post_logout_redirect_uri(shop: Shop, browser: Client) -> None:
    done = shop.sign_in(browser)
    assert left(browser, query(done)).headers["Location"] == "/"
    assert is_signed_out(shop, browser)


def refused(browser: Client, asked: str) -> None:
    """The request is not believed: an error page, no way elsewhere, and the session goes on."""
    answer = browser.get(f"/openid/end-session?{asked}")
    assert answer.status_code == 400
    assert not {"Location", "Refresh"} & set(answer.headers)
    assert browser.get("/identity/account").status_code == 200


def test_oidcc_rp_initiated_logout_bad_post_logout_redirect_uri(shop: Shop, browser: Client) -> None:
    refused(browser, query(shop.sign_in(browser), post_logout_redirect_uri="https://evil.example.test/bye"))


def test_oidcc_rp_initiated_logout_query_added_to_post_logout_redirect_uri(shop: Shop, browser: Client) -> None:
    refused(browser, query(shop.sign_in(browser), post_logout_redirect_uri=f"{BACK}?foo=bar"))


def test_oidcc_rp_initiated_logout_no_id_token_hint(shop: Shop, browser: Client) -> None:
    shop.sign_in(browser)
    refused(browser, query(post_logout_redirect_uri=BACK))


def test_oidcc_rp_initiated_logout_modified_id_token_hint(shop: Shop, browser: Client) -> None:
    _, content, _ = shop.sign_in(browser).id_token.split(".")
    header = keys.b64url(b'{"alg":"none"}')
    refused(browser, query(id_token_hint=f"{header}.{content}.", post_logout_redirect_uri=BACK))


def test_oidcc_rp_initiated_logout_bad_id_token_hint(shop: Shop, browser: Client) -> None:
    header, content, _ = shop.sign_in(browser).id_token.split(".")
    theirs = keys.b64url(keys.sign(keys.generate_p256(), f"{header}.{content}".encode()))
    refused(browser, query(id_token_hint=f"{header}.{content}.{theirs}", post_logout_redirect_uri=BACK))


def test_oidcc_backchannel_logout_discovery_endpoint_verification(shop: Shop) -> None:
    said = shop.rp.metadata
    assert said["backchannel_logout_supported"] is True
    assert said["backchannel_logout_session_supported"] is True
    assert said["end_session_endpoint"]


def test_oidcc_backchannel_rp_initiated_logout(shop: Shop, browser: Client) -> None:
    done = shop.sign_in(browser)
    assert left(browser, query(done, post_logout_redirect_uri=BACK)).headers["Refresh"] == f"0; url={BACK}"
    heard: list[bytes] = []
    with logouts.post_replaced(lambda _, body: heard.append(body)):
        ops.dispatch()
    text = parse_qs(heard[0].decode())["logout_token"][0]
    said = shop.rp.logout_token(text)
    assert (said["sid"], said["aud"]) == (done.claims["sid"], shop.row.id)
    assert jose.read(text).header["typ"] == "logout+jwt"
    assert is_signed_out(shop, browser)
