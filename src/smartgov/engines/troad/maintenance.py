"""Maintenance of a gateway: new exchanges are refused with a time to come back, running ones are finished.

It is a file in the home, `maintenance.json`, so that it outlasts a restart and a command can set it without a door.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from smartgov.engines.pki import keys
from smartgov.engines.troad.problems import refuse

FILE = "maintenance.json"
_AGAIN = 60
"""Seconds after which somebody may ask again when the announced end is over and work still goes on."""
LONGEST = timedelta(days=7)
_LOOK_SECONDS = 0.005
"""The file is looked at again after so long, not for every message under load."""


@dataclass(frozen=True, slots=True)
class Window:
    """Since when, until when as announced, and why, in words for the other agencies."""

    since: datetime
    until: datetime
    reason: str

    def as_json(self) -> dict[str, str]:
        """The form of the file, and of what peers are told."""
        return {"since": self.since.isoformat(), "until": self.until.isoformat(), "reason": self.reason}


def begin(home: Path, *, now: datetime, minutes: int, reason: str) -> Window:
    """Refuse new exchanges from now on; ValueError for an announced end that nobody would wait for."""
    length = timedelta(minutes=minutes)
    if not timedelta(0) < length <= LONGEST:
        raise ValueError("maintenance is announced for a minute to seven days")
    window = Window(now, now + length, reason[:200])
    keys.write_secret(home / FILE, json.dumps(window.as_json(), ensure_ascii=False).encode())
    return window


def end(home: Path) -> bool:
    """Take exchanges again; whether they were refused before."""
    there = (home / FILE).exists()
    (home / FILE).unlink(missing_ok=True)
    return there


class Maintenance:
    """The maintenance of a running gateway, as its file says at the moment of the question."""

    def __init__(self, home: Path) -> None:
        self._path = home / FILE
        self._seen: tuple[int, int] | None = None
        self._window: Window | None = None
        self._look_at = 0.0

    @property
    def window(self) -> Window | None:
        """The window, or None while the gateway works."""
        if (present := time.monotonic()) < self._look_at:
            return self._window
        self._look_at = present + _LOOK_SECONDS
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            self._seen = self._window = None
            return None
        if (stat.st_mtime_ns, stat.st_ino) != self._seen:
            self._window = read(self._path)
            self._seen = (stat.st_mtime_ns, stat.st_ino)
        return self._window

    def refuse(self, now: datetime) -> None:
        """Problem `maintenance` (503, with Retry-After) during maintenance."""
        window = self.window
        if window is not None:
            left = int((window.until - now).total_seconds())
            raise refuse("maintenance", retry_after=max(left, _AGAIN), until=window.until.isoformat())


def read(path: Path) -> Window:
    """What the file says; one that cannot be read is maintenance too, of which only the end is not known."""
    try:
        said = json.loads(path.read_bytes())
        since, until = (datetime.fromisoformat(said[part]) for part in ("since", "until"))
        since.utctimetuple(), until.utctimetuple()
        if since.tzinfo is None or until.tzinfo is None:
            raise ValueError("times need an offset")
        return Window(since, until, str(said["reason"]))
    except (ValueError, KeyError, TypeError):
        then = datetime.fromtimestamp(path.stat().st_mtime).astimezone()
        return Window(then, then, "")
