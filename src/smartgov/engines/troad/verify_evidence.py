"""Check an evidence bundle of T-Road, or an archive of a log: python3 verify_evidence.py FILE --anchors DIR

Needs Python 3.11 and the program openssl (3.0 or later), nothing else and no network. It trusts only what lies in DIR:
  root.json     the first root of T-Road's configuration (TUF)
  tsa.pem       roots of time-stamping authorities (optional)
  heads/*.note  heads of the log that you have kept before (optional)
  members.json  members' own keys that you know from elsewhere: the list of members is held to them (optional)
Exit status: 0 valid, 3 valid-untimestamped, 4 unknown-status, 1 invalid, 2 wrong command line or folder.
It says the verdict with the words behind it, then what that means; docs/manuals/agency/evidence-words.md explains each.
Specification: docs/protocols/troad-evidence-1.md. Read from the end: `judge` names the checks in their order.
"""

import argparse
import base64
import binascii
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
from contextlib import suppress
from datetime import datetime
from functools import partial, reduce
from hashlib import sha256
from pathlib import Path
from typing import Any

STATUS = {"valid": 0, "invalid": 1, "valid-untimestamped": 3, "unknown-status": 4}
MEANS = {
    "valid": "It is genuine and unaltered, and an independent authority has certified its time.",
    "invalid": "Do not rely on it: something does not fit.",
    "valid-untimestamped": "It is genuine and unaltered; its time rests on the agencies' own clocks alone.",
    "unknown-status": "Nothing wrong was found, but what is here does not suffice as proof.",
}
SKEW, STAMPED_WITHIN, GRACE, LIFE, NEAR = 120, 86_400, 86_400, 86_400, 1.0
PRIME = 2**256 - 2**224 + 2**192 + 2**96 - 1  # of P-256, whose points fulfil y^2 = x^3 - 3x + B
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
P256 = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200" + "04")  # SubjectPublicKeyInfo up to x
ED25519 = bytes.fromhex("302a300506032b6570032100")  # the same for Ed25519
KEY_CHANGE = re.compile(r"key-before-epoch (\d{1,8}) ([A-Za-z0-9+/]{43}=)")
EPOCH = re.compile(r"epoch (\d{1,8}) after (\S+) (\d{1,18}) ([A-Za-z0-9+/]{43}=) restored (\d{1,18})")
INPUT = re.compile(r';created=(\d{1,12});nonce="[\w-]+";keyid="([\w-]{43})";tag="troad-v(?:[12]|2(-batch))"$')
SIGNATURE = re.compile(r"— (.+) ((?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)")  # others: strangers'
BATCH_LEAF, BATCH_ROOT = b"\x00troad-v2-batch-leaf\n", "troad-v2-batch-root"
BUNDLE = {"type", "exchange", "gateway", "configuration", "head", "stamp", "before", "have", "over"}
BUNDLE |= {"head_configuration", "entries"}
ENTRY = {"index", "record", "proof", "salt", "body", "base", "veil", "veil_salt"}
ARCHIVE = {"type", "gateway", "first", "size", "left", "heads", "configurations"}
VOUCHED = ("message_key", "log_key", "witness_key")
UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, IndexError)


class Invalid(Exception):
    """Something does not hold; the text is a stable word."""


def need(holds: object, word: str) -> None:
    """Invalid `word` unless it holds."""
    if not holds:
        raise Invalid(word)


# -- values: each has one form, so that no change of a text goes unnoticed -------------------------------------------
def seconds(text: str) -> int:
    """Unix seconds of an ISO 8601 time."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without its offset")
    return int(moment.timestamp())


def b64(text: str) -> bytes:
    """The bytes of base64, padded and without stray bits."""
    value = base64.b64decode(text, validate=True)
    if base64.b64encode(value).decode() != text:
        raise ValueError("base64 in another form")
    return value


def b64url(text: str) -> bytes:
    """The bytes of unpadded base64url."""
    if not re.fullmatch(r"[A-Za-z0-9_-]*", text):
        raise ValueError("not base64url")
    return binascii.a2b_base64(text.translate({45: "+", 95: "/"}) + "=" * (-len(text) % 4), strict_mode=True)


def hashed(text: str) -> bytes:
    """The bytes of a hash in hex."""
    if not re.fullmatch("[0-9a-f]{64}", text):
        raise ValueError("not a hash")
    return bytes.fromhex(text)


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object in which no name stands twice."""
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a name stands twice")
    return dict(pairs)


