"""OpenID for Verifiable Credential Issuance 1.0: offers, tokens for them, nonces, and batches of credentials.

Pre-authorised codes come with a transaction code that is told another way. A batch has a key of the holder's for each
credential, so that no two presentations can be linked by the key, the signature or the place in the status list.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from smartgov.engines.credential import tokens
from smartgov.engines.credential.memory import Memory
from smartgov.engines.credential.sdjwt import TYPE
from smartgov.engines.pki import keys
from smartgov.shared import clock
from smartgov.shared.text import Text

PRE_AUTHORISED = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
DETAIL = "openid_credential"
PROOF_TYPE = "openid4vci-proof+jwt"
SMALLEST_BATCH, LARGEST_BATCH = 1, 50
OFFER_LIFE = timedelta(minutes=10)
TOKEN_LIFE = timedelta(minutes=10)
NONCE_LIFE = timedelta(minutes=5)
TX_CODE_LENGTH = 6
TX_CODE_TRIES = 5
_PROOF_SLACK = 300
Mint = Callable[[Mapping[str, Any], str, list[dict[str, str]]], list[str]]
"""Makes the credentials: gets what was granted, the configuration's id, and the holder's public keys, one each."""


class ProtocolError(Exception):
    """An error in OAuth's form: `error` is the code that wallets understand, `status` the HTTP status."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(error)
        self.error, self.description, self.status = error, description, status

    def as_dict(self) -> dict[str, str]:
        """The body of the answer."""
        return {"error": self.error, "error_description": self.description}


