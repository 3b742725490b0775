"""Seeded changes to evidence: of every member and every file, its type, its order, its text, its encoding."""

from __future__ import annotations

import base64
import binascii
import copy
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

Path = tuple[str | int, ...]
_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 1.5, 2.0, 10**30, 1e308, "", "0", "\ud800", "\0", "é", "１"),
    *([], {}, [[]], [None], [{}], {"a": 1}, {"": ""}, "A" * 5000, "null", "[" * 3000),
)
_NUMBERS = str.maketrans("0123456789", "０１２３４５６７８９")


def paths(value: Any, at: Path = ()) -> Iterator[Path]:
    """Where something stands in JSON, all of it included."""
    yield at
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in inner:
        yield from paths(part, (*at, name))


def found(value: Any, at: Path) -> Any:
    """What stands there."""
    for name in at:
        value = value[name]
    return value


def put(value: Any, at: Path, part: Any) -> Any:
    """A copy with `part` there."""
    if not at:
        return part
    fresh = copy.deepcopy(value)
    found(fresh, at[:-1])[at[-1]] = part
    return fresh


def change(value: Any, at: Path, draw: random.Random) -> Any:
    """A copy of JSON that is changed at this place, in a way that fits what stands there."""
    part = found(value, at)
    ways: list[Callable[[], Any]] = [lambda: put(value, at, draw.choice(VALUES))]
    if at:
        ways.append(lambda: _without(value, at))
    if isinstance(part, dict):
        ways.append(lambda: put(value, at, {**part, draw.choice(["", "further", "sig", "signed"]): 1}))
        ways.append(lambda: put(value, at, _renamed(part, draw)))
    if isinstance(part, list) and part:
        ways.append(lambda: put(value, at, part[::-1]))
        ways.append(lambda: put(value, at, [*part, draw.choice(part)]))
        ways.append(lambda: put(value, at, part[1:]))
    if isinstance(part, int):
        ways += 2 * [
            lambda: put(value, at, draw.choice([part + 1, part - 1, -part, float(part), str(part), part + 2**64]))
        ]
    if isinstance(part, str):
        ways += 6 * [lambda: put(value, at, text(part, draw))]
    return draw.choice(ways)()


def text(part: str, draw: random.Random) -> str:
    """Another text: as JSON, as a note, as base64, as hex, as a time, or as letters."""
    ways = [_letters, _base64, _bytes, _lines]
    if part.startswith(("{", "[")):
        ways = [_json, _json, _json, _json_text, _letters]
    return draw.choice(ways)(part, draw)


def _without(value: Any, at: Path) -> Any:
    fresh = copy.deepcopy(value)
    del found(fresh, at[:-1])[at[-1]]
    return fresh


def _renamed(part: dict[str, Any], draw: random.Random) -> dict[str, Any]:
    if not part:
        return {"a": part}
    name = draw.choice(list(part))
    other = draw.choice([name.upper(), f"{name} ", f"{name}\u200b", "", f"0{name}"])
    return {(other if one == name else one): it for one, it in part.items()}


def _letters(part: str, draw: random.Random) -> str:
    at = draw.randrange(len(part) + 1)
    mark = draw.choice(
        [" ", "\n", "\t", "\0", "A", "0", "=", "\u00a0", "\u2028", "\ud800", "é", "+", "-", "/", "\r", ".", "\\u0041"]
    )
    other = draw.choice("ABab01")
    return draw.choice(
        [
            part[:at] + mark + part[at:],
            part[: max(at - 1, 0)] + part[at:],
            part[: max(at - 1, 0)] + (other if at else "") + part[at:],
            part.upper(),
            part.lower(),
            f" {part}",
            f"{part} ",
            f"{part}\n",
            part + part,
            part[::-1],
            part.translate(_NUMBERS),
            part.replace("Z", "+00:00"),
            part.replace("+00:00", "Z"),
            part.replace("+00:00", ""),
            part.replace("+00:00", "+00:01"),
            part.replace("/", "\\/"),
            part.replace("/", "_").replace("+", "-"),
            part.rstrip("="),
            f"{part}=",
        ]
    )


