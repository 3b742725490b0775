"""Whether the log in this home is whole, as far as one look at start can tell; `smartgov verify HOME` reads all of it.

Three findings, by what they allow. A tree that is torn, or does not have the root that this gateway signed, can prove
nothing new: nothing is written into it (`log-unavailable`). A log that ends before its own newest signed head, or whose
head another key signed, is refused as one that others have seen otherwise (`log-restored`) until its operator says that
this was meant. A single record that was altered or removed spoils its own proof alone: exchanges go on, with an alarm.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING

from smartgov.engines.ledger import Checkpoint, checkpoint, glance, merkle
from smartgov.engines.troad import epochs
from smartgov.engines.troad.names import epoch_of
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

if TYPE_CHECKING:
    from smartgov.engines.troad.core import Core

ALARM = "log-altered"
_HEADS = 64
"""Kept heads that are looked through for one that must hold."""
_NAMED = 10
"""Altered records that an alarm names."""
_READ_ALL = "`smartgov verify` of the home reads every record"


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, in words, by what it forbids; empty is well."""

    torn: str = ""
    """Nothing can be added."""
    doubted: str = ""
    """It is not the log that this gateway signed; a restore on purpose may be the reason."""
    altered: str = ""
    """Records that are not what they were."""

    @property
    def words(self) -> str:
        """All of it."""
        return "; ".join(filter(None, (self.torn, self.doubted, self.altered)))


def look(core: Core) -> Finding:
    """What one look at the log finds; never a Problem."""
    try:
        with core.store.reading() as (db, _):
            return _look(core, db)
    except sqlite3.DatabaseError as error:
        return Finding(torn=f"the file cannot be read: {error}; restore a backup")
    except Problem:
        return Finding(torn="a kept head is no checkpoint; restore a backup")


def _look(core: Core, db: sqlite3.Connection) -> Finding:
    head, ours = _newest_head(core, db)
    found = glance.look(db, None if head is None else (head.size, head.root))
    shown = ", ".join(map(str, found.altered[:_NAMED])) + (" and others" if len(found.altered) > _NAMED else "")
    altered = f"records altered or missing: {shown}; {_READ_ALL}" if found.altered else ""
    if found.torn:
        what = "its tree is torn, or has another root than the head that this gateway signed"
        size = f"{found.size} records" + (f", head of {head.size}" if head else "")
        return Finding(torn=f"{what} ({size}); keep the file, restore a backup; {_READ_ALL}", altered=altered)
    if head is not None and head.size > found.size:
        doubted = f"it ends at {found.size} records, and its newest signed head is of {head.size}; restore on purpose"
        return Finding(doubted=doubted, altered=altered)
    if not ours:
        doubted = "its newest head is not signed with the log key of this home; restore on purpose"
        return Finding(doubted=doubted, altered=altered)
    return Finding(altered=altered)


def _newest_head(core: Core, db: sqlite3.Connection) -> tuple[Checkpoint | None, bool]:
    """The newest kept head that this log must still have, and whether this home's key signed it.

    Of a former epoch those count that the present one restored whole; by whose key they are, its heads say.
    """
    store = core.store
    told = epochs.of_head(Checkpoint(store.origin, 2**62, merkle.EMPTY_ROOT, store.extensions))
    restored = epochs.kept_until(told, 0)
    for (note,) in db.execute("SELECT note FROM head ORDER BY size DESC LIMIT ?", (_HEADS,)):
        head = checkpoint.parse(str(note))
        if head.origin == store.origin:
            return head, _is_signed(str(note), core)
        if epoch_of(head.origin)[0] == store.gateway and restored is not None and head.size <= restored:
            return head, True
    return None, True


def _is_signed(note: str, core: Core) -> bool:
    try:
        return bool(checkpoint.verify(note, core.home.log_key().public_key()))
    except Problem:
        return False


def unreadable(path: object, error: sqlite3.DatabaseError) -> Problem:
    """Problem `log-unreadable`: the gateway does not start."""
    return Problem(
        "log-unreadable",
        500,
        what=Text(f"{path} is not a log that can be read.", f"無法讀取日誌 {path}。"),
        why=Text(f"The file is damaged or no database: {error}.", f"檔案損毀或不是資料庫：{error}。"),
        todo=Text(
            "Keep the file for the auditor and look at the disk. Restore a backup into another folder:"
            " smartgov gateway restore --file FILE --home DIR",
            "請保留檔案供稽核並檢查磁碟，再將備份還原至另一資料夾：smartgov gateway restore --file FILE --home DIR",
        ),
    )
