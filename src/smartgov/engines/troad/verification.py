"""Checking an evidence bundle, offline, with nothing trusted but the anchors in a folder.

The folder holds `root.json` (the first root of the configuration) and, where there are such, `tsa.pem` (roots of
time-stamping authorities) and `heads/*.note` (heads that the reader has kept before). `verify_evidence.py` does the
same with the standard library and openssl alone; a test holds the two to the same answers.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from smartgov.engines.ledger import Checkpoint, checkpoint, cosign, merkle
from smartgov.engines.pki import keys, timestamps
from smartgov.engines.troad import batch_signature, bodies, epochs, evidence, snapshot
from smartgov.engines.troad.epochs import Epoch
from smartgov.engines.troad.names import epoch_of
from smartgov.engines.troad.snapshot import Gateway
from smartgov.engines.troad.witness import continues
from smartgov.engines.trust import GRACE, Follower, is_whole
from smartgov.shared.problems import Problem

NEEDED = 2
SKEW = 120
"""Seconds by which clocks of two gateways and of an authority may differ."""
STAMPED_WITHIN = 86_400
"""A stamp that came later says nothing about the time of the record."""
_CREATED = re.compile(r';created=(\d{1,12});nonce="[\w-]+";keyid="([\w-]{43})";tag="troad-v(?:[12]|2(-batch))"$')


class Verdict(IntEnum):
    """What a bundle is worth; the value is the exit status of the command."""

    VALID = 0
    INVALID = 1
    VALID_UNTIMESTAMPED = 3
    UNKNOWN_STATUS = 4


@dataclass(frozen=True, slots=True)
class Finding:
    """The verdict with its reasons, as stable words."""

    verdict: Verdict
    reasons: tuple[str, ...] = ()


class InvalidError(Exception):
    """Something does not hold; the text is a stable word."""


@dataclass(slots=True)
class Head:
    """A verified head: of how many members witnesses signed it, when it surely existed, and the time of its stamp."""

    checkpoint: Checkpoint
    witnesses: int
    times: list[int]
    stamped: int | None
    epochs: tuple[Epoch, ...] = ()
    key: bytes = b""
    """The log key that signed it."""

    @property
    def epoch(self) -> int:
        """Its number: 1 before the log was ever restored."""
        return len(self.epochs) + 1


@dataclass(slots=True)
class Case:
    """What the checks share."""

    bundle: Mapping[str, Any]
    anchors: Path
    gateways: Mapping[str, Gateway]
    own: Gateway
    issued: int
    expires: int
    doubts: list[str] = field(default_factory=list)

    @property
    def others(self) -> int:
        """How many other members may witness this log; the gateways of one member count once."""
        return len({g.member for g in self.gateways.values() if g.member != self.own.member and g.witness_key})


def verify(bundle: Mapping[str, Any], anchors: Path) -> Finding:
    """The finding about a bundle. Never raises for what stands in the bundle."""
    try:
        return _verify(bundle, anchors)
    except InvalidError as error:
        return Finding(Verdict.INVALID, (str(error),))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, Problem, binascii.Error):
        return Finding(Verdict.INVALID, ("form",))


def _verify(bundle: Mapping[str, Any], anchors: Path) -> Finding:
    if bundle["type"] != evidence.TYPE:
        raise InvalidError("form")
    day, case = _cases(bundle, anchors)
    head = head_of(case, bundle["head"], bundle.get("stamp"))
    before = _beside(case, head, "before")
    _pinned(case, head)
    known_keys([day], head)
    over = _beside(case, head, "over") or head
    records = [_record(case, entry, head) for entry in bundle["entries"]]
    if not records or [at for at, _ in records] != sorted({at for at, _ in records}):
        raise InvalidError("order")
    if records[-1][0] >= over.checkpoint.size:
        raise InvalidError("over")
    seen: dict[str, Mapping[str, Any]] = {}
    for (_, record), entry in zip(records, bundle["entries"], strict=True):
        message(day, record, entry, seen)
        _times(record, over, before)
    case.doubts += day.doubts
    return _sum_up(case, head, over, records)


def _sum_up(case: Case, head: Head, over: Head, records: list[tuple[int, dict[str, Any]]]) -> Finding:
    if head.witnesses < min(NEEDED, case.others):
        case.doubts.append("witnesses")
    if case.doubts:
        return Finding(Verdict.UNKNOWN_STATUS, tuple(sorted(set(case.doubts))))
    if over.stamped is None:
        return Finding(Verdict.VALID_UNTIMESTAMPED, ("stamp-missing",))
    if any(over.stamped - unix(record["time"]) > STAMPED_WITHIN for _, record in records):
        return Finding(Verdict.VALID_UNTIMESTAMPED, ("stamp-late",))
    return Finding(Verdict.VALID)


def _cases(bundle: Mapping[str, Any], anchors: Path) -> tuple[Case, Case]:
    """By the configuration of the records' day, and by that of the head, which may be of much later."""
    day = case_of(bundle, anchors)
    if not bundle.get("head_configuration"):
        return day, day
    later = case_of({**bundle, "configuration": bundle["head_configuration"]}, anchors)
    if later.issued < day.issued:
        raise InvalidError("configuration")
    return day, later


