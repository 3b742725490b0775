"""What may happen only once, handed from the gateway that counts it to another one of the same member, without a wait.

The former ends taking such calls by a line in every later head of its log, which other members co-sign; only then it
gives the file that this module writes and reads: its claims and spent consents, encrypted to the successor, under a
statement signed by the former. `moving` does both in the running gateways.

    once-handed-over TW/GOV/ris/gw2 1764430000
"""

from __future__ import annotations

import base64
import json
import os
import re
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from smartgov.engines.ledger import checkpoint, cosign
from smartgov.engines.pki import jwe, keys
from smartgov.engines.troad import epochs, heads, idempotency
from smartgov.engines.troad.home import Home
from smartgov.engines.troad.problems import refuse
from smartgov.engines.troad.snapshot import Gateway, Snapshot
from smartgov.shared import canonical
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

TYPE = "troad-handover-1"
FIT_SECONDS = 86_400
"""For how long a file may be taken over; its gateway writes another one of the same at any time."""
COMPLETE, TAKEN = "handover-complete", "taken-over"
"""Facts in a gateway's file: the record after which nothing is added, and whose claims it took over last."""
CLAIM_KEY = "claim-key"
_LINE = re.compile(r"once-handed-over (\S{1,200}) (\d{1,12})")
_LEEWAY = 60
_ROWS, _BYTES = 500, 2**20
"""Of one encrypted line of the file, about."""


@dataclass(frozen=True, slots=True)
class Given:
    """A gateway's word that it takes nothing more since `at` (Unix seconds), and that `to` does."""

    to: str
    at: int

    @property
    def line(self) -> str:
        """How it stands in every later head."""
        return f"once-handed-over {self.to} {self.at}"


def given_by(lines: Iterable[str]) -> Given | None:
    """The newest such word among the lines of a head."""
    found = [Given(match[1], int(match[2])) for line in lines if (match := _LINE.fullmatch(line))]
    return max(found, key=lambda one: one.at, default=None)


def with_newest(lines: Iterable[str], *others: str) -> tuple[str, ...]:
    """These lines with the newest word of all, at the end."""
    lines = tuple(lines)
    newest = given_by((*lines, *others))
    return (*(line for line in lines if not _LINE.fullmatch(line)), *([newest.line] if newest else []))


def remember(db: sqlite3.Connection, line: str) -> None:
    """Let the log of this file carry the word, as a restore does that lost it."""
    epochs.remember(db, with_newest(epochs.stored(db), line))


def refuse_given(given: Given | None, since: int) -> None:
    """Problem `once-handed-over` at a gateway that has given its word after `since`, from when on it was in charge."""
    if given is not None and since <= given.at:
        raise refuse("once-handed-over", gateway=given.to)


@dataclass(frozen=True, slots=True)
class Taken:
    """What a gateway took over: from whom, which word of it, from when on it is in charge itself.

    A key made before `unsure` of which nothing was handed over may have been used all the same.
    """

    former: str
    at: int
    since: int
    unsure: int

    @classmethod
    def kept(cls, text: str | None) -> Taken | None:
        """As it stands in the file."""
        return cls(**json.loads(text)) if text else None

    def text(self) -> str:
        """For the file."""
        return json.dumps({"former": self.former, "at": self.at, "since": self.since, "unsure": self.unsure})


def confirmed(note: str, of: Gateway, given: Given, index: int, snapshot: Snapshot) -> bool:
    """Whether this head of the log of `of` says so, covers the record `index`, and other members have co-signed it."""
    try:
        head = checkpoint.verify(note, of.log_key)
    except Problem:
        return False
    others = [one for one in snapshot.gateways.values() if one.member != of.member and one.witness_key is not None]
    known = {one.id: one.witness_key for one in others if one.witness_key is not None}
    signed = heads.members(one.witness for one in cosign.cosignatures(note, known))
    return head.size > index and given_by(head.extensions) == given and signed >= heads.needed(others)


# -- the former's side ------------------------------------------------------------------------------------------------


def state(home: Path) -> tuple[Given | None, dict[str, Any] | None, str]:
    """What this home's log says: its word, the record that completes it, and the newest head with that in it."""
    with closing(_reading(home)) as db:
        given, complete = given_by(epochs.stored(db)), _complete(db)
        if given is None or complete is None or complete["at"] != given.at:
            return given, None, ""
        query = "SELECT note FROM head WHERE size > ? ORDER BY size DESC LIMIT 1"
        row = db.execute(query, (complete["index"],)).fetchone()
        return given, complete, str(row[0]) if row else ""


