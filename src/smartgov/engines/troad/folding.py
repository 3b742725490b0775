"""Folding the write-ahead log into the file, beside the commits.

Folding writes pages all over the file and waits for the disk: done between two commits it holds everybody up, for
longer the more there is to fold. So a connection of its own does most of it while commits go on. What they wrote
meanwhile is little; that is folded between two commits, because only a log that is folded whole begins anew instead of
growing.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable

import structlog

log = structlog.get_logger()
AFTER_COMMITS, AFTER_JOBS = 500, 8000
"""Folding begins after so many commits, or when they held so many jobs."""
_FSYNC = {sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC}
FSYNC_STATUS = 74
"""Exit status of a process whose disk did not take what it was given (EX_IOERR)."""


class Folding:
    """Folds one log; `open_` makes a connection to its file. To be used by the thread that commits."""

    def __init__(self, open_: Callable[[], sqlite3.Connection]) -> None:
        self._open = open_
        self._thread: threading.Thread | None = None
        self._commits = self._jobs = 0
        self._owed = False
        """Whether somebody was reading when the log had to be emptied: it is tried again."""

    def is_due(self, jobs: int) -> bool:
        """Count a commit of so many jobs; whether something is to be folded now, before the next one."""
        self._commits, self._jobs = self._commits + 1, self._jobs + jobs
        if self._owed:
            return True
        if self._thread is not None:
            if self._thread.is_alive():
                return False
            self._thread, self._commits, self._jobs = None, 0, 0
            return True
        if self._commits >= AFTER_COMMITS or self._jobs >= AFTER_JOBS:
            self._thread = threading.Thread(target=self._beside, name="log-folding", daemon=True)
            self._thread.start()
        return False

    def go_on(self, db: sqlite3.Connection) -> None:
        """Fold what is due."""
        if self._owed:
            self.empty(db)
        else:
            fold(db)

    def empty(self, db: sqlite3.Connection) -> None:
        """Empty the log: bodies that were erased are nowhere then, and until then it is owed."""
        try:
            self._owed = truncate(db)
        except sqlite3.Error as error:
            end_if_the_disk_failed(error)
            log.exception("log_fold_failed")

    def end(self) -> None:
        """Wait for a folding that is under way."""
        if self._thread is not None:
            self._thread.join()

    def _beside(self) -> None:
        try:
            db = self._open()
            try:
                fold(db)
            finally:
                db.close()
        except sqlite3.Error as error:
            end_if_the_disk_failed(error)
            log.exception("log_fold_failed")


def fold(db: sqlite3.Connection) -> None:
    """Fold what nobody reads any more. What fails is folded later: it was committed, and is in the write-ahead log."""
    try:
        db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
    except sqlite3.Error as error:
        end_if_the_disk_failed(error)
        log.exception("log_fold_failed")


def truncate(db: sqlite3.Connection) -> bool:
    """Fold the write-ahead log into the file, so that erased bodies do not survive in it; outside a transaction.

    Gives whether a reader kept it from being emptied.
    """
    return bool(db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0])


def end_if_the_disk_failed(error: Exception) -> None:
    """After a failed fsync nobody knows what is on the disk, and a second try may lie: the process ends at once."""
    if isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) in _FSYNC:
        log.critical("log_fsync_failed", status=FSYNC_STATUS)
        os._exit(FSYNC_STATUS)
