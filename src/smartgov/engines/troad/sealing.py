"""A stream of bytes under one key, of any length and in little memory: whoever reads it is told of each change.

Parts of 1 MiB (the last one shorter or empty) under AES-256-GCM; the nonce is the part's number (11 bytes) and whether
it is the last one (1 byte), so that parts cannot change places, be left out or be cut off (STREAM: Hoang, Reyhanitabar,
Rogaway, Vizar, "Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance", CRYPTO 2015). A key is used
for one stream.
"""

from __future__ import annotations

from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

PART = 2**20
_TAG = 16


class Sealer:
    """Writes a stream to `out`; `close` writes its end, without which it cannot be read."""

    def __init__(self, out: BinaryIO, key: bytes, bound: bytes) -> None:
        """`bound`: what the reader must know besides the key."""
        self._out, self._cipher, self._bound = out, AESGCM(key), bound
        self._waiting, self._number = bytearray(), 0

    def write(self, content: bytes) -> int:
        """Take more of it."""
        self._waiting += content
        while len(self._waiting) > PART:  # the last part is known as such at the end only
            self._seal(bytes(self._waiting[:PART]), last=False)
            del self._waiting[:PART]
        return len(content)

    def close(self) -> None:
        """It is complete."""
        self._seal(bytes(self._waiting), last=True)

    def _seal(self, part: bytes, *, last: bool) -> None:
        self._out.write(self._cipher.encrypt(_nonce(self._number, last=last), part, self._bound))
        self._number += 1


class Opener:
    """Reads a stream from `file`, which stands at its beginning; ValueError where it was changed or cut off."""

    def __init__(self, file: BinaryIO, key: bytes, bound: bytes) -> None:
        self._file, self._cipher, self._bound = file, AESGCM(key), bound
        self._ready, self._number = b"", 0
        self._next = file.read(PART + _TAG)
        self._ended = False

    def read(self, size: int) -> bytes:
        """The next bytes, fewer than `size` at the end only."""
        found = [self._take(size)]
        while (missing := size - sum(map(len, found))) and not self._ended:
            self._open()
            found.append(self._take(missing))
        return b"".join(found)

    def _take(self, size: int) -> bytes:
        taken, self._ready = self._ready[:size], self._ready[size:]
        return taken

    def _open(self) -> None:
        part, self._next = self._next, self._file.read(PART + _TAG)
        self._ended = not self._next
        try:
            self._ready = self._cipher.decrypt(_nonce(self._number, last=self._ended), part, self._bound)
        except InvalidTag:
            raise ValueError("another key, or another stream") from None
        self._number += 1


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])
