"""The door of `signing`: one's certificate and documents, the registration office, batches of seals, and checking."""

from __future__ import annotations

from smartgov.blocks.signing.batches import (
    batch,
    batches,
    begin_batch,
    resume_batch,
    seal_next,
    sealed_document,
    stop_batch,
)
from smartgov.blocks.signing.checking import check, check_data, trust
from smartgov.blocks.signing.desk import (
    approval,
    begin_activation,
    begin_certificate,
    begin_signature,
    document,
    documents,
    extend,
    is_waiting,
    may_extend,
    open_document,
    own_certificate,
    settle,
    signed_document,
    to_activate,
    upload,
)
from smartgov.blocks.signing.domain import ApprovalView, BatchView, DocumentView, ItemView
from smartgov.blocks.signing.lists import take_in
from smartgov.blocks.signing.office import (
    STEPS,
    TrailRow,
    act_on,
    activate,
    certificate,
    certificates,
    take_request,
    trail,
)

__all__ = [
    "STEPS",
    "ApprovalView",
    "BatchView",
    "DocumentView",
    "ItemView",
    "TrailRow",
    "act_on",
    "activate",
    "approval",
    "batch",
    "batches",
    "begin_activation",
    "begin_batch",
    "begin_certificate",
    "begin_signature",
    "certificate",
    "certificates",
    "check",
    "check_data",
    "document",
    "documents",
    "extend",
    "is_waiting",
    "may_extend",
    "open_document",
    "own_certificate",
    "resume_batch",
    "seal_next",
    "sealed_document",
    "settle",
    "signed_document",
    "stop_batch",
    "take_in",
    "take_request",
    "to_activate",
    "trail",
    "trust",
    "upload",
]
