"""Check an evidence bundle of T-Road, or an archive of a log: python3 verify_evidence.py FILE --anchors DIR

Needs Python 3.11 and the program openssl (3.0 or later), nothing else and no network. It trusts only what lies in DIR:
  root.json     the first root of T-Road's configuration (TUF)
  tsa.pem       roots of time-stamping authorities (optional)
  heads/*.note  heads of the log that you have kept before (optional)
Exit status: 0 valid, 3 valid-untimestamped, 4 unknown-status, 1 invalid, 2 wrong command line.
Specification: docs/protocols/troad-evidence-1.md. Read from the end: `judge` names the checks in their order.
"""

import argparse
import base64
import gzip
import hmac
import json
import re
import shutil
import subprocess
import sys
import tempfile
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import partial, reduce
from hashlib import sha256
from pathlib import Path
from typing import Any

STATUS = {"valid": 0, "invalid": 1, "valid-untimestamped": 3, "unknown-status": 4}
SKEW, STAMPED_WITHIN, GRACE, NEAR = 120, 86_400, 86_400, 1.0
P256 = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200" + "04")  # SubjectPublicKeyInfo up to x
ED25519 = bytes.fromhex("302a300506032b6570032100")  # the same for Ed25519
KEY_CHANGE = re.compile(r"key-before-epoch (\d{1,8}) ([A-Za-z0-9+/]{43}=)")
EPOCH = re.compile(r"epoch (\d{1,8}) after (\S+) (\d{1,18}) ([A-Za-z0-9+/]{43}=) restored (\d{1,18})")
INPUT = re.compile(r';created=(\d{1,12});nonce="[\w-]+";keyid="([\w-]{43})";tag="troad-v(?:[12]|2(-batch))"$')
SIGNATURE = re.compile(r"— (.+) ((?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)")  # others: strangers'
BATCH_LEAF, BATCH_ROOT = b"\x00troad-v2-batch-leaf\n", "troad-v2-batch-root"
b64 = partial(base64.b64decode, validate=True)


class Invalid(Exception):
    """Something does not hold; the text is a stable word."""


def need(holds: object, word: str) -> None:
    """Invalid `word` unless it holds."""
    if not holds:
        raise Invalid(word)


def seconds(text: str) -> int:
    """Unix seconds of an ISO 8601 time."""
    return int(datetime.fromisoformat(text).timestamp())


