"""Which client is asking: private_key_jwt (RFC 7523), TLS certificates (RFC 8705), what the plain profile allows."""

from __future__ import annotations

import base64
import binascii
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from smartgov.engines.httpd import Request
from smartgov.engines.openid import dpop, jose
from smartgov.engines.openid.errors import OAuthError
from smartgov.engines.openid.model import Client, Mark
from smartgov.engines.openid.provider import Provider

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
MAX_LIFE = timedelta(minutes=5)
LEEWAY = 10


def authenticate(provider: Provider, request: Request, given: dict[str, str]) -> tuple[Client, tuple[Mark, ...]]:
    """The client that sent `request`, proven by exactly the method that it registered, and what is used up by that.

    Raises `invalid_client`, which says no more to a stranger than that.
    """
    assertion = _read(given)
    client = provider.store.client(_named(request, given, assertion))
    if client is None or not client.active:
        raise _no("the client is not registered here or is not active")
    require_in_force(provider, client)
    if "client_assertion" in given and client.auth_method != "private_key_jwt":
        raise _no("the client is registered for another way to authenticate")
    if client.auth_method == "private_key_jwt":
        return client, (_checked(provider, client, given, assertion),)
    check = {
        "self_signed_tls_client_auth": _known_certificate,
        "tls_client_auth": _named_certificate,
        "client_secret_basic": _secret,
        "none": _public,
    }[client.auth_method]
    check(client, request, given)
    return client, ()


def use_up(provider: Provider, assertion: tuple[Mark, ...], proof: tuple[Mark, ...] = ()) -> None:
    """Use up what proved the client and its key; a replay of either is refused."""
    marks = (*assertion, *proof)
    seen = provider.store.seen_before(*marks) if marks else ()
    if any(mark in assertion for mark in seen):
        raise OAuthError("invalid_client", "the assertion was used before")
    if seen:
        raise OAuthError("invalid_dpop_proof", "the proof was used before")


def require_in_force(provider: Provider, client: Client) -> None:
    """The plain profile ends at its sunset; `unauthorized_client` from that day on."""
    if client.profile == "fapi2":
        return
    if client.sunset is None or provider.now().date() >= client.sunset:
        raise OAuthError("unauthorized_client", "the plain profile of this client has ended; use FAPI 2.0")


def _named(request: Request, given: dict[str, str], assertion: jose.Token | None) -> str:
    issuer = assertion.claims.get("iss") if assertion else ""
    names = {name for name in (given.get("client_id"), issuer, _basic(request)[0]) if name and isinstance(name, str)}
    if len(names) != 1:
        raise _no("the request names no client, or more than one")
    return names.pop()


def _read(given: dict[str, str]) -> jose.Token | None:
    try:
        return jose.read(given["client_assertion"]) if given.get("client_assertion") else None
    except jose.BadTokenError as error:
        raise _no(str(error)) from None


def _checked(provider: Provider, client: Client, given: dict[str, str], token: jose.Token | None) -> Mark:
    if given.get("client_assertion_type") != ASSERTION or token is None:
        raise _no("a client assertion is missing")
    try:
        jose.verify(token, client.jwks)
    except jose.BadTokenError as error:
        raise _no(str(error)) from None
    claims = token.claims
    if token.header.get("typ", "JWT").lower() not in {"jwt", "client-authentication+jwt"}:
        raise _no("the assertion is of another type")
    if claims.get("iss") != client.id or claims.get("sub") != client.id:
        raise _no("iss and sub are not the client")
    # FAPI 2.0 section 5.3.2.1: the issuer, as a string, so that no other server can use the assertion.
    if claims.get("aud") != provider.issuer:
        raise _no("aud is not this issuer, as a string")
    return _assertion_mark(provider, client, claims)


def _assertion_mark(provider: Provider, client: Client, claims: dict[str, Any]) -> Mark:
    now, end, jti = provider.now().timestamp(), claims.get("exp"), claims.get("jti")
    starts = [claims[name] for name in ("nbf", "iat") if name in claims]
    if any(isinstance(each, bool) or not isinstance(each, int | float) for each in (end, *starts)):
        raise _no("the assertion's times are missing or are not numbers")
    assert isinstance(end, int | float)
    if not now - LEEWAY < end <= now + MAX_LIFE.total_seconds() + LEEWAY or any(s > now + LEEWAY for s in starts):
        raise _no("the assertion has expired, is not in force yet, or lives for more than five minutes")
    if not isinstance(jti, str) or not 8 <= len(jti) <= 256:
        raise _no("jti has not between 8 and 256 characters")
    expires = provider.now() + MAX_LIFE + timedelta(seconds=2 * LEEWAY)
    return Mark("assertion", jose.digest(f"{client.id}\n{jti}"), expires)


def _known_certificate(client: Client, request: Request, given: dict[str, str]) -> None:
    shown = dpop.certificate_thumbprint(request)
    if not shown or not any(jose.same(shown, known) for known in client.certificates):
        raise _no("the certificate is not one that the client registered")


def _named_certificate(client: Client, request: Request, given: dict[str, str]) -> None:
    """The chain was checked by whoever ended TLS; here only the name counts."""
    if not request.peer_cert or not client.tls_san_dns:
        raise _no("there is no client certificate")
    try:
        certificate = x509.load_der_x509_certificate(request.peer_cert)
        names = certificate.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
    except (ValueError, x509.ExtensionNotFound):
        raise _no("the certificate has no alternative name") from None
    assert isinstance(names, x509.SubjectAlternativeName)
    if client.tls_san_dns not in names.get_values_for_type(x509.DNSName):
        raise _no("the certificate is for another name")


def _secret(client: Client, request: Request, given: dict[str, str]) -> None:
    _, secret = _basic(request)
    # A client secret has 256 random bits, so one SHA-256 is enough; slow hashes are for what people choose.
    if client.profile != "plain" or not jose.same(jose.digest(secret), client.secret_hash):
        raise _no("the client secret is wrong")


def _public(client: Client, request: Request, given: dict[str, str]) -> None:
    if client.profile != "plain":
        raise _no("FAPI 2.0 knows no public clients")


def _basic(request: Request) -> tuple[str, str]:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        name, colon, secret = base64.b64decode(value, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise _no("the Authorization header cannot be read") from None
    if not colon:
        raise _no("the Authorization header cannot be read")
    return unquote(name), unquote(secret)


def _no(description: str) -> OAuthError:
    return OAuthError("invalid_client", description, headers={"www-authenticate": 'Basic realm="openid"'})
