"""A new relying party: register, read the complaints, mend, submit, be approved by somebody else, sign people in."""

from __future__ import annotations

import json

import pytest
from django.conf import settings
from django.test import Client

from smartgov.blocks.identity import api
from smartgov.blocks.identity.models import RelyingParty as Row
from smartgov.blocks.identity.tests.factories import a_person, signed_in_citizen, signed_in_officer
from smartgov.blocks.identity.tests.relying import CALLBACK, Shop, send_to_site
from smartgov.engines.openid.client import RelyingParty, SignInError
from smartgov.engines.pki import keys

pytestmark = pytest.mark.django_db
FORM = {"name_zh": "包裹中心", "name_en": "Parcel office", "purpose_zh": "顯示包裹", "purpose_en": "To show parcels"}


@pytest.fixture
def integrator() -> Client:
    return signed_in_officer("nhi", "integrator")


@pytest.fixture
def operator() -> Client:
    return signed_in_officer("nhi", "operator")


def begun(integrator: Client, **form: object) -> str:
    answer = integrator.post("/identity/parties/new", {**FORM, **form})
    assert answer.status_code == 302, answer.content.decode()
    return str(answer["Location"])


def test_register_mend_submit_approve_and_sign_in(integrator: Client, operator: Client) -> None:
    key = keys.generate_p256()
    wrong = {"redirect_uris": "http://shop.example.test/callback", "scopes": ["profile"]}
    address = begun(integrator, **wrong)
    page = integrator.get(address).content.decode()
    assert "網址未加密" not in page or "請使用 https" in page
    assert "沒有可驗證您聲明的公鑰" in page
    assert integrator.post(f"{address}/decide", {"decision": "submit"}).status_code == 409
    right = {**FORM, "redirect_uris": CALLBACK, "jwks": json.dumps({"keys": [keys.public_jwk(key.public_key())]})}
    assert integrator.post(f"{address}/edit", {**right, "scopes": ["profile"]}).status_code == 302
    party = address.rsplit("/", 1)[-1]
    rp = RelyingParty(settings.ORIGIN, party, key, CALLBACK, "openid profile", send_to_site)
    assert integrator.post(f"{address}/decide", {"decision": "submit"}).status_code == 302
    with pytest.raises(SignInError, match="invalid_client"):
        rp.begin()
    assert "待審核" in operator.get("/identity/parties").content.decode()
    operator.post(f"{address}/decide", {"decision": "approve", "reason": "ok"})
    shop = Shop()
    shop.rp = rp
    assert shop.rp.userinfo(shop.sign_in(signed_in_citizen()).access_token)["name"] == "林美玲"
    operator.post(f"{address}/decide", {"decision": "suspend", "reason": "misuse"})
    with pytest.raises(SignInError, match="invalid_client"):
        rp.begin()


def test_nobody_approves_their_own(integrator: Client) -> None:
    subject = a_person()
    applicant = signed_in_officer("nhi", "integrator", subject)
    key = keys.public_jwk(keys.generate_p256().public_key())
    address = begun(applicant, redirect_uris=CALLBACK, jwks=json.dumps(key))
    assert applicant.post(f"{address}/decide", {"decision": "submit"}).status_code == 302
    assert integrator.post(f"{address}/decide", {"decision": "approve"}).status_code == 302, "not theirs to decide"
    assert Row.objects.get().state == "submitted"
    same = signed_in_officer("nhi", "operator", subject)
    assert same.post(f"{address}/decide", {"decision": "approve"}).status_code == 403
    assert Row.objects.get().state == "submitted"


def test_the_checker_reads_a_request(integrator: Client) -> None:
    key = keys.public_jwk(keys.generate_p256().public_key())
    address = begun(integrator, redirect_uris=CALLBACK, jwks=json.dumps([key]))
    page = integrator.post(address, {"raw": "response_type=token&scope=openid&redirect_uri=https://evil.test"})
    text = page.content.decode()
    assert "僅提供 code 流程" in text
    assert "必須使用 S256 的 PKCE" in text
    raw = f"response_type=code&scope=openid&state=s&redirect_uri={CALLBACK}&code_challenge={'a' * 43}"
    good = integrator.post(address, {"raw": f"{raw}&code_challenge_method=S256"}).content.decode()
    assert "這個請求正確" in good


def test_a_private_key_is_noticed(integrator: Client) -> None:
    key = {**keys.public_jwk(keys.generate_p256().public_key()), "d": "AAAA"}
    address = begun(integrator, redirect_uris=CALLBACK, jwks=json.dumps([key]))
    assert "這把金鑰已外洩" in integrator.get(address).content.decode()


def test_who_may_do_nothing_here(integrator: Client) -> None:
    assert signed_in_citizen().get("/identity/parties").status_code == 403
    address = begun(integrator)
    assert signed_in_officer("ris", "integrator").get(address).status_code == 404
    assert signed_in_officer("ris", "operator").get(address).status_code == 404, "a draft is its agency's own"
    assert "integrator" in api.roles()


def test_everything_of_a_registration_can_be_said_by_page(integrator: Client) -> None:
    ciba, exchange = "urn:openid:params:grant-type:ciba", "urn:ietf:params:oauth:grant-type:token-exchange"
    said = {
        "auth_method": "tls_client_auth",
        "sender": "mtls",
        "tls_san_dns": "shop.example.test",
        "details": ["mydata_access", "made_up"],
        "grants": [ciba, exchange, "implicit"],
        "exchange_to": "library",
        "default_acr": "phr urn:smartgov:acr:aal2",
        "mandates": "yes",
        "backchannel_logout_uri": "https://shop.example.test/logout",
        "post_logout_redirect_uris": "https://shop.example.test/",
    }
    address = begun(integrator, redirect_uris=CALLBACK, scopes=["profile"], **said)
    stored = Row.objects.get().registration
    wanted = {name: said[name] for name in ("auth_method", "sender", "tls_san_dns", "backchannel_logout_uri")}
    wanted |= {"details": ["mydata_access"], "grants": ["authorization_code", ciba, exchange], "mandates": True}
    wanted |= {"exchange_to": ["library"], "default_acr": ["phr", "urn:smartgov:acr:aal2"]}
    wanted |= {"post_logout_redirect_uris": ["https://shop.example.test/"], "redirect_uris": [CALLBACK]}
    assert stored == {**wanted, "scopes": ["openid", "profile"], "jwks": []}
    form = integrator.get(f"{address}/edit").content.decode()
    for chosen in ('value="tls_client_auth" checked', 'value="mtls" checked', f'value="{ciba}" checked'):
        assert chosen in form
    assert 'name="mandates" value="yes" checked' in form
    integrator.post(f"{address}/edit", {**FORM, "redirect_uris": CALLBACK})
    assert Row.objects.get().registration == {"redirect_uris": [CALLBACK], "jwks": [], "scopes": ["openid"]}
