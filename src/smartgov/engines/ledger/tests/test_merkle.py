"""Hashing and proofs against RFC 9162, by published values and by properties."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartgov.engines.ledger import merkle

# The eight inputs and roots of the test vectors of certificate-transparency logs (RFC 6962 reference trees).
INPUTS = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


@pytest.mark.parametrize("size", ROOTS)
def test_roots_match_the_reference_trees(size: int) -> None:
    leaves = [merkle.leaf_hash(bytes.fromhex(text)) for text in INPUTS[:size]]
    assert merkle.root(leaves).hex() == ROOTS[size]


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert merkle.root([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@given(st.integers(0, 130))
def test_leaves_that_come_one_after_another_have_the_same_root(size: int) -> None:
    tree = merkle.Tree()
    for number, leaf in enumerate(leaves(size)):
        assert tree.root() == merkle.root(leaves(number))
        tree.add(leaf)
    assert (tree.size, tree.root()) == (size, merkle.root(leaves(size)))


def leaves(count: int) -> list[bytes]:
    return [merkle.leaf_hash(str(number).encode()) for number in range(count)]


@given(st.integers(1, 130), st.data())
def test_every_inclusion_proof_holds_and_no_altered_one_does(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    tree = leaves(size)
    proof = merkle.inclusion_proof(index, size, merkle.over(tree))
    good = {"index": index, "size": size, "proof": proof, "expected_root": merkle.root(tree)}
    assert merkle.verify_inclusion(leaf=tree[index], **good)
    assert not merkle.verify_inclusion(leaf=merkle.leaf_hash(b"other"), **good)
    assert not merkle.verify_inclusion(leaf=tree[index], **{**good, "proof": [*proof, bytes(32)]})
    assert not merkle.verify_inclusion(leaf=tree[index], **{**good, "index": (index + 1) % (size + 1)})
    if proof:
        assert not merkle.verify_inclusion(leaf=tree[index], **{**good, "proof": proof[:-1]})


@given(st.integers(1, 130), st.data())
def test_every_consistency_proof_holds_and_none_for_an_altered_past(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, new))
    tree = leaves(new)
    good = {
        "old": old,
        "new": new,
        "old_root": merkle.root(tree[:old]),
        "new_root": merkle.root(tree),
        "proof": merkle.consistency_proof(old, new, merkle.over(tree)),
    }
    assert merkle.verify_consistency(**good)
    altered = [merkle.leaf_hash(b"altered"), *tree[1:]]
    forged = {
        **good,
        "new_root": merkle.root(altered),
        "proof": merkle.consistency_proof(old, new, merkle.over(altered)),
    }
    assert not merkle.verify_consistency(**forged)
    assert not merkle.verify_consistency(**{**good, "proof": [*good["proof"], bytes(32)]})


def test_proofs_of_impossible_trees_are_refused() -> None:
    with pytest.raises(ValueError, match="no such leaf"):
        merkle.inclusion_proof(3, 3, merkle.over(leaves(3)))
    with pytest.raises(ValueError, match="non-empty"):
        merkle.consistency_proof(0, 3, merkle.over(leaves(3)))
    nothing = {"old_root": bytes(32), "new_root": bytes(32), "proof": []}
    assert not merkle.verify_consistency(old=3, new=2, **nothing)
    assert not merkle.verify_inclusion(leaf=bytes(32), index=5, size=5, proof=[], expected_root=bytes(32))
