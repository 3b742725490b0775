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
    suspend_own,
    to_activate,
    upload,
)
from smartgov.blocks.signing.domain import ApprovalView, BatchView, Choice, DocumentView, ItemView, PaperView
from smartgov.blocks.signing.lists import ListView, Overview, TrailView, overview, take_in, take_in_at_desk
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
from smartgov.blocks.signing.papers import begin as begin_paper
from smartgov.blocks.signing.papers import cancel as cancel_paper
from smartgov.blocks.signing.papers import choices, paper
from smartgov.blocks.signing.papers import deliver as deliver_paper
from smartgov.blocks.signing.papers import is_waiting as is_paper_waiting
from smartgov.blocks.signing.papers import settle as settle_paper
from smartgov.blocks.signing.represented import holder_of, register_mandates

__all__ = [
    "STEPS",
    "ApprovalView",
    "BatchView",
    "Choice",
    "DocumentView",
    "ItemView",
    "ListView",
    "Overview",
    "PaperView",
    "TrailView",
    "TrailRow",
    "act_on",
    "activate",
    "approval",
    "batch",
    "batches",
    "begin_activation",
    "begin_batch",
    "begin_certificate",
    "begin_paper",
    "begin_signature",
    "cancel_paper",
    "certificate",
    "certificates",
    "check",
    "check_data",
    "choices",
    "deliver_paper",
    "document",
    "documents",
    "extend",
    "holder_of",
    "is_paper_waiting",
    "is_waiting",
    "may_extend",
    "open_document",
    "overview",
    "own_certificate",
    "paper",
    "register_mandates",
    "resume_batch",
    "seal_next",
    "sealed_document",
    "settle",
    "settle_paper",
    "signed_document",
    "stop_batch",
    "suspend_own",
    "take_in",
    "take_in_at_desk",
    "take_request",
    "to_activate",
    "trail",
    "trust",
    "upload",
]
