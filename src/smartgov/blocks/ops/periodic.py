"""Periodic work of all blocks: each occasion is taken by one worker, however many run."""

from __future__ import annotations

from datetime import timedelta

import structlog
from django.utils.module_loading import import_string

from smartgov.blocks.ops import personal
from smartgov.blocks.ops.manifest import Periodic, installed_blocks
from smartgov.blocks.ops.models import Occasion
from smartgov.shared import clock
from smartgov.shared.problems import Problem

logger = structlog.get_logger()


def calendar() -> list[Periodic]:
    """The periodic work that installed blocks declare."""
    return [task for block in installed_blocks() for task in block.manifest.periodic]


def run_due() -> int:
    """Run what is due; one task's failure is noted and does not stop the others. Returns how many ran."""
    tasks = calendar()
    due = dict(Occasion.objects.filter(name__in=[task.name for task in tasks]).values_list("name", "due_at"))
    now = clock.now()
    return sum(_run(task) for task in tasks if due.get(task.name, now) <= now and _take(task))


def _take(task: Periodic) -> bool:
    now = clock.now()
    upcoming = now + timedelta(seconds=task.seconds)
    _, created = Occasion.objects.get_or_create(name=task.name, defaults={"due_at": upcoming, "ran_at": now})
    if created:
        return True
    return bool(Occasion.objects.filter(name=task.name, due_at__lte=now).update(due_at=upcoming, ran_at=now))


def _run(task: Periodic) -> int:
    problem = ""
    try:
        import_string(task.call)()
    except Exception as error:
        problem = error.slug if isinstance(error, Problem) else type(error).__name__
        logger.warning("periodic_failed", task=task.name, problem=problem)
    Occasion.objects.filter(name=task.name).exclude(problem=problem).update(problem=problem[:300])
    return 1


def retire_now() -> None:
    """The daily retirement of personal data in all blocks."""
    personal.retire_all(clock.now())
