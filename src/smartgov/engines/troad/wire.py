"""How two gateways sign what they say to each other: signature bases of RFC 9421.

One fixed profile: label `troad`, tag `troad-v2`, ECDSA P-256 with SHA-256; with the tag `troad-v2-batch` the signature
is one over many messages (`batch_signature.py`). A receiver reads header fields only from `Signed.fields`, so a field
that the signature does not cover does not exist for it. What is covered is in `components.py`, the body in `bodies.py`.
"""

from __future__ import annotations

import binascii
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec

from smartgov.engines.pki import keys
from smartgov.engines.troad import batch_signature, components
from smartgov.engines.troad.problems import refuse

LABEL, TAG, BATCH_TAG = "troad", "troad-v2", "troad-v2-batch"
FRESH_SECONDS = 60
_OPENING = f"{LABEL}=("
_INPUT = re.compile(
    r';created=(\d{1,12});nonce="([\w-]{16,64})"'
    rf';keyid="([\w-]{{43}})";tag="({TAG}|{BATCH_TAG})"'
)


@dataclass(slots=True)
class Head:
    """The signable parts of a request."""

    method: str
    authority: str
    path: str
    query: str
    fields: dict[str, str] = field(default_factory=dict)


class Signed(NamedTuple):
    """A parsed signature: its parameters, the bytes it is over, and the fields it covers."""

    created: int
    nonce: str
    keyid: str
    base: bytes
    signature: bytes
    fields: Mapping[str, str]
    digest: bytes
    """SHA-256 of the base, by which records and batch signatures name it."""
    batch: bool = False

    def holds(self, key: ec.EllipticCurvePublicKey, roots: batch_signature.Roots | None = None) -> bool:
        """Whether `key`, which is the one that `keyid` names, made the signature; `roots` are those verified before."""
        if not self.batch:
            return keys.verify(key, self.signature, self.base)
        known = batch_signature.Roots() if roots is None else roots
        return known.hold(self.keyid, key, self.signature, self.digest)


def new_nonce() -> str:
    """128 random bits, as text."""
    return keys.b64url(os.urandom(16))


# -- requests ---------------------------------------------------------------------------------------------------------


def sign_request(head: Head, key: ec.EllipticCurvePrivateKey, *, created: int, nonce: str) -> bytes:
    """Add `signature-input` and `signature` to the head's fields; the signature base is returned for the record."""
    base = open_request(head, thumbprint(key), created=created, nonce=nonce)
    attach(head.fields, keys.sign(key, base))
    return base


def open_request(head: Head, keyid: str, *, created: int, nonce: str, tag: str = TAG) -> bytes:
    """Add `signature-input` to the head's fields and return what is to be signed."""
    names = components.order(head.fields).request
    params = _params(components.quoted(names, 0), created, nonce, keyid, tag)
    base, _ = _request_base(names, head, params)
    head.fields["signature-input"] = f"{LABEL}={params}"
    return base


def read_request(head: Head) -> Signed:
    """The signature of a received request, not yet verified; `signature-missing` if it is not of our profile."""
    received = head.fields
    parts, match, signature = _read(received, "signature-missing")
    names = components.of_request(parts)
    if names is None or ("content-type" in received) > ("content-type" in names):
        raise refuse("signature-missing")
    try:
        base, covered = _request_base(names, head, _own_params(received))
    except KeyError:
        raise refuse("signature-missing") from None
    return _signed(match, base, signature, dict(covered))


# -- answers ----------------------------------------------------------------------------------------------------------


def sign_answer(
    request: Head, status: int, fields: dict[str, str], key: ec.EllipticCurvePrivateKey, *, created: int, nonce: str
) -> bytes:
    """Add `signature-input` and `signature` to an answer's fields, bound to `request`; returns the signature base."""
    base = open_answer(request, status, fields, thumbprint(key), created=created, nonce=nonce)
    attach(fields, keys.sign(key, base))
    return base


def open_answer(
    request: Head, status: int, fields: dict[str, str], keyid: str, *, created: int, nonce: str, tag: str = TAG
) -> bytes:
    """Add `signature-input` to an answer's fields and return what is to be signed."""
    own = components.order(fields).answer
    params = _params(components.quoted((*own, *components.BOUND), len(components.BOUND)), created, nonce, keyid, tag)
    base, _ = _answer_base(own, status, fields, request, params)
    fields["signature-input"] = f"{LABEL}={params}"
    return base


