"""The RFC 6962 §2.1 Merkle tree over SHA-256: roots, inclusion and consistency.

Hashes of complete subtrees come from a `Hashes`: the node of `level` and `index` covers the leaves
`index << level` up to `(index + 1) << level`. Everything here is computed from such nodes, so the same code
serves a list in memory, tiles on disk and tiles fetched from somebody else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Protocol

from .checkpoint import EMPTY_ROOT

__all__ = [
    "Edge",
    "Hashes",
    "LeafList",
    "NotProved",
    "consistency_proof",
    "inclusion_proof",
    "leaf_hash",
    "node_hash",
    "root_from_inclusion",
    "root_of",
    "verify_consistency",
    "verify_inclusion",
]


class NotProved(ValueError):
    """The hashes do not lead to the root."""


class Hashes(Protocol):
    def node(self, level: int, index: int) -> bytes:
        """The hash of one complete subtree of `2 ** level` leaves."""


def leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class LeafList:
    """Hashes of a list of leaf hashes in memory; nodes are computed once and kept."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self._levels: list[list[bytes]] = [list(leaves)]
        while len(below := self._levels[-1]) > 1:
            self._levels.append([node_hash(a, b) for a, b in zip(below[::2], below[1::2], strict=False)])

    def node(self, level: int, index: int) -> bytes:
        return self._levels[level][index]


class Edge:
    """The right edge of a growing tree: the roots of the complete subtrees of which it consists.

    Appending costs one hash on average; the root costs as many as the size has bits.
    """

    def __init__(self, size: int = 0, subtrees: Iterable[bytes] = ()) -> None:
        self.size = size
        self._subtrees = list(subtrees)  # largest first
        if len(self._subtrees) != size.bit_count():
            raise ValueError("one hash for each bit of the size")

    @classmethod
    def of(cls, size: int, hashes: Hashes) -> Edge:
        return cls(size, (hashes.node(level, index) for level, index in _complete(0, size)))

    @property
    def subtrees(self) -> tuple[bytes, ...]:
        """Largest first: one for each bit of the size."""
        return tuple(self._subtrees)

    def append(self, leaf: bytes) -> None:
        size = self.size
        while size & 1:
            leaf = node_hash(self._subtrees.pop(), leaf)
            size >>= 1
        self._subtrees.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        return _fold(self._subtrees)

    def copy(self) -> Edge:
        return Edge(self.size, self._subtrees)


def _fold(subtrees: Sequence[bytes]) -> bytes:
    if not subtrees:
        return EMPTY_ROOT
    root = subtrees[-1]
    for left in reversed(subtrees[:-1]):
        root = node_hash(left, root)
    return root


def _split(width: int) -> int:
    """The largest power of two smaller than `width`, as an exponent."""
    return (width - 1).bit_length() - 1


def _complete(start: int, end: int) -> list[tuple[int, int]]:
    """The complete subtrees, largest first, of a range that begins where a tree or a right half begins."""
    nodes = []
    while start < end:
        level = (end - start).bit_length() - 1
        nodes.append((level, start >> level))
        start += 1 << level
    return nodes


def _range_root(start: int, end: int, hashes: Hashes) -> bytes:
    return _fold([hashes.node(level, index) for level, index in _complete(start, end)])


def root_of(size: int, hashes: Hashes) -> bytes:
    return _range_root(0, size, hashes)


def inclusion_proof(index: int, size: int, hashes: Hashes) -> list[bytes]:
    """The audit path of leaf `index` in the tree of `size`, the leaf's sibling first.

    :raises ValueError: no such leaf
    """
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + (1 << _split(end - start))
        if index < middle:
            path.append(_range_root(middle, end, hashes))
            end = middle
        else:
            path.append(_range_root(start, middle, hashes))
            start = middle
    path.reverse()
    return path


def root_from_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """The root to which the path leads (RFC 9162 §2.1.3.2). It proves nothing until compared.

    :raises NotProved: no such leaf in the tree, a wrong number of hashes or a hash of a wrong length
    """
    if not 0 <= index < size:
        raise NotProved(f"no leaf {index} in a tree of {size}")
    if any(len(h) != 32 for h in proof):
        raise NotProved("a hash has 32 bytes")
    node, last = index, size - 1
    root = leaf
    for sibling in proof:
        if last == 0:
            raise NotProved("too many hashes")
        if node & 1 or node == last:
            root = node_hash(sibling, root)
            while node and not node & 1:
                node >>= 1
                last >>= 1
        else:
            root = node_hash(root, sibling)
        node >>= 1
        last >>= 1
    if last:
        raise NotProved("too few hashes")
    return root


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """:raises NotProved: the leaf hash is not at `index` in the tree of `size` and `root`"""
    if root_from_inclusion(leaf, index, size, proof) != root:
        raise NotProved("the path leads to another root")


def consistency_proof(old: int, new: int, hashes: Hashes) -> list[bytes]:
    """RFC 6962 §2.1.2. Empty when the old tree is empty or the sizes are equal.

    :raises ValueError: the old tree is larger
    """
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {old} does not precede one of {new}")
    if old in (0, new):
        return []
    proof: list[bytes] = []
    start, end, whole = 0, new, True
    while old != end:
        middle = start + (1 << _split(end - start))
        if old <= middle:
            proof.append(_range_root(middle, end, hashes))
            end = middle
        else:
            proof.append(_range_root(start, middle, hashes))
            start, whole = middle, False
    if not whole:
        proof.append(_range_root(start, end, hashes))
    proof.reverse()
    return proof


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """The tree `new` begins with the tree `old` (RFC 9162 §2.1.4.2).

    A witness's `old 0` has an empty proof and is handled here, which most verifiers call an error.

    :raises NotProved: it does not, or the proof has a wrong form
    """
    if any(len(h) != 32 for h in (old_root, new_root, *proof)):
        raise NotProved("a hash has 32 bytes")
    if not 0 <= old <= new:
        raise NotProved(f"a tree of {old} does not precede one of {new}")
    if old in (0, new):
        if proof:
            raise NotProved("too many hashes")
        if old == 0 and old_root != EMPTY_ROOT:
            raise NotProved("the empty tree has one root only")
        if old == new and old_root != new_root:
            raise NotProved("one size with two roots")
        return
    path = list(proof)
    if old & (old - 1) == 0:  # a complete old tree is its own first node
        path.insert(0, old_root)
    if not path:
        raise NotProved("too few hashes")
    node, last = old - 1, new - 1
    while node & 1:
        node >>= 1
        last >>= 1
    seen_old = seen_new = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise NotProved("too many hashes")
        if node & 1 or node == last:
            seen_old = node_hash(sibling, seen_old)
            seen_new = node_hash(sibling, seen_new)
            while node and not node & 1:
                node >>= 1
                last >>= 1
        else:
            seen_new = node_hash(seen_new, sibling)
        node >>= 1
        last >>= 1
    if last:
        raise NotProved("too few hashes")
    if seen_old != old_root:
        raise NotProved("the old tree is not the beginning of the new one")
    if seen_new != new_root:
        raise NotProved("the path leads to another root")
