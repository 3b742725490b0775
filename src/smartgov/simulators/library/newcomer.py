"""Before a service is registered: its program has made a key, shows what to register, and takes what it was given.

A program starts with an empty folder, and nobody but itself ever holds its private key. Its people copy what its page
shows into the platform's page, and bring back the client_id; from then on it is like any other relying party.
"""

from __future__ import annotations

import asyncio
import json
from html import escape
from pathlib import Path

from smartgov.engines.httpd import Request, Response, Router
from smartgov.engines.openid import params
from smartgov.shared.text import Text
from smartgov.simulators import pages
from smartgov.simulators.library import home as folders
from smartgov.simulators.library.app import LibraryApp
from smartgov.simulators.pages import both

_ISSUER, _CLIENT = Text("Address of the platform (issuer)", "平臺網址（issuer）"), Text("client_id", "client_id")
_WRONG = Text(
    "The address begins with https:// (or http://localhost while you try), and client_id must not be empty.",
    "網址須以 https:// 開頭（試用時可為 http://localhost），且 client_id 不得空白。",
)


class Newcomer:
    """The HTTP handler of a service in `home`; `title` is what it calls itself. `port` is its own, on loopback."""

    def __init__(self, home: Path, port: int, title: Text) -> None:
        self.home, self.port, self.title = home, port, title
        self.service: LibraryApp | None = None
        self._router = Router()
        for method, path, endpoint in (
            ("GET", "/", self._index),
            ("POST", "/registered", self._registered),
            ("GET", "/health", self._health),
        ):
            self._router.add(method, path, endpoint)
        self._take_up()

    async def __call__(self, request: Request) -> Response:
        """Answer one request: as the service once it is registered, as a newcomer before."""
        if self.service is not None:
            return await self.service(request)
        pages.require_loopback(request)
        return await self._router(request)

    @property
    def address(self) -> str:
        """Where the service is."""
        return f"http://localhost:{self.port}"

    def _take_up(self) -> None:
        if folders.is_registered(self.home):
            self.service = LibraryApp(folders.relying_party(self.home), self.port, self.title)

    async def _index(self, request: Request) -> Response:
        return self._page("", "", status=200)

    def _page(self, issuer: str, client_id: str, *, status: int) -> Response:
        key = json.dumps({"keys": [folders.public_key(self.home)]}, indent=1)
        shown = [
            (Text("Address to come back to", "登入後返回的網址"), f"<code>{self.address}/callback</code>"),
            (Text("Address that takes logout tokens", "接收登出權杖的網址"), f"<code>{self.address}/logout</code>"),
            (Text("Address after signing out", "登出後返回的網址"), f"<code>{self.address}/</code>"),
            (Text("Public keys (JWK set)", "公鑰（JWK Set）"), f"<pre id=jwks>{escape(key)}</pre>"),
        ]
        wrong = f'<p role="alert">{both(_WRONG)}</p>' if status != 200 else ""
        steps = Text(
            "This service is not registered anywhere yet. Register it at the platform with what stands here, "
            "and bring back the client_id.",
            "此服務尚未在任何地方登錄。請以下列資料向平臺登錄，再填回取得的 client_id。",
        )
        body = (
            f'<div class="card"><p>{both(steps)}</p>{pages.facts(shown)}</div>'
            f'<form class="card" method="post" action="/registered">{wrong}'
            f"{_field('issuer', _ISSUER, issuer)}{_field('client_id', _CLIENT, client_id)}"
            f"<p><button>{both(Text('Go on', '繼續'))}</button></p></form>"
        )
        return pages.page(self.title, body, status=status)

    async def _registered(self, request: Request) -> Response:
        given = pages.form_values(request)
        issuer, client_id = given.get("issuer", "").strip().rstrip("/"), given.get("client_id", "").strip()
        if not params.is_web_address(issuer, loopback=True) or not client_id:
            return self._page(issuer, client_id, status=422)
        facts = {"issuer": issuer, "client_id": client_id, "redirect_uri": f"{self.address}/callback"}
        await asyncio.to_thread(folders.write_party, self.home, facts)
        self._take_up()
        return pages.see_other("/")

    async def _health(self, request: Request) -> Response:
        return Response.json({"status": "ok", "name": "library"})


def _field(name: str, label: Text, value: str) -> str:
    return (
        f'<p><label for="{name}">{both(label)}</label>'
        f'<input id="{name}" name="{name}" value="{escape(value)}" autocomplete="off"></p>'
    )
