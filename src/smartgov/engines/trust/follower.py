"""A gateway's side: takes bundles, trusts what TUF's client workflow accepts, and holds members to their own keys."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from tuf.api.exceptions import DownloadError, DownloadHTTPError
from tuf.api.metadata import Metadata, Root, Snapshot, T, Targets, Timestamp
from tuf.ngclient import Updater
from tuf.ngclient.fetcher import FetcherInterface

from smartgov.engines.pki import keys
from smartgov.engines.trust import metadata as md
from smartgov.engines.trust.offers import Offer, check_offer, thumbprints
from smartgov.engines.trust.problems import refused
from smartgov.engines.trust.rotation import WAIT, Rotation, handed_over, public_key, statements
from smartgov.shared.problems import Problem

GRACE = timedelta(hours=24)
_TARGETS = "targets/"


@dataclass(frozen=True, slots=True)
class View:
    """What a gateway believes: `country`, each member's offer in force, when both end, and what an operator must see.

    `expires_at` is the first end among root, targets, snapshot and time stamp; `version` and `digest` name the state.
    """

    country: Mapping[str, Any]
    offers: Mapping[str, Mapping[str, Any]]
    offer_ends: Mapping[str, datetime]
    version: int
    expires_at: datetime
    digest: str
    alarms: tuple[str, ...]
    offer_versions: Mapping[str, int]
    foreign: frozenset[str] = frozenset()
    """Gateways that are listed with keys which their member did not sign for; they are left out."""

    @property
    def usable_until(self) -> datetime:
        """The end with grace: a centre that is down stops nobody for a day. Nothing else is prolonged by it."""
        return self.expires_at + GRACE

    def next_end(self, now: datetime) -> datetime:
        """When `merged` has to be asked again, because an offer ends."""
        return min((end for end in self.offer_ends.values() if end > now), default=self.usable_until)

    def merged(self, now: datetime) -> dict[str, Any]:
        """One configuration of the country and of the offers that have not ended by `now`."""
        live = [self.offers[member] for member in sorted(self.offers) if self.offer_ends[member] > now]
        return {
            **self.country,
            "members": [self._own(member) for member in self.country.get("members", ())],
            "version": self.version,
            "expires_at": self.expires_at.isoformat(),
            "services": [service for offer in live for service in offer["services"]],
            "rights": [right for offer in live for right in offer["rights"]],
        }

    def _own(self, member: Mapping[str, Any]) -> Mapping[str, Any]:
        """A member as the centre lists it, with the gateways that it signed for and its word on what counts once."""
        gateways = [one for one in member["gateways"] if f"{member['id']}/{one['code']}" not in self.foreign]
        said = {name: value for name, value in member.items() if name != "once"}  # the centre has no say in it
        if "once" in (offer := self.offers.get(member["id"], {})):
            said["once"] = offer["once"]
        return {**said, "gateways": gateways}


class Follower:
    """The trusted state of one gateway in `folder`; `anchor` is the first root it was set up with."""

    def __init__(self, folder: Path, anchor: bytes) -> None:
        self.folder, self._anchor = folder, anchor
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def take(self, bundle: bytes, now: datetime) -> View:
        """Accept `bundle` and return what now holds; whether it has ended is for the caller to judge at each use.

        Problem `configuration-invalid` for one that is older than what was accepted before, wrongly signed or
        incomplete; what was accepted before stays as it was.
        """
        files = _files(bundle)
        try:
            with tempfile.TemporaryDirectory(dir=self.folder) as targets:
                return self._take(files, now, Path(targets))
        except (*md.UNREADABLE, DownloadError) as error:
            raise refused(f"It does not verify: {type(error).__name__}.", "設定驗證失敗。") from error

    def _take(self, files: Mapping[str, str], now: datetime, targets: Path) -> View:
        updater = _Updater(self.folder / "metadata", files, self._anchor)
        updater.refresh()
        country = json.loads(_target(updater, md.COUNTRY, targets))
        top = self._metadata(Targets.type, Targets)
        root = self._metadata(Root.type, Root)
        state = _State.load(self.folder / "members.json")
        alarms = [note for member in md.members_of(top) for note in state.judge(member, top, root, now)]
        for member in set(state.members) - set(md.members_of(top)):
            # Its key is remembered: dropped and listed anew with another one, a member would be somebody else.
            state.members[member].pop("offer", None)
        for member in md.members_of(top):
            self._renew(state, member, updater, targets)
        state.save(self.folder / "members.json")
        foreign = frozenset(state.foreign(country))
        alarms += [f"gateway-{name}-with-keys-that-its-member-did-not-sign" for name in sorted(foreign)]
        stamp = self._metadata(Timestamp.type, Timestamp)
        snapshot = self._metadata(Snapshot.type, Snapshot)
        return View(
            country=country,
            offers={name: entry["offer"] for name, entry in state.members.items() if entry.get("offer")},
            offer_ends={n: datetime.fromisoformat(e["ends"]) for n, e in state.members.items() if e.get("offer")},
            version=stamp.version,
            expires_at=min(one.expires for one in (root, top, snapshot, stamp)),
            digest=sha256(files["timestamp.json"].encode()).hexdigest(),
            alarms=tuple(alarms),
            offer_versions={n: int(e["version"]) for n, e in state.members.items() if e.get("offer")},
            foreign=foreign,
        )

    def _renew(self, state: _State, member: str, updater: Updater, targets: Path) -> None:
        """Take a member's new offer if its accepted key signed it; else its last offer stays until its own end."""
        with contextlib.suppress(*md.UNREADABLE, DownloadError, Problem):
            content = _target(updater, md.path_of(member), targets)
            raw = (self.folder / "metadata" / f"{md.role_of(member)}.json").read_bytes()
            signed = check_offer(Offer(member, raw, content), state.key(member))
            if signed.version >= state.members[member].get("version", 0):
                state.members[member] |= {
                    "offer": json.loads(content),
                    "version": signed.version,
                    "ends": signed.expires.isoformat(),
                }
                if "gateways" in state.members[member]["offer"]:
                    state.members[member]["gateways"] = state.members[member]["offer"]["gateways"]

    def _metadata(self, role: str, kind: type[T]) -> T:
        signed = Metadata.from_file(str(self.folder / "metadata" / f"{role}.json")).signed
        assert isinstance(signed, kind)
        return signed


