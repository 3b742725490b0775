"""Epochs of a log: what others may know of it that a backup did not hold.

A log that was restored lacks what came after its backup, and its owner cannot know what that was. It goes on under a
new origin, and every head from then on carries one line for each restore:

    epoch 2 after TW/GOV/ris/gw1 1234 <root in base64> restored 1200

the newest head that a witness had co-signed, and how many records the backup held. A log whose key has changed opens
an epoch too; its heads name the key that signed before, so that whoever has kept an older head can hold it to them:

    key-before-epoch 2 <Ed25519 public key in base64>

Nothing here asks anybody.
"""

from __future__ import annotations

import base64
import json
import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from smartgov.engines.ledger import Checkpoint
from smartgov.engines.troad.names import epoch_of, origin_of

_LINE = re.compile(r"epoch (\d{1,8}) after (\S+) (\d{1,18}) ([A-Za-z0-9+/]{43}=) restored (\d{1,18})")
_KEY = re.compile(r"key-before-epoch (\d{1,8}) ([A-Za-z0-9+/]{43}=)")
_FACT = "epochs"


@dataclass(frozen=True, slots=True)
class Epoch:
    """The `number`-th epoch begins after the head `origin`, `size`, `root`, with the `restored` first records of it."""

    number: int
    origin: str
    size: int
    root: bytes
    restored: int

    @property
    def line(self) -> str:
        """How it stands in a head."""
        root = base64.b64encode(self.root).decode()
        return f"epoch {self.number} after {self.origin} {self.size} {root} restored {self.restored}"

    @property
    def lost(self) -> int:
        """How many records others have seen for sure that are gone."""
        return max(0, self.size - self.restored)


def of_head(head: Checkpoint) -> tuple[Epoch, ...]:
    """The epochs that a head tells of. ValueError when they do not lead to its origin one by one."""
    gateway, number = epoch_of(head.origin)
    found = tuple(_read(line) for line in head.extensions if line.startswith("epoch "))
    wanted = [(n, origin_of(gateway, n - 1)) for n in range(2, number + 1)]
    if [(one.number, one.origin) for one in found] != wanted:
        raise ValueError("the head's epochs do not lead to its origin")
    if found and head.size <= found[-1].restored:
        raise ValueError("an epoch begins with a record of its own")
    if not {int(match[1]) for line in head.extensions if (match := _KEY.fullmatch(line))} <= {n for n, _ in wanted}:
        raise ValueError("a key is named for an epoch that the head does not tell of")
    return found


def told_by(head: Checkpoint) -> tuple[str, ...]:
    """The lines in which a head tells of former epochs, and which every later head repeats."""
    return tuple(line for line in head.extensions if line.startswith(("epoch ", "key-before-epoch ")))


def count(lines: Sequence[str]) -> int:
    """In which epoch a log with these lines in its heads is."""
    return 1 + sum(line.startswith("epoch ") for line in lines)


def key_line(number: int, key: bytes) -> str:
    """How a head says that `key` signed those before this epoch."""
    return f"key-before-epoch {number} {base64.b64encode(key).decode()}"


def key_of(head: Checkpoint, number: int, present: bytes) -> bytes:
    """The key that signed heads of the epoch `number`, as `head`, which `present` signed, says."""
    found = {int(match[1]): match[2] for line in head.extensions if (match := _KEY.fullmatch(line))}
    later = [change for change in found if change > number]
    return base64.b64decode(found[min(later)]) if later else present


def keys_before(head: Checkpoint) -> frozenset[bytes]:
    """The keys that signed heads of former epochs, as `head` says."""
    return frozenset(base64.b64decode(match[2]) for line in head.extensions if (match := _KEY.fullmatch(line)))


def rekeyed(head: Checkpoint) -> tuple[Epoch, ...]:
    """The epochs of a head that began under another key than the one before."""
    changes = {int(match[1]) for line in head.extensions if (match := _KEY.fullmatch(line))}
    return tuple(one for one in of_head(head) if one.number in changes)


def kept_until(epochs: Sequence[Epoch], number: int) -> int | None:
    """How many records of the epoch `number` are still in a log with these later epochs; None for all of them."""
    return min((one.restored for one in epochs if one.number > number), default=None)


def admits(epochs: Sequence[Epoch], known: Checkpoint) -> bool:
    """Whether a log with these epochs says of itself that it had the head `known`, of an earlier epoch, or a later."""
    number = epoch_of(known.origin)[1]
    following = next((one for one in epochs if one.number == number + 1), None)
    if following is None or following.origin != known.origin or following.size < known.size:
        return False
    return following.size > known.size or following.root == known.root


def stored(db: sqlite3.Connection) -> tuple[str, ...]:
    """The lines that this file's log carries."""
    row = db.execute("SELECT value FROM fact WHERE name = ?", (_FACT,)).fetchone()
    return tuple(json.loads(row[0])) if row else ()


def remember(db: sqlite3.Connection, lines: tuple[str, ...]) -> None:
    """Keep the lines, in the transaction of the record that opens an epoch."""
    db.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (_FACT, json.dumps(lines)))


def _read(line: str) -> Epoch:
    match = _LINE.fullmatch(line)
    if match is None:
        raise ValueError("an epoch has another form")
    number, origin, size, root, restored = match.groups()
    return Epoch(int(number), origin, int(size), base64.b64decode(root), int(restored))
