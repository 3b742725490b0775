"""TW FidO's side of its three calls: tickets, their checksums, and what became of them. In memory: they live minutes.

As published for service providers: every message carries `hex(iv || AES-256-GCM(key, hex(sha256(fields joined))))` with
an IV of zeros. That is the scheme's own; nothing of ours is built like it.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from smartgov.shared import clock
from smartgov.shared.tw import national_id

OP_CODES = {"ATH", "SIGN"}
OP_MODES = {"I-SCAN", "APP2APP", "MWEB2APP"}
SIGN_TYPES = {"PKCS#1", "PKCS#7"}
DEFAULT_SECONDS = 60
SECONDS = range(30, 601)
LONGEST_DATA = 1024
KEPT = timedelta(minutes=30)
_IV = bytes(12)
# What each call joins, in this order, behind transaction and service.
_JOINED = {
    "SP-API-ATH-01": ("id_num", "op_code", "op_mode", "hint", "sign_data"),
    "SP-API-ATH-02": ("sp_ticket_id",),
    "SP-API-ATH-03": ("id_num", "device_user_def_desc", "op_code", "hint", "sign_data"),
}


class RefusedError(Exception):
    """A call that is answered with an error code."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(code)
        self.code, self.message = code, message


@dataclass(slots=True)
class Ticket:
    """One request of a service provider. `mode` is an op_mode, or PUSH."""

    id: str
    transaction: str
    service: str
    service_name: str
    code: str
    mode: str
    hint: str
    hashed: str
    sign: dict[str, str]
    expires: datetime
    decided: str = ""
    """Empty, `signed`, or the error code that ended it."""
    certificate: str = ""
    signature: str = ""

    @property
    def is_open(self) -> bool:
        """Whether the app may still answer it."""
        return not self.decided and clock.now() < self.expires

    def encoded(self) -> str:
        """The `sp_ticket`: its content and a digest of it, which anybody can recompute."""
        content = {
            "transaction_id": self.transaction,
            "sp_service_id": self.service,
            "sp_ticket_id": self.id,
            "sp_name": self.service_name,
            "op_code": self.code,
            "op_mode": self.mode,
            "hint": self.hint,
            "expiration_time": str(int(self.expires.timestamp() * 1000)),
            "hashed_id_num": self.hashed,
            "version": "2",
        }
        payload = _b64(json.dumps(content, ensure_ascii=False).encode())
        return f"{payload}.{_b64(sha256(payload.encode()).digest())}"


def checksum(key: bytes, *fields: str) -> str:
    """The checksum over `fields`, joined as they are."""
    digest = sha256("".join(fields).encode()).hexdigest()
    return (_IV + AESGCM(key).encrypt(_IV, digest.encode(), None)).hex()


def is_checked(key: bytes, given: str, *fields: str) -> bool:
    """Whether `given` is the checksum over `fields`."""
    try:
        raw = bytes.fromhex(given)
        opened = AESGCM(key).decrypt(raw[:12], raw[12:], None)
    except (ValueError, InvalidTag):
        return False
    return hmac.compare_digest(opened, sha256("".join(fields).encode()).hexdigest().encode())


def read(call: str, body: Any, customer: dict[str, str]) -> dict[str, str]:
    """The members of a call as texts, checked as far as one can without knowing people; RefusedError."""
    if not isinstance(body, dict):
        raise RefusedError("PM_INV_NF")
    info = body.get("sign_info") or {}
    if not isinstance(info, dict):
        raise RefusedError("PM_INV_NF")
    found = {name: str(value) for name, value in {**body, **info}.items() if not isinstance(value, dict)}
    if found.get("sp_service_id") != customer["service_id"]:
        raise RefusedError("SPSVCID_NF")
    fields = [found.get("transaction_id", ""), customer["service_id"]]
    fields += [found.get(name, "") for name in _JOINED[call]]
    key = base64.b64decode(customer["aes_key"])
    if not is_checked(key, found.get("sp_checksum", ""), *fields):
        raise RefusedError("INV_SP_CHECKSUM")
    if not 1 <= len(found.get("transaction_id", "")) <= 100:
        raise RefusedError("PM_INV_NF")
    if call != "SP-API-ATH-02":
        _require_request(call, found)
    return found


