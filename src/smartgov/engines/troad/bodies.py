"""How a body is committed to: an HMAC under a random salt, which travels beside it and is erased with it.

An unsalted digest of a short body could be guessed, so what is signed and kept is the commitment (`TRoad-Body`).
Whoever has salt and body can show that they belong to it.
"""

from __future__ import annotations

import binascii
import hmac
import os
from collections.abc import Mapping
from hashlib import sha256

from smartgov.engines.pki import keys
from smartgov.engines.troad.problems import refuse


def commit(body: bytes, *, bare: bool = False) -> tuple[bytes, dict[str, str]]:
    """A fresh 32-byte salt, and the fields `troad-body`, `troad-salt` and, unless `bare`, `content-digest` for `body`.

    The digest is for those who read RFC 9530 and nothing of ours: the commitment, which is signed, says the same.
    """
    salt = os.urandom(32)
    fields = {"troad-body": commitment(salt, body), "troad-salt": f":{_base64(salt)}:"}
    if not bare:
        fields["content-digest"] = _digest(body)
    return salt, fields


def commitment(salt: bytes, body: bytes) -> str:
    """The value of `TRoad-Body`: HMAC-SHA-256 of the body under its salt, which tells nothing without the salt."""
    return f"hmac-sha-256=:{_base64(keys.mac(salt, body))}:"


def open_commitment(fields: Mapping[str, str], body: bytes, slug: str) -> bytes:
    """The salt, when body, salt, commitment and (if sent) RFC 9530 digest agree; else the Problem `slug`."""
    try:
        salt = binascii.a2b_base64(fields.get("troad-salt", "").removeprefix(":").removesuffix(":"), strict_mode=True)
    except ValueError:
        raise refuse(slug) from None
    shown = fields.get("troad-body", "").encode()  # texts are compared in ASCII only
    if len(salt) != 32 or not hmac.compare_digest(commitment(salt, body).encode(), shown):
        raise refuse(slug)
    check_digest(fields, body, slug)
    return salt


def check_digest(fields: Mapping[str, str], body: bytes, slug: str) -> None:
    """Refuse a body that differs from its Content-Digest, which is not kept: a short body could be guessed from it."""
    sent = fields.get("content-digest", "")
    if "sha-256=" in sent and _digest(body) not in {part.strip() for part in sent.split(",")}:
        raise refuse(slug)


def _digest(body: bytes) -> str:
    return f"sha-256=:{_base64(sha256(body).digest())}:"


def _base64(value: bytes) -> str:
    return binascii.b2a_base64(value, newline=False).decode()
