"""Letters: what a gateway writes to the centre, signed by each key that it speaks for.

A letter is JSON: `text` (the canonical JSON of its content) and `signatures` (name of the key to base64url). Each
signature is over `troad-letter-1`, the kind, the name of the key and the text, one a line: a letter of one kind is none
of another, and a key proves itself under its own name only. A letter is for one centre (`to`) and is fresh for ten
minutes; whoever acts on one remembers its digest that long, so that it works once.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from smartgov.engines.pki import keys
from smartgov.shared import canonical
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

FRESH = timedelta(minutes=10)
MAX_BYTES = 64 * 2**10
_TAG = "troad-letter-1"


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter whose signatures hold. `keys` are the public keys that signed it, by name; `digest` is SHA-256, hex."""

    kind: str
    content: Mapping[str, Any]
    keys: Mapping[str, keys.PublicKey]
    digest: str
    written: datetime
    text: str

    @classmethod
    def kept(cls, text: str) -> Letter:
        """A letter whose signatures were verified when it came, from the text that was kept of it."""
        said = json.loads(text)
        public = {str(name): keys.from_jwk(jwk) for name, jwk in said["keys"].items()}
        written = datetime.fromisoformat(said["at"])
        return cls(said["kind"], said["content"], public, sha256(text.encode()).hexdigest(), written, text)

    def jwk(self, name: str) -> dict[str, str]:
        """One of the keys as it is published."""
        return keys.public_jwk(self.keys[name])


def write(
    kind: str, content: Mapping[str, Any], signers: Mapping[str, keys.PrivateKey], *, to: str, now: datetime
) -> dict[str, Any]:
    """The letter, ready to be sent as JSON to the centre whose address (`https://host`) is `to`."""
    public = {name: keys.public_jwk(key.public_key()) for name, key in signers.items()}
    text = canonical.dumps({"kind": kind, "to": to, "at": now.isoformat(), "keys": public, "content": dict(content)})
    signatures = {name: keys.b64url(keys.sign(key, _signed(kind, name, text))) for name, key in signers.items()}
    return {"text": text.decode(), "signatures": signatures}


def read(data: Any, *, kind: str, to: str, now: datetime, most: int = MAX_BYTES) -> Letter:
    """A received letter of at most `most` bytes, every signature verified.

    Problem `letter-invalid`, `letter-foreign` or `letter-stale`.
    """
    try:
        text = data["text"].encode()
        said = json.loads(text)
        if len(text) > most or said["kind"] != kind or not isinstance(said["content"], dict):
            raise ValueError(kind)
        written = datetime.fromisoformat(said["at"])
        written.utctimetuple()
        public = {str(name): keys.from_jwk(jwk) for name, jwk in said["keys"].items()}
        signatures = {name: keys.from_b64url(data["signatures"][name]) for name in public}
        known = bool(public) and written.tzinfo is not None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise _refused("letter-invalid", 401, *_FORM) from None
    if not known or not all(keys.verify(public[n], signatures[n], _signed(kind, n, text)) for n in public):
        raise _refused("letter-invalid", 401, *_SIGNATURE)
    if said["to"] != to:
        raise _refused("letter-foreign", 401, *_FOREIGN)
    if abs(now - written) > FRESH:
        raise _refused("letter-stale", 401, *_STALE)
    return Letter(kind, said["content"], public, sha256(text).hexdigest(), written, text.decode())


def nonce() -> bytes:
    """128 random bits, so that no two letters are alike."""
    return os.urandom(16)


def _signed(kind: str, name: str, text: bytes) -> bytes:
    return f"{_TAG}\n{kind}\n{name}\n".encode() + text


_Pair = tuple[str, str]
_FORM: tuple[_Pair, _Pair] = (
    ("It does not have the documented form.", "不符合文件所定的格式。"),
    ("Write it with the documented command.", "請以文件所載指令產生。"),
)
_SIGNATURE: tuple[_Pair, _Pair] = (
    (
        "A key that it names has not signed it: nobody has shown to hold that key.",
        "所列金鑰未簽署此信，無法證明持有該金鑰。",
    ),
    ("Write it again on the machine that holds the keys.", "請在持有金鑰的主機重新產生。"),
)
_FOREIGN: tuple[_Pair, _Pair] = (
    ("It was written to another centre.", "此信寄給另一個管理中心。"),
    ("Give the address of this centre as it writes it itself.", "請使用本中心公布的網址。"),
)
_STALE: tuple[_Pair, _Pair] = (
    (
        "It was written more than ten minutes ago, or the clocks differ by as much.",
        "此信寫於十分鐘之前，或雙方時鐘差距過大。",
    ),
    ("Set the clock right and write it again.", "請校正時鐘後重新產生。"),
)


def _refused(slug: str, status: int, why: _Pair, todo: _Pair) -> Problem:
    what = Text("The letter to the centre is not accepted.", "管理中心不接受此信。")
    return Problem(slug, status, what=what, why=Text(*why), todo=Text(*todo))