def case_of(bundle: Mapping[str, Any], anchors: Path) -> Case:
    """The gateways that a bundle's `configuration` names, when it leads there from the anchor; else InvalidError."""
    configuration, anchor = bundle.get("configuration"), (anchors / "root.json").read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        try:
            view = Follower(Path(folder), anchor).take(json.dumps(configuration).encode(), datetime.now(UTC))
        except Problem:
            raise InvalidError("configuration") from None
    if not isinstance(configuration, dict) or not is_whole(configuration["files"], anchor):
        raise InvalidError("configuration")
    country = view.country
    found = [
        snapshot.read_gateway(member["id"], entry) for member in country["members"] for entry in member["gateways"]
    ]
    gateways = {one.id: one for one in found}
    issued = int(datetime.fromisoformat(country["issued_at"]).timestamp())
    expires = int((view.expires_at + GRACE).timestamp())
    return Case(bundle, anchors, gateways, gateways[bundle["gateway"]], issued, expires)


def head_of(case: Case, note: str, stamp: str | None, under: Checkpoint | None = None) -> Head:
    """A head of the case's own log; InvalidError `head` or `stamp` when it is none.

    `under`: a verified head of the same log, which says by which key earlier ones were signed.
    """
    try:
        key = case.own.log_key if under is None else _key_of(case, note, under)
        read = checkpoint.verify(note, key)
    except Problem:
        raise InvalidError("head") from None
    if epoch_of(read.origin)[0] != case.own.log_origin:
        raise InvalidError("head")
    try:
        opened = epochs.of_head(read)
    except ValueError:
        raise InvalidError("head") from None
    known = {g.id: g.witness_key for g in case.gateways.values() if g.member != case.own.member and g.witness_key}
    signed = cosign.cosignatures(note, known)
    stamped = _stamped(case, note, stamp)
    times = [one.time for one in signed] + ([stamped] if stamped is not None else [])
    members = {case.gateways[one.witness].member for one in signed}
    return Head(read, len(members), times, stamped, opened, key.public_bytes_raw())


def _key_of(case: Case, note: str, under: Checkpoint) -> Ed25519PublicKey:
    number = epoch_of(checkpoint.parse(note).origin)[1]
    raw = epochs.key_of(under, number, case.own.log_key.public_bytes_raw())
    return Ed25519PublicKey.from_public_bytes(raw)


def _stamped(case: Case, note: str, stamp: str | None) -> int | None:
    path = case.anchors / "tsa.pem"
    if stamp is None or not path.exists():
        return None
    token = base64.b64decode(stamp, validate=True)
    try:
        roots = x509.load_pem_x509_certificates(path.read_bytes())
        return int(timestamps.verify(token, cosign.text(note), roots).timestamp())
    except ValueError:
        raise InvalidError("stamp") from None


def _beside(case: Case, head: Head, name: str) -> Head | None:
    """The head of the same log that a bundle gives as `name`, when the bundle's head continues it."""
    given = case.bundle.get(name)
    if given is None:
        return None
    found = head_of(case, given["head"], given.get("stamp"), head.checkpoint)
    if found.epoch > head.epoch:
        raise InvalidError(name)
    _continued(found.checkpoint, head.checkpoint, given["consistency"], name)
    return found


def known_keys(cases: Iterable[Case], head: Head) -> None:
    """The log key of each configuration is that of the head, or one that it says signed before; else `log-key`."""
    known = {head.key, *epochs.keys_before(head.checkpoint)}
    if not {case.own.log_key.public_bytes_raw() for case in cases} <= known:
        raise InvalidError("log-key")


def _continued(old: Checkpoint, new: Checkpoint, proof: list[str], word: str) -> None:
    if not continues(old.size, old.root, new, [bytes.fromhex(part) for part in proof]):
        raise InvalidError(word)


def _pinned(case: Case, head: Head) -> None:
    """Hold the log to every head of it that the reader has kept."""
    links = {entry["size"]: entry["consistency"] for entry in case.bundle.get("have", [])}
    links |= {head.checkpoint.size: []}
    for kept in kept_heads(case, head.checkpoint):
        size = kept.checkpoint.size
        later = (kept.epoch, size) > (head.epoch, head.checkpoint.size)
        if kept.epoch < head.epoch and size > (epochs.kept_until(head.epochs, kept.epoch) or 0):
            _admitted(case, kept, head)
        elif size in links and kept.epoch <= head.epoch:
            _continued(kept.checkpoint, head.checkpoint, links[size], "forked")
        elif later and min(head.times, default=0) > max(kept.times, default=0):
            raise InvalidError("shorter")
        else:
            case.doubts.append("kept-head")


