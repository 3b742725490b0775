"""Check an evidence bundle of T-Road, or an archive of a log: python3 verify_evidence.py FILE --anchors DIR

Needs Python 3.11 and the program openssl (3.0 or later), nothing else and no network. It trusts only what lies in DIR:
  root.json     the first root of T-Road's configuration (TUF)
  tsa.pem       roots of time-stamping authorities (optional)
  heads/*.note  heads of the log that you have kept before (optional)
Exit status: 0 valid, 3 valid-untimestamped, 4 unknown-status, 1 invalid, 2 wrong command line.
Specification: docs/protocols/troad-evidence-1.md.
"""

import argparse
import base64
import gzip
import hmac
import json
import re
import subprocess
import sys
import tempfile
import zlib
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

STATUS = {"valid": 0, "invalid": 1, "valid-untimestamped": 3, "unknown-status": 4}
SKEW, STAMPED_WITHIN, GRACE = 120, 86_400, 86_400
P256 = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200" + "04")  # SubjectPublicKeyInfo up to x
ED25519 = bytes.fromhex("302a300506032b6570032100")  # the same for Ed25519
KEY_CHANGE = re.compile(r"key-before-epoch (\d{1,8}) ([A-Za-z0-9+/]{43}=)")
EPOCH = re.compile(r"epoch (\d{1,8}) after (\S+) (\d{1,18}) ([A-Za-z0-9+/]{43}=) restored (\d{1,18})")
INPUT = re.compile(r';created=(\d{1,12});nonce="[\w-]+";keyid="([\w-]{43})";tag="troad-v(?:[12]|2(-batch))"$')
BATCH_LEAF, BATCH_ROOT = b"\x00troad-v2-batch-leaf\n", "troad-v2-batch-root"


class Invalid(Exception):
    """Something does not hold; the text is a stable word."""


# -- small parts --------------------------------------------------------------------------------------------------


def b64(text: str) -> bytes:
    """The bytes of base64."""
    return base64.b64decode(text, validate=True)


def lenient(text: str) -> bytes:
    """The bytes of base64; of anything else none, because strangers may add lines under a note."""
    try:
        return b64(text)
    except ValueError:
        return b""


def b64url(data: bytes) -> str:
    """Unpadded base64url."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def seconds(text: str) -> int:
    """Unix seconds of an ISO 8601 time."""
    return int(datetime.fromisoformat(text).timestamp())


def openssl(*arguments: str, **files: bytes) -> "subprocess.CompletedProcess[bytes]":
    """Run openssl; an argument `@name` is the path of a file with these bytes."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            (Path(folder) / name).write_bytes(content)
        paths = [str(Path(folder) / a[1:]) if a.startswith("@") else a for a in arguments]
        return subprocess.run(["openssl", *paths], capture_output=True, check=False)  # noqa: S603, S607 - as it says


def spki(jwk: dict[str, str]) -> bytes:
    """The DER form of a public JWK."""
    x, y = (base64.urlsafe_b64decode(jwk.get(part, "") + "==") for part in "xy")
    return P256 + x + y if jwk["kty"] == "EC" else ED25519 + x


def p256_holds(key: bytes, digest: bytes, signature: bytes) -> bool:
    """Whether the key (DER) made the signature (DER) over data with this SHA-256."""
    command = ("pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", "@key", "-sigfile", "@sig", "-in", "@data")
    return openssl(*command, key=key, sig=signature, data=digest).returncode == 0


def ed25519_holds(key: bytes, data: bytes, signature: bytes) -> bool:
    """Whether the key (DER) made the signature over `data`."""
    command = ("pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", "@key", "-rawin", "-sigfile", "@sig")
    return openssl(*command, "-in", "@data", key=key, sig=signature, data=data).returncode == 0


def der_signature(raw: bytes) -> bytes:
    """r || s as the DER that openssl reads."""
    if len(raw) != 64:
        raise Invalid("signature")
    whole = b""
    for part in (raw[:32].lstrip(b"\0"), raw[32:].lstrip(b"\0")):
        number = (b"\0" if not part or part[0] & 0x80 else b"") + part
        whole += bytes([2, len(number)]) + number
    return bytes([0x30, len(whole)]) + whole


# -- the tree (RFC 9162) -----------------------------------------------------------------------------------------


