"""One byte form for JSON that is hashed or signed: sorted keys, no spaces, UTF-8, no floats."""

from __future__ import annotations

import json
from collections.abc import Callable
from json import encoder as _parts
from typing import Any

import orjson


def dumps(value: Any) -> bytes:
    """`value` in canonical form; floats are refused because their text differs between writers.

    orjson writes the same bytes as `json` for text, integers of 64 bits, booleans, null, lists and dicts with keys of
    text. Everything else, of which it takes more than `json` does, goes the old way, and is refused or written there.
    """
    if _is_plain(value):
        try:
            return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
        except orjson.JSONEncodeError:  # a larger integer, another key, half of a surrogate pair, too many levels
            pass
    _refuse_floats(value)
    return _encode(value).encode()


def loads(body: bytes) -> tuple[Any, bool]:
    """`body` read as JSON, and whether `compactly` may give it to orjson. ValueError or RecursionError as `json.loads`.

    Read by the standard library: `orjson.loads` makes a float of a large integer, and floats are written differently.
    """
    try:
        text = body.decode()
        value, end = _scan(text, 0)
        if end == len(text):
            return value, True
    except (ValueError, StopIteration):  # a float, space before it, another encoding, or no JSON
        pass
    return json.loads(body), False


def once(text: str) -> Any:
    """`text` read as JSON in which no object has a name twice: readers differ in which of two they believe.

    ValueError for such a one, for NaN and Infinity, and for what is no JSON.
    """
    return json.loads(text, object_pairs_hook=_named_once, parse_constant=_no_float)


def compactly(value: Any, plain: bool, errors: str = "strict") -> bytes:
    """What `loads` gave and somebody may have taken parts from or put texts into, without spaces, in its own order."""
    if plain:
        try:
            return orjson.dumps(value)
        except orjson.JSONEncodeError:  # as in `dumps`
            pass
    return _in_order(value).encode("utf-8", errors)


def compact(*, sort_keys: bool = False) -> Callable[[Any], str]:
    """A function that writes JSON without spaces and with every letter as it is, for what is written very often.

    `json.JSONEncoder.encode` builds its C encoder anew for every text; here it is built once. It does not look for
    values that hold themselves, so it is for values that were just made or read.
    """
    plain = json.JSONEncoder(ensure_ascii=False, sort_keys=sort_keys, separators=(",", ":"))
    make: Any = getattr(_parts, "c_make_encoder", None)
    if make is None:
        return plain.encode
    write = make(None, plain.default, _parts.encode_basestring, None, ":", ",", sort_keys, False, True)
    return lambda value: "".join(write(value, 0))


_encode, _in_order = compact(sort_keys=True), compact()


def _named_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _no_float(text: str) -> Any:
    raise ValueError("a float")


_decoder: Any = json.JSONDecoder(parse_float=_no_float, parse_constant=_no_float)
_scan = _decoder.scan_once
_PLAIN = frozenset({str, int, bool, type(None)})
"""Most of what is in a record: looked at by type alone, because every record passes here."""
_DEEPEST = 200
"""Levels that orjson is given; it takes 254."""


def _is_plain(value: Any, level: int = 0) -> bool:
    """Whether it consists of exactly these types: orjson would also write enumerations, dates, data classes, floats."""
    kind = type(value)
    if kind is dict:
        parts = value.values()
    elif kind is list or kind is tuple:
        parts = value
    else:
        return kind in _PLAIN
    if level > _DEEPEST:
        return False
    for part in parts:  # noqa: SIM110 - `all` would make a generator for every list in every record
        if type(part) not in _PLAIN and not _is_plain(part, level + 1):
            return False
    return True


def _refuse_floats(value: Any) -> None:
    if isinstance(value, float):
        raise ValueError("canonical JSON holds no floats")
    if isinstance(value, dict):
        for part in value.values():
            if type(part) not in _PLAIN:
                _refuse_floats(part)
    elif isinstance(value, list | tuple):
        for part in value:
            if type(part) not in _PLAIN:
                _refuse_floats(part)
