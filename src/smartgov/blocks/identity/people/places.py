"""From where somebody signs in, coarsely: the country to which the registries gave the network address.

No outside service is asked, and no address is kept. The five regional registries publish who holds which block
(`delegated-<registry>-extended-latest`); the command `network_places` packs these files into one table of a few
megabytes in the country's folder. Without it every place is unknown, and the pages say so.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

from django.http import HttpRequest

from smartgov.blocks.ops.api import address_of
from smartgov.shared import content, homes
from smartgov.shared.text import Text

LOCAL = "local"
_ROW = struct.Struct(">QQ2s")
_UNKNOWN = Text("Unknown place", "地點不明")


def of(request: HttpRequest) -> str:
    """The place of a request: a country's code (ISO 3166), `local`, or empty when it is unknown."""
    try:
        found = ip_address(address_of(request))
    except ValueError:
        return ""
    if found.is_loopback or found.is_private or found.is_link_local:
        return LOCAL
    return _look_up(_number(found), *_table(_path()))


def in_words(place: str) -> Text:
    """A place for people."""
    names = _names()
    return names.get(place, Text(place, place)) if place else _UNKNOWN


def rows(lines: Iterable[str]) -> Iterator[tuple[int, int, str]]:
    """The blocks of a registry's file: first and last number, country. Comments, sums and free blocks are left out."""
    for line in lines:
        parts = line.strip().split("|")
        if len(parts) < 7 or parts[2] not in ("ipv4", "ipv6") or parts[6] not in ("allocated", "assigned"):
            continue
        country, start, size = parts[1], parts[3], int(parts[4])
        if len(country) != 2 or not country.isalpha() or country == "ZZ":
            continue
        first = _number(ip_address(start))
        length = size if parts[2] == "ipv4" else 1 << max(64 - size, 0)
        yield first, first + length - 1, country.upper()


def write(found: Iterable[tuple[int, int, str]], path: Path) -> int:
    """Pack blocks into the table at `path`, in one step; how many there are."""
    packed = [_ROW.pack(first, last, country.encode()) for first, last, country in sorted(found)]
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_bytes(b"".join(packed))
    fresh.replace(path)
    return len(packed)


def table_path() -> Path:
    """Where the packed table lies."""
    return homes.home() / "identity" / "places.bin"


def _path() -> tuple[str, int]:
    path = table_path()
    return str(path), path.stat().st_mtime_ns if path.exists() else 0


def _table(path: tuple[str, int]) -> tuple[list[int], list[int], list[str]]:
    return _loaded(*path)


@lru_cache(maxsize=2)
def _loaded(path: str, written: int) -> tuple[list[int], list[int], list[str]]:
    if not written:
        return [], [], []
    found = list(_ROW.iter_unpack(Path(path).read_bytes()))
    return [row[0] for row in found], [row[1] for row in found], [row[2].decode() for row in found]


def _look_up(number: int, firsts: list[int], lasts: list[int], countries: list[str]) -> str:
    at = bisect_right(firsts, number) - 1
    return countries[at] if at >= 0 and number <= lasts[at] else ""


def _number(address: IPv4Address | IPv6Address) -> int:
    """One line of numbers for both kinds: IPv6 by its upper half, which for every address in use is above all IPv4."""
    return int(address) if isinstance(address, IPv4Address) else int(address) >> 64


@lru_cache(maxsize=1)
def _names() -> dict[str, Text]:
    return {code: Text.of(name) for code, name in content.read("places.yaml")["places"].items()}
