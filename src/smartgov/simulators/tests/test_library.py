"""The library as a relying party: a reader signs in, and the word of the platform ends the session."""

import stat
from urllib.parse import urlencode, urlsplit

import pytest

from smartgov.engines.openid import logout
from smartgov.engines.openid.client import RelyingParty
from smartgov.engines.openid.tests.world import CALLBACK, ISSUER, World
from smartgov.simulators.library import home
from smartgov.simulators.library.app import LibraryApp
from smartgov.simulators.tests.driving import ask


@pytest.fixture
def world():
    return World(post_logout_redirect_uris=("https://shop.example.test/",))


@pytest.fixture
def library(world):
    return LibraryApp(RelyingParty(ISSUER, "shop", world.key, CALLBACK, "openid profile", world.send), 8029)


def signed_in(world, library):
    begun = ask(library, "GET", "/sign-in")
    cookie = begun.headers["set-cookie"].split(";")[0]
    back = urlsplit(world.visit(begun.headers["location"]))
    arrived = ask(library, "GET", f"/callback?{back.query}", cookie=cookie)
    assert arrived.headers["location"] == "/"
    return arrived.headers["set-cookie"].split(";")[0]


def page(library, cookie=""):
    return ask(library, "GET", "/", cookie=cookie).body.decode()


def test_a_reader_signs_in_and_the_platforms_word_ends_it(world, library):
    cookie = signed_in(world, library)
    assert "林美玲" in page(library, cookie)
    assert "林美玲" not in page(library, "library_8029=other")
    (session,) = library.sessions.values()
    token = logout.logout_token(world.provider, world.client, sub=session["sub"], sid=session["sid"])
    form = urlencode({"logout_token": token}).encode()
    assert ask(library, "POST", "/logout", form, sec_fetch_site="none").status == 200
    assert "林美玲" not in page(library, cookie)
    assert "結束 1 個工作階段" in page(library)


def test_words_that_are_not_the_platforms_end_nothing(world, library):
    cookie = signed_in(world, library)
    (session,) = library.sessions.values()
    for forged in ("", "a.b.c", session["id_token"]):
        form = urlencode({"logout_token": forged}).encode()
        assert ask(library, "POST", "/logout", form).status == 400
    assert "林美玲" in page(library, cookie)


def test_an_answer_that_was_not_asked_for_is_not_believed(world, library):
    begun = ask(library, "GET", "/sign-in")
    back = urlsplit(world.visit(begun.headers["location"]))
    assert ask(library, "GET", f"/callback?{back.query}", cookie="library_8029=x").status == 400
    assert "untrusted" in page(library)


def test_signing_out_asks_the_platform_too(world, library):
    cookie = signed_in(world, library)
    address = ask(library, "GET", "/sign-out", cookie=cookie).headers["location"]
    leaving = logout.read(world.provider, urlsplit(address).query)
    assert (leaving.client.id, leaving.back_to) == ("shop", "https://shop.example.test/")


def test_the_folder_holds_the_key_alone(tmp_path):
    given = home.create(tmp_path / "library", issuer=ISSUER, client_id="library", address="http://localhost:1")
    assert stat.S_IMODE((tmp_path / "library/key.pem").stat().st_mode) == 0o600
    assert home.relying_party(tmp_path / "library").redirect_uri == "http://localhost:1/callback"
    assert set(given["registration"]["jwks"][0]) == {"kty", "crv", "x", "y", "kid"}
