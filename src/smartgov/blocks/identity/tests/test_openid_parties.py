"""A new relying party: register, read the complaints, mend, submit, be approved by somebody else, sign people in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import pytest
from django.conf import settings
from django.test import Client

from smartgov.blocks.identity import api
from smartgov.blocks.identity.models import RelyingParty as Row
from smartgov.blocks.identity.openid import logouts, outward, party_keys
from smartgov.blocks.identity.tests.factories import a_person, signed_in_citizen, signed_in_officer
from smartgov.blocks.identity.tests.relying import CALLBACK, Shop, send_to_site
from smartgov.engines.openid.client import RelyingParty, SignInError
from smartgov.engines.pki import keys
from smartgov.shared.problems import Problem

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
    key = {**keys.public_jwk(keys.generate_p256().public_key()), "d": "VERY-SECRET"}
    address = begun(integrator, redirect_uris=CALLBACK, jwks=json.dumps([key]))
    assert "這把金鑰已外洩" in integrator.get(address).content.decode()
    assert "VERY-SECRET" not in json.dumps(Row.objects.get().registration), "it is complained of and not kept"


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


def test_a_program_says_by_itself_what_is_registered(integrator: Client) -> None:
    key = keys.public_jwk(keys.generate_p256().public_key())
    metadata = {
        "client_name": "包裹中心",
        "client_name#en": "Parcel office",
        "redirect_uris": [CALLBACK],
        "scope": "openid profile",
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "private_key_jwt",
        "response_types": ["code id_token"],
        "id_token_signed_response_alg": "RS256",
        "require_signed_request_object": True,
        "jwks": {"keys": [key]},
        "logo_uri": "https://shop.example.test/logo.png",
        "contacts": 7,
    }
    page = integrator.post("/identity/parties/new", {"read": "yes", "metadata": json.dumps(metadata)})
    text = page.content.decode()
    assert not Row.objects.exists(), "nothing is stored by reading"
    for said in ("包裹中心", "Parcel office", CALLBACK, key["x"], 'value="profile" checked', 'value="refresh_token"'):
        assert said in text
    kept = page.context["values"]["kept"]
    form = {**FORM, "redirect_uris": CALLBACK, "jwks": json.dumps([key]), "kept": kept}
    text = integrator.get(begun(integrator, **form)).content.decode()
    for complaint in (
        "此 response type 會將權杖放進瀏覽器網址",
        "ID 權杖不以此演算法簽章",
        "不讀取已簽章的 request object",
    ):
        assert complaint in text
    wrong = integrator.post("/identity/parties/new", {"read": "yes", "metadata": "[1]"})
    assert wrong.status_code == 422


@pytest.fixture
def at_an_address() -> Iterator[dict[str, object]]:
    """What stands at the address of a service's keys, to be changed by the test."""
    there: dict[str, object] = {"status": 200, "body": b"{}"}

    def fetch(
        method: str, url: str, headers: dict[str, str], body: bytes = b"", *, to: Sequence[str] = ()
    ) -> tuple[int, bytes]:
        if there["status"] == 0:
            raise ConnectionError
        there["to"] = to
        return int(str(there["status"])), bytes(there["body"])  # type: ignore[call-overload]

    before = list(outward._fetch)
    outward.register_fetch(fetch)
    yield there
    outward._fetch[:] = before


