"""Hashing: the Merkle tree of RFC 6962, and no change of a sealed chain goes unnoticed."""

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_node.errors import CorruptLedger
from bank_node.ledger.book import ENTRY, Entry
from bank_node.ledger.journal import (
    EMPTY_HEAD,
    GENESIS_HASH,
    Block,
    Head,
    check,
    head_of,
    merkle_root,
    seal,
)

# The test vectors of the certificate transparency project: eight leaves, and the tree heads
# of the first one, two ... eight of them.
LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def tree_head(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, word for word: recursive, split at the largest power of two."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + tree_head(leaves[:k]) + tree_head(leaves[k:])).digest()


@pytest.mark.parametrize("count", range(9))
def test_the_root_matches_the_published_vectors(count):
    assert merkle_root(LEAVES[:count]).hex() == ROOTS[count]


@pytest.mark.parametrize("count", range(71))
def test_the_root_matches_the_definition_of_the_rfc(count):
    leaves = [f"entry {i}".encode() for i in range(count)]
    assert merkle_root(leaves) == tree_head(leaves)
    assert len(leaves) == count, "the list of entries is only read"


def test_a_repeated_last_leaf_gives_another_root():
    assert merkle_root(LEAVES[:3]) != merkle_root([*LEAVES[:3], LEAVES[2]])


def entry(number: int) -> bytes:
    return ENTRY.pack(3, 0, 10_000, number, 0, number)


def leaf(number: int) -> bytes:
    """An entry, and every other one with a payload behind it."""
    return entry(number) + (b"of entry %d" % number if number % 2 else b"")


def chain(*sizes: int) -> list[Block]:
    """Blocks of so many entries each; every entry is unlike the others."""
    blocks, head = [], EMPTY_HEAD
    for size in sizes:
        entries = [leaf(head.sequence + i) for i in range(1, size + 1)]
        blocks.append(seal(head, entries, 1_000 * (head.height + 1)))
        head = head_of(blocks[-1])
    return blocks


def verify(blocks: list[Block]) -> Head:
    head = EMPTY_HEAD
    for block in blocks:
        check(block, head)
        head = head_of(block)
    return head


def test_a_block_continues_the_head_and_says_what_it_holds():
    first, second = chain(2, 3)
    assert (first.height, first.first_entry, first.last_entry) == (1, 1, 2)
    assert first.previous_hash == GENESIS_HASH
    assert (second.height, second.first_entry, second.last_entry) == (2, 3, 5)
    assert second.previous_hash == first.hash
    assert second.root == merkle_root([leaf(n) for n in (3, 4, 5)])
    assert second.entry_count == 3
    assert [sequence for sequence, _ in second.entries()] == [3, 4, 5]
    assert next(iter(second.entries()))[1] == Entry(3, 0, 10_000, 3, 0, 3)
    assert verify([first, second]) == Head(2, second.hash, 2_000, 5)


def test_time_never_runs_backwards_in_a_chain():
    head = head_of(seal(EMPTY_HEAD, [entry(1)], 5_000))
    block = seal(head, [entry(2)], 4_000)
    assert block.time_us == 5_000
    check(block, head)


def test_a_block_sealed_before_its_predecessor_is_found_although_its_hash_fits():
    block = seal(Head(1, b"h" * 32, 4_000, 1), [entry(2)], 4_000)
    check(block, Head(1, b"h" * 32, 4_000, 1))
    with pytest.raises(CorruptLedger):
        check(block, Head(1, b"h" * 32, 5_000, 1))


@st.composite
def damaged(draw: st.DrawFn) -> tuple[str, Block]:
    """The second block of a chain with one field changed, as a hand in the file could do it."""
    block = chain(2, 3, 1)[1]
    field = draw(st.sampled_from(Block._fields))
    value = getattr(block, field)
    if isinstance(value, int):
        changed: int | bytes = draw(st.integers(-(2**63), 2**63 - 1) | st.integers(0, 3_001))
    else:
        flipped = bytearray(value)
        flipped[draw(st.integers(0, len(value) - 1))] ^= draw(st.integers(1, 255))
        cut = draw(st.integers(0, len(value) - 1))
        changed = draw(
            st.sampled_from(
                [bytes(flipped), value[:cut], value + bytes(flipped), value[ENTRY.size :]]
            )
        )
    return field, block._replace(**{field: changed})


@settings(max_examples=300)
@given(damaged())
def test_any_changed_field_of_a_block_is_found_and_the_block_is_named(damage):
    field, block = damage
    blocks = chain(2, 3, 1)
    if block == blocks[1]:
        return
    with pytest.raises(CorruptLedger) as caught:
        verify([blocks[0], block, blocks[2]])
    assert caught.value.height is not None, field
    if field != "height":
        assert caught.value.height == 2


@pytest.mark.parametrize("field", ["previous_hash", "root", "hash", "body", "attached"])
def test_every_single_changed_byte_is_found(field):
    blocks = chain(2, 2)
    value = getattr(blocks[1], field)
    for place in range(len(value)):
        changed = value[:place] + bytes([value[place] ^ 1]) + value[place + 1 :]
        with pytest.raises(CorruptLedger):
            verify([blocks[0], blocks[1]._replace(**{field: changed})])


def test_a_changed_body_with_a_root_that_fits_it_is_found():
    blocks = chain(2, 2)
    forged = [entry(3), entry(9)]
    block = blocks[1]._replace(body=b"".join(forged), root=merkle_root(forged))
    with pytest.raises(CorruptLedger):
        verify([blocks[0], block])


positions = st.integers(0, 4)


@given(positions, positions)
def test_swapped_blocks_are_found(one, other):
    blocks = chain(1, 2, 1, 3, 1)
    blocks[one], blocks[other] = blocks[other], blocks[one]
    if one == other:
        assert verify(blocks).height == 5
        return
    with pytest.raises(CorruptLedger) as caught:
        verify(blocks)
    assert caught.value.height == min(one, other) + 1


@pytest.mark.parametrize("place", range(4))
def test_a_removed_block_is_found(place):
    blocks = chain(1, 2, 1, 3, 1)
    del blocks[place]
    with pytest.raises(CorruptLedger) as caught:
        verify(blocks)
    assert caught.value.height == place + 1


@pytest.mark.parametrize("place", range(5))
def test_a_repeated_block_is_found(place):
    blocks = chain(1, 2, 1, 3, 1)
    blocks.insert(place, blocks[place])
    with pytest.raises(CorruptLedger):
        verify(blocks)


def test_a_block_of_another_chain_is_found():
    ours = chain(1, 1)
    foreign = seal(head_of(seal(EMPTY_HEAD, [entry(7)], 1_000)), [entry(2)], 2_000)
    with pytest.raises(CorruptLedger):
        verify([ours[0], foreign])


def test_a_block_without_entries_is_refused():
    with pytest.raises(CorruptLedger):
        check(seal(EMPTY_HEAD, [], 1), EMPTY_HEAD)
