"""Proofs: made by the current key, checked by all, and worth nothing for other bytes or under another key."""

import pytest

from server.crypto.integrity import IntegrityRing

OLD, NEW = b"1" * 32, b"2" * 32
RING = IntegrityRing({"old": OLD}, "old")
TURNED = IntegrityRing({"old": OLD, "new": NEW}, "new")


def test_a_proof_is_good_for_its_bytes_alone():
    proof = RING.proof(b"bytes")
    assert RING.proves(proof, b"bytes")
    assert not RING.proves(proof, b"byte")
    assert not RING.proves(proof[:-1] + ("A" if proof[-1] != "A" else "B"), b"bytes")


@pytest.mark.parametrize("proof", ["", ".", "old", "old.", "new.AAAA", "old.AAAAAAAAAAAAAAAAAAAAAA"])
def test_what_was_never_a_proof_proves_nothing(proof: str):
    assert not RING.proves(proof, b"bytes")


def test_a_ring_that_was_turned_checks_old_proofs_and_makes_new_ones():
    assert TURNED.proves(RING.proof(b"bytes"), b"bytes")
    assert TURNED.proof(b"bytes").startswith("new.")
    assert not RING.proves(TURNED.proof(b"bytes"), b"bytes")


@pytest.mark.parametrize("keys", [{}, {"one": b"short"}, {"a b": OLD}])
def test_a_ring_of_other_keys_is_refused(keys: dict[str, bytes]):
    with pytest.raises(ValueError, match="integrity"):
        IntegrityRing(keys, next(iter(keys), "one"))


def test_a_ring_never_shows_its_keys():
    assert repr(TURNED) == "IntegrityRing(current='new')"
