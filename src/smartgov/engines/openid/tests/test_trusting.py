"""What a client takes for the provider's word, what the provider takes for a client's, and for how long."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest
from joserfc import jwk

from smartgov.engines.openid import jose
from smartgov.engines.openid.ciba import CIBA
from smartgov.engines.openid.claims import sign
from smartgov.engines.openid.client import LOGOUT_EVENT, SignInError
from smartgov.engines.openid.tests.world import ISSUER, World
from smartgov.engines.openid.tokens import EXCHANGE
from smartgov.shared import clock


@pytest.fixture
def world() -> World:
    return World()


@contextmanager
def refused(code: str) -> Iterator[None]:
    with pytest.raises(SignInError) as caught:
        yield
    assert caught.value.code == code


def now() -> int:
    return int(clock.now().timestamp())


def logout(world: World, *, typ: str = "logout+jwt", without: str = "", **other: Any) -> str:
    """A logout token by the provider's own key, as right or as wrong as wanted."""
    members = {"iss": ISSUER, "aud": "shop", "iat": now(), "exp": now() + 120, "jti": "j", "sid": "s", "sub": "x"}
    members |= {"events": {LOGOUT_EVENT: {}}, **other}
    return sign(world.provider, {name: value for name, value in members.items() if name != without}, typ)


def test_a_right_logout_token_is_believed(world: World) -> None:
    assert world.rp.logout_token(logout(world))["sid"] == "s"
    assert world.rp.logout_token(logout(world, without="sid"))["sub"] == "x"


@pytest.mark.parametrize(
    "wrong",
    [
        {"typ": "JWT"},
        {"typ": "at+jwt"},
        {"without": "events"},
        {"events": {"http://schemas.openid.net/event/other": {}}},
        {"nonce": "n"},
        {"aud": "another"},
        {"iss": "https://evil.test"},
        {"exp": 1},
        {"without": "exp"},
    ],
    ids=str,
)
def test_a_logout_token_that_is_wrong_in_one_thing_ends_nothing(world: World, wrong: dict[str, Any]) -> None:
    with refused("untrusted"):
        world.rp.logout_token(logout(world, **wrong))


def test_a_logout_token_about_nobody_ends_nothing(world: World) -> None:
    about_nobody = logout(world, without="sid", sub=None)
    claims = {name: value for name, value in jose.read(about_nobody).claims.items() if name != "sub"}
    with refused("untrusted"):
        world.rp.logout_token(sign(world.provider, claims, "logout+jwt"))


@pytest.mark.parametrize("wrong", [{"exp": 1}, {"nbf": 9_999_999_999}], ids=str)
def test_an_id_token_counts_within_its_time_only(world: World, wrong: dict[str, int]) -> None:
    done = world.sign_in()
    late = sign(world.provider, {**done.claims, **wrong}, "JWT")
    with refused("untrusted"):
        world.rp._verified(late, "JWT")


@pytest.mark.parametrize(
    "wrong",
    [{"exp": 1}, {"nbf": 9_999_999_999}, {"iat": 9_999_999_999}, {"exp": 9_999_999_999}, {"exp": "soon"}],
    ids=str,
)
def test_an_assertion_counts_within_its_time_only(world: World, wrong: dict[str, Any]) -> None:
    real = world.rp._assertion

    def forged() -> dict[str, str]:
        made = real()
        claims = {**jose.read(made["client_assertion"]).claims, **wrong}
        return {**made, "client_assertion": jose.sign(claims, jwk.ECKey.import_key(world.key), kid="", typ="JWT")}

    world.rp._assertion = forged  # type: ignore[method-assign]
    with refused("invalid_client"):
        world.rp.begin()


@pytest.mark.parametrize("door", ["par", "token", "revoke", "introspect", "backchannel"])
def test_each_door_for_programs_asks_who_calls(world: World, door: str) -> None:
    form = {"client_id": "shop", "grant_type": "authorization_code", "code": "x", "token": "x", "login_hint": "x"}
    headers = {"content-type": "application/x-www-form-urlencoded"}
    address = next(
        value
        for name, value in world.rp.metadata.items()
        if name.endswith("_endpoint") and door in value.replace("/openid/", "") and value.startswith(ISSUER)
    )
    status, _, body = world.send("POST", address, headers, urlencode(form).encode())
    assert (status, b"invalid_client" in body) == (401, True), address


@pytest.mark.parametrize(
    "form",
    [
        {"grant_type": "refresh_token", "refresh_token": "x"},
        {"grant_type": CIBA, "auth_req_id": "x"},
        {"grant_type": EXCHANGE, "subject_token": "x"},
        {"grant_type": "client_credentials"},
        {"grant_type": "password", "username": "x", "password": "x"},
    ],
    ids=lambda form: form["grant_type"].rsplit(":", 1)[-1],
)
def test_a_client_uses_only_the_grants_that_it_registered(world: World, form: dict[str, str]) -> None:
    world.store.clients["shop"] = replace(world.client, grants=frozenset({"authorization_code"}))
    with pytest.raises(SignInError) as caught:
        world.rp.post("token_endpoint", form)
    assert caught.value.code in {"unauthorized_client", "unsupported_grant_type"}
    assert world.sign_in().claims["sub"], "what it registered for it may"
