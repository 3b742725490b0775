"""Encryption at rest for single values, and blind indexes to find them again.

Each process home has one data key (32 random bytes, mode 0600). Separate keys for each context are derived with HKDF,
so that a value sealed for one column cannot be moved into another.
"""

from __future__ import annotations

import base64
import hmac
import os
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from smartgov.shared import settings
from smartgov.shared.problems import Problem


def seal(text: str, context: str) -> str:
    """`text` encrypted with AES-256-GCM for `context` (for example `identity.account.name`)."""
    nonce = os.urandom(12)
    body = AESGCM(_key(context, "seal")).encrypt(nonce, text.encode(), context.encode())
    return base64.urlsafe_b64encode(nonce + body).decode()


def unseal(token: str, context: str) -> str:
    """The text of a value that `seal` made for the same context; an altered one is a Problem `seal-broken`."""
    raw = base64.urlsafe_b64decode(token)
    try:
        return AESGCM(_key(context, "seal")).decrypt(raw[:12], raw[12:], context.encode()).decode()
    except InvalidTag:
        raise Problem(
            "seal-broken", 500, what="A stored value could not be opened.", why="It was altered or its key is missing."
        ) from None


def blind_index(value: str, context: str) -> str:
    """HMAC-SHA-256 of `value` (hex) under a key of its own: equal values match, others tell nothing."""
    return hmac.new(_key(context, "index"), value.encode(), sha256).hexdigest()


def create_data_key(path: Path) -> None:
    """Write a new data key with mode 0600; an existing one is kept."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(os.urandom(32))


def _key(context: str, use: str) -> bytes:
    return _derive(settings.get("SMARTGOV_DATA_KEY_FILE"), context, use)


@lru_cache(maxsize=256)
def _derive(path: str, context: str, use: str) -> bytes:
    master = Path(path).read_bytes()
    return HKDF(SHA256(), 32, salt=None, info=f"smartgov/{use}/{context}".encode()).derive(master)
