"""Pure hashing: entries sealed into blocks that form a chain.

The Merkle tree is that of RFC 6962, section 2.1: leaf = SHA-256(0x00 || entry || payload), node =
SHA-256(0x01 || left || right), an odd node moves up unchanged. An entry has a fixed width, so
where its payload begins needs no mark. A block's hash covers its header, which holds the root of
its leaves and the hash of the block before it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from hashlib import sha256
from operator import itemgetter
from struct import Struct
from typing import Any, NamedTuple

from bank_node.errors import CorruptLedger
from bank_node.ledger.entries import ENTRY, Entry
from bank_node.ledger.records import Record, decode

GENESIS_HASH = bytes(32)
"""What the first block names as the hash of the block before it."""

_HEADER = Struct(">BQ32s32sQQI")
_HEADER_VERSION = 1
# Before each payload: which entry of the block it belongs to, and its length in bytes.
_PAYLOAD = Struct(">II")
# What `Entry._make` calls before it counts the fields, which a format has counted already.
_entry: Callable[[Iterable[Any]], Entry] = partial(tuple.__new__, Entry)


class Header(NamedTuple):
    """All of a block but its entries, for which the root of their tree stands."""

    height: int
    previous_hash: bytes
    root: bytes
    time_us: int
    first_entry: int
    entry_count: int

    def packed(self) -> bytes:
        """The bytes that are hashed. Raises struct.error for values that no block can have."""
        return _HEADER.pack(_HEADER_VERSION, *self)


class Block(NamedTuple):
    """A sealed batch. `body` is its entries, one after the other in canonical form.

    `attached` is the payloads of those entries that have one, each behind its index and length.
    """

    height: int
    previous_hash: bytes
    root: bytes
    time_us: int
    first_entry: int
    body: bytes
    hash: bytes
    attached: bytes = b""

    @property
    def entry_count(self) -> int:
        """How many entries the block holds."""
        return len(self.body) // ENTRY.size

    @property
    def last_entry(self) -> int:
        """The sequence number of the block's last entry."""
        return self.first_entry + self.entry_count - 1

    @property
    def header(self) -> Header:
        """What the block's hash covers."""
        return Header(
            self.height,
            self.previous_hash,
            self.root,
            self.time_us,
            self.first_entry,
            self.entry_count,
        )

    def leaves(self) -> list[bytes]:
        """What the Merkle tree is built of: each entry followed by its payload."""
        body = self.body
        leaves = [body[i : i + ENTRY.size] for i in range(0, len(body), ENTRY.size)]
        for entry, payload in self.payloads().items():
            leaves[entry - self.first_entry] += payload
        return leaves

    def entries(self) -> Iterator[tuple[int, Entry]]:
        """The entries with their sequence numbers."""
        return enumerate(map(_entry, ENTRY.iter_unpack(self.body)), self.first_entry)

    def entry(self, sequence: int) -> Entry:
        """The entry of this block with a sequence number."""
        at = (sequence - self.first_entry) * ENTRY.size
        return Entry._make(ENTRY.unpack_from(self.body, at))

    def payloads(self) -> dict[int, bytes]:
        """The payloads by the sequence numbers of their entries.

        Raises CorruptLedger unless they are in canonical form.
        """
        return dict(self._payloads()) if self.attached else {}

    def _payloads(self) -> Iterator[tuple[int, bytes]]:
        attached, at, lowest = self.attached, 0, 0
        while at < len(attached):
            if at + _PAYLOAD.size > len(attached):
                raise self._cut()
            index, length = _PAYLOAD.unpack_from(attached, at)
            at += _PAYLOAD.size
            if not lowest <= index < self.entry_count or not 0 < length <= len(attached) - at:
                raise self._cut()
            yield self.first_entry + index, attached[at : at + length]
            at += length
            lowest = index + 1

    def _cut(self) -> CorruptLedger:
        return CorruptLedger(f"the records of block {self.height} are cut", height=self.height)


