"""The examples of the manual for relying parties, run as they stand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.test import RequestFactory

from smartgov.blocks.identity.openid import service
from smartgov.blocks.identity.openid.details import TYPES
from smartgov.blocks.identity.tests.factories import signed_in_citizen
from smartgov.blocks.identity.tests.relying import CALLBACK, Shop, send_to_site
from smartgov.engines.openid import levels
from smartgov.engines.openid.logout import logout_token
from smartgov.engines.openid.provider import SCOPE_CLAIMS

MANUAL = Path(__file__).parents[5] / "docs/manuals/developer/signing-people-in.md"
pytestmark = pytest.mark.django_db


def test_the_examples_of_the_manual(capsys: pytest.CaptureFixture[str]) -> None:
    shop, browser = Shop(), signed_in_citizen()

    def visit(address: str) -> str:
        page = browser.get(address.removeprefix(settings.ORIGIN))
        while page.status_code == 302 and not page["Location"].startswith(CALLBACK):
            page = browser.get(page["Location"])
        answer = shop.agree(browser, page) if page.status_code == 200 else page
        return urlsplit(answer["Location"]).query

    known: dict[str, Any] = {
        "issuer": settings.ORIGIN,
        "client_id": shop.row.id,
        "key": shop.rp.key,
        "redirect_uri": CALLBACK,
        "visit": visit,
    }
    sign_in, views, logout = re.findall(r"```python\n(.*?)```", MANUAL.read_text(), re.DOTALL)
    # The one change: no sockets in this test, so the client talks to the site in this process.
    known["send"] = send_to_site
    exec(sign_in.replace('scope="openid profile")', 'scope="openid profile", send=send)'), known)
    assert "林美玲" in capsys.readouterr().out
    exec(views, known)
    request = RequestFactory().get("/sign-in")
    request.session = SessionStore()
    query = visit(known["sign_in"](request)["Location"])
    back = RequestFactory().get(f"/callback?{query}")
    back.session = request.session
    assert known["callback"](back).content == b"signed in"
    party = service.provider().store.client(shop.row.id)
    assert party is not None
    known["logout_token"] = logout_token(service.provider(), party, sub="s", sid=back.session["sid"])
    exec(logout, known)
    assert known["ended"] == back.session["sid"]


def test_the_manual_names_what_there_is() -> None:
    text = MANUAL.read_text()
    for name in (*levels.SUPPORTED, *TYPES, *(set(SCOPE_CLAIMS) - {"openid"})):
        assert f"`{name}`" in text, name
