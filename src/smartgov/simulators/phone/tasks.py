"""What a phone does beyond approving: it makes a key for signatures, activates its certificate, and signs a document.

The key for signatures is another than the one that signs people in. A document is signed only after its name and its
fingerprint were shown, and only if what is to be signed names that very document.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from asn1crypto import cms
from cryptography.hazmat.primitives.asymmetric import ec

from smartgov.engines.pki import keys
from smartgov.shared.text import Text
from smartgov.simulators import pages
from smartgov.simulators.phone import home as phones

_HEX = re.compile(r"[0-9a-f]{64}")
_LONGEST_NAME = 200
_OF_DOCUMENT = {"name", "digest", "to_sign"}
_MEMBERS: Mapping[str, set[str]] = {
    "csr": set(),
    "enrol": set(),
    "activate": {"serial", "challenge"},
    "sign": _OF_DOCUMENT,
}


class TaskRefusedError(ValueError):
    """A task that no phone would do; the text names the member that is wrong."""


def read(task: Any) -> dict[str, str]:
    """A task as it was posted, if it is one of ours and whole; else TaskRefusedError."""
    if not isinstance(task, dict) or not all(isinstance(value, str) for value in task.values()):
        raise TaskRefusedError("task")
    names = _MEMBERS.get(task.get("kind", ""))
    if names is None or set(task) != names | {"kind"}:
        raise TaskRefusedError("task.kind")
    if task["kind"] == "activate" and not task["serial"].isdigit():
        raise TaskRefusedError("task.serial")
    if task["kind"] == "sign":
        _require_document(task)
    return dict(task)


def shown(task: Mapping[str, str]) -> str:
    """What the person sees of the task, as HTML."""
    if task["kind"] != "sign":
        return ""
    return pages.facts(
        [
            (Text("Document", "文件"), escape(task["name"])),
            (
                Text("Fingerprint: must be the same on the other screen", "指紋碼：須與另一個畫面相同"),
                f"<strong>{escape(fingerprint(task['digest']))}</strong>",
            ),
        ]
    )


def fingerprint(digest: str) -> str:
    """Sixteen digits of a digest in groups of four, for people to compare."""
    return " ".join(digest[place : place + 4].upper() for place in range(0, 16, 4))


def do(home: Path, persona: str, task: Mapping[str, str]) -> dict[str, str]:
    """Do it, after the person has agreed; what the service provider gets."""
    if task["kind"] == "enrol":  # the approval itself is signed with this key, which proves that the phone holds it
        return {"jwk": json.dumps(phones.public_jwk(home, persona))}
    if task["kind"] == "csr":
        keys.save_private(_new(home, persona), keys.generate_p256())
        return {"csr": phones.request_for(keys.load_p256(_new(home, persona)), persona)}
    if task["kind"] == "activate":
        fresh = _new(home, persona)
        key = keys.load_p256(fresh if fresh.exists() else _current(home, persona))
        text = f"smartgov certificate activation\n{task['serial']}\n{task['challenge']}".encode()
        signature = keys.sign(key, text)
        if fresh.exists():  # a key is used for documents from the moment that its certificate is activated
            fresh.replace(_current(home, persona))
        return {"signature": keys.b64url(signature)}
    return {"signature": keys.b64url(keys.sign_der(_signing_key(home, persona), keys.from_b64url(task["to_sign"])))}


def _signing_key(home: Path, persona: str) -> ec.EllipticCurvePrivateKey:
    return keys.load_p256(_current(home, persona))


def _new(home: Path, persona: str) -> Path:
    return home / "keys" / f"{persona}.signature.new.key"


def _current(home: Path, persona: str) -> Path:
    return home / "keys" / f"{persona}.signature.key"


def _require_document(task: Mapping[str, str]) -> None:
    """What is to be signed are the signed attributes of a CMS signature over the document with this digest."""
    if not 1 <= len(task["name"]) <= _LONGEST_NAME:
        raise TaskRefusedError("task.name")
    if not _HEX.fullmatch(task["digest"]):
        raise TaskRefusedError("task.digest")
    try:
        attributes = cms.CMSAttributes.load(keys.from_b64url(task["to_sign"]), strict=True)
        found = [one["values"][0].native for one in attributes if one["type"].native == "message_digest"]
    except (ValueError, TypeError, KeyError):
        raise TaskRefusedError("task.to_sign") from None
    if [one.hex() for one in found] != [task["digest"]]:
        raise TaskRefusedError("task.to_sign")
