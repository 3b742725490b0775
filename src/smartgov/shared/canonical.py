"""One byte form for JSON that is hashed or signed: sorted keys, no spaces, UTF-8, no floats."""

from __future__ import annotations

import json
from collections.abc import Callable
from json import encoder as _parts
from typing import Any


def dumps(value: Any) -> bytes:
    """`value` in canonical form; floats are refused because their text differs between writers."""
    _refuse_floats(value)
    return _encode(value).encode()


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


_encode = compact(sort_keys=True)
_PLAIN = frozenset({str, int, bool, type(None)})
"""Most of what is in a record: looked at by type alone, because every record passes here."""


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
