"""The authority's trail: each entry holds the digest of the one before, and is signed by a key that only does that."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from smartgov.engines.pki import keys
from smartgov.shared import canonical

_BEGIN = "0" * 64


@dataclass(frozen=True, slots=True)
class Entry:
    """One deed: its number from 1, the canonical JSON that was signed, its SHA-256 (hex), the signature (base64url)."""

    number: int
    body: str
    digest: str
    signature: str

    @property
    def content(self) -> dict[str, Any]:
        """What was done: number, before, at, by, step, record, serial and detail."""
        found: dict[str, Any] = json.loads(self.body)
        return found


def entry(
    last: Entry | None, key: keys.PrivateKey, *, at: datetime, by: str, step: str, detail: Mapping[str, Any]
) -> Entry:
    """The entry that follows `last`; `detail` holds no personal data."""
    number, before = (last.number + 1, last.digest) if last else (1, _BEGIN)
    body = canonical.dumps(
        {"number": number, "before": before, "at": at.isoformat(), "by": by, "step": step, "detail": dict(detail)}
    )
    return Entry(number, body.decode(), sha256(body).hexdigest(), keys.b64url(keys.sign(key, body)))


def first_flaw(entries: Iterable[Entry], key: keys.PublicKey) -> int | None:
    """The number of the first entry that is altered, missing, or not signed by `key`; None when the trail is whole.

    That its end was not cut off shows only against a copy of a later entry kept elsewhere.
    """
    before, expected = _BEGIN, 1
    for one in entries:
        body = one.body.encode()
        whole = one.digest == sha256(body).hexdigest() and keys.verify(key, keys.from_b64url(one.signature), body)
        if not whole or one.content["number"] != expected or one.number != expected or one.content["before"] != before:
            return expected
        before, expected = one.digest, expected + 1
    return None