def _base64(part: str, draw: random.Random) -> str:
    """The same bytes in other letters, or nearly so: stray bits, broken lines."""
    bare = part.rstrip("=")
    if not bare:
        return f"{part}="
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = letters.find(bare[-1]) ^ draw.choice([1, 2, 3])
    return draw.choice([bare[:-1] + letters[last % 64] + part[len(bare) :], f"{part[:64]}\n{part[64:]}", f"{part}===="])


def _bytes(part: str, draw: random.Random) -> str:
    """Other bytes in the same letters: as of DER, of a signature, of a record."""
    try:
        raw = bytearray(base64.b64decode(part, validate=True))
    except (binascii.Error, ValueError):
        return _hex(part, draw)
    return base64.b64encode(_raw(raw, draw)).decode()


def _hex(part: str, draw: random.Random) -> str:
    try:
        raw = bytearray.fromhex(part)
        return draw.choice([bytes(_raw(raw, draw)).hex(), _malleable(bytes(raw), draw).hex(), f"{part[:2]} {part[2:]}"])
    except ValueError:
        return _letters(part, draw)


def _raw(raw: bytearray, draw: random.Random) -> bytearray:
    if not raw:
        return bytearray(b"\0")
    at = draw.randrange(len(raw))
    how = draw.randrange(6)
    if how == 0:
        raw[at] ^= 1 << draw.randrange(8)
    elif how == 1:
        raw[at] = draw.choice([0, 1, 0x30, 0x31, 0x7F, 0x80, 0x81, 0xFF])
    elif how == 2:
        del raw[at]
    elif how == 3:
        raw.insert(at, draw.choice([0, 0x30, 0xFF]))
    elif how == 4:
        raw += b"\0"
    else:
        del raw[at:]
    return raw


def _malleable(signature: bytes, draw: random.Random) -> bytes:
    """Another signature over the same by arithmetic alone, or the same in another DER; ValueError when it is none."""
    r, s = decode_dss_signature(signature)
    other = encode_dss_signature(r, _N - s)
    long = signature[:1] + b"\x81" + signature[1:]
    padded = encode_dss_signature(r, s)
    padded = bytes([0x30, padded[1] + 1, 2, padded[3] + 1, 0]) + padded[4:]
    return draw.choice(
        [other, long, padded, signature + b"\0", encode_dss_signature(r, s + _N), encode_dss_signature(r, 0)]
    )


def _lines(part: str, draw: random.Random) -> str:
    """As of a signed note."""
    lines = part.split("\n")
    at, to = draw.randrange(len(lines)), draw.randrange(len(lines))
    moved = [line for n, line in enumerate(lines) if n != at]
    moved.insert(to, draw.choice([lines[at], _base64(lines[at], draw), _letters(lines[at], draw)]))
    ways = [
        moved,
        lines[:at] + lines[at + 1 :],
        [*lines[:at], lines[at], *lines[at:]],
        [*lines[:at], "— stranger AAAA", *lines[at:]],
        [*lines[:at], "key-before-epoch 2 " + "A" * 43 + "=", *lines[at:]],
        [*lines[:at], "", *lines[at:]],
        [line.replace(" ", "  ") if n == at else line for n, line in enumerate(lines)],
    ]
    return draw.choice(["\n", "\n", "\n", "\r\n", "\x0b"]).join(draw.choice(ways))


def _json(part: str, draw: random.Random) -> str:
    try:
        inner = json.loads(part)
    except ValueError:
        return _letters(part, draw)
    changed = change(inner, draw.choice(list(paths(inner))), draw)
    return json.dumps(changed, separators=(",", ":"), ensure_ascii=draw.random() < 0.2)


def _json_text(part: str, draw: random.Random) -> str:
    """Names that stand twice, numbers that are none, space, and a text that goes on."""
    return draw.choice(
        [
            part[:1] + '"signed":{},' + part[1:],
            part[:1] + '"signatures":[],' + part[1:],
            part[:1] + '"further":NaN,' + part[1:],
            part[:-1] + ',"signed":null}',
            part.replace('"version":', '"version":9,"version":', 1),
            part.replace('"sig":', '"sig":"00","sig":', 1),
            part.replace(",", ", "),
            part.replace(":1", ":1.0", 1),
            part.replace(":1", ":1e0", 1),
            part.replace(":1", ":" + "1" * 5000, 1),
            part + part,
            f"\ufeff{part}",
            "[" * 100_000,
        ]
    )
