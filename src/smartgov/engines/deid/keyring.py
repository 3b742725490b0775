"""The secret keys of one de-identification project: made, kept, changed and destroyed.

One file per project, mode 0600, outside every release. Each project draws its own random masters, so nothing links
two projects, not even for somebody who stole the keys of one. From a master, HKDF (RFC 5869) derives one key per use
and domain: a pseudonym of a national id tells nothing about a date shift or about a pseudonym of a plate number.

Rotation makes a new master and keeps the old ones: values made before stay resolvable, for the holder of the file
alone. Destroying a master makes its pseudonyms unresolvable for everybody who has no other copy of it; backups of the
file are the steward's to destroy.
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import json
import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from smartgov.shared import clock
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

FORMAT = "smartgov-deid-keys/1"
PROJECT = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
ID_LENGTH = 6
_ID = re.compile(r"[a-z2-7]{6}")
_MASTER_BYTES = 32


@dataclass(frozen=True, slots=True)
class Key:
    """One master of a project; `master` is None once it was destroyed."""

    id: str
    created: str
    state: str  # active | retired | destroyed
    master: bytes | None

    def __repr__(self) -> str:
        return f"Key({self.id}, {self.state})"  # never the master: it would end in a log


@dataclass(frozen=True, slots=True)
class KeyRing:
    """All masters of one project, oldest first; exactly one is active."""

    project: str
    keys: tuple[Key, ...]

    @property
    def active(self) -> Key:
        """The key that new values are made with."""
        return next(key for key in self.keys if key.state == "active")

    def key(self, key_id: str) -> Key:
        """The key of this id; Problem `key-unknown` or `key-destroyed`."""
        found = next((key for key in self.keys if key.id == key_id), None)
        if found is None:
            raise Problem(
                "key-unknown",
                404,
                what=Text("No such key in this project.", "本專案沒有這把金鑰。"),
                why=Text("The value was made by another project, or was altered.", "該值由其他專案產生，或已遭更改。"),
                todo=Text("Use the key file of the project that made it.", "請使用產生該值之專案的金鑰檔。"),
            )
        if found.master is None:
            raise Problem(
                "key-destroyed",
                410,
                what=Text("The key of these values was destroyed.", "這些值的金鑰已銷毀。"),
                why=Text("Nobody can resolve them any more; that was the purpose.", "已無人能還原，此即銷毀之目的。"),
                todo=Text("Make new values from the source.", "請由來源資料重新產生。"),
            )
        return found

    def at(self, key_id: str) -> KeyRing:
        """The same masters with that key as the active one, so that values come out as they once did."""
        chosen = self.key(key_id)
        keys = [replace(key, state="retired") if key.state == "active" else key for key in self.keys]
        return replace(self, keys=tuple(replace(key, state="active") if key.id == chosen.id else key for key in keys))

    def derive(self, use: str, domain: str, key_id: str | None = None) -> bytes:
        """32 bytes for one use (`pseudonym`, `date-shift`) in one domain, from the active key or `key_id`."""
        key = self.active if key_id is None else self.key(key_id)
        assert key.master is not None
        info = b"".join(
            len(part).to_bytes(2, "big") + part
            for part in (b"smartgov/deid/1", self.project.encode(), key.id.encode(), use.encode(), domain.encode())
        )
        return HKDF(SHA256(), 32, salt=None, info=info).derive(key.master)


def create(path: Path, project: str) -> KeyRing:
    """A new project with its first key; Problem `keys-exist` rather than overwrite one."""
    if not PROJECT.fullmatch(project):
        raise unusable(
            "A project is named in lower case letters, digits and hyphens.", "專案名稱限小寫英數字與連字號。"
        )
    ring = KeyRing(project, (_new_key(),))
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        _write(path, ring)
    except FileExistsError:
        raise Problem(
            "keys-exist",
            409,
            what=Text("There is a key file already.", "金鑰檔已存在。"),
            why=Text("Overwriting it would make its pseudonyms unresolvable.", "覆寫將使既有假名無法還原。"),
            todo=Text("Use it, or name another file.", "請使用該檔，或另指定檔名。"),
        ) from None
    return ring


def load(path: Path, project: str | None = None) -> KeyRing:
    """The keys in `path`; Problem `keys-unusable` when the file is open to others, malformed, or of another project."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        raise unusable(f"{path.name} cannot be opened, or is a link.", f"無法開啟 {path.name}，或其為連結。") from None
    with os.fdopen(handle, "rb") as file:
        _refuse_open_to_others(os.fstat(file.fileno()), path)
        ring = _parse(file.read(), path)
    if project is not None and ring.project != project:
        raise unusable(f"{path.name} belongs to another project.", f"{path.name} 屬於其他專案。")
    return ring


def rotate(path: Path) -> KeyRing:
    """Retire the active key and make a new one; what the old one made stays resolvable with this file."""

    def turn(ring: KeyRing) -> KeyRing:
        retired = tuple(replace(key, state="retired") if key.state == "active" else key for key in ring.keys)
        return KeyRing(ring.project, (*retired, _new_key()))

    return _change(path, turn)


