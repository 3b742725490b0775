"""The code flow: the holder signs in at our OpenID provider, agrees to one kind of credential, and fetches a batch."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from smartgov.engines.credential import issuing, sdjwt, wallet
from smartgov.engines.credential.memory import InProcess
from smartgov.engines.httpd import Request
from smartgov.engines.openid import claims
from smartgov.engines.openid.client import SignInError
from smartgov.engines.openid.errors import OAuthError
from smartgov.engines.openid.model import DetailType
from smartgov.engines.openid.tests.world import ISSUER as PROVIDER
from smartgov.engines.openid.tests.world import World
from smartgov.engines.pki import keys
from smartgov.shared import clock
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

from .parties import FACTS, VCT, Country

URL = f"{PROVIDER}/credentials"
WANTED = {"type": "openid_credential", "credential_configuration_id": "birth"}


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


class Place:
    """An issuer whose credential endpoint takes the provider's tokens."""

    def __init__(self, folder):
        self.country = Country(folder)
        kinds = {"birth": issuing.Configuration("birth", VCT, Text("Birth", "出生證明"))}
        self.minted_for, self.datasets = [], {"person-1": ["one", "two"]}
        self.issuer = issuing.Issuer(
            URL, kinds, InProcess(), self.mint, name=Text("Registry", "戶政司"), server=PROVIDER
        )
        self.world = World(details=frozenset({issuing.DETAIL}))
        self.world.provider.details[issuing.DETAIL] = DetailType(
            issuing.DETAIL,
            self.issuer.check_detail,
            self.issuer.describe_detail,
            fill=lambda _, event: {"credential_identifiers": self.datasets[event.subject]},
        )

    def mint(self, grant, configuration, holders):
        self.minted_for.append(grant["subject"])
        return [self.country.credential(FACTS, holder) for holder in holders]

    def ask(self, access_token, body, proof=None):
        """The credential endpoint: the provider's token and the key it is bound to, then the batch."""
        headers = {"authorization": f"DPoP {access_token}"}
        headers["dpop"] = proof or self.world.rp._proof("POST", f"{URL}/credential", access_token)
        request = Request("POST", "/credentials/credential", "", headers, json.dumps(body).encode())
        _, found = claims.presented(self.world.provider, request, f"{URL}/credential")
        detail = next(one for one in found.asked.details if one["type"] == issuing.DETAIL)
        subject = found.granted.authentication.subject
        granted = {
            name: issuing.Granted(detail["credential_configuration_id"], {"subject": subject, "dataset": name})
            for name in self.datasets[subject]
        }
        return self.issuer.credentials_by_sign_in(access_token, body, granted)

    def body(self, count=3, name="one"):
        nonce = self.issuer.nonce()["c_nonce"]
        proofs = [wallet.proof(keys.generate_p256(), URL, nonce) for _ in range(count)]
        return {"credential_identifier": name, "proofs": {"jwt": proofs}}

    def token(self):
        return self.world.sign_in(authorization_details=[WANTED]).access_token

    def wire(self, method, url, headers, body):
        """What a wallet reaches without a token."""
        path = urlsplit(url).path
        found = self.issuer.nonce() if path.endswith("/nonce") else self.issuer.metadata()
        return 200, json.dumps(found).encode()


def test_who_signs_in_and_agrees_gets_a_batch(place):
    offer = place.issuer.offer_by_sign_in("birth")
    content = json.loads(parse_qs(urlsplit(offer.uri).query)["credential_offer"][0])
    assert content["grants"] == {"authorization_code": {"authorization_server": PROVIDER}}
    assert place.issuer.metadata()["authorization_servers"] == [URL, PROVIDER]
    given = place.ask(place.token(), place.body())
    assert len(given["credentials"]) == 3
    assert place.minted_for == ["person-1"]
    text = given["credentials"][0]["credential"]
    assert sdjwt.verify(text, place.country.find_key, now=clock.now()).claims["child_name"] == "林安安"


def test_a_token_is_for_one_batch_one_key_and_one_kind(place):
    token = place.token()
    other = place.world.relying_party()
    with pytest.raises(OAuthError):
        place.ask(token, place.body(), proof=other._proof("POST", f"{URL}/credential", token))
    with pytest.raises(OAuthError):
        place.ask("made-up", place.body())
    with pytest.raises(issuing.ProtocolError, match="invalid_token"):
        place.issuer.credentials("made-up", {})
    with pytest.raises(issuing.ProtocolError, match="unknown_credential_identifier"):
        place.ask(token, place.body(name="three"))
    place.ask(token, place.body())
    with pytest.raises(issuing.ProtocolError, match="invalid_token"):
        place.ask(token, place.body())
    place.ask(token, place.body(name="two"))


def test_a_wallet_learns_which_credentials_are_hers_and_fetches_a_batch_of_each(place):
    offer = wallet.read_offer(place.issuer.offer_by_sign_in("birth").uri)
    assert (offer.issuer, offer.kind, offer.code, offer.server) == (URL, "birth", "", PROVIDER)
    given = place.world.sign_in(authorization_details=[WANTED])
    assert given.details[0]["credential_identifiers"] == ["one", "two"]
    assert given.details[0]["locations"] == [URL]
    own = wallet.Wallet(place.wire, find_key=place.country.find_key)
    count = own.take_granted(offer, given.details, lambda address, body: place.ask(given.access_token, body), batch=4)
    assert count == 8
    assert own.held[0].claims["child_name"] == "林安安"
    assert len({held.key.public_key().public_numbers().x for held in own.held}) == 8


@pytest.mark.parametrize(
    "uri", ["", "openid-credential-offer://", "x://?credential_offer=[]", "x://?credential_offer={}"]
)
def test_what_is_no_offer_is_refused(uri):
    with pytest.raises(Problem, match="offer-refused"):
        wallet.read_offer(uri)


def test_she_is_asked_in_words_and_nothing_unknown_can_be_asked(place):
    with pytest.raises(AssertionError):  # the world's person does not agree
        place.world.visit(place.world.rp.begin(authorization_details=[WANTED])[0], agree=False)
    assert place.issuer.describe_detail(WANTED).zh == "放入數位錢包：出生證明"
    for wrong in (
        {**WANTED, "credential_configuration_id": "income"},
        {**WANTED, "locations": ["https://elsewhere"]},
        {**WANTED, "more": 1},
        {"type": issuing.DETAIL},
    ):
        with pytest.raises(SignInError):
            place.world.rp.begin(authorization_details=[wrong])


def test_without_a_provider_there_is_no_such_offer(tmp_path):
    with pytest.raises(ValueError, match="no provider"):
        Country(tmp_path).issuer.offer_by_sign_in("birth")
