"""The things of the provider: relying parties, authorizations and their life, tokens, relations. Plain values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Literal

from smartgov.shared.text import Text

REQUEST_LIFE = timedelta(seconds=90)
"""From the pushed request to the person's arrival (FAPI 2.0 section 5.3.2.2: less than 600 s)."""
INTERACTION_LIFE = timedelta(minutes=10)
CODE_LIFE = timedelta(seconds=60)
ACCESS_LIFE = timedelta(minutes=10)
MANDATE_LIFE = timedelta(minutes=5)
ID_TOKEN_LIFE = timedelta(minutes=10)
REFRESH_LIFE = timedelta(days=90)
CONSENT_LIFE = timedelta(days=365)

AuthMethod = Literal["private_key_jwt", "self_signed_tls_client_auth", "tls_client_auth", "client_secret_basic", "none"]
State = Literal["pushed", "opened", "approved", "granted", "redeemed", "refused", "revoked"]
# What may follow what; anything else is a bug or an attack, and the store refuses it.
FOLLOWS: Mapping[str, frozenset[str]] = {
    "pushed": frozenset({"opened", "granted", "refused"}),
    "opened": frozenset({"approved", "granted", "refused"}),
    "approved": frozenset({"granted", "refused"}),
    "granted": frozenset({"redeemed", "revoked"}),
    "redeemed": frozenset({"revoked"}),
    "refused": frozenset(),
    "revoked": frozenset(),
}


@dataclass(frozen=True, slots=True)
class Client:
    """A registered relying party. `profile` fapi2 is the rule; plain is code with PKCE until `sunset`, by permission.

    `sector` is the host whose members share pseudonyms (OpenID Connect Core 8.1). `purpose` is shown to people.
    `certificates` are base64url SHA-256 thumbprints (RFC 8705 3.1) for self-signed TLS; `tls_san_dns` names the DNS
    entry of a certificate that a trusted authority issued. `exchange_to` are clients for which it may exchange tokens.
    """

    id: str
    name: Text
    purpose: Text
    redirect_uris: tuple[str, ...] = ()
    jwks: tuple[Mapping[str, Any], ...] = ()
    profile: Literal["fapi2", "plain"] = "fapi2"
    sunset: date | None = None
    auth_method: AuthMethod = "private_key_jwt"
    sender: Literal["dpop", "mtls", "none"] = "dpop"
    certificates: tuple[str, ...] = ()
    tls_san_dns: str = ""
    secret_hash: str = ""
    scopes: frozenset[str] = frozenset({"openid"})
    details: frozenset[str] = frozenset()
    grants: frozenset[str] = frozenset({"authorization_code", "refresh_token"})
    sector: str = ""
    agency: str = ""
    post_logout_redirect_uris: tuple[str, ...] = ()
    backchannel_logout_uri: str = ""
    default_acr: tuple[str, ...] = ()
    default_max_age: int | None = None
    id_token_encrypted: bool = False
    mandates: bool = False
    exchange_to: frozenset[str] = frozenset()
    active: bool = True

    @property
    def pairwise_sector(self) -> str:
        """What its pseudonyms are made for."""
        return self.sector or self.id


@dataclass(frozen=True, slots=True)
class Authentication:
    """How a person was recognised, told to the provider by whoever did it.

    `level` is the authenticator assurance level 1 to 3 (NIST SP 800-63B). `session` is the platform's own id of the
    signed-in session. `remote` marks a sign-in that was approved on another device: it is never phishing-resistant.
    """

    subject: str
    session: str
    at: datetime
    level: int
    amr: tuple[str, ...] = ()
    phishing_resistant: bool = False
    hardware: bool = False
    remote: bool = False
    acting_for: str = ""
    mandate: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A checked authorization request: what the relying party wants, and how the person is to be recognised."""

    scopes: tuple[str, ...]
    redirect_uri: str = ""
    state: str = ""
    nonce: str = ""
    challenge: str = ""
    jkt: str = ""
    acr: tuple[str, ...] = ()
    acr_essential: bool = False
    max_age: int | None = None
    prompt: frozenset[str] = frozenset()
    claims: Mapping[str, Any] = field(default_factory=dict)
    details: tuple[Mapping[str, Any], ...] = ()
    login_hint: str = ""
    hint_sub: str = ""
    ui_locales: tuple[str, ...] = ()
    response_mode: str = "query"
    binding_message: str = ""


@dataclass(frozen=True, slots=True)
class Granted:
    """What the person gave: to whom it points (`sub`, the pseudonym), how they were recognised, for how long."""

    authentication: Authentication
    sub: str
    acr: str
    scopes: tuple[str, ...]
    until: datetime


@dataclass(frozen=True, slots=True)
class Authorization:
    """One request of a relying party and what became of it; the only thing here that has a life.

    `way` says how it came: pushed (`par`), plain browser parameters (`plain`), back channel (`ciba`). The secrets that
    lead to it (request_uri, code, auth_req_id) are stored as digests in `request_key` and `code_key`.
    """

    id: str
    client: str
    state: State
    asked: Asked
    way: Literal["par", "plain", "ciba"]
    created_at: datetime
    expires_at: datetime
    request_key: str = ""
    browser: str = ""
    code_key: str = ""
    code_expires_at: datetime | None = None
    granted: Granted | None = None
    number: str = ""
    subject: str = ""


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """An access or refresh token; only its digest is stored. `bound` is `jkt:...`, `x5t:...` or empty (plain profile).

    `actor` is the client acting for the person after a token exchange, `audience` the client it is meant for.
    """

    key: str
    kind: Literal["access", "refresh"]
    authorization: str
    client: str
    scopes: tuple[str, ...]
    issued_at: datetime
    expires_at: datetime
    bound: str = ""
    audience: str = ""
    sub: str = ""
    actor: Mapping[str, Any] | None = None
    used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Relation:
    """A person and a relying party: what was agreed, until when, and the generation of the pseudonym."""

    generation: int = 0
    scopes: frozenset[str] = frozenset()
    claims: frozenset[str] = frozenset()
    until: datetime | None = None

    def covers(self, scopes: tuple[str, ...], claims: frozenset[str], now: datetime) -> bool:
        """Whether the person has agreed to all of this before, and the agreement is in force."""
        return self.until is not None and now < self.until and set(scopes) <= self.scopes and claims <= self.claims


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that may be seen once: a `jti` of an assertion or proof; kept until `expires_at`."""

    kind: str
    value: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class DetailType:
    """One kind of rich authorization request (RFC 9396): `check` returns its cleaned members, or raises ValueError.

    `describe` says in both languages what the person would agree to. `needs_phishing_resistant`: refused to a sign-in
    that was approved on another device. `fill` gives the members that a token answer has besides, of the person who
    agreed.
    """

    name: str
    check: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    describe: Callable[[Mapping[str, Any]], Text]
    needs_phishing_resistant: bool = False
    fill: Callable[[Mapping[str, Any], Authentication], Mapping[str, Any]] | None = None
