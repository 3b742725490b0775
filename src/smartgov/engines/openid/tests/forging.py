"""Assertions and proofs that are not as they should be: the party's own, with some members changed or left out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from smartgov.engines.openid import jose
from smartgov.engines.openid.tests.world import World
from smartgov.engines.pki import keys

Members = Mapping[str, Any]
"""What to put in place of the members of a token; None leaves one out."""


def assert_as(world: World, **claims: Any) -> None:
    """From now on the party's assertions say `claims`."""
    real = world.rp._assertion

    def forged() -> dict[str, str]:
        made = real()
        token = jose.read(made["client_assertion"])
        text = signed(world.key, changed(token.header, {}), changed(token.claims, claims))
        return {**made, "client_assertion": text}

    world.rp._assertion = forged  # type: ignore[method-assign]


def prove_as(world: World, header: Members | None = None, **claims: Any) -> None:
    """From now on the party's proofs say `claims`, and `header` in their headers."""
    real = world.rp._proof

    def forged(method: str, address: str, access_token: str = "") -> str:
        token = jose.read(real(method, address, access_token))
        return signed(world.rp.proof_key, changed(token.header, header or {}), changed(token.claims, claims))

    world.rp._proof = forged  # type: ignore[method-assign]


def changed(members: Members, by: Members) -> dict[str, Any]:
    """`members`, with those of `by`; None leaves one out."""
    return {name: value for name, value in {**members, **by}.items() if value is not None}


def signed(key: Any, header: Members, claims: Members) -> str:
    """A compact JWS with exactly this header, by a P-256 key."""
    content = ".".join(keys.b64url(json.dumps(part).encode()) for part in (header, claims))
    return f"{content}.{keys.b64url(keys.sign(key, content.encode()))}"
