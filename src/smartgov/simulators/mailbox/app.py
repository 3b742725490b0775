"""The two doors of the mailbox: SMTP takes, the web shows."""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import datetime
from html import escape
from typing import Any
from urllib.parse import urlsplit

import structlog
from aiosmtpd.smtp import SMTP

from smartgov.engines.httpd import Request, Response, Router
from smartgov.shared import clock
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text
from smartgov.simulators import pages
from smartgov.simulators.mailbox.store import Mail, Mailbox
from smartgov.simulators.pages import both

log = structlog.get_logger()
MAX_MESSAGE = 2**20
_TITLE = Text("Mailbox", "信箱")
_EMPTY = Text("No mail yet. A message appears here a moment after it is sent.", "尚無郵件；寄出後稍候即會顯示。")
_LINK = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)。，）」]")


class Receiver:
    """What the SMTP library calls with each message."""

    def __init__(self, mailbox: Mailbox) -> None:
        self.mailbox = mailbox

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - the library's name
        """Keep the message; its envelope stands in for headers that it lacks."""
        lines = [f"X-Received-At: {clock.now().isoformat(timespec='seconds')}\r\n"]
        self.mailbox.add("".join(lines).encode() + envelope.original_content)
        log.info("mail_received", size=len(envelope.original_content), recipients=len(envelope.rcpt_tos))
        return "250 kept"


def smtp_protocol(mailbox: Mailbox) -> SMTP:
    """One SMTP conversation."""
    return SMTP(
        Receiver(mailbox), data_size_limit=MAX_MESSAGE, enable_SMTPUTF8=True, decode_data=False, hostname="mailbox"
    )


class MailboxApp:
    """The web pages of the mailbox."""

    def __init__(self, mailbox: Mailbox) -> None:
        self.mailbox = mailbox
        self._router = Router()
        for path, endpoint in (
            ("/", self._list),
            ("/messages.json", self._json),
            ("/messages/{name}", self._message),
            ("/health", self._health),
        ):
            self._router.add("GET", path, endpoint)

    async def __call__(self, request: Request) -> Response:
        """Answer one request."""
        pages.require_loopback(request)
        try:
            return await self._router(request)
        except Problem as problem:
            return pages.problem_page(problem)

    async def _list(self, request: Request) -> Response:
        heads = [Text("Received", "收到時間"), Text("To", "收件者"), Text("Subject", "主旨")]
        rows = [
            [
                escape(_local(mail.received_at)),
                escape(mail.recipients),
                f'<a href="/messages/{mail.id}">{escape(mail.subject) or both(Text("No subject", "無主旨"))}</a>',
            ]
            for mail in self.mailbox.newest()
        ]
        return pages.page(_TITLE, pages.table(heads, rows, _EMPTY), refresh=pages.reload_after(request, 5))

    async def _message(self, request: Request, name: str) -> Response:
        mail = self.mailbox.get(name)
        if mail is None:
            raise Problem(
                "not-found",
                404,
                what=Text("There is no such message.", "查無此郵件。"),
                todo=Text("Go back to the list.", "請回到信箱列表。"),
            )
        back = f'<p><a href="/">{both(Text("Back to the mailbox", "回到信箱"))}</a></p>'
        body = f'<div class="card">{_head(mail)}</div><div class="card"><pre>{_linked(mail.text)}</pre></div>{back}'
        return pages.page(Text(mail.subject or "Message", mail.subject or "郵件"), body)

    async def _json(self, request: Request) -> Response:
        limit = request.args().get("limit", "50")
        count = int(limit) if limit.isascii() and limit.isdigit() else 50
        return Response.json(
            [asdict(mail) for mail in self.mailbox.newest(count)], headers={"cache-control": "no-store"}
        )

    async def _health(self, request: Request) -> Response:
        return Response.json({"status": "ok", "name": "mailbox"})


def _head(mail: Mail) -> str:
    return pages.facts(
        [
            (Text("From", "寄件者"), escape(mail.sender)),
            (Text("To", "收件者"), escape(mail.recipients)),
            (Text("Received", "收到時間"), escape(_local(mail.received_at))),
        ]
    )


def _local(received_at: str) -> str:
    try:
        return datetime.fromisoformat(received_at).astimezone(clock.TAIPEI).strftime("%Y-%m-%d %H:%M:%S")
    except ValueError:
        return ""


def _linked(text: str) -> str:
    """Escaped text in which addresses on this machine, and no others, are links."""
    out, last = [], 0
    for match in _LINK.finditer(text):
        out.append(escape(text[last : match.start()]))
        url = match.group()
        local = _host(url) in {"localhost", "127.0.0.1"}
        out.append(f'<a href="{escape(url)}" rel="noopener noreferrer">{escape(url)}</a>' if local else escape(url))
        last = match.end()
    return "".join(out) + escape(text[last:])


def _host(url: str) -> str | None:
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return None if parts.username or parts.password else parts.hostname
