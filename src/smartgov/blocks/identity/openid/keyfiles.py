"""The provider's signing keys: files of mode 0600 in the home, or keys of a hardware module that such a file names.

`openid/keys.json` says when each key begins and ends; it is read anew when it changes. Web processes hold the key of
the file form, as they must sign at each sign-in; a country that wants better names a key in a module (`pki/token.py`).
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from smartgov.engines.openid.keyring import AHEAD, KeyPlan
from smartgov.engines.pki import keys
from smartgov.shared import clock, homes


@lru_cache(maxsize=1)
def folder() -> Path:
    """Where the keys lie."""
    return homes.home() / "openid"


class FileSigner:
    """Implements `engines.openid.keyring.Signer`."""

    def plans(self) -> Sequence[KeyPlan]:
        """All keys that are not forgotten; the first one is made at the first use."""
        path = folder() / "keys.json"
        try:
            changed = path.stat().st_mtime_ns
        except FileNotFoundError:
            _make_first()
            changed = path.stat().st_mtime_ns
        return _read(path, changed)

    def sign(self, claims: dict[str, Any], *, kid: str, typ: str) -> str:
        """A compact JWS by the key `kid`."""
        key, header = _key(folder(), kid), _header(kid, typ)
        body = keys.b64url(json.dumps(claims, ensure_ascii=False, separators=(",", ":")).encode())
        return f"{header}.{body}.{keys.b64url(keys.sign(key, f'{header}.{body}'.encode()))}"


def announce(not_before: datetime | None = None) -> KeyPlan:
    """Make the next key: published at once, signing a day later (or at `not_before`), when the present one retires."""
    plans = list(FileSigner().plans())
    begins = not_before or clock.now() + AHEAD
    made = _made(begins)
    old = [KeyPlan(plan.kid, plan.jwk, plan.not_before, plan.retires_at or begins) for plan in plans]
    _write([*old, made])
    return made


def _make_first() -> None:
    """The first key signs from the beginning: nobody knows an older one. Of two processes that make one, one wins."""
    made = _made(datetime(2000, 1, 1, tzinfo=UTC))
    mine = folder() / f"{made.kid}.json"
    _write([made], mine)
    with contextlib.suppress(FileExistsError):
        os.link(mine, folder() / "keys.json")
    mine.unlink()


def _made(not_before: datetime) -> KeyPlan:
    key = keys.generate_p256()
    public = keys.public_jwk(key.public_key())
    keys.save_private(folder() / f"{public['kid']}.pem", key)
    return KeyPlan(public["kid"], public, not_before)


def _write(plans: Sequence[KeyPlan], path: Path | None = None) -> None:
    rows = [
        {
            "kid": plan.kid,
            "jwk": plan.jwk,
            "not_before": plan.not_before.isoformat(),
            "retires_at": plan.retires_at.isoformat() if plan.retires_at else None,
        }
        for plan in plans
    ]
    keys.write_secret(path or folder() / "keys.json", json.dumps(rows, indent=1).encode())


@lru_cache(maxsize=4)
def _read(path: Path, changed: int) -> tuple[KeyPlan, ...]:
    rows = json.loads(path.read_text())
    return tuple(
        KeyPlan(
            row["kid"],
            row["jwk"],
            datetime.fromisoformat(row["not_before"]),
            datetime.fromisoformat(row["retires_at"]) if row["retires_at"] else None,
        )
        for row in rows
    )


@lru_cache(maxsize=8)
def _key(place: Path, kid: str) -> ec.EllipticCurvePrivateKey:
    return keys.load_p256(place / f"{kid}.pem")


@lru_cache(maxsize=16)
def _header(kid: str, typ: str) -> str:
    return keys.b64url(json.dumps({"alg": "ES256", "typ": typ, "kid": kid}, separators=(",", ":")).encode())
