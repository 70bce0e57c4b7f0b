"""The tree of RFC 6962 against its recursive definition, written here anew."""

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.crypto.merkle import path, root, root_of_path

MODERATE = settings(max_examples=100, derandomize=True, deadline=None)
LEAVES = st.lists(st.binary(max_size=12), min_size=1, max_size=40)


def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def split(size: int) -> int:
    k = 1
    while k * 2 < size:
        k *= 2
    return k


def defined_root(d: Sequence[bytes]) -> bytes:
    if not d:
        return sha(b"")
    if len(d) == 1:
        return sha(b"\x00" + d[0])
    k = split(len(d))
    return sha(b"\x01" + defined_root(d[:k]) + defined_root(d[k:]))


def defined_path(m: int, d: Sequence[bytes]) -> tuple[bytes, ...]:
    if len(d) == 1:
        return ()
    k = split(len(d))
    if m < k:
        return (*defined_path(m, d[:k]), defined_root(d[k:]))
    return (*defined_path(m - k, d[k:]), defined_root(d[:k]))


def test_the_root_of_nothing_is_the_digest_of_nothing():
    assert root([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_the_root_agrees_with_the_known_vectors_of_certificate_transparency():
    leaves = [bytes.fromhex(text) for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657")]
    leaves.append(bytes.fromhex("606162636465666768696a6b6c6d6e6f"))
    assert root(leaves[:1]).hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert root(leaves).hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


@MODERATE
@given(LEAVES)
def test_root_and_paths_are_those_of_the_recursive_definition(leaves: list[bytes]):
    assert root(leaves) == defined_root(leaves)
    for index in range(len(leaves)):
        assert path(leaves, index) == defined_path(index, leaves)


@MODERATE
@given(LEAVES)
def test_every_leaf_leads_to_the_root_along_its_path(leaves: list[bytes]):
    for index, leaf in enumerate(leaves):
        assert root_of_path(leaf, index, size=len(leaves), path=path(leaves, index)) == root(leaves)


@MODERATE
@given(LEAVES, st.data())
def test_another_leaf_another_place_or_another_path_does_not_lead_to_the_root(leaves: list[bytes], data: st.DataObject):
    index = data.draw(st.integers(0, len(leaves) - 1))
    hashes = path(leaves, index)
    assert root_of_path(leaves[index] + b"x", index, size=len(leaves), path=hashes) != root(leaves)
    for i in range(len(hashes)):
        wrong = (*hashes[:i], sha(hashes[i]), *hashes[i + 1 :])
        assert root_of_path(leaves[index], index, size=len(leaves), path=wrong) != root(leaves)


@MODERATE
@given(LEAVES, st.data())
def test_a_path_of_the_wrong_length_is_refused(leaves: list[bytes], data: st.DataObject):
    index = data.draw(st.integers(0, len(leaves) - 1))
    hashes = path(leaves, index)
    with pytest.raises(ValueError, match="too long"):
        root_of_path(leaves[index], index, size=len(leaves), path=(*hashes, bytes(32)))
    if hashes:
        with pytest.raises(ValueError, match="too short"):
            root_of_path(leaves[index], index, size=len(leaves), path=hashes[:-1])


def test_an_inner_node_cannot_stand_for_a_leaf():
    leaves = [b"a", b"b"]
    node = sha(b"\x00a") + sha(b"\x00b")
    assert root_of_path(node, 0, size=1, path=()) != root(leaves)


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_a_leaf_outside_of_the_tree_has_no_path(index: int, size: int):
    with pytest.raises(IndexError):
        path([b"x"] * size, index)
    with pytest.raises(ValueError, match="no leaf"):
        root_of_path(b"x", index, size=size, path=())
