"""The files of a configuration that prove who its members are and what they signed, for evidence that is judged
elsewhere.

A bundle for gateways holds the offers of all members. Evidence needs those of the parties, and holds nothing in which a
change would go unnoticed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tuf.api.metadata import Metadata, Root, Snapshot, T, Targets, Timestamp

from smartgov.engines.trust import metadata as md
from smartgov.engines.trust.rotation import Rotation, statements
from smartgov.shared import canonical

_ROOT = re.compile(r"([1-9][0-9]{0,8})\.root\.json")


@dataclass(frozen=True, slots=True)
class Listing:
    """What files that are whole say of members: the thumbprint of each one's key, what they offer where that is there,
    and the statements by which keys were changed, with the root whose keys may sign such.
    """

    keys: Mapping[str, str]
    offers: Mapping[str, Mapping[str, Any]]
    statements: tuple[Rotation, ...]
    root: Root


def proving(files: Mapping[str, str], members: Iterable[str] | None = None) -> dict[str, str]:
    """Of these files all roots, the present metadata of the other roles, the list of members, and what these members
    (None: all) signed. KeyError: one is missing; one of UNREADABLE: one cannot be read.
    """
    number = _of(Timestamp, files["timestamp.json"]).snapshot_meta.version
    shot = _of(Snapshot, files[f"{number}.snapshot.json"])
    second = shot.meta["targets.json"].version
    top = _of(Targets, files[f"{second}.targets.json"])
    names = ["timestamp.json", f"{number}.snapshot.json", f"{second}.targets.json", _target(top, md.COUNTRY)]
    names += [name for name in files if _ROOT.fullmatch(name)]
    for member in md.members_of(top) if members is None else sorted(set(members) & set(md.members_of(top))):
        role = md.role_of(member)
        offer = f"{shot.meta[f'{role}.json'].version}.{role}.json" if f"{role}.json" in shot.meta else ""
        if offer in files:
            names += [offer, _target(_of(Targets, files[offer]), md.path_of(member))]
    return {name: files[name] for name in names}


def is_whole(files: Mapping[str, str], anchor: bytes) -> bool:
    """Whether there is nothing else among them, every root is of the chain that `anchor` is of, and every offer is as
    its member signed it.

    To be asked of files that lead from the anchor to the list by TUF's rules, which do not read all of them.
    """
    try:
        if set(files) != set(proving(files)) or not _is_chain(files, anchor):
            return False
        for name, text in files.items():
            read = canonical.once(text)
            if not name.startswith("targets/"):
                _has_one_form(read)
        top = _top(files)
        return all(_is_signed(files, name, top) for name in files if "member~" in name)
    except (*md.UNREADABLE, AttributeError):
        return False


def listing(files: Mapping[str, str], anchor: bytes) -> Listing:
    """What is said of members in files that are whole. ValueError for offers that are none."""
    top, offers = _top(files), dict[str, Mapping[str, Any]]()
    for member in md.members_of(top):
        role = md.role_of(member)
        for name in (name for name in files if name.endswith(f".{role}.json")):
            said = json.loads(files[_target(_of(Targets, files[name]), md.path_of(member))])
            if not isinstance(said, dict) or said.get("member") != member:
                raise ValueError("an offer of somebody else")
            offers[member] = said
    roots = {int(match[1]): files[name].encode() for name in files if (match := _ROOT.fullmatch(name))}
    root = Metadata[Root].from_bytes(roots[max(roots)] if roots else anchor).signed
    keys = {member: md.key_ids(top, member)[0] for member in md.members_of(top)}
    return Listing(keys, offers, tuple(statements(top)), root)


def _top(files: Mapping[str, str]) -> Targets:
    number = _of(Timestamp, files["timestamp.json"]).snapshot_meta.version
    second = _of(Snapshot, files[f"{number}.snapshot.json"]).meta["targets.json"].version
    return _of(Targets, files[f"{second}.targets.json"])


def _has_one_form(metadata: Any) -> None:
    """ValueError where something stands beside what is signed, which nobody would read."""
    if set(metadata) != {"signed", "signatures"} or any(set(one) != {"keyid", "sig"} for one in metadata["signatures"]):
        raise ValueError("metadata with more than its signatures")
    if any(re.fullmatch("(?:[0-9a-f]{2})*", one["sig"]) is None for one in metadata["signatures"]):
        raise ValueError("a signature in another form")


def _is_signed(files: Mapping[str, str], name: str, top: Targets) -> bool:
    """Whether an offer's metadata are by its member's listed key, and its content is what they say."""
    read = Metadata[Targets].from_bytes(files[name].encode())
    top.verify_delegate(name.split(".")[1], read.signed_bytes, read.signatures)
    for target in read.signed.targets.values():
        target.verify_length_and_hashes(files[f"targets/{md.file_of(target)}"].encode())
    return str(read.signed.version) == name.split(".", maxsplit=1)[0]


def _is_chain(files: Mapping[str, str], anchor: bytes) -> bool:
    texts = {int(match[1]): files[name].encode() for name in files if (match := _ROOT.fullmatch(name))}
    first = Metadata[Root].from_bytes(anchor)
    if json.loads(texts.setdefault(first.signed.version, anchor)) != json.loads(anchor):
        return False
    before: Metadata[Root] | None = None
    for number in sorted(texts):
        fresh = Metadata[Root].from_bytes(texts[number])
        if fresh.signed.version != number or (before and number != before.signed.version + 1):
            return False
        for judge in (before or fresh, fresh):
            judge.signed.verify_delegate(Root.type, fresh.signed_bytes, fresh.signatures)
        before = fresh
    return True


def _of(kind: type[T], text: str) -> T:
    signed = Metadata[kind].from_bytes(text.encode()).signed  # type: ignore[valid-type]
    if not isinstance(signed, kind):
        raise ValueError("metadata of another role")
    return signed


def _target(listing: Targets, path: str) -> str:
    return f"targets/{md.file_of(listing.targets[path])}"