class _State:
    """Per member: the key accepted for it, its last offer, and when a key that waits was first seen."""

    def __init__(self, members: dict[str, dict[str, Any]]) -> None:
        self.members = members

    @classmethod
    def load(cls, path: Path) -> _State:
        return cls(json.loads(path.read_text()) if path.exists() else {})

    def save(self, path: Path) -> None:
        keys.write_secret(path, md.compact(self.members))

    def key(self, member: str) -> md.Key:
        key = keys.from_jwk(self.members[member]["key"])
        if not isinstance(key, md.Key):
            raise ValueError("keys of members are on P-256")
        return key

    def judge(self, member: str, top: Targets, root: Root, now: datetime) -> Iterator[str]:
        """Accept the listed key where that is proven; yields what an operator must be told."""
        [kid] = md.key_ids(top, member)
        assert top.delegations is not None
        listed = public_key(top.delegations.keys[kid])
        entry = self.members.get(member)
        if entry is None:
            self.members[member] = {"key": keys.public_jwk(listed)}
            return
        if (known := keys.thumbprint(self.key(member))) == kid:
            entry.pop("pending", None)
            return
        said = [one for one in statements(top) if one.member == member]
        if kid in handed_over({known}, said, self._signed_by_its_predecessor(member)):
            self._accept(entry, listed)
        elif kid not in entry.get("former", ()) and any(one.new == kid and one.by_root(root) for one in said):
            since = self._seen(entry, kid, now)
            if now >= since + WAIT:
                self._accept(entry, listed)
            yield f"key-of-{member}-replaced-by-root-since-{since.isoformat()}"
        else:
            yield f"key-of-{member}-changed-without-proof"

    def _signed_by_its_predecessor(self, member: str) -> Callable[[Rotation], bool]:
        """Of a statement; the first key is known here, each further one stands in the statement that replaces it."""
        first = self.key(member)
        return lambda one: one.by_old_key(first) or one.by_carried_key()

    def foreign(self, country: Mapping[str, Any]) -> Iterator[str]:
        """Ids of gateways that `country` lists otherwise than their member signed, also when that offer has ended."""
        for member in country.get("members", ()):
            own = self.members.get(member["id"], {}).get("gateways")
            if own is not None:
                for gateway in member["gateways"]:
                    if own.get(gateway["code"]) != thumbprints(gateway):
                        yield f"{member['id']}/{gateway['code']}"

    @staticmethod
    def _accept(entry: dict[str, Any], key: md.Key) -> None:
        entry.pop("pending", None)
        # A statement of the root keys is good for ever: it must not bring back what was replaced since.
        entry.setdefault("former", []).append(keys.thumbprint(keys.from_jwk(entry["key"])))
        entry["key"] = keys.public_jwk(key)

    @staticmethod
    def _seen(entry: dict[str, Any], kid: str, now: datetime) -> datetime:
        pending = entry.setdefault("pending", {})
        return datetime.fromisoformat(pending.setdefault(kid, now.isoformat()))


class _Updater(Updater):
    """TUF's client over a bundle, without its own look at the clock: ends are judged at each use, with our clock."""

    def __init__(self, folder: Path, files: Mapping[str, str], anchor: bytes) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__(
            str(folder), "bundle:", target_base_url=f"bundle:{_TARGETS}", fetcher=_Bundle(files), bootstrap=anchor
        )
        self._trusted_set.reference_time = datetime.fromtimestamp(0, UTC)


class _Bundle(FetcherInterface):
    def __init__(self, files: Mapping[str, str]) -> None:
        self._files = files

    def _fetch(self, url: str) -> Iterator[bytes]:
        text = self._files.get(url.removeprefix("bundle:").lstrip("/"))
        if text is None:
            raise DownloadHTTPError("not in the bundle", 404)
        return iter([text.encode()])


def _files(bundle: bytes) -> dict[str, str]:
    try:
        files = json.loads(bundle)["files"]
        return {str(name): str(text) for name, text in files.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise refused("It is not a bundle of metadata.", "檔案不是設定彙整檔。") from error


def _target(updater: Updater, path: str, folder: Path) -> bytes:
    info = updater.get_targetinfo(path)
    if info is None:
        raise KeyError(path)
    return Path(updater.download_target(info, str(folder / sha256(path.encode()).hexdigest()))).read_bytes()
