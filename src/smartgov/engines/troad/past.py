"""The configurations that this gateway has used, so that a message can be judged by the one of its own day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from smartgov.engines.pki import keys

_FOLDER = "configurations"


def keep(home: Path, bundle: bytes, digest: str, now: datetime) -> None:
    """Remember that `bundle` came into force now; one that is known already is left as it is."""
    folder = home / _FOLDER
    if not list(folder.glob(f"*-{digest[:32]}.json")):
        keys.write_secret(folder / f"{now.timestamp():016.3f}-{digest[:32]}.json", bundle)


def at(home: Path, moment: float) -> bytes | None:
    """The bundle that was in force at this Unix time; the first one for anything before it, None when there is none."""
    found = sorted((home / _FOLDER).glob("*.json"))
    before = [path for path in found if _begin(path) <= moment]
    chosen = before[-1:] or found[:1]
    return chosen[0].read_bytes() if chosen else None


def between(home: Path, begin: int, end: int) -> list[tuple[int, bytes]]:
    """Begin (Unix seconds) and bundle of all that were in force from `begin` to `end`."""
    found = [(int(_begin(path)), path) for path in sorted((home / _FOLDER).glob("*.json"))]
    first = max((since for since, _ in found if since <= begin), default=0)
    chosen = [(since, path) for since, path in found if first <= since <= end] or found[:1]
    return [(since, path.read_bytes()) for since, path in chosen]


def newest_first(home: Path) -> Iterator[bytes]:
    """All bundles that were in force, the present one first."""
    for path in sorted((home / _FOLDER).glob("*.json"), reverse=True):
        yield path.read_bytes()


def newest(home: Path) -> tuple[str, int] | None:
    """Digest (its first half) and begin of the newest one."""
    found = sorted((home / _FOLDER).glob("*.json"))
    if not found:
        return None
    return found[-1].stem.partition("-")[2], int(_begin(found[-1]))


def _begin(path: Path) -> float:
    """Since when it was in force (Unix seconds): whole ones in files of earlier versions."""
    return float(path.name.partition("-")[0])
