"""The citizen's side: life events, applications, and what became of them."""

from __future__ import annotations

from smartgov.blocks.services.applications import HandedIn, Saved, application, save_answer, start, submit, withdraw
from smartgov.blocks.services.births import LifeEventView, announce_birth, life_events, tell_parent
from smartgov.blocks.services.catalogue import services as catalogue
from smartgov.blocks.services.domain import Conflict, Deadline, FactView, MissingView, PartPreview
from smartgov.blocks.services.following import (
    Document,
    WalletOffer,
    answer_supplement,
    document,
    record_step,
    supplement,
    tell_applicant,
    wallet_offer,
)
from smartgov.blocks.services.models import Application
from smartgov.blocks.services.preparing import prepare, previews
from smartgov.blocks.services.selectors import (
    ApplicationCard,
    CertificateLine,
    PartLine,
    StepLine,
    SupplementLine,
    Timeline,
    applications,
    certificates,
    timeline,
)
from smartgov.blocks.services.sending import send_application, send_supplement

__all__ = [
    "Application",
    "ApplicationCard",
    "CertificateLine",
    "Conflict",
    "Deadline",
    "Document",
    "WalletOffer",
    "wallet_offer",
    "FactView",
    "HandedIn",
    "LifeEventView",
    "MissingView",
    "PartLine",
    "PartPreview",
    "Saved",
    "StepLine",
    "SupplementLine",
    "Timeline",
    "announce_birth",
    "answer_supplement",
    "application",
    "applications",
    "catalogue",
    "certificates",
    "document",
    "life_events",
    "prepare",
    "previews",
    "record_step",
    "save_answer",
    "send_application",
    "send_supplement",
    "start",
    "submit",
    "supplement",
    "tell_applicant",
    "tell_parent",
    "timeline",
    "withdraw",
]