@dataclass(frozen=True, slots=True)
class Configuration:
    """A kind of credential on offer; `claims` are its paths with their names for people."""

    id: str
    vct: str
    name: Text
    claims: tuple[tuple[tuple[str, ...], Text], ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Its part of the metadata."""
        return {
            "format": TYPE,
            "vct": self.vct,
            "scope": self.id,
            "cryptographic_binding_methods_supported": ["jwk"],
            "credential_signing_alg_values_supported": ["ES256"],
            "proof_types_supported": {"jwt": {"proof_signing_alg_values_supported": ["ES256"]}},
            "credential_metadata": {
                "display": _display(self.name),
                "claims": [{"path": list(path), "display": _display(name)} for path, name in self.claims],
            },
        }


@dataclass(frozen=True, slots=True)
class Offer:
    """What the wallet scans, and the code that the holder types."""

    uri: str
    tx_code: str
    content: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Granted:
    """One credential that the holder of a token may have: its kind, and what `Mint` is given."""

    configuration: str
    grant: Mapping[str, Any]


class Issuer:
    """One credential issuer at the address `url`; its endpoints lie below it.

    `server` is the OpenID provider where holders may sign in instead of bringing a code (the code flow).
    """

    def __init__(
        self,
        url: str,
        configurations: Mapping[str, Configuration],
        memory: Memory,
        mint: Mint,
        *,
        name: Text,
        server: str = "",
    ) -> None:
        self.url, self._name, self._server = url.rstrip("/"), name, server
        self._configurations, self._memory, self._mint = dict(configurations), memory, mint

    def metadata(self) -> dict[str, Any]:
        """`/.well-known/openid-credential-issuer`."""
        return {
            "credential_issuer": self.url,
            "credential_endpoint": f"{self.url}/credential",
            "nonce_endpoint": f"{self.url}/nonce",
            **({"authorization_servers": [self.url, self._server]} if self._server else {}),
            "batch_credential_issuance": {"batch_size": LARGEST_BATCH},
            "display": _display(self._name),
            "credential_configurations_supported": {one.id: one.as_json() for one in self._configurations.values()},
        }

    def server_metadata(self) -> dict[str, Any]:
        """`/.well-known/oauth-authorization-server` of the issuer's own token endpoint."""
        return {
            "issuer": self.url,
            "token_endpoint": f"{self.url}/token",
            "token_endpoint_auth_methods_supported": ["none"],
            "grant_types_supported": [PRE_AUTHORISED],
            "response_types_supported": [],
            "pre-authorized_grant_anonymous_access_supported": True,
        }

    def offer(self, configuration: str, grant: Mapping[str, Any]) -> Offer:
        """An offer of one kind of credential; `grant` is kept until the batch is minted. KeyError without the kind."""
        kind = self._configurations[configuration]
        code = secrets.token_urlsafe(32)
        tx_code = f"{secrets.randbelow(10**TX_CODE_LENGTH):0{TX_CODE_LENGTH}d}"
        kept = {"grant": dict(grant), "configuration": kind.id, "tx": _tx_mark(code, tx_code), "tries": 0}
        self._memory.put("offer", code, kept, clock.now() + OFFER_LIFE)
        content: dict[str, Any] = {
            "credential_issuer": self.url,
            "credential_configuration_ids": [kind.id],
            "grants": {
                PRE_AUTHORISED: {
                    "pre-authorized_code": code,
                    "tx_code": {
                        "input_mode": "numeric",
                        "length": TX_CODE_LENGTH,
                        "description": "The six digits on the page that offered it",
                    },
                }
            },
        }
        if self._server:
            content["grants"][PRE_AUTHORISED]["authorization_server"] = self.url
        return Offer(_uri(content), tx_code, content)

    def offer_by_sign_in(self, configuration: str) -> Offer:
        """An offer that gives nothing by itself: the holder signs in at the provider, which asks her to agree.

        KeyError without the kind, ValueError without a provider.
        """
        if not self._server:
            raise ValueError("this issuer has no provider for sign-in")
        content: dict[str, Any] = {
            "credential_issuer": self.url,
            "credential_configuration_ids": [self._configurations[configuration].id],
            "grants": {"authorization_code": {"authorization_server": self._server}},
        }
        return Offer(_uri(content), "", content)

    def check_detail(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """The members of a rich request of type `openid_credential` (RFC 9396) but its type; else ValueError."""
        wanted = {"credential_configuration_id"}
        if not wanted <= set(given) <= wanted | {"locations"}:
            raise ValueError("credential_configuration_id is wanted")
        if given.get("locations", [self.url]) != [self.url]:
            raise ValueError("it is for another issuer")
        kind = self._configuration(given["credential_configuration_id"])
        return {"credential_configuration_id": kind.id, "locations": [self.url]}

    def describe_detail(self, given: Mapping[str, Any]) -> Text:
        """What the holder agrees to there."""
        kind = self._configuration(given["credential_configuration_id"])
        return Text("Put into the wallet: {kind}", "放入數位錢包：{kind}").format(kind=kind.name)

    def _configuration(self, name: Any) -> Configuration:
        found = self._configurations.get(str(name))
        if found is None:
            raise ValueError("there is no such credential")
        return found

    def token(self, form: Mapping[str, str]) -> dict[str, Any]:
        """The token endpoint. A wrong transaction code may be tried five times, then the offer is gone."""
        if form.get("grant_type") != PRE_AUTHORISED:
            raise ProtocolError("unsupported_grant_type", "only pre-authorised codes are taken here")
        code = form.get("pre-authorized_code", "")
        kept = self._memory.take("offer", code)
        if kept is None:
            raise ProtocolError("invalid_grant", "the offer was used, is over, or never was")
        tx_code = form.get("tx_code", "")
        if not tx_code:
            self._memory.put("offer", code, kept, clock.now() + OFFER_LIFE)
            raise ProtocolError("invalid_request", "the transaction code is missing")
        if not hmac.compare_digest(_tx_mark(code, tx_code), kept["tx"]):
            tries = int(kept["tries"]) + 1
            if tries < TX_CODE_TRIES:
                self._memory.put("offer", code, {**kept, "tries": tries}, clock.now() + OFFER_LIFE)
            raise ProtocolError("invalid_grant", "the transaction code is wrong")
        return self.grant_token(kept["configuration"], kept["grant"])

    def grant_token(self, configuration: str, grant: Mapping[str, Any]) -> dict[str, Any]:
        """A token for one batch: for whoever has shown by another flow that the grant is theirs."""
        token = secrets.token_urlsafe(32)
        kept = {"grant": dict(grant), "configuration": configuration}
        self._memory.put("token", token, kept, clock.now() + TOKEN_LIFE)
        return {"access_token": token, "token_type": "Bearer", "expires_in": int(TOKEN_LIFE.total_seconds())}

    def nonce(self) -> dict[str, Any]:
        """The nonce endpoint: one for each batch."""
        nonce = secrets.token_urlsafe(24)
        self._memory.put("nonce", nonce, {}, clock.now() + NONCE_LIFE)
        return {"c_nonce": nonce}

    def credentials(self, access_token: str, body: Any) -> dict[str, Any]:
        """The credential endpoint for a token of `token`: as many credentials as keys were proved, once a token."""
        kept = self._memory.get("token", access_token)
        if kept is None:
            raise ProtocolError("invalid_token", "the token was used, is over, or never was", 401)
        if _object(body).get("credential_configuration_id") != kept["configuration"]:
            raise ProtocolError("unknown_credential_configuration", "the token is not for that")
        holders = self._proved_keys(body)
        if self._memory.take("token", access_token) is None:  # another request with it was quicker
            raise ProtocolError("invalid_token", "the token was used", 401)
        return self._batch(kept["grant"], kept["configuration"], holders)

    def credentials_by_sign_in(self, access_token: str, body: Any, granted: Mapping[str, Granted]) -> dict[str, Any]:
        """The credential endpoint for a token of the provider's: one batch for each credential identifier.

        `granted` is what the caller has established about the token: that it is live, bound to the key of this request,
        and which credentials its holder may have, by `credential_identifier` (OpenID4VCI 1.0 section 8.2).
        """
        name = str(_object(body).get("credential_identifier") or "")
        found = granted.get(name)
        if found is None:
            raise ProtocolError("unknown_credential_identifier", "the token is not for that")
        holders = self._proved_keys(body)
        if not self._memory.first("spent", f"{access_token}\n{name}", clock.now() + TOKEN_LIFE):
            raise ProtocolError("invalid_token", "a batch of this credential was fetched with the token", 401)
        return self._batch(found.grant, found.configuration, holders)

    def _batch(self, grant: Mapping[str, Any], configuration: str, holders: list[dict[str, str]]) -> dict[str, Any]:
        made = self._mint(grant, configuration, holders)
        return {"credentials": [{"credential": one} for one in made]}

    def _proved_keys(self, body: Mapping[str, Any]) -> list[dict[str, str]]:
        proofs = body.get("proofs")
        found = proofs.get("jwt") if isinstance(proofs, dict) and set(proofs) == {"jwt"} else None
        if not isinstance(found, list) or not SMALLEST_BATCH <= len(found) <= LARGEST_BATCH:
            raise ProtocolError("invalid_proof", f"between {SMALLEST_BATCH} and {LARGEST_BATCH} proofs are taken")
        checked = [self._proved(one) for one in found]
        nonces = {nonce for _, nonce in checked}
        # One nonce for the batch, good for one batch: a proof cannot be sent twice.
        if len(nonces) != 1 or self._memory.take("nonce", nonces.pop()) is None:
            raise ProtocolError("invalid_nonce", "fetch a fresh nonce and sign all proofs with it")
        holders = [jwk for jwk, _ in checked]
        if len({(jwk["x"], jwk["y"]) for jwk in holders}) != len(holders):
            raise ProtocolError("invalid_proof", "each credential needs a key of its own")
        return holders

    def _proved(self, proof: Any) -> tuple[dict[str, str], str]:
        try:
            jwk = tokens.header_of(str(proof)).get("jwk")
            if not isinstance(jwk, dict) or "d" in jwk:
                raise tokens.TokenError("it shows no public key")
            payload = tokens.opened(str(proof), keys.from_jwk(jwk), PROOF_TYPE)
            tokens.check_times(payload, clock.now())
        except ValueError as error:
            raise ProtocolError("invalid_proof", f"a proof does not hold: {error}") from None
        made = payload.get("iat")
        if payload.get("aud") != self.url or not isinstance(made, int):
            raise ProtocolError("invalid_proof", "a proof is for another issuer")
        if abs(int(clock.now().timestamp()) - made) > _PROOF_SLACK:  # whole numbers: any size can be told apart
            raise ProtocolError("invalid_proof", "a proof is too old")
        return {name: str(jwk[name]) for name in ("kty", "crv", "x", "y")}, str(payload.get("nonce") or "")


def _object(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise ProtocolError("invalid_credential_request", "the request is no object")
    return body


def _uri(content: Mapping[str, Any]) -> str:
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return f"openid-credential-offer://?credential_offer={quote(text, safe='')}"


def _tx_mark(code: str, tx_code: str) -> str:
    return sha256(f"{code}\n{tx_code}".encode()).hexdigest()


def _display(name: Text) -> list[dict[str, str]]:
    return [{"name": name.zh, "locale": "zh-Hant"}, {"name": name.en, "locale": "en"}]
