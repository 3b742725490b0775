"""What must not wait for the daily retirement: kept answers, sign-in requests and sessions live minutes."""

from __future__ import annotations

from django.contrib.sessions.backends.db import SessionStore

from smartgov.blocks.identity.models import KeptPost, LiveSession, LoginRequest, OpenidMark, Proving
from smartgov.blocks.identity.people import recovery
from smartgov.blocks.ops import api as ops
from smartgov.shared import clock


def expire() -> None:
    """Delete what has expired."""
    now = clock.now()
    for model in (KeptPost, LoginRequest, LiveSession, Proving):
        ops.retire(model, now)
    recovery.settle()
    OpenidMark.objects.filter(expires_at__lt=now).delete()
    SessionStore.clear_expired()
