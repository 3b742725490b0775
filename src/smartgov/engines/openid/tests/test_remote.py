"""Approval from another device: codes to scan, back-channel requests, numbers, and what they can never give."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartgov.engines.openid import authorizing, pushing, remote
from smartgov.engines.openid.ciba import CIBA
from smartgov.engines.openid.client import SignInError
from smartgov.engines.openid.levels import AAL2
from smartgov.engines.openid.model import FOLLOWS, Authorization
from smartgov.engines.openid.params import form
from smartgov.engines.openid.tests.world import World
from smartgov.shared import clock


@pytest.fixture
def world() -> World:
    return World(grants=frozenset({"authorization_code", CIBA}))


def waiting(world: World, **wanted: Any) -> tuple[Authorization, dict[str, str]]:
    address, kept = world.rp.begin(**wanted)
    found, _ = pushing.arrive(world.provider, form(urlsplit(address).query))
    authorizing.open_for(world.provider, found, "desk")
    return opened(world, found.id), kept


def opened(world: World, name: str) -> Authorization:
    found = authorizing.opened(world.provider, name, "desk")
    assert found is not None
    return found[0]


def refused(code: str) -> Any:
    return pytest.raises(SignInError, match=f"^{code}:")


def test_a_scanned_code_signs_the_waiting_browser_in(world: World) -> None:
    found, kept = waiting(world)
    linked = remote.linked(world.provider, remote.link_code(world.provider, found))
    assert linked is not None
    number = remote.number(world.provider, found)
    assert number in remote.choices(world.provider, found)
    assert remote.arrived(world.provider, world.client, found) is None
    assert remote.approve(world.provider, world.client, linked[0], world.event(level=3, hardware=True), number)
    address = remote.arrived(world.provider, world.client, opened(world, found.id))
    assert address is not None
    claims = world.rp.finish(urlsplit(address).query, kept).claims
    assert claims["acr"] == AAL2
    assert "swk" not in claims["amr"]


def test_a_link_code_lives_sixty_seconds_at_most(world: World) -> None:
    found, _ = waiting(world)
    code = remote.link_code(world.provider, found)
    with clock.travelling(delta=timedelta(seconds=60)):
        assert remote.linked(world.provider, code) is None
    assert remote.linked(world.provider, code[:-1] + ("A" if code[-1] != "A" else "B")) is None
    assert remote.linked(world.provider, found.id) is None


def test_the_wrong_number_refuses_for_good(world: World) -> None:
    found, _ = waiting(world)
    wrong = next(each for each in remote.choices(world.provider, found) if each != remote.number(world.provider, found))
    assert not remote.approve(world.provider, world.client, found, world.event(), wrong)
    assert world.store.authorizations[found.id].state == "refused"


def test_what_needs_a_passkey_is_not_approved_from_elsewhere(world: World) -> None:
    wanted = {"authorization_details": [{"type": "payment", "amount": 1}]}
    essential = {"claims": {"id_token": {"acr": {"essential": True, "values": ["phr"]}}}}
    for each in (wanted, essential):
        found, _ = waiting(world, **each)
        number = remote.number(world.provider, found)
        assert not remote.approve(world.provider, world.client, found, world.event(), number)


def ask(world: World, **more: str) -> dict[str, Any]:
    sub = world.sign_in().claims["sub"]
    form = {"scope": "openid profile", "login_hint": sub, "binding_message": "Counter 3"}
    return world.rp.post("backchannel_authentication_endpoint", {**form, **more})


def poll(world: World, asked: dict[str, Any]) -> dict[str, Any]:
    return world.rp.post("token_endpoint", {"grant_type": CIBA, "auth_req_id": asked["auth_req_id"]})


def test_fapi_ciba_poll(world: World) -> None:
    asked = ask(world)
    with clock.travelling(delta=timedelta(seconds=1)):
        with refused("authorization_pending"):
            poll(world, asked)
        with refused("slow_down"):
            for _ in range(3):
                try:
                    poll(world, asked)
                except SignInError as error:
                    if error.code != "authorization_pending":
                        raise
    (found,) = world.store.waiting_for("person-1")
    assert found.number == asked["binding_number"]
    assert remote.approve(world.provider, world.client, found, world.event(), asked["binding_number"])
    answer = poll(world, asked)
    assert world.rp.userinfo(answer["access_token"])["name"] == "林美玲"
    assert world.rp._signed_in(answer).claims["acr"] == AAL2
    with refused("invalid_grant"):
        poll(world, asked)


def test_a_refused_or_forgotten_request(world: World) -> None:
    asked = ask(world)
    (found,) = world.store.waiting_for("person-1")
    world.store.refuse(found.id)
    with refused("access_denied"):
        poll(world, asked)
    asked = ask(world)
    with clock.travelling(delta=timedelta(seconds=121)), refused("expired_token"):
        poll(world, asked)


def test_who_may_ask_for_whom(world: World) -> None:
    with refused("unknown_user_id"):
        ask(world, login_hint="nobody")
    with refused("invalid_request"):
        ask(world, id_token_hint="x")
    with refused("access_denied"):
        ask(world, acr_values="phr")
    with refused("access_denied"):
        ask(world, authorization_details='[{"type": "payment", "amount": 1}]')
    with refused("invalid_binding_message"):
        ask(world, binding_message="x" * 61)
    world.store.clients["shop"] = replace(world.client, grants=frozenset({"authorization_code"}))
    with refused("unauthorized_client"):
        ask(world)


@given(st.lists(st.sampled_from(["open", "approve", "grant", "refuse", "redeem", "revoke"]), max_size=12))
def test_an_authorization_goes_only_where_it_may(deeds: list[str]) -> None:
    """However the verbs are called, states follow each other as the table says, and a code is redeemed once."""
    world = World()
    address, _ = world.rp.begin()
    found, client = pushing.arrive(world.provider, form(urlsplit(address).query))
    step = authorizing.next_step(world.provider, client, found, world.event())
    store, now, redeemed = world.store, clock.now(), 0
    for deed in deeds:
        before = store.authorizations[found.id]
        if deed == "open":
            store.open(found.id, browser="b", expires_at=now)
        elif deed == "approve":
            remote.approve(world.provider, client, before, world.event(), remote.number(world.provider, before))
        elif deed == "grant":
            authorizing.finish(world.provider, client, before, world.event(), step, agreed=True)
        elif deed == "refuse":
            store.refuse(found.id)
        elif deed == "redeem":
            redeemed += store.redeem(found.id, [])
        else:
            store.revoke(found.id, "test")
        after = store.authorizations[found.id].state
        assert after == before.state or after in FOLLOWS[before.state]
    assert redeemed <= 1
