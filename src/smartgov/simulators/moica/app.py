"""The Ministry's doors: lists and answers about certificates, the confirmation service, TW FidO's three calls, and the
app on people's phones.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import structlog
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from smartgov.engines.httpd import Request, Response, Router
from smartgov.engines.pki import certificates, citizen, keys
from smartgov.engines.pki.authority import Record, State, ocsp
from smartgov.shared import clock
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text
from smartgov.simulators import pages
from smartgov.simulators.moica import home as ministry
from smartgov.simulators.moica.tickets import RefusedError, Ticket, Tickets, checksum, data_of, read
from smartgov.simulators.pages import both

log = structlog.get_logger()
_LARGEST_QUESTION = 4096
_SIGN = Text("Confirm", "確認")
_CANCEL = Text("This was not me: cancel", "不是我操作的：取消")
_EMPTY = Text("Nothing waits. A request will appear here by itself.", "目前沒有請求；收到時會自動顯示。")
_NOBODY = Text("Nobody has a mobile certificate yet.", "尚無人申請行動自然人憑證。")
_SAID = {
    "signed": Text("Done. You may go back to the other page.", "已完成。請回到原畫面。"),
    "APP_USER_CANCEL": Text("Cancelled. Nobody was signed in.", "已取消，未登入任何人。"),
    "": Text("Too late: the request ran out.", "請求已逾時。"),
}
_KINDS = {"card": Text("card", "自然人憑證 IC 卡"), "mobile": Text("phone", "行動自然人憑證")}


class MinistryApp:
    """The HTTP handler of the program; `base` is the address at which people reach it."""

    def __init__(self, home: Path, base: str) -> None:
        ministry.create(home)
        self.home, self.base, self.tickets = home, base, Tickets()
        self._form_key = secrets.token_bytes(32)
        self._responder = ocsp.Responder(
            keys.load_p256(home / "keys" / "ocsp.key"),
            certificates.from_pem((home / "ocsp.pem").read_bytes()),
            ministry.authority(home),
        )
        self._router = Router()
        for method, path, endpoint in (
            ("GET", "/health", self._health),
            ("GET", "/ca.pem", self._authority),
            ("GET", "/crl", self._list),
            ("POST", "/ocsp", self._ask),
            ("POST", "/confirm", self._confirm),
            ("POST", "/moise/sp/getSpTicket", self._call("SP-API-ATH-01", self._ticket)),
            ("POST", "/moise/sp/getAthOrSignResult", self._call("SP-API-ATH-02", self._result)),
            ("POST", "/moise/sp/requestAthOrSignPush", self._call("SP-API-ATH-03", self._push)),
            ("GET", "/", self._index),
            ("POST", "/certificates/{serial}/revoke", self._revoke),
            ("GET", "/phones/{persona}", self._phone),
            ("GET", "/scan", self._scan),
            ("GET", "/a2a/verifySign", self._scan),
            ("GET", "/phones/{persona}/requests/{ticket}", self._question),
            ("POST", "/phones/{persona}/requests/{ticket}", self._decide),
        ):
            self._router.add(method, path, endpoint)

    async def __call__(self, request: Request) -> Response:
        """Answer one request; people get problems as pages."""
        if not request.path.startswith("/moise/"):
            pages.require_loopback(request)
        try:
            return await self._router(request)
        except RefusedError as error:
            return pages.problem_page(_refusal(error), phone=True)
        except Problem as problem:
            if request.path in {"/confirm", "/ocsp"}:
                raise
            return pages.problem_page(problem, phone=True)

    # -- the authority ----------------------------------------------------------------------------------------------

    async def _health(self, request: Request) -> Response:
        return Response.json({"status": "ok", "name": "moica"})

    async def _authority(self, request: Request) -> Response:
        pem = certificates.pem(ministry.authority(self.home))
        return Response(200, {"content-type": "application/x-pem-file"}, pem)

    async def _list(self, request: Request) -> Response:
        der = await asyncio.to_thread(ministry.crl, self.home)
        return Response(200, {"content-type": "application/pkix-crl"}, der)

    async def _ask(self, request: Request) -> Response:
        if len(request.body) > _LARGEST_QUESTION:
            return Response(413)
        asked = self._responder.asked(request.body)
        if asked is None:
            answer = ocsp.malformed() if ocsp.is_no_request(request.body) else ocsp.unauthorized()
        else:
            found = next((one for one in ministry.issued(self.home) if one.serial == str(asked.serial_number)), None)
            answer = self._responder.answer(asked, _record(found) if found else None, clock.now())
        return Response(200, {"content-type": "application/ocsp-response"}, answer)

    async def _confirm(self, request: Request) -> Response:
        """Whether the person with that national id is the one of that number. Nothing else is told."""
        pages.require_secret(request, ministry.customer(self.home)["confirm"])
        body = request.json()
        asked = (str(body.get("number")), str(body.get("national_id"))) if isinstance(body, dict) else ("", "")
        same = any((one.number, one.national_id) == asked for one in ministry.issued(self.home))
        return Response.json({"same": same})

    # -- the calls of service providers -----------------------------------------------------------------------------

    def _call(self, call: str, act: Callable[[dict[str, str], dict[str, str]], dict[str, str]]) -> Any:
        async def endpoint(request: Request) -> Response:
            customer = ministry.customer(self.home)
            try:
                result = act(read(call, request.json(), customer), customer)
            except RefusedError as error:
                return Response.json({"error_code": f"{call}-{error.code}", "error_message": error.code})
            return Response.json({"error_code": "0", "error_message": "SUCCESS", "result": result})

        return endpoint

    def _ticket(self, found: dict[str, str], customer: dict[str, str]) -> dict[str, str]:
        return self._made(found, customer, found["op_mode"])

    def _push(self, found: dict[str, str], customer: dict[str, str]) -> dict[str, str]:
        return self._made(found, customer, "PUSH")

    def _made(self, found: dict[str, str], customer: dict[str, str], mode: str) -> dict[str, str]:
        if self._owner(found["id_num"]) is None:
            raise RefusedError("IDNUM_USERPROF_NF")
        hashed = ministry.hashed(self.home, found["id_num"])
        ticket = self.tickets.add(found, mode=mode, hashed=hashed, service_name=customer["name"])
        log.info("ticket_created", mode=mode, code=ticket.code)
        encoded = ticket.encoded()
        key = base64.b64decode(customer["aes_key"])
        return {"sp_ticket": encoded, "idp_checksum": checksum(key, ticket.transaction, "0", encoded)}

    def _result(self, found: dict[str, str], customer: dict[str, str]) -> dict[str, str]:
        return self.tickets.result(found, base64.b64decode(customer["aes_key"]))

    def _owner(self, national_id: str) -> ministry.Issued | None:
        mine = [one for one in ministry.issued(self.home) if one.national_id == national_id and one.kind == "mobile"]
        return next((one for one in reversed(mine) if not one.is_revoked), None)

    # -- the pages of the authority ---------------------------------------------------------------------------------

    async def _index(self, request: Request) -> Response:
        heads = [Text("Person", "姓名"), Text("Certificate", "憑證"), Text("State", "狀態")]
        rows = [[escape(one.name), both(_KINDS[one.kind]), self._state(one)] for one in ministry.issued(self.home)]
        phones = "".join(
            f'<li><a href="/phones/{quote(one.persona)}">{escape(one.name)}</a></li>' for one in self._with_phones()
        )
        body = f"<h2>{both(Text('Phones', '手機'))}</h2>"
        body += f'<ul class="plain">{phones}</ul>' if phones else f'<p class="card">{both(_NOBODY)}</p>'
        body += f"<h2>{both(Text('Certificates', '憑證'))}</h2>" + pages.table(heads, rows, _NOBODY)
        return pages.page(Text("Ministry of the Interior: certificates", "內政部：自然人憑證"), body)

    def _state(self, one: ministry.Issued) -> str:
        if one.is_revoked:
            return both(Text("revoked", "已廢止"))
        token = f'<input type="hidden" name="token" value="{self._form_token(one.serial)}">'
        return (
            f'{both(Text("in force", "有效"))}<form method="post" action="/certificates/{one.serial}/revoke">{token}'
            f'<button class="quiet">{both(Text("Lost: revoke", "遺失：廢止"))}</button></form>'
        )

    async def _revoke(self, request: Request, serial: str) -> Response:
        self._require_form(request, serial)
        ministry.revoke(self.home, serial)
        log.info("certificate_revoked", serial=serial)
        return pages.see_other("/")

    # -- the app on the phone ---------------------------------------------------------------------------------------

    def _with_phones(self) -> list[ministry.Issued]:
        return [one for one in ministry.issued(self.home) if one.kind == "mobile" and not one.is_revoked]

    async def _phone(self, request: Request, persona: str) -> Response:
        owner = self._persona(persona)
        waiting = self.tickets.pushed(ministry.hashed(self.home, owner.national_id))
        rows = [
            f'<li class="card"><p>{escape(one.hint)}</p><p class="note">{escape(one.service_name)}</p>'
            f'<a href="{_path(persona, one)}">{both(Text("Open", "開啟"))}</a></li>'
            for one in waiting
        ]
        body = f'<ul class="plain">{"".join(rows)}</ul>' if rows else f'<p class="card">{both(_EMPTY)}</p>'
        return pages.page(_title(owner), body, refresh=pages.reload_after(request, 3), phone=True)

    async def _scan(self, request: Request) -> Response:
        """Scanning a code, or being opened by another app or page on the same phone: whose phone is it?"""
        given = request.args()
        found = self.tickets.opened(given.get("sp_ticket", ""))
        back = urlencode([(name, given[name]) for name in ("rtn_url", "rtn_val") if name in given])
        rows = "".join(
            f'<li class="card"><a href="{_path(one.persona, found)}{"?" + escape(back) if back else ""}">'
            f"{escape(one.name)}</a></li>"
            for one in self._with_phones()
        )
        ask = Text("Whose phone is this?", "這是誰的手機？")
        return pages.page(ask, f'<ul class="plain">{rows}</ul>', phone=True)

    async def _question(self, request: Request, persona: str, ticket: str) -> Response:
        owner, found = self._persona(persona), self.tickets.get(ticket)
        back = _back(request)
        if not found.is_open:
            said = _SAID.get(found.decided, _SAID[""])
            link = f'<p><a href="{escape(back)}">{both(Text("Back to the page", "回到網頁"))}</a></p>' if back else ""
            body = f'<p class="card status" role="status">{both(said)}</p>{link}'
            return pages.page(_title(owner), body, phone=True)
        self._require_own(owner, found)
        details = pages.facts(
            [
                (Text("Who asks", "請求者"), escape(found.service_name)),
                (Text("What for", "用途"), escape(found.hint)),
                (Text("You will", "您將"), both(_deed(found))),
            ]
        )
        token = f'<input type="hidden" name="token" value="{self._form_token(found.id)}">'
        action = f"{_path(persona, found)}{'?' + escape(request.query) if request.query else ''}"
        body = (
            f'<div class="card">{details}</div>'
            f"<p>{both(Text('Compare the number with the other screen.', '請核對另一個畫面上的數字。'))}</p>"
            f'<form method="post" action="{action}" class="wide">{token}<button>{both(_SIGN)}</button></form>'
            f'<form method="post" action="{action}" class="wide">{token}'
            f'<button class="quiet" name="cancel" value="1">{both(_CANCEL)}</button></form>'
        )
        return pages.page(_title(owner), body, phone=True)

    async def _decide(self, request: Request, persona: str, ticket: str) -> Response:
        self._require_form(request, ticket)
        owner, found = self._persona(persona), self.tickets.get(ticket)
        self._require_own(owner, found)
        if not found.is_open:
            raise RefusedError("SPTKTID_SPTKT_RDM")
        if pages.form_values(request).get("cancel"):
            found.decided = "APP_USER_CANCEL"
        else:
            await asyncio.to_thread(self._sign, owner, found)
        log.info("ticket_decided", decided=found.decided)
        return pages.see_other(f"{_path(persona, found)}{'?' + request.query if request.query else ''}")

    def _sign(self, owner: ministry.Issued, ticket: Ticket) -> None:
        if ticket.code == "SIGN":
            key, data = ministry.phone_key(self.home, owner.persona), data_of(ticket.sign)
            certificate = certificates.from_pem(owner.certificate.encode())

            def sign(content: bytes) -> bytes:
                return key.sign(content, padding.PKCS1v15(), hashes.SHA256())

            packed = ticket.sign.get("sign_type") == "PKCS#7"
            signature = citizen.packed(data, certificate, sign) if packed else sign(data)
            ticket.signature = base64.b64encode(signature).decode()
            ticket.certificate = base64.b64encode(certificates.der(certificate)).decode()
        ticket.decided = "signed"

    def _require_own(self, owner: ministry.Issued, ticket: Ticket) -> None:
        if not hmac.compare_digest(ticket.hashed, ministry.hashed(self.home, owner.national_id)):
            raise RefusedError("DEVID_SPTKT_MISMATCH")

    def _persona(self, persona: str) -> ministry.Issued:
        found = next((one for one in self._with_phones() if one.persona == persona), None)
        if found is None:
            raise RefusedError("IDNUM_DEVPROF_NF")
        return found

    def _form_token(self, about: str) -> str:
        return hmac.new(self._form_key, about.encode(), "sha256").hexdigest()

    def _require_form(self, request: Request, about: str) -> None:
        given = pages.form_values(request).get("token", "")
        if not hmac.compare_digest(given.encode(), self._form_token(about).encode()):
            raise Problem(
                "form-foreign",
                403,
                what=Text("This form did not come from this page.", "此表單並非來自本頁。"),
                todo=Text("Open the page again.", "請重新開啟頁面。"),
            )


def _record(one: ministry.Issued) -> Record:
    """The record of an issued certificate, in the form that answers are made from."""
    return Record(
        id=one.serial,
        profile="person",
        holder=one.number,
        common_name=one.name,
        organisation="",
        public_key="",
        state=State.REVOKED if one.is_revoked else State.ACTIVE,
        asked_by="moica",
        asked_at=datetime.fromtimestamp(0, UTC),
        serial=int(one.serial),
        revoked_at=datetime.fromisoformat(one.revoked_at) if one.is_revoked else None,
        reason=one.reason,
    )


def _deed(ticket: Ticket) -> Text:
    if ticket.code == "SIGN":
        return Text("sign with your mobile certificate", "以行動自然人憑證簽章")
    return Text("say who you are", "確認您的身分")


def _back(request: Request) -> str:
    """Where the app leads back to: `rtn_url` (base64) with `rtn_val` behind it; nothing that is not http or https."""
    given = request.args()
    try:
        address = base64.b64decode(given.get("rtn_url", ""), validate=True).decode()
    except ValueError:
        return ""
    if urlsplit(address).scheme not in {"http", "https"}:
        return ""
    joint = "&" if "?" in address else "?"
    return f"{address}{joint}{urlencode({'rtn_val': given['rtn_val']})}" if given.get("rtn_val") else address


def _path(persona: str, ticket: Ticket) -> str:
    return f"/phones/{quote(persona)}/requests/{quote(ticket.id)}"


def _title(owner: ministry.Issued) -> Text:
    return Text(f"{owner.name}: mobile citizen certificate", f"{owner.name}的行動自然人憑證")


def _refusal(error: RefusedError) -> Problem:
    what = {
        "DEVID_SPTKT_MISMATCH": Text("This request is for somebody else's phone.", "此請求並非給這支手機。"),
        "SPTKTID_SPTKT_RDM": Text("This request was answered already.", "此請求已處理過。"),
        "SPTKTID_SPTKT_NF": Text("There is no such request.", "查無此請求。"),
    }.get(error.code, Text("The app cannot do this.", "無法執行。"))
    return Problem(
        "twfido-refused",
        409,
        what=what,
        why=error.code,
        todo=Text("Start again on the other screen.", "請在另一個畫面重新開始。"),
    )
