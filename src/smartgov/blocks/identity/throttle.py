"""Slows down guessing: a limited number of tries in a window of time, for each person or device concerned.

A network address is counted by its failures only, and loosely: behind a gateway of a mobile operator thousands of
people share one. Passkeys are not counted at all: a signature cannot be guessed, and whoever could use up the tries of
another person could lock them out of their strongest means.
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
ADDRESS_LIMIT = 200


def count(purpose: str, whose: str, *, limit: int = LIMIT, window: timedelta = WINDOW) -> None:
    """Count one try; Problem `too-many-attempts` beyond the limit. Commits by itself, so that failures count.

    The last try that is heard starts the window anew, so that whoever used them all up waits its whole length.
    """
    if _counted(_key(purpose, whose), limit, window) > limit:
        raise too_many_attempts()


def forgive(purpose: str, whose: str) -> None:
    """Forget the tries after one that succeeded."""
    Throttle.objects.filter(key=_key(purpose, whose)).update(count=0)


def failed(address: str) -> None:
    """Count a failure from this network address."""
    if address:
        _counted(_key("address", address), ADDRESS_LIMIT, WINDOW)


def require_calm(address: str) -> None:
    """Problem `too-many-attempts` when very many tries failed from this address of late."""
    busy = Throttle.objects.filter(key=_key("address", address), window_ends__gt=clock.now(), count__gte=ADDRESS_LIMIT)
    if address and busy.exists():
        raise too_many_attempts()


@transaction.atomic
def _counted(key: str, limit: int, window: timedelta) -> int:
    now = clock.now()
    mine = Throttle.objects.filter(key=key, window_ends__gt=now)
    if not mine.update(count=F("count") + 1):
        fresh = Throttle(key=key, count=1, window_ends=now + window)
        columns = ["count", "window_ends"]
        Throttle.objects.bulk_create([fresh], update_conflicts=True, unique_fields=["key"], update_fields=columns)
        return 1
    tries = Throttle.objects.values_list("count", flat=True).get(key=key)
    if tries == limit:
        mine.update(window_ends=now + window)
    return tries


def _key(purpose: str, whose: str) -> str:
    return blind_index(f"{purpose}\n{whose}", "identity.throttle")
