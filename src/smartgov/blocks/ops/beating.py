"""Signs of life of the workers."""

from __future__ import annotations

from datetime import timedelta

from smartgov.blocks.ops.models import Heartbeat
from smartgov.shared import clock

SILENT_WORKERS_KEPT = timedelta(days=1)


def beat(worker: str) -> None:
    """Note that `worker` lives, and forget workers that have been silent for a day."""
    now = clock.now()
    Heartbeat.objects.update_or_create(worker=worker, defaults={"beat_at": now})
    Heartbeat.objects.filter(beat_at__lt=now - SILENT_WORKERS_KEPT).delete()


def ended(worker: str) -> None:
    """Forget a worker that stopped in order."""
    Heartbeat.objects.filter(worker=worker).delete()