def node(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return sha256(b"\x01" + left + right).digest()


def included(exact: bytes, index: int, size: int, proof: list[bytes], root: bytes) -> bool:
    """RFC 9162 section 2.1.3.2."""
    return root_from(sha256(b"\x00" + exact).digest(), index, size, proof) == root


def root_from(leaf: bytes, index: int, size: int, proof: list[bytes]) -> bytes | None:
    """The root to which the proof leads, or None when it is not as long as it has to be."""
    if not 0 <= index < size:
        return None
    fn, sn, result = index, size - 1, leaf
    for sibling in proof:
        if sn == 0:
            return None
        if fn & 1 or fn == sn:
            result = node(sibling, result)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            result = node(result, sibling)
        fn, sn = fn >> 1, sn >> 1
    return result if sn == 0 else None


def continued(old: int, old_root: bytes, new: int, new_root: bytes, proof: list[bytes]) -> bool:
    """RFC 9162 section 2.1.4.2; every tree continues the empty one."""
    if old in {0, new}:
        return not proof and (old == 0 or old_root == new_root)
    if not 0 < old < new or not proof:
        return False
    path = [old_root, *proof] if old & (old - 1) == 0 else proof
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    before = after = path[0]
    for sibling in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            before, after = node(sibling, before), node(sibling, after)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            after = node(after, sibling)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and before == old_root and after == new_root


def batched(value: bytes, digest: bytes) -> tuple[bytes, bytes]:
    """Of a batch signature's value for a base with this SHA-256: the signature over the root, and that text's SHA-256.

    The value is 01, size and index (2 bytes each), salt (32), path (32 a step), signature (64).
    """
    size, index = int.from_bytes(value[1:3], "big"), int.from_bytes(value[3:5], "big")
    path = [value[at : at + 32] for at in range(37, len(value) - 64, 32)]
    need(value[:1] == b"\x01" and len(value) == 101 + 32 * len(path) and size <= 1024, "signature")
    root = root_from(sha256(BATCH_LEAF + value[5:37] + digest).digest(), index, size, path)
    if root is None:
        raise Invalid("signature")
    text = f"{BATCH_ROOT}\n{size}\n{base64.b64encode(root).decode()}\n"
    return value[-64:], sha256(text.encode()).digest()


# -- the configuration (TUF) -------------------------------------------------------------------------------------


def canonical(value: Any) -> str:
    """OLPC canonical JSON, over which TUF's signatures are made."""
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, dict):
        return "{" + ",".join(f"{canonical(key)}:{canonical(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return str(value)
    raise Invalid("configuration")


def signed(text: str, kind: str, root: dict[str, Any]) -> dict[str, Any]:
    """The content of metadata of this kind, when a threshold of the keys that `root` names for it has signed."""
    whole = json.loads(text)
    content, role = whole["signed"], root["roles"][kind]
    digest = sha256(canonical(content).encode()).digest()
    given = {one["keyid"]: bytes.fromhex(one["sig"]) for one in whole["signatures"]}
    pem = {keyid: root["keys"][keyid]["keyval"]["public"].encode() for keyid in set(role["keyids"]) & set(given)}
    der = {
        keyid: openssl("pkey", "-pubin", "-in", "@k", "-outform", "DER", k=text).stdout for keyid, text in pem.items()
    }
    if content["_type"] != kind or sum(p256_holds(der[k], digest, given[k]) for k in der) < role["threshold"]:
        raise Invalid("configuration")
    return dict(content)


def country(files: dict[str, str], anchor: str) -> tuple[dict[str, Any], int]:
    """The list of members that the chain from the first root leads to, and the end of its validity."""
    root = signed(anchor, "root", json.loads(anchor)["signed"])
    while (following := files.get(f"{root['version'] + 1}.root.json")) is not None:
        fresh = signed(following, "root", root)
        if fresh["version"] != root["version"] + 1:
            raise Invalid("configuration")
        root = signed(following, "root", fresh)
    stamp = signed(files["timestamp.json"], "timestamp", root)
    number = stamp["meta"]["snapshot.json"]["version"]
    shot = signed(files[f"{number}.snapshot.json"], "snapshot", root)
    second = shot["meta"]["targets.json"]["version"]
    top = signed(files[f"{second}.targets.json"], "targets", root)
    if (shot["version"], top["version"]) != (number, second):
        raise Invalid("configuration")
    target = top["targets"]["country.json"]
    content = files[f"targets/{target['hashes']['sha256']}.country.json"].encode()
    if sha256(content).hexdigest() != target["hashes"]["sha256"] or len(content) != target["length"]:
        raise Invalid("configuration")
    return json.loads(content), min(seconds(part["expires"]) for part in (root, top, shot, stamp))


# -- heads ---------------------------------------------------------------------------------------------------------


class Head:
    """A signed head of the log: origin, size, root, who co-signed, and the times at which it surely existed."""

    def __init__(self, case: "Case", note: str, stamp: str | None, under: "Head | None" = None) -> None:
        text, _, lines = note.partition("\n\n")
        text += "\n"
        self.origin, size, root, *said = text.split("\n")[:-1]
        self.size, self.root = int(size), b64(root)
        gateway, plus, epoch = self.origin.partition("+")
        plain = not plus or (epoch.isdigit() and len(epoch) < 9 and int(epoch) > 1)
        if not plain or gateway != case.own["log_origin"] or str(self.size) != size or len(self.root) != 32:
            raise Invalid("head")
        self.epochs = opened(gateway, int(epoch or 1), self.size, said)
        self.times: list[int] = []
        self.changes = {int(match[1]): b64(match[2]) for line in said if (match := KEY_CHANGE.fullmatch(line))}
        later = [number for number in under.changes if number > len(self.epochs) + 1] if under else []
        key = ED25519 + under.changes[min(later)] if under and later else spki(case.own["log_key"])
        good, seen = False, set[str]()
        for line in lines.splitlines():
            name, _, value = line.removeprefix("— ").rpartition(" ")
            if line.startswith("— ") and name == self.origin:
                raw = lenient(value)
                good = good or (raw[:4] == keyid(name, 1, key) and ed25519_holds(key, text.encode(), raw[4:]))
            elif line.startswith("— ") and name in case.witnesses and name not in seen:
                self.cosigned(case.witnesses[name], name, value, text, seen)
        if not good:
            raise Invalid("head")
        self.witnesses, self.stamped = len(seen), stamp_time(case.anchors, text.encode(), stamp)
        self.times += [] if self.stamped is None else [self.stamped]

    def cosigned(self, key: bytes, name: str, value: str, text: str, seen: set[str]) -> None:
        """Take in a co-signature (C2SP cosignature/v1) if it holds."""
        raw = lenient(value)
        if len(raw) != 76 or raw[:4] != keyid(name, 4, key):
            return
        time = int.from_bytes(raw[4:12], "big")
        if ed25519_holds(key, f"cosignature/v1\ntime {time}\n{text}".encode(), raw[12:]):
            seen.add(name)
            self.times.append(time)


def opened(gateway: str, number: int, size: int, said: list[str]) -> list[tuple[int, bytes, int]]:
    """What each restore of the log says: size and root of the head before it, and how many records it still had."""
    found = [EPOCH.fullmatch(line) for line in said if line.startswith("epoch ")]
    lines = [match.groups() for match in found if match]
    names = [gateway, *(f"{gateway}+{n}" for n in range(2, number))]
    if len(found) != number - 1 or [line[:2] for line in lines] != [(str(n + 2), names[n]) for n in range(number - 1)]:
        raise Invalid("head")
    epochs = [(int(seen), b64(root), int(kept)) for _, _, seen, root, kept in lines]
    if epochs and size <= epochs[-1][2]:
        raise Invalid("head")
    return epochs


def keyid(name: str, kind: int, key: bytes) -> bytes:
    """The id of an Ed25519 key (DER) in a signed note: kind 1 signs logs, kind 4 co-signs."""
    return sha256(name.encode() + b"\n" + bytes([kind]) + key[len(ED25519) :]).digest()[:4]


def stamp_time(anchors: Path, text: bytes, stamp: str | None) -> int | None:
    """When a trusted authority stamped this text; None without a stamp or without a trusted authority."""
    if stamp is None or not (anchors / "tsa.pem").exists():
        return None
    token, roots = b64(stamp), (anchors / "tsa.pem").read_bytes()
    shown = openssl("ts", "-reply", "-in", "@r", "-text", r=token).stdout.decode(errors="replace")
    match = re.search(r"^Time stamp: (\w+ +\d+ [\d:]+)(?:\.\d+)? (\d+) GMT$", shown, re.MULTILINE)
    if match is None:
        raise Invalid("stamp")
    time = seconds(datetime.strptime(f"{match[1]} {match[2]} +0000", "%b %d %H:%M:%S %Y %z").isoformat())
    # The authority's certificate has to be valid at the time of the stamp, not now.
    check = ("ts", "-verify", "-in", "@r", "-data", "@d", "-CAfile", "@c", "-attime", str(time))
    if openssl(*check, r=token, d=text, c=roots).returncode != 0:
        raise Invalid("stamp")
    return time


# -- the bundle ----------------------------------------------------------------------------------------------------


class Case:
    """What the checks share: the configuration's gateways, and doubts found on the way."""

    def __init__(self, bundle: dict[str, Any], anchors: Path) -> None:
        self.bundle, self.anchors, self.doubts = bundle, anchors, set[str]()
        anchor = (anchors / "root.json").read_text()
        try:
            listed, expires = country(bundle["configuration"]["files"], anchor)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Invalid("configuration") from error
        self.issued, self.expires = seconds(listed["issued_at"]), expires + GRACE
        self.gateways = {
            f"{member['id']}/{entry['code']}": {"log_origin": f"{member['id']}/{entry['code']}", **entry}
            for member in listed["members"]
            for entry in member["gateways"]
        }
        self.own = self.gateways[bundle["gateway"]]
        mine = bundle["gateway"].rpartition("/")[0] + "/"
        others = {name: g for name, g in self.gateways.items() if not name.startswith(mine) and g.get("witness_key")}
        self.witnesses = {name: spki(gateway["witness_key"]) for name, gateway in others.items()}


def verify(bundle: dict[str, Any], anchors: Path) -> tuple[str, list[str]]:
    """The verdict about a bundle and its reasons."""
    try:
        return judge(bundle, anchors)
    except Invalid as error:
        return "invalid", [str(error)]
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        return "invalid", ["form"]


def judge(bundle: dict[str, Any], anchors: Path) -> tuple[str, list[str]]:
    """All checks in their order."""
    if bundle["type"] != "troad-evidence-v1":
        raise Invalid("form")
    case = Case(bundle, anchors)
    head = Head(case, bundle["head"], bundle.get("stamp"))
    before, given = None, bundle.get("before")
    if given is not None:
        before = Head(case, given["head"], given.get("stamp"), head)
        need(len(before.epochs) <= len(head.epochs) and linked(before, head, given["consistency"]), "before")
    kept_heads(case, head)
    indexes = [entry["index"] for entry in bundle["entries"]]
    records = [record_of(case, entry, head) for entry in bundle["entries"]]
    need(bool(records) and indexes == sorted(set(indexes)), "order")
    question: dict[str, Any] = {}
    for entry, record in zip(bundle["entries"], records, strict=True):
        message(case, entry, record, question)
        need(before is None or not before.times or seconds(record["time"]) >= min(before.times) - SKEW, "back-dated")
        need(not head.times or seconds(record["time"]) <= max(head.times) + SKEW, "post-dated")
    return sum_up(case, head, [seconds(record["time"]) for record in records])


def sum_up(case: Case, head: Head, times: list[int]) -> tuple[str, list[str]]:
    """The verdict when nothing was wrong."""
    if head.witnesses < min(2, len(case.witnesses)):
        case.doubts.add("witnesses")
    if case.doubts:
        return "unknown-status", sorted(case.doubts)
    if head.stamped is None:
        return "valid-untimestamped", ["stamp-missing"]
    if any(head.stamped - time > STAMPED_WITHIN for time in times):
        return "valid-untimestamped", ["stamp-late"]
    return "valid", []


def need(holds: bool, word: str) -> None:
    """Invalid `word` unless it holds."""
    if not holds:
        raise Invalid(word)


def linked(old: Head, new: Head, proof: Iterable[str]) -> bool:
    """Whether the log of `new` begins with the tree of `old`."""
    hashes = [bytes.fromhex(part) for part in proof]
    return continued(old.size, old.root, new.size, new.root, hashes)


def kept_heads(case: Case, head: Head) -> None:
    """Hold the log to every head of it that you have kept."""
    links = {entry["size"]: entry["consistency"] for entry in case.bundle.get("have", [])} | {head.size: []}
    for path in sorted((case.anchors / "heads").glob("*.note")):
        note = path.read_text()
        try:
            kept = Head(case, note, None, head)
        except (Invalid, ValueError):
            if note.partition("\n")[0].partition("+")[0] == case.own["log_origin"]:
                case.doubts.add("kept-head")  # by a key that this log does not know
            continue  # of another log
        since = head.epochs[len(kept.epochs) :]
        later = (len(kept.epochs), kept.size) > (len(head.epochs), head.size)
        if since and kept.size > min(one[2] for one in since):
            # Its end was lost in a restore: the epoch that followed has to say that there was so much.
            size, root, _ = since[0]
            need(size != kept.size or root == kept.root, "forked")
            case.doubts |= {"epoch"} if size < kept.size else set()
        elif kept.size in links and len(kept.epochs) <= len(head.epochs):
            need(linked(kept, head, links[kept.size]), "forked")
        elif later and min(head.times, default=0) > max(kept.times, default=0):
            raise Invalid("shorter")
        else:
            case.doubts.add("kept-head")


def record_of(case: Case, entry: dict[str, Any], head: Head) -> dict[str, Any]:
    """The record, when it is in the tree and about this exchange."""
    exact, index = b64(entry["record"]), entry["index"]
    need(isinstance(index, int) and not isinstance(index, bool), "form")
    proof = [bytes.fromhex(part) for part in entry["proof"]]
    need(included(exact, index, head.size, proof, head.root), "inclusion")
    record: dict[str, Any] = json.loads(exact)
    need(record["id"] == case.bundle["exchange"], "exchange")
    return record


def message(case: Case, entry: dict[str, Any], record: dict[str, Any], question: dict[str, Any]) -> None:
    """The signature over one message and, where they were not erased, its parts."""
    if "veil" in entry:
        need(committed(entry["veil_salt"], entry["veil"], record["veil"]), "veil")
    if "signature" not in record:
        if "salt" in entry and "body" in record:
            need(committed(entry["salt"], entry["body"], record["body"]), "body")
        return
    asked = record["kind"] in {"request", "trail"}
    signer = case.own if asked == (record["side"] == "client") else case.gateways.get(record["gateway"])
    match = INPUT.search(record["input"])
    if signer is None or match is None:
        raise Invalid("signer")
    key = spki(signer["message_key"])
    need(match[2] == b64url(sha256(key).digest()), "signer")
    value, digest = b64(record["signature"].removeprefix("troad=:").removesuffix(":")), bytes.fromhex(record["base"])
    if match[3]:
        value, digest = batched(value, digest)
    need(p256_holds(key, digest, der_signature(value)), "signature")
    created = int(match[1])
    need(abs(created - seconds(record["time"])) <= SKEW, "time")
    if not case.issued - SKEW <= created <= case.expires:
        case.doubts.add("configuration")
    if "base" in entry:
        need(committed(entry["salt"], entry["body"], record["body"]), "body")
        claims(record, b64(entry["base"]), question, asked=asked)


def committed(salt: str, content: str, commitment: str) -> bool:
    """Whether content and salt (base64) are those that a record commits to."""
    value = base64.b64encode(hmac.digest(b64(salt), b64(content), "sha256")).decode()
    return hmac.compare_digest(f"hmac-sha-256=:{value}:", commitment)


def claims(record: dict[str, Any], base: bytes, question: dict[str, Any], *, asked: bool) -> None:
    """What was signed says the same as what the record says."""
    need(sha256(base).hexdigest() == record["base"], "base")
    lines = dict(line.split(": ", 1) for line in base.decode("latin-1").split("\n"))
    wanted = {
        '"troad-body"': record["body"],
        '"@signature-params"': record["input"].removeprefix("troad="),
        '"x-road-id"' if asked else '"x-road-id";req': record["id"],
    }
    if asked:
        wanted['"x-road-client"'], wanted['"@method"'] = record["client"], record["method"]
        wanted['"@path"'] = f"/r1/{record['service']}{record['path']}"
        question.update(record)
    else:
        wanted['"@status"'] = str(record["status"])
        if question:
            wanted['"signature-input";req'] = question["input"]
    need(all(lines.get(name) == value for name, value in wanted.items()), "claims")


# -- an archive ---------------------------------------------------------------------------------------------------


class Fold:
    """The root of a growing tree, of its complete subtrees alone."""

    def __init__(self, size: int, left: list[bytes]) -> None:
        widths = [1 << level for level in range(size.bit_length() - 1, -1, -1) if size >> level & 1]
        self.size, self.parts = size, list(zip(widths, left, strict=True))

    def push(self, value: bytes) -> None:
        """Add the next leaf hash."""
        width = 1
        while self.parts and self.parts[-1][0] == width:
            value, width = node(self.parts.pop()[1], value), width * 2
        self.parts.append((width, value))
        self.size += 1

    def root(self) -> bytes:
        """The root over all of it."""
        value = self.parts[-1][1]
        for _, part in self.parts[-2::-1]:
            value = node(part, value)
        return value


def verify_archive(file: Path, anchors: Path) -> tuple[str, list[str]]:
    """The verdict about an archive and its reasons."""
    try:
        with gzip.open(file, "rt", encoding="utf-8") as text:
            return judge_archive((json.loads(line) for line in text), anchors)
    except Invalid as error:
        return "invalid", [str(error)]
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OSError, EOFError, zlib.error, StopIteration):
        return "invalid", ["form"]


