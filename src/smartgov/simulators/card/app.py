"""The helper's doors. A site's page posts its request here; the answer goes back by a form that the person sends.

The browser says which site asks (`Origin`), and only that is shown, signed and answered: a page that lies about itself
gets nothing, and one that borrows another site's nonce signs its own name under it. The PIN is typed here only.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from html import escape
from pathlib import Path

import structlog
from cryptography import x509

from smartgov.engines.httpd import Request, Response, Router
from smartgov.engines.pki import certificates, citizen
from smartgov.engines.pki.card import Card, CardAbsentError, CardError, PinLockedError, PinWrongError
from smartgov.engines.pki.keys import b64url, from_b64url
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text
from smartgov.simulators import pages
from smartgov.simulators.card import asked as requests
from smartgov.simulators.card import home as homes
from smartgov.simulators.card.asked import Asked
from smartgov.simulators.pages import both

log = structlog.get_logger()
_TITLE = Text("Card helper", "自然人憑證讀卡元件")
_LOOPBACK = {"localhost", "127.0.0.1", "[::1]"}
_MOST = 50
_LONGEST_PIN = 12
_CANCELLED = Text("Cancelled. Nothing was signed.", "已取消，未簽署任何內容。")
_LOCKED = Text(
    "The card is locked: its PIN was wrong three times. Unlock it with your user code on the authority's site, or at a"
    " household registration office.",
    "卡片已鎖定：PIN 碼連續輸入錯誤三次。請以用戶代碼至內政部憑證管理中心網站解鎖，或洽戶政事務所辦理。",
)


class HelperApp:
    """The HTTP handler of the helper on one machine."""

    def __init__(self, home: Path, reader: homes.Reader) -> None:
        self.home, self.reader = home, reader
        self._open: dict[str, Asked] = {}
        self._router = Router()
        for method, path, endpoint in (
            ("GET", "/health", self._health),
            ("GET", "/", self._index),
            ("POST", "/unlock/{label}", self._unlock),
            ("POST", "/requests", self._request),
            ("POST", "/requests/{number}", self._decide),
        ):
            self._router.add(method, path, endpoint)

    async def __call__(self, request: Request) -> Response:
        """Answer one request; this machine's own names only, so that no other name can be made to mean it."""
        try:
            if request.headers.get("host", "").rsplit(":", 1)[0] not in _LOOPBACK:
                raise _foreign()
            return await self._router(request)
        except Problem as problem:
            return pages.problem_page(problem)

    async def _health(self, request: Request) -> Response:
        return Response.json({"status": "ok", "name": "card"})

    async def _index(self, request: Request) -> Response:
        found = await asyncio.to_thread(self._cards)
        heads = [Text("Card", "卡片"), Text("Unlock", "解鎖")]
        rows = [[escape(certificates.common_name(certificate)), _unlocking(card.label)] for card, certificate in found]
        body = pages.table(heads, rows, Text("No card is in a reader.", "讀卡機中沒有卡片。"))
        listed = "".join(f"<li>{escape(site)}</li>" for site in sorted(homes.sites(self.home)))
        body += f"<h2>{both(Text('Sites that may ask', '可使用本元件的網站'))}</h2><ul>{listed}</ul>"
        if self.reader.counts:
            body += f'<p class="note">{both(_pin_of_the_demo())}</p>'
        return pages.page(_TITLE, body)

    async def _unlock(self, request: Request, label: str) -> Response:
        pages.require_loopback(request)
        self.reader.unlock(label)
        return pages.see_other("/")

    async def _request(self, request: Request) -> Response:
        """A page of a site asks. The browser shows the helper's page in its place."""
        origin = request.headers.get("origin", "")
        if origin not in homes.sites(self.home):
            raise _site_unknown(origin)
        try:
            body = json.loads(from_b64url(pages.form_values(request).get("request", "")))
        except ValueError:
            body = None
        made = requests.read(body, origin)
        self._forget()
        self._open[made.id] = made
        log.info("card_asked", origin=origin, document=made.document is not None)
        return await self._question(made)

    async def _question(self, found: Asked, said: Text | None = None, status: int = 200) -> Response:
        cards = await asyncio.to_thread(self._cards)
        if not cards:
            return self._given_up(found, "card-absent", Text("No card is in a reader.", "讀卡機中沒有卡片。"))
        facts = [(Text("Who asks", "請求網站"), f"<strong>{escape(found.origin)}</strong>")]
        facts += [(Text("What for", "用途"), both(found.shown))]
        facts += [
            (
                Text("Number: must be the same on the other page", "核對碼：須與原網頁相同"),
                f"<strong>{found.number}</strong>",
            )
        ]
        if found.document:
            digest = " ".join(found.document["digest"][place : place + 4].upper() for place in range(0, 16, 4))
            facts += [
                (Text("Document", "文件"), escape(found.document["name"])),
                (Text("Fingerprint: must be the same on the other page", "指紋碼：須與原網頁相同"), digest),
            ]
        choices = "".join(
            f'<p><label><input type="radio" name="card" value="{escape(card.label)}" required'
            f"{' checked' if len(cards) == 1 else ''}> {escape(certificates.common_name(certificate))}</label></p>"
            for card, certificate in cards
        )
        alarm = f'<p class="card" role="alert"><strong>{both(said)}</strong></p>' if said else ""
        if self.reader.counts:
            alarm += f'<p class="note">{both(_pin_of_the_demo())}</p>'
        code = f'<input type="hidden" name="code" value="{found.code}">'
        body = (
            f'<div class="card">{pages.facts(facts)}</div>{alarm}'
            f'<form method="post" action="/requests/{found.id}">{code}<fieldset>'
            f"<legend>{both(Text('Card', '卡片'))}</legend>{choices}</fieldset>"
            f'<p><label for="pin">{both(Text("PIN of the card", "卡片 PIN 碼"))}</label>'
            f'<input id="pin" name="pin" type="password" inputmode="numeric" autocomplete="off" required'
            f' maxlength="{_LONGEST_PIN}"></p><button>{both(Text("Sign", "簽章"))}</button></form>'
            f'<form method="post" action="/requests/{found.id}">{code}'
            f'<button class="quiet" name="cancel" value="1">{both(Text("Cancel", "取消"))}</button></form>'
        )
        return pages.page(_TITLE, body, status=status)

    async def _decide(self, request: Request, number: str) -> Response:
        values = pages.form_values(request)
        found = self._open.get(number)
        if found is None or not hmac.compare_digest(values.get("code", "").encode(), found.code.encode()):
            raise _foreign()
        if found.is_over or found.answer:
            raise _over()
        if values.get("cancel"):
            return self._given_up(
                found, "cancelled", Text("Cancelled. Nothing was signed.", "已取消，未簽署任何內容。")
            )
        try:
            answer = await asyncio.to_thread(self._signed, found, values.get("card", ""), values.get("pin", ""))
        except PinWrongError as error:
            log.warning("card_pin_wrong", last=error.last)
            return await self._question(found, _wrong(last=error.last), status=403)
        except PinLockedError:
            log.warning("card_pin_locked")
            return self._given_up(found, "pin-locked", _LOCKED)
        except CardError:
            return self._given_up(found, "card-absent", Text("The card is not in the reader.", "讀卡機中沒有此卡片。"))
        log.info("card_signed", document=found.document is not None)
        return self._back(found, answer, Text("Signed. Go back to the site to go on.", "已簽章，請回到原網站繼續。"))

    def _signed(self, found: Asked, label: str, pin: str) -> dict[str, str]:
        card = next((one for one in self.reader.cards() if one.label == label), None)
        if card is None:
            raise CardAbsentError
        certificate = card.certificate()
        if found.document:
            signature = self.reader.sign(card, from_b64url(found.document["to_sign"]), pin)
            return {"signature": b64url(signature), "certificate": b64url(certificates.der(certificate))}
        message = citizen.packed(found.content(), certificate, lambda data: self.reader.sign(card, data, pin))
        return {"cms": b64url(message)}

    def _cards(self) -> list[tuple[Card, x509.Certificate]]:
        found = []
        for card in self.reader.cards():
            try:
                found.append((card, card.certificate()))
            except CardAbsentError:
                continue
        return found

    def _given_up(self, found: Asked, reason: str, said: Text) -> Response:
        return self._back(found, {"refused": reason}, said)

    def _back(self, found: Asked, answer: dict[str, str], said: Text) -> Response:
        """A form that takes the answer to the site that asked, and nowhere else."""
        found.answer = requests.encoded(answer)
        body = (
            f'<p class="card" role="status">{both(said)}</p>'
            f'<form method="post" action="{escape(found.back)}">'
            f'<input type="hidden" name="answer" value="{found.answer}">'
            f"<button>{both(Text('Back to', '回到'))} {escape(found.origin)}</button></form>"
        )
        response = pages.page(_TITLE, body)
        policy = response.headers["content-security-policy"]
        response.headers["content-security-policy"] = policy.replace(
            "form-action 'self'", f"form-action 'self' {found.origin}"
        )
        return response

    def _forget(self) -> None:
        for old in [one.id for one in self._open.values() if one.is_over]:
            del self._open[old]
        if len(self._open) >= _MOST:
            self._open.pop(next(iter(self._open)))


