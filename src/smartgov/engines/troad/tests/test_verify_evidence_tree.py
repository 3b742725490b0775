"""The stand-alone verifier's own tree arithmetic against the ledger's, which the reference trees are held to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartgov.engines.ledger import merkle
from smartgov.engines.troad import verify_evidence

SIZES = st.integers(1, 130)


def tree(size: int) -> list[bytes]:
    return [merkle.leaf_hash(str(number).encode()) for number in range(size)]


@given(SIZES, st.data())
def test_an_inclusion_proof_leads_to_the_root_and_none_of_another_length_does(size: int, data: st.DataObject) -> None:
    index, leaves = data.draw(st.integers(0, size - 1)), tree(size)
    proof = merkle.inclusion_proof(index, size, merkle.over(leaves))
    assert verify_evidence.root_from(leaves[index], index, size, proof, "x") == merkle.root(leaves)
    for wrong in ([*proof, bytes(32)], proof[:-1] if proof else [bytes(32)] * 2):
        with pytest.raises(verify_evidence.Invalid, match="x"):
            verify_evidence.root_from(leaves[index], index, size, wrong, "x")
    for beyond in (-1, size):
        with pytest.raises(verify_evidence.Invalid, match="x"):
            verify_evidence.root_from(leaves[index], beyond, size, proof, "x")


@given(SIZES, st.data())
def test_a_consistency_proof_holds_as_in_the_ledger(new: int, data: st.DataObject) -> None:
    old, leaves = data.draw(st.integers(1, new)), tree(new)
    proof = merkle.consistency_proof(old, new, merkle.over(leaves))
    before, after = merkle.root(leaves[:old]), merkle.root(leaves)
    assert verify_evidence.continued(old, before, new, after, proof)
    at = data.draw(st.integers(0, max(len(proof) - 1, 0)))
    forged = [*proof[:at], bytes(32), *proof[at + 1 :]]
    for wrong in ([*proof, bytes(32)], forged, *([proof[:-1]] if proof else [])):
        assert not verify_evidence.continued(old, before, new, after, wrong)
    assert not verify_evidence.continued(old, bytes(32), new, after, proof)
    assert not verify_evidence.continued(old, before, new, bytes(32), proof)
    assert old == new or not verify_evidence.continued(new, after, old, before, proof)
    assert verify_evidence.continued(0, merkle.EMPTY_ROOT, new, after, [])
    assert not verify_evidence.continued(0, merkle.EMPTY_ROOT, new, after, [bytes(32)])


@given(SIZES, SIZES)
def test_a_tree_grows_from_its_complete_subtrees(first: int, more: int) -> None:
    leaves = tree(first + more)
    peaks: list[tuple[int, bytes]] = []
    for leaf in leaves[:first]:
        verify_evidence.grow(peaks, leaf)
    assert [width for width, _ in peaks] == [1 << level for level in merkle.peaks(first)]
    for leaf in leaves[first:]:
        verify_evidence.grow(peaks, leaf)
    value = peaks[-1][1]
    for _, peak in peaks[-2::-1]:
        value = merkle.node_hash(peak, value)
    assert value == merkle.root(leaves)
