"""Co-signatures: another party says that it has seen this head and that it continues the one it saw before.

Form: C2SP `cosignature/v1`, Ed25519 over a header with the time and the note's text; its line stands under the note.
Witnesses use a key of their own, never the key of a log.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from smartgov.engines.ledger.checkpoint import unbase64

_COSIGNATURE = b"\x04"
_TIME = 8  # bytes of the time before the signature
_WHOLE = 4 + _TIME + 64


@dataclass(frozen=True, slots=True)
class Cosignature:
    """Who has co-signed, and when (Unix seconds)."""

    witness: str
    time: int


def cosign(note: str, witness: str, key: Ed25519PrivateKey, time: int) -> str:
    """The line that `witness` adds under `note`, with its newline."""
    value = _key_id(witness, key.public_key()) + time.to_bytes(_TIME, "big") + key.sign(_message(note, time))
    return f"— {witness} {base64.b64encode(value).decode()}\n"


def cosignatures(note: str, witnesses: Mapping[str, Ed25519PublicKey]) -> list[Cosignature]:
    """The valid co-signatures of these witnesses under `note`, one each; everything else is passed over."""
    found: dict[str, Cosignature] = {}
    for line in note.partition("\n\n")[2].splitlines():
        name, _, value = line.removeprefix("— ").rpartition(" ")
        if line.startswith("— ") and name in witnesses and name not in found:
            time = _time(note, name, value, witnesses[name])
            if time is not None:
                found[name] = Cosignature(name, time)
    return list(found.values())


def _time(note: str, name: str, value: str, key: Ed25519PublicKey) -> int | None:
    try:
        raw = unbase64(value)
    except ValueError:
        return None
    if len(raw) != _WHOLE or raw[:4] != _key_id(name, key):
        return None
    time = int.from_bytes(raw[4 : 4 + _TIME], "big")
    try:
        key.verify(raw[4 + _TIME :], _message(note, time))
    except InvalidSignature:
        return None
    return time


def _message(note: str, time: int) -> bytes:
    return f"cosignature/v1\ntime {time}\n".encode() + text(note)


def text(note: str) -> bytes:
    """The part of a note that is signed: its lines up to the empty one."""
    return note.partition("\n\n")[0].encode() + b"\n"


def _key_id(name: str, key: Ed25519PublicKey) -> bytes:
    return sha256(name.encode() + b"\n" + _COSIGNATURE + key.public_bytes_raw()).digest()[:4]
