"""The hash tree of RFC 6962, section 2.1: one root for a batch, one short path for each letter."""

import hashlib
from collections.abc import Sequence

EMPTY_ROOT = hashlib.sha256(b"").digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The 32 bytes that stand for all leaves in their order."""
    return root_of_hashes([leaf_hash(leaf) for leaf in leaves])


def root_of_hashes(hashes: Sequence[bytes]) -> bytes:
    """The same root, of leaves of which only the hashes are known."""
    level = list(hashes)
    while len(level) > 1:
        level = _next(level)
    return level[0] if level else EMPTY_ROOT


def leaf_hash(data: bytes) -> bytes:
    """The 32 bytes by which a leaf stands in the tree."""
    return hashlib.sha256(b"\x00" + data).digest()


def path(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """The hashes that lead from the leaf at this index to the root; IndexError outside of the leaves."""
    if not 0 <= index < len(leaves):
        raise IndexError(f"no leaf {index} among {len(leaves)}")
    level = [leaf_hash(leaf) for leaf in leaves]
    hashes = []
    while len(level) > 1:
        if index ^ 1 < len(level):
            hashes.append(level[index ^ 1])
        level = _next(level)
        index //= 2
    return tuple(hashes)


def root_of_path(leaf: bytes, index: int, *, size: int, path: Sequence[bytes]) -> bytes:
    """The root that a leaf at this index among `size` and its path lead to; ValueError if the path does not fit."""
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} among {size}")
    value = leaf_hash(leaf)
    rest = list(path)
    while size > 1:
        if index ^ 1 < size:
            if not rest:
                raise ValueError("the path is too short")
            other = rest.pop(0)
            value = _node(other, value) if index % 2 else _node(value, other)
        index //= 2
        size = (size + 1) // 2
    if rest:
        raise ValueError("the path is too long")
    return value


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _next(level: list[bytes]) -> list[bytes]:
    """The level above: neighbours in pairs, and a last one without neighbour as it is."""
    pairs = [_node(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
    return pairs + level[len(pairs) * 2 :]
