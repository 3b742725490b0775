"""One byte form for JSON that is hashed or signed: sorted keys, no spaces, UTF-8, no floats."""

from __future__ import annotations

import json
from typing import Any


def dumps(value: Any) -> bytes:
    """`value` in canonical form; floats are refused because their text differs between writers."""
    _refuse_floats(value)
    return _encode(value).encode()


_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode
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
