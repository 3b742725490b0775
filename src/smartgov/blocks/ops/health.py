"""What this site says of itself: database, migrations, outbox, workers and what blocks add."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Count, Min, Q

from smartgov import __version__
from smartgov.blocks.ops.manifest import NO_WORDS, jobs
from smartgov.blocks.ops.models import Delivery, Heartbeat, Occasion, Release
from smartgov.shared import clock
from smartgov.shared.text import Text

WORKER_SILENT_AFTER = timedelta(seconds=60)
OUTBOX_LATE_AFTER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at; `detail` is safe to publish, and `words` say it to people where it is made of codes."""

    name: str
    ok: bool
    detail: str = ""
    words: Text = NO_WORDS

    def as_dict(self) -> dict[str, Any]:
        """What programs read."""
        return {"name": self.name, "ok": self.ok, "detail": self.detail}


_more: dict[str, Callable[[], Check]] = {}
_words: dict[str, Text] = {
    "database": Text("Database", "資料庫"),
    "migrations": Text("Tables fit this release", "資料表與程式版本相符"),
    "outbox": Text("Messages between blocks", "區塊間訊息"),
    "workers": Text("A worker runs", "背景程式執行中"),
    "periodic": Text("Periodic work succeeds", "定期作業正常"),
}


def register_check(name: str, check: Callable[[], Check], words: Text) -> None:
    """Let a block add a check (from its `apps.py`); `words` say on the operators' page what is looked at."""
    _more[name], _words[name] = check, words


def words_of(check: str) -> Text:
    """What a check looks at."""
    return _words.get(check) or Text.of(check)


def checks() -> list[Check]:
    """Everything looked at, now."""
    try:
        return [_migrations(), _outbox(), _workers(), _tasks(), *(check() for check in _more.values())]
    except DatabaseError as error:
        return [Check("database", False, type(error).__name__)]


def health() -> dict[str, Any]:
    """The site's health as JSON: `{"healthy": bool, "version": ..., "checks": [...]}`; never personal data."""
    found = checks()
    return {
        "healthy": all(check.ok for check in found),
        "version": __version__,
        "time": clock.now().isoformat(),
        "checks": [check.as_dict() for check in found],
    }


def _migrations() -> Check:
    waiting = unapplied()
    return Check("migrations", not waiting, ", ".join(waiting))


def unapplied() -> list[str]:
    """Migrations of this release that the database has not had."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


def _outbox() -> Check:
    waiting = Q(state=Delivery.PENDING)
    counts = Delivery.objects.aggregate(
        pending=Count("id", filter=waiting),
        dead=Count("id", filter=Q(state=Delivery.DEAD)),
        oldest=Min("event__happened_at", filter=waiting),
    )
    late = counts["oldest"] is not None and clock.now() - counts["oldest"] > OUTBOX_LATE_AFTER
    pending, dead = counts["pending"], counts["dead"]
    words = Text(f"{pending} waiting, {dead} refused for good", f"等候 {pending} 件，遭拒絕 {dead} 件")
    return Check("outbox", not late and not dead, f"pending={pending} dead={dead}", words)


def _workers() -> Check:
    alive = Heartbeat.objects.filter(beat_at__gt=clock.now() - WORKER_SILENT_AFTER).count()
    return Check("workers", alive > 0, f"alive={alive}", Text(f"{alive} running", f"執行中 {alive} 個"))


def _tasks() -> Check:
    failing = list(Occasion.objects.exclude(problem="").order_by("name").values_list("name", flat=True))
    known = jobs()
    named = [known.get(name) or Text.of(name) for name in failing]
    words = Text("; ".join(one.en for one in named), "；".join(one.zh for one in named))
    return Check("periodic", not failing, ", ".join(failing), words)


def upgrade_problems() -> list[str]:
    """What stands between this database and this release, in plain sentences; empty when it may start."""
    problems = [f"migration {name} is not applied: run `smartgov migrate`" for name in unapplied()]
    if any("ops." in problem for problem in problems):
        return problems
    release = Release.objects.first()
    if release and _numbers(release.version) > _numbers(__version__):
        problems.append(f"the database was last used with the newer release {release.version}; this is {__version__}")
    return problems


def note_release() -> None:
    """Write down that this release now uses the database."""
    Release.objects.update_or_create(name="smartgov", defaults={"version": __version__, "since": clock.now()})


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else 0 for part in version.split("."))
