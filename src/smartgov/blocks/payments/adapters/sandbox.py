"""The sandbox bank: a separate program on loopback that plays the paying bank."""

from __future__ import annotations

import hmac
import json
from hashlib import sha256
from urllib.parse import quote

from smartgov.blocks.payments.ports import Order
from smartgov.blocks.payments.refusals import BANK_UNREACHABLE
from smartgov.engines.httpd import sync
from smartgov.shared import homes
from smartgov.shared.problems import Problem
from smartgov.shared.settings import get
from smartgov.shared.text import Text


class SandboxBank:
    """Speaks `POST /batches` and `GET /batches/{id}/result`, each signed with the secret shared with the bank."""

    def __init__(self, url: str | None = None) -> None:
        self.url = url

    def send(self, order: Order) -> None:
        """Hand the batch over; Problem `bank-refused` when the bank does not take it."""
        body = {
            "batch": order.id,
            "agency": order.agency,
            "digest": order.digest,
            "count": len(order.lines),
            "total": order.total,
            "lines": [
                {
                    "reference": line.reference,
                    "bank_code": line.bank_code,
                    "account": line.account,
                    "name": line.name,
                    "amount": line.amount,
                    "purpose": line.purpose,
                }
                for line in order.lines
            ],
        }
        status, _ = self._ask("POST", "/batches", json.dumps(body, ensure_ascii=False).encode())
        if status >= 400:
            raise _refused(status)

    def result(self, batch: str) -> bytes | None:
        """The result file; None while the bank works (404 or 425)."""
        status, content = self._ask("GET", f"/batches/{quote(batch, safe='')}/result")
        if status in (202, 404, 425):
            return None
        if status >= 400:
            raise _refused(status)
        return content

    def _ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        headers = {"content-type": "application/json"} if body else {}
        if secret := self._secret():
            signed = f"{method} {path}\n".encode() + body
            headers["x-batch-signature"] = hmac.new(secret, signed, sha256).hexdigest()
        base = self.url or get("SMARTGOV_BANK_URL")
        try:
            answer = sync.request(method, base + path, headers=headers, body=body, timeout=10)
        except (OSError, TimeoutError):
            raise BANK_UNREACHABLE from None
        return answer.status, answer.body

    @staticmethod
    def _secret() -> bytes:
        """What we share with the bank; the bank makes it in its own folder at its first start."""
        path = homes.home() / "bank" / "secrets" / "payer"
        return path.read_bytes().strip() if path.exists() else b""


def _refused(status: int) -> Problem:
    return Problem(
        "bank-refused",
        502,
        what=Text("The bank did not take the batch.", "銀行未受理此批次。"),
        why=Text(f"It answered {status}.", f"銀行回覆代碼 {status}。"),
        todo=Text("Nothing is lost; look at the batch and call the bank.", "資料不會遺失，請檢視批次並聯絡銀行。"),
    )
