"""Levels, step-up, freshness: which sign-in is enough."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartgov.engines.openid import authorizing, levels, pushing
from smartgov.engines.openid.levels import AAL1, AAL2, AAL3, PHR, PHRH, decide, satisfies
from smartgov.engines.openid.model import Authentication
from smartgov.engines.openid.params import form
from smartgov.engines.openid.tests.world import World
from smartgov.shared import clock

PASSKEY = Authentication("p", "s", clock.now(), 2, ("swk",), phishing_resistant=True)
CARD = Authentication("p", "s", clock.now(), 3, ("hwk",), phishing_resistant=True, hardware=True)
PHONE = Authentication("p", "s", clock.now(), 2, ("swk",))
events = st.builds(
    Authentication,
    subject=st.just("p"),
    session=st.just("s"),
    at=st.just(clock.now()),
    level=st.integers(1, 3),
    phishing_resistant=st.booleans(),
    hardware=st.booleans(),
    remote=st.booleans(),
)


@pytest.mark.parametrize(
    ("event", "met"), [(PHONE, {AAL1, AAL2}), (PASSKEY, {AAL1, AAL2, PHR}), (CARD, {AAL1, AAL2, AAL3, PHR, PHRH})]
)
def test_what_each_way_is_worth(event: Authentication, met: set[str]) -> None:
    assert {acr for acr in levels.SUPPORTED if satisfies(event, acr)} == met


@given(events)
def test_a_remote_approval_is_never_resistant_to_phishing(event: Authentication) -> None:
    if event.remote:
        assert not {acr for acr in (PHR, PHRH, AAL3) if satisfies(event, acr)}
    assert satisfies(event, levels.reached(event)) or event.level < 1


@given(st.permutations(levels.SUPPORTED), events, st.sets(st.sampled_from(levels.SUPPORTED)), st.booleans())
def test_the_first_satisfiable_in_the_clients_order(
    wanted: list[str], event: Authentication, reachable: set[str], essential: bool
) -> None:
    verdict = decide(tuple(wanted), event, reachable, essential=essential)
    possible = [acr for acr in wanted if satisfies(event, acr) or acr in reachable]
    assert possible, "aal1 is always met"
    assert verdict.acr == possible[0]
    assert (verdict.kind == "met") == satisfies(event, possible[0])


def test_an_essential_level_out_of_reach_is_refused() -> None:
    assert decide((PHRH,), PHONE, (), essential=True).kind == "unmet"
    assert decide((PHRH,), PHONE, (), essential=False) == levels.Verdict("met", AAL2)
    assert decide(("unknown",), PHONE, (), essential=True).kind == "unmet"


def step(world: World, event: Authentication | None, **wanted: str) -> authorizing.Step:
    address, _ = world.rp.begin(**wanted)
    found, client = pushing.arrive(world.provider, form(urlsplit(address).query))
    return authorizing.next_step(world.provider, client, found, event)


def essential(acr: str) -> str:
    return f'{{"id_token": {{"acr": {{"essential": true, "values": ["{acr}"]}}}}}}'


def test_step_up_and_refusal_in_the_flow() -> None:
    world = World()
    event = world.event(phishing_resistant=False)
    assert step(world, event, acr_values="phr") == authorizing.Step("sign-in", "phr")
    assert step(world, event, claims=essential("phr")) == authorizing.Step("sign-in", "phr")
    unmet = step(world, event, claims=essential("phrh"))
    assert unmet.error is not None
    assert unmet.error.code == "unmet_authentication_requirements"
    # A remote approval cannot step up, so an essential wish is refused and a voluntary one told the truth.
    remote = world.event(remote=True)
    assert step(world, remote, claims=essential("phr")).kind == "refuse"
    told = step(world, remote, acr_values="phr")
    assert (told.kind, told.acr) == ("consent", AAL2)


def test_oidcc_prompt_none_not_logged_in() -> None:
    found = step(World(), None, prompt="none")
    assert found.error is not None
    assert found.error.code == "login_required"


def test_oidcc_prompt_login_and_max_age_1() -> None:
    world = World()
    old = world.event(at=clock.now() - timedelta(seconds=100))
    assert step(world, old).kind == "consent"
    assert step(world, old, prompt="login").kind == "sign-in"
    assert step(world, old, max_age="1").kind == "sign-in"
    assert step(world, old, max_age="10000").kind == "consent"
    assert step(world, old, max_age="1", prompt="none").kind == "refuse"


def test_oidcc_id_token_hint_of_another_person() -> None:
    world = World()
    hint = world.sign_in().id_token
    assert step(world, world.event(), id_token_hint=hint).kind == "finish"
    assert step(world, world.event(subject="person-2"), id_token_hint=hint).kind == "sign-in"
    assert step(world, world.event(subject="person-2"), id_token_hint=hint, prompt="none").kind == "refuse"
