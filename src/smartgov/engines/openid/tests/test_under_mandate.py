"""Whatever a client does while somebody acts for another: its tokens say so, soon end, and reach no further."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from smartgov.engines.openid import authorizing, pushing, remote
from smartgov.engines.openid.client import SignInError
from smartgov.engines.openid.model import MANDATE_LIFE, Authorization, Client
from smartgov.engines.openid.tests.world import World
from smartgov.engines.openid.tokens import EXCHANGE
from smartgov.shared import clock

CHILD, MOTHER = "child-1", "person-1"
FORM = {
    "grant_type": EXCHANGE,
    "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
    "audience": "archive",
}


def registered(**client: Any) -> World:
    """A world whose client takes people who act for others and may pass tokens on to an archive."""
    world = World(mandates=True, grants=frozenset({"authorization_code", "refresh_token", EXCHANGE}), **client)
    world.store.clients["shop"] = replace(world.client, exchange_to=frozenset({"archive"}))
    archive: Client = replace(world.client, id="archive", redirect_uris=(), exchange_to=frozenset())
    world.store.clients["archive"] = archive
    world.rp.scope = "openid profile offline_access"
    return world


def acting(world: World) -> Any:
    return world.event(acting_for=CHILD, mandate="mandate-1")


def arrived(world: World, address: str) -> tuple[Authorization, Client]:
    """The pushed request, as a browser brings it."""
    return pushing.arrive(world.provider, dict(parse_qsl(urlsplit(address).query)))


@contextmanager
def refused(code: str) -> Iterator[None]:
    with pytest.raises(SignInError) as caught:
        yield
    assert caught.value.code == code


STEPS = st.lists(
    st.sampled_from(["refresh", "exchange", "userinfo", "introspect"])
    | st.integers(1, 200).map(lambda seconds: f"wait {seconds}"),
    min_size=1,
    max_size=8,
)


@settings(max_examples=60, deadline=None)
@given(STEPS)
@example(["wait 200", "refresh", "wait 150", "userinfo", "introspect", "exchange"])
def test_every_token_of_a_mandate_says_for_whom_and_none_outlives_five_minutes(steps: list[str]) -> None:
    world, waited = registered(), 0
    done = world.sign_in(acting(world))
    child = world.people.pseudonym(CHILD, "shop", 0)
    access = [done.access_token]
    for step in steps:
        if step.startswith("wait"):
            waited += int(step.split()[1])
            continue
        with clock.travelling(delta=timedelta(seconds=waited)):
            world.rp._nonce = ""
            over = waited >= MANDATE_LIFE.total_seconds()
            if over and step != "introspect":
                with pytest.raises(SignInError):
                    _do(world, done, access, step)
                continue
            said = _do(world, done, access, step)
            assert bool(said) != (over or step == "exchange")
            for claims in said:
                assert claims["act"]["sub"], claims
                if claims.get("client_id", "shop") == "shop":
                    assert claims["sub"] == child
                    assert claims["mandate"] == "mandate-1"
                if "exp" in claims and "iat" in claims:
                    assert claims["exp"] - claims["iat"] <= MANDATE_LIFE.total_seconds()


def _do(world: World, done: Any, access: list[str], step: str) -> list[dict[str, Any]]:
    """One step of a client; the claims that it learned, or SignInError (nothing from an introspection)."""
    if step == "refresh":
        renewed = world.rp.refresh(done.refresh_token)
        access.append(renewed.access_token)
        return [renewed.claims]
    if step == "exchange":
        passed = world.rp.post("token_endpoint", {**FORM, "subject_token": access[-1], "scope": "openid"})
        other = world.relying_party("archive")
        said = other.post("introspection_endpoint", {"token": passed["access_token"]})
        assert said["act"] == {"sub": "shop", "act": {"sub": done.claims["act"]["sub"]}}
        return []
    if step == "userinfo":
        return [world.rp.userinfo(access[-1])]
    said = world.rp.post("introspection_endpoint", {"token": access[-1]})
    return [said] if said["active"] else []


@given(st.sampled_from(["refresh", "exchange", "userinfo"]))
def test_a_mandate_that_no_longer_holds_ends_everything_at_once(step: str) -> None:
    world = registered()
    done = world.sign_in(acting(world))
    world.people.gone.add(MOTHER)
    with pytest.raises(SignInError):
        _do(world, done, [done.access_token], step)


@pytest.mark.parametrize("mandates", [True, False])
def test_nobody_signs_or_pays_as_the_represented(mandates: bool) -> None:
    world = World(mandates=mandates)
    details = [{"type": "payment", "amount": 5}]
    with refused("access_denied"):
        world.sign_in(acting(world), authorization_details=details)
    assert world.sign_in(authorization_details=details).details, "as herself she may"


def test_what_a_representative_agreed_to_is_nobodys_agreement() -> None:
    world = registered()
    world.sign_in(acting(world))
    assert world.store.relation(CHILD, "shop").until is None
    assert world.store.relation(MOTHER, "shop").until is None
    address, _ = world.rp.begin()
    found, client = arrived(world, address)
    assert authorizing.next_step(world.provider, client, found, acting(world)).kind == "consent"
    silent = replace(found, asked=replace(found.asked, prompt=frozenset({"none"})))
    step = authorizing.next_step(world.provider, client, silent, acting(world))
    assert step.error is not None
    assert step.error.code == "consent_required"


def test_nobody_acts_for_another_from_another_device() -> None:
    world = registered()
    address, _ = world.rp.begin()
    found, client = arrived(world, address)
    step = remote.step_for(world.provider, client, found, acting(world))
    assert step.error is not None
    assert step.error.code == "access_denied"
    assert not remote.approve(world.provider, client, found, acting(world), remote.number(world.provider, found))


def test_the_same_representative_is_recognised_by_nobody() -> None:
    world = registered()
    one = world.sign_in(acting(world)).claims["act"]["sub"]
    other = world.sign_in(world.event(acting_for="child-2", mandate="mandate-2")).claims["act"]["sub"]
    herself = world.sign_in().claims["sub"]
    assert len({one, other, herself}) == 3
