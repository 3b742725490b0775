"""How the uses of a service appear to the person concerned, as its member declares in the signed offer: for the
service, and more narrowly for a right to it. Both hold.

`own`: she sees the record. `third-person-masked`: she sees that, when, by which agency and under which law, but neither
case nor official nor fields, which could tell of somebody else. `delayed`: from a date on, or so many days after the
use. `sealed`: by an order with its number, until its end. What is not shown yet changes no list, count or size.
"""

from __future__ import annotations

import heapq
import os
import sqlite3
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

from smartgov.engines.troad import bodies
from smartgov.shared import canonical
from smartgov.shared.clock import TAIPEI

if TYPE_CHECKING:
    from smartgov.engines.troad.snapshot import Right, Service, Snapshot
    from smartgov.engines.troad.store import Entry

OWN, MASKED, DELAYED, SEALED = "own", "third-person-masked", "delayed", "sealed"
CLASSES = (OWN, MASKED, DELAYED, SEALED)
VEILED = ("user", "issue", "fields")
"""Members of a record that a masked one keeps to itself, committed to by its member `veil`."""
NEVER = 2**62
_MEMBERS = {OWN: set[str](), MASKED: set[str](), DELAYED: {"until", "days"}, SEALED: {"order", "until"}}
SCHEMA = """
CREATE TABLE IF NOT EXISTS later (
    hmac TEXT, idx INTEGER, shown_from INTEGER NOT NULL, service TEXT NOT NULL, seal TEXT NOT NULL,
    PRIMARY KEY (hmac, idx)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS veil (idx INTEGER PRIMARY KEY, exchange TEXT NOT NULL, wrapped_key BLOB, sealed BLOB);
CREATE INDEX IF NOT EXISTS veil_exchange ON veil (exchange);
"""


@dataclass(frozen=True, slots=True)
class Visibility:
    """The class of a service; `until` (Unix seconds) and `days` delay, `order` is the number of the sealing order."""

    kind: str = OWN
    until: int = 0
    days: int = 0
    order: str = ""

    def shown_from(self, made: int) -> int:
        """When a use of this moment (Unix seconds) appears; 0 for at once."""
        if self.kind == DELAYED:
            return max(self.until, made + self.days * 86_400)
        return self.until if self.kind == SEALED else 0


def read(entry: Any) -> Visibility:
    """The class in a service's entry: its name, or `{class, until, days, order}`. ValueError for what cannot be meant.

    A delayed or sealed service without an end is never shown: nothing that was to be hidden appears by a mistake.
    """
    if entry is None or isinstance(entry, str):
        kind = entry or OWN
        if kind not in _MEMBERS:
            raise ValueError(f"unknown visibility {kind!r}")
        return Visibility(kind, until=NEVER if kind in {DELAYED, SEALED} else 0)
    kind, terms = entry["class"], {name: value for name, value in entry.items() if name != "class"}
    if kind not in _MEMBERS or not set(terms) <= _MEMBERS[kind]:
        raise ValueError(f"unknown visibility {kind!r}, or with members that it has not")
    if kind == SEALED and not (terms.get("order") and terms.get("until")):
        raise ValueError("a seal needs the number of its order and its end")
    if kind == DELAYED and not (terms.get("until") or int(terms.get("days", 0)) > 0):
        raise ValueError("a delay needs a date or days")
    until = _moment(terms["until"]) if terms.get("until") else 0
    return Visibility(kind, until, int(terms.get("days", 0)), str(terms.get("order", "")))


def show(entry: Entry, subject: str | None, declared: Iterable[Visibility]) -> None:
    """Let this entry appear to its subject as all the declared classes say: the service's, and the right's if any."""
    entry.visible_to = subject
    for one in declared:
        if (later := one.shown_from(entry.made)) > entry.shown_from or (one.kind == SEALED and not entry.seal):
            entry.shown_from = max(later, entry.shown_from)
            if one.kind == SEALED:
                entry.seal, entry.record["seal"] = one.order, one.order
        if one.kind == MASKED and entry.veil is None:
            _veil(entry)


