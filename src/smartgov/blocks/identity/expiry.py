"""What must not wait for the daily retirement: kept answers and sign-in requests live minutes."""

from __future__ import annotations

from smartgov.blocks.identity.models import KeptPost, LoginRequest
from smartgov.shared import clock


def expire() -> None:
    """Delete what has expired."""
    now = clock.now()
    KeptPost.retire(now)
    LoginRequest.retire(now)
