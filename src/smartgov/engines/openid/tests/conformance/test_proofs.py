"""The OpenID Foundation's modules on proofs of possession: each test bears a module's name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from smartgov.engines.openid import jose
from smartgov.engines.openid.client import SignInError
from smartgov.engines.openid.tests.conformance.suite import USERINFO, code, print_of, refused, without
from smartgov.engines.openid.tests.forging import prove_as
from smartgov.engines.openid.tests.world import ISSUER, World
from smartgov.engines.pki import keys
from smartgov.shared import clock


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


def test_fapi2_security_profile_final_ensure_holder_of_key_required(world: World) -> None:
    query, kept = code(world)
    without(world, "dpop")
    with refused("invalid_dpop_proof"):
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