def of_refusal(service: Service, rights: Iterable[Right]) -> tuple[Visibility, ...]:
    """The classes for a refusal: no right was found to fit, so those of all that the asker has hold."""
    return (service.visibility, *(right.visibility for right in rights if right.visibility is not None))


def _veil(entry: Entry) -> None:
    clear = canonical.dumps({name: entry.record.pop(name) for name in VEILED if name in entry.record})
    salt = os.urandom(32)
    entry.record["veil"] = bodies.commitment(salt, clear)
    entry.veil = (salt, clear)


# -- what is listed -----------------------------------------------------------------------------------------------


def row(entry: Entry, index: int) -> tuple[str, tuple[Any, ...]] | None:
    """The row that puts the record on its person's list, now (table `subject`) or later (`later`)."""
    if entry.visible_to is None:
        return None
    if entry.shown_from <= entry.made:
        return "subject", (entry.visible_to, index)
    service = str(entry.record.get("service", ""))
    return "later", (entry.visible_to, index, entry.shown_from, service, entry.seal)


def listed(
    db: sqlite3.Connection, subject: str, size: int, now: int, seals: Collection[tuple[str, str]]
) -> Iterable[int]:
    """The indexes below `size` that the person may see now, newest first.

    `seals` are (service, order) still in force: an order that was prolonged keeps back what it sealed before.
    """
    (archived,) = db.execute("SELECT coalesce(max(size), 0) FROM ledger_archive").fetchone()
    query = "SELECT idx FROM subject WHERE hmac = ? AND idx >= ? AND idx < ? ORDER BY idx DESC"
    plain = (int(index) for (index,) in db.execute(query, (subject, archived, size)))
    rows = db.execute(
        "SELECT idx, service, seal FROM later WHERE hmac = ? AND idx >= ? AND idx < ? AND shown_from <= ?",
        (subject, archived, size, now),
    )
    over = [int(index) for index, service, seal in rows if not (seal and (service, seal) in seals)]
    return heapq.merge(plain, sorted(over, reverse=True), reverse=True)


def seals_in_force(snapshot: Snapshot, now: int) -> frozenset[tuple[str, str]]:
    """The sealing orders that services and rights declare and that have not ended."""
    declared = [(one.id, one.visibility) for one in snapshot.services.values()]
    declared += [(one.service, one.visibility) for each in snapshot.rights.values() for one in each if one.visibility]
    return frozenset((name, one.order) for name, one in declared if one.kind == SEALED and one.until > now)


def everything(db: sqlite3.Connection, subject: str, size: int) -> list[tuple[int, int, str]]:
    """Index, time of appearing and order of all records about a person below `size`, for an auditor."""
    rows = db.execute(
        "SELECT idx, 0, '' FROM subject WHERE hmac = ?1 AND idx < ?2"
        " UNION ALL SELECT idx, shown_from, seal FROM later WHERE hmac = ?1 AND idx < ?2 ORDER BY 1",
        (subject, size),
    )
    return [(int(index), int(shown), str(seal)) for index, shown, seal in rows]


def excluded(record: Mapping[str, Any], excludes: Collection[str]) -> bool:
    """Whether a mandate keeps this record from its holder: a member, system or service by its id, or `purpose:...`."""
    places = [str(record.get(name, "")) for name in ("service", "client")]
    return any(
        record.get("purpose") == one.removeprefix("purpose:")
        if one.startswith("purpose:")
        else any(place == one or place.startswith(f"{one}/") for place in places)
        for one in excludes
    )


def _moment(text: Any) -> int:
    """The begin of a day in Taipei, or a time with its offset."""
    try:
        return int(datetime.combine(date.fromisoformat(str(text)), time(), TAIPEI).timestamp())
    except ValueError:
        moment = datetime.fromisoformat(str(text))
    if moment.tzinfo is None:
        raise ValueError("times need an offset")
    return int(moment.timestamp())