def destroy(path: Path, key_id: str) -> KeyRing:
    """Forget a retired master for good; its id stays on record. The active one must be rotated first."""

    def forget(ring: KeyRing) -> KeyRing:
        if ring.key(key_id).state == "active":
            raise unusable("The active key cannot be destroyed; rotate first.", "使用中的金鑰不得銷毀，請先輪替。")
        return KeyRing(
            ring.project,
            tuple(replace(k, state="destroyed", master=None) if k.id == key_id else k for k in ring.keys),
        )

    return _change(path, forget)


def found_in(ring: KeyRing, folder: Path) -> list[Path]:
    """Files below `folder` that hold one of the masters, raw, in hexadecimal or in Base64: none may be released.

    A compressed or encrypted copy is not seen; that is why `refuse_beside` also looks at where the file lies.
    """
    needles = [form for key in ring.keys if key.master for form in _forms(key.master)]
    return sorted(p for p in folder.rglob("*") if p.is_file() and any(n in p.read_bytes() for n in needles))


def refuse_beside(keys: Path, release: Path) -> None:
    """Problem `keys-in-release` when the key file lies in the folder that will be handed out, or under it."""
    if keys.resolve().is_relative_to(release.resolve()):
        raise Problem(
            "keys-in-release",
            409,
            what=Text("The key file lies inside the release.", "金鑰檔位於釋出資料夾內。"),
            why=Text("Whoever gets the release could undo the pseudonyms.", "取得釋出資料者將可還原假名。"),
            todo=Text("Keep it in a folder of its own, mode 0700.", "請將其置於權限 0700 的專屬資料夾。"),
        )


def _forms(master: bytes) -> list[bytes]:
    plain = base64.b64encode(master).rstrip(b"=")
    return [master, master.hex().encode(), plain, base64.urlsafe_b64encode(master).rstrip(b"=")]


def _new_key() -> Key:
    key_id = base64.b32encode(os.urandom(5)).decode().lower()[:ID_LENGTH]
    return Key(key_id, clock.now().isoformat(timespec="seconds"), "active", os.urandom(_MASTER_BYTES))


def _change(path: Path, turn: Callable[[KeyRing], KeyRing]) -> KeyRing:
    """Read, change and replace the file as one step; a crash leaves the old or the new one, never half."""
    with _locked(path):
        ring = turn(load(path))
        fresh = path.with_name(f".{path.name}.new")
        fresh.unlink(missing_ok=True)
        _write(fresh, ring)
        fresh.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    return ring


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    lock = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _write(path: Path, ring: KeyRing) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump({"format": FORMAT, "project": ring.project, "keys": [_as_dict(key) for key in ring.keys]}, file)
        file.flush()
        os.fsync(file.fileno())


def _as_dict(key: Key) -> dict[str, str | None]:
    master = base64.b64encode(key.master).decode() if key.master else None
    return {"id": key.id, "created": key.created, "state": key.state, "master": master}


def _refuse_open_to_others(status: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(status.st_mode) or status.st_mode & 0o077 or status.st_uid != os.geteuid():
        raise unusable(
            f"{path.name} is open to other accounts, or is not yours.", f"{path.name} 可供其他帳號讀取，或非您所有。"
        )


def _parse(raw: bytes, path: Path) -> KeyRing:
    try:
        value = json.loads(raw)
        if set(value) != {"format", "project", "keys"} or value["format"] != FORMAT:
            raise ValueError("format")
        ring = KeyRing(value["project"], tuple(_key(entry) for entry in value["keys"]))
        if not PROJECT.fullmatch(ring.project) or [key.state for key in ring.keys].count("active") != 1:
            raise ValueError("state")
        return ring
    except (ValueError, TypeError, KeyError, AttributeError, binascii.Error):
        raise unusable(f"{path.name} is not a key file of this program.", f"{path.name} 不是本程式的金鑰檔。") from None


def _key(entry: dict[str, Any]) -> Key:
    state, text = entry["state"], entry["master"]
    master = None if text is None else base64.b64decode(text, validate=True)
    if not _ID.fullmatch(entry["id"]) or state not in {"active", "retired", "destroyed"}:
        raise ValueError("key")
    if (state == "destroyed") != (master is None) or (master is not None and len(master) != _MASTER_BYTES):
        raise ValueError("master")
    return Key(entry["id"], str(entry["created"]), state, master)


def unusable(why_en: str, why_zh: str) -> Problem:
    """Keys that must not be used here."""
    return Problem(
        "keys-unusable",
        422,
        what=Text("The key file cannot be used.", "金鑰檔無法使用。"),
        why=Text(why_en, why_zh),
        todo=Text("Give the project's own key file, mode 0600.", "請提供該專案自己的金鑰檔（權限 0600）。"),
    )
