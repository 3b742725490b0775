"""The doors of the wallet: scan, look, agree or refuse; and what a person holds."""

from __future__ import annotations

import asyncio
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

import structlog

from smartgov.engines.httpd import Request, Response, Router
from smartgov.engines.openid.client import RelyingParty, SignInError
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text
from smartgov.simulators import pages
from smartgov.simulators.wallet import dealing, views
from smartgov.simulators.wallet.dealing import Scanned
from smartgov.simulators.wallet.home import Home

log = structlog.get_logger()
_MOST_OPEN = 200


@dataclass(slots=True)
class Deal:
    """One scanned code in one person's wallet, and what became of it. In memory: codes live for minutes."""

    id: str
    owner: str
    address: str
    scanned: Scanned
    outcome: Text | None = None
    party: RelyingParty | None = None
    kept: dict[str, str] = field(default_factory=dict)


class WalletApp:
    """The HTTP handler of the wallet program."""

    def __init__(self, home: Home, port: int) -> None:
        self.home, self.cookie = home, f"wallet_{port}"
        self.deals: dict[str, Deal] = {}
        self.signing_in: dict[str, Deal] = {}
        self._form_key = secrets.token_bytes(32)
        self._router = Router()
        for method, path, endpoint in (
            ("GET", "/health", self._health),
            ("GET", "/", self._index),
            ("GET", "/scan", self._scan),
            ("POST", "/scan", self._scanned),
            ("GET", "/wallets/{owner}", self._wallet),
            ("GET", "/wallets/{owner}/deals/{deal}", self._deal),
            ("POST", "/wallets/{owner}/deals/{deal}", self._decide),
            ("GET", "/wallets/{owner}/deals/{deal}/sign-in", self._sign_in),
            ("GET", "/callback", self._callback),
        ):
            self._router.add(method, path, endpoint)

    async def __call__(self, request: Request) -> Response:
        """Answer one request; problems are pages."""
        pages.require_loopback(request)
        try:
            return await self._router(request)
        except Problem as problem:
            return pages.problem_page(problem, phone=True)

    async def _health(self, request: Request) -> Response:
        return Response.json({"status": "ok", "name": "wallet"})

    async def _index(self, request: Request) -> Response:
        return views.index(self.home.owners())

    async def _wallet(self, request: Request, owner: str) -> Response:
        return views.wallet(self.home.owner(owner))

    # -- scanning -------------------------------------------------------------------------------------------------

    async def _scan(self, request: Request) -> Response:
        address = request.args().get("uri", "")
        return views.whose(self.home.owners(), address, self._token(address))

    async def _scanned(self, request: Request) -> Response:
        values = pages.form_values(request)
        address = values.get("uri", "")
        self._require_token(values, address)
        owner = self.home.owner(values.get("owner", ""))
        scanned = await asyncio.to_thread(dealing.scan, self.home, address)
        deal = Deal(secrets.token_urlsafe(16), owner.id, address, scanned)
        if len(self.deals) >= _MOST_OPEN:
            self.deals.clear()
        self.deals[deal.id] = deal
        return pages.see_other(_path(deal))

    async def _deal(self, request: Request, owner: str, deal: str) -> Response:
        found = self._own(owner, deal)
        one = self.home.owner(owner)
        if found.outcome is not None:
            return views.outcome(one, found.outcome)
        token, scanned = self._token(found.id), found.scanned
        if scanned.question is not None:
            return views.question(one, scanned.question, _path(found), token)
        return views.offer(one, scanned, _path(found), token)

    async def _decide(self, request: Request, owner: str, deal: str) -> Response:
        found, values = self._own(owner, deal), pages.form_values(request)
        self._require_token(values, found.id)
        if found.outcome is None:
            found.outcome = await self._done(found, values)
        return pages.see_other(_path(found))

    async def _done(self, deal: Deal, values: Mapping[str, str]) -> Text | None:
        if values.get("refuse"):
            return views.REFUSED
        if deal.scanned.question is not None:
            good, why = await asyncio.to_thread(dealing.show, self.home, deal.owner, deal.scanned.question)
            log.info("shown", accepted=good)
            return views.SHOWN if good else Text(f"Not accepted: {why}", f"對方未接受：{why}")
        code = values.get("tx_code", "").strip()
        count = await asyncio.to_thread(dealing.take, self.home, deal.owner, deal.scanned, deal.address, code)
        log.info("taken", count=count)
        return views.taken(count)

    # -- signing in at the provider -------------------------------------------------------------------------------

    async def _sign_in(self, request: Request, owner: str, deal: str) -> Response:
        found = self._own(owner, deal)
        if found.scanned.offer is None or found.outcome is not None:
            return pages.see_other(_path(found))
        found.party = self.home.party()
        try:
            address, found.kept = await asyncio.to_thread(dealing.sign_in, found.party, found.scanned.offer)
        except (SignInError, OSError) as error:
            return self._trouble(found, error)
        browser = secrets.token_urlsafe(24)
        self.signing_in[browser] = found
        cookie = f"{self.cookie}={browser}; Path=/; HttpOnly; SameSite=Lax"
        return Response(302, {"location": address, "set-cookie": cookie, "cache-control": "no-store"})

    async def _callback(self, request: Request) -> Response:
        found = self.signing_in.pop(pages.cookie_of(request, self.cookie), None)
        if found is None or found.party is None:
            return pages.see_other("/")
        party = found.party
        try:
            done = await asyncio.to_thread(party.finish, request.query, found.kept)
            count = await asyncio.to_thread(dealing.take_granted, self.home, found.owner, found.scanned, party, done)
        except (SignInError, OSError) as error:
            return self._trouble(found, error)
        log.info("taken", count=count)
        found.outcome = views.taken(count)
        return Response(302, {"location": _path(found), "cache-control": "no-store"})

    def _trouble(self, deal: Deal, error: Exception) -> Response:
        why = error.code if isinstance(error, SignInError) else type(error).__name__
        log.warning("fetching_failed", reason=str(error))
        deal.outcome = Text(f"Nothing was fetched: {why}", f"未領取：{why}")
        return Response(302, {"location": _path(deal), "cache-control": "no-store"})

    # -- within ---------------------------------------------------------------------------------------------------

    def _own(self, owner: str, deal: str) -> Deal:
        found = self.deals.get(deal)
        if found is None or found.owner != owner:
            raise Problem(
                "deal-over",
                404,
                what=Text("This code is no longer open here.", "此條碼的程序已結束。"),
                todo=Text("Scan the code again.", "請重新掃描條碼。"),
            )
        return found

    def _token(self, about: str) -> str:
        return hmac.new(self._form_key, about.encode(), "sha256").hexdigest()

    def _require_token(self, values: Mapping[str, str], about: str) -> None:
        if not hmac.compare_digest(values.get("token", "").encode(), self._token(about).encode()):
            raise Problem(
                "form-foreign",
                403,
                what=Text("This form did not come from this wallet.", "此表單並非來自此錢包。"),
                todo=Text("Scan the code again.", "請重新掃描條碼。"),
            )


def _path(deal: Deal) -> str:
    return f"/wallets/{quote(deal.owner)}/deals/{quote(deal.id)}"
