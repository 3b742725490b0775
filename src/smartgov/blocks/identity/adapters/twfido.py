"""TW FidO (行動自然人憑證): three calls and four modes, as published for service providers (specification 2.9).

`getSpTicket` opens a request to be scanned (I-SCAN) or to be opened by a link on the same phone (APP2APP, MWEB2APP),
`requestAthOrSignPush` one that appears on the phone by itself, `getAthOrSignResult` asks what became of it. We always
ask for a signature (op_code SIGN, PKCS#1) over our own content: what the service merely says (ATH) binds neither our
origin nor our nonce. Its checksum, AES-GCM under a fixed IV over fields joined without separators, is spoken here only.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from smartgov.blocks.identity.adapters import fetching
from smartgov.blocks.identity.adapters.moica import folder
from smartgov.blocks.identity.means import refusals
from smartgov.blocks.identity.ports import Answer, Asked, Opened, Reason
from smartgov.shared.settings import get

logger = structlog.get_logger()
MODES = {"code": "I-SCAN", "app": "MWEB2APP", "native": "APP2APP"}
"""Our ways by the scheme's op_mode; the way `push` is the fourth, and has a call of its own."""
_IV = bytes(12)
_PAUSE = 4  # the specification asks for at least four seconds between two looks
_LIMITS = (30, 600)
# Codes that mean "not yet": the last is seen when one asks before the service has written its own log.
_NOT_YET = {"20002", "20003", "SPTKTID_TXNLOG_NF"}
_NOBODY = {"IDNUM_USERPROF_NF", "IDNUM_DEVPROF_NF", "DEV_DESC_MISMATCH"}
_WHY: dict[str, Reason] = {"APP_USER_CANCEL": "cancelled", "SPTKT_OVD": "expired"}
_APP = "mobilemoica://moica.moi.gov.tw/a2a/verifySign"


class TwFido:
    """The service at SMARTGOV_TWFIDO_URL. Service id, key and the app's address lie in HOME/means/twfido.json."""

    pause = _PAUSE

    def is_ready(self) -> bool:
        """Whether this platform is a customer."""
        return (folder() / "twfido.json").exists()

    def open(self, asked: Asked) -> Opened:
        """Open a request for the person with `asked.national_id`; without one, one that nobody will ever answer."""
        account = _account()
        if not asked.national_id:
            return _shown(asked, account, {"nobody": "yes"}, _invented())
        transaction = str(uuid4())
        data = base64.b64encode(asked.content()).decode()
        body: dict[str, Any] = {
            "id_num": asked.national_id,
            "op_code": "SIGN",
            "hint": _hint(asked),
            "time_limit": _seconds(asked),
            "sign_info": {
                "sign_type": "PKCS#1",
                "sign_data": data,
                "tbs_encoding": "base64",
                "hash_algorithm": "SHA256",
            },
        }
        joined = [asked.national_id, "SIGN", body["hint"], data]
        call = "requestAthOrSignPush"
        if asked.way in MODES:
            call, body["op_mode"] = "getSpTicket", MODES[asked.way]
            joined.insert(2, body["op_mode"])
        code, result = self._call(call, transaction, body, joined)
        if code in _NOBODY:
            return _shown(asked, account, {"nobody": "yes"}, _invented())
        if code != "0":
            raise _refused(call, code)
        ticket = str(result.get("sp_ticket", ""))
        _require_checked(account, result, transaction, "0", ticket)
        content = _content_of(ticket)
        kept = {
            "transaction": transaction,
            "ticket": str(content.get("sp_ticket_id", "")),
            "hashed": str(content.get("hashed_id_num", "")),
        }
        return _shown(asked, account, kept, ticket)

    def read(self, kept: Mapping[str, str], delivered: bytes) -> Answer:
        """What became of it."""
        if "ticket" not in kept:
            return Answer("waiting")
        account = _account()
        body = {"sp_ticket_id": kept["ticket"]}
        code, result = self._call("getAthOrSignResult", kept["transaction"], body, [kept["ticket"]])
        if code in _NOT_YET:
            return Answer("waiting")
        if code != "0":
            logger.warning("twfido_refused", code=code)
            return Answer("refused", _WHY.get(code, "not-genuine"))
        hashed, signed = str(result.get("hashed_id_num", "")), str(result.get("signed_response", ""))
        _require_checked(account, result, kept["transaction"], "0", hashed, signed)
        if not hmac.compare_digest(hashed.encode(), kept["hashed"].encode()):
            return Answer("refused", "not-genuine")
        try:
            signature = base64.b64decode(signed, validate=True)
            certificate = base64.b64decode(str(result.get("cert", "")), validate=True)
        except ValueError:
            return Answer("refused", "not-genuine")
        return Answer("given", signature=signature, certificate=certificate)

    def _call(self, call: str, transaction: str, body: dict[str, Any], joined: list[str]) -> tuple[str, dict[str, Any]]:
        """The error code without the interface's name before it, and the result. The body is never logged."""
        account = _account()
        checked = checksum(account["aes_key"], transaction, account["service_id"], *joined)
        sent = {"transaction_id": transaction, "sp_service_id": account["service_id"], "sp_checksum": checked, **body}
        url = f"{get('SMARTGOV_TWFIDO_URL').rstrip('/')}/moise/sp/{call}"
        headers = {"Content-Type": "application/json; charset=utf-8"}
        try:
            status, raw = fetching.fetch("POST", url, headers, json.dumps(sent, ensure_ascii=False).encode())
            answer = json.loads(raw) if status == 200 else {}
            code = str(answer["error_code"])
        except (OSError, ValueError, KeyError, TypeError):
            raise refusals.unreachable() from None
        result = answer.get("result")
        return code.split(":", maxsplit=1)[0].strip().rpartition("-")[2], result if isinstance(result, dict) else {}