def write(home: Home, snapshot: Snapshot, file: Path, now: datetime) -> tuple[int, int]:
    """The file (mode 0600, whole or not at all) with what was handed over; how many claims and spent consents.

    It can be written again as long as the keys are remembered, and says the same.
    """
    given, complete, note = state(home.path)
    assert given is not None
    assert complete is not None
    to, content, moment = snapshot.gateways[given.to], os.urandom(32), int(now.timestamp())
    draft, digest, counts = file.with_name(f".{file.name}.draft"), sha256(), {"claim": 0, "spent": 0}
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as out, closing(_reading(home.path)) as db:
        db.execute("BEGIN")
        for number, rows in enumerate(_parts(_rows(db, home.secret_key("body"), moment, counts))):
            line = base64.b64encode(AESGCM(content).encrypt(_nonce(number), rows, TYPE.encode())) + b"\n"
            digest.update(line)
            out.write(line)
        secret = content + claim_key(db, home)
        statement = {
            "iss": home.gateway,
            "aud": to.id,
            "iat": moment,
            "exp": moment + FIT_SECONDS,
            "at": given.at,
            "since": complete["since"],
            "unsure": complete["unsure"],
            "record": {name: complete[name] for name in ("origin", "index", "leaf")},
            "head": note,
            "claims": counts["claim"],
            "spent": counts["spent"],
            "content": digest.hexdigest(),
            "key": jwe.encrypt(secret, to.recipient.key, to.recipient.kid, {"typ": TYPE, "aud": to.id}),
        }
        exact = canonical.dumps(statement)
        signature = keys.sign(home.p256("message"), _signed(exact))
        out.write(f"{keys.b64url(exact)}.{keys.b64url(signature)}\n".encode())
        out.flush()
        os.fsync(out.fileno())
    draft.replace(file)
    return counts["claim"], counts["spent"]


def claim_key(db: sqlite3.Connection, home: Home) -> bytes:
    """The key by which this gateway finds its claims: its own, or the one that it took over."""
    row = db.execute("SELECT value FROM fact WHERE name = ?", (CLAIM_KEY,)).fetchone()
    if row is None:
        return idempotency.own_key(home.secret_key("index"))
    sealed = base64.b64decode(row[0])
    return AESGCM(home.secret_key("body")).decrypt(sealed[:12], sealed[12:], CLAIM_KEY.encode())


def _rows(db: sqlite3.Connection, body_key: bytes, now: int, counts: dict[str, int]) -> Iterator[list[Any]]:
    for row in idempotency.handed(db, body_key, now):
        counts["claim"] += 1
        yield ["claim", *row]
    for jti, until in db.execute("SELECT jti, until FROM spent WHERE kind = 'consent' AND until >= ?", (now,)):
        counts["spent"] += 1
        yield ["spent", jti, until]


def _parts(rows: Iterable[list[Any]]) -> Iterator[bytes]:
    part: list[str] = []
    size = 0
    for row in rows:
        part.append(json.dumps(row))
        size += len(part[-1])
        if len(part) == _ROWS or size > _BYTES:
            yield f"[{','.join(part)}]".encode()
            part, size = [], 0
    if part:
        yield f"[{','.join(part)}]".encode()


def _complete(db: sqlite3.Connection) -> dict[str, Any] | None:
    """The completing record with its place: the first such one from the index on that its transaction knew."""
    row = db.execute("SELECT value FROM fact WHERE name = ?", (COMPLETE,)).fetchone()
    if row is None:
        return None
    fact = json.loads(row[0])
    query = "SELECT idx, CAST(record AS TEXT) FROM ledger_record WHERE idx >= ? ORDER BY idx"
    for index, exact in db.execute(query, (fact["from"],)):
        record = json.loads(exact)
        if (record.get("kind"), record.get("step"), record.get("at")) == ("handover", "complete", fact["at"]):
            return {**fact, "index": index, "leaf": sha256(b"\0" + exact.encode()).hexdigest()}
    return None


# -- the successor's side ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Handed:
    """A file that may be taken over; `key` opens its lines, `claims` is the key by which its claims are found."""

    file: Path
    former: str
    at: int
    unsure: int
    record: dict[str, Any]
    counts: tuple[int, int]
    key: bytes
    claims: bytes


