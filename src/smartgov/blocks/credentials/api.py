"""The door of `credentials`: issue, hand to the holder, verify, revoke."""

from __future__ import annotations

from smartgov.blocks.credentials.by_sign_in import Kind
from smartgov.blocks.credentials.by_sign_in import credentials as credentials_by_sign_in
from smartgov.blocks.credentials.by_sign_in import kinds as wallet_kinds
from smartgov.blocks.credentials.by_sign_in import offer as offer_by_sign_in
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
    registered,
    request_object,
    shown,
    signed_register,
    status_list,
)

__all__ = [
    "Credential",
    "Kind",
    "Reason",
    "Status",
    "Verdict",
    "VerdictView",
    "answer",
    "ask",
    "askable",
    "certificate",
    "certificates",
    "credentials_by_sign_in",
    "document",
    "issue",
    "issuer",
    "link",
    "offer",
    "offer_by_sign_in",
    "registered",
    "request_object",
    "revoke",
    "shown",
    "signed_register",
    "status_list",
    "verify",
    "verify_upload",
    "wallet_kinds",
]
