"""Checking an evidence bundle, offline, with nothing trusted but the anchors in a folder.

The folder holds `root.json` (the first root of the configuration) and, where there are such, `tsa.pem` (roots of
time-stamping authorities), `heads/*.note` (heads that the reader has kept before) and `members.json` (members' own keys
that the reader knows). `verify_evidence.py` does the same with the standard library and openssl alone; tests hold the
two to the same answers.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from smartgov.engines.ledger import Checkpoint, checkpoint, cosign, merkle
from smartgov.engines.pki import timestamps
from smartgov.engines.troad import epochs, evidence, listed
from smartgov.engines.troad.epochs import Epoch
from smartgov.engines.troad.listed import InvalidError, Listed
from smartgov.engines.troad.names import epoch_of
from smartgov.engines.troad.signed_records import SKEW, hashed, message, unix
from smartgov.engines.troad.witness import continues
from smartgov.engines.trust import GRACE, Follower, Pins, is_whole, listing
from smartgov.shared import canonical
from smartgov.shared.problems import Problem

NEEDED = 2
STAMPED_WITHIN = 86_400
"""A stamp that came later says nothing about the time of the record."""
_LIFE = 86_400
"""A configuration is signed anew within a day: one that says that it holds for longer covers no more."""
_BUNDLE = {
    *("type", "exchange", "gateway", "configuration", "head", "stamp", "before", "have", "over"),
    *("head_configuration", "entries"),
}
_BESIDE = {"head", "stamp", "consistency"}
_ENTRY = {"index", "record", "proof", "salt", "body", "base", "veil", "veil_salt"}


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
    gateways: Mapping[str, Listed]
    own: Listed
    issued: int
    expires: int
    pins: Pins
    doubts: list[str] = field(default_factory=list)

    @property
    def needed(self) -> int:
        """How many other members have to have seen a head; the gateways of one member count once."""
        others = {one.member for one in self.gateways.values() if one.witness_key} | self.pins.began(self.issued)
        return min(NEEDED, len(others - {self.own.member}))

    @property
    def witnesses(self) -> dict[str, Ed25519PublicKey]:
        """The keys of gateways whose co-signatures count."""
        return {
            one.id: one.witness_key
            for one in self.gateways.values()
            if one.witness_key and one.member != self.own.member and not (one.doubt or one.foreign)
            if one.member in self.pins.members or not self.pins.only
        }


def verify_text(text: str, anchors: Path) -> Finding:
    """The finding about a bundle as it stands in a file."""
    pins = Pins.read(anchors)
    try:
        bundle = canonical.once(text)
    except (ValueError, RecursionError):
        return Finding(Verdict.INVALID, ("form",))
    return verify(bundle, anchors, pins)


def verify(bundle: Mapping[str, Any], anchors: Path, pins: Pins | None = None) -> Finding:
    """The finding about a bundle. Never raises for what stands in the bundle; ValueError for pins in another form."""
    known = Pins.read(anchors) if pins is None else pins
    try:
        return _verify(bundle, anchors, known)
    except InvalidError as error:
        return Finding(Verdict.INVALID, (str(error),))
    except Exception:  # whatever cannot be read
        return Finding(Verdict.INVALID, ("form",))


def _verify(bundle: Mapping[str, Any], anchors: Path, pins: Pins) -> Finding:
    if bundle["type"] != evidence.TYPE:
        raise InvalidError("form")
    _nothing_else(bundle)
    day, case = _cases(bundle, anchors, pins)
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


def _nothing_else(bundle: Mapping[str, Any]) -> None:
    """InvalidError where there is a member that nobody would read."""
    beside = [bundle[name] for name in ("before", "over") if bundle.get(name) is not None]
    parts = [(bundle, _BUNDLE), *((one, _BESIDE) for one in beside), *((one, _ENTRY) for one in bundle["entries"])]
    parts += [(one, {"size", "consistency"}) for one in bundle.get("have", [])]
    if not all(isinstance(one, dict) and set(one) <= known for one, known in parts):
        raise InvalidError("form")


def _sum_up(case: Case, head: Head, over: Head, records: list[tuple[int, dict[str, Any]]]) -> Finding:
    if head.witnesses < case.needed:
        case.doubts.append("witnesses")
    if case.doubts:
        return Finding(Verdict.UNKNOWN_STATUS, tuple(sorted(set(case.doubts))))
    if over.stamped is None:
        return Finding(Verdict.VALID_UNTIMESTAMPED, ("stamp-missing",))
    if any(over.stamped - unix(record["time"]) > STAMPED_WITHIN for _, record in records):
        return Finding(Verdict.VALID_UNTIMESTAMPED, ("stamp-late",))
    return Finding(Verdict.VALID)


def _cases(bundle: Mapping[str, Any], anchors: Path, pins: Pins) -> tuple[Case, Case]:
    """By the configuration of the records' day, and by that of the head, which may be of much later."""
    day = case_of(bundle, anchors, pins)
    if bundle.get("head_configuration") is None:
        return day, day
    later = case_of({**bundle, "configuration": bundle["head_configuration"]}, anchors, pins)
    if later.issued < day.issued:
        raise InvalidError("configuration")
    return day, later


def case_of(bundle: Mapping[str, Any], anchors: Path, pins: Pins) -> Case:
    """The gateways that a bundle's `configuration` names, when it leads there from the anchor; else InvalidError."""
    configuration, anchor = bundle.get("configuration"), (anchors / "root.json").read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        try:
            view = Follower(Path(folder), anchor).take(json.dumps(configuration).encode(), datetime.now(UTC))
        except Problem:
            raise InvalidError("configuration") from None
    if not isinstance(configuration, dict) or set(configuration) != {"files"}:
        raise InvalidError("configuration")
    if not is_whole(configuration["files"], anchor):
        raise InvalidError("configuration")
    try:
        issued = unix(view.country["issued_at"])
        gateways = listed.gateways(view.country, listing(configuration["files"], anchor), pins, issued)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise InvalidError("configuration") from None
    expires = min(int(view.expires_at.timestamp()), issued + _LIFE) + int(GRACE.total_seconds())
    own = gateways[bundle["gateway"]]
    if own.foreign:
        raise InvalidError("gateway-key")
    return Case(bundle, anchors, gateways, own, issued, expires, pins, [own.doubt] if own.doubt else [])


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
    signed = cosign.cosignatures(note, case.witnesses)
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
    token = checkpoint.unbase64(stamp)
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
    if not continues(old.size, old.root, new, [hashed(part) for part in proof]):
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
    exact, index = checkpoint.unbase64(entry["record"]), entry["index"]
    if not isinstance(index, int) or isinstance(index, bool):
        raise InvalidError("form")
    proof = [hashed(part) for part in entry["proof"]]
    at = head.checkpoint
    if not merkle.verify_inclusion(
        leaf=merkle.leaf_hash(exact), index=index, size=at.size, proof=proof, expected_root=at.root
    ):
        raise InvalidError("inclusion")
    record = canonical.once(exact.decode())
    if record["id"] != case.bundle["exchange"]:
        raise InvalidError("exchange")
    return index, record


def _times(record: Mapping[str, Any], head: Head, before: Head | None) -> None:
    """A record is later than the head before it, and earlier than the head over it."""
    time = unix(record["time"])
    if before is not None and before.times and time < min(before.times) - SKEW:
        raise InvalidError("back-dated")
    if head.times and time > max(head.times) + SKEW:
        raise InvalidError("post-dated")
