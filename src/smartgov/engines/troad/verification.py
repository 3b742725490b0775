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
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography import x509

from smartgov.engines.ledger import Checkpoint, checkpoint, cosign, merkle
from smartgov.engines.pki import keys, timestamps
from smartgov.engines.troad import batch_signature, evidence, snapshot, wire
from smartgov.engines.troad.names import epoch_of
from smartgov.engines.troad.snapshot import Gateway
from smartgov.engines.troad.witness import continues
from smartgov.engines.trust import GRACE, Follower
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
class _Head:
    checkpoint: Checkpoint
    witnesses: int
    times: list[int]
    stamped: int | None


@dataclass(slots=True)
class _Case:
    """What the checks share."""

    bundle: Mapping[str, Any]
    anchors: Path
    gateways: Mapping[str, Gateway]
    own: Gateway
    issued: int
    expires: int
    doubts: list[str] = field(default_factory=list)


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
    case = _configuration(bundle, anchors)
    head = _head(case, bundle["head"], bundle.get("stamp"))
    before = _before(case, head)
    _pinned(case, head)
    records = [_record(case, entry, head) for entry in bundle["entries"]]
    if not records or [at for at, _ in records] != sorted({at for at, _ in records}):
        raise InvalidError("order")
    seen: dict[str, Mapping[str, Any]] = {}
    for (_, record), entry in zip(records, bundle["entries"], strict=True):
        _message(case, record, entry, seen)
        _times(case, record, head, before)
    return _sum_up(case, head, records)


def _sum_up(case: _Case, head: _Head, records: list[tuple[int, dict[str, Any]]]) -> Finding:
    others = [g for g in case.gateways.values() if g.member != case.own.member and g.witness_key]
    if head.witnesses < min(NEEDED, len(others)):
        case.doubts.append("witnesses")
    if case.doubts:
        return Finding(Verdict.UNKNOWN_STATUS, tuple(sorted(set(case.doubts))))
    if head.stamped is None:
        return Finding(Verdict.VALID_UNTIMESTAMPED, ("stamp-missing",))
    if any(head.stamped - _unix(record["time"]) > STAMPED_WITHIN for _, record in records):
        return Finding(Verdict.VALID_UNTIMESTAMPED, ("stamp-late",))
    return Finding(Verdict.VALID)


def _configuration(bundle: Mapping[str, Any], anchors: Path) -> _Case:
    raw = json.dumps(bundle.get("configuration")).encode()
    with tempfile.TemporaryDirectory() as folder:
        try:
            view = Follower(Path(folder), (anchors / "root.json").read_bytes()).take(raw, datetime.now(UTC))
        except Problem:
            raise InvalidError("configuration") from None
    country = view.country
    found = [
        snapshot.read_gateway(member["id"], entry) for member in country["members"] for entry in member["gateways"]
    ]
    gateways = {one.id: one for one in found}
    issued = int(datetime.fromisoformat(country["issued_at"]).timestamp())
    expires = int((view.expires_at + GRACE).timestamp())
    return _Case(bundle, anchors, gateways, gateways[bundle["gateway"]], issued, expires)


def _head(case: _Case, note: str, stamp: str | None) -> _Head:
    try:
        read = checkpoint.verify(note, case.own.log_key)
    except Problem:
        raise InvalidError("head") from None
    if epoch_of(read.origin)[0] != case.own.log_origin:
        raise InvalidError("head")
    known = {g.id: g.witness_key for g in case.gateways.values() if g.member != case.own.member and g.witness_key}
    signed = cosign.cosignatures(note, known)
    stamped = _stamped(case, note, stamp)
    times = [one.time for one in signed] + ([stamped] if stamped is not None else [])
    return _Head(read, len(signed), times, stamped)


def _stamped(case: _Case, note: str, stamp: str | None) -> int | None:
    path = case.anchors / "tsa.pem"
    if stamp is None or not path.exists():
        return None
    token = base64.b64decode(stamp, validate=True)
    try:
        roots = x509.load_pem_x509_certificates(path.read_bytes())
        return int(timestamps.verify(token, cosign.text(note), roots).timestamp())
    except ValueError:
        raise InvalidError("stamp") from None


def _before(case: _Case, head: _Head) -> _Head | None:
    given = case.bundle.get("before")
    if given is None:
        return None
    before = _head(case, given["head"], given.get("stamp"))
    _continued(before.checkpoint, head.checkpoint, given["consistency"], "before")
    return before


def _continued(old: Checkpoint, new: Checkpoint, proof: list[str], word: str) -> None:
    if old.origin != new.origin or not continues(old.size, old.root, new, [bytes.fromhex(part) for part in proof]):
        raise InvalidError(word)


def _pinned(case: _Case, head: _Head) -> None:
    """Hold the log to every head of it that the reader has kept."""
    links = {entry["size"]: entry["consistency"] for entry in case.bundle.get("have", [])}
    links |= {head.checkpoint.size: []}
    for path in sorted((case.anchors / "heads").glob("*.note")):
        kept = _head_if_own(case, path.read_text())
        if kept is None or kept.checkpoint.origin != head.checkpoint.origin:
            continue
        if kept.checkpoint.size in links:
            _continued(kept.checkpoint, head.checkpoint, links[kept.checkpoint.size], "forked")
        elif kept.checkpoint.size > head.checkpoint.size and min(head.times, default=0) > max(kept.times, default=0):
            raise InvalidError("shorter")
        else:
            case.doubts.append("kept-head")


def _head_if_own(case: _Case, note: str) -> _Head | None:
    try:
        return _head(case, note, None)
    except (InvalidError, Problem):
        return None


def _record(case: _Case, entry: Mapping[str, Any], head: _Head) -> tuple[int, dict[str, Any]]:
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


def _message(
    case: _Case, record: Mapping[str, Any], entry: Mapping[str, Any], seen: dict[str, Mapping[str, Any]]
) -> None:
    """The signature over one message and, where they were not erased, its parts."""
    if "signature" not in record:
        if any(name in entry for name in ("salt", "body", "base")) and "body" in record:
            _body(record, entry)
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
    if abs(created - _unix(record["time"])) > SKEW:
        raise InvalidError("time")
    if not case.issued - SKEW <= created <= case.expires:
        case.doubts.append("configuration")
    if "base" in entry:
        _body(record, entry)
        _base(record, base64.b64decode(entry["base"], validate=True), seen, asked=asked)


def _body(record: Mapping[str, Any], entry: Mapping[str, Any]) -> None:
    salt, body = (base64.b64decode(entry[name], validate=True) for name in ("salt", "body"))
    if not hmac.compare_digest(wire.commitment(salt, body), record["body"]):
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


def _times(case: _Case, record: Mapping[str, Any], head: _Head, before: _Head | None) -> None:
    """A record is later than the head before it, and earlier than the head over it."""
    time = _unix(record["time"])
    if before is not None and before.times and time < min(before.times) - SKEW:
        raise InvalidError("back-dated")
    if head.times and time > max(head.times) + SKEW:
        raise InvalidError("post-dated")


def _unix(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())
