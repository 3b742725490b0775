"""What the OpenID Foundation's suite asks of a back-channel provider in poll mode: each test bears a module's name."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from smartgov.engines.openid import remote
from smartgov.engines.openid.ciba import CIBA
from smartgov.engines.openid.client import SignInError
from smartgov.engines.openid.tests.conformance.suite import by_rs256, refused, without
from smartgov.engines.openid.tests.test_remote import ask, poll
from smartgov.engines.openid.tests.world import ISSUER, World
from smartgov.engines.pki import keys
from smartgov.shared import clock


@pytest.fixture
def world() -> World:
    return World(grants=frozenset({"authorization_code", "refresh_token", CIBA}))


def agree(world: World, asked: dict[str, Any]) -> dict[str, Any]:
    """The person agrees on the phone, and the client gets its tokens."""
    (found,) = world.store.waiting_for("person-1")
    assert remote.approve(world.provider, world.client, found, world.event(), asked["binding_number"])
    return poll(world, asked)


def other_client(world: World) -> Any:
    """Another registered client, with a key of its own."""
    key = keys.generate_p256()
    world.store.clients["other"] = replace(world.client, id="other", jwks=(keys.public_jwk(key.public_key()),))
    return world.relying_party("other", key=key)


def test_fapi_ciba_id1_discovery_end_point_verification(world: World) -> None:
    said = world.rp.metadata
    assert said["backchannel_token_delivery_modes_supported"] == ["poll"]
    assert CIBA in said["grant_types_supported"]
    assert said["backchannel_authentication_endpoint"] == f"{ISSUER}/openid/backchannel"
    assert said["backchannel_user_code_parameter_supported"] is False


def test_fapi_ciba_id1(world: World) -> None:
    answer = agree(world, ask(world))
    assert world.rp.userinfo(answer["access_token"])["name"] == "林美玲"
    second = other_client(world)
    with refused("invalid_token"):
        second.userinfo(answer["access_token"])


def test_fapi_ciba_id1_user_rejects_authentication(world: World) -> None:
    asked = ask(world)
    (found,) = world.store.waiting_for("person-1")
    assert world.store.refuse(found.id)
    with refused("access_denied"):
        poll(world, asked)


def test_fapi_ciba_id1_multiple_call_to_token_endpoint(world: World) -> None:
    asked = ask(world)
    said = []
    for _ in range(4):
        with pytest.raises(SignInError) as told:
            poll(world, asked)
        said.append(told.value.code)
    assert set(said) == {"authorization_pending", "slow_down"}


def test_fapi_ciba_id1_auth_req_id_expired(world: World) -> None:
    asked = ask(world, requested_expiry="10")
    assert asked["expires_in"] == 10
    with clock.travelling(delta=timedelta(seconds=11)), refused("expired_token"):
        poll(world, asked)


def test_fapi_ciba_id1_ensure_authorization_request_with_binding_message_succeeds(world: World) -> None:
    assert agree(world, ask(world, binding_message="1234"))


def test_fapi_ciba_id1_ensure_other_scope_order_succeeds(world: World) -> None:
    assert agree(world, ask(world, scope="profile openid"))


def test_fapi_ciba_id1_ensure_requested_expiry_as_string_succeeds(world: World) -> None:
    assert ask(world, requested_expiry="300")["expires_in"] == 120, "no longer than we allow"
    for wrong in ("0", "-1", "soon"):
        with refused("invalid_request"):
            ask(world, requested_expiry=wrong)


def test_fapi_ciba_id1_ensure_authorization_request_with_potentially_bad_binding_message(world: World) -> None:
    with refused("invalid_binding_message"):
        ask(world, binding_message="確認 £1234 這筆交易 \u2028" * 10)
    assert agree(world, ask(world, binding_message="確認這筆交易"))


def test_fapi_ciba_id1_ensure_authorization_request_with_multiple_hints_fails(world: World) -> None:
    with refused("invalid_request"):
        ask(world, id_token_hint=world.sign_in().id_token)


def test_fapi_ciba_id1_ensure_wrong_auth_req_id_in_token_endpoint_request(world: World) -> None:
    asked = ask(world)
    form = {"grant_type": CIBA, "auth_req_id": asked["auth_req_id"]}
    with refused("invalid_grant"):
        other_client(world).post("token_endpoint", form)


def test_fapi_ciba_id1_ensure_wrong_client_id_in_token_endpoint_request(world: World) -> None:
    asked = ask(world)
    real = world.rp._assertion
    world.rp._assertion = lambda: {**real(), "client_id": "other"}  # type: ignore[method-assign]
    with refused("invalid_client"):
        poll(world, asked)


def test_fapi_ciba_id1_ensure_wrong_client_id_in_backchannel_authorization_request(world: World) -> None:
    sub = world.sign_in().claims["sub"]
    real = world.rp._assertion
    world.rp._assertion = lambda: {**real(), "client_id": "other"}  # type: ignore[method-assign]
    with refused("invalid_client"):
        world.rp.post("backchannel_authentication_endpoint", {"scope": "openid", "login_hint": sub})


def test_fapi_ciba_id1_ensure_without_client_assertion_in_token_endpoint_request(world: World) -> None:
    asked = ask(world)
    without(world, "client_assertion")
    with refused("invalid_client"):
        poll(world, asked)


def test_fapi_ciba_id1_ensure_without_client_assertion_in_backchannel_authorization_request(world: World) -> None:
    sub = world.sign_in().claims["sub"]
    without(world, "client_assertion")
    with refused("invalid_client"):
        world.rp.post("backchannel_authentication_endpoint", {"scope": "openid", "login_hint": sub})


def test_fapi_ciba_id1_ensure_client_assertion_signature_algorithm_in_backchannel_authorization_request_is_rs256_fails(
    world: World,
) -> None:
    sub = world.sign_in().claims["sub"]
    by_rs256(world)
    with refused("invalid_client"):
        world.rp.post("backchannel_authentication_endpoint", {"scope": "openid", "login_hint": sub})


def test_fapi_ciba_id1_ensure_client_assertion_signature_algorithm_in_token_endpoint_request_is_rs256_fails(
    world: World,
) -> None:
    asked = ask(world)
    by_rs256(world)
    with refused("invalid_client"):
        poll(world, asked)


def test_fapi_ciba_id1_ensure_client_assertion_with_iss_aud_to_token_endpoint_succeeds(world: World) -> None:
    """The assertions of our client are always for the issuer."""
    assert agree(world, ask(world))["access_token"]


def test_fapi_ciba_id1_refresh_token(world: World) -> None:
    answer = agree(world, ask(world, scope="openid offline_access"))
    assert world.rp.refresh(answer["refresh_token"]).access_token
    with refused("invalid_grant"):
        other_client(world).refresh(answer["refresh_token"])


def test_fapi_ciba_id1_ensure_mtls_holder_of_key_required(world: World) -> None:
    """Ours asks for the DPoP key in the same place."""
    asked = ask(world)
    without(world, "dpop")
    with refused("invalid_dpop_proof"):
        poll(world, asked)


def test_fapi_ciba_request_objects_are_refused(world: World) -> None:
    with refused("request_not_supported"):
        ask(world, request="eyJ.eyJ.x")
