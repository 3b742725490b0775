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
_FORM = {"content-type": "application/x-www-form-urlencoded"}


@dataclass(slots=True)
class Held:
    """One credential with its own key; shown at most once."""

    vct: str
    credential: str
    key: ec.EllipticCurvePrivateKey = field(repr=False)
    used: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """A checked request, as the holder has to see it before anything is shown."""

    verifier: verifiers.Verifier
    claims: tuple[tuple[str, Path], ...]
    """Type of credential and path of each claim that will be shown."""
    request: Mapping[str, Any] = field(repr=False)


class Wallet:
    """Credentials in memory, reached through `send`; `register` gives the verifiers of the trusted register."""

    def __init__(self, send: Send, register: Callable[[], Iterable[verifiers.Verifier]] = tuple) -> None:
        self._send, self._register = send, register
        self.held: list[Held] = []

    def take(self, offer_uri: str, tx_code: str, *, batch: int = 10) -> int:
        """Fetch a batch for an offer; returns how many came. Problem `offer-refused` when it is not given."""
        offer = json.loads(parse_qs(urlsplit(offer_uri).query)["credential_offer"][0])
        issuer, kind = offer["credential_issuer"], offer["credential_configuration_ids"][0]
        metadata = self._asked("GET", _well_known(issuer, "openid-credential-issuer"))
        server = self._asked("GET", _well_known(issuer, "oauth-authorization-server"))
        if metadata["credential_issuer"] != issuer or server["issuer"] != issuer:
            raise _not_given("The metadata are another issuer's.")
        code = offer["grants"][issuing.PRE_AUTHORISED]["pre-authorized_code"]
        form = {"grant_type": issuing.PRE_AUTHORISED, "pre-authorized_code": code, "tx_code": tx_code}
        token = self._asked("POST", server["token_endpoint"], _FORM, urlencode(form).encode())
        nonce = self._asked("POST", metadata["nonce_endpoint"])["c_nonce"]
        fresh = [keys.generate_p256() for _ in range(batch)]
        body = {
            "credential_configuration_id": kind,
            "proofs": {"jwt": [proof(key, issuer, nonce) for key in fresh]},
        }
        headers = {"content-type": "application/json", "authorization": f"Bearer {token['access_token']}"}
        given = self._asked("POST", metadata["credential_endpoint"], headers, json.dumps(body).encode())
        return sum(self._keep(one["credential"], fresh) for one in given["credentials"])

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

    def _keep(self, credential: str, fresh: list[ec.EllipticCurvePrivateKey]) -> int:
        holder = sdjwt.holder_of(credential)
        own = next((key for key in fresh if keys.public_jwk(key.public_key())["x"] == holder["x"]), None)
        if own is None:
            raise _not_given("A credential is bound to another key.")
        vct = str(tokens.payload_of(credential.split("~", 1)[0]).get("vct", ""))
        self.held.append(Held(vct, credential, own))
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
