"""What the OpenID Foundation's suite asks of a FAPI 2.0 provider, module by module: each test bears a module's name.

`docs/security/openid-conformance.yaml` lists all modules of the plan, with those whose test lies elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from smartgov.engines.openid import authorizing, jose, pushing
from smartgov.engines.openid.client import SignInError
from smartgov.engines.openid.errors import NotAnsweredToClientError
from smartgov.engines.openid.params import form
from smartgov.engines.openid.tests.forging import assert_as, prove_as
from smartgov.engines.openid.tests.world import CALLBACK, ISSUER, World
from smartgov.engines.pki import keys
from smartgov.shared import clock

USERINFO = f"{ISSUER}/openid/userinfo"


@pytest.fixture
def world() -> World:
    return World()


def refused(code: str) -> Any:
    return pytest.raises(SignInError, match=f"^{code}:")


def code(world: World, **wanted: Any) -> tuple[str, dict[str, str]]:
    """The query with a code that a browser brings back, and what the client kept."""
    address, kept = world.rp.begin(**wanted)
    return urlsplit(world.visit(address)).query, kept


def print_of(key: Any) -> str:
    return jose.thumbprint(keys.public_jwk(key.public_key()))


def without(world: World, name: str) -> None:
    """From now on the client's forms lack a parameter, or its requests a header."""
    real = world.rp.send

    def send(method: str, url: str, headers: Any, body: bytes) -> Any:
        kept = {each: value for each, value in headers.items() if each != name}
        given = form(body)
        given.pop(name, None)
        return real(method, url, kept, urlencode(given).encode())

    world.rp.send = send


def by_rs256(world: World) -> None:
    """From now on the client's assertions say that they are signed by RS256."""
    real = world.rp._assertion

    def forged() -> dict[str, str]:
        made = real()
        _, content, signature = made["client_assertion"].split(".")
        header = keys.b64url(b'{"alg":"RS256","typ":"JWT"}')
        return {**made, "client_assertion": f"{header}.{content}.{signature}"}

    world.rp._assertion = forged  # type: ignore[method-assign]


def test_fapi2_security_profile_final_discovery_end_point_verification(world: World) -> None:
    said = world.rp.metadata
    assert said["issuer"] == ISSUER
    allowed = {"PS256", "ES256", "EdDSA", "Ed25519"}
    for name in ("id_token", "token_endpoint_auth", "dpop"):
        assert set(said[f"{name}_signing_alg_values_supported"]) <= allowed
    assert "private_key_jwt" in said["token_endpoint_auth_methods_supported"]
    assert said["code_challenge_methods_supported"] == ["S256"]
    assert said["response_types_supported"] == ["code"]
    assert said["authorization_response_iss_parameter_supported"] is True
    assert said["tls_client_certificate_bound_access_tokens"] is True
    addresses = {name: value for name, value in said.items() if re.search("_endpoint$|_uri$", name)}
    assert all(value.startswith(f"{ISSUER}/") for value in addresses.values())
    assert {"authorization_endpoint", "token_endpoint", "pushed_authorization_request_endpoint", "jwks_uri"} <= set(
        addresses
    )


def test_fapi2_security_profile_final_ensure_authorization_request_without_state_success(world: World) -> None:
    without(world, "state")
    query, kept = code(world)
    assert "state" not in parse_qs(query)
    assert world.rp.finish(f"{query}&state={kept['state']}", kept).claims["sub"]


def test_fapi2_security_profile_final_ensure_authorization_request_without_nonce_success(world: World) -> None:
    without(world, "nonce")
    query, kept = code(world)
    assert "nonce" not in world.rp.finish(query, {**kept, "nonce": ""}).claims


@pytest.mark.parametrize("length", [64])
def test_fapi2_security_profile_final_ensure_authorization_request_with_64_char_nonce_success(
    world: World, length: int
) -> None:
    query, kept = code(world, nonce="n" * length)
    assert world.rp.finish(query, {**kept, "nonce": "n" * length}).claims["nonce"] == "n" * length


def test_fapi2_security_profile_final_ensure_authorization_request_with_long_nonce(world: World) -> None:
    query, kept = code(world, nonce="n" * 384)
    assert world.rp.finish(query, {**kept, "nonce": "n" * 384})
    with refused("invalid_request"):
        world.rp.begin(nonce="n" * 5000)


def test_fapi2_security_profile_final_ensure_authorization_request_with_long_state(world: World) -> None:
    query, _ = code(world, state="s" * 1000)
    assert parse_qs(query)["state"] == ["s" * 1000], "whole, or refused"
    with refused("invalid_request"):
        world.rp.begin(state="s" * 5000)


