"""Clients and tokens that rest on TLS certificates (RFC 8705), and ID tokens for one reader only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from smartgov.engines.httpd import Request
from smartgov.engines.openid import jose, machine
from smartgov.engines.openid.client import SignInError
from smartgov.engines.openid.tests.world import World
from smartgov.engines.pki import jwe, keys


def certificate(name: str) -> bytes:
    key = keys.generate_p256()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "client")])
    now = datetime.now(UTC)
    built = x509.CertificateBuilder(subject, subject, key.public_key(), 1, now, now + timedelta(days=1))
    names = x509.SubjectAlternativeName([x509.DNSName(name)])
    return built.add_extension(names, critical=False).sign(key, SHA256()).public_bytes(Encoding.DER)


MINE, THEIRS = certificate("client.example.test"), certificate("other.example.test")


class TlsWorld(World):
    """As the world, over TLS with `shown` as the client's certificate."""

    shown: bytes | None = MINE

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        bare = {name: value for name, value in headers.items() if name != "dpop"}
        if "authorization" in bare:
            bare["authorization"] = bare["authorization"].replace("DPoP ", "Bearer ")
        request = Request(method, urlsplit(url).path, "", bare, body, self.shown)
        answer = machine.answer(self.provider, request)
        return answer.status, answer.headers, answer.body


def refused(code: str) -> Any:
    return pytest.raises(SignInError, match=f"^{code}:")


@pytest.mark.parametrize(
    "way",
    [
        {"auth_method": "self_signed_tls_client_auth", "certificates": (jose.digest(MINE),)},
        {"auth_method": "tls_client_auth", "tls_san_dns": "client.example.test"},
        {"auth_method": "private_key_jwt"},
    ],
)
def test_fapi2_security_profile_final_mtls(way: dict[str, Any]) -> None:
    world = TlsWorld(sender="mtls", **way)
    if way["auth_method"] != "private_key_jwt":
        world.rp._assertion = lambda: {"client_id": "shop"}  # type: ignore[method-assign]
    done = world.sign_in()
    assert world.rp.userinfo(done.access_token)["name"] == "林美玲"
    world.shown = THEIRS
    with refused("invalid_token"):
        world.rp.userinfo(done.access_token)
    if way["auth_method"] != "private_key_jwt":
        with refused("invalid_client"):
            world.rp.begin()
    world.shown = None
    with refused("invalid_token"):
        world.rp.userinfo(done.access_token)


def test_a_client_authenticates_only_as_it_registered() -> None:
    world = TlsWorld(auth_method="self_signed_tls_client_auth", certificates=(jose.digest(MINE),))
    with refused("invalid_client"):
        world.rp.begin()


def test_client_secret_basic_is_for_the_plain_profile_only() -> None:
    world = World(auth_method="client_secret_basic", secret_hash=jose.digest("secret"))
    world.rp._assertion = lambda: {"client_id": "shop"}  # type: ignore[method-assign]
    with refused("invalid_client"):
        world.rp.begin()


def test_an_encrypted_id_token_is_for_one_reader() -> None:
    secret = keys.generate_p256()
    world = World()
    reader = {**keys.public_jwk(secret.public_key()), "use": "enc"}
    world.store.clients["shop"] = replace(world.client, jwks=(*world.client.jwks, reader), id_token_encrypted=True)
    world.rp._signed_in = lambda answer, nonce="": answer  # type: ignore[method-assign]
    answer = world.sign_in()
    opened, header = jwe.decrypt(answer["id_token"], secret)
    assert header["cty"] == "JWT"
    assert jose.read(opened.decode()).claims["aud"] == "shop"
