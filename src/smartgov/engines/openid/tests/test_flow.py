"""Whole flows, and the attacks on them. Names in capitals-and-dashes are modules of the OpenID Foundation's suite."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from smartgov.engines.openid import authorizing, dpop, jose, levels, pushing
from smartgov.engines.openid.client import SignInError
from smartgov.engines.openid.errors import NotAnsweredToClientError
from smartgov.engines.openid.tests.world import CALLBACK, ISSUER, World, plain
from smartgov.engines.pki import keys
from smartgov.shared import clock


@pytest.fixture
def world() -> World:
    return World()


def refused(code: str) -> Any:
    return pytest.raises(SignInError, match=f"^{code}:")


def test_fapi2_security_profile_final_happy_flow(world: World) -> None:
    done = world.sign_in()
    claims = done.claims
    assert (claims["iss"], claims["aud"], claims["acr"]) == (ISSUER, "shop", levels.AAL2)
    assert claims["sub"] != "person-1"
    assert claims["amr"] == ["swk", "user", "mfa"]
    assert world.rp.userinfo(done.access_token) == {"name": "林美玲", "sub": claims["sub"]}
    assert done.refresh_token == ""


def test_the_answer_carries_iss_and_state(world: World) -> None:
    address, kept = world.rp.begin()
    query = parse_qs(urlsplit(world.visit(address)).query)
    assert query["iss"] == [ISSUER]
    assert query["state"] == [kept["state"]]


def test_fapi2_ensure_request_object_request_uri_cannot_be_reused(world: World) -> None:
    address, _ = world.rp.begin()
    world.visit(address)
    with pytest.raises(NotAnsweredToClientError):
        world.visit(address)


def test_a_request_uri_expires(world: World) -> None:
    address, _ = world.rp.begin()
    with clock.travelling(delta=timedelta(seconds=91)), pytest.raises(NotAnsweredToClientError):
        world.visit(address)


def test_an_interaction_belongs_to_one_browser(world: World) -> None:
    address, _ = world.rp.begin()
    given = dict(pair.split("=") for pair in urlsplit(address).query.split("&"))
    found, _ = pushing.arrive(world.provider, {**given, "request_uri": given["request_uri"].replace("%3A", ":")})
    assert authorizing.open_for(world.provider, found, "mine")
    assert authorizing.opened(world.provider, found.id, "theirs") is None
    assert authorizing.opened(world.provider, found.id, "mine") is not None


def test_par_without_client_authentication_or_with_request_uri(world: World) -> None:
    assert world.rp.begin()
    with refused("invalid_request"):
        world.rp.begin(request_uri="urn:ietf:params:oauth:request_uri:x")
    with refused("request_not_supported"):
        world.rp.begin(request="eyJ")
    form = urlencode({"client_id": "shop", "response_type": "code"}).encode()
    headers = {"content-type": "application/x-www-form-urlencoded"}
    status, _, body = world.send("POST", f"{ISSUER}/openid/par", headers, form)
    assert (status, b"invalid_client" in body) == (401, True)


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"response_type": "id_token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"redirect_uri": CALLBACK + "/"}, "invalid_request"),
        ({"redirect_uri": CALLBACK + "?x=1"}, "invalid_request"),
        ({"redirect_uri": CALLBACK.replace("https", "http")}, "invalid_request"),
        ({"redirect_uri": CALLBACK.upper()}, "invalid_request"),
        ({"redirect_uri": CALLBACK + "#x"}, "invalid_request"),
        ({"redirect_uri": "https://shop.example.test/callback/../evil"}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"scope": "openid national_id"}, "invalid_scope"),
        ({"scope": "openid  profile"}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "whatever"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"claims": "[]"}, "invalid_request"),
        ({"claims": '{"userinfo": {"name": 1}}'}, "invalid_request"),
        ({"id_token_hint": "a.b.c"}, "invalid_request"),
        ({"authorization_details": "{}"}, "invalid_authorization_details"),
        ({"authorization_details": '[{"type": "unknown"}]'}, "invalid_authorization_details"),
        ({"authorization_details": '[{"type": "payment", "amount": "x"}]'}, "invalid_authorization_details"),
    ],
)
def test_what_a_pushed_request_may_not_ask(world: World, wanted: dict[str, str], code: str) -> None:
    with refused(code):
        world.rp.begin(**wanted)


def test_a_repeated_parameter_is_refused(world: World) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    status, _, body = world.send("POST", f"{ISSUER}/openid/par", headers, b"scope=openid&scope=openid")
    assert (status, b"repeated" in body) == (400, True)


def test_oidcc_codereuse_30seconds(world: World) -> None:
    address, kept = world.rp.begin()
    query = urlsplit(world.visit(address)).query
    done = world.rp.finish(query, kept)
    with refused("invalid_grant"):
        world.rp.finish(query, kept)
    with refused("invalid_token"):
        world.rp.userinfo(done.access_token)


def test_fapi2_ensure_authorization_code_expires(world: World) -> None:
    address, kept = world.rp.begin()
    query = urlsplit(world.visit(address)).query
    with clock.travelling(delta=timedelta(seconds=61)), refused("invalid_grant"):
        world.rp.finish(query, kept)


def test_fapi2_ensure_wrong_code_verifier_fails(world: World) -> None:
    address, kept = world.rp.begin()
    query = urlsplit(world.visit(address)).query
    with refused("invalid_grant"):
        world.rp.finish(query, {**kept, "verifier": "x" * 43})


def test_a_code_is_bound_to_its_dpop_key(world: World) -> None:
    address, kept = world.rp.begin()
    query = urlsplit(world.visit(address)).query
    world.rp.proof_key = keys.generate_p256()
    with refused("invalid_grant"):
        world.rp.finish(query, kept)


def test_a_code_is_bound_to_its_client(world: World) -> None:
    other_key = keys.generate_p256()
    world.store.clients["other"] = replace(world.client, id="other", jwks=(keys.public_jwk(other_key.public_key()),))
    address, kept = world.rp.begin()
    query = urlsplit(world.visit(address)).query
    thief = world.relying_party("other", key=other_key, proof_key=world.rp.proof_key)
    with refused("invalid_grant"):
        thief.finish(query, kept)


def test_another_dpop_key_and_a_bearer_downgrade_are_refused(world: World) -> None:
    done = world.sign_in()
    bearer = {"authorization": f"Bearer {done.access_token}"}
    status, headers, body = world.send("GET", f"{ISSUER}/openid/userinfo", bearer, b"")
    assert (status, b"invalid_token" in body) == (401, True)
    assert headers["www-authenticate"].startswith("DPoP")
    world.rp.proof_key = keys.generate_p256()
    with refused("invalid_token"):
        world.rp.userinfo(done.access_token)


def test_fapi2_ensure_dpop_proof_is_used_once(world: World) -> None:
    done = world.sign_in()
    proof = world.rp._proof("GET", f"{ISSUER}/openid/userinfo", done.access_token)
    headers = {"authorization": f"DPoP {done.access_token}", "dpop": proof}
    assert world.send("GET", f"{ISSUER}/openid/userinfo", headers, b"")[0] == 200
    assert world.send("GET", f"{ISSUER}/openid/userinfo", headers, b"")[0] == 401


def test_a_replayed_assertion_is_refused(world: World) -> None:
    same = world.rp._assertion()
    world.rp._assertion = lambda: same  # type: ignore[method-assign]
    world.rp._nonce = dpop.nonce(world.provider)
    world.rp.begin()
    with refused("invalid_client"):
        world.rp.begin()


@pytest.mark.parametrize(
    "wrong",
    [{"aud": "https://evil.test"}, {"aud": [ISSUER, "x"]}, {"aud": [ISSUER]}, {"iss": "x"}, {"exp": 1}, {"jti": ""}],
)
def test_an_assertion_is_for_this_issuer_only(world: World, wrong: dict[str, Any]) -> None:
    real = world.rp._assertion

    def forged() -> dict[str, str]:
        made = real()
        claims = {**jose.read(made["client_assertion"]).claims, **wrong}
        from joserfc import jwk

        text = jose.sign(claims, jwk.ECKey.import_key(world.key), kid="", typ="JWT")
        return {**made, "client_assertion": text}

    world.rp._assertion = forged  # type: ignore[method-assign]
    with refused("invalid_client"):
        world.rp.begin()


def test_dpop_needs_the_servers_nonce(world: World) -> None:
    done = world.sign_in()
    for nonce in ("", "made-up"):
        world.rp._nonce = nonce
        proof = world.rp._proof("GET", f"{ISSUER}/openid/userinfo", done.access_token)
        headers = {"authorization": f"DPoP {done.access_token}", "dpop": proof}
        status, said, body = world.send("GET", f"{ISSUER}/openid/userinfo", headers, b"")
        assert (status, b"use_dpop_nonce" in body) == (401, True)
        assert said["dpop-nonce"] == dpop.nonce(world.provider)


def test_mix_up_is_noticed_by_the_client(world: World) -> None:
    address, kept = world.rp.begin()
    query = urlsplit(world.visit(address)).query
    with refused("untrusted"):
        world.rp.finish(query.replace("id.example.test", "evil.example.test"), kept)
    with refused("untrusted"):
        world.rp.finish(query, {**kept, "state": "other"})


def test_refresh_without_rotation_for_bound_tokens(world: World) -> None:
    world.rp.scope = "openid profile offline_access"
    done = world.sign_in()
    again = world.rp.refresh(done.refresh_token)
    assert again.refresh_token == done.refresh_token
    assert again.claims["sub"] == done.claims["sub"]
    assert world.rp.refresh(done.refresh_token).access_token != again.access_token
    world.people.gone.add("person-1")
    with refused("invalid_grant"):
        world.rp.refresh(done.refresh_token)


def test_a_refresh_token_rests_on_the_clients_own_key_or_else_on_the_proofs() -> None:
    world = World()
    world.rp.scope = "openid offline_access"
    done = world.sign_in()
    world.rp.proof_key = keys.generate_p256()
    assert world.rp.refresh(done.refresh_token).access_token, "RFC 9449 section 5"
    world.store.clients["shop"] = replace(world.client, **plain(auth_method="none", sender="dpop"))
    world.rp._assertion = lambda: {"client_id": "shop"}  # type: ignore[method-assign]
    done = world.sign_in()
    world.rp.proof_key = keys.generate_p256()
    with refused("invalid_grant"):
        world.rp.refresh(done.refresh_token)


def test_plain_profile_rotates_and_notices_reuse() -> None:
    world = World(**plain())
    world.rp.scope = "openid offline_access"
    done = world.sign_in()
    again = world.rp.refresh(done.refresh_token)
    assert again.refresh_token != done.refresh_token
    with refused("invalid_grant"):
        world.rp.refresh(done.refresh_token)
    with refused("invalid_grant"):
        world.rp.refresh(again.refresh_token)


def test_plain_profile_ends_at_its_sunset() -> None:
    world = World(**plain(sunset=date(2020, 1, 1)))
    with refused("unauthorized_client"):
        world.rp.begin()


def test_fapi2_clients_must_push_their_requests(world: World) -> None:
    with pytest.raises(NotAnsweredToClientError):
        pushing.arrive(world.provider, {"client_id": "shop", "response_type": "code", "redirect_uri": CALLBACK})


def test_plain_clients_are_told_of_their_faults_by_redirect() -> None:
    world = World(**plain())
    given = {"client_id": "shop", "redirect_uri": CALLBACK, "response_type": "token", "state": "s"}
    with pytest.raises(pushing.RedirectedError) as told:
        pushing.arrive(world.provider, given)
    assert (told.value.error.code, told.value.state) == ("unsupported_response_type", "s")
    with pytest.raises(NotAnsweredToClientError):
        pushing.arrive(world.provider, {**given, "redirect_uri": "https://evil.test"})


def test_rich_requests_travel_and_are_always_asked(world: World) -> None:
    wanted = [{"type": "payment", "amount": 5}]
    for _ in range(2):
        address, _ = world.rp.begin(authorization_details=wanted)
        with pytest.raises(AssertionError):
            world.visit(address, agree=False)
    done = world.sign_in(authorization_details=wanted)
    assert list(done.details) == wanted


def test_consent_is_remembered_for_what_was_agreed(world: World) -> None:
    world.sign_in()
    address, _ = world.rp.begin(prompt="none")
    assert "code=" in world.visit(address, agree=False)
    address, _ = world.rp.begin(prompt="none", scope="openid profile email")
    assert "error=consent_required" in world.visit(address)


def test_claims_are_given_only_as_asked(world: World) -> None:
    done = world.sign_in(scope="openid email", claims={"id_token": {"name": None, "national_id": None}})
    assert done.claims["name"] == "林美玲"
    assert "national_id" not in done.claims
    assert set(world.rp.userinfo(done.access_token)) == {"email", "email_verified", "sub"}


def test_introspection_and_revocation(world: World) -> None:
    done = world.sign_in()
    said = world.rp.post("introspection_endpoint", {"token": done.access_token})
    assert said["active"] is True
    assert said["cnf"]["jkt"] == jose.thumbprint(keys.public_jwk(world.rp.proof_key.public_key()))
    world.rp.post("revocation_endpoint", {"token": done.access_token})
    assert world.rp.post("introspection_endpoint", {"token": done.access_token}) == {"active": False}


def test_tokens_are_stored_as_digests(world: World) -> None:
    world.rp.scope = "openid offline_access"
    done = world.sign_in()
    kept = repr(vars(world.store))
    for secret in (done.access_token, done.refresh_token, done.id_token):
        assert secret not in kept


def test_a_new_key_is_published_before_it_signs(world: World) -> None:
    done = world.sign_in()
    coming = world.signer.add(clock.now() + timedelta(days=1))
    assert coming in {
        key["kid"] for key in world.rp._read(world.send("GET", f"{ISSUER}/openid/jwks", {}, b""))[2]["keys"]
    }
    assert jose.read(world.sign_in().id_token).header["kid"] != coming
    with clock.travelling(delta=timedelta(days=1, seconds=1)):
        world.rp._nonce = ""
        after = world.sign_in(id_token_hint=done.id_token)
        assert jose.read(after.id_token).header["kid"] == coming


def test_pseudonyms_differ_by_sector_and_can_be_renewed(world: World) -> None:
    one = world.sign_in().claims["sub"]
    world.store.relations["person-1", "shop"] = replace(world.store.relations["person-1", "shop"], generation=1)
    assert world.sign_in().claims["sub"] != one
    world.store.clients["shop"] = replace(world.client, sector="group.example.test")
    assert world.sign_in().claims["sub"] != one


def test_token_exchange_shows_who_acts(world: World) -> None:
    second_key = keys.generate_p256()
    exchange = "urn:ietf:params:oauth:grant-type:token-exchange"
    grants = frozenset({"authorization_code", exchange})
    world.store.clients["shop"] = replace(world.client, grants=grants, exchange_to=frozenset({"carrier"}))
    carrier = replace(world.client, id="carrier", jwks=(keys.public_jwk(second_key.public_key()),))
    world.store.clients["carrier"] = replace(carrier, scopes=frozenset({"openid"}))
    done = world.sign_in()
    form = {
        "grant_type": exchange,
        "subject_token": done.access_token,
        "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "audience": "carrier",
        "scope": "openid",
    }
    passed = world.rp.post("token_endpoint", form)
    assert passed["expires_in"] <= 300
    assert "refresh_token" not in passed
    rp = world.relying_party("carrier", key=second_key)
    said = rp.post("introspection_endpoint", {"token": passed["access_token"]})
    assert said["act"] == {"sub": "shop"}
    assert said["sub"] != done.claims["sub"]
    assert world.rp.post("introspection_endpoint", {"token": passed["access_token"]}) == {"active": False}
    with refused("invalid_token"):
        world.rp.userinfo(passed["access_token"])
    with refused("invalid_target"):
        world.rp.post("token_endpoint", {**form, "audience": "elsewhere"})
    with refused("invalid_scope"):
        world.rp.post("token_endpoint", {**form, "scope": "openid email"})


def test_acting_for_another_needs_a_registered_client(world: World) -> None:
    event = world.event(acting_for="child-1", mandate="mandate-1")
    with refused("access_denied"):
        world.sign_in(event)
    world.store.clients["shop"] = replace(world.client, mandates=True)
    done = world.sign_in(event)
    assert done.claims["mandate"] == "mandate-1"
    assert done.claims["act"]["sub"]
    assert done.claims["sub"] == world.people.pseudonym("child-1", "shop", 0)


def test_refresh_tokens_end_whatever_happens() -> None:
    for profile in ({}, plain()):
        world = World(**profile)
        world.rp.scope = "openid offline_access"
        done = world.sign_in()
        with clock.travelling(delta=timedelta(days=60)):
            world.rp._nonce = ""
            done = world.rp.refresh(done.refresh_token)
        with clock.travelling(delta=timedelta(days=91)), refused("invalid_grant"):
            world.rp._nonce = ""
            world.rp.refresh(done.refresh_token)


def test_fapi2_clients_get_no_unbound_tokens(world: World) -> None:
    address, kept = world.rp.begin()
    query = urlsplit(world.visit(address)).query
    real = world.rp.send

    def without_proof(method: str, url: str, headers: Any, body: bytes) -> Any:
        return real(method, url, {name: value for name, value in headers.items() if name != "dpop"}, body)

    world.rp.send = without_proof
    with refused("invalid_dpop_proof"):
        world.rp.finish(query, kept)


def test_rich_requests_are_pushed_in_every_profile() -> None:
    world = World(**plain())
    given = {"client_id": "shop", "redirect_uri": CALLBACK, "response_type": "code", "scope": "openid"}
    given |= {"code_challenge": "a" * 43, "code_challenge_method": "S256"}
    assert pushing.arrive(world.provider, given)
    with pytest.raises(pushing.RedirectedError) as told:
        pushing.arrive(world.provider, {**given, "authorization_details": '[{"type": "payment", "amount": 5}]'})
    assert told.value.error.code == "invalid_authorization_details"


def test_an_id_token_of_another_sign_in_is_noticed(world: World) -> None:
    address, kept = world.rp.begin()
    query = urlsplit(world.visit(address)).query
    with refused("untrusted"):
        world.rp.finish(query, {**kept, "nonce": "another"})


def test_an_id_token_for_another_client_is_noticed(world: World) -> None:
    done = world.sign_in()
    other = world.relying_party("other")
    with refused("untrusted"):
        other._verified(done.id_token, "JWT")
    with refused("untrusted"):
        world.rp._verified(done.id_token, "logout+jwt")


def test_metadata_of_another_issuer_are_not_believed(world: World) -> None:
    with refused("untrusted"):
        world.relying_party(issuer="https://evil.example.test").begin()


def test_a_public_client_is_always_asked_about() -> None:
    world = World(**plain(auth_method="none"))
    world.rp._assertion = lambda: {"client_id": "shop"}  # type: ignore[method-assign]
    world.sign_in()
    address, _ = world.rp.begin()
    with pytest.raises(AssertionError):
        world.visit(address, agree=False)
