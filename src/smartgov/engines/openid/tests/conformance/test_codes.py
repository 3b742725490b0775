"""The OpenID Foundation's modules on codes, assertions and refreshing: each test bears a module's name."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

from smartgov.engines.openid.tests.conformance.suite import by_rs256, code, refused, without
from smartgov.engines.openid.tests.forging import assert_as
from smartgov.engines.openid.tests.world import World
from smartgov.engines.pki import keys
from smartgov.shared import clock


def test_fapi2_security_profile_final_ensure_client_id_in_token_endpoint(world: World) -> None:
    world.store.clients["other"] = replace(world.client, id="other")
    query, kept = code(world)
    real = world.rp._assertion
    world.rp._assertion = lambda: {**real(), "client_id": "other"}  # type: ignore[method-assign]
    with refused("invalid_client"):
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
