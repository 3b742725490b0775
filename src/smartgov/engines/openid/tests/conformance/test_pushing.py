"""The OpenID Foundation's modules on pushed requests and PKCE: each test bears a module's name."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from smartgov.engines.openid import authorizing, pushing
from smartgov.engines.openid.errors import NotAnsweredToClientError
from smartgov.engines.openid.params import form
from smartgov.engines.openid.tests.conformance.suite import code, refused, without
from smartgov.engines.openid.tests.forging import assert_as
from smartgov.engines.openid.tests.world import ISSUER, World
from smartgov.shared import clock


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
