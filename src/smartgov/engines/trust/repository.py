"""The centre's side: a folder of TUF metadata with consistent snapshots, and the bundle that gateways take."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Key,
    Metadata,
    MetaFile,
    Role,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

from smartgov.engines.pki import keys
from smartgov.engines.trust import metadata as md
from smartgov.engines.trust.offers import Offer, check_offer
from smartgov.engines.trust.problems import refused
from smartgov.engines.trust.rotation import FIELD, Rotation

_BUNDLE = "bundle.json"


@dataclass(frozen=True, slots=True)
class OnlineKeys:
    """The keys that the centre needs to publish; root keys are not among them and are kept apart."""

    targets: md.PrivateKey
    snapshot: md.PrivateKey
    timestamp: md.PrivateKey

    def public(self) -> dict[str, md.Key]:
        """Role to public key."""
        return {role: getattr(self, role).public_key() for role in md.ROLES[1:]}


class Repository:
    """A folder: `<version>.<role>.json` and `targets/`, added and never changed; `timestamp.json`; `bundle.json`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def create(
        self, *, root_keys: Sequence[md.PrivateKey], threshold: int, online: Mapping[str, md.Key], now: datetime
    ) -> bytes:
        """Make the first root, signed by all `root_keys`; returns it, the anchor that every gateway is set up with."""
        if not 1 <= threshold <= len(root_keys):
            raise ValueError("the threshold lies between one and the number of root keys")
        public = [key.public_key() for key in root_keys]
        return self._write_root(_root(1, public, threshold, online, now), root_keys)

    def replace_root(
        self,
        *,
        by: Sequence[md.PrivateKey],
        root_keys: Sequence[md.Key],
        threshold: int,
        online: Mapping[str, md.Key],
        now: datetime,
    ) -> None:
        """The next root. `by` holds a threshold of the present root's keys and one of the new root's."""
        old = self.root()
        fresh = _root(old.signed.version + 1, list(root_keys), threshold, online, now)
        signed = Metadata[Root].from_bytes(md.signed(Metadata(fresh), *by))
        for judge in (old.signed, signed.signed):
            try:
                judge.verify_delegate(Root.type, signed.signed_bytes, signed.signatures)
            except md.UNREADABLE as error:
                raise refused("Too few root keys have signed.", "根金鑰簽署數不足。") from error
        self._write_root(fresh, by)
        if self.version:
            self._bind()

    @property
    def version(self) -> int:
        """The number of the published state; 0 before the first."""
        return self._version(Timestamp.type)

    def expires_at(self) -> datetime | None:
        """When the published state ends; None before the first."""
        path = self.folder / "timestamp.json"
        return Metadata[Timestamp].from_file(str(path)).signed.expires if path.exists() else None

    def root(self) -> Metadata[Root]:
        """The newest root."""
        return Metadata[Root].from_file(str(self._newest(Root.type)))

    def publish(
        self,
        country: Mapping[str, Any],
        *,
        member_keys: Mapping[str, md.Key],
        offers: Iterable[Offer],
        keys_online: OnlineKeys,
        now: datetime,
        rotations: Iterable[Rotation] = (),
    ) -> datetime:
        """Sign `country` and its members' offers; returns when it expires. A member without a new offer keeps its last.

        Problem `offer-invalid` for an offer whose member is not listed or did not sign it: nothing is written then.
        """
        accepted = list(offers)
        for offer in accepted:
            if offer.member not in member_keys:
                raise refused(f"{offer.member} is not a member.", f"{offer.member} 不是成員。")
            check_offer(offer, member_keys[offer.member])
        version = self._version(Timestamp.type) + 1
        content = md.compact(country)
        country_target = TargetFile.from_data(md.COUNTRY, content, ["sha256"])
        targets = _targets(version, country_target, member_keys, rotations, now)
        metas = self._metas() | {"targets.json": MetaFile(version)}
        self._write(f"targets/{md.file_of(country_target)}", content)
        for offer in accepted:
            name = md.role_of(offer.member)
            self._write(f"targets/{md.file_of(offer.target)}", offer.content)
            self._write(f"{offer.version}.{name}.json", offer.metadata)
            metas[f"{name}.json"] = MetaFile(offer.version)
        self._write(f"{version}.targets.json", md.signed(Metadata(targets), keys_online.targets))
        snapshot = Snapshot(version=version, expires=_end(now), meta=metas)
        self._write(f"{version}.snapshot.json", md.signed(Metadata(snapshot), keys_online.snapshot))
        # The time stamp comes last: until it is there, readers see the state before.
        timestamp = Timestamp(version=version, expires=_end(now), snapshot_meta=MetaFile(version))
        self._write("timestamp.json", md.signed(Metadata(timestamp), keys_online.timestamp))
        self._forget(self._bind())
        return _end(now)

    def offer(self, member: str) -> Offer | None:
        """The member's offer as it was published last, or None."""
        name = f"{md.role_of(member)}.json"
        meta = self._metas().get(name)
        if meta is None or not (self.folder / f"{meta.version}.{name}").exists():
            return None
        raw = (self.folder / f"{meta.version}.{name}").read_bytes()
        target = Metadata[Targets].from_bytes(raw).signed.targets[md.path_of(member)]
        return Offer(member, raw, (self.folder / "targets" / md.file_of(target)).read_bytes())

    def bundle(self) -> bytes:
        """The whole published state as one JSON file: `files` by the names under which TUF clients ask for them.

        It is one file on the disk too, replaced as a whole: who reads while another process publishes gets one state.
        FileNotFoundError before the first publication.
        """
        return (self.folder / _BUNDLE).read_bytes()

    def _bind(self) -> Mapping[str, str]:
        """Write the bundle of the newest state; returns its files."""
        version = self._version(Timestamp.type)
        names = ["timestamp.json", f"{version}.snapshot.json", f"{version}.targets.json"]
        names += sorted(path.name for path in self.folder.glob("*.root.json"))
        # Of a member that was dropped the snapshot names the version for ever, as TUF asks; its files are not needed.
        top = Metadata[Targets].from_file(str(self.folder / f"{version}.targets.json")).signed
        listed = {f"{md.role_of(member)}.json" for member in md.members_of(top)}
        names += [f"{meta.version}.{name}" for name, meta in self._metas().items() if name in listed]
        files = {name: (self.folder / name).read_text() for name in names}
        for path in list(self._targets_of(files)):
            files[f"targets/{path}"] = (self.folder / "targets" / path).read_text()
        self._write(_BUNDLE, md.compact({"files": files}))
        return files

    def _targets_of(self, files: Mapping[str, str]) -> Iterable[str]:
        for name, text in files.items():
            if name.endswith(".targets.json") or "member~" in name:
                targets = Metadata[Targets].from_bytes(text.encode()).signed.targets
                yield from map(md.file_of, targets.values())

    def _metas(self) -> dict[str, MetaFile]:
        path = self.folder / f"{self._version(Timestamp.type)}.snapshot.json"
        return dict(Metadata[Snapshot].from_file(str(path)).signed.meta) if path.exists() else {}

    def _version(self, role: str) -> int:
        path = self.folder / f"{role}.json"
        return int(json.loads(path.read_text())["signed"]["version"]) if path.exists() else 0

    def _newest(self, role: str) -> Path:
        return max(self.folder.glob(f"*.{role}.json"), key=lambda path: int(path.name.split(".")[0]))

    def _forget(self, kept: Mapping[str, str]) -> None:
        """Remove states that no gateway can ask for any more: a bundle always holds the newest."""
        for path in [*self.folder.glob("*.json"), *self.folder.glob("targets/**/*.json")]:
            if str(path.relative_to(self.folder)) not in {*kept, _BUNDLE}:
                path.unlink()

    def _write_root(self, root: Root, by: Sequence[md.PrivateKey]) -> bytes:
        data = md.signed(Metadata(root), *by)
        self._write(f"{root.version}.root.json", data)
        return data

    def _write(self, name: str, data: bytes) -> None:
        keys.write_secret(self.folder / name, data)  # whole or not at all, and fsynced


