"""People allow, refuse, revoke and look up the use of their own data."""

from __future__ import annotations

from smartgov.blocks.mydata.consents import (
    artefacts,
    consent_request,
    consents,
    decide,
    grant,
    is_decided,
    receipt,
    request,
    revoke,
    revoked,
    tell_centre,
    tell_issuer,
)
from smartgov.blocks.mydata.domain import (
    ConsentItem,
    ConsentView,
    FieldView,
    MemberTrail,
    RequestView,
    TrailEntry,
    TrailView,
)
from smartgov.blocks.mydata.registers import column_title
from smartgov.blocks.mydata.trail import trail

__all__ = [
    "ConsentItem",
    "ConsentView",
    "FieldView",
    "MemberTrail",
    "RequestView",
    "TrailEntry",
    "TrailView",
    "artefacts",
    "column_title",
    "consent_request",
    "consents",
    "decide",
    "grant",
    "is_decided",
    "receipt",
    "request",
    "revoke",
    "revoked",
    "tell_centre",
    "tell_issuer",
    "trail",
]