class Head(NamedTuple):
    """The end of a chain: enough to continue it, and to recognise it later."""

    height: int
    hash: bytes
    time_us: int
    sequence: int


EMPTY_HEAD = Head(0, GENESIS_HASH, 0, 0)


def seal(head: Head, entries: Sequence[bytes], time_us: int) -> Block:
    """The block that continues `head` with these entries, each followed by its payload.

    Time never runs backwards in a chain.
    """
    height = head.height + 1
    first = head.sequence + 1
    time_us = max(time_us, head.time_us)
    root = merkle_root(entries)
    digest = _block_hash(height, head.hash, root, time_us, first, len(entries))
    body, attached = b"".join(entries), b""
    if len(body) != len(entries) * ENTRY.size:
        body = b"".join([entry[: ENTRY.size] for entry in entries])
        attached = _attached(entries)
    return Block(height, head.hash, root, time_us, first, body, digest, attached)


def _attached(entries: Sequence[bytes]) -> bytes:
    width = ENTRY.size
    return b"".join([
        _PAYLOAD.pack(index, len(entry) - width) + entry[width:]
        for index, entry in enumerate(entries)
        if len(entry) > width
    ])  # fmt: skip


def head_of(block: Block) -> Head:
    """The head of a chain that ends with this block."""
    return Head(block.height, block.hash, block.time_us, block.last_entry)


def records_at(
    places: Mapping[str, int], block_of: Callable[[int], Block | None]
) -> Iterator[Record]:
    """The records that these entries carry, by keys of transfers and notes, each block read once.

    Raises CorruptLedger if one is not there.
    """
    block: Block | None = None
    payloads: dict[int, bytes] = {}
    for key, entry in sorted(places.items(), key=itemgetter(1)):
        if block is None or entry > block.last_entry:
            block = block_of(entry)
            payloads = block.payloads() if block else {}
        payload = payloads.get(entry)
        if payload is None:
            raise CorruptLedger(f"{key} is not in the journal at entry {entry}")
        yield decode(payload, entry)


def check(block: Block, head: Head) -> None:
    """Proves that a block is whole and continues `head`. Raises CorruptLedger saying what is not.

    The hash comes first: a block whose bytes were changed anywhere must not be described by
    one of the changed bytes.
    """
    if block.height != head.height + 1:
        raise CorruptLedger(f"block {head.height + 1} is missing", height=head.height + 1)
    body = block.body
    if not body or len(body) % ENTRY.size:
        raise CorruptLedger(f"the body of block {block.height} is cut", height=block.height)
    # What a stored time says before it is known to be true may not even fit into a header.
    time_us = max(block.time_us, 0)
    root = merkle_root(block.leaves())
    first = head.sequence + 1
    expected = _block_hash(block.height, head.hash, root, time_us, first, block.entry_count)
    whole = block._replace(
        previous_hash=head.hash, root=root, time_us=time_us, first_entry=first, hash=expected
    )
    if block != whole:
        raise CorruptLedger(
            f"block {block.height} does not match its hash or the block before it",
            height=block.height,
        )
    if block.time_us < head.time_us:
        raise CorruptLedger(f"block {block.height} is older than its predecessor",
                            height=block.height)  # fmt: skip


def merkle_root(entries: Sequence[bytes]) -> bytes:
    """The RFC 6962 tree head of a list of entries."""
    if not entries:
        return sha256().digest()
    level = [sha256(b"\0" + entry).digest() for entry in entries]
    while len(level) > 1:
        odd = level.pop() if len(level) % 2 else None
        pairs = zip(level[::2], level[1::2], strict=True)
        level = [sha256(b"\1" + left + right).digest() for left, right in pairs]
        if odd is not None:
            level.append(odd)
    return level[0]


def _block_hash(
    height: int, previous: bytes, root: bytes, time_us: int, first_entry: int, count: int
) -> bytes:
    header = _HEADER.pack(_HEADER_VERSION, height, previous, root, time_us, first_entry, count)
    return sha256(header).digest()
