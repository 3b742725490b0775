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

__all__ = [
    "Credential",
    "Reason",
    "Status",
    "Verdict",
    "VerdictView",
    "certificate",
    "certificates",
    "document",
    "issue",
    "revoke",
    "verify",
    "verify_upload",
]
