"""Checkpoints: the signed head of a log as a C2SP signed note (tlog-checkpoint over Ed25519).

The text is three lines, origin, size and root in base64, then extension lines if there are any; after an empty line
comes one signature line for each signer.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

_ED25519 = b"\x01"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of a log: how many records it holds, the root over them, and what its owner says besides."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()


def format(checkpoint: Checkpoint) -> str:  # noqa: A001 - the verb of this module
    """The text that is signed."""
    said = "".join(f"{line}\n" for line in checkpoint.extensions)
    return f"{checkpoint.origin}\n{checkpoint.size}\n{base64.b64encode(checkpoint.root).decode()}\n{said}"


def sign(checkpoint: Checkpoint, key: Ed25519PrivateKey) -> str:
    """The signed note; the signer's name is the origin."""
    text = format(checkpoint)
    signature = base64.b64encode(_key_id(checkpoint.origin, key.public_key()) + key.sign(text.encode())).decode()
    return f"{text}\n— {checkpoint.origin} {signature}\n"


def parse(note: str) -> Checkpoint:
    """The checkpoint of a note whose signature is not looked at; use `verify` to trust it."""
    try:
        text, _ = note.split("\n\n", 1)
        origin, size, root, *extensions = text.split("\n")
        read = Checkpoint(origin, int(size), unbase64(root), tuple(extensions))
    except ValueError:
        raise _broken("Its text is not that of a checkpoint.", "其內容不是檢查點。") from None
    if not origin or len(read.root) != 32 or read.size < 0 or str(read.size) != size:
        raise _broken("Its text is not that of a checkpoint.", "其內容不是檢查點。")
    return read


def verify(note: str, public_key: Ed25519PublicKey, origin: str | None = None) -> Checkpoint:
    """The checkpoint of a note signed by `public_key` (for `origin`, when given), else Problem `checkpoint-invalid`."""
    read = parse(note)
    if origin is not None and read.origin != origin:
        raise _broken("It belongs to another log.", "它屬於另一個日誌。")
    text, signatures = note.split("\n\n", 1)
    wanted = _key_id(read.origin, public_key)
    for line in signatures.splitlines():
        raw = _signature(line, read.origin)
        if raw[:4] != wanted:
            continue
        try:
            public_key.verify(raw[4:], (text + "\n").encode())
        except InvalidSignature:
            continue
        return read
    raise _broken("No valid signature of the expected key stands under it.", "沒有預期金鑰的有效簽章。")


def _signature(line: str, name: str) -> bytes:
    mark, _, rest = line.partition(" ")
    signer, _, value = rest.rpartition(" ")
    if mark != "—" or signer != name:
        return b""
    try:
        return unbase64(value)
    except ValueError:
        return b""


def unbase64(text: str) -> bytes:
    """The bytes of base64 as everybody writes it, padded and without stray bits; ValueError for any other text."""
    value = base64.b64decode(text, validate=True)
    if base64.b64encode(value).decode() != text:
        raise ValueError("base64 in another form")
    return value


def _key_id(name: str, key: Ed25519PublicKey) -> bytes:
    return sha256(name.encode() + b"\n" + _ED25519 + key.public_bytes_raw()).digest()[:4]


def _broken(en: str, zh: str) -> Problem:
    return Problem(
        "checkpoint-invalid",
        502,
        what=Text("A log's checkpoint cannot be trusted.", "日誌的檢查點不可信。"),
        why=Text(en, zh),
        todo=Text("Tell the log's owner and the auditor.", "請通知日誌所屬機關與稽核人員。"),
    )
