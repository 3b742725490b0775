"""A relying party for tests of the provider: registered, with keys of its own, talking through Django's test client."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.test import Client

from smartgov.blocks.identity.models import RelyingParty as Row
from smartgov.engines.openid.client import RelyingParty, SignedIn
from smartgov.engines.pki import keys

CALLBACK = "https://shop.example.test/callback"


def registered(key: Any, **registration: Any) -> Row:
    """An approved relying party that has `key`."""
    return Row.objects.create(
        name={"en": "Parcel office", "zh": "包裹中心"},
        purpose={"en": "To show you your parcels", "zh": "顯示您的包裹"},
        agency="portal",
        state="approved",
        registration={
            "redirect_uris": [CALLBACK],
            "jwks": [keys.public_jwk(key.public_key())],
            "scopes": ["openid", "profile", "email", "offline_access"],
            **registration,
        },
    )


def send_to_site(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Any:
    """One request to this site, as `client.Send`."""
    parts = urlsplit(url)
    more = {name: value for name, value in headers.items() if name != "content-type"}
    kind = headers.get("content-type", "")
    address = parts.path + (f"?{parts.query}" if parts.query else "")
    answer = Client().generic(method, address, body, content_type=kind, headers=more)
    return answer.status_code, {name.lower(): value for name, value in answer.items()}, answer.content


class Shop:
    """A registered relying party with its client."""

    def __init__(self, **registration: Any) -> None:
        key = keys.generate_p256()
        self.row = registered(key, **registration)
        self.rp = RelyingParty(settings.ORIGIN, self.row.id, key, CALLBACK, "openid profile", send_to_site)

    def visit(self, browser: Client, **wanted: Any) -> tuple[Any, dict[str, str]]:
        """Send a browser to the provider; the first answer that is not a redirect within it, and what was kept."""
        address, kept = self.rp.begin(**wanted)
        answer = browser.get(_path(address))
        while answer.status_code == 302 and not answer.headers["Location"].startswith(CALLBACK):
            answer = browser.get(answer.headers["Location"])
        return answer, kept

    def agree(self, browser: Client, page: Any, answer: str = "agree") -> Any:
        """Press the button of the consent page."""
        path = page.request["PATH_INFO"]
        return browser.post(path, {"answer": answer, "shown": page.context["shown"]})

    def sign_in(self, browser: Client, **wanted: Any) -> SignedIn:
        """A whole sign-in, with consent where it is asked."""
        answer, kept = self.visit(browser, **wanted)
        if answer.status_code == 200:
            answer = self.agree(browser, answer)
        return self.rp.finish(urlsplit(answer.headers["Location"]).query, kept)


def _path(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}"
