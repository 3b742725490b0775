"""Token Status List: two bits a credential in one compressed list, and indexes that tell nothing of each other."""

from __future__ import annotations

import hmac
import zlib
from collections.abc import Mapping
from datetime import datetime
from enum import IntEnum
from typing import Any

from smartgov.engines.credential import tokens
from smartgov.engines.credential.tokens import TokenError
from smartgov.engines.pki import keys

TYPE = "statuslist+jwt"
BITS = 2
_PER_BYTE = 8 // BITS
_LARGEST = 64 * 2**20
_ROUNDS = 8


class Status(IntEnum):
    """What a list says of one credential."""

    VALID = 0
    REVOKED = 1
    SUSPENDED = 2


class StatusList:
    """`size` places of two bits; index 0 lies in the lowest bits of the first byte."""

    def __init__(self, size: int, content: bytes | None = None) -> None:
        length = -(-size // _PER_BYTE)
        self.size = size
        self._content = bytearray(length if content is None else content)
        if len(self._content) != length:
            raise ValueError("the content is not of this size")

    def __getitem__(self, index: int) -> int:
        self._require(index)
        return self._content[index // _PER_BYTE] >> (index % _PER_BYTE * BITS) & 3

    def __setitem__(self, index: int, value: int) -> None:
        self._require(index)
        shift = index % _PER_BYTE * BITS
        kept = self._content[index // _PER_BYTE] & ~(3 << shift)
        self._content[index // _PER_BYTE] = kept | (Status(value) << shift)

    def compressed(self) -> bytes:
        """The list in zlib at its best."""
        return zlib.compress(bytes(self._content), 9)

    @classmethod
    def of(cls, compressed: bytes) -> StatusList:
        """A list from its compressed form; ValueError when it is none, or would be larger than 64 MiB."""
        expander = zlib.decompressobj()
        try:
            content = expander.decompress(compressed, _LARGEST)
        except zlib.error:
            raise ValueError("not a status list") from None
        if expander.unconsumed_tail or not expander.eof:
            raise ValueError("not a status list")
        return cls(len(content) * _PER_BYTE, content)

    def _require(self, index: int) -> None:
        if not 0 <= index < self.size:
            raise IndexError("no such place in this list")


def token(
    one: StatusList, *, uri: str, sign: tokens.Sign, x5c: list[str], issued_at: datetime, life: int, ttl: int
) -> str:
    """The signed list at `uri`, good for `life` seconds, to be fetched again after `ttl`."""
    second = int(issued_at.timestamp())
    payload = {
        "sub": uri,
        "iat": second,
        "exp": second + life,
        "ttl": ttl,
        "status_list": {"bits": BITS, "lst": keys.b64url(one.compressed())},
    }
    return tokens.compact({"typ": TYPE, "x5c": x5c}, payload, sign)


def read(text: str, *, uri: str, key: keys.PublicKey, now: datetime) -> StatusList:
    """The list of a token that was fetched from `uri`; TokenError when it is not that list, signed and in force."""
    payload = tokens.opened(text, key, TYPE)
    if payload.get("sub") != uri or not isinstance(payload.get("exp"), int):
        raise TokenError("it is another list")
    tokens.check_times(payload, now)
    return _content(payload)


def _content(payload: Mapping[str, Any]) -> StatusList:
    found = payload.get("status_list")
    if not isinstance(found, dict) or found.get("bits") != BITS:
        raise TokenError("it is no list of two bits")
    try:
        return StatusList.of(keys.from_b64url(str(found.get("lst", ""))))
    except ValueError:
        raise TokenError("its list cannot be read") from None


def place(number: int, key: bytes, size: int) -> int:
    """The index of the `number`-th credential (from 0) in a list of `size`: a permutation that only `key` knows.

    Neighbours in time are no neighbours in the list, no place is given twice, and no row of free places is needed.
    A Feistel network over the next power of four, walked until it falls within the list.
    """
    if not 0 <= number < size:
        raise IndexError("the list is full")
    half = max(1, -(-(size - 1).bit_length() // 2))
    found = number
    while True:
        found = _shuffled(found, key, half)
        if found < size:
            return found


def _shuffled(value: int, key: bytes, half: int) -> int:
    mask = (1 << half) - 1
    left, right = value >> half, value & mask
    for turn in range(_ROUNDS):
        mixed = hmac.digest(key, bytes([turn]) + right.to_bytes(4, "big"), "sha256")
        left, right = right, left ^ (int.from_bytes(mixed[:4], "big") & mask)
    return left << half | right
