"""The doors of the phone: an API for the service provider, and pages for the person who holds the phone."""

from __future__ import annotations

import hmac
import secrets
from html import escape
from pathlib import Path
from urllib.parse import quote

import structlog

from smartgov.engines.httpd import Request, Response, Router
from smartgov.engines.pki.keys import b64url
from smartgov.shared import clock
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text
from smartgov.simulators import pages
from smartgov.simulators.pages import both
from smartgov.simulators.phone import home as phones
from smartgov.simulators.phone import tasks
from smartgov.simulators.phone.tickets import Ticket, Tickets, require_pending

log = structlog.get_logger()
_PHONES = Text("Phones of the demo's persons", "展示人物的手機")
_REFUSE = Text("This was not me: refuse", "不是我操作的：拒絕")
_EMPTY = Text("Nothing waits. A request will appear here by itself.", "目前沒有請求；收到時會自動顯示。")
_LOST = Text("Is this phone lost?", "手機遺失了？")
_LOST_HINT = Text(
    "The simulation gives the person a new phone with a new key. Nothing knows it until it is enrolled.",
    "模擬換上一支新手機與新金鑰；在重新登錄之前，沒有任何服務認得它。",
)
_LOST_NOW = Text("Lost it: take a new phone", "已遺失，換新手機")
_ENDED = {
    "approved": Text("Approved. You may go back to the other screen.", "已核准。請回到原畫面。"),
    "refused": Text("Refused. Nobody was signed in.", "已拒絕，未登入任何人。"),
    "expired": Text("Too late: the request ran out.", "請求已逾時。"),
    "pending": Text("Waiting.", "等候中。"),
}


