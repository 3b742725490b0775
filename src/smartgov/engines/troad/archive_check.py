"""Checking an archive of a log, offline, and taking the evidence bundle of one exchange out of it.

The records, folded into the tree from what stood before them, must give every head in the file and every head that the
reader has kept; each signed record is checked as in a bundle. `verify_evidence.py` does the same alone.
"""

from __future__ import annotations

import base64
import json
from bisect import bisect_right
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from smartgov.engines.ledger import checkpoint, merkle
from smartgov.engines.troad import archive_file, evidence, past, signed_records, verification
from smartgov.engines.troad.archive_file import Fold
from smartgov.engines.troad.listed import InvalidError
from smartgov.engines.troad.problems import refuse
from smartgov.engines.troad.signed_records import SKEW
from smartgov.engines.troad.verification import Finding, Verdict
from smartgov.engines.trust import Pins
from smartgov.shared import canonical

_FIRST = {"type", "gateway", "first", "size", "left", "heads", "configurations"}


def verify(file: Path, anchors: Path) -> Finding:
    """The finding about an archive. Never raises for what stands in it; ValueError for pins in another form."""
    pins = Pins.read(anchors)
    try:
        return _Archive(file, anchors, pins).judge()
    except InvalidError as error:
        return Finding(Verdict.INVALID, (str(error),))
    except Exception:  # whatever cannot be read
        return Finding(Verdict.INVALID, ("form",))


class _Archive:
    def __init__(self, file: Path, anchors: Path, pins: Pins) -> None:
        self._lines = archive_file.lines(file)
        self._about = about = next(self._lines)
        if about["type"] != archive_file.TYPE:
            raise InvalidError("form")
        parts = [(about, _FIRST), *((one, {"from", "files"}) for one in about["configurations"])]
        parts += [(one, {"head", "stamp"}) for one in about["heads"]]
        whole = [type(about[name]) is int for name in ("first", "size")]
        if not all(whole) or not all(set(one) <= known for one, known in parts):
            raise InvalidError("form")
        self._cases = [
            (float(one["from"]), _case(one["files"], about["gateway"], anchors, pins))
            for one in about["configurations"]
        ]
        newest = self._cases[-1][1]
        *earlier, final = about["heads"]
        last = verification.head_of(newest, final["head"], final.get("stamp"))
        under = last.checkpoint  # it says by which keys the heads of former epochs were signed
        self._heads = [*(verification.head_of(newest, one["head"], one.get("stamp"), under) for one in earlier), last]
        verification.known_keys((case for _, case in self._cases), last)
        self._sizes = [head.checkpoint.size for head in self._heads]
        if (
            self._sizes != sorted(set(self._sizes))
            or self._sizes[-1] != about["size"]
            or self._sizes[0] <= about["first"]
        ):
            raise InvalidError("head")
        self._kept = [one.checkpoint for one in verification.kept_heads(newest, under) if one.epoch <= last.epoch]

    def judge(self) -> Finding:
        about, roots = self._about, dict[int, bytes]()
        fold = Fold(about["first"], tuple(bytes.fromhex(part) for part in about["left"]))
        wanted = {*self._sizes, *(one.size for one in self._kept)}
        times: list[int] = []
        for line in self._lines:
            if line["index"] != fold.size or fold.size >= about["size"]:
                raise InvalidError("order")
            if type(line["index"]) is not int or not set(line) <= {"index", "record", "sealed"}:
                raise InvalidError("form")
            exact = checkpoint.unbase64(line["record"])
            times.append(self._record(fold.size, canonical.once(exact.decode())))
            fold.push(merkle.leaf_hash(exact))
            if fold.size in wanted:
                roots[fold.size] = fold.root()
        if fold.size != about["size"]:
            raise InvalidError("order")
        if any(roots[head.checkpoint.size] != head.checkpoint.root for head in self._heads):
            raise InvalidError("tree")
        if any(roots.get(one.size, one.root) != one.root for one in self._kept):
            raise InvalidError("forked")
        return self._sum_up(times)

    def _record(self, index: int, record: Mapping[str, Any]) -> int:
        """Check the signature and the times of one record; returns its time."""
        moment = record.get("logged") or record["time"]
        time = signed_records.unix(moment)
        self._message(record, datetime.fromisoformat(moment).timestamp())
        at = bisect_right(self._sizes, index)
        over, before = self._heads[at], self._heads[at - 1] if at else None
        if before is not None and before.times and time < min(before.times) - SKEW:
            raise InvalidError("back-dated")
        if over.times and time > max(over.times) + SKEW:
            raise InvalidError("post-dated")
        return time

    def _message(self, record: Mapping[str, Any], moment: float) -> None:
        """Judge it by the configuration of its moment, else by another one of that second."""
        own, *others = past.near([since for since, _ in self._cases], moment)
        try:
            signed_records.message(self._cases[own][1], record, {}, {})
        except InvalidError:
            if not any(_holds(self._cases[one][1], record) for one in others):
                raise

    def _sum_up(self, times: list[int]) -> Finding:
        case, last = self._cases[-1][1], self._heads[-1]
        doubts = {doubt for _, one in self._cases for doubt in one.doubts}
        if last.witnesses < case.needed:
            doubts.add("witnesses")
        if doubts:
            return Finding(Verdict.UNKNOWN_STATUS, tuple(sorted(doubts)))
        if last.stamped is None:
            return Finding(Verdict.VALID_UNTIMESTAMPED, ("stamp-missing",))
        stamped = [(head.checkpoint.size, head.stamped) for head in self._heads if head.stamped is not None]
        starts = [size for size, _ in stamped]
        for index, time in enumerate(times, self._about["first"]):
            _, stamp = stamped[bisect_right(starts, index)]
            if stamp - time > verification.STAMPED_WITHIN:
                return Finding(Verdict.VALID_UNTIMESTAMPED, ("stamp-late",))
        return Finding(Verdict.VALID)


