"""Slows down guessing: a limited number of tries in a window of time, for each person or device concerned.

There is no limit by network address: behind a gateway of a mobile operator thousands of people share one.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import F

from smartgov.blocks.identity.domain import too_many_attempts
from smartgov.blocks.identity.models import Throttle
from smartgov.shared import clock
from smartgov.shared.sealed import blind_index

WINDOW = timedelta(minutes=15)
LIMIT = 10


def count(purpose: str, whose: str) -> None:
    """Count one try; Problem `too-many-attempts` beyond the limit. Commits by itself, so that failures count."""
    key, now = _key(purpose, whose), clock.now()
    with transaction.atomic():
        row, _ = Throttle.objects.get_or_create(key=key, defaults={"window_ends": now + WINDOW})
        if row.window_ends <= now:
            Throttle.objects.filter(key=key).update(count=0, window_ends=now + WINDOW)
        Throttle.objects.filter(key=key).update(count=F("count") + 1)
        row.refresh_from_db()
    if row.count > LIMIT:
        raise too_many_attempts()


def forgive(purpose: str, whose: str) -> None:
    """Forget the tries after one that succeeded."""
    Throttle.objects.filter(key=_key(purpose, whose)).delete()


def _key(purpose: str, whose: str) -> str:
    return blind_index(f"{purpose}\n{whose}", "identity.throttle")