def checksum(key: str, *fields: str) -> str:
    """The scheme's checksum: hex(iv || AES-256-GCM(key, hex(sha256(fields joined)))); `key` in base64."""
    digest = sha256("".join(fields).encode()).hexdigest()
    return (_IV + AESGCM(base64.b64decode(key)).encrypt(_IV, digest.encode(), None)).hex()


def is_checked(key: str, given: str, *fields: str) -> bool:
    """Whether `given` is the service's checksum over `fields`."""
    try:
        raw = bytes.fromhex(given)
        opened = AESGCM(base64.b64decode(key)).decrypt(raw[:12], raw[12:], None)
    except (ValueError, InvalidTag):
        return False
    return hmac.compare_digest(opened, sha256("".join(fields).encode()).hexdigest().encode())


def _require_checked(account: Mapping[str, str], result: Mapping[str, Any], *fields: str) -> None:
    if not is_checked(account["aes_key"], str(result.get("idp_checksum", "")), *fields):
        logger.error("twfido_checksum_wrong")
        raise refusals.unreachable()


def _account() -> dict[str, str]:
    try:
        found: dict[str, str] = json.loads((folder() / "twfido.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise refusals.unreachable() from None
    return found


def _hint(asked: Asked) -> str:
    """What the app shows: the purpose and the number to compare, in Chinese, as the app is."""
    said = f"{asked.text['zh']}（核對碼 {asked.number}）"
    if asked.paper is not None:
        digits = " ".join(asked.paper.digest[place : place + 4].upper() for place in range(0, 16, 4))
        said += f" {asked.paper.name[:60]} 指紋碼 {digits}"
    return said


def _seconds(asked: Asked) -> int:
    wanted = int((asked.until - asked.begun).total_seconds())
    return max(_LIMITS[0], min(_LIMITS[1], wanted))


def _content_of(ticket: str) -> dict[str, Any]:
    """What a ticket holds; its second half is a digest that anybody can make, so only the checksum counts."""
    payload = ticket.rpartition(".")[0]
    try:
        found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except ValueError:
        raise refusals.unreachable() from None
    return found


def _invented() -> str:
    """As long as a ticket, and one of nobody."""
    return f"{secrets.token_urlsafe(330)}.{secrets.token_urlsafe(32)}"


def _shown(asked: Asked, account: Mapping[str, str], kept: Mapping[str, str], ticket: str) -> Opened:
    back = {
        "rtn_url": base64.b64encode(asked.back.encode()).decode(),
        "rtn_val": base64.urlsafe_b64encode(asked.nonce.encode()).rstrip(b"=").decode(),
    }
    link = f"{account.get('app') or _APP}?{urlencode({'sp_ticket': ticket, **back})}"
    scan = account.get("scan", "")
    if asked.way == "code":
        return Opened(kept, code=ticket, played_at=f"{scan}?{urlencode({'sp_ticket': ticket})}" if scan else "")
    if asked.way in MODES:
        return Opened(kept, link=link)
    return Opened(kept, played_at=account.get("phones", ""))


def _refused(call: str, code: str) -> Exception:
    logger.error("twfido_call_refused", call=call, code=code)
    return refusals.unreachable()
