"""The wallet's pages: what is scanned is shown first, what was agreed is done, what is foreign is refused."""

import json
import stat
from urllib.parse import urlencode

import pytest

from smartgov.engines.credential import issuing, presenting, tokens, verifiers
from smartgov.engines.credential.tests import parties
from smartgov.engines.pki import certificates, keys
from smartgov.shared import clock
from smartgov.shared.text import Text
from smartgov.simulators.tests.driving import ask, hidden, post_form
from smartgov.simulators.wallet import dealing, home
from smartgov.simulators.wallet.app import WalletApp

REGISTER = "https://portal.example.tw/credentials/verifiers.jwt"
REQUEST = "https://school.example.tw/request"


class World(parties.Country):
    """Issuer, verifier and register, reached by the wallet program."""

    request = ""

    def send(self, method, url, headers, body):
        if url == REGISTER:
            text = verifiers.token(
                self.register,
                sign=tokens.signer(self.issuer_key),
                x5c=tokens.chain_header(self.issuer_certificate),
                now=clock.now(),
                life=3600,
            )
            return 200, text.encode()
        if url == REQUEST:
            return 200, self.request.encode()
        return self.wire(method, url, headers, body)


@pytest.fixture
def world(tmp_path, monkeypatch):
    made = World(tmp_path)
    monkeypatch.setattr(dealing, "send", made.send)
    return made


@pytest.fixture
def app(tmp_path, world):
    home.create(
        tmp_path / "wallet",
        issuer="https://portal.example.tw",
        client_id="wallet",
        address="http://localhost:1",
        root=certificates.pem(world.ca.certificate),
        people={"mother": "林<美>玲", "father": "陳大文"},
    )
    return WalletApp(home.Home(tmp_path / "wallet"), 8022)


def text(response):
    return response.body.decode()


def scanned(app, address, owner="mother"):
    """Scan, choose whose wallet it is; the page that follows and its path."""
    page = ask(app, "GET", f"/scan?{urlencode({'uri': address})}")
    answer = post_form(app, "/scan", {**hidden(page), "owner": owner})
    if answer.status != 303:
        return answer, ""
    path = answer.headers["location"]
    return ask(app, "GET", path), path


def taken(app, world):
    offer = world.issuer.offer("birth", {"facts": parties.FACTS})
    page, path = scanned(app, offer.uri)
    post_form(app, path, {**hidden(page), "tx_code": offer.tx_code})
    return ask(app, "GET", path)


def asked(world, *claims):
    world.request = world.ask(parties.query(*claims))
    return presenting.link(world.asked["now"], REQUEST)


def test_an_offer_is_shown_and_taken_with_the_digits(app, world):
    offer = world.issuer.offer("birth", {"facts": parties.FACTS})
    page, path = scanned(app, offer.uri)
    assert "出生證明" in text(page)
    assert "戶政司" in text(page)
    post_form(app, path, {**hidden(page), "tx_code": offer.tx_code})
    assert "已放入 10 份" in text(ask(app, "GET", path))
    held = text(ask(app, "GET", "/wallets/mother"))
    assert "尚有 10 份未使用" in held
    assert "林安安" in held
    assert "林安安" not in text(ask(app, "GET", "/wallets/father"))


def test_only_what_is_asked_is_shown_and_each_copy_once(app, world):
    taken(app, world)
    page, path = scanned(app, asked(world, ("child_name",), ("residence", "township")))
    for words in ("國小", "入學", "林安安", "臺北市文山區"):
        assert words in text(page)
    assert "2026-11-12" not in text(page), "it was not asked for"
    post_form(app, path, hidden(page))
    assert "已出示" in text(ask(app, "GET", path))
    claims = world.results[0]["one"][0].claims
    assert claims["child_name"] == "林安安"
    assert "birth_date" not in claims
    assert "尚有 9 份未使用" in text(ask(app, "GET", "/wallets/mother"))
    post_form(app, path, hidden(page))
    assert len(world.results) == 1, "agreed to once, shown once"


