"""Persons between gateways: a national id travels only as a reference encrypted to the receiving gateway.

A reference is a compact JWE (RFC 7516, ECDH-ES on P-256, A256GCM) whose protected header binds it to one gateway
(`aud`), one message (`rid`) and a short time (`exp`). It is made by `cryptography` directly because one exchange may
hold many; `pki.jwe` opens the same tokens, which a test shows.
"""

from __future__ import annotations

import os
import re
import time
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any
from urllib.parse import unquote

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from smartgov.engines.pki import keys
from smartgov.engines.troad.problems import refuse
from smartgov.shared import canonical
from smartgov.shared.tw import national_id

URN = "urn:troad:ref:"
_URN = URN.encode()
_PERSON = national_id.urn("")
_PERSON_BYTES = _PERSON.encode()
_ANY = "surrogatepass"
"""Halves of surrogate pairs are passed on as they came."""
LIFE_SECONDS = 120
"""A reference outlives the freshness of its message a little, so that the message's own check speaks first."""
MAX_PERSONS = 1000
"""Different persons that one message may name."""
EPHEMERAL_SECONDS = 60.0
_EPHEMERAL_USES = 2**20
"""How long, and how often, one ephemeral key serves one recipient. Within that a content key is used with many random
nonces of 96 bits, far below what A256GCM allows; a key agreement a reference would be most of what an exchange costs.
"""
_NINE_DIGITS = b"1" * 9
"""Every national id holds nine digits in a row; looked for first, because a plain search is faster than a pattern."""
_LEADS = bytes([0xC2, 0xE2, 0xE3, 0xEF, *range(0xF0, 0xF5)])
_DIGIT_MAKERS = re.compile("[\u00b2-\u00be\u2070-\u218f\u2460-\u24ff\u3220-\u33ff\uff10-\uff19\U00010000-\U0010ffff]")
"""The letters beyond ASCII of which NFKC makes digits (and some others), and the bytes by which they begin in UTF-8."""
_AS_ONE = bytes.maketrans(b"0123456789" + _LEADS, b"1" * 10 + b"x" * len(_LEADS))
_ASCII = bytes(range(128))
_DIGITS = re.compile(b"1*")
_CLEAR = re.compile(rb"[12]\d{8}(?<=[A-Za-z]\d{9})(?<![A-Za-z0-9][A-Za-z]\d{9})(?![A-Za-z0-9])")
"""The digits of what has the form of a national id, a word of its own, seen from the first of them."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Where references go: the id of the gateway and its reference key."""

    gateway: str
    key: ec.EllipticCurvePublicKey
    kid: str


@dataclass(slots=True)
class _Ephemeral:
    """A key agreement with a recipient's `key`: the header up to `exp` and from `kid` up to `rid`, what encrypts, when
    it was made, its uses.
    """

    key: ec.EllipticCurvePublicKey
    opening: str
    named: str
    content: AESGCM
    made: float
    uses: int = 0


_ephemerals: dict[tuple[str, str], _Ephemeral] = {}


def make(value: str, to: Recipient, *, rid: str, exp: int) -> str:
    """The reference to the person with national id `value`, for one gateway and one message or token `rid`."""
    ephemeral = _agreed(to)
    # Canonical JSON, members in order: alg, aud, enc, epk, exp, kid, rid.
    header = f'{ephemeral.opening}"exp":{exp},{ephemeral.named}"rid":{_text(rid)}}}'
    protected = keys.b64url(header.encode())
    nonce = os.urandom(12)
    sealed = ephemeral.content.encrypt(nonce, value.encode(), protected.encode())
    return ".".join([protected, "", keys.b64url(nonce), keys.b64url(sealed[:-16]), keys.b64url(sealed[-16:])])


