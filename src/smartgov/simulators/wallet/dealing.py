"""What a wallet does for its owner: looks at what was scanned, fetches credentials, answers verifiers. No pages."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from smartgov.engines.credential import issuing, tokens, verifiers
from smartgov.engines.credential.wallet import Offer, Question, Wallet, read_offer
from smartgov.engines.openid.client import RelyingParty, SignedIn
from smartgov.engines.pki import certificates, keys
from smartgov.shared import clock
from smartgov.shared.problems import TRY_AGAIN, Problem
from smartgov.shared.text import Text
from smartgov.simulators.wallet.home import Home, Owner

BATCH = 10
_LARGEST = 2**20
_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Scanned:
    """What a code led to: an offer with its issuer's words, or a checked question of a verifier."""

    offer: Offer | None = None
    metadata: Mapping[str, Any] | None = None
    question: Question | None = None


def scan(home: Home, address: str) -> Scanned:
    """Look at a scanned address. Problems `offer-refused`, `verifier-unknown`, `claim-not-allowed`, `no-answer`."""
    scheme = urlsplit(address).scheme
    wallet = wallet_of(home)
    if scheme == "openid-credential-offer":
        offer = read_offer(address)
        metadata = wallet.metadata(offer.issuer)
        if offer.kind not in metadata["credential_configurations_supported"]:
            raise _not_understood()
        return Scanned(offer, metadata)
    if scheme != "openid4vp":
        raise _not_understood()
    asked = parse_qs(urlsplit(address).query)
    status, body = send("GET", asked.get("request_uri", [""])[0], {}, b"")
    if status != 200:
        raise _not_understood()
    question = wallet.look(body.decode("ascii", "replace"))
    if asked.get("client_id") != [question.request["client_id"]]:
        raise _not_understood()
    return Scanned(question=question)


def take(home: Home, owner: str, scanned: Scanned, address: str, tx_code: str) -> int:
    """Fetch for the code that the owner typed; how many came."""
    with home.changing(owner) as one:
        wallet = wallet_of(home, one)
        count = wallet.take(address, tx_code, batch=BATCH)
        _name(one, scanned)
    return count


def sign_in(party: RelyingParty, offer: Offer) -> tuple[str, dict[str, str]]:
    """Where the browser goes to sign in for an offer, and what to keep until it is back."""
    if offer.server != party.issuer:
        raise _not_understood()
    wanted = {
        "type": issuing.DETAIL,
        "credential_configuration_id": offer.kind,
        "locations": [offer.issuer],
    }
    return party.begin(authorization_details=[wanted])


def take_granted(home: Home, owner: str, scanned: Scanned, party: RelyingParty, done: SignedIn) -> int:
    """Fetch what the sign-in gave; how many came."""
    assert scanned.offer is not None

    def ask(address: str, body: Mapping[str, Any]) -> Any:
        return party.resource("POST", address, done.access_token, body)

    with home.changing(owner) as one:
        count = wallet_of(home, one).take_granted(scanned.offer, done.details, ask, batch=BATCH)
        _name(one, scanned)
    return count


def show(home: Home, owner: str, question: Question) -> tuple[bool, str]:
    """Answer a verifier: whether it took the answer, and what it said otherwise."""
    with home.changing(owner) as one:
        status, body = wallet_of(home, one).show(question)
    try:
        said = json.loads(body)
    except ValueError:
        said = {}
    return status == 200, str(said.get("error_description", status))


def wallet_of(home: Home, owner: Owner | None = None) -> Wallet:
    """The engine's wallet with what the owner holds."""

    def find_key(header: Mapping[str, Any], payload: Mapping[str, Any]) -> keys.PublicKey:
        return certificates.public_key(tokens.trusted_certificate(header, home.roots(), clock.now()))

    def register() -> list[verifiers.Verifier]:
        _, body = send("GET", home.register_address(), {}, b"")
        text = body.decode("ascii", "replace")
        try:
            return verifiers.read(text, find_key(tokens.header_of(text), {}), clock.now())
        except tokens.TokenError:
            raise _no_answer() from None

    made = Wallet(send, register, find_key)
    if owner is not None:
        made.held = owner.held
    return made


def issuer_of(credential: str) -> str:
    """The organisation whose seal a credential carries."""
    certificate = tokens.shown_certificate(tokens.header_of(credential.split("~", 1)[0]))
    return certificates.organisation(certificate) or certificates.common_name(certificate)


def send(method: str, url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
    """One request; the addresses come from codes that anybody may print, so only web addresses are asked."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise _not_understood()
    request = urllib.request.Request(url, body if method == "POST" else None, dict(headers), method=method)
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
            return answer.status, answer.read(_LARGEST)
    except urllib.error.HTTPError as error:
        return error.code, error.read(_LARGEST)
    except OSError:
        raise _no_answer() from None


def _name(owner: Owner, scanned: Scanned) -> None:
    """Keep the issuer's words for a kind of credential and its claims."""
    assert scanned.offer is not None
    assert scanned.metadata is not None
    kind = scanned.metadata["credential_configurations_supported"][scanned.offer.kind]
    described = kind.get("credential_metadata", {})
    owner.titles[kind["vct"]] = {
        "name": words(described.get("display", ())),
        "claims": {one["path"][0]: words(one.get("display", ())) for one in described.get("claims", ())},
    }


def words(display: Any) -> dict[str, str]:
    """A `display` of metadata in our two languages."""
    found = {str(one.get("locale", ""))[:2]: str(one.get("name", "")) for one in display if isinstance(one, dict)}
    return {"zh": found.get("zh", ""), "en": found.get("en", found.get("zh", ""))}


def _not_understood() -> Problem:
    return Problem(
        "code-not-understood",
        400,
        what=Text("This code is not one for wallets.", "這不是供數位錢包使用的條碼。"),
        why=Text("It is neither an offer nor a request, or it is over.", "條碼既非領取亦非出示請求，或已失效。"),
        todo=Text("Scan the code on the page again.", "請重新掃描頁面上的條碼。"),
    )


def _no_answer() -> Problem:
    return Problem(
        "no-answer",
        503,
        what=Text("The other side does not answer.", "對方沒有回應。"),
        todo=TRY_AGAIN,
    )
