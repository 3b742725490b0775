"""The door of `credentials`: issue, hand to the holder, verify, revoke."""

from __future__ import annotations

from smartgov.blocks.credentials.domain import Credential, Reason, Status, Verdict, VerdictView
from smartgov.blocks.credentials.services import (
    certificate,
    certificates,
    document,
    issue,
    revoke,
    verify,
    verify_upload,
)
from smartgov.blocks.credentials.wallets import (
    answer,
    ask,
    askable,
    issuer,
    link,
    offer,
    request_object,
    shown,
    signed_register,
    status_list,
)

__all__ = [
    "Credential",
    "Reason",
    "Status",
    "Verdict",
    "VerdictView",
    "answer",
    "ask",
    "askable",
    "certificate",
    "certificates",
    "document",
    "issue",
    "issuer",
    "link",
    "offer",
    "request_object",
    "revoke",
    "shown",
    "signed_register",
    "status_list",
    "verify",
    "verify_upload",
]
