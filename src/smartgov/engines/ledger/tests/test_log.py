"""Storage, checkpoints and the discovery of edits."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from smartgov.engines.ledger import Checkpoint, Log, checkpoint, merkle
from smartgov.shared.problems import Problem

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def log(count: int = 0) -> Log:
    made = Log(sqlite3.connect(":memory:"), "TW/GOV/ris/gw1", KEY)
    made.create_tables()
    made.append([f"record {number}".encode() for number in range(count)])
    return made


@given(st.lists(st.integers(1, 9), max_size=12))
def test_the_stored_tree_is_the_tree_of_the_records_however_they_came(batches: list[int]) -> None:
    stored, records = log(), []
    for batch in batches:
        fresh = [f"{len(records) + n}".encode() for n in range(batch)]
        assert stored.append(fresh) == list(range(len(records), len(records) + batch))
        records += fresh
    leaves = [merkle.leaf_hash(record) for record in records]
    assert stored.size() == len(records)
    for size in range(len(records) + 1):
        assert stored.root(size) == merkle.root(leaves[:size])
    for index in range(len(records)):
        proof = stored.inclusion(index, len(records))
        assert proof == merkle.inclusion_proof(index, len(records), merkle.over(leaves))
    assert stored.verify_stored() == []


def test_a_rolled_back_append_leaves_nothing(tmp_path: Path) -> None:
    stored = Log(sqlite3.connect(tmp_path / "log.sqlite3"), "o", KEY)
    stored.create_tables()
    stored.append([b"one"])
    stored._db.commit()
    stored.append([b"two"])
    stored._db.rollback()
    assert stored.size() == 1
    assert stored.append([b"three"]) == [1]
    assert stored.verify_stored() == []


def test_a_checkpoint_is_verified_by_its_key_only() -> None:
    note = log(5).checkpoint()
    head = checkpoint.verify(note, KEY.public_key(), "TW/GOV/ris/gw1")
    assert head == Checkpoint("TW/GOV/ris/gw1", 5, log(5).root())
    other = Ed25519PrivateKey.generate().public_key()
    altered = note.replace("\n5\n", "\n6\n")
    for bad, key, origin in [
        (note, other, None),
        (altered, KEY.public_key(), None),
        (note, KEY.public_key(), "TW/GOV/nhi/gw1"),
        ("nonsense", KEY.public_key(), None),
        (note.replace("— ", "- "), KEY.public_key(), None),
    ]:
        with pytest.raises(Problem) as refused:
            checkpoint.verify(bad, key, origin)
        assert refused.value.slug == "checkpoint-invalid"


def test_a_note_of_the_published_format_is_read() -> None:
    """The example note of golang.org/x/mod/sumdb/note: name, key and signature as published there."""
    key = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
    line = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
    import base64

    raw_key = base64.b64decode(key.split("+", 2)[2])
    public = Ed25519PublicKey.from_public_bytes(raw_key[1:])
    signature = base64.b64decode(line)
    assert checkpoint._key_id("PeterNeumann", public) == signature[:4] == bytes.fromhex("c74f20a3")
    public.verify(signature[4:], text.encode())


@pytest.mark.parametrize(
    ("statement", "damaged"),
    [
        ("UPDATE ledger_record SET record = 'forged' WHERE idx = 3", [3]),
        ("DELETE FROM ledger_record WHERE idx = 2", [2]),
        ("DELETE FROM ledger_record WHERE idx = 6", [6]),
        ("UPDATE ledger_hash SET hashes = CAST(substr(hashes, 1, 32) || zeroblob(32) AS BLOB) WHERE idx = 1", [-1]),
    ],
)
def test_an_edited_file_is_found(statement: str, damaged: list[int]) -> None:
    stored = log(7)
    stored._db.execute(statement)
    assert stored.verify_stored() == damaged


def test_a_log_rewritten_throughout_is_held_to_its_remembered_checkpoint() -> None:
    stored = log(4)
    stored.remember(stored.checkpoint())
    forged = log()
    forged.append([b"another", b"past", b"altogether", b"!"])
    forged.remember(stored.checkpoint())
    assert stored.verify_stored() == []
    assert forged.verify_stored() == [-1]
