"""E-certificates: their code, what binds the paper to the record, and what a public page may show. Pure."""

from __future__ import annotations

import secrets
from base64 import b32encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

from smartgov.shared import canonical
from smartgov.shared.text import Text
from smartgov.shared.tw import names

_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


class Status(StrEnum):
    """Where a certificate stands."""

    PREPARING = "preparing"
    VALID = "valid"
    REVOKED = "revoked"


TITLES: dict[Status, Text] = {
    Status.PREPARING: Text("Being prepared", "製作中"),
    Status.VALID: Text("Valid", "有效"),
    Status.REVOKED: Text("Revoked", "已廢止"),
}


@dataclass(frozen=True, slots=True)
class Credential:
    """A certificate that was issued; `code` is what its QR code leads to."""

    id: str
    code: str
    number: str
    status: Status


@dataclass(frozen=True, slots=True)
class VerdictView:
    """What the public page says: never more than the holder's document says, and her name only in part."""

    code: str
    title: Text
    number: str
    agency: Text
    holder: str
    status: Status
    status_title: Text
    issued_at: datetime
    revoked_at: datetime | None
    revoked_reason: Text | None
    seal: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found about an uploaded file; `genuine` only when seal, file and record all agree and it is in force."""

    genuine: bool
    signer: str
    signed_at: datetime | None
    record: VerdictView | None
    problems: tuple[Text, ...]
    facts: tuple[tuple[Text, Text], ...] = ()
    """What the file itself says in signed data (name, value): for whoever holds it, never from our record."""
    keys: tuple[str, ...] = ()
    """The problems as stable keys, for programs: those of the seal, `not-issued-here`, `revoked`, `data-differ`."""
    altered_later: bool = False
    """Whether something was added after it was issued; then only `issued` may be shown."""
    issued: bytes | None = field(default=None, repr=False)
    """The file as it was issued, when it lies whole in what was handed in."""

    def as_json(self) -> dict[str, Any]:
        """For programs: what the page says, and nothing more."""
        record = self.record
        return {
            "genuine": self.genuine,
            "problems": list(self.keys),
            "altered_later": self.altered_later,
            "issued_sha256": sha256(self.issued).hexdigest() if self.issued else None,
            "signer": self.signer or None,
            "signed_at": self.signed_at.isoformat() if self.signed_at else None,
            "record": record
            and {
                "code": record.code,
                "number": record.number,
                "status": str(record.status),
                "issued_at": record.issued_at.isoformat(),
                "revoked_at": record.revoked_at.isoformat() if record.revoked_at else None,
            },
        }


PROBLEMS: dict[str, Text] = {
    "not-issued-here": Text("This is not a file that was issued here.", "這不是本系統核發的檔案。"),
    "revoked": Text("The certificate was revoked.", "此證明書已廢止。"),
    "data-differ": Text("Its data do not say what it shows.", "所附資料與證明書所示內容不符。"),
}
"""Why a file is not to be relied on, besides what is wrong with its seal; the keys are stable."""


class Reason(StrEnum):
    """Why a certificate is revoked; a code, so that the public page says nothing personal."""

    ERROR = "error"
    REPLACED = "replaced"
    DECISION_WITHDRAWN = "decision_withdrawn"
    LOST = "lost"


REASONS: dict[Reason, Text] = {
    Reason.ERROR: Text("It contained an error", "內容有誤"),
    Reason.REPLACED: Text("A newer certificate replaces it", "已由新證明取代"),
    Reason.DECISION_WITHDRAWN: Text("The decision behind it was withdrawn", "原處分已撤銷"),
    Reason.LOST: Text("The holder asked for it", "持有人申請廢止"),
}


def new_code() -> str:
    """Sixteen characters without look-alikes (79 random bits): it cannot be guessed and leads to one certificate."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(16))


def seal_mark(data: Mapping[str, Any], salt: str) -> str:
    """Sixteen characters over a salt and everything that the document says, printed on it and shown by the page.

    A changed document that keeps the code shows another mark; the salt keeps the mark from being a test of guesses.
    """
    digest = sha256(salt.encode() + canonical.dumps(dict(data))).digest()
    return b32encode(digest[:10]).decode()


def masked(name: str) -> str:
    """The holder's name as a stranger may see it."""
    return names.masked(name)
