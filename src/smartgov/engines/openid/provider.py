"""The provider as one value: its name, its storage, its keys, and the addresses of its doors."""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from smartgov.engines.openid.keyring import Signer
from smartgov.engines.openid.model import DetailType
from smartgov.engines.openid.store import People, Store
from smartgov.shared import clock

PATHS: Mapping[str, str] = {
    "authorization_endpoint": "/openid/authorize",
    "pushed_authorization_request_endpoint": "/openid/par",
    "token_endpoint": "/openid/token",
    "userinfo_endpoint": "/openid/userinfo",
    "jwks_uri": "/openid/jwks",
    "introspection_endpoint": "/openid/introspect",
    "revocation_endpoint": "/openid/revoke",
    "end_session_endpoint": "/openid/end-session",
    "backchannel_authentication_endpoint": "/openid/backchannel",
}
# Which claims a scope stands for (OpenID Connect Core 5.4, and the national id for agencies that may have it).
SCOPE_CLAIMS: Mapping[str, frozenset[str]] = {
    "openid": frozenset(),
    "profile": frozenset({"name"}),
    "email": frozenset({"email", "email_verified"}),
    "national_id": frozenset({"national_id"}),
    "offline_access": frozenset(),
}


@dataclass(frozen=True, slots=True)
class Provider:
    """Everything that the doors share. `secret` (32 bytes) makes nonces and sids; `loopback` allows http on loopback.

    `reachable` tells the acr values that people of this platform can reach by signing in again.
    """

    issuer: str
    store: Store
    people: People
    signer: Signer
    secret: bytes
    details: Mapping[str, DetailType] = field(default_factory=dict)
    reachable: Callable[[], Collection[str]] = tuple
    loopback: bool = False
    now: Callable[[], datetime] = clock.now

    def url(self, endpoint: str) -> str:
        """The address of an endpoint by its name in the metadata; of a door elsewhere, the address that is given."""
        return endpoint if "://" in endpoint else self.issuer + PATHS[endpoint]

    def mac(self, purpose: str, *parts: str) -> str:
        """An unguessable short name of `parts`, the same for all processes; one purpose tells nothing of another."""
        return mac(self.secret, purpose, *parts)

    def sid(self, session: str, client: str) -> str:
        """The `sid` of a session for one client: two clients cannot compare theirs."""
        return self.mac("sid", session, client)


def mac(secret: bytes, purpose: str, *parts: str) -> str:
    """192 bits that nobody can guess without `secret`, in base64url."""
    content = "\n".join((purpose, *parts)).encode()
    return base64.urlsafe_b64encode(hmac.digest(secret, content, "sha256")[:24]).decode()


def digits(secret: str) -> str:
    """Two digits that stand for `secret` on two screens: 10 to 99."""
    return str(int.from_bytes(secret.encode()[:8], "big") % 90 + 10)


def new_secret() -> str:
    """256 random bits for codes, tokens and request_uris (RFC 6749 10.10 asks for 128)."""
    return secrets.token_urlsafe(32)


def seconds(moment: datetime) -> int:
    """A NumericDate (RFC 7519)."""
    return int(moment.timestamp())
