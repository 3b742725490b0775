"""The list of passwords that were found in breaches: Django's twenty thousand, and any larger one that was imported.

The command `breached_passwords` packs a list of SHA-1 digests (the form of Have I Been Pwned) or of plain passwords
into sorted prefixes of eight bytes, searched in place; nothing is asked of anybody.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterable
from functools import lru_cache
from hashlib import sha1
from pathlib import Path

from django.contrib.auth.password_validation import CommonPasswordValidator

from smartgov.shared import homes

_WIDTH = 8


def is_listed(password: str) -> bool:
    """Whether this password is in a list, in any case of its letters."""
    if password.casefold().strip() in _common():
        return True
    path = table_path()
    return path.exists() and _found(path, digest(password))


def digest(password: str) -> bytes:
    """The first eight bytes of the SHA-1 by which breach lists name passwords; it protects nothing here."""
    return sha1(password.encode(), usedforsecurity=False).digest()[:_WIDTH]


def write(digests: Iterable[bytes], path: Path) -> int:
    """Pack prefixes into the table at `path`, in one step; how many there are."""
    rows = sorted({digest[:_WIDTH] for digest in digests})
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_bytes(b"".join(rows))
    fresh.replace(path)
    return len(rows)


def table_path() -> Path:
    """Where the packed list lies."""
    return homes.home() / "identity" / "breached.bin"


def _found(path: Path, wanted: bytes) -> bool:
    if not path.stat().st_size:
        return False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as rows:
        low, high = 0, len(rows) // _WIDTH
        while low < high:
            middle = (low + high) // 2
            if rows[middle * _WIDTH : (middle + 1) * _WIDTH] < wanted:
                low = middle + 1
            else:
                high = middle
        return rows[low * _WIDTH : (low + 1) * _WIDTH] == wanted


@lru_cache(maxsize=1)
def _common() -> frozenset[str]:
    return frozenset(CommonPasswordValidator().passwords)