def _require_request(call: str, found: dict[str, str]) -> None:
    if not national_id.is_valid(found.get("id_num", "")):
        raise RefusedError("PM_IDN_FT_ERR")
    if found.get("op_code") not in OP_CODES or not found.get("hint"):
        raise RefusedError("PM_INV_NF")
    if call == "SP-API-ATH-01" and found.get("op_mode") not in OP_MODES:
        raise RefusedError("TGT_INV")
    seconds = found.get("time_limit", str(DEFAULT_SECONDS))
    if not seconds.isdigit():
        raise RefusedError("SPTKT_TIME_FT_ERR")
    if int(seconds) not in SECONDS:
        raise RefusedError("SPTKT_TIME_ORV")
    if found["op_code"] == "SIGN":
        _require_data(found)


def _require_data(found: dict[str, str]) -> None:
    if not found.get("sign_data"):
        raise RefusedError("PM_SIGNDATA_NULL")
    if len(found["sign_data"]) > LONGEST_DATA:
        raise RefusedError("SIGNDATA_LEN_LIMIT")
    kind, algorithm = found.get("sign_type", "PKCS#1"), found.get("hash_algorithm", "SHA256")
    if kind not in SIGN_TYPES or algorithm != "SHA256":  # of the others nothing is simulated
        raise RefusedError("PM_INV_NF")
    try:
        data_of(found)
    except ValueError:
        raise RefusedError("CERT_SIGNDATA_ERR") from None


def data_of(found: dict[str, str]) -> bytes:
    """The bytes to be signed; ValueError when they are not what `tbs_encoding` says."""
    if found.get("tbs_encoding", "NONE") == "base64":
        return base64.b64decode(found["sign_data"], validate=True)
    return found["sign_data"].encode()


class Tickets:
    """All tickets of one running service."""

    def __init__(self) -> None:
        self._tickets: dict[str, Ticket] = {}

    def add(self, found: dict[str, str], *, mode: str, hashed: str, service_name: str) -> Ticket:
        """A new ticket; RefusedError when its transaction was used before."""
        self._forget()
        if any(one.transaction == found["transaction_id"] for one in self._tickets.values()):
            raise RefusedError("TXNLOG_INS_ERR")
        life = timedelta(seconds=int(found.get("time_limit", DEFAULT_SECONDS)))
        names = ("sign_data", "sign_type", "tbs_encoding", "hash_algorithm")
        ticket = Ticket(
            id=secrets.token_urlsafe(24),
            transaction=found["transaction_id"],
            service=found["sp_service_id"],
            service_name=service_name,
            code=found["op_code"],
            mode=mode,
            hint=found["hint"],
            hashed=hashed,
            sign={name: found[name] for name in names if name in found},
            expires=clock.now() + life,
        )
        self._tickets[ticket.id] = ticket
        return ticket

    def get(self, ticket: str) -> Ticket:
        """The ticket of that id; RefusedError."""
        if found := self._tickets.get(ticket):
            return found
        raise RefusedError("SPTKTID_SPTKT_NF")

    def opened(self, encoded: str) -> Ticket:
        """The ticket of an `sp_ticket`, as the app reads it; RefusedError."""
        payload, dot, digest = encoded.rpartition(".")
        if not dot or not hmac.compare_digest(digest, _b64(sha256(payload.encode()).digest())):
            raise RefusedError("SPTKT_DIG_FT_ERR")
        try:
            content = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
            return self.get(str(content["sp_ticket_id"]))
        except (ValueError, KeyError, TypeError):
            raise RefusedError("SPTKT_PLD_FT_ERR") from None

    def pushed(self, hashed: str) -> list[Ticket]:
        """What waits on a person's phone by itself, newest first."""
        waiting = [one for one in self._tickets.values() if one.mode == "PUSH" and one.hashed == hashed and one.is_open]
        return waiting[::-1]

    def result(self, found: dict[str, str], key: bytes) -> dict[str, str]:
        """What the service provider gets of a decided ticket; RefusedError while there is nothing, and for good."""
        ticket = self.get(found.get("sp_ticket_id", ""))
        if ticket.transaction != found["transaction_id"]:
            raise RefusedError("SPTKTID_SPTKT_NF")
        if ticket.decided == "signed":
            said = checksum(key, ticket.transaction, "0", ticket.hashed, ticket.signature)
            answer = {"hashed_id_num": ticket.hashed, "idp_checksum": said}
            if ticket.signature:
                answer |= {"signed_response": ticket.signature, "cert": ticket.certificate}
            return answer
        if ticket.decided:
            raise RefusedError(ticket.decided)
        raise RefusedError("SPTKTID_TXNLOG_NF" if ticket.is_open else "SPTKT_OVD")

    def _forget(self) -> None:
        limit = clock.now() - KEPT
        for old in [one.id for one in self._tickets.values() if one.expires < limit]:
            del self._tickets[old]


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
