"""The configurations that this gateway has used, so that a message can be judged by the one of its own day."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from smartgov.engines.pki import keys

_FOLDER = "configurations"
NEAR = 1.0
"""A message is judged by the configuration of its moment, or by one that was in force within a second of it: its record
is made up when it begins, and the configuration that a gateway then looks for may be a newer one.
"""
_KEY = re.compile(r'keyid="([A-Za-z0-9_-]+)"')


def keep(home: Path, bundle: bytes, digest: str, now: datetime) -> None:
    """Remember that `bundle` came into force now; one that is known already is left as it is."""
    folder = home / _FOLDER
    if not list(folder.glob(f"*-{digest[:32]}.json")):
        keys.write_secret(folder / f"{now.timestamp():016.3f}-{digest[:32]}.json", bundle)


def near(since: Sequence[float], moment: float) -> list[int]:
    """Which of several that began at `since` (ascending) a message of this moment may be judged by; its own first."""
    own, low, high = (max(0, bisect_right(since, moment + by) - 1) for by in (0.0, -NEAR, NEAR))
    return [own, *(at for at in range(high, low - 1, -1) if at != own)]


def fitting(files: Iterable[Mapping[str, str]], signed: Iterable[str]) -> int:
    """The index of the first of these configurations that lists the keys of all these `Signature-Input`s; else 0."""
    wanted = {found[1] for text in signed if (found := _KEY.search(text))}
    for at, one in enumerate(files):
        countries = [json.loads(text) for name, text in one.items() if name.endswith(".country.json")]
        listed = [gateway for country in countries for member in country["members"] for gateway in member["gateways"]]
        if wanted <= {keys.thumbprint(keys.from_jwk(gateway["message_key"])) for gateway in listed}:
            return at
    return 0


def of_exchange(home: Path, moment: float, signed: Iterable[str]) -> bytes | None:
    """The bundle that was in force at this Unix time (the first for anything before it), or of those in force within
    a second of it the one that lists the keys by which messages are signed; None when there is none.
    """
    found = sorted((home / _FOLDER).glob("*.json"))
    if not found:
        return None
    bundles = [found[index].read_bytes() for index in near([_begin(path) for path in found], moment)]
    return bundles[fitting((json.loads(one)["files"] for one in bundles), signed) if len(bundles) > 1 else 0]


def between(home: Path, begin: float, end: float) -> list[tuple[float, bytes]]:
    """Begin (Unix seconds) and bundle of all that were in force from `begin` to `end`."""
    found = [(_begin(path), path) for path in sorted((home / _FOLDER).glob("*.json"))]
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
