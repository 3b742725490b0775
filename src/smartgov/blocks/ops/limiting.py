"""A limit on what strangers may ask for, by network address.

It is kept in the database, so that all web processes count together. A block that needs one has a table of this shape
and names its own reason and refusal.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models, transaction
from django.db.models import F

from smartgov.shared import clock
from smartgov.shared.sealed import blind_index

WINDOW_S = 900
KEPT = timedelta(days=1)


class Calls(models.Model):
    """How often an address, as a keyed digest, has asked within a quarter of an hour."""

    caller = models.CharField(max_length=64)
    window = models.BigIntegerField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        abstract = True

    @classmethod
    def retire(cls, now: datetime) -> int:
        """Delete windows older than a day."""
        return cls._default_manager.filter(window__lt=_window(now - KEPT)).delete()[0]


@transaction.atomic
def count_call(table: type[Calls], address: str, context: str) -> int:
    """Count one call of this address in `table`; how many it had made before in this quarter of an hour.

    `context` is the table's own, for example `signing.check`: digests of one address differ from table to table.
    """
    row, _ = table._default_manager.get_or_create(caller=blind_index(address, context), window=_window(clock.now()))
    table._default_manager.filter(pk=row.pk).update(count=F("count") + 1)
    return row.count


def _window(moment: datetime) -> int:
    return int(moment.timestamp()) // WINDOW_S