def test_fapi2_security_profile_final_ensure_other_scope_order_succeeds(world: World) -> None:
    query, kept = code(world, scope="profile openid")
    assert world.rp.userinfo(world.rp.finish(query, kept).access_token)["name"] == "林美玲"


def test_fapi2_security_profile_final_access_token_type_header_case_sensitivity(world: World) -> None:
    done = world.sign_in()
    for scheme in ("DPoP", "dpop", "DPOP"):
        proof = world.rp._proof("GET", USERINFO, done.access_token)
        headers = {"authorization": f"{scheme} {done.access_token}", "dpop": proof}
        assert world.send("GET", USERINFO, headers, b"")[0] == 200, scheme


def test_fapi2_security_profile_final_check_dpop_proof_nbf_exp(world: World) -> None:
    now = int(clock.now().timestamp())
    prove_as(world, nbf=now, exp=now + 300)
    assert world.rp.userinfo(world.sign_in().access_token)
    for wrong in ({"exp": now - 60}, {"nbf": now + 60}, {"exp": "soon"}):
        world = World()
        prove_as(world, **wrong)
        with refused("invalid_dpop_proof"):
            world.rp.begin()


@pytest.mark.parametrize("seconds", [-10])
def test_fapi2_security_profile_final_ensure_dpopproof_with_iat_10seconds_before_succeeds(
    world: World, seconds: int
) -> None:
    prove_as(world, iat=int(clock.now().timestamp()) + seconds)
    assert world.rp.userinfo(world.sign_in().access_token)


def test_fapi2_security_profile_final_ensure_dpopproof_with_iat_10seconds_after_succeeds(world: World) -> None:
    prove_as(world, iat=int(clock.now().timestamp()) + 10)
    assert world.rp.userinfo(world.sign_in().access_token)


def test_fapi2_security_profile_final_ensure_mismatched_dpop_jkt_fails(world: World) -> None:
    with refused("invalid_dpop_proof"):
        world.rp.begin(dpop_jkt=print_of(keys.generate_p256()))


def test_fapi2_security_profile_final_ensure_token_endpoint_fails_with_mismatched_dpop_proof_jkt(world: World) -> None:
    query, kept = code(world)
    world.rp.proof_key = keys.generate_p256()
    with refused("invalid_grant"):
        world.rp.finish(query, kept)


def test_fapi2_security_profile_final_ensure_token_endpoint_fails_with_mismatched_dpop_jkt(world: World) -> None:
    real = world.rp.send
    without(world, "dpop")
    query, kept = code(world, dpop_jkt=print_of(keys.generate_p256()))
    world.rp.send = real
    with refused("invalid_grant"):
        world.rp.finish(query, kept)


def test_fapi2_security_profile_final_ensure_dpopproof_at_par_endpoint_binding_success(world: World) -> None:
    query, kept = code(world)
    (found,) = world.store.authorizations.values()
    assert found.asked.jkt == print_of(world.rp.proof_key)
    assert world.rp.finish(query, kept)


def test_fapi2_security_profile_final_ensure_dpop_auth_code_binding_success(world: World) -> None:
    query, kept = code(world, dpop_jkt=print_of(world.rp.proof_key))
    assert world.rp.finish(query, kept)


def besides(world: World, **more: str) -> tuple[dict[str, list[str]], Any]:
    """A sign-in whose browser brings further parameters: the query that came back, and the tokens."""
    address, kept = world.rp.begin()
    query = urlsplit(world.visit(f"{address}&{urlencode(more)}")).query
    return parse_qs(query), (world.rp.finish(query, kept), kept)


def test_fapi2_security_profile_final_ensure_different_nonce_inside_and_outside_request_object(world: World) -> None:
    _, (done, kept) = besides(world, nonce="outside")
    assert done.claims["nonce"] == kept["nonce"]


def test_fapi2_security_profile_final_ensure_different_state_inside_and_outside_request_object(world: World) -> None:
    query, (_, kept) = besides(world, state="outside")
    assert query["state"] == [kept["state"]]


def test_fapi2_security_profile_final_state_only_outside_request_object_not_used(world: World) -> None:
    without(world, "state")
    address, _ = world.rp.begin()
    assert "state" not in parse_qs(urlsplit(world.visit(f"{address}&state=outside")).query)


def test_fapi2_security_profile_final_ensure_request_object_without_redirect_uri_fails(world: World) -> None:
    without(world, "redirect_uri")
    with refused("invalid_request"):
        world.rp.begin()