def _pin_of_the_demo() -> Text:
    said = Text("The PIN of every card of the demo is {pin}.", "示範卡片的 PIN 碼均為 {pin}。")
    return said.format(pin=homes.DEMO_PIN)


def _unlocking(label: str) -> str:
    press = both(Text("Unlock (as the issuer would)", "解鎖（模擬發卡單位）"))
    return f'<form method="post" action="/unlock/{escape(label)}"><button class="quiet">{press}</button></form>'


def _wrong(*, last: bool) -> Text:
    if last:
        return Text(
            "The PIN is wrong. One try is left; after it the card locks.", "PIN 碼錯誤，剩餘一次機會，再錯將鎖卡。"
        )
    return Text("The PIN is wrong. Try again with care.", "PIN 碼錯誤，請確認後再試。")


def _site_unknown(origin: str) -> Problem:
    return Problem(
        "site-unknown",
        403,
        what=Text("This site may not use your card.", "此網站未獲允許使用您的卡片。"),
        why=Text(f"It is not on this machine's list: {origin or '-'}", f"不在本機的網站清單中：{origin or '-'}"),
        todo=Text("Add it only if you trust it.", "確認可信後再加入清單。"),
    )


def _foreign() -> Problem:
    return Problem(
        "form-foreign",
        403,
        what=Text("This form did not come from this helper.", "此表單並非來自本元件。"),
        todo=Text("Go back to the site and start again.", "請回到網站重新開始。"),
    )


def _over() -> Problem:
    return Problem(
        "request-closed",
        409,
        what=Text("This request is over.", "此請求已結束。"),
        why=Text("It was answered, or its two minutes have passed.", "已處理過，或已逾兩分鐘。"),
        todo=Text("Go back to the site and start again.", "請回到網站重新開始。"),
    )