def never(text: str) -> None:
    """NaN and Infinity are no numbers of JSON."""
    raise ValueError(text)


read = partial(json.loads, object_pairs_hook=once, parse_constant=never)


def only(known: set[str], *parts: dict[str, Any] | None) -> None:
    """Each part (None: it is not there) has no other members than these, which somebody reads."""
    need(all(part is None or set(part) <= known for part in parts), "form")


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
    x, y = b64url(jwk["x"]), b64url(jwk["y"]) if jwk["kty"] == "EC" else b""
    across, up = int.from_bytes(x, "big"), int.from_bytes(y, "big")
    on_curve = max(across, up) < PRIME and (up**2 - across**3 + 3 * across - B) % PRIME == 0
    if len(x) == len(y) == 32 and (jwk["kty"], jwk["crv"]) == ("EC", "P-256") and on_curve:
        return P256 + x + y
    if len(x) == 32 and (jwk["kty"], jwk["crv"]) == ("OKP", "Ed25519"):
        return ED25519 + x
    raise ValueError("not a key on P-256 or Ed25519")


def thumbprint(key: bytes) -> str:
    """The name of a key (DER)."""
    return base64.urlsafe_b64encode(sha256(key).digest()).rstrip(b"=").decode()


def of_pem(pem: str) -> bytes:
    """The DER form of a public key in PEM."""
    return openssl("pkey", "-pubin", "-in", "@k", "-outform", "DER", k=pem.encode()).stdout


def der_signature(raw: bytes) -> bytes:
    """r || s as the DER that openssl reads; nothing for what is no such signature."""
    if len(raw) != 64:
        return b""
    numbers = [half.lstrip(b"\0") for half in (raw[:32], raw[32:])]
    parts = [b"\0" * (not number or number[0] > 127) + number for number in numbers]
    whole = b"".join(bytes([2, len(part)]) + part for part in parts)
    return bytes([0x30, len(whole)]) + whole


def stamp_time(anchors: Path, text: bytes, stamp: str | None) -> int | None:
    """When a trusted authority stamped this text; None without a stamp or without a trusted authority."""
    if stamp is None or not (anchors / "tsa.pem").exists():
        return None
    token, roots = b64(stamp), (anchors / "tsa.pem").read_bytes()
    need(token[:2] == b"\x30\x82" and len(token) == 4 + int.from_bytes(token[2:4], "big"), "stamp")  # nothing after it
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
    whole = read(text)
    content, role = whole["signed"], root["roles"][kind]
    digest, signers = sha256(canonical(content).encode()).digest(), 0
    given = once([(one["keyid"], one["sig"]) for one in whole["signatures"]])
    parts = [set(whole), *map(set, whole["signatures"])]
    need(parts == [{"signed", "signatures"}, *[{"keyid", "sig"}] * len(given)], "configuration")
    need(all(re.fullmatch("(?:[0-9a-f]{2})*", value) for value in given.values()), "configuration")
    for keyid in set(role["keyids"]) & set(given):
        signers += made(of_pem(root["keys"][keyid]["keyval"]["public"]), digest, bytes.fromhex(given[keyid]))
    need(content["_type"] == kind and signers >= role["threshold"], "configuration")
    return dict(content)


