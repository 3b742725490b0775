"""A limit on checks by network address, kept in the database so that every web process counts together.

A check costs a tenth of a second of a processor, and anybody may ask for one.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import F

from smartgov.blocks.signing import domain
from smartgov.blocks.signing.models import Check
from smartgov.shared import clock
from smartgov.shared.sealed import blind_index

PER_WINDOW = 60
WINDOW_S = 900


@transaction.atomic
def count(address: str) -> None:
    """Count one check; Problem `too-many-checks` (429) beyond 60 in a quarter of an hour."""
    window = int(clock.now().timestamp()) // WINDOW_S
    row, _ = Check.objects.get_or_create(caller=blind_index(address, "signing.check"), window=window)
    Check.objects.filter(id=row.id).update(count=F("count") + 1)
    if row.count >= PER_WINDOW:
        raise domain.TOO_MANY
