"""Batch signatures: every message of a batch verifies, and nothing that was altered or moved does."""

from __future__ import annotations

import os
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smartgov.engines.ledger import merkle
from smartgov.engines.pki import keys
from smartgov.engines.troad import batch_signature, components, verify_evidence, wire
from smartgov.engines.troad.batch_signature import Roots

KEY, OTHER = keys.generate_p256(), keys.generate_p256()
PUBLIC, KID = KEY.public_key(), keys.thumbprint(KEY.public_key())
SIZES = st.integers(1, 70)


def batch(size: int) -> tuple[list[bytes], list[bytes]]:
    digests = [sha256(f"base {number}".encode()).digest() for number in range(size)]
    return digests, batch_signature.sign(KEY, digests)


@settings(max_examples=25, deadline=None)
@given(SIZES)
def test_every_message_of_a_batch_verifies(size: int) -> None:
    digests, values = batch(size)
    roots = Roots()
    assert all(
        roots.hold(KID, PUBLIC, value, digest) and batch_signature.holds(PUBLIC, value, digest)
        for value, digest in zip(values, digests, strict=True)
    )


@settings(max_examples=25, deadline=None)
@given(SIZES)
def test_the_tree_is_that_of_rfc_9162(size: int) -> None:
    digests, values = batch(size)
    parts = [batch_signature.read(value) for value in values]
    leaves = [
        batch_signature.leaf(one.salt, digest) for one, digest in zip(parts, digests, strict=True) if one is not None
    ]
    text = batch_signature.root_text(size, merkle.root(leaves))
    assert all(one is not None and keys.verify(PUBLIC, one.signature, text) for one in parts)


@settings(max_examples=60, deadline=None)
@given(SIZES, st.data())
def test_one_altered_bit_anywhere_is_refused(size: int, data: st.DataObject) -> None:
    """Form, size, index, salt, path and signature: each bit of a value counts, also with a root known before."""
    digests, values = batch(size)
    at = data.draw(st.integers(0, size - 1))
    roots = Roots()
    assert roots.hold(KID, PUBLIC, values[at], digests[at])
    place = data.draw(st.integers(0, len(values[at]) * 8 - 1))
    altered = bytearray(values[at])
    altered[place // 8] ^= 1 << place % 8
    assert not roots.hold(KID, PUBLIC, bytes(altered), digests[at])
    assert not batch_signature.holds(PUBLIC, bytes(altered), digests[at])
    assert not standalone(bytes(altered), digests[at])


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 70), st.data())
def test_the_place_of_another_message_is_refused(size: int, data: st.DataObject) -> None:
    digests, values = batch(size)
    one, other = data.draw(st.permutations(range(size)))[:2]
    roots = Roots()
    assert roots.hold(KID, PUBLIC, values[one], digests[one])
    assert not roots.hold(KID, PUBLIC, values[one], digests[other])
    assert not roots.hold(KID, PUBLIC, values[other], digests[one])


@pytest.mark.parametrize("change", ["shorter", "longer", "truncated", "empty", "size"])
def test_another_form_is_refused(change: str) -> None:
    digests, values = batch(5)
    value = values[2]
    altered = {
        "shorter": value[:37] + value[69:],
        "longer": value[:37] + os.urandom(32) + value[37:],
        "truncated": value[:-1],
        "empty": b"",
        "size": value[:1] + b"\xff\xff" + value[3:],
    }[change]
    assert not batch_signature.holds(PUBLIC, altered, digests[2])
    assert not standalone(altered, digests[2])


def test_a_known_root_under_another_certificate_is_verified_anew_and_refused() -> None:
    digests, values = batch(3)
    roots = Roots()
    assert roots.hold(KID, PUBLIC, values[0], digests[0])
    other = OTHER.public_key()
    assert not roots.hold(keys.thumbprint(other), other, values[0], digests[0])
    assert not batch_signature.holds(other, values[0], digests[0])


def test_one_verification_serves_a_batch_until_a_status_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    digests, values = batch(20)
    roots, verified = Roots(), []
    verify = keys.verify
    monkeypatch.setattr(keys, "verify", lambda *given: verified.append(1) or verify(*given))
    for value, digest in zip(values, digests, strict=True):
        assert roots.hold(KID, PUBLIC, value, digest)
    assert len(verified) == 1
    roots.forget()
    assert roots.hold(KID, PUBLIC, values[0], digests[0])
    assert len(verified) == 2


def message() -> wire.Head:
    fields = {name: "x" for name in components.REQUIRED if not name.startswith("@")}
    return wire.Head("POST", "host:1", "/r1/a", "", {**fields, "troad-body": "hmac-sha-256=:AAAA:"})


def signed(tag: str, *, batch: bool) -> wire.Signed:
    """A request with this tag, whose signature is of the one or the other kind, whatever its tag says."""
    head = message()
    base = wire.open_request(head, KID, created=1, nonce="A" * 22, tag=tag)
    value = batch_signature.sign(KEY, [sha256(base).digest()])[0] if batch else keys.sign(KEY, base)
    wire.attach(head.fields, value)
    return wire.read_request(head)


def test_the_tag_within_the_signature_base_says_which_kind_it_is() -> None:
    assert signed(wire.BATCH_TAG, batch=True).holds(PUBLIC)
    assert signed(wire.TAG, batch=False).holds(PUBLIC)
    assert not signed(wire.BATCH_TAG, batch=False).holds(PUBLIC), "a plain signature does not pass for a batch's"
    assert not signed(wire.TAG, batch=True).holds(PUBLIC), "a batch's does not pass for a plain one"


def test_a_batch_signature_is_none_over_a_message_or_a_record() -> None:
    """Its signed text under the plain profile, and a leaf of a log in its tree: no domain passes for another."""
    one = signed(wire.BATCH_TAG, batch=True)
    parts = batch_signature.read(one.signature)
    assert parts is not None
    text = batch_signature.root_text(1, batch_signature.leaf(parts.salt, sha256(one.base).digest()))
    assert keys.verify(PUBLIC, parts.signature, text), "this is what was signed"
    assert not one._replace(batch=False, signature=parts.signature).holds(PUBLIC)
    assert not text.startswith(b'"')
    assert not keys.verify(PUBLIC, parts.signature, one.base)
    assert merkle.leaf_hash(parts.salt + sha256(one.base).digest()) != batch_signature.leaf(
        parts.salt, sha256(one.base).digest()
    )


def standalone(value: bytes, digest: bytes) -> bool:
    """The verifier without libraries, its openssl replaced by ours for speed."""
    try:
        signature, text_digest = verify_evidence.batched(value, digest)
    except verify_evidence.Invalid:
        return False
    return keys.verify_digest(PUBLIC, signature, text_digest)


@settings(max_examples=20, deadline=None)
@given(SIZES)
def test_the_stand_alone_verifier_agrees(size: int) -> None:
    digests, values = batch(size)
    assert all(standalone(value, digest) for value, digest in zip(values, digests, strict=True))
