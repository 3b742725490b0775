"""A running gateway takes up what its operator changed about the systems behind it; journalled before it counts."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from smartgov.engines.troad import home as homes
from smartgov.engines.troad import records, systems
from smartgov.engines.troad.store import Effect
from smartgov.shared.problems import Problem

if TYPE_CHECKING:
    from smartgov.engines.troad.core import Core

log = structlog.get_logger()
FACT = "systems"
ALARM = "systems-unreadable"


class Behind:
    """Looks at `systems.json`; one that cannot be used changes nothing and raises an alarm."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._seen: tuple[int, int] | None = None

    async def look(self) -> None:
        """Take up the file if it is another one than was seen last."""
        core = self._core
        try:
            stat = (core.home.path / systems.FILE).stat()
        except FileNotFoundError:
            return
        if (seen := (stat.st_mtime_ns, stat.st_ino)) == self._seen:
            return
        try:
            changes = systems.read(core.home.path)
            now = homes.load(core.home.path).subsystems
            await self._journal(changes)
        except (OSError, ValueError, KeyError, Problem) as error:
            log.exception("systems_not_taken")
            core.alarms.set(ALARM, type(error).__name__)
            return
        core.home = replace(core.home, subsystems=now)
        core.alarms.clear(ALARM)
        self._seen = seen

    async def _journal(self, changes: systems.Changes) -> None:
        """One record for each system that is another one than was journalled, all in one commit."""
        core = self._core
        before = json.loads(core.store.fact(FACT) or "{}")
        changed = [name for name in {**before, **changes} if before.get(name) != changes.get(name)]
        if not changed:
            return
        entries = []
        for name in sorted(changed):
            record = {"kind": "system", "side": "own", "time": records.moment(core.now())}
            entries.append(core.entry({**record, "client": f"{core.home.member}/{name}", **(changes.get(name) or {})}))
        entries[-1].effects.append(_remember(changes))
        await core.store.commit(entries)
        log.info("systems_taken", systems=sorted(changed))


def _remember(changes: systems.Changes) -> Effect:
    def effect(db: sqlite3.Connection) -> None:
        db.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (FACT, json.dumps(changes)))

    return effect
