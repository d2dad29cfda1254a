"""Merkle trees of RFC 6962 that only grow, their proofs, and the checks of such proofs. Pure.

A proof of inclusion shows that a leaf is in a tree with a given root, a proof of consistency that
a tree begins with an earlier one. The checks are those of RFC 9162, section 2.1.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256

HASH_BYTES = 32
EMPTY_ROOT = sha256().digest()

# Kept are the leaves and every fourth level above them: 34 bytes a leaf instead of 64, for at most
# seven hashes to make a node that was not kept.
_STEP = 4
_FAN = 1 << _STEP


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf that stands for `data`."""
    return sha256(b"\0" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\1" + left + right).digest()


class Tree:
    """A list of leaves that only grows. Appending costs one hash on average."""

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        """`leaves` are leaf hashes."""
        # Level n holds the roots of the complete subtrees of 16**n leaves.
        self._levels = [bytearray()]
        for leaf in leaves:
            self.append(leaf)

    @property
    def size(self) -> int:
        """How many leaves there are."""
        return len(self._levels[0]) // HASH_BYTES

    def append(self, leaf: bytes) -> None:
        """Adds a leaf hash."""
        level = 0
        self._levels[0] += leaf
        count = self.size
        while count % _FAN == 0:
            complete = self._complete((level + 1) * _STEP, count // _FAN - 1)
            level, count = level + 1, count // _FAN
            if level == len(self._levels):
                self._levels.append(bytearray())
            self._levels[level] += complete

    def root(self, size: int | None = None) -> bytes:
        """The root of the first `size` leaves, of all without it. ValueError beyond the end."""
        size = self.size if size is None else self._checked(size)
        return self._range(0, size) if size else EMPTY_ROOT

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """The path from leaf `index` (from 0) to the root of the first `size` leaves.

        Raises ValueError when there is no such leaf or no such size.
        """
        if not 0 <= index < self._checked(size):
            raise ValueError(f"there is no leaf {index} among {size}")
        path: list[bytes] = []
        start = 0
        while size > 1:
            left = _left_of(size)
            if index < left:
                path.append(self._range(start + left, size - left))
                size = left
            else:
                path.append(self._range(start, left))
                start, index, size = start + left, index - left, size - left
        path.reverse()
        return path

    def consistency(self, first: int, second: int) -> list[bytes]:
        """The proof that the first `second` leaves begin with the first `first` ones.

        Raises ValueError unless 0 <= first <= second <= size.
        """
        if not 0 <= first <= self._checked(second):
            raise ValueError(f"{first} leaves are not fewer than {second}")
        path: list[bytes] = []
        if first in (0, second):
            return path
        start, is_whole = 0, True
        while first != second:
            left = _left_of(second)
            if first <= left:
                path.append(self._range(start + left, second - left))
                second = left
            else:
                path.append(self._range(start, left))
                start, first, second = start + left, first - left, second - left
                is_whole = False
        # The verifier knows the root of the earlier tree, so it is told only of parts of it.
        if not is_whole:
            path.append(self._range(start, second))
        path.reverse()
        return path

    def _checked(self, size: int) -> int:
        if not 0 <= size <= self.size:
            raise ValueError(f"the tree has {self.size} leaves, not {size}")
        return size

    def _range(self, start: int, count: int) -> bytes:
        """The root of a run of leaves that a split of the whole can meet."""
        if count & (count - 1) == 0:
            height = count.bit_length() - 1
            return self._complete(height, start >> height)
        left = _left_of(count)
        return node_hash(self._range(start, left), self._range(start + left, count - left))

    def _complete(self, height: int, index: int) -> bytes:
        """The root of the complete subtree number `index` of 2**height leaves."""
        level, above = divmod(height, _STEP)
        if not above and level < len(self._levels):
            kept = bytes(self._levels[level][index * HASH_BYTES : (index + 1) * HASH_BYTES])
            if kept:
                return kept
        return node_hash(
            self._complete(height - 1, index * 2), self._complete(height - 1, index * 2 + 1)
        )


def root_by_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root that a path leads to from leaf hash number `index` of `size`; None if to none."""
    if not 0 <= index < size:
        return None
    node, last = index, size - 1
    root = leaf
    for sibling in path:
        if last == 0:
            return None
        if node & 1 or node == last:
            root = node_hash(sibling, root)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            root = node_hash(root, sibling)
        node, last = node >> 1, last >> 1
    return root if last == 0 else None


def is_consistent(
    first: int, first_root: bytes, second: int, second_root: bytes, path: Sequence[bytes]
) -> bool:
    """Whether a path proves that a tree of `second` leaves begins with one of `first`."""
    if first == second:
        return not path and first_root == second_root
    if first == 0:
        # Everything begins with nothing.
        return not path and first_root == EMPTY_ROOT
    if not 0 < first < second or not path:
        return False
    nodes = list(path)
    if first & (first - 1) == 0:
        nodes.insert(0, first_root)
    node, last = first - 1, second - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old = new = nodes[0]
    for sibling in nodes[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        node, last = node >> 1, last >> 1
    return (old, new, last) == (first_root, second_root, 0)


def _left_of(size: int) -> int:
    """How many of `size` leaves, at least two, are under the left child: a power of two."""
    return 1 << (size - 1).bit_length() - 1