def test_keys_at_an_address_are_changed_without_asking_anybody(
    integrator: Client, operator: Client, at_an_address: dict[str, object]
) -> None:
    old, new = keys.generate_p256(), keys.generate_p256()

    def stands(*these: object) -> None:
        at_an_address["body"] = json.dumps({"keys": [keys.public_jwk(key.public_key()) for key in these]}).encode()  # type: ignore[attr-defined]

    address = begun(integrator, redirect_uris=CALLBACK, jwks_uri="https://shop.example.test/jwks", scopes=["profile"])
    assert "不是 JWK Set" in integrator.get(address).content.decode()
    stands(old)
    form = {**FORM, "redirect_uris": CALLBACK, "jwks_uri": "https://shop.example.test/jwks", "scopes": ["profile"]}
    integrator.post(f"{address}/edit", form)
    integrator.post(f"{address}/decide", {"decision": "submit"})
    operator.post(f"{address}/decide", {"decision": "approve", "reason": "ok"})
    party = address.rsplit("/", 1)[-1]
    for key in (old, new):
        rp = RelyingParty(settings.ORIGIN, party, key, CALLBACK, "openid profile", send_to_site)
        if key is new:
            with pytest.raises(SignInError, match="invalid_client"):
                rp.begin()
            stands(new)
            assert party_keys.look_again() == 1
        rp.begin()
    at_an_address["status"] = 0
    assert party_keys.look_again() == 0
    rp.begin()  # an address that does not answer takes no key away


def test_a_private_key_at_an_address_is_named_and_not_kept(
    integrator: Client, at_an_address: dict[str, object]
) -> None:
    key = {**keys.public_jwk(keys.generate_p256().public_key()), "d": "VERY-SECRET"}
    at_an_address["body"] = json.dumps({"keys": [key]}).encode()
    address = begun(integrator, redirect_uris=CALLBACK, jwks_uri="https://shop.example.test/jwks")
    assert "這把金鑰已外洩" in integrator.get(address).content.decode()
    assert "VERY-SECRET" not in json.dumps(Row.objects.get().fetched)


@pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.7", "192.168.1.1", "169.254.169.254", "::1", "fd00::1"])
def test_in_earnest_the_address_of_keys_leads_to_no_inner_network(
    at_an_address: dict[str, object], monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    at_an_address["body"] = b'{"keys": []}'
    monkeypatch.setattr(settings, "ORIGIN", "https://id.example.test")
    monkeypatch.setattr(outward.socket, "getaddrinfo", lambda *_: [(0, 0, 0, "", (host, 0))])
    assert party_keys.look("https://shop.example.test/jwks").error == "unreachable"
    monkeypatch.setattr(outward.socket, "getaddrinfo", lambda *_: [(0, 0, 0, "", ("1.1.1.1", 0))])
    assert party_keys.look("https://shop.example.test/jwks").error == ""
    assert at_an_address["to"] == ("1.1.1.1",)


def test_a_name_that_changes_its_mind_is_asked_once_and_believed(
    at_an_address: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    at_an_address["body"] = b'{"keys": []}'
    monkeypatch.setattr(settings, "ORIGIN", "https://id.example.test")
    said = iter([["1.1.1.1", "1.0.0.1"], ["127.0.0.1"]])
    monkeypatch.setattr(outward.socket, "getaddrinfo", lambda *_: [(0, 0, 0, "", (each, 0)) for each in next(said)])
    assert party_keys.look("https://shop.example.test/jwks").error == ""
    assert at_an_address["to"] == ("1.1.1.1", "1.0.0.1"), "it is connected to what was looked at"
    with pytest.raises(Problem, match="logout-not-heard"):
        logouts._post("https://shop.example.test/logout", b"logout_token=x")


def test_a_suspended_service_is_mended_and_comes_back_as_a_draft(integrator: Client, operator: Client) -> None:
    key = keys.public_jwk(keys.generate_p256().public_key())
    form = {"redirect_uris": CALLBACK, "jwks": json.dumps([key])}
    address = begun(integrator, **form)
    integrator.post(f"{address}/decide", {"decision": "submit"})
    operator.post(f"{address}/decide", {"decision": "approve"})
    assert integrator.post(f"{address}/edit", {**FORM, **form}).status_code == 409
    operator.post(f"{address}/decide", {"decision": "suspend", "reason": "wrong address"})
    assert integrator.post(f"{address}/edit", {**FORM, **form, "mandates": "yes"}).status_code == 302
    assert Row.objects.get().state == "draft"
    assert "未說明民眾為何在此代理他人" in integrator.get(address).content.decode()
    page = integrator.get(f"{address}/edit").content.decode()
    assert 'href="#f-mandates_reason"' in page, "the fault is told at its field"