def read(file: Path, home: Home, snapshot: Snapshot, now: datetime) -> Handed:
    """The file, if the member's gateway that is in charge handed all of it to this one; else `handover-refused`."""
    try:
        said, former = _statement(file, home, snapshot, now)
        given, index = Given(home.gateway, int(said["at"])), int(said["record"]["index"])
        if said["aud"] != home.gateway:
            raise refused("It names another gateway as the successor.", "檔案載明的接手閘道不是本閘道。")
        member = snapshot.members[home.member]
        if (member.once, member.once_since) != (former.id, said["since"]):
            raise refused(
                "By the configuration in force here, that gateway is not in charge, or is so anew.",
                "依此處現行設定，該閘道並非（或已重新成為）計次閘道。",
            )
        if not confirmed(str(said["head"]), former, given, index, snapshot):
            raise refused(
                "No head of that gateway's log that other members co-signed says that it has ended.",
                "該閘道日誌沒有經其他成員共同簽署且載明已停止計次的檢查點。",
            )
        secret, header = jwe.decrypt(said["key"], home.p256("reference"))
        if (header.get("typ"), header.get("aud"), len(secret)) != (TYPE, home.gateway, 64):
            raise ValueError("another secret")
        counts = int(said["claims"]), int(said["spent"])
        record, unsure = dict(said["record"]), int(said["unsure"])
    except (ValueError, KeyError, TypeError):
        raise refused(*_FORM) from None
    except Problem as problem:
        if problem.slug == "handover-refused":
            raise
        raise refused(f"{problem.what.en} {problem.why.en}", f"{problem.what.zh}{problem.why.zh}") from None
    return Handed(file, former.id, given.at, unsure, record, counts, secret[:32], secret[32:])


def _statement(file: Path, home: Home, snapshot: Snapshot, now: datetime) -> tuple[dict[str, Any], Gateway]:
    """What the last line says, once its signature and the digest of all before it hold."""
    digest, last = sha256(), b""
    with file.open("rb") as lines:
        for line in lines:
            if last:
                digest.update(last)
            last = line
    exact, signature = map(keys.from_b64url, last.decode("ascii").strip().split("."))
    said = json.loads(exact)
    former = next((one for one in snapshot.members[home.member].gateways if one.id == said["iss"]), None)
    if former is None or former.id == home.gateway:
        raise refused("It is not by another gateway of this member.", "檔案不是由本成員的其他閘道產生。")
    if not keys.verify(former.message_key, signature, _signed(exact)) or said["content"] != digest.hexdigest():
        raise refused("Its signature is wrong.", "簽章錯誤。")
    if not said["iat"] - _LEEWAY <= now.timestamp() < said["exp"] + _LEEWAY:
        raise refused("It is more than a day old, or the clocks differ.", "檔案逾一日，或雙方時鐘不一致。")
    return said, former


def keep(db: sqlite3.Connection, handed: Handed, home: Home, taken: Taken, erased: Iterable[str]) -> None:
    """Store all of the file, in one transaction with the record of it; `handover-refused` when it is not whole."""
    body_key, counts = home.secret_key("body"), {"claim": 0, "spent": 0}
    for kind, *row in _opened(handed):
        if kind == "claim":
            idempotency.take_over(db, body_key, row)
        else:
            db.execute("INSERT OR IGNORE INTO spent VALUES ('consent', ?, ?)", row)
        counts[kind] += 1
    if (counts["claim"], counts["spent"]) != handed.counts:
        raise refused(*_FORM)
    for exchange in erased:
        idempotency.erase(db, exchange)
    nonce = os.urandom(12)
    sealed = nonce + AESGCM(body_key).encrypt(nonce, handed.claims, CLAIM_KEY.encode())
    for name, value in ((TAKEN, taken.text()), (CLAIM_KEY, base64.b64encode(sealed).decode())):
        db.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (name, value))


def taken_in(home: Path) -> Taken | None:
    """What the gateway of this home took over last."""
    with closing(_reading(home)) as db:
        row = db.execute("SELECT value FROM fact WHERE name = ?", (TAKEN,)).fetchone()
    return Taken.kept(row[0] if row else None)


def _opened(handed: Handed) -> Iterator[list[Any]]:
    content = AESGCM(handed.key)
    try:
        with handed.file.open("rb") as lines:
            before = next(lines)
            for number, line in enumerate(lines):  # the last one is the statement
                yield from json.loads(content.decrypt(_nonce(number), base64.b64decode(before), TYPE.encode()))
                before = line
    except (ValueError, InvalidTag, StopIteration):
        raise refused(*_FORM) from None


def _signed(exact: bytes) -> bytes:
    return TYPE.encode() + b"\n" + exact


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")


def _reading(home: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{home / 'log.sqlite3'}?mode=ro", uri=True, isolation_level=None)


_FORM = ("It is damaged, or no file of a handover.", "檔案損毀，或不是移交檔。")


def refused(en: str, zh: str) -> Problem:
    """Problem `handover-refused`: nothing was changed."""
    return Problem(
        "handover-refused",
        422,
        what=Text("The handover is not taken.", "移交未被接受。"),
        why=Text(en, zh),
        todo=Text(
            "Nothing was changed; write the file again with `smartgov gateway handover` at the other gateway.",
            "未變更任何資料；請於原閘道以 `smartgov gateway handover` 重新產生檔案。",
        ),
    )
