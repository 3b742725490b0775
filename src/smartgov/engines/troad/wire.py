"""What two gateways say to each other: the signature base of RFC 9421, the body commitment, header names.

One fixed profile: label `troad`, tag `troad-v2`, ECDSA P-256 with SHA-256; with the tag `troad-v2-batch` the signature
is one over many messages (`batch_signature.py`). A receiver reads header fields only from
`Signed.fields`, so a field that the signature does not cover does not exist for it.
"""

from __future__ import annotations

import binascii
import hmac
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from operator import itemgetter
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec

from smartgov.engines.pki import keys
from smartgov.engines.troad import batch_signature
from smartgov.engines.troad.problems import refuse

LABEL, TAG, BATCH_TAG = "troad", "troad-v2", "troad-v2-batch"
FRESH_SECONDS = 60
REQUIRED = ("@method", "@authority", "@path", "@query", "troad-body", "x-road-client", "x-road-id", "troad-receiver")
FORWARDED = (
    "accept",
    "accept-language",
    "cache-control",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "x-road-represented-party",
)
"""Fields of the information system that travel, signed, to the service."""
OPTIONAL = (
    "content-type",
    "troad-subject",
    "troad-purpose",
    "troad-basis",
    "troad-consent",
    "troad-trail-token",
    "troad-fields",
    "x-road-issue",
    "x-road-userid",
    *FORWARDED,
)
ANSWER_REQUIRED = ("@status", "troad-body")
ANSWER_OPTIONAL = (
    "content-type",
    "content-language",
    "cache-control",
    "etag",
    "last-modified",
    "location",
    "retry-after",
    "troad-refusal",
    "troad-log",
)
BOUND = ("@method", "@authority", "@path", "@query", "troad-body", "x-road-id", "signature-input")
"""The parts of its request that every answer covers (`;req`), so that two answers cannot be swapped."""
USER_FIELD = re.compile(r"x-(?!road-|troad-|forwarded|real-ip|request-id)[a-z0-9-]{1,60}")
"""Fields that the two information systems agree on among themselves: they travel too, signed like the others."""
MAX_USER_FIELDS = 16
_DERIVED = ("@method", "@authority", "@path", "@query")
_OPENING = f"{LABEL}=("
_INPUT = re.compile(
    r';created=(\d{1,12});nonce="([\w-]{16,64})"'
    rf';keyid="([\w-]{{43}})";tag="({TAG}|{BATCH_TAG})"'
)
_PART = re.compile(r'"([@a-z0-9-]+)"(;req)?')


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
    names = _order(head.fields).request
    params = _params(_quoted(names, 0), created, nonce, keyid, tag)
    base, _ = _request_base(names, head, params)
    head.fields["signature-input"] = f"{LABEL}={params}"
    return base


def read_request(head: Head) -> Signed:
    """The signature of a received request, not yet verified; `signature-missing` if it is not of our profile."""
    received = head.fields
    parts, match, signature = _read(received, "signature-missing")
    names = _cached(_request_names, parts)
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
    own = _order(fields).answer
    params = _params(_quoted((*own, *BOUND), len(BOUND)), created, nonce, keyid, tag)
    base, _ = _answer_base(own, status, fields, request, params)
    fields["signature-input"] = f"{LABEL}={params}"
    return base


def attach(fields: dict[str, str], signature: bytes) -> None:
    """Put the signature, or the value of a batch, into a message's fields."""
    fields["signature"] = f"{LABEL}=:{_base64(signature)}:"


def read_answer(request: Head, status: int, fields: Mapping[str, str]) -> Signed:
    """The signature of a received answer, over the parts of our own request; else `answer-signature-invalid`."""
    parts, match, signature = _read(fields, "answer-signature-invalid")
    own = _cached(_answer_names, parts)
    if own is None:
        raise refuse("answer-signature-invalid")
    try:
        base, covered = _answer_base(own, status, fields, request, _own_params(fields))
    except KeyError:
        raise refuse("answer-signature-invalid") from None
    return _signed(match, base, signature, dict(covered))


def forwarded(fields: Mapping[str, str]) -> tuple[str, ...]:
    """Names of the information system's own fields that travel to the service."""
    return _order(fields).forwarded


def passed(fields: Mapping[str, str]) -> dict[str, str]:
    """Those of an answer's fields that travel, signed."""
    return {name: fields[name] for name in _order(fields).passed}


def user_fields(fields: Mapping[str, str]) -> tuple[str, ...]:
    """Names of the fields that the information systems added, in order; the first `MAX_USER_FIELDS` of them."""
    return _order(fields).user


def _allowed(others: set[str]) -> bool:
    return len(others) <= MAX_USER_FIELDS and all(USER_FIELD.fullmatch(name) for name in others)


# -- the body ---------------------------------------------------------------------------------------------------------


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
        salt = _from_base64(fields.get("troad-salt", "").removeprefix(":").removesuffix(":"))
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


# -- parts ------------------------------------------------------------------------------------------------------------


def _digest(body: bytes) -> str:
    return f"sha-256=:{_base64(sha256(body).digest())}:"


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


_Names = tuple[str, ...]
_LONGEST_KEPT = 2000
"""Characters of a component list that is kept as read: two gateways use few, and a stranger shall not fill memory."""


def _cached(read: Callable[[str], _Names | None], parts: str) -> _Names | None:
    if len(parts) > _LONGEST_KEPT:
        return read(parts)
    return _kept(read, parts)


@lru_cache(maxsize=1024)
def _kept(read: Callable[[str], _Names | None], parts: str) -> _Names | None:
    return read(parts)