def open_(token: str, key: ec.EllipticCurvePrivateKey, *, gateway: str, rid: str, now: datetime) -> str:
    """The national id behind a reference made for this gateway and message; else Problem `reference-invalid`."""
    try:
        protected, empty, nonce, body, tag = token.split(".")
        # To look into: it is authenticated as it came, and no integer of it is large.
        header = orjson.loads(keys.from_b64url(protected))
        if empty or (header["alg"], header["enc"]) != ("ECDH-ES", "A256GCM"):
            raise ValueError("another algorithm")
        bound = header["aud"] == gateway and header["rid"] == rid and now.timestamp() < header["exp"]
        epk = header["epk"]
        if not bound or (epk["kty"], epk["crv"]) != ("EC", "P-256"):
            raise ValueError("not for us, or not now")
        content = _received(key, epk["x"], epk["y"])
        sealed = keys.from_b64url(body) + keys.from_b64url(tag)
        value = content.decrypt(keys.from_b64url(nonce), sealed, protected.encode()).decode()
    except (ValueError, KeyError, TypeError, InvalidTag):
        raise refuse("reference-invalid") from None
    if not national_id.is_valid(value):
        raise refuse("reference-invalid")
    return value


def _agreed(to: Recipient) -> _Ephemeral:
    """The present key agreement with a recipient, made anew when it is old."""
    now, found = time.monotonic(), _ephemerals.get((to.gateway, to.kid))
    if found is not None and found.key is not to.key and found.key != to.key:
        found = None
    if found is None or now - found.made > EPHEMERAL_SECONDS or found.uses >= _EPHEMERAL_USES:
        own = ec.generate_private_key(ec.SECP256R1())
        epk = {name: text for name, text in keys.public_jwk(own.public_key()).items() if name != "kid"}
        shown = f'{{"crv":{_text(epk["crv"])},"kty":{_text(epk["kty"])},"x":{_text(epk["x"])},"y":{_text(epk["y"])}}}'
        opening = f'{{"alg":"ECDH-ES","aud":{_text(to.gateway)},"enc":"A256GCM","epk":{shown},'
        for one in [one for one, entry in _ephemerals.items() if now - entry.made > EPHEMERAL_SECONDS]:
            del _ephemerals[one]
        content = _content(own.exchange(ec.ECDH(), to.key))
        found = _Ephemeral(to.key, opening, f'"kid":{_text(to.kid)},', content, now)
        _ephemerals[to.gateway, to.kid] = found
    found.uses += 1
    return found


@lru_cache(maxsize=4096)
def _received(key: ec.EllipticCurvePrivateKey, x: str, y: str) -> AESGCM:
    """What decrypts what belongs to an ephemeral key: its maker uses it for a minute, so it is kept."""
    public = keys.from_jwk({"kty": "EC", "crv": "P-256", "x": x, "y": y})
    assert isinstance(public, ec.EllipticCurvePublicKey)
    return _content(key.exchange(ec.ECDH(), public))


def _text(value: str) -> str:
    return canonical.dumps(value).decode()


def _content(shared: bytes) -> AESGCM:
    # Concat KDF of RFC 7518 section 4.6.2: AlgorithmID "A256GCM", empty PartyUInfo and PartyVInfo, 256 bits.
    info = (7).to_bytes(4, "big") + b"A256GCM" + bytes(8) + (256).to_bytes(4, "big")
    return AESGCM(sha256((1).to_bytes(4, "big") + shared + info).digest())


# -- bodies -----------------------------------------------------------------------------------------------------------


def hide(body: bytes, make_reference: Callable[[str], str]) -> bytes:
    """`body` with every JSON string value `urn:tw:nid:X` replaced; equal persons get equal references."""
    if _PERSON_BYTES not in body and not _is_escaped(body):
        return body
    value, plain = _json(body)
    if value is None:
        return body
    made: dict[str, str] = {}

    def swap(text: str, path: tuple[str, ...]) -> str:
        try:
            person = national_id.from_urn(text)
        except ValueError:
            raise refuse("person-in-clear") from None
        if person not in made:
            _limit(made)
            made[person] = URN + make_reference(person)
        return made[person]

    return canonical.compactly(_swapped(value, _PERSON, swap), plain, _ANY)


def reveal(body: bytes, open_reference: Callable[[str], str]) -> tuple[bytes, list[tuple[str, tuple[str, ...]]]]:
    """`body` with references opened, and each person found with the JSON keys above the place."""
    if _URN not in body and not _is_escaped(body):
        return body, []
    value, plain = _json(body)
    if value is None:
        return body, []
    opened: dict[str, str] = {}
    found: list[tuple[str, tuple[str, ...]]] = []

    def swap(text: str, path: tuple[str, ...]) -> str:
        if text not in opened:
            _limit(opened)
            opened[text] = open_reference(text.removeprefix(URN))
        found.append((opened[text], path))
        return national_id.urn(opened[text])

    return canonical.compactly(_swapped(value, URN, swap), plain, _ANY), found


