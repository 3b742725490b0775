"""How often a client may call a service: a bucket a minute in memory, a quota a day in the log's file."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta

from smartgov.engines.troad.problems import refuse
from smartgov.shared.clock import TAIPEI

SCHEMA = """
CREATE TABLE IF NOT EXISTS quota (
    client TEXT, service TEXT, day TEXT, used INTEGER NOT NULL, PRIMARY KEY (client, service, day)
) WITHOUT ROWID;
"""


PRUNE_SECONDS = 60.0


class Buckets:
    """One bucket for each client and service: it holds a minute's calls and fills steadily."""

    def __init__(self) -> None:
        self._levels: dict[tuple[str, str], tuple[float, float]] = {}
        self._pruned = 0.0

    def take(self, client: str, service: str, per_minute: int, now: float) -> None:
        """Take one call at `now` (seconds); Problem `rate-exceeded` with `retry_after` when the bucket is empty."""
        if not per_minute:
            return
        if now - self._pruned > PRUNE_SECONDS or now < self._pruned:
            self._prune(now)
        level, seen = self._levels.get((client, service), (float(per_minute), now))
        level = min(float(per_minute), level + max(0.0, now - seen) * per_minute / 60)
        if level < 1:
            self._levels[client, service] = (level, now)
            raise refuse("rate-exceeded", retry_after=math.ceil((1 - level) * 60 / per_minute), limit=per_minute)
        self._levels[client, service] = (level - 1, now)

    def _prune(self, now: float) -> None:
        """Forget buckets that nobody took from for a minute: they are full again, as a new one is."""
        self._pruned = now
        self._levels = {names: level for names, level in self._levels.items() if now - level[1] < PRUNE_SECONDS}


def count(client: str, service: str, per_day: int, now: datetime) -> Callable[[sqlite3.Connection], None]:
    """What the request's transaction does: count one call of the day in Taipei, Problem `quota-exceeded` at the end."""
    here = now.astimezone(TAIPEI)
    day = here.date().isoformat()

    def effect(db: sqlite3.Connection) -> None:
        (used,) = db.execute(
            "INSERT INTO quota VALUES (?, ?, ?, 1) ON CONFLICT DO UPDATE SET used = used + 1 RETURNING used",
            (client, service, day),
        ).fetchone()
        if used > per_day:
            midnight = (here + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
            seconds = math.ceil((midnight - here).total_seconds())
            raise refuse("quota-exceeded", retry_after=seconds, limit=per_day)

    return effect


def forget(db: sqlite3.Connection, now: int) -> None:
    """Drop the counts of days gone by (`now` in Unix seconds)."""
    kept_from = datetime.fromtimestamp(now, TAIPEI) - timedelta(days=2)
    db.execute("DELETE FROM quota WHERE day < ?", (kept_from.date().isoformat(),))