def test_fapi2_security_profile_final_ensure_redirect_uri_in_authorization_request(world: World) -> None:
    with refused("invalid_request"):
        world.rp.begin(redirect_uri="")


@pytest.mark.parametrize("wrong", [f"{CALLBACK}/more", "https://evil.example.test/callback"])
def test_fapi2_security_profile_final_plain_fapi_tolerate_unregistered_redirect_uri(world: World, wrong: str) -> None:
    """RFC 9126 section 2.4 would allow it; we do not."""
    with refused("invalid_request"):
        world.rp.begin(redirect_uri=wrong)


def test_fapi2_security_profile_final_ensure_unsigned_authorization_request_without_using_par_fails(
    world: World,
) -> None:
    asked = {"client_id": "shop", "response_type": "code", "redirect_uri": CALLBACK, "scope": "openid"}
    with pytest.raises(NotAnsweredToClientError):
        pushing.arrive(world.provider, {**asked, "code_challenge": "a" * 43, "code_challenge_method": "S256"})


def test_fapi2_security_profile_final_ensure_response_type_code_idtoken_fails(world: World) -> None:
    with refused("unsupported_response_type"):
        world.rp.begin(response_type="code id_token")


def test_fapi2_security_profile_final_ensure_response_type_token_fails(world: World) -> None:
    with refused("unsupported_response_type"):
        world.rp.begin(response_type="token")


def test_fapi2_security_profile_final_ensure_client_id_in_token_endpoint(world: World) -> None:
    world.store.clients["other"] = replace(world.client, id="other")
    query, kept = code(world)
    real = world.rp._assertion
    world.rp._assertion = lambda: {**real(), "client_id": "other"}  # type: ignore[method-assign]
    with refused("invalid_client"):
        world.rp.finish(query, kept)


def test_fapi2_security_profile_final_ensure_holder_of_key_required(world: World) -> None:
    query, kept = code(world)
    without(world, "dpop")
    with refused("invalid_dpop_proof"):
        world.rp.finish(query, kept)


def test_fapi2_security_profile_final_ensure_authorization_code_is_bound_to_client(world: World) -> None:
    key = keys.generate_p256()
    world.store.clients["other"] = replace(world.client, id="other", jwks=(keys.public_jwk(key.public_key()),))
    query, kept = code(world)
    with refused("invalid_grant"):
        world.relying_party("other", key=key, proof_key=world.rp.proof_key).finish(query, kept)


def test_fapi2_security_profile_final_attempt_reuse_authorization_code_after_one_second(world: World) -> None:
    query, kept = code(world)
    done = world.rp.finish(query, kept)
    with clock.travelling(delta=timedelta(seconds=1)), refused("invalid_grant"):
        world.rp.finish(query, kept)
    with refused("invalid_token"):
        world.rp.userinfo(done.access_token)


def test_fapi2_security_profile_final_ensure_token_endpoint_fails_with_expired_auth_code(world: World) -> None:
    query, kept = code(world)
    with clock.travelling(delta=timedelta(seconds=61)), refused("invalid_grant"):
        world.rp.finish(query, kept)


def test_fapi2_security_profile_final_ensure_signed_client_assertion_with_rs256_fails(world: World) -> None:
    query, kept = code(world)
    by_rs256(world)
    with refused("invalid_client"):
        world.rp.finish(query, kept)


def test_fapi2_security_profile_final_ensure_client_assertion_in_token_endpoint(world: World) -> None:
    query, kept = code(world)
    world.rp._assertion = lambda: {"client_id": "shop"}  # type: ignore[method-assign]
    with refused("invalid_client"):
        world.rp.finish(query, kept)


def test_fapi2_security_profile_final_ensure_client_assertion_with_exp_is_5_minutes_in_past_fails(
    world: World,
) -> None:
    query, kept = code(world)
    assert_as(world, exp=int(clock.now().timestamp()) - 300)
    with refused("invalid_client"):
        world.rp.finish(query, kept)


def test_fapi2_security_profile_final_ensure_client_assertion_with_wrong_aud_fails(world: World) -> None:
    query, kept = code(world)
    assert_as(world, aud="https://other.example.test")
    with refused("invalid_client"):
        world.rp.finish(query, kept)


def test_fapi2_security_profile_final_ensure_client_assertion_with_no_sub_fails(world: World) -> None:
    query, kept = code(world)
    assert_as(world, sub=None)
    with refused("invalid_client"):
        world.rp.finish(query, kept)


