"""For relying parties: sign people in with FAPI 2.0 in a few lines, whatever the web framework.

`begin` gives an address to send the browser to and something to keep in its session; `finish` takes what came back.
Everything that FAPI 2.0 asks of a client is in here: pushed request, PKCE, private_key_jwt, DPoP, `iss`, nonce.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request as UrlRequest
from urllib.request import urlopen

from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwk

from smartgov.engines.openid import jose, params
from smartgov.engines.openid.client_auth import ASSERTION
from smartgov.engines.pki import keys
from smartgov.shared import clock

Send = Callable[[str, str, Mapping[str, str], bytes], tuple[int, Mapping[str, str], bytes]]
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"


class SignInError(Exception):
    """The sign-in did not succeed; `code` is the provider's word for it, or `untrusted` for an answer not believed."""

    def __init__(self, code: str, description: str = "") -> None:
        super().__init__(f"{code}: {description}")
        self.code, self.description = code, description


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A person who signed in: the checked claims of the ID token, and tokens for later."""

    claims: dict[str, Any]
    access_token: str
    id_token: str
    refresh_token: str = ""
    details: tuple[dict[str, Any], ...] = ()


def send_by_http(
    method: str, url: str, headers: Mapping[str, str], body: bytes
) -> tuple[int, Mapping[str, str], bytes]:
    """One request by the standard library; certificates are checked, redirects do not happen at these doors."""
    request = UrlRequest(url, body or None, dict(headers), method=method)
    try:
        with urlopen(request, timeout=20) as answer:
            return answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read()
    except HTTPError as error:
        return error.code, {k.lower(): v for k, v in error.headers.items()}, error.read()


@dataclass
class RelyingParty:
    """One registered client. `key` is its P-256 key: it signs assertions and, with another key pair, proofs."""

    issuer: str
    client_id: str
    key: ec.EllipticCurvePrivateKey
    redirect_uri: str
    scope: str = "openid"
    send: Send = send_by_http
    proof_key: ec.EllipticCurvePrivateKey = field(default_factory=keys.generate_p256)
    now: Callable[[], datetime] = clock.now
    _metadata: dict[str, Any] = field(default_factory=dict)
    _keys: list[dict[str, Any]] = field(default_factory=list)
    _nonce: str = ""

    def begin(self, **wanted: Any) -> tuple[str, dict[str, str]]:
        """The address to send the browser to, and what to keep in its session until it comes back.

        `wanted` are further parameters (`acr_values`, `max_age`, `claims`, `authorization_details` ...); what is not
        text becomes JSON.
        """
        kept = {name: secrets.token_urlsafe(32) for name in ("state", "nonce", "verifier")}
        asked = {
            "response_type": "code",
            "redirect_uri": self.redirect_uri,
            "scope": self.scope,
            "state": kept["state"],
            "nonce": kept["nonce"],
            "code_challenge": jose.digest(kept["verifier"]),
            "code_challenge_method": "S256",
            **{name: value if isinstance(value, str) else json.dumps(value) for name, value in wanted.items()},
        }
        answer = self.post("pushed_authorization_request_endpoint", asked)
        query = urlencode({"client_id": self.client_id, "request_uri": answer["request_uri"]})
        return f"{self.metadata['authorization_endpoint']}?{query}", kept

    def finish(self, query: str, kept: Mapping[str, str]) -> SignedIn:
        """The person, from the query that the browser brought back and what `begin` gave to keep; else SignInError."""
        given = params.form(query)
        if not kept or not jose.same(given.get("state", ""), kept["state"]) or given.get("iss") != self.issuer:
            raise SignInError("untrusted", "state or iss is not the one that was expected")
        if "error" in given:
            raise SignInError(given["error"], given.get("error_description", ""))
        form = {
            "grant_type": "authorization_code",
            "code": given.get("code", ""),
            "redirect_uri": self.redirect_uri,
            "code_verifier": kept["verifier"],
        }
        return self._signed_in(self.post("token_endpoint", form), nonce=kept["nonce"])

    def refresh(self, refresh_token: str) -> SignedIn:
        """New tokens; the old refresh token stays good when none comes back."""
        answer = self.post("token_endpoint", {"grant_type": "refresh_token", "refresh_token": refresh_token})
        return self._signed_in({"refresh_token": refresh_token, **answer})

    def userinfo(self, access_token: str) -> dict[str, Any]:
        """The person's facts."""
        return self.resource("GET", self.metadata["userinfo_endpoint"], access_token)

    def resource(self, method: str, address: str, access_token: str, content: Any = None) -> dict[str, Any]:
        """The JSON that a door gives for the token and a proof of its key; `content` is sent as JSON.

        SignInError when the door says no.
        """
        body = b"" if content is None else json.dumps(content).encode()
        kind = {} if content is None else {"content-type": "application/json"}
        for _ in range(2):
            proof = self._proof(method, address, access_token)
            headers = {"authorization": f"DPoP {access_token}", "dpop": proof, **kind}
            status, _, said = self._read(self.send(method, address, headers, body))
            if said.get("error") != "use_dpop_nonce":
                break
        if status != 200:
            raise SignInError(str(said.get("error", status)), str(said.get("error_description", "")))
        return said

    def logout_token(self, text: str) -> dict[str, Any]:
        """The claims of a back-channel logout token: end the sessions of its `sid`, or of its `sub` without one."""
        claims = self._verified(text, "logout+jwt")
        if LOGOUT_EVENT not in claims.get("events", {}) or "nonce" in claims or not {"sid", "sub"} & set(claims):
            raise SignInError("untrusted", "it is not a logout token")
        return claims

    @property
    def metadata(self) -> dict[str, Any]:
        """The provider's own description, read once."""
        if not self._metadata:
            _, _, said = self._read(self.send("GET", f"{self.issuer}/.well-known/openid-configuration", {}, b""))
            if said.get("issuer") != self.issuer:
                raise SignInError("untrusted", "the provider calls itself by another name")
            self._metadata = said
        return self._metadata

    def post(self, endpoint: str, form: Mapping[str, str]) -> dict[str, Any]:
        """One authenticated form to an endpoint of the provider, with a proof; SignInError when it says no."""
        address = self.metadata[endpoint]
        for _ in range(2):
            headers = {"content-type": "application/x-www-form-urlencoded", "dpop": self._proof("POST", address)}
            body = urlencode({**form, **self._assertion()}).encode()
            status, _, said = self._read(self.send("POST", address, headers, body))
            if said.get("error") != "use_dpop_nonce":
                break
        if status >= 300:
            raise SignInError(str(said.get("error", status)), str(said.get("error_description", "")))
        return said

    def _read(self, answer: tuple[int, Mapping[str, str], bytes]) -> tuple[int, Mapping[str, str], dict[str, Any]]:
        status, headers, body = answer
        self._nonce = headers.get("dpop-nonce", self._nonce)
        said = json.loads(body) if body else {}
        return status, headers, said if isinstance(said, dict) else {}

    def _assertion(self) -> dict[str, str]:
        now = int(self.now().timestamp())
        claims = {"iss": self.client_id, "sub": self.client_id, "aud": self.issuer, "iat": now, "exp": now + 60}
        claims["jti"] = secrets.token_urlsafe(16)
        kid = keys.thumbprint(self.key.public_key())
        text = jose.sign(claims, jwk.ECKey.import_key(self.key), kid=kid, typ="JWT")
        return {"client_id": self.client_id, "client_assertion_type": ASSERTION, "client_assertion": text}

    def _proof(self, method: str, address: str, access_token: str = "") -> str:
        claims: dict[str, Any] = {"htm": method, "htu": address, "iat": int(self.now().timestamp())}
        claims["jti"] = secrets.token_urlsafe(16)
        if self._nonce:
            claims["nonce"] = self._nonce
        if access_token:
            claims["ath"] = jose.digest(access_token)
        key = jwk.ECKey.import_key(self.proof_key)
        public = {name: value for name, value in keys.public_jwk(self.proof_key.public_key()).items() if name != "kid"}
        return jose.sign(claims, key, kid="", typ="dpop+jwt", more={"jwk": public})

    def _signed_in(self, answer: Mapping[str, Any], nonce: str = "") -> SignedIn:
        claims = self._verified(answer["id_token"], "JWT")
        if nonce and not jose.same(str(claims.get("nonce", "")), nonce):
            raise SignInError("untrusted", "the ID token was made for another sign-in")
        return SignedIn(
            claims,
            answer["access_token"],
            answer["id_token"],
            answer.get("refresh_token", ""),
            tuple(answer.get("authorization_details", ())),
        )

    def _verified(self, text: str, typ: str) -> dict[str, Any]:
        try:
            token = jose.read(text)
            self._verify(token)
        except jose.BadTokenError as error:
            raise SignInError("untrusted", str(error)) from None
        claims, now = token.claims, self.now().timestamp()
        ours = claims.get("iss") == self.issuer and claims.get("aud") == self.client_id
        in_force = now - 10 < claims.get("exp", 0) and claims.get("nbf", 0) <= now + 10
        if token.header.get("typ") != typ or not ours or not in_force:
            raise SignInError("untrusted", "the token is of another kind, not for this client, or too old")
        return claims

    def _verify(self, token: jose.Token) -> None:
        """Verify by the known keys; a key that is not known yet is looked for once."""
        if token.header.get("kid") not in {key.get("kid") for key in self._keys}:
            _, _, said = self._read(self.send("GET", self.metadata["jwks_uri"], {}, b""))
            self._keys = said.get("keys", [])
        jose.verify(token, self._keys)
