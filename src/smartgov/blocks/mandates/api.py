"""Act for another: by the registers' word or by a person's, within a scope, until it ends or either side ends it."""

from __future__ import annotations

from smartgov.blocks.mandates.catalogue import known as catalogue
from smartgov.blocks.mandates.domain import NEEDS_PASSKEY, End, Kind, MandateView, Scope, State
from smartgov.blocks.mandates.drawing import caption, check, draw, expire, standing, take_up
from smartgov.blocks.mandates.giving import accept, draft, end, offer, one, refuse, views

__all__ = [
    "NEEDS_PASSKEY",
    "End",
    "Kind",
    "MandateView",
    "Scope",
    "State",
    "accept",
    "caption",
    "catalogue",
    "check",
    "draft",
    "draw",
    "end",
    "expire",
    "offer",
    "one",
    "refuse",
    "standing",
    "take_up",
    "views",
]