WRONG_PROOFS: dict[str, Callable[[str], dict[str, Any]]] = {
    "typ is missing": lambda _: {"header": {"typ": None}},
    "typ is another": lambda _: {"header": {"typ": "jwt"}},
    "jwk is missing": lambda _: {"header": {"jwk": None}},
    "jti is missing": lambda _: {"jti": None},
    "htm is missing": lambda _: {"htm": None},
    "htm is another": lambda _: {"htm": "PUT"},
    "htu is missing": lambda _: {"htu": None},
    "htu is another": lambda _: {"htu": f"{ISSUER}/openid/token"},
    "iat is missing": lambda _: {"iat": None},
    "iat is of an hour ago": lambda _: {"iat": int(clock.now().timestamp()) - 3600},
    "iat is in an hour": lambda _: {"iat": int(clock.now().timestamp()) + 3600},
    "ath is missing": lambda _: {"ath": None},
    "ath is of another token": lambda token: {"ath": jose.digest(token[::-1])},
}
RIGHT_PROOFS: dict[str, dict[str, Any]] = {
    "htu with query and fragment": {"htu": f"{USERINFO}?a=b#c"},
    "htu in capitals": {"htu": USERINFO.replace("https://id.example.test", "HTTPS://ID.EXAMPLE.TEST")},
    "htu with the default port": {"htu": USERINFO.replace(".test", ".test:443")},
    "members that nobody knows": {"header": {"x-more": "1"}, "more": {"a": 1}},
}


def test_fapi2_security_profile_final_dpop_negative_tests(world: World) -> None:
    token = world.sign_in().access_token
    real = world.rp._proof
    for name, wrong in WRONG_PROOFS.items():
        prove_as(world, **wrong(token))
        assert _outcome(world, token) in {"invalid_dpop_proof", "invalid_token"}, name
        world.rp._proof = real  # type: ignore[method-assign]
    for name, right in RIGHT_PROOFS.items():
        prove_as(world, **right)
        assert world.rp.userinfo(token), name
        world.rp._proof = real  # type: ignore[method-assign]
    for name, text in _broken_texts(world, token).items():
        headers = {"authorization": f"DPoP {token}", "dpop": text}
        assert world.send("GET", USERINFO, headers, b"")[0] in (400, 401), name
    assert world.rp.userinfo(token), "it was not the token"


def _outcome(world: World, token: str) -> str:
    try:
        return str(world.rp.userinfo(token))
    except SignInError as error:
        return error.code


def _broken_texts(world: World, token: str) -> dict[str, str]:
    """DPoP headers that cannot be read, or whose signature does not hold."""
    proof = world.rp._proof("GET", USERINFO, token)
    header, content, signature = proof.split(".")
    private = {**keys.public_jwk(world.rp.proof_key.public_key()), "d": "AA"}
    secret = keys.b64url(str({"alg": "ES256", "typ": "dpop+jwt", "jwk": private}).replace("'", '"').encode())
    unsigned = keys.b64url(b'{"alg":"none","typ":"dpop+jwt"}')
    return {
        "none": "",
        "two": f"{proof}, {world.rp._proof('GET', USERINFO, token)}",
        "not a JWT": proof.replace(".", ""),
        "no signature": f"{unsigned}.{content}.",
        "another signature": f"{header}.{content}.{signature[::-1]}",
        "a private key": f"{secret}.{content}.{signature}",
    }


def test_fapi2_security_profile_final_refresh_token(world: World) -> None:
    query, kept = code(world, scope="openid offline_access")
    done = world.rp.finish(query, kept)
    assert re.fullmatch(r"[\x20-\x7e]+", done.refresh_token)
    again = world.rp.refresh(done.refresh_token)
    assert (again.claims["sub"], again.refresh_token) == (done.claims["sub"], done.refresh_token)
    key = keys.generate_p256()
    world.store.clients["other"] = replace(world.client, id="other", jwks=(keys.public_jwk(key.public_key()),))
    with refused("invalid_grant"):
        world.relying_party("other", key=key, proof_key=world.rp.proof_key).refresh(done.refresh_token)
    real = world.rp.send
    without(world, "dpop")
    with refused("invalid_dpop_proof"):
        world.rp.refresh(done.refresh_token)
    world.rp.send = real
    without(world, "client_assertion")
    with refused("invalid_client"):
        world.rp.refresh(done.refresh_token)