def _request_names(text: str) -> _Names | None:
    """The components of a request, or None when they are not those of our profile."""
    parts = _parts(text)
    names = tuple(name for name, of_request in parts if not of_request)
    missing = set(REQUIRED) - set(names)
    known = not missing and _allowed(set(names) - set(REQUIRED) - set(OPTIONAL))
    return names if known else None


def _answer_names(text: str) -> _Names | None:
    """An answer's own components, before those of its request, or None when they are not those of our profile."""
    parts = _parts(text)
    own = tuple(name for name, of_request in parts if not of_request)
    if not set(ANSWER_REQUIRED) <= set(own) or parts[len(own) :] != [(name, True) for name in BOUND]:
        return None
    return own if _allowed(set(own) - set(ANSWER_REQUIRED) - set(ANSWER_OPTIONAL)) else None


def _parts(text: str) -> list[tuple[str, bool]]:
    """The listed components; none when the list has another form or names one twice."""
    found = []
    for item in text.split(" "):
        match = _PART.fullmatch(item)
        if match is None or (match[1], bool(match[2])) in found:
            return []
        found.append((match[1], bool(match[2])))
    return found


@lru_cache(maxsize=1024)
def _quoted(names: _Names, bound: int) -> str:
    """The component list of these names, of which the last `bound` are the request's."""
    first = len(names) - bound
    return " ".join(f'"{name}"{";req" if at >= first else ""}' for at, name in enumerate(names))


class _Order(NamedTuple):
    """What follows from the names of a message's fields, in the order in which they stand there."""

    user: _Names
    forwarded: _Names
    passed: _Names
    request: _Names
    answer: _Names

    @classmethod
    def of(cls, names: _Names) -> _Order:
        """Find them out."""
        own = (name for name in names if name[:2] == "x-" and name[:7] != "x-road-" and USER_FIELD.fullmatch(name))
        user = tuple(sorted(own)[:MAX_USER_FIELDS])
        passed = (*(name for name in ANSWER_OPTIONAL if name in names), *user)
        return cls(
            user=user,
            forwarded=(*(name for name in ("content-type", *FORWARDED) if name in names), *user),
            passed=passed,
            request=(*REQUIRED, *(name for name in OPTIONAL if name in names), *user),
            answer=(*ANSWER_REQUIRED, *passed),
        )


_orders: dict[_Names, _Order] = {}
_ORDERS_KEPT = 256


def _order(fields: Mapping[str, str]) -> _Order:
    """Of these fields. Systems send the same few over and over, so what was found out is kept."""
    names = tuple(fields)
    found = _orders.get(names)
    if found is None:
        found = _Order.of(names)
        if sum(map(len, names)) <= _LONGEST_KEPT:
            if len(_orders) >= _ORDERS_KEPT:
                _orders.clear()
            _orders[names] = found
    return found


_Pairs = Iterable[tuple[str, str]]


def _request_base(names: _Names, head: Head, params: str) -> tuple[bytes, _Pairs]:
    """What a request's signature is over, and the fields it covers; KeyError when the message lacks a component."""
    form = _form(names, _DERIVED)
    taken = form.take(head.fields)
    values: tuple[Any, ...] = (head.method, head.authority.lower(), head.path, "?" + head.query, *taken)
    if form.order is not None:
        values = form.order(values)
    return (form.text % (*values, params)).encode("latin-1"), zip(form.names, taken, strict=True)


def _answer_base(
    own: _Names, status: int, fields: Mapping[str, str], request: Head, params: str
) -> tuple[bytes, _Pairs]:
    """The same of an answer, over `own` components and the parts of its request that every answer covers."""
    form = _form(own, ("@status",), BOUND)
    taken = form.take(fields)
    values: tuple[Any, ...] = (status, *taken)
    if form.order is not None:
        values = form.order(values)
    bound, at = request.fields, request.authority.lower()
    query = "?" + request.query
    told = (request.method, at, request.path, query, bound["troad-body"], bound["x-road-id"], bound["signature-input"])
    return (form.text % (*values, *told, params)).encode("latin-1"), zip(form.names, taken, strict=True)


class _Form(NamedTuple):
    """How a signature base is written from a message with these components."""

    text: str
    """Its lines, with a place for each value and one for the parameters."""
    names: _Names
    """The header fields among its components."""
    take: Callable[[Mapping[str, str]], tuple[str, ...]]
    """Their values; KeyError when one is missing."""
    order: Callable[[tuple[Any, ...]], tuple[Any, ...]] | None
    """Puts the values of the derived components and then the fields into the order of the lines, if it is another."""


@lru_cache(maxsize=1024)
def _form(names: _Names, derived: _Names, bound: _Names = ()) -> _Form:
    """Of the components `names`, `derived` and header fields in any order; `bound` are parts of an answer's request."""
    fields = tuple(name for name in names if name not in derived)
    lines = [*(f'"{name}": %s' for name in names), *(f'"{name}";req: %s' for name in bound)]
    given = (*derived, *fields)
    order = None if given == names else _getter(tuple(map(given.index, names)))
    return _Form("\n".join([*lines, '"@signature-params": %s']), fields, _getter(fields), order)


def _getter(keys: tuple[Any, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """What takes these keys, or these places, out of something as a tuple, however few they are."""
    return itemgetter(*keys) if len(keys) > 1 else lambda whole: tuple(whole[key] for key in keys)


@lru_cache(maxsize=64)
def thumbprint(key: ec.EllipticCurvePrivateKey) -> str:
    """The `keyid` of what this key signs."""
    return keys.thumbprint(key.public_key())
