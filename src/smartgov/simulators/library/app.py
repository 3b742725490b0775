"""The doors of the library: sign in, come back, hear of logouts; and one page that shows all of it."""

from __future__ import annotations

import asyncio
import secrets
from html import escape
from typing import Any
from urllib.parse import parse_qs, urlencode

import structlog

from smartgov.engines.httpd import Request, Response, Router
from smartgov.engines.openid.client import RelyingParty, SignInError
from smartgov.shared import clock
from smartgov.shared.text import Text
from smartgov.simulators import pages
from smartgov.simulators.pages import both

log = structlog.get_logger()
TITLE = Text("City library", "市立圖書館")
_HEADS = [Text("When", "時間"), Text("What happened", "事件")]


class LibraryApp:
    """The HTTP handler of the library; readers' sessions live in memory, as long as the program runs."""

    def __init__(self, party: RelyingParty, port: int, title: Text = TITLE) -> None:
        self.party, self.cookie, self.title = party, f"library_{port}", title
        self.sessions: dict[str, dict[str, Any]] = {}
        self.begun: dict[str, dict[str, str]] = {}
        self.events: list[tuple[str, Text]] = []
        self._router = Router()
        for method, path, endpoint in (
            ("GET", "/", self._index),
            ("GET", "/sign-in", self._sign_in),
            ("GET", "/callback", self._callback),
            ("GET", "/again", self._again),
            ("GET", "/sign-out", self._sign_out),
            ("POST", "/logout", self._logout),
            ("GET", "/health", self._health),
        ):
            self._router.add(method, path, endpoint)

    async def __call__(self, request: Request) -> Response:
        """Answer one request."""
        pages.require_loopback(request)
        return await self._router(request)

    async def _sign_in(self, request: Request) -> Response:
        wanted = {"acr_values": "phr"} if request.args().get("passkey") else {}
        try:
            address, kept = await asyncio.to_thread(self.party.begin, **wanted)
        except (SignInError, OSError) as error:
            return self._trouble(error)
        browser = pages.cookie_of(request, self.cookie) or secrets.token_urlsafe(24)
        self.begun[browser] = kept
        return self._sent(address, browser)

    async def _callback(self, request: Request) -> Response:
        browser = pages.cookie_of(request, self.cookie)
        kept = self.begun.pop(browser, {})
        try:
            done = await asyncio.to_thread(self.party.finish, request.query, kept)
            facts = await asyncio.to_thread(self.party.userinfo, done.access_token)
        except (SignInError, OSError) as error:
            return self._trouble(error)
        self.sessions.pop(browser, None)
        browser = secrets.token_urlsafe(24)  # a new one with each sign-in: nobody can have planted it before
        self.sessions[browser] = {**done.claims, **facts, "id_token": done.id_token, "access": done.access_token}
        self._note(Text("A reader signed in", "讀者登入"))
        return self._sent("/", browser)

    async def _again(self, request: Request) -> Response:
        """Ask for the reader's facts once more; what the platform gives no longer ends the session here."""
        browser = pages.cookie_of(request, self.cookie)
        session = self.sessions.get(browser)
        if session is None:
            return Response(302, {"location": "/"})
        try:
            session |= await asyncio.to_thread(self.party.userinfo, session["access"])
        except (SignInError, OSError) as error:
            del self.sessions[browser]
            return self._trouble(error)
        self._note(Text("The platform gave the facts again", "平臺再次提供資料"))
        return Response(302, {"location": "/"})

    def _sent(self, address: str, browser: str) -> Response:
        cookie = f"{self.cookie}={browser}; Path=/; HttpOnly; SameSite=Lax"
        return Response(302, {"location": address, "set-cookie": cookie})

    async def _sign_out(self, request: Request) -> Response:
        """Leave here, and ask the provider whether to leave there as well."""
        session = self.sessions.pop(pages.cookie_of(request, self.cookie), None)
        if session is None:
            return Response(302, {"location": "/"})
        back = self.party.redirect_uri.removesuffix("callback")
        query = urlencode({"id_token_hint": session["id_token"], "post_logout_redirect_uri": back})
        return Response(302, {"location": f"{self.party.metadata['end_session_endpoint']}?{query}"})

    async def _logout(self, request: Request) -> Response:
        """The provider's word that a session has ended there."""
        text = parse_qs(request.body.decode("ascii", "replace")).get("logout_token", [""])[0]
        try:
            claims = await asyncio.to_thread(self.party.logout_token, text)
        except (SignInError, OSError) as error:
            log.warning("logout_refused", reason=str(error))
            return Response.json({"error": "invalid_request"}, 400, {"cache-control": "no-store"})
        ended = [name for name, session in self.sessions.items() if session["sid"] == claims.get("sid")]
        for name in ended:
            del self.sessions[name]
        self._note(
            Text(
                f"The platform said: signed out ({len(ended)} ended here)",
                f"平臺通知登出（結束 {len(ended)} 個工作階段）",
            )
        )
        return Response(200, {"cache-control": "no-store"})

    async def _health(self, request: Request) -> Response:
        return Response.json({"status": "ok", "name": "library"})

    async def _index(self, request: Request) -> Response:
        session = self.sessions.get(pages.cookie_of(request, self.cookie))
        body = self._reader(session) if session else self._stranger()
        rows = [[escape(when), both(what)] for when, what in reversed(self.events[-20:])]
        nothing = Text("Nothing yet.", "尚無。")
        body += f"<h2>{both(Text('What the library has heard', '圖書館收到的事件'))}</h2>"
        return pages.page(self.title, body + pages.table(_HEADS, rows, nothing), refresh=pages.reload_after(request, 5))

    def _stranger(self) -> str:
        plain, strong = Text("Sign in to borrow", "登入借書"), Text("Sign in with a passkey", "以通行密鑰登入")
        return (
            f'<div class="card"><p><a href="/sign-in">{both(plain)}</a></p>'
            f'<p><a href="/sign-in?passkey=1">{both(strong)}</a></p></div>'
        )

    def _reader(self, session: dict[str, Any]) -> str:
        leave, stronger = Text("Sign out", "登出"), Text("Sign in more strongly, with a passkey", "以通行密鑰提高等級")
        again = Text("Read my facts once more", "再讀取一次我的資料")
        shown = [
            (Text("Reader", "讀者"), escape(str(session.get("name", "")))),
            (Text("Number for this library only", "僅用於本館的代號"), f"<code>{escape(session['sub'][:16])}…</code>"),
            (Text("Level", "等級"), f"<code>{escape(session['acr'])}</code> {escape(' '.join(session['amr']))}"),
        ]
        if "act" in session:
            act, mandate = session["act"], str(session.get("mandate", ""))
            shown += [
                (
                    Text("Somebody else acts for this reader", "由代理人代為辦理"),
                    f"<code>{escape(act['sub'][:16])}…</code>",
                ),
                (Text("By the mandate", "代理關係編號"), f"<code>{escape(mandate[:13])}…</code>"),
            ]
        links = "".join(
            f'<p><a href="{path}">{both(words)}</a></p>'
            for path, words in (("/sign-in?passkey=1", stronger), ("/again", again), ("/sign-out", leave))
        )
        return f'<div class="card">{pages.facts(shown)}{links}</div>'

    def _trouble(self, error: Exception) -> Response:
        why = error.code if isinstance(error, SignInError) else type(error).__name__
        log.warning("sign_in_failed", reason=str(error))
        self._note(Text(f"A sign-in did not succeed: {why}", f"登入未成功：{why}"))
        said = Text("The sign-in did not succeed.", "登入未成功。")
        back = f'<p><a href="/">{both(self.title)}</a></p>'
        more = f"<p>{escape(error.description)}</p>" if isinstance(error, SignInError) and error.description else ""
        body = f'<div class="card"><p>{both(said)} <code>{escape(why)}</code></p>{more}{back}</div>'
        return pages.page(self.title, body, status=400)

    def _note(self, what: Text) -> None:
        self.events.append((clock.now().astimezone(clock.TAIPEI).strftime("%H:%M:%S"), what))