class PhoneApp:
    """The HTTP handler of the phone program; `base` is the address at which people reach it."""

    def __init__(self, home: Path, base: str) -> None:
        self.home, self.base = home, base
        self.tickets = Tickets()
        self._secret = phones.sp_secret(home)
        self._form_key = secrets.token_bytes(32)
        self._router = Router()
        for method, path, endpoint in (
            ("POST", "/sp/tickets", self._request),
            ("GET", "/sp/tickets/{ticket}", self._result),
            ("GET", "/health", self._health),
            ("GET", "/", self._index),
            ("GET", "/scan", self._scan),
            ("POST", "/scan", self._scanned),
            ("GET", "/phones/{persona}", self._phone),
            ("POST", "/phones/{persona}/lost", self._lost),
            ("GET", "/phones/{persona}/requests/{ticket}", self._ask),
            ("POST", "/phones/{persona}/requests/{ticket}", self._decide),
        ):
            self._router.add(method, path, endpoint)

    async def __call__(self, request: Request) -> Response:
        """Answer one request; people get problems as pages, the service provider as problem+json."""
        pages.require_loopback(request)
        if request.path.startswith("/sp/"):
            pages.require_secret(request, self._secret)
            return await self._router(request)
        try:
            return await self._router(request)
        except Problem as problem:
            return pages.problem_page(problem, phone=True)

    # -- for the service provider ---------------------------------------------------------------------------------

    async def _request(self, request: Request) -> Response:
        body = request.json()
        ticket = self.tickets.add(body, persona=self._addressee(body))
        log.info("ticket_created", mode="push" if ticket.persona else "qr", origin=ticket.origin)
        answer = {"ticket": ticket.id, "status": ticket.status, "expires": ticket.expires.isoformat()}
        if ticket.persona is None:
            answer["link"] = f"{self.base}/scan?ticket={quote(ticket.id)}"
        else:
            answer["link"] = f"{self.base}/phones/{ticket.persona}"
        return Response.json(answer, 201)

    async def _result(self, request: Request, ticket: str) -> Response:
        found = self.tickets.get(ticket)
        answer: dict[str, object] = {
            "ticket": found.id,
            "callback": found.callback,
            "status": found.status,
            "reason": found.reason,
        }
        if found.status == "approved":
            answer |= {"payload": found.payload, "signature": found.signature, "key_id": found.key_id}
            answer |= {"outcome": found.outcome}
        return Response.json(answer)

    def _addressee(self, body: object) -> str | None:
        if not isinstance(body, dict):
            return None
        if "persona" in body:
            return self._persona(str(body["persona"])).id
        if "key_id" in body:
            return self._persona(str(body["key_id"]), by="key_id").id
        return None

    async def _health(self, request: Request) -> Response:
        return Response.json({"status": "ok", "name": "phone"})

    # -- for the person -------------------------------------------------------------------------------------------

    async def _index(self, request: Request) -> Response:
        rows = [
            f'<li class="card"><a href="/phones/{escape(p.id)}">{escape(p.name)}</a>{_story(p)}</li>'
            for p in phones.personas(self.home)
        ]
        empty = Text("No phone yet: enrol a person first.", "尚無手機，請先登錄人物。")
        body = f'<ul class="plain">{"".join(rows)}</ul>' if rows else f'<p class="card">{both(empty)}</p>'
        return pages.page(_PHONES, body, phone=True)

    async def _phone(self, request: Request, persona: str) -> Response:
        owner = self._persona(persona)
        rows = [
            f'<li class="card"><p>{both(t.shown)}</p><p class="note">{escape(t.origin)}</p>'
            f'<a href="{_path(t)}">{both(Text("Open", "開啟"))}</a></li>'
            for t in self.tickets.pending(persona)
        ]
        body = f'<ul class="plain">{"".join(rows)}</ul>' if rows else f'<p class="card">{both(_EMPTY)}</p>'
        body += (
            f'<details class="note"><summary>{both(_LOST)}</summary><p>{both(_LOST_HINT)}</p>'
            f'<form method="post" action="/phones/{quote(owner.id)}/lost" class="wide">'
            f'<input type="hidden" name="token" value="{self._lost_token(owner.id)}">'
            f'<button class="quiet">{both(_LOST_NOW)}</button></form></details>'
        )
        return pages.page(_title(owner), body, refresh=pages.reload_after(request, 3), phone=True)

    async def _lost(self, request: Request, persona: str) -> Response:
        owner = self._persona(persona)
        given = pages.form_values(request).get("token", "")
        if not hmac.compare_digest(given.encode(), self._lost_token(owner.id).encode()):
            raise _form_foreign()
        phones.replace_phone(self.home, owner)
        log.info("phone_replaced")
        return pages.see_other(f"/phones/{quote(owner.id)}")

    async def _ask(self, request: Request, persona: str, ticket: str) -> Response:
        owner, found = self._persona(persona), self._own(persona, ticket)
        if found.status != "pending":
            body = f'<p class="card status" role="status">{both(_ENDED[found.status])}</p>{_home_link(owner.id)}'
            return pages.page(_title(owner), body, phone=True)
        return pages.page(_title(owner), self._question(found), phone=True)

    def _question(self, ticket: Ticket) -> str:
        details = pages.facts(
            [
                (Text("Who asks", "請求者"), escape(ticket.origin)),
                (Text("What for", "用途"), both(ticket.shown)),
            ]
        )
        if ticket.task is not None:
            details += tasks.shown(ticket.task)
        ask = Text("Choose the number that the other screen shows.", "請選擇另一個畫面上顯示的數字。")
        numbers = "".join(f'<button name="number" value="{number}">{number}</button>' for number in ticket.choices)
        token = f'<input type="hidden" name="token" value="{self._form_token(ticket)}">'
        return (
            f'<div class="card">{details}</div><p>{both(ask)}</p>'
            f'<form method="post" action="{_path(ticket)}">{token}<div class="numbers">{numbers}</div></form>'
            f'<form method="post" action="{_path(ticket)}" class="wide">{token}'
            f'<button class="quiet" name="refuse" value="1">{both(_REFUSE)}</button></form>'
        )

    async def _decide(self, request: Request, persona: str, ticket: str) -> Response:
        found, values = self._own(persona, ticket), pages.form_values(request)
        self._require_form(found, values)
        require_pending(found)
        if values.get("refuse"):
            found.decided, found.reason = "refused", "declined"
        elif not hmac.compare_digest(values.get("number", "").encode(), found.number.encode()):
            found.decided, found.reason = "refused", "wrong-number"
        else:
            self._approve(found)
        log.info("ticket_decided", status=found.decided, reason=found.reason)
        return pages.see_other(_path(found))

    def _approve(self, ticket: Ticket) -> None:
        assert ticket.persona is not None
        content = ticket.content(clock.now())
        ticket.payload = content.decode()
        ticket.signature = b64url(phones.sign(self.home, ticket.persona, content))
        ticket.key_id = self._persona(ticket.persona).key_id
        if ticket.task is not None:
            ticket.outcome = tasks.do(self.home, ticket.persona, ticket.task)
        ticket.decided = "approved"

    async def _scan(self, request: Request) -> Response:
        found = self.tickets.get(request.args().get("ticket", ""))
        _require_unscanned(found)
        token = f'<input type="hidden" name="token" value="{self._form_token(found)}">'
        token += f'<input type="hidden" name="ticket" value="{escape(found.id)}">'
        rows = "".join(
            f'<li><form method="post" action="/scan" class="wide">{token}'
            f'<button name="persona" value="{escape(p.id)}">{escape(p.name)}</button></form>{_story(p)}</li>'
            for p in phones.personas(self.home)
        )
        ask = Text("Whose phone scans this code?", "由誰的手機掃描此行動條碼？")
        return pages.page(ask, f'<ul class="plain">{rows}</ul>', phone=True)

    async def _scanned(self, request: Request) -> Response:
        values = pages.form_values(request)
        found = self.tickets.get(values.get("ticket", ""))
        self._require_form(found, values)
        _require_unscanned(found)
        owner = self._persona(values.get("persona", ""))
        found.persona = owner.id
        return pages.see_other(_path(found))

    # -- what the doors share -------------------------------------------------------------------------------------

    def _persona(self, value: str, *, by: str = "id") -> phones.Persona:
        found = next((p for p in phones.personas(self.home) if getattr(p, by) == value), None)
        if found is None:
            raise Problem(
                "persona-unknown",
                404,
                what=Text("There is no such phone.", "查無此手機。"),
                todo=Text("Enrol the person first.", "請先登錄該人物。"),
            )
        return found

    def _own(self, persona: str, ticket: str) -> Ticket:
        found = self.tickets.get(ticket)
        return found if found.persona == persona else self.tickets.get("")

    def _lost_token(self, persona: str) -> str:
        return hmac.new(self._form_key, f"lost|{persona}".encode(), "sha256").hexdigest()

    def _form_token(self, ticket: Ticket) -> str:
        return hmac.new(self._form_key, f"{ticket.id}|{ticket.persona}".encode(), "sha256").hexdigest()

    def _require_form(self, ticket: Ticket, values: dict[str, str]) -> None:
        if not hmac.compare_digest(values.get("token", "").encode(), self._form_token(ticket).encode()):
            raise _form_foreign()


def _form_foreign() -> Problem:
    return Problem(
        "form-foreign",
        403,
        what=Text("This form did not come from this phone.", "此表單並非來自這支手機。"),
        todo=Text("Open the request on the phone again.", "請在手機上重新開啟請求。"),
    )


def _require_unscanned(ticket: Ticket) -> None:
    require_pending(ticket)
    if ticket.persona is not None:
        raise Problem(
            "request-closed",
            409,
            what=Text("This code was scanned already.", "此行動條碼已被掃描。"),
            todo=Text("Start again on the other screen.", "請在另一個畫面重新開始。"),
        )


def _path(ticket: Ticket) -> str:
    return f"/phones/{quote(ticket.persona or '')}/requests/{quote(ticket.id)}"


def _home_link(persona: str) -> str:
    return f'<p><a href="/phones/{escape(persona)}">{both(Text("Back to this phone", "回到手機首頁"))}</a></p>'


def _story(owner: phones.Persona) -> str:
    return f'<p class="note">{both(owner.story)}</p>' if owner.story.en else ""


def _title(owner: phones.Persona) -> Text:
    return Text(f"{owner.name}: mobile identity", f"{owner.name}的行動身分")