def newest_root(files: dict[str, str], anchor: str) -> dict[str, Any]:
    """The last of the chain of roots that the anchor is of; every root in `files` has to be of it."""
    first = signed(anchor, "root", read(anchor)["signed"])["version"]
    chain = {int(name.partition(".")[0]): files[name] for name in files if name.endswith(".root.json")}
    need(read(chain.setdefault(first, anchor)) == read(anchor), "configuration")
    root: dict[str, Any] = read(chain[min(chain)])["signed"]
    for number in range(min(chain), max(chain) + 1):
        fresh = signed(chain[number], "root", root)
        need(fresh["version"] == number, "configuration")
        root = signed(chain[number], "root", fresh)
    return root


class Country:
    """What a configuration says of members, when the chain from the first root leads to all that stands in it."""

    def __init__(self, files: dict[str, str], anchor: str) -> None:
        self.files, self.root = files, newest_root(files, anchor)
        self.used = {f"{number}.root.json" for number in range(1, self.root["version"] + 1)}
        stamp = signed(self.take("timestamp.json"), "timestamp", self.root)
        number = stamp["meta"]["snapshot.json"]["version"]
        shot = signed(self.take(f"{number}.snapshot.json"), "snapshot", self.root)
        second = shot["meta"]["targets.json"]["version"]
        self.top = top = signed(self.take(f"{second}.targets.json"), "targets", self.root)
        need((shot["version"], top["version"]) == (number, second), "configuration")
        self.listed = self.content("country.json", top["targets"]["country.json"])
        self.issued = seconds(self.listed["issued_at"])
        ends = min(seconds(part["expires"]) for part in (self.root, top, shot, stamp))
        self.expires = min(ends, self.issued + LIFE) + GRACE
        self.keys, self.offers = dict[str, str](), dict[str, Any]()
        for role in top["delegations"]["roles"]:
            member, meta = role["name"].removeprefix("member~").replace("~", "/"), f"{role['name']}.json"
            [self.keys[member]] = role["keyids"]
            name = f"{shot['meta'][meta]['version']}.{meta}" if meta in shot["meta"] else ""
            if name in files:
                judge = {"keys": top["delegations"]["keys"], "roles": {"targets": role}}
                offer = signed(self.take(name), "targets", judge)
                [(path, target)] = offer["targets"].items()
                need(name == f"{offer['version']}.{meta}" and path == f"offers/{member}.json", "configuration")
                self.offers[member] = self.content(path, target)
                need(self.offers[member]["member"] == member, "configuration")
        need(set(files) <= self.used, "configuration")  # a file that nobody reads may have been changed

    def take(self, name: str) -> str:
        """A file, which is read from here on."""
        self.used.add(name)
        return self.files[name]

    def content(self, path: str, target: dict[str, Any]) -> Any:
        """What lies under its own hash, as metadata name it."""
        digest, (folder, slash, name) = target["hashes"]["sha256"], path.rpartition("/")
        text = self.take(f"targets/{folder}{slash}{digest}.{name}")
        exact = text.encode()
        need(sha256(exact).hexdigest() == digest and len(exact) == target["length"], "configuration")
        return read(text)

    def handed_over(self, start: set[str], member: str, by_root: bool) -> set[str]:
        """The keys to which statements lead: by the key before, and if `by_root` by a threshold of root keys too."""
        found, statements = set(start), self.top.get("x-member-rotations") or []
        for one in [*statements] * len(statements):
            with suppress(*UNREADABLE):
                if one["member"] == member and one["old"] in found and one["new"] not in found:
                    found |= {one["new"]} if self.stated(one, by_root) else set()
        return found

    def stated(self, one: dict[str, Any], by_root: bool) -> bool:
        """Whether a statement that a key is replaced is signed as it has to be."""
        bare = {"at": datetime.fromisoformat(one["at"]).isoformat(), **{n: one[n] for n in ("member", "new", "old")}}
        text = json.dumps(bare, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        digest = sha256(f"troad-key-rotation-v1\n{text}".encode()).digest()

        def holds(kid: str, key: bytes) -> bool:
            with suppress(*UNREADABLE):
                return made(key, digest, der_signature(b64url(one["signatures"][kid])))
            return False

        with suppress(*UNREADABLE):
            old = spki(one["old_key"])
            if thumbprint(old) == one["old"] and old.startswith(P256) and holds(one["old"], old):
                return True
        role = self.root["roles"]["root"]
        signers = (holds(kid, of_pem(self.root["keys"][kid]["keyval"]["public"])) for kid in set(role["keyids"]))
        return by_root and sum(signers) >= role["threshold"]


class Pins:
    """Members' own keys that the reader knows, in `members.json`: by member the thumbprints, and since when each."""

    def __init__(self, anchors: Path) -> None:
        path, self.only = anchors / "members.json", False
        self.members: dict[str, list[tuple[int, str]]] = {}
        if not path.exists():
            return
        try:
            said = read(path.read_text())
            for member, given in said["members"].items():
                self.members[member] = [(seconds(one["from"]), one["key"]) for one in given]
                since = [at for at, _ in self.members[member]]
                need(given and since == sorted(since) and all(set(one) == {"key", "from"} for one in given), "form")
                need(all(re.fullmatch(r"[A-Za-z0-9_-]{43}", one["key"]) for one in given), "form")
            need(said["type"] == "troad-members-v1" and set(said) == {"type", "witnesses", "members"}, "form")
            need(said["witnesses"] in ("any", "named"), "form")
        except (*UNREADABLE, Invalid) as error:
            raise ValueError("members.json has another form") from error
        self.only = said["witnesses"] == "named"

    def doubt(self, member: str, country: Country) -> str:
        """Why a pinned member's key in a configuration is not proven; Invalid where it is another member's."""
        pins, listed = self.members[member], country.keys.get(member)
        if listed is None:
            return "member-key"
        at = bisect_right([since for since, _ in pins], country.issued) - 1
        if at < 0 and listed != pins[0][1]:
            return "member-key"
        kept = country.handed_over({pins[max(at, 0)][1]}, member, by_root=False)
        if listed in kept:
            return "" if isinstance(country.offers.get(member, {}).get("gateways"), dict) else "member-key"
        need(listed in country.handed_over(kept, member, by_root=True), "member-key")
        return "member-key-by-root"


class Gateway:
    """One gateway of a configuration; `doubt`: why its member's key is not proven; `foreign`: its keys are others'."""

    def __init__(self, member: str, entry: dict[str, Any], country: Country, doubt: str) -> None:
        self.id, self.member, self.doubt = f"{member}/{entry['code']}", member, doubt
        self.message, self.log = spki(entry["message_key"]), spki(entry["log_key"])
        self.witness = spki(entry["witness_key"]) if entry.get("witness_key") else None
        self.origin: str = entry.get("log_origin", self.id)
        kinds = [key[: len(ED25519)] == ED25519 for key in (self.message, self.log, self.witness or self.log)]
        need(kinds == [False, True, True], "configuration")
        pairs = zip(VOUCHED, (self.message, self.log, self.witness), strict=True)
        keys = {name: thumbprint(key) for name, key in pairs if key}
        signed = country.offers.get(member, {}).get("gateways")
        said = signed.get(entry["code"]) if isinstance(signed, dict) else keys
        self.foreign = not isinstance(said, dict) or {name: said[name] for name in VOUCHED if name in said} != keys


class Case:
    """What the checks share: the gateways of one configuration, and doubts found on the way."""

    def __init__(self, bundle: dict[str, Any], anchors: Path, configuration: dict[str, Any], pins: Pins) -> None:
        self.bundle, self.anchors = bundle, anchors
        try:
            need(set(configuration) == {"files"}, "configuration")
            country = Country(configuration["files"], (anchors / "root.json").read_text())
            doubts = {member: pins.doubt(member, country) for member in pins.members}
            entries = [(one["id"], entry) for one in country.listed["members"] for entry in one["gateways"]]
            found = [Gateway(member, entry, country, doubts.get(member, "")) for member, entry in entries]
        except UNREADABLE as error:
            raise Invalid("configuration") from error
        self.issued, self.expires = country.issued, country.expires
        self.gateways = {one.id: one for one in found}
        self.own = own = self.gateways[bundle["gateway"]]
        need(not own.foreign, "gateway-key")
        self.doubts = {own.doubt} - {""}
        others = [one for one in found if one.witness and one.member != own.member]
        pinned = {member for member, given in pins.members.items() if given[0][0] <= country.issued}
        self.needed = min(2, len({one.member for one in others} | pinned - {own.member}))  # two of a member are one
        counting = (one for one in others if not one.doubt and not one.foreign)
        self.witnesses = {one.id: one for one in counting if one.member in pins.members or not pins.only}


def cases(bundle: dict[str, Any], anchors: Path, pins: Pins) -> tuple[Case, Case]:
    """By the configuration of the records' day, and by that of the head, which may be of much later."""
    day, now = Case(bundle, anchors, bundle["configuration"], pins), bundle.get("head_configuration")
    later = day if now is None else Case(bundle, anchors, now, pins)
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
        need(gateway == case.own.origin and str(self.size) == size and len(self.root) == 32, "head")
        self.epochs = opened(gateway, int(epoch or 1), self.size, said)
        # A head `under` which this one lies says by which key it was signed, when that was changed since.
        self.changes = {int(match[1]): b64(match[2]) for match in map(KEY_CHANGE.fullmatch, said) if match}
        need(set(self.changes) <= set(range(2, len(self.epochs) + 2)), "head")
        later = [number for number in under.changes if number > len(self.epochs) + 1] if under else []
        self.key = key = ED25519 + under.changes[min(later)] if under and later else case.own.log
        good, seen = False, dict[str, int]()
        for line in filter(None, map(SIGNATURE.fullmatch, lines.splitlines())):
            name, raw = line[1], base64.b64decode(line[2])
            if base64.b64encode(raw).decode() != line[2]:
                continue  # nobody writes it so
            if name == self.origin:
                good = good or noted(name, 1, key, text, raw[:4], raw[4:])
            elif name in case.witnesses and name not in seen and len(raw) == 76:
                time = int.from_bytes(raw[4:12], "big")
                cosigned = f"cosignature/v1\ntime {time}\n{text}"
                if noted(name, 4, case.witnesses[name].witness, cosigned, raw[:4], raw[12:]):
                    seen[name] = time
        need(good, "head")
        self.witnesses = len({case.witnesses[name].member for name in seen})
        self.stamped = stamp_time(case.anchors, text.encode(), stamp)
        self.times = [*seen.values(), *([] if self.stamped is None else [self.stamped])]


def noted(name: str, kind: int, key: bytes | None, text: str, keyid: bytes, signature: bytes) -> bool:
    """Whether the Ed25519 key (DER) made the signature; kind 1 signs logs, kind 4 co-signs."""
    if key is None:
        return False
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
            if note.partition("\n")[0].partition("+")[0] == case.own.origin:
                case.doubts.add("kept-head")


def linked(old: Head, new: Head, proof: list[str]) -> bool:
    """Whether the log of `new` begins with the tree of `old`."""
    return continued(old.size, old.root, new.size, new.root, [hashed(part) for part in proof])


def known_keys(cases: list[Case], head: Head) -> None:
    """The log key of each configuration has to be that of the head, or one that the head says signed before it."""
    known = {head.key, *(ED25519 + key for key in head.changes.values())}
    need({case.own.log for case in cases} <= known, "log-key")


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
    if {"veil", "veil_salt"} & set(entry):
        committed(entry["veil_salt"], entry["veil"], record["veil"], "veil")
    if {"salt", "body", "base"} & set(entry):
        committed(entry["salt"], entry["body"], record["body"], "body")
        need(sha256(b64(entry["base"])).hexdigest() == record["base"], "base")
    if "signature" not in record:
        return
    asked = record["kind"] in {"request", "trail", "meta"}
    signer = case.own if asked == (record["side"] == "client") else case.gateways.get(record["gateway"])
    match = INPUT.search(record["input"])
    if signer is None or match is None:
        raise Invalid("signer")
    need(not signer.foreign, "gateway-key")
    party = record["client" if asked else "service"]  # nobody signs for another member's systems
    need(match[2] == thumbprint(signer.message) and party.startswith(f"{signer.member}/"), "signer")
    value, digest = b64(record["signature"].removeprefix("troad=:").removesuffix(":")), hashed(record["base"])
    if match[3]:
        value, digest = batched(value, digest)
    need(made(signer.message, digest, der_signature(value)), "signature")
    created = int(match[1])
    need(abs(created - seconds(record["time"])) <= SKEW, "time")
    if not case.issued - SKEW <= created <= case.expires:
        case.doubts.add("configuration")
    case.doubts |= {signer.doubt} - {""}
    if asked:
        question.update(record)
    elif record["kind"] == "answer" and not question and entry:
        case.doubts.add("question")
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
    need(len(b64(salt)) == 32, word)  # HMAC is the same under a key with zeros after it
    value = base64.b64encode(hmac.digest(b64(salt), b64(content), "sha256")).decode()
    need(hmac.compare_digest(f"hmac-sha-256=:{value}:".encode(), commitment.encode()), word)


def claims(record: dict[str, Any], base: bytes, question: dict[str, Any], *, asked: bool) -> None:
    """What was signed says the same as what the record says."""
    lines = dict(line.split(": ", 1) for line in base.decode("latin-1").split("\n"))
    params, rid = record["input"].removeprefix("troad="), '"x-road-id"' if asked else '"x-road-id";req'
    wanted = {'"troad-body"': record["body"], '"@signature-params"': params, rid: record["id"]}
    if asked:
        path = f"/r1/{record['service']}{record['path']}"
        wanted |= {'"x-road-client"': record["client"], '"@method"': record["method"], '"@path"': path}
    else:
        wanted['"@status"'] = str(record["status"])
        wanted |= {'"signature-input";req': question["input"]} if question else {}
    need(all(lines.get(name) == value for name, value in wanted.items()), "claims")


def in_time(time: int, before: Head | None, over: Head) -> None:
    """A record is later than the head before it, and earlier than the head over it."""
    need(before is None or not before.times or time >= min(before.times) - SKEW, "back-dated")
    need(not over.times or time <= max(over.times) + SKEW, "post-dated")


# -- a bundle, an archive --------------------------------------------------------------------------------------------
def verify(what: dict[str, Any] | Path, anchors: Path) -> tuple[str, list[str]]:
    """The verdict about a bundle, or about what is in a file, and its reasons; ValueError when pins cannot be read."""
    pins = Pins(anchors)
    try:
        if isinstance(what, Path) and what.suffix == ".gz":
            with gzip.open(what, "rt", encoding="utf-8") as text:
                return judge_archive(map(read, text), anchors, pins)
        return judge(read(what.read_text()) if isinstance(what, Path) else what, anchors, pins)
    except Invalid as error:
        return "invalid", [str(error)]
    except Exception:  # whatever cannot be read
        return "invalid", ["form"]


def judge(bundle: dict[str, Any], anchors: Path, pins: Pins) -> tuple[str, list[str]]:
    """All checks of a bundle in their order."""
    need(bundle["type"] == "troad-evidence-v1", "form")
    only(BUNDLE, bundle)
    only({"head", "stamp", "consistency"}, bundle.get("before"), bundle.get("over"))
    only(ENTRY, *bundle["entries"])
    only({"size", "consistency"}, *bundle.get("have", []))
    day, case = cases(bundle, anchors, pins)
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
    leaf, proof = sha256(b"\x00" + exact).digest(), [hashed(part) for part in entry["proof"]]
    need(root_from(leaf, index, head.size, proof, "inclusion") == head.root, "inclusion")
    record: dict[str, Any] = read(exact.decode())
    need(record["id"] == case.bundle["exchange"], "exchange")
    return record


def judge_archive(lines: Iterator[dict[str, Any]], anchors: Path, pins: Pins) -> tuple[str, list[str]]:
    """Records, folded into the tree, must give every head; each is checked as in a bundle."""
    about = next(lines)
    need(about["type"] == "troad-archive-v1", "form")
    only(ARCHIVE, about)
    need(type(about["first"]) is type(about["size"]) is int, "form")
    only({"from", "files"}, *about["configurations"])
    only({"head", "stamp"}, *about["heads"])
    since = [float(one["from"]) for one in about["configurations"]]
    held = [{"files": one["files"]} for one in about["configurations"]]
    by_day = [Case({"gateway": about["gateway"]}, anchors, one, pins) for one in held]
    *earlier, final = about["heads"]
    last = Head(by_day[-1], final["head"], final.get("stamp"))
    heads = [*(Head(by_day[-1], one["head"], one.get("stamp"), last) for one in earlier), last]
    known_keys(by_day, last)
    sizes = [head.size for head in heads]
    need(sizes == sorted(set(sizes)) and sizes[0] > about["first"] and sizes[-1] == about["size"], "head")
    kept = {one.size: one.root for one in kept_heads(by_day[-1], last) if len(one.epochs) <= len(last.epochs)}
    marked = {*sizes, *kept}
    widths = [1 << level for level in range(64, -1, -1) if about["first"] >> level & 1]
    peaks = list(zip(widths, map(hashed, about["left"]), strict=True))
    size, roots, times = about["first"], dict[int, bytes](), list[int]()
    for line in lines:
        need(line["index"] == size < about["size"], "order")
        only({"index", "record", "sealed"}, line)
        need(type(line["index"]) is int, "form")
        exact = b64(line["record"])
        record = read(exact.decode())
        times.append(seconds(record.get("logged") or record["time"]))
        of_its_moment(by_day, since, record)
        at = bisect_right(sizes, size)
        in_time(times[-1], heads[at - 1] if at else None, heads[at])
        grow(peaks, sha256(b"\x00" + exact).digest())
        size += 1
        if size in marked:
            roots[size] = reduce(lambda below, peak: node(peak[1], below), peaks[-2::-1], peaks[-1][1])
    need(size == about["size"], "order")
    need(all(roots[head.size] == head.root for head in heads), "tree")
    need(all(roots.get(size, root) == root for size, root in kept.items()), "forked")
    by_day[-1].doubts = set[str]().union(*(case.doubts for case in by_day))
    stamped = [head for head in heads if head.stamped is not None]
    starts = [head.size for head in stamped]
    over = (bisect_right(starts, index) for index in range(about["first"], about["size"]))
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
    parser.add_argument("--anchors", type=Path, required=True, help="folder DIR of what you trust")
    options = parser.parse_args(arguments)
    if missing := [path for path in (options.file, options.anchors / "root.json") if not path.exists()]:
        parser.error(f"there is no {missing[0]}")
    if not shutil.which("openssl"):
        parser.error("the program openssl is not installed")
    try:
        verdict, reasons = verify(options.file, options.anchors)
    except ValueError as error:
        parser.error(str(error))
    is_bundle = options.file.suffix != ".gz" and verdict != "invalid"
    past = told(json.loads(options.file.read_text()), options.anchors) if is_bundle else ""
    say(" ".join([verdict, *reasons]) + f"\n{MEANS[verdict]}\n{past}")
    return STATUS[verdict]


def told(bundle: dict[str, Any], anchors: Path) -> str:
    """What the log of a bundle that holds says of its own past, in words."""
    head, said = Head(cases(bundle, anchors, Pins(anchors))[1], bundle["head"], None), ""
    for number, (size, _, kept) in enumerate(head.epochs, start=2):
        why = "under another key" if number in head.changes else "after a restore"
        said += f"epoch {number} began {why} after {size} records, of which {min(size, kept)} are still in it\n"
    return said


if __name__ == "__main__":
    sys.exit(main())
