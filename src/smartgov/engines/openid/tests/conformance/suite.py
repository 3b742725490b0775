"""What the tests of this folder do again and again: a code is fetched, a form is sent incomplete."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from smartgov.engines.openid import jose
from smartgov.engines.openid.client import SignInError
from smartgov.engines.openid.params import form
from smartgov.engines.openid.tests.world import ISSUER, World
from smartgov.engines.pki import keys

USERINFO = f"{ISSUER}/openid/userinfo"


def refused(code: str) -> Any:
    return pytest.raises(SignInError, match=f"^{code}:")


def code(world: World, **wanted: Any) -> tuple[str, dict[str, str]]:
    """The query with a code that a browser brings back, and what the client kept."""
    address, kept = world.rp.begin(**wanted)
    return urlsplit(world.visit(address)).query, kept


def print_of(key: Any) -> str:
    return jose.thumbprint(keys.public_jwk(key.public_key()))


def without(world: World, name: str) -> None:
    """From now on the client's forms lack a parameter, or its requests a header."""
    real = world.rp.send

    def send(method: str, url: str, headers: Any, body: bytes) -> Any:
        kept = {each: value for each, value in headers.items() if each != name}
        given = form(body)
        given.pop(name, None)
        return real(method, url, kept, urlencode(given).encode())

    world.rp.send = send


def by_rs256(world: World) -> None:
    """From now on the client's assertions say that they are signed by RS256."""
    real = world.rp._assertion

    def forged() -> dict[str, str]:
        made = real()
        _, content, signature = made["client_assertion"].split(".")
        header = keys.b64url(b'{"alg":"RS256","typ":"JWT"}')
        return {**made, "client_assertion": f"{header}.{content}.{signature}"}

    world.rp._assertion = forged  # type: ignore[method-assign]
