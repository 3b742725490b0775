"""Whether the record of one message in a log says what was signed, by a gateway that may speak for its party."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from smartgov.engines.ledger import checkpoint
from smartgov.engines.pki import keys
from smartgov.engines.troad import batch_signature, bodies
from smartgov.engines.troad.listed import InvalidError

if TYPE_CHECKING:
    from smartgov.engines.troad.verification import Case

SKEW = 120
"""Seconds by which clocks of two gateways and of an authority may differ."""
_SALT = 32  # bytes
_HASH = re.compile("[0-9a-f]{64}")
_CREATED = re.compile(r';created=(\d{1,12});nonce="[\w-]+";keyid="([\w-]{43})";tag="troad-v(?:[12]|2(-batch))"$')


def message(
    case: Case, record: Mapping[str, Any], entry: Mapping[str, Any], seen: dict[str, Mapping[str, Any]]
) -> None:
    """The signature over one message and, where they were not erased, its parts."""
    _parts(record, entry)
    if "signature" not in record:
        return
    asked = record["kind"] in {"request", "trail", "meta"}
    signer = case.own if asked == (record["side"] == "client") else case.gateways.get(record["gateway"])
    match = _CREATED.search(record["input"])
    if signer is None or match is None:
        raise InvalidError("signer")
    if signer.foreign:
        raise InvalidError("gateway-key")
    party = record["client" if asked else "service"]
    if match[2] != signer.message_kid or not party.startswith(f"{signer.member}/"):
        raise InvalidError("signer")
    value = checkpoint.unbase64(record["signature"].removeprefix("troad=:").removesuffix(":"))
    holds = batch_signature.holds if match[3] else keys.verify_digest
    if not holds(signer.message_key, value, hashed(record["base"])):
        raise InvalidError("signature")
    created = int(match[1])
    if abs(created - unix(record["time"])) > SKEW:
        raise InvalidError("time")
    if not case.issued - SKEW <= created <= case.expires:
        case.doubts.append("configuration")
    if signer.doubt:
        case.doubts.append(signer.doubt)
    if asked:
        seen["request"] = record
    elif record["kind"] == "answer" and not seen and entry:
        case.doubts.append("question")
    if "base" in entry:
        _claims(record, checkpoint.unbase64(entry["base"]), seen, asked=asked)


def _parts(record: Mapping[str, Any], entry: Mapping[str, Any]) -> None:
    """What was not erased is what the record commits to: all of it, or nothing is there."""
    if {"veil", "veil_salt"} & set(entry):
        _committed(entry["veil_salt"], entry["veil"], record["veil"], "veil")
    if {"salt", "body", "base"} & set(entry):
        _committed(entry["salt"], entry["body"], record["body"], "body")
        if sha256(checkpoint.unbase64(entry["base"])).hexdigest() != record["base"]:
            raise InvalidError("base")


def _committed(salt: str, content: str, commitment: str, word: str) -> None:
    key, clear = checkpoint.unbase64(salt), checkpoint.unbase64(content)
    # HMAC is the same under a key with zeros after it.
    if len(key) != _SALT or not hmac.compare_digest(bodies.commitment(key, clear).encode(), commitment.encode()):
        raise InvalidError(word)


def _claims(record: Mapping[str, Any], base: bytes, seen: dict[str, Mapping[str, Any]], *, asked: bool) -> None:
    """What was signed says the same as what the record says."""
    lines = dict(line.split(": ", 1) for line in base.decode("latin-1").split("\n"))
    req = "" if asked else ";req"
    wanted = {
        '"troad-body"': record["body"],
        '"@signature-params"': record["input"].removeprefix("troad="),
        f'"x-road-id"{req}': record["id"],
    }
    if asked:
        wanted['"x-road-client"'] = record["client"]
        wanted['"@method"'] = record["method"]
        wanted['"@path"'] = f"/r1/{record['service']}{record['path']}"
    else:
        wanted['"@status"'] = str(record["status"])
        if "request" in seen:
            wanted['"signature-input";req'] = seen["request"]["input"]
    if any(lines.get(name) != value for name, value in wanted.items()):
        raise InvalidError("claims")


def unix(text: str) -> int:
    """Unix seconds of an ISO 8601 time; ValueError for one without its offset from UTC."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without its offset")
    return int(moment.timestamp())


def hashed(text: str) -> bytes:
    """The bytes of a hash in hex; ValueError for another form."""
    if _HASH.fullmatch(text) is None:
        raise ValueError("a hash is 64 hexadecimal digits in lower case")
    return bytes.fromhex(text)