def _admitted(case: Case, kept: Head, head: Head) -> None:
    """A kept head whose end was lost in a restore: the epoch has to say that there was so much."""
    following = head.epochs[kept.epoch - 1]
    if following.size < kept.checkpoint.size:
        case.doubts.append("epoch")
    elif not epochs.admits(head.epochs, kept.checkpoint):
        raise InvalidError("forked")


def kept_heads(case: Case, under: Checkpoint) -> Iterator[Head]:
    """The heads of this log that the reader has kept; `under` says by which keys those of former epochs were signed."""
    for path in sorted((case.anchors / "heads").glob("*.note")):
        note = path.read_text()
        try:
            yield head_of(case, note, None, under)
        except (InvalidError, Problem):
            if _named_as(case, note):
                case.doubts.append("kept-head")  # by a key that this log does not know: for its owner to explain


def _named_as(case: Case, note: str) -> bool:
    try:
        return epoch_of(checkpoint.parse(note).origin)[0] == case.own.log_origin
    except Problem:
        return False


def _record(case: Case, entry: Mapping[str, Any], head: Head) -> tuple[int, dict[str, Any]]:
    exact, index = base64.b64decode(entry["record"], validate=True), entry["index"]
    if not isinstance(index, int) or isinstance(index, bool):
        raise InvalidError("form")
    proof = [bytes.fromhex(part) for part in entry["proof"]]
    at = head.checkpoint
    if not merkle.verify_inclusion(
        leaf=merkle.leaf_hash(exact), index=index, size=at.size, proof=proof, expected_root=at.root
    ):
        raise InvalidError("inclusion")
    record = json.loads(exact)
    if record["id"] != case.bundle["exchange"]:
        raise InvalidError("exchange")
    return index, record


def message(
    case: Case, record: Mapping[str, Any], entry: Mapping[str, Any], seen: dict[str, Mapping[str, Any]]
) -> None:
    """The signature over one message and, where they were not erased, its parts."""
    if "veil" in entry:
        salt, clear = (base64.b64decode(entry[name], validate=True) for name in ("veil_salt", "veil"))
        if not hmac.compare_digest(bodies.commitment(salt, clear), record["veil"]):
            raise InvalidError("veil")
    if any(name in entry for name in ("salt", "body", "base")) and "body" in record:
        _body(record, entry)
    if "signature" not in record:
        return
    asked = record["kind"] in {"request", "trail"}
    signer = case.own if asked == (record["side"] == "client") else case.gateways.get(record["gateway"])
    match = _CREATED.search(record["input"])
    if signer is None or match is None or match[2] != signer.message_kid:
        raise InvalidError("signer")
    value = base64.b64decode(record["signature"].removeprefix("troad=:").removesuffix(":"), validate=True)
    holds = batch_signature.holds if match[3] else keys.verify_digest
    if not holds(signer.message_key, value, bytes.fromhex(record["base"])):
        raise InvalidError("signature")
    created = int(match[1])
    if abs(created - unix(record["time"])) > SKEW:
        raise InvalidError("time")
    if not case.issued - SKEW <= created <= case.expires:
        case.doubts.append("configuration")
    if "base" in entry:
        _base(record, base64.b64decode(entry["base"], validate=True), seen, asked=asked)


def _body(record: Mapping[str, Any], entry: Mapping[str, Any]) -> None:
    salt, body = (base64.b64decode(entry[name], validate=True) for name in ("salt", "body"))
    if not hmac.compare_digest(bodies.commitment(salt, body), record["body"]):
        raise InvalidError("body")


def _base(record: Mapping[str, Any], base: bytes, seen: dict[str, Mapping[str, Any]], *, asked: bool) -> None:
    """What was signed says the same as what the record says."""
    if sha256(base).hexdigest() != record["base"]:
        raise InvalidError("base")
    lines = dict(line.split(": ", 1) for line in base.decode("latin-1").split("\n"))
    req = "" if asked else ";req"
    wanted = {
        '"troad-body"': record["body"],
        '"@signature-params"': record["input"].removeprefix("troad="),
        f'"x-road-id"{req}': record["id"],
    }
    if asked:
        wanted['"x-road-client"'] = record["client"]
        wanted['"@method"'] = record["method"]
        wanted['"@path"'] = f"/r1/{record['service']}{record['path']}"
        seen["request"] = record
    else:
        wanted['"@status"'] = str(record["status"])
        if "request" in seen:
            wanted['"signature-input";req'] = seen["request"]["input"]
    if any(lines.get(name) != value for name, value in wanted.items()):
        raise InvalidError("claims")


def _times(record: Mapping[str, Any], head: Head, before: Head | None) -> None:
    """A record is later than the head before it, and earlier than the head over it."""
    time = unix(record["time"])
    if before is not None and before.times and time < min(before.times) - SKEW:
        raise InvalidError("back-dated")
    if head.times and time > max(head.times) + SKEW:
        raise InvalidError("post-dated")


def unix(text: str) -> int:
    """Unix seconds of an ISO 8601 time."""
    return int(datetime.fromisoformat(text).timestamp())
