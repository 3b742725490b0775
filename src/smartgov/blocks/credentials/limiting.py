"""A limit on public look-ups by network address, kept in the database so that every web process counts together."""

from __future__ import annotations

from django.db import transaction
from django.db.models import F

from smartgov.blocks.credentials import refusals
from smartgov.blocks.credentials.models import Lookup
from smartgov.shared import clock
from smartgov.shared.sealed import blind_index

PER_WINDOW = 60
WINDOW_S = 900


@transaction.atomic
def count(address: str) -> None:
    """Count one look-up; Problem `too-many-lookups` (429) beyond 60 in a quarter of an hour."""
    window = int(clock.now().timestamp()) // WINDOW_S
    row, _ = Lookup.objects.get_or_create(caller=blind_index(address, "credentials.lookup"), window=window)
    Lookup.objects.filter(id=row.id).update(count=F("count") + 1)
    if row.count >= PER_WINDOW:
        raise refusals.TOO_MANY