def test_fapi2_security_profile_final_par_ensure_reused_request_uri_prior_to_auth_completion_succeeds(
    world: World,
) -> None:
    address, _ = world.rp.begin()
    given = form(urlsplit(address).query)
    found, client = pushing.arrive(world.provider, given)
    assert authorizing.open_for(world.provider, found, "browser")
    again, _ = pushing.arrive(world.provider, given, "browser")
    assert (again.id, again.state) == (found.id, "opened")
    with pytest.raises(NotAnsweredToClientError):
        pushing.arrive(world.provider, given, "another browser")
    step = authorizing.next_step(world.provider, client, again, world.event())
    authorizing.finish(world.provider, client, again, world.event(), step, agreed=True)
    with pytest.raises(NotAnsweredToClientError):
        pushing.arrive(world.provider, given, "browser")


def test_fapi2_security_profile_final_par_attempt_reuse_request_uri(world: World) -> None:
    address, _ = world.rp.begin()
    world.visit(address)
    with pytest.raises(NotAnsweredToClientError):
        world.visit(address)


def test_fapi2_security_profile_final_par_attempt_to_use_expired_request_uri(world: World) -> None:
    address, _ = world.rp.begin()
    with clock.travelling(delta=timedelta(seconds=91)), pytest.raises(NotAnsweredToClientError):
        world.visit(address)


def test_fapi2_security_profile_final_par_ensure_jwt_client_assertions_nbf_8_seconds_in_the_future_is_accepted(
    world: World,
) -> None:
    now = int(clock.now().timestamp())
    assert_as(world, iat=now + 8, nbf=now + 8)
    assert world.rp.begin()


def test_fapi2_security_profile_final_par_ensure_jwt_client_assertions_nbf_over_60_seconds_in_the_future_fails(
    world: World,
) -> None:
    now = int(clock.now().timestamp())
    assert_as(world, iat=now + 70, nbf=now + 70, exp=now + 130)
    with refused("invalid_client"):
        world.rp.begin()


def test_fapi2_security_profile_final_par_attempt_to_use_request_uri_for_different_client(world: World) -> None:
    world.store.clients["other"] = replace(world.client, id="other")
    address, _ = world.rp.begin()
    with pytest.raises(NotAnsweredToClientError):
        world.visit(address.replace("client_id=shop", "client_id=other"))


def test_fapi2_security_profile_final_par_authorization_request_containing_request_uri_form_param(
    world: World,
) -> None:
    with refused("invalid_request"):
        world.rp.begin(request_uri="urn:ietf:params:oauth:request_uri:made-up")


def test_fapi2_security_profile_final_par_attempt_invalid_http_method(world: World) -> None:
    for method in ("GET", "PUT"):
        assert world.send(method, f"{ISSUER}/openid/par", {}, b"")[0] == 405


def test_fapi2_security_profile_final_par_ensure_pkce_required(world: World) -> None:
    without(world, "code_challenge")
    with refused("invalid_request"):
        world.rp.begin()


def test_fapi2_security_profile_final_ensure_pkce_code_verifier_required(world: World) -> None:
    query, kept = code(world)
    without(world, "code_verifier")
    with refused("invalid_grant"):
        world.rp.finish(query, kept)


def test_fapi2_security_profile_final_incorrect_pkce_code_verifier_rejected(world: World) -> None:
    query, kept = code(world)
    with refused("invalid_grant"):
        world.rp.finish(query, {**kept, "verifier": "x" * 43})


def test_fapi2_security_profile_final_par_plain_pkce_rejected(world: World) -> None:
    with refused("invalid_request"):
        world.rp.begin(code_challenge_method="plain")


def test_fapi2_security_profile_final_par_without_duplicate_parameters(world: World) -> None:
    address, _ = world.rp.begin()
    assert set(parse_qs(urlsplit(address).query)) == {"client_id", "request_uri"}
    assert "code" in parse_qs(urlsplit(world.visit(address)).query)


def test_fapi2_security_profile_final_par_test_array_as_audience_fails(world: World) -> None:
    assert_as(world, aud=[ISSUER])
    with refused("invalid_client"):
        world.rp.begin()


def test_fapi2_security_profile_final_par_test_par_endpoint_url_as_audience_fails(world: World) -> None:
    assert_as(world, aud=f"{ISSUER}/openid/par")
    with refused("invalid_client"):
        world.rp.begin()


def test_fapi2_security_profile_final_par_test_token_endpoint_url_as_audience_fails(world: World) -> None:
    assert_as(world, aud=f"{ISSUER}/openid/token")
    with refused("invalid_client"):
        world.rp.begin()