def attach(fields: dict[str, str], signature: bytes) -> None:
    """Put the signature, or the value of a batch, into a message's fields."""
    fields["signature"] = f"{LABEL}=:{_base64(signature)}:"


def read_answer(request: Head, status: int, fields: Mapping[str, str]) -> Signed:
    """The signature of a received answer, over the parts of our own request; else `answer-signature-invalid`."""
    parts, match, signature = _read(fields, "answer-signature-invalid")
    own = components.of_answer(parts)
    if own is None:
        raise refuse("answer-signature-invalid")
    try:
        base, covered = _answer_base(own, status, fields, request, _own_params(fields))
    except KeyError:
        raise refuse("answer-signature-invalid") from None
    return _signed(match, base, signature, dict(covered))


# -- parts ------------------------------------------------------------------------------------------------------------


def _base64(value: bytes) -> str:
    return binascii.b2a_base64(value, newline=False).decode()


def _from_base64(text: str) -> bytes:
    """ValueError for anything but base64."""
    return binascii.a2b_base64(text, strict_mode=True)


def _params(parts: str, created: int, nonce: str, keyid: str, tag: str) -> str:
    return f'({parts});created={created};nonce="{nonce}";keyid="{keyid}";tag="{tag}"'


def _own_params(fields: Mapping[str, str]) -> str:
    """The parameters of a signature as they were received, after the label."""
    return fields["signature-input"][len(LABEL) + 1 :]


def _read(fields: Mapping[str, str], slug: str) -> tuple[str, re.Match[str], bytes]:
    """The component list of a received signature, its parameters, and its bytes; else the Problem `slug`."""
    given, value = fields.get("signature-input", ""), fields.get("signature", "")
    parts, _, rest = given[len(_OPENING) :].partition(")")
    match = _INPUT.fullmatch(rest) if given.startswith(_OPENING) and "(" not in parts else None
    if match is None or not value.startswith(f"{LABEL}=:") or not value.endswith(":"):
        raise refuse(slug)
    try:
        signature = _from_base64(value[len(LABEL) + 2 : -1])
    except ValueError:
        raise refuse(slug) from None
    return parts, match, signature


def _signed(match: re.Match[str], base: bytes, signature: bytes, fields: Mapping[str, str]) -> Signed:
    created, nonce, keyid, tag = match.groups()
    digest = sha256(base).digest()
    return Signed(int(created), nonce, keyid, base, signature, fields, digest, tag == BATCH_TAG)


_Pairs = Iterable[tuple[str, str]]


def _request_base(names: components.Names, head: Head, params: str) -> tuple[bytes, _Pairs]:
    """What a request's signature is over, and the fields it covers; KeyError when the message lacks a component."""
    form = components.form(names, components.DERIVED)
    taken = form.take(head.fields)
    values: tuple[Any, ...] = (head.method, head.authority.lower(), head.path, "?" + head.query, *taken)
    if form.order is not None:
        values = form.order(values)
    return (form.text % (*values, params)).encode("latin-1"), zip(form.names, taken, strict=True)


def _answer_base(
    own: components.Names, status: int, fields: Mapping[str, str], request: Head, params: str
) -> tuple[bytes, _Pairs]:
    """The same of an answer, over `own` components and the parts of its request that every answer covers."""
    form = components.form(own, ("@status",), components.BOUND)
    taken = form.take(fields)
    values: tuple[Any, ...] = (status, *taken)
    if form.order is not None:
        values = form.order(values)
    bound, at = request.fields, request.authority.lower()
    query = "?" + request.query
    told = (request.method, at, request.path, query, bound["troad-body"], bound["x-road-id"], bound["signature-input"])
    return (form.text % (*values, *told, params)).encode("latin-1"), zip(form.names, taken, strict=True)


@lru_cache(maxsize=64)
def thumbprint(key: ec.EllipticCurvePrivateKey) -> str:
    """The `keyid` of what this key signs."""
    return keys.thumbprint(key.public_key())
