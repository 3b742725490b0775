"""The OpenID Foundation's modules on authorization requests: each test bears a module's name."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from smartgov.engines.openid import pushing
from smartgov.engines.openid.errors import NotAnsweredToClientError
from smartgov.engines.openid.tests.conformance.suite import code, refused, without
from smartgov.engines.openid.tests.world import CALLBACK, ISSUER, World


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
