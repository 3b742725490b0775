"""The holder's side: takes a batch from an offer, shows each credential once, and only to registered verifiers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from cryptography.hazmat.primitives.asymmetric import ec

from smartgov.engines.credential import dcql, issuing, presenting, sdjwt, tokens, verifiers
from smartgov.engines.credential.sdjwt import Path
from smartgov.engines.pki import jwe, keys
from smartgov.shared import clock
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

Send = Callable[[str, str, Mapping[str, str], bytes], tuple[int, bytes]]
"""`(method, url, headers, body)` to `(status, body)`; raises OSError when nobody answers."""
Ask = Callable[[str, Mapping[str, Any]], Any]
"""Posts JSON to an address with a token that the caller holds, and gives the JSON of the answer."""
_FORM = {"content-type": "application/x-www-form-urlencoded"}


@dataclass(slots=True)
class Held:
    """One credential with its own key; shown at most once. `claims` is what it says, for its holder's eyes."""

    vct: str
    credential: str
    key: ec.EllipticCurvePrivateKey = field(repr=False)
    used: bool = False
    claims: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Offer:
    """What a scanned offer says. `code` is a pre-authorised code; without one the holder signs in at `server`."""

    issuer: str
    kind: str
    code: str = ""
    server: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """A checked request, as the holder has to see it before anything is shown."""

    verifier: verifiers.Verifier
    claims: tuple[tuple[str, Path], ...]
    """Type of credential and path of each claim that will be shown."""
    request: Mapping[str, Any] = field(repr=False)


