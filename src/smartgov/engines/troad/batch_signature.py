"""One signature for all messages of a commit: ECDSA over the root of a Merkle tree, and each message's way up to it.

A value is `01`, size and index (two bytes each), a salt of 32 bytes, the path (32 bytes a step, lowest first), and the
64 bytes of the signature over the root. Leaf and signed text have domains of their own, so that neither can pass for
the other, for a record of a log, or for a message that was signed alone; whether a message is signed alone or in a
batch is said by the tag within its own signature base. The salt keeps those who get a sibling's hash from guessing it.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from struct import Struct

from cryptography.hazmat.primitives.asymmetric import ec

from smartgov.engines.ledger import merkle
from smartgov.engines.pki import keys

LEAF = b"\x00troad-v2-batch-leaf\n"
ROOT = "troad-v2-batch-root"
MOST = 1024
"""Messages of one batch."""
_FORM, _SALT, _HASH, _SIGNATURE = b"\x01", 32, 32, 64
_PLACE = Struct(">HH")
"""Size of the batch and index of the message in it."""
_FIXED = 5 + _SALT + _SIGNATURE
_ROOTS_KEPT = 4096


@dataclass(slots=True)
class Value:
    """A value that was read; nothing in it is verified yet."""

    size: int
    index: int
    salt: bytes
    path: list[bytes]
    signature: bytes


def sign(key: ec.EllipticCurvePrivateKey, digests: Sequence[bytes]) -> list[bytes]:
    """A value for each signature base, given by its SHA-256; at most `MOST` of them."""
    if not 0 < len(digests) <= MOST:
        raise ValueError("a batch has 1 to 1024 messages")
    fresh = os.urandom(_SALT * len(digests))
    salts = [fresh[at : at + _SALT] for at in range(0, len(fresh), _SALT)]
    root, paths = _tree([leaf(salt, digest) for salt, digest in zip(salts, digests, strict=True)])
    size = len(digests)
    signature = keys.sign(key, root_text(size, root))
    return [
        b"".join((_FORM, _PLACE.pack(size, index), salt, path, signature))
        for index, (salt, path) in enumerate(zip(salts, paths, strict=True))
    ]


def read(value: bytes) -> Value | None:
    """The parts of a value, or None when it has another form."""
    steps, rest = divmod(len(value) - _FIXED, _HASH)
    if steps < 0 or rest or value[:1] != _FORM:
        return None
    size, index = _PLACE.unpack_from(value, 1)
    if not index < size <= MOST:
        return None
    path = value[5 + _SALT : -_SIGNATURE]
    hashes = [path[at : at + _HASH] for at in range(0, len(path), _HASH)]
    return Value(size, index, value[5 : 5 + _SALT], hashes, value[-_SIGNATURE:])


def holds(key: ec.EllipticCurvePublicKey, value: bytes, digest: bytes) -> bool:
    """Whether `key` signed a batch in which the base with this SHA-256 stands where the value says."""
    parts = read(value)
    root = None if parts is None else _root(parts, digest)
    if parts is None or root is None:
        return False
    return keys.verify(key, parts.signature, root_text(parts.size, root))


def leaf(salt: bytes, digest: bytes) -> bytes:
    """The leaf of one message: over the digest of its base, so that it can be computed when the base was erased."""
    return sha256(LEAF + salt + digest).digest()


def root_text(size: int, root: bytes) -> bytes:
    """What is signed. It cannot be a signature base of RFC 9421, which begins with a quotation mark."""
    return f"{ROOT}\n{size}\n{base64.b64encode(root).decode()}\n".encode()


class Roots:
    """Signatures over roots that were verified; `forget` when the status of any key may have changed."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int, bytes, bytes], None] = {}

    def hold(self, kid: str, key: ec.EllipticCurvePublicKey, value: bytes, digest: bytes) -> bool:
        """As `holds`, with one verification for a batch. `kid` is the thumbprint of `key`."""
        parts = read(value)
        root = None if parts is None else _root(parts, digest)
        if parts is None or root is None:
            return False
        name = (kid, parts.size, root, parts.signature)
        if name in self._known:
            return True
        if not keys.verify(key, parts.signature, root_text(parts.size, root)):
            return False
        if len(self._known) >= _ROOTS_KEPT:
            del self._known[next(iter(self._known))]
        self._known[name] = None
        return True

    def forget(self) -> None:
        """Verify everything anew from now on."""
        self._known.clear()


def _root(parts: Value, digest: bytes) -> bytes | None:
    found = leaf(parts.salt, digest)
    return merkle.root_from(leaf=found, index=parts.index, size=parts.size, proof=parts.path)


def _tree(leaves: list[bytes]) -> tuple[bytes, list[bytes]]:
    """The root of the tree of RFC 9162 over these leaf hashes, and the path of each leaf, lowest sibling first."""
    levels = [leaves]
    while len(levels[-1]) > 1:
        level = levels[-1]
        levels.append(merkle.pairs(level) + level[len(level) - len(level) % 2 :])  # an odd last one as it is
    (root,), paths = levels.pop(), [b""]
    for level in reversed(levels):  # downwards, so that siblings share what is above them
        paths = [level[at ^ 1] + paths[at >> 1] if at ^ 1 < len(level) else paths[at >> 1] for at in range(len(level))]
    return root, paths
