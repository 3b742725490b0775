"""The doors of the bank: batches and results for payers, a page for whoever wants to look."""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime
from hashlib import sha256
from html import escape
from pathlib import Path

import structlog

from smartgov.engines.httpd import Request, Response, Router
from smartgov.engines.pki.keys import write_secret
from smartgov.shared import clock
from smartgov.shared.money import format_ntd
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text
from smartgov.shared.tw.accounts import masked
from smartgov.simulators import pages
from smartgov.simulators.bank.books import Books, Payment
from smartgov.simulators.bank.files import read_batch
from smartgov.simulators.pages import both

log = structlog.get_logger()
_TITLE = Text("Sandbox bank", "模擬銀行")
_REASONS = {
    "": Text("Paid", "已入帳"),
    "account-closed": Text("Not paid: account closed", "未入帳：帳戶已結清"),
    "account-unknown": Text("Not paid: account unknown", "未入帳：查無帳戶"),
}


class BankApp:
    """The HTTP handler of the bank program; without a secret it takes unsigned batches."""

    def __init__(self, books: Books, secret: str | None) -> None:
        self.books, self._secret = books, secret
        self._router = Router()
        for method, path, endpoint in (
            ("POST", "/batches", self._take),
            ("GET", "/batches/{batch}/result", self._result),
            ("GET", "/", self._index),
            ("GET", "/health", self._health),
        ):
            self._router.add(method, path, endpoint)

    async def __call__(self, request: Request) -> Response:
        """Answer one request."""
        pages.require_loopback(request)
        if request.path.startswith("/batches"):
            self._require_signature(request)
        return await self._router(request)

    async def _take(self, request: Request) -> Response:
        batch = read_batch(request.json())
        fresh = self.books.take(batch)
        log.info("batch_taken", fresh=fresh, count=len(batch.lines))
        total = sum(line.amount for line in batch.lines)
        answer = {"batch": batch.id, "count": len(batch.lines), "total": total, "content": batch.content}
        return Response.json(answer, 201 if fresh else 200)

    async def _result(self, request: Request, batch: str) -> Response:
        headers = {"content-type": "text/plain; charset=utf-8", "cache-control": "no-store"}
        return Response(200, headers, self.books.result(batch))

    async def _health(self, request: Request) -> Response:
        return Response.json({"status": "ok", "name": "bank"})

    async def _index(self, request: Request) -> Response:
        accounts = [
            [escape(name), f"{escape(code)} {escape(masked(account))}", format_ntd(total)]
            for code, account, name, total in self.books.balances()
        ]
        heads = [Text("Holder", "戶名"), Text("Account", "帳號"), Text("Received", "已收金額")]
        nothing = Text("No money has come in yet.", "尚無入帳。")
        body = f"<h2>{both(Text('Accounts', '帳戶'))}</h2>"
        body += pages.table(heads, accounts, nothing, amounts=frozenset({2}))
        return pages.page(_TITLE, body + self._payments(), refresh=pages.reload_after(request, 5))

    def _payments(self) -> str:
        heads = [
            Text("Received", "受理時間"),
            Text("Reference", "付款編號"),
            Text("Holder and account", "戶名與帳號"),
            Text("Purpose", "用途"),
            Text("Amount", "金額"),
            Text("Outcome", "結果"),
        ]
        empty = Text(
            "No batch yet. Payments appear here once a second person has released one.",
            "尚無批次；第二人放行後即會顯示付款。",
        )
        rows = [_row(payment) for payment in self.books.payments()]
        return f"<h2>{both(Text('Payments', '付款'))}</h2>" + pages.table(heads, rows, empty, amounts=frozenset({4}))

    def _require_signature(self, request: Request) -> None:
        if self._secret is None:
            return
        expected = sign(self._secret, request.method, request.path, request.body)
        given = request.headers.get("x-batch-signature", "")
        if not hmac.compare_digest(given.encode(), expected.encode()):
            raise Problem(
                "batch-unsigned",
                401,
                what=Text("The bank does not know who sends this.", "銀行無法確認送件者。"),
                why=Text("The signature is missing or wrong.", "簽章缺漏或有誤。"),
                todo=Text("Sign it with the payer's secret.", "請以付款機關的密鑰簽章。"),
            )


def sign(secret: str, method: str, path: str, body: bytes) -> str:
    """The value of `X-Batch-Signature`."""
    return hmac.new(secret.encode(), f"{method} {path}\n".encode() + body, sha256).hexdigest()


def payer_secret(home: Path) -> str:
    """The secret shared with the payer, made at the first use."""
    path = home / "secrets" / "payer"
    if not path.exists():
        write_secret(path, secrets.token_urlsafe(32).encode())
    return path.read_text().strip()


def _row(payment: Payment) -> list[str]:
    taken = datetime.fromisoformat(payment.received_at).astimezone(clock.TAIPEI).strftime("%Y-%m-%d %H:%M:%S")
    mark = "✗" if payment.reason else "✓"
    return [
        escape(taken),
        escape(payment.reference),
        f"{escape(payment.name)}<br>{escape(payment.bank_code)} {escape(masked(payment.account))}",
        escape(payment.purpose),
        format_ntd(payment.amount),
        f"{mark} {both(_REASONS[payment.reason])}",
    ]