def judge_archive(lines: Iterator[dict[str, Any]], anchors: Path) -> tuple[str, list[str]]:
    """Records, folded into the tree, must give every head; each is checked as in a bundle."""
    about = next(lines)
    need(about["type"] == "troad-archive-v1", "form")
    pairs = [({"configuration": one, "gateway": about["gateway"]}, int(one["from"])) for one in about["configurations"]]
    cases, since = [Case(bundle, anchors) for bundle, _ in pairs], [start for _, start in pairs]
    heads = [Head(cases[-1], one["head"], one.get("stamp")) for one in about["heads"]]
    sizes = [head.size for head in heads]
    need(sizes == sorted(set(sizes)) and sizes[0] > about["first"] and sizes[-1] == about["size"], "head")
    fold, roots, times = Fold(about["first"], [bytes.fromhex(part) for part in about["left"]]), {}, list[int]()
    kept = kept_of_archive(cases[-1], heads[-1])
    for line in lines:
        need(line["index"] == fold.size < about["size"], "order")
        exact = b64(line["record"])
        record = json.loads(exact)
        times.append(seconds(record.get("logged") or record["time"]))
        message(cases[max(0, bisect_right(since, times[-1]) - 1)], {}, record, {})
        at = bisect_right(sizes, fold.size)
        need(not at or not heads[at - 1].times or times[-1] >= min(heads[at - 1].times) - SKEW, "back-dated")
        need(not heads[at].times or times[-1] <= max(heads[at].times) + SKEW, "post-dated")
        fold.push(sha256(b"\x00" + exact).digest())
        if fold.size in sizes or fold.size in kept:
            roots[fold.size] = fold.root()
    need(fold.size == about["size"], "order")
    need(all(roots[head.size] == head.root for head in heads), "tree")
    need(all(roots.get(size, root) == root for size, root in kept.items()), "forked")
    cases[-1].doubts = set[str]().union(*(case.doubts for case in cases))
    stamped = [head for head in heads if head.stamped is not None]
    word, reasons = sum_up(cases[-1], heads[-1], [])
    late = any(
        (stamped[bisect_right([head.size for head in stamped], index)].stamped or 0) - time > STAMPED_WITHIN
        for index, time in (enumerate(times, about["first"]) if word == "valid" else ())
    )
    return ("valid-untimestamped", ["stamp-late"]) if late else (word, reasons)