def _case(files: Any, gateway: str, anchors: Path, pins: Pins) -> verification.Case:
    return verification.case_of({"configuration": {"files": files}, "gateway": gateway}, anchors, pins)


def _holds(case: verification.Case, record: Mapping[str, Any]) -> bool:
    try:
        signed_records.message(case, record, {}, {})
    except InvalidError:
        return False
    return True


def bundle(file: Path, exchange: str, opener: Mapping[int, AESGCM] | None = None) -> dict[str, Any]:
    """The evidence bundle of an archived exchange; `opener` holds the keys of its bodies, by index.

    Problem `record-unknown` when the archive does not hold it.
    """
    lines = archive_file.lines(file)
    about, leaves, found = next(lines), list[bytes](), list[tuple[int, bytes, dict[str, Any]]]()
    for line in lines:
        exact = base64.b64decode(line["record"])
        leaves.append(merkle.leaf_hash(exact))
        if json.loads(exact).get("id") == exchange:
            found.append((line["index"], exact, line))
    if not found:
        raise refuse("record-unknown")
    size, last = about["size"], about["heads"][-1]
    part = _parts(about["first"], [bytes.fromhex(one) for one in about["left"]], leaves)
    said, known = [json.loads(exact) for _, exact, _ in found], about["configurations"]
    close = past.near([one["from"] for one in known], datetime.fromisoformat(said[0]["time"]).timestamp())
    fitting = past.fitting((known[one]["files"] for one in close), [one.get("input", "") for one in said])
    day, newest = known[close[fitting]], known[-1]
    return {
        "type": evidence.TYPE,
        "exchange": exchange,
        "gateway": about["gateway"],
        "configuration": {"files": day["files"]},
        "head": last["head"],
        "stamp": last["stamp"],
        "before": None,
        "over": _over(about["heads"], found[-1][0], size, part),
        "head_configuration": {"files": newest["files"]} if newest is not day else None,
        "have": [],
        "entries": [
            {
                "index": index,
                "record": base64.b64encode(exact).decode(),
                "proof": [one.hex() for one in merkle.inclusion_proof(index, size, part)],
                **_opened(index, line, (opener or {}).get(index)),
            }
            for index, exact, line in found
        ],
    }


def _over(heads: list[dict[str, Any]], index: int, size: int, part: merkle.Range) -> dict[str, Any] | None:
    """The first head over this record, when it is not the last one."""
    sizes = [checkpoint.parse(one["head"]).size for one in heads]
    at = bisect_right(sizes, index)
    if sizes[at] == size:
        return None
    return {**heads[at], "consistency": [one.hex() for one in merkle.consistency_proof(sizes[at], size, part)]}


def _opened(index: int, line: Mapping[str, Any], key: AESGCM | None) -> dict[str, str]:
    if key is None or "sealed" not in line:
        return {}
    sealed = base64.b64decode(line["sealed"])
    plain = key.decrypt(sealed[:12], sealed[12:], str(index).encode())
    size = int.from_bytes(plain[32:36], "big")
    parts = {"salt": plain[:32], "base": plain[36 : 36 + size], "body": plain[36 + size :]}
    return {name: base64.b64encode(one).decode() for name, one in parts.items()}


def _parts(first: int, left: list[bytes], leaves: list[bytes]) -> merkle.Range:
    """Roots of ranges of the whole tree, of the subtrees before the archive and its own leaves."""
    before, low = dict[tuple[int, int], bytes](), 0
    for width, value in zip(archive_file.complete(first), left, strict=True):
        before[low, low + width] = value
        low += width

    def part(low: int, high: int) -> bytes:
        if (low, high) in before:
            return before[low, high]
        if low >= first and high - low == 1:
            return leaves[low - first]
        middle = low + merkle.split(high - low)
        return merkle.node_hash(part(low, middle), part(middle, high))

    return part