def _root(
    version: int, root_keys: Sequence[md.Key], threshold: int, online: Mapping[str, md.Key], now: datetime
) -> Root:
    root = Root(version=version, expires=md.whole_seconds(now + md.ROOT_LIFE), consistent_snapshot=True)
    for key in root_keys:
        root.add_key(md.listed(key), Root.type)
    for role, key in online.items():
        root.add_key(md.listed(key), role)
    root.roles[Root.type] = Role(list(root.roles[Root.type].keyids), threshold)
    return root


def _targets(
    version: int,
    country: TargetFile,
    member_keys: Mapping[str, md.Key],
    rotations: Iterable[Rotation],
    now: datetime,
) -> Targets:
    roles = {
        md.role_of(member): DelegatedRole(
            md.role_of(member), [keys.thumbprint(key)], 1, terminating=True, paths=[md.path_of(member)]
        )
        for member, key in member_keys.items()
    }
    known: dict[str, Key] = {keys.thumbprint(key): md.listed(key) for key in member_keys.values()}
    return Targets(
        version=version,
        expires=_end(now),
        targets={md.COUNTRY: country},
        delegations=Delegations(known, roles),
        unrecognized_fields={FIELD: [rotation.as_json() for rotation in rotations]},
    )


def _end(now: datetime) -> datetime:
    return md.whole_seconds(now + md.ONLINE_LIFE)