class Wallet:
    """Credentials in memory, reached through `send`; `register` gives the verifiers of the trusted register.

    With `find_key` each credential is checked before it is kept, and its claims are known.
    """

    def __init__(
        self,
        send: Send,
        register: Callable[[], Iterable[verifiers.Verifier]] = tuple,
        find_key: sdjwt.FindKey | None = None,
    ) -> None:
        self._send, self._register, self._find_key = send, register, find_key
        self.held: list[Held] = []

    def metadata(self, issuer: str) -> dict[str, Any]:
        """What an issuer says of itself; Problem `offer-refused` when it is another's word."""
        found: dict[str, Any] = self._asked("GET", _well_known(issuer, "openid-credential-issuer"))
        if found.get("credential_issuer") != issuer:
            raise _not_given("The metadata are another issuer's.")
        return found

    def take(self, offer_uri: str, tx_code: str, *, batch: int = 10) -> int:
        """Fetch a batch for a pre-authorised offer; returns how many came. Problem `offer-refused` otherwise."""
        offer = read_offer(offer_uri)
        if not offer.code:
            raise _not_given("The offer wants a sign-in.")
        metadata = self.metadata(offer.issuer)
        server = self._asked("GET", _well_known(offer.issuer, "oauth-authorization-server"))
        if server["issuer"] != offer.issuer:
            raise _not_given("The metadata are another issuer's.")
        form = {"grant_type": issuing.PRE_AUTHORISED, "pre-authorized_code": offer.code, "tx_code": tx_code}
        token = self._asked("POST", server["token_endpoint"], _FORM, urlencode(form).encode())

        def ask(address: str, body: Mapping[str, Any]) -> Any:
            headers = {"content-type": "application/json", "authorization": f"Bearer {token['access_token']}"}
            return self._asked("POST", address, headers, json.dumps(body).encode())

        return self._fetch(metadata, {"credential_configuration_id": offer.kind}, ask, batch)

    def take_granted(self, offer: Offer, details: Iterable[Mapping[str, Any]], ask: Ask, *, batch: int = 10) -> int:
        """Fetch a batch of each credential that a sign-in at the provider gave; returns how many came.

        `details` are the token's `authorization_details`; `ask` brings the token and a proof of its key.
        """
        metadata = self.metadata(offer.issuer)
        names = [
            name
            for one in details
            if one.get("type") == issuing.DETAIL and one.get("credential_configuration_id") == offer.kind
            for name in one.get("credential_identifiers", ())
        ]
        return sum(self._fetch(metadata, {"credential_identifier": name}, ask, batch) for name in names)

    def look(self, request: str) -> Question:
        """Check a request object: signed by a registered verifier that may ask for all of it. Problems otherwise."""
        try:
            header = tokens.header_of(request)
            certificate = tokens.shown_certificate(header)
            key = certificate.public_key()
            assert isinstance(key, ec.EllipticCurvePublicKey)
            payload = tokens.opened(request, key, presenting.REQUEST_TYPE)
            tokens.check_times(payload, clock.now())
        except tokens.TokenError as error:
            raise _not_given(f"{error}.".capitalize()) from None
        if payload.get("client_id") != presenting.client_id_of(certificate):
            raise _not_given("It is signed by somebody else.")
        query = dcql.parse(payload.get("dcql_query"))
        verifier = verifiers.require_allowed(self._register(), payload["client_id"], query, now=clock.now())
        claims = tuple((one.types[0], path) for one in query.wanted for path in dcql.paths(one))
        return Question(verifier, claims, payload)

    def show(self, question: Question) -> tuple[int, bytes]:
        """Show what the question asks, by credentials that were never shown; Problem `credential-missing` without."""
        request = question.request
        shown = {}
        for wanted in dcql.parse(request["dcql_query"]).wanted:
            one = next((held for held in self.held if held.vct in wanted.types and not held.used), None)
            if one is None:
                raise _missing()
            one.used = True
            cut = sdjwt.select(one.credential, dcql.paths(wanted))
            shown[wanted.id] = [
                sdjwt.bind(
                    cut,
                    tokens.signer(one.key),
                    audience=request["client_id"],
                    nonce=request["nonce"],
                    now=clock.now(),
                )
            ]
        body = json.dumps({"vp_token": shown, "state": request["state"]}).encode()
        jwk = request["client_metadata"]["jwks"]["keys"][0]
        public = keys.from_jwk(jwk)
        assert isinstance(public, ec.EllipticCurvePublicKey)
        form = urlencode({"response": jwe.encrypt(body, public, jwk["kid"], {})})
        return self._send("POST", request["response_uri"], _FORM, form.encode())

    def _fetch(self, metadata: Mapping[str, Any], which: Mapping[str, str], ask: Ask, batch: int) -> int:
        nonce = self._asked("POST", metadata["nonce_endpoint"])["c_nonce"]
        fresh = [keys.generate_p256() for _ in range(batch)]
        proofs = {"jwt": [proof(key, metadata["credential_issuer"], nonce) for key in fresh]}
        given = ask(metadata["credential_endpoint"], {**which, "proofs": proofs})
        return sum(self._keep(one["credential"], fresh) for one in given["credentials"])

    def _keep(self, credential: str, fresh: list[ec.EllipticCurvePrivateKey]) -> int:
        holder = sdjwt.holder_of(credential)
        own = next((key for key in fresh if keys.public_jwk(key.public_key())["x"] == holder["x"]), None)
        if own is None:
            raise _not_given("A credential is bound to another key.")
        claims = dict(tokens.payload_of(credential.split("~", 1)[0]))
        if self._find_key is not None:
            try:
                claims = sdjwt.verify(credential, self._find_key, now=clock.now()).claims
            except tokens.TokenError as error:
                raise _not_given(f"{error}.".capitalize()) from None
        self.held.append(Held(str(claims.get("vct", "")), credential, own, claims=claims))
        return 1

    def _asked(self, method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Any:
        status, content = self._send(method, url, headers or {}, body)
        if status >= 400:
            try:
                why = str(json.loads(content).get("error", status))
            except ValueError:
                why = str(status)
            raise _not_given(f"The issuer said: {why}.")
        return json.loads(content)


def read_offer(uri: str) -> Offer:
    """The offer of a scanned address; Problem `offer-refused` for anything else."""
    try:
        content = json.loads(parse_qs(urlsplit(uri).query)["credential_offer"][0])
        issuer, kind, grants = (
            content["credential_issuer"],
            content["credential_configuration_ids"][0],
            content["grants"],
        )
        if not isinstance(issuer, str) or not isinstance(kind, str):
            raise TypeError
        if issuing.PRE_AUTHORISED in grants:
            return Offer(issuer, kind, code=str(grants[issuing.PRE_AUTHORISED]["pre-authorized_code"]))
        return Offer(issuer, kind, server=str(grants["authorization_code"]["authorization_server"]))
    except (ValueError, KeyError, IndexError, TypeError):
        raise _not_given("This is not an offer.") from None


def proof(key: ec.EllipticCurvePrivateKey, issuer: str, nonce: str) -> str:
    """The holder's proof to have `key`."""
    jwk = {name: value for name, value in keys.public_jwk(key.public_key()).items() if name != "kid"}
    payload = {"aud": issuer, "iat": int(clock.now().timestamp()), "nonce": nonce}
    return tokens.compact({"typ": issuing.PROOF_TYPE, "jwk": jwk}, payload, tokens.signer(key))


def _well_known(issuer: str, name: str) -> str:
    # RFC 8615: the name comes between host and path.
    parts = urlsplit(issuer)
    return f"{parts.scheme}://{parts.netloc}/.well-known/{name}{parts.path}"


def _not_given(why: str) -> Problem:
    return Problem(
        "offer-refused",
        400,
        what=Text("This did not work.", "未能完成。"),
        why=Text(why, "對方的資料不正確或已失效。"),
        todo=Text("Start again from the page.", "請由網頁重新開始。"),
    )


def _missing() -> Problem:
    return Problem(
        "credential-missing",
        409,
        what=Text("There is no unused credential of this kind.", "沒有尚未使用的此類憑證。"),
        todo=Text("Fetch a new batch from its issuer.", "請向核發機關重新領取。"),
    )