def persons(body: bytes) -> list[tuple[str, tuple[str, ...]]]:
    """Each person named in a body of the local hop (`urn:tw:nid:X`), with the JSON keys above the place."""
    found: list[tuple[str, tuple[str, ...]]] = []

    def note(text: str, path: tuple[str, ...]) -> str:
        found.append((national_id.from_urn(text), path))
        return text

    if _PERSON_BYTES in body or _is_escaped(body):
        _swapped(_json(body)[0], _PERSON, note)
    return found


def refuse_clear(body: bytes, heads: Iterable[str] = (), *, made_up: bool = False) -> None:
    """Problem `person-in-clear` when a checksum-valid national id stands in the body or in one of `heads`.

    `made_up`: ids with the marker of made-up persons may stand in the body, which is a document with examples.
    """
    head = "\n".join(heads)
    if _has_clear(head):
        raise refuse("person-in-clear")
    if "%" in head and _has_clear(unquote(head)):  # a plus parts words as the space does that it may stand for
        raise refuse("person-in-clear")
    if not _is_escaped(body) and not _may_be_clear(body):
        return
    text = body.decode("utf-8", "replace")
    if _has_clear(text, made_up=made_up):
        raise refuse("person-in-clear")
    value, plain = _json(body) if "\\u" in text else (None, False)
    if value is not None and _has_clear(
        canonical.compactly(value, plain, _ANY).decode("utf-8", "replace"), made_up=made_up
    ):
        raise refuse("person-in-clear")


def _may_be_clear(raw: bytes) -> bool:
    """Whether nine digits stand in a row, or may once NFKC has made digits of other letters.

    It takes no letter away and makes no digit of Chinese ones, so most text of people needs no second look.
    """
    classes = raw.translate(_AS_ONE)
    if _NINE_DIGITS in classes:
        return True
    return b"x" in classes and bool(_DIGIT_MAKERS.search(raw.translate(None, _ASCII).decode("utf-8", "replace")))


def _is_escaped(body: bytes) -> bool:
    """Whether letters may be written as `\\u....`. Most bodies have no backslash, and one byte is found quickest."""
    return b"\\" in body and b"\\u" in body


def _limit(persons_so_far: dict[str, str]) -> None:
    # Each reference costs a key agreement: without a limit one message could occupy a gateway for minutes.
    if len(persons_so_far) >= MAX_PERSONS:
        raise refuse("persons-too-many")


def _has_clear(text: str, *, made_up: bool = False) -> bool:
    raw = text.encode("utf-8", "surrogatepass")
    if not _may_be_clear(raw):
        return False
    if not text.isascii():
        raw = unicodedata.normalize("NFKC", text).encode("utf-8", "surrogatepass")
    classes = raw.translate(_AS_ONE)
    at = classes.find(_NINE_DIGITS)
    while at >= 0:  # from one row of digits to the next
        if (match := _CLEAR.match(raw, at)) is not None:
            one = raw[at - 1 : match.end()].decode().upper()
            if national_id.is_valid(one) and not (made_up and national_id.is_synthetic(one)):
                return True
        at = classes.find(_NINE_DIGITS, _end_of_row(classes, at))
    return False


def _end_of_row(classes: bytes, at: int) -> int:
    found = _DIGITS.match(classes, at)
    assert found is not None  # of nothing at least
    return found.end()


def _swapped(value: Any, prefix: str, swap: Callable[[str, tuple[str, ...]], str], path: tuple[str, ...] = ()) -> Any:
    """What was just parsed, with every text that begins with `prefix` swapped, in its place."""
    if isinstance(value, str):
        return swap(value, path) if value.startswith(prefix) else value
    if isinstance(value, dict):
        for name, part in value.items():
            if isinstance(part, str):
                if part.startswith(prefix):
                    value[name] = swap(part, (*path, name))
            elif isinstance(part, dict | list):
                _swapped(part, prefix, swap, (*path, name))
    elif isinstance(value, list):
        for at, part in enumerate(value):
            value[at] = _swapped(part, prefix, swap, path)
    return value


def _json(body: bytes) -> tuple[Any, bool]:
    try:
        return canonical.loads(body)
    except (ValueError, RecursionError):
        return None, False