def kept_of_archive(case: Case, last: Head) -> dict[int, bytes]:
    """Size and root of the heads of this log that you have kept."""
    found: dict[int, bytes] = {}
    for path in sorted((case.anchors / "heads").glob("*.note")):
        try:
            head = Head(case, path.read_text(), None)
        except (Invalid, ValueError):
            continue  # of another log
        if len(head.epochs) <= len(last.epochs):
            found[head.size] = head.root
    return found


def main(arguments: list[str] | None = None, say: Callable[[str], object] = sys.stdout.write) -> int:
    """Read the bundle, say the verdict, and return the exit status."""
    parser = argparse.ArgumentParser(description="Check an evidence bundle of T-Road or an archive, offline.")
    parser.add_argument("file", type=Path, help="a bundle (.json) or an archive (.gz)")
    parser.add_argument("--anchors", type=Path, required=True, help="folder with root.json, tsa.pem, heads/*.note")
    options = parser.parse_args(arguments)
    if options.file.suffix == ".gz":
        verdict, reasons = verify_archive(options.file, options.anchors)
    else:
        verdict, reasons = verify(json.loads(options.file.read_text()), options.anchors)
    say(" ".join([verdict, *reasons]) + "\n")
    if options.file.suffix != ".gz" and verdict != "invalid":
        say(told(json.loads(options.file.read_text()), options.anchors))
    return STATUS[verdict]


def told(bundle: dict[str, Any], anchors: Path) -> str:
    """What the log of a bundle that holds says of its own past, in words."""
    head = Head(Case(bundle, anchors), bundle["head"], None)
    lines = ""
    for number, (size, _, kept) in enumerate(head.epochs, start=2):
        why = "under another key" if number in head.changes else "after a restore"
        lines += f"epoch {number} began {why} after {size} records, of which {min(size, kept)} are still in it\n"
    return lines


if __name__ == "__main__":
    sys.exit(main())