# -- signatures: by openssl --------------------------------------------------------------------------------------
def openssl(*arguments: str, **files: bytes) -> "subprocess.CompletedProcess[bytes]":
    """Run openssl; an argument `@name` is the path of a file with these bytes."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            (Path(folder) / name).write_bytes(content)
        paths = [str(Path(folder) / a[1:]) if a.startswith("@") else a for a in arguments]
        return subprocess.run(["openssl", *paths], capture_output=True, check=False)  # noqa: S603, S607 - as it says


def made(key: bytes, data: bytes, signature: bytes, *options: str) -> bool:
    """Whether the key (DER) made the signature: P-256 over the digest `data`; with `-rawin` Ed25519 over `data`."""
    command = ("pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", "@key", "-sigfile", "@sig", "-in", "@data")
    return openssl(*command, *options, key=key, sig=signature, data=data).returncode == 0


def spki(jwk: dict[str, str]) -> bytes:
    """The DER form of a public JWK."""
    x, y = (base64.urlsafe_b64decode(jwk.get(part, "") + "==") for part in "xy")
    return P256 + x + y if jwk["kty"] == "EC" else ED25519 + x


def der_signature(raw: bytes) -> bytes:
    """r || s as the DER that openssl reads."""
    need(len(raw) == 64, "signature")
    numbers = [half.lstrip(b"\0") for half in (raw[:32], raw[32:])]
    parts = [b"\0" * (not number or number[0] > 127) + number for number in numbers]
    whole = b"".join(bytes([2, len(part)]) + part for part in parts)
    return bytes([0x30, len(whole)]) + whole


def stamp_time(anchors: Path, text: bytes, stamp: str | None) -> int | None:
    """When a trusted authority stamped this text; None without a stamp or without a trusted authority."""
    if stamp is None or not (anchors / "tsa.pem").exists():
        return None
    token, roots = b64(stamp), (anchors / "tsa.pem").read_bytes()
    shown = openssl("ts", "-reply", "-in", "@r", "-text", r=token).stdout.decode(errors="replace")
    match = re.search(r"^Time stamp: (\w+ +\d+ [\d:]+)(?:\.\d+)? (\d+) GMT$", shown, re.MULTILINE)
    if match is None:
        raise Invalid("stamp")
    time = int(datetime.strptime(f"{match[1]} {match[2]} +0000", "%b %d %H:%M:%S %Y %z").timestamp())
    # The authority's certificate has to be valid at the time of the stamp, not now.
    check = ("ts", "-verify", "-in", "@r", "-data", "@d", "-CAfile", "@c", "-attime", str(time))
    need(openssl(*check, r=token, d=text, c=roots).returncode == 0, "stamp")
    return time


# -- the tree (RFC 9162) -----------------------------------------------------------------------------------------
def node(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return sha256(b"\x01" + left + right).digest()


def root_from(leaf: bytes, index: int, size: int, proof: list[bytes], word: str) -> bytes:
    """The root to which an inclusion proof leads (section 2.1.3); Invalid `word` when it has not the due length."""
    need(0 <= index < size and len(proof) <= 64 and bool(proof) == (size > 1), word)
    if size == 1:
        return leaf
    left, (*lower, sibling) = 1 << (size - 1).bit_length() - 1, proof
    if index < left:
        return node(root_from(leaf, index, left, lower, word), sibling)
    return node(sibling, root_from(leaf, index - left, size - left, lower, word))


def continued(old: int, old_root: bytes, new: int, new_root: bytes, proof: list[bytes]) -> bool:
    """Whether a consistency proof holds (section 2.1.4); every tree continues the empty one."""
    hashes = iter(proof)

    def roots(old: int, new: int, begin: bool) -> tuple[bytes, bytes]:
        """Of the first `old` and of all `new` leaves of a subtree; `begin`: it is where the whole tree begins."""
        if old == new:
            return (old_root if begin else next(hashes, b""),) * 2
        left = 1 << (new - 1).bit_length() - 1
        if old <= left:
            before, after = roots(old, left, begin)
            return before, node(after, next(hashes, b""))
        before, after = roots(old - left, new - left, False)
        sibling = next(hashes, b"")
        return node(sibling, before), node(sibling, after)

    found = roots(old, new, True) if 0 < old <= new else (old_root, new_root)
    return 0 <= old <= new and found == (old_root, new_root) and next(hashes, None) is None


def grow(peaks: list[tuple[int, bytes]], value: bytes) -> None:
    """Add a leaf hash to a tree that is told by its complete subtrees (width and root, largest first)."""
    width = 1
    while peaks and peaks[-1][0] == width:
        value, width = node(peaks.pop()[1], value), width * 2
    peaks.append((width, value))


# -- the configuration (TUF) -------------------------------------------------------------------------------------
def canonical(value: Any) -> str:
    """OLPC canonical JSON, over which TUF's signatures are made."""
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, dict):
        return "{" + ",".join(f"{canonical(key)}:{canonical(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    need(value is None or isinstance(value, int), "configuration")
    return json.dumps(value)


def signed(text: str, kind: str, root: dict[str, Any]) -> dict[str, Any]:
    """The content of metadata of this kind, when a threshold of the keys that `root` names for it has signed."""
    whole = json.loads(text)
    content, role = whole["signed"], root["roles"][kind]
    digest, signers = sha256(canonical(content).encode()).digest(), 0
    given = {one["keyid"]: bytes.fromhex(one["sig"]) for one in whole["signatures"]}
    for keyid in set(role["keyids"]) & set(given):
        pem = root["keys"][keyid]["keyval"]["public"].encode()
        signers += made(openssl("pkey", "-pubin", "-in", "@k", "-outform", "DER", k=pem).stdout, digest, given[keyid])
    need(content["_type"] == kind and signers >= role["threshold"], "configuration")
    return dict(content)


def newest_root(files: dict[str, str], anchor: str) -> dict[str, Any]:
    """The last of the chain of roots that the anchor is of; every root in `files` has to be of it."""
    first = signed(anchor, "root", json.loads(anchor)["signed"])["version"]
    chain = {int(name.partition(".")[0]): files[name] for name in files if name.endswith(".root.json")}
    need(json.loads(chain.setdefault(first, anchor)) == json.loads(anchor), "configuration")
    root: dict[str, Any] = json.loads(chain[min(chain)])["signed"]
    for number in range(min(chain), max(chain) + 1):
        fresh = signed(chain[number], "root", root)
        need(fresh["version"] == number, "configuration")
        root = signed(chain[number], "root", fresh)
    return root


def offers(files: dict[str, str], shot: dict[str, Any], top: dict[str, Any]) -> set[str]:
    """The files of what members signed themselves: each is by the key that is listed for its member."""
    read, delegated = set[str](), top["delegations"]
    for role in delegated["roles"]:
        meta = f"{role['name']}.json"
        name = f"{shot['meta'][meta]['version']}.{meta}" if meta in shot["meta"] else ""
        if name in files:
            offer = signed(files[name], "targets", {"keys": delegated["keys"], "roles": {"targets": role}})
            need(name == f"{offer['version']}.{meta}", "configuration")
            for path, target in offer["targets"].items():
                folder, slash, last = path.rpartition("/")
                content = f"targets/{folder}{slash}{target['hashes']['sha256']}.{last}"
                need(sha256(files[content].encode()).hexdigest() == target["hashes"]["sha256"], "configuration")
                read |= {name, content}
    return read


def country(files: dict[str, str], anchor: str) -> tuple[dict[str, Any], int]:
    """The list of members that the chain from the first root leads to, and the end of its validity."""
    root = newest_root(files, anchor)
    stamp = signed(files["timestamp.json"], "timestamp", root)
    number = stamp["meta"]["snapshot.json"]["version"]
    shot = signed(files[f"{number}.snapshot.json"], "snapshot", root)
    second = shot["meta"]["targets.json"]["version"]
    top = signed(files[f"{second}.targets.json"], "targets", root)
    need((shot["version"], top["version"]) == (number, second), "configuration")
    target = top["targets"]["country.json"]
    digest = target["hashes"]["sha256"]
    content = files[f"targets/{digest}.country.json"].encode()
    need(sha256(content).hexdigest() == digest and len(content) == target["length"], "configuration")
    read = {"timestamp.json", f"{number}.snapshot.json", f"{second}.targets.json", f"targets/{digest}.country.json"}
    read |= {f"{version}.root.json" for version in range(1, root["version"] + 1)} | offers(files, shot, top)
    need(set(files) <= read, "configuration")  # a file that nobody reads may have been changed
    return json.loads(content), min(seconds(part["expires"]) for part in (root, top, shot, stamp))


class Case:
    """What the checks share: the gateways of one configuration, and doubts found on the way."""

    def __init__(self, bundle: dict[str, Any], anchors: Path, configuration: dict[str, Any]) -> None:
        self.bundle, self.anchors, self.doubts = bundle, anchors, set[str]()
        try:
            listed, expires = country(configuration["files"], (anchors / "root.json").read_text())
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Invalid("configuration") from error
        self.issued, self.expires = seconds(listed["issued_at"]), expires + GRACE
        named = [(f"{one['id']}/{entry['code']}", entry) for one in listed["members"] for entry in one["gateways"]]
        self.gateways = {name: {"log_origin": name, **entry} for name, entry in named}
        self.own, mine = self.gateways[bundle["gateway"]], bundle["gateway"].rpartition("/")[0] + "/"
        others = {name: g for name, g in self.gateways.items() if not name.startswith(mine) and g.get("witness_key")}
        self.witnesses = {name: spki(gateway["witness_key"]) for name, gateway in others.items()}
        self.needed = min(2, len({name.rpartition("/")[0] for name in others}))  # two gateways of a member are one


def cases(bundle: dict[str, Any], anchors: Path) -> tuple[Case, Case]:
    """By the configuration of the records' day, and by that of the head, which may be of much later."""
    day = Case(bundle, anchors, bundle["configuration"])
    later = Case(bundle, anchors, bundle["head_configuration"]) if bundle.get("head_configuration") else day
    need(later.issued >= day.issued, "configuration")
    return day, later


# -- heads: signed notes (C2SP) ------------------------------------------------------------------------------------
class Head:
    """A signed head of the log: origin, size, root, who co-signed, and the times at which it surely existed."""

    def __init__(self, case: Case, note: str, stamp: str | None, under: "Head | None" = None) -> None:
        text, _, lines = note.partition("\n\n")
        text += "\n"
        self.origin, size, root, *said = text.split("\n")[:-1]
        self.size, self.root = int(size), b64(root)
        gateway, plus, epoch = self.origin.partition("+")
        need(not plus or (epoch.isdigit() and len(epoch) < 9 and int(epoch) > 1), "head")
        need(gateway == case.own["log_origin"] and str(self.size) == size and len(self.root) == 32, "head")
        self.epochs = opened(gateway, int(epoch or 1), self.size, said)
        # A head `under` which this one lies says by which key it was signed, when that was changed since.
        self.changes = {int(match[1]): b64(match[2]) for match in map(KEY_CHANGE.fullmatch, said) if match}
        need(set(self.changes) <= set(range(2, len(self.epochs) + 2)), "head")
        later = [number for number in under.changes if number > len(self.epochs) + 1] if under else []
        self.key = key = ED25519 + under.changes[min(later)] if under and later else spki(case.own["log_key"])
        good, seen = False, dict[str, int]()
        for line in filter(None, map(SIGNATURE.fullmatch, lines.splitlines())):
            name, raw = line[1], b64(line[2])
            if name == self.origin:
                good = good or noted(name, 1, key, text, raw[:4], raw[4:])
            elif name in case.witnesses and name not in seen and len(raw) == 76:
                time = int.from_bytes(raw[4:12], "big")
                cosigned = f"cosignature/v1\ntime {time}\n{text}"
                if noted(name, 4, case.witnesses[name], cosigned, raw[:4], raw[12:]):
                    seen[name] = time
        need(good, "head")
        self.witnesses = len({name.rpartition("/")[0] for name in seen})
        self.stamped = stamp_time(case.anchors, text.encode(), stamp)
        self.times = [*seen.values(), *([] if self.stamped is None else [self.stamped])]


def noted(name: str, kind: int, key: bytes, text: str, keyid: bytes, signature: bytes) -> bool:
    """Whether the Ed25519 key (DER) made the signature; kind 1 signs logs, kind 4 co-signs."""
    wanted = sha256(name.encode() + b"\n" + bytes([kind]) + key[len(ED25519) :]).digest()[:4]
    return keyid == wanted and made(key, text.encode(), signature, "-rawin")


def opened(gateway: str, number: int, size: int, said: list[str]) -> list[tuple[int, bytes, int]]:
    """What each later epoch of the log says: size and root of the head before it, and how many records it still had."""
    begun = [line for line in said if line.startswith("epoch ")]
    lines = [match.groups() for match in map(EPOCH.fullmatch, begun) if match]
    wanted = [(str(n), gateway if n == 2 else f"{gateway}+{n - 1}") for n in range(2, number + 1)]
    need([line[:2] for line in lines] == wanted and len(begun) == len(lines), "head")
    epochs = [(int(seen), b64(root), int(kept)) for _, _, seen, root, kept in lines]
    need(not epochs or size > epochs[-1][2], "head")
    return epochs


def kept_heads(case: Case, under: Head) -> Iterator[Head]:
    """The heads of this log that you have kept; of one by a key that the head `under` does not know, a doubt."""
    for path in sorted((case.anchors / "heads").glob("*.note")):
        note = path.read_text()
        try:
            yield Head(case, note, None, under)
        except (Invalid, ValueError):
            if note.partition("\n")[0].partition("+")[0] == case.own["log_origin"]:
                case.doubts.add("kept-head")


def linked(old: Head, new: Head, proof: list[str]) -> bool:
    """Whether the log of `new` begins with the tree of `old`."""
    return continued(old.size, old.root, new.size, new.root, [bytes.fromhex(part) for part in proof])


def known_keys(cases: list[Case], head: Head) -> None:
    """The log key of each configuration has to be that of the head, or one that the head says signed before it."""
    known = {head.key, *(ED25519 + key for key in head.changes.values())}
    need({spki(case.own["log_key"]) for case in cases} <= known, "log-key")


def beside(case: Case, name: str, head: Head) -> Head | None:
    """The head of the same log that a bundle gives as `name`, when the bundle's head continues it."""
    given = case.bundle.get(name)
    if given is None:
        return None
    found = Head(case, given["head"], given.get("stamp"), head)
    need(len(found.epochs) <= len(head.epochs) and linked(found, head, given["consistency"]), name)
    return found


def held_to_kept(case: Case, head: Head) -> None:
    """Hold the log to every head of it that you have kept."""
    links = {entry["size"]: entry["consistency"] for entry in case.bundle.get("have", [])} | {head.size: []}
    for kept in kept_heads(case, head):
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


# -- one message ---------------------------------------------------------------------------------------------------
def message(case: Case, entry: dict[str, Any], record: dict[str, Any], question: dict[str, Any]) -> None:
    """The signature over one message and, where they were not erased, its parts."""
    if "veil" in entry:
        committed(entry["veil_salt"], entry["veil"], record["veil"], "veil")
    if {"salt", "body", "base"} & set(entry) and "body" in record:
        committed(entry["salt"], entry["body"], record["body"], "body")
    if "signature" not in record:
        return
    asked = record["kind"] in {"request", "trail"}
    signer = case.own if asked == (record["side"] == "client") else case.gateways.get(record["gateway"])
    match = INPUT.search(record["input"])
    if signer is None or match is None:
        raise Invalid("signer")
    key = spki(signer["message_key"])
    need(match[2] == base64.urlsafe_b64encode(sha256(key).digest()).rstrip(b"=").decode(), "signer")
    value, digest = b64(record["signature"].removeprefix("troad=:").removesuffix(":")), bytes.fromhex(record["base"])
    if match[3]:
        value, digest = batched(value, digest)
    need(made(key, digest, der_signature(value)), "signature")
    created = int(match[1])
    need(abs(created - seconds(record["time"])) <= SKEW, "time")
    if not case.issued - SKEW <= created <= case.expires:
        case.doubts.add("configuration")
    if "base" in entry:
        claims(record, b64(entry["base"]), question, asked=asked)


def batched(value: bytes, digest: bytes) -> tuple[bytes, bytes]:
    """Of a batch signature's value (specification, 3.1): the signature over the root, and the SHA-256 of its text."""
    size, index = int.from_bytes(value[1:3], "big"), int.from_bytes(value[3:5], "big")
    path = [value[at : at + 32] for at in range(37, len(value) - 64, 32)]
    need(value[:1] == b"\x01" and len(value) == 101 + 32 * len(path) and size <= 1024, "signature")
    root = root_from(sha256(BATCH_LEAF + value[5:37] + digest).digest(), index, size, path, "signature")
    text = f"{BATCH_ROOT}\n{size}\n{base64.b64encode(root).decode()}\n"
    return value[-64:], sha256(text.encode()).digest()


def committed(salt: str, content: str, commitment: str, word: str) -> None:
    """Invalid `word` unless content and salt (base64) are those that a record commits to."""
    value = base64.b64encode(hmac.digest(b64(salt), b64(content), "sha256")).decode()
    need(hmac.compare_digest(f"hmac-sha-256=:{value}:", commitment), word)


def claims(record: dict[str, Any], base: bytes, question: dict[str, Any], *, asked: bool) -> None:
    """What was signed says the same as what the record says."""
    need(sha256(base).hexdigest() == record["base"], "base")
    lines = dict(line.split(": ", 1) for line in base.decode("latin-1").split("\n"))
    params, rid = record["input"].removeprefix("troad="), '"x-road-id"' if asked else '"x-road-id";req'
    wanted = {'"troad-body"': record["body"], '"@signature-params"': params, rid: record["id"]}
    if asked:
        path = f"/r1/{record['service']}{record['path']}"
        wanted |= {'"x-road-client"': record["client"], '"@method"': record["method"], '"@path"': path}
        question.update(record)
    else:
        wanted['"@status"'] = str(record["status"])
        if question:
            wanted['"signature-input";req'] = question["input"]
    need(all(lines.get(name) == value for name, value in wanted.items()), "claims")


def in_time(time: int, before: Head | None, over: Head) -> None:
    """A record is later than the head before it, and earlier than the head over it."""
    need(before is None or not before.times or time >= min(before.times) - SKEW, "back-dated")
    need(not over.times or time <= max(over.times) + SKEW, "post-dated")


# -- a bundle, an archive --------------------------------------------------------------------------------------------
def verify(what: dict[str, Any] | Path, anchors: Path) -> tuple[str, list[str]]:
    """The verdict about a bundle, or about the bundle or archive in a file, and its reasons."""
    try:
        if isinstance(what, Path) and what.suffix == ".gz":
            with gzip.open(what, "rt", encoding="utf-8") as text:
                return judge_archive(map(json.loads, text), anchors)
        return judge(json.loads(what.read_text()) if isinstance(what, Path) else what, anchors)
    except Invalid as error:
        return "invalid", [str(error)]
    except Exception:  # whatever cannot be read
        return "invalid", ["form"]


def judge(bundle: dict[str, Any], anchors: Path) -> tuple[str, list[str]]:
    """All checks of a bundle in their order."""
    need(bundle["type"] == "troad-evidence-v1", "form")
    day, case = cases(bundle, anchors)
    head = Head(case, bundle["head"], bundle.get("stamp"))
    before = beside(case, "before", head)
    held_to_kept(case, head)
    known_keys([day], head)
    over = beside(case, "over", head) or head
    records = [record_of(case, entry, head) for entry in bundle["entries"]]
    indexes = [entry["index"] for entry in bundle["entries"]]
    need(records and indexes == sorted(set(indexes)), "order")
    need(indexes[-1] < over.size, "over")
    question: dict[str, Any] = {}
    for entry, record in zip(bundle["entries"], records, strict=True):
        message(day, entry, record, question)
        in_time(seconds(record["time"]), before, over)
    case.doubts |= day.doubts
    return sum_up(case, head, over, ((over.stamped, seconds(record["time"])) for record in records))


def record_of(case: Case, entry: dict[str, Any], head: Head) -> dict[str, Any]:
    """The record, when it is in the tree and about this exchange."""
    exact, index = b64(entry["record"]), entry["index"]
    need(isinstance(index, int) and not isinstance(index, bool), "form")
    leaf, proof = sha256(b"\x00" + exact).digest(), [bytes.fromhex(part) for part in entry["proof"]]
    need(root_from(leaf, index, head.size, proof, "inclusion") == head.root, "inclusion")
    record: dict[str, Any] = json.loads(exact)
    need(record["id"] == case.bundle["exchange"], "exchange")
    return record


def judge_archive(lines: Iterator[dict[str, Any]], anchors: Path) -> tuple[str, list[str]]:
    """Records, folded into the tree, must give every head; each is checked as in a bundle."""
    about = next(lines)
    need(about["type"] == "troad-archive-v1", "form")
    since = [float(one["from"]) for one in about["configurations"]]
    by_day = [Case({"gateway": about["gateway"]}, anchors, one) for one in about["configurations"]]
    *earlier, final = about["heads"]
    last = Head(by_day[-1], final["head"], final.get("stamp"))
    heads = [*(Head(by_day[-1], one["head"], one.get("stamp"), last) for one in earlier), last]
    known_keys(by_day, last)
    sizes = [head.size for head in heads]
    need(sizes == sorted(set(sizes)) and sizes[0] > about["first"] and sizes[-1] == about["size"], "head")
    kept = {one.size: one.root for one in kept_heads(by_day[-1], last) if len(one.epochs) <= len(last.epochs)}
    widths = [1 << level for level in range(64, -1, -1) if about["first"] >> level & 1]
    peaks = list(zip(widths, map(bytes.fromhex, about["left"]), strict=True))
    size, roots, times = about["first"], dict[int, bytes](), list[int]()
    for line in lines:
        need(line["index"] == size < about["size"], "order")
        exact = b64(line["record"])
        record = json.loads(exact)
        times.append(seconds(record.get("logged") or record["time"]))
        of_its_moment(by_day, since, record)
        at = bisect_right(sizes, size)
        in_time(times[-1], heads[at - 1] if at else None, heads[at])
        grow(peaks, sha256(b"\x00" + exact).digest())
        size += 1
        if size in sizes or size in kept:
            roots[size] = reduce(lambda below, peak: node(peak[1], below), peaks[-2::-1], peaks[-1][1])
    need(size == about["size"], "order")
    need(all(roots[head.size] == head.root for head in heads), "tree")
    need(all(roots.get(size, root) == root for size, root in kept.items()), "forked")
    by_day[-1].doubts = set[str]().union(*(case.doubts for case in by_day))
    stamped = [head for head in heads if head.stamped is not None]
    over = (bisect_right([head.size for head in stamped], index) for index in range(about["first"], about["size"]))
    return sum_up(by_day[-1], last, last, ((stamped[at].stamped, time) for at, time in zip(over, times, strict=True)))


def of_its_moment(by_day: list[Case], since: list[float], record: dict[str, Any]) -> None:
    """A message holds by the configuration of its moment, or by another one that was in force within a second of it."""
    moment = datetime.fromisoformat(record.get("logged") or record["time"]).timestamp()
    own, low, high = (max(0, bisect_right(since, moment + by) - 1) for by in (0.0, -NEAR, NEAR))
    reasons = list[Invalid]()
    for at in (own, *(one for one in range(high, low - 1, -1) if one != own)):
        try:
            message(by_day[at], {}, record, {})
            return
        except Invalid as reason:
            reasons.append(reason)
    raise reasons[0]


def sum_up(case: Case, last: Head, over: Head, times: Iterable[tuple[int | None, int]]) -> tuple[str, list[str]]:
    """The verdict when nothing was wrong; `times` are those of the stamps over the records, and of the records."""
    if last.witnesses < case.needed:
        case.doubts.add("witnesses")
    if case.doubts:
        return "unknown-status", sorted(case.doubts)
    if over.stamped is None:
        return "valid-untimestamped", ["stamp-missing"]
    late = any((stamped or 0) - time > STAMPED_WITHIN for stamped, time in times)
    return ("valid-untimestamped", ["stamp-late"]) if late else ("valid", [])


def main(arguments: list[str] | None = None, say: Callable[[str], object] = sys.stdout.write) -> int:
    """Read the file, say the verdict, and return the exit status."""
    parser = argparse.ArgumentParser(description="Check an evidence bundle of T-Road or an archive, offline.")
    parser.add_argument("file", type=Path, help="a bundle (.json) or an archive (.gz)")
    parser.add_argument("--anchors", type=Path, required=True, help="folder with root.json, tsa.pem, heads/*.note")
    options = parser.parse_args(arguments)
    if missing := [path for path in (options.file, options.anchors / "root.json") if not path.exists()]:
        parser.error(f"there is no {missing[0]}")
    if not shutil.which("openssl"):
        parser.error("the program openssl is not installed")
    verdict, reasons = verify(options.file, options.anchors)
    is_bundle = options.file.suffix != ".gz" and verdict != "invalid"
    past = told(json.loads(options.file.read_text()), options.anchors) if is_bundle else ""
    say(" ".join([verdict, *reasons]) + "\n" + past)
    return STATUS[verdict]


def told(bundle: dict[str, Any], anchors: Path) -> str:
    """What the log of a bundle that holds says of its own past, in words."""
    head, said = Head(cases(bundle, anchors)[1], bundle["head"], None), ""
    for number, (size, _, kept) in enumerate(head.epochs, start=2):
        why = "under another key" if number in head.changes else "after a restore"
        said += f"epoch {number} began {why} after {size} records, of which {min(size, kept)} are still in it\n"
    return said


if __name__ == "__main__":
    sys.exit(main())