def test_refusing_shows_nothing(app, world):
    taken(app, world)
    page, path = scanned(app, asked(world, ("child_name",)))
    post_form(app, path, {**hidden(page), "refuse": "1"})
    assert "已拒絕" in text(ask(app, "GET", path))
    assert not world.results
    assert "尚有 10 份未使用" in text(ask(app, "GET", "/wallets/mother"))


def test_a_verifier_that_is_not_registered_or_asks_for_more_is_refused_before_anybody_is_asked(app, world):
    taken(app, world)
    page, _ = scanned(app, asked(world, ("birth_date",)))
    assert page.status == 403
    assert "無權要求" in text(page)
    world.register = []
    page, _ = scanned(app, asked(world, ("child_name",)))
    assert (page.status, "未登錄" in text(page)) == (403, True)


def test_a_register_that_another_authority_signed_is_not_believed(app, world, tmp_path):
    taken(app, world)
    other = certificates.CertificateAuthority.create(tmp_path / "other", "Elsewhere")
    key = keys.generate_p256()
    world.issuer_key = key
    world.issuer_certificate = other.issue(key.public_key(), common_name="x", organisation="y", usage="seal")
    page, _ = scanned(app, asked(world, ("child_name",)))
    assert page.status == 503


def test_a_credential_that_no_trusted_authority_vouches_for_is_not_kept(app, world, tmp_path):
    other = certificates.CertificateAuthority.create(tmp_path / "other", "Elsewhere")
    key = keys.generate_p256()
    world.issuer_key = key
    world.issuer_certificate = other.issue(key.public_key(), common_name="x", organisation="y", usage="seal")
    offer = world.issuer.offer("birth", {"facts": parties.FACTS})
    page, path = scanned(app, offer.uri)
    assert post_form(app, path, {**hidden(page), "tx_code": offer.tx_code}).status == 400
    assert "尚無憑證" in text(ask(app, "GET", "/wallets/mother"))


@pytest.mark.parametrize(
    "address", ["", "https://x.example/", "openid4vp://?request_uri=file:///etc/passwd", "openid4vp://"]
)
def test_what_is_no_code_for_wallets_is_refused(app, monkeypatch, address):
    monkeypatch.undo()
    page, _ = scanned(app, address)
    assert (page.status, "不是供數位錢包使用" in text(page)) == (400, True)


def test_a_request_under_another_name_is_refused(app, world):
    taken(app, world)
    address = asked(world, ("child_name",)).replace("x509_hash", "x509_hasx")
    page, _ = scanned(app, address)
    assert page.status == 400


def test_forms_of_other_sites_and_other_wallets_deals_are_refused(app, world):
    offer = world.issuer.offer("birth", {"facts": parties.FACTS})
    _, path = scanned(app, offer.uri)
    assert post_form(app, path, {"tx_code": offer.tx_code}).status == 403
    assert post_form(app, "/scan", {"uri": offer.uri, "owner": "mother", "token": "x"}).status == 403
    assert ask(app, "GET", path.replace("mother", "father")).status == 404
    assert ask(app, "GET", "/wallets/nobody").status == 404
    assert ask(app, "GET", "/wallets/..%2Fkey").status == 404
    assert ask(app, "GET", "/callback?code=x&state=y").headers["location"] == "/"


def test_pages_are_strict_and_escaped(app):
    page = ask(app, "GET", "/wallets/mother")
    assert "林&lt;美&gt;玲" in text(page)
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "<script" not in text(page)


def test_what_is_held_is_for_its_owner_only(app, world, tmp_path):
    taken(app, world)
    card = tmp_path / "wallet/wallets/mother.json"
    assert stat.S_IMODE(card.stat().st_mode) == 0o600
    assert len(json.loads(card.read_text())["held"]) == 10
    with pytest.raises(ValueError, match="named"):
        home.create(tmp_path / "w2", issuer="i", client_id="c", address="a", root=b"", people={"A223456781": "x"})


def test_the_wallet_is_registered_for_credentials_alone(tmp_path):
    given = home.create(
        tmp_path / "w", issuer="i", client_id="wallet", address="http://localhost:1", root=b"", people={}
    )
    assert given["registration"]["details"] == [issuing.DETAIL]
    assert given["registration"]["scopes"] == ["openid"]
    assert Text.of(given["name"]).zh == "數位錢包"
