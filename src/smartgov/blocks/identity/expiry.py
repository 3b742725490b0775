"""What must not wait for the daily retirement: kept answers, sign-in requests and sessions live minutes."""

from __future__ import annotations

from django.contrib.sessions.backends.db import SessionStore

from smartgov.blocks.identity.models import KeptPost, LoginRequest, OpenidMark, Proving
from smartgov.shared import clock


def expire() -> None:
    """Delete what has expired."""
    now = clock.now()
    KeptPost.retire(now)
    LoginRequest.retire(now)
    Proving.retire(now)
    OpenidMark.objects.filter(expires_at__lt=now).delete()
    SessionStore.clear_expired()
