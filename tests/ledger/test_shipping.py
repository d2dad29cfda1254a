"""Blocks on their way: what arrives is what was sent, signed for one request, or refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledger_model import opened

from bank_node.errors import CorruptLedger
from bank_node.ledger.memory_store import MemoryStore
from bank_node.ledger.shipping import (
    DELIVERY_BLOCKS_MAX,
    DELIVERY_BYTES_MAX,
    Delivery,
    Request,
    pack,
    parse_delivery,
    unpack,
)
from bank_node.security.identity import new_identity

BANK = "10.0.0.1"
OURS, THEIRS = (new_identity(bytes([n]) * 32) for n in (1, 2))
REQUEST = Request("node", 1, 5, "0" * 64, 77, "10.0.0.2:65400")


@pytest.fixture(scope="module")
def blocks():
    store = MemoryStore()
    for size in (1, 3, 2):
        opened(store, *[7] * size)
    return list(store.blocks())


def test_blocks_arrive_as_they_were_sent(blocks):
    assert unpack(pack(blocks)) == blocks
    assert unpack(pack([])) == []


def test_a_delivery_is_bounded(blocks):
    big = blocks[0]._replace(body=bytes(41 * 5000))
    packed = unpack(pack([big] * 100))
    assert 1 <= len(packed) < 100
    assert sum(len(block.body) for block in packed) <= DELIVERY_BYTES_MAX
    assert len(unpack(pack([blocks[0]] * 5000))) == DELIVERY_BLOCKS_MAX
    huge = blocks[0]._replace(body=bytes(41 * 50_000))
    assert unpack(pack([huge, huge])) == [huge], "at least one block arrives"


@given(st.integers(0, 100_000))
def test_cut_blocks_are_refused(blocks, cut):
    text = pack(blocks)
    cut %= len(text)
    try:
        found = unpack(text[:cut])
    except CorruptLedger:
        return
    assert found == blocks[: len(found)], "cut between two blocks"


@pytest.mark.parametrize("text", ["!", "AAAA", "A", "é", "====", "A" * 1000])
def test_what_is_no_blocks_is_refused(text):
    with pytest.raises(CorruptLedger):
        unpack(text)


def test_a_request_is_signed_in_every_word():
    signature = REQUEST.signature(OURS, BANK)
    assert REQUEST.is_signed(BANK, OURS.key, signature)
    assert not REQUEST.is_signed("10.0.0.9", OURS.key, signature)
    assert not REQUEST.is_signed(BANK, THEIRS.key, signature)
    for name, value in REQUEST._asdict().items():
        changed = REQUEST._replace(**{name: value + 1 if isinstance(value, int) else value + "0"})
        assert not changed.is_signed(BANK, OURS.key, signature), name


def test_a_delivery_is_signed_for_its_request_and_in_every_field():
    delivery = Delivery(1, 78, 9, "AAAA").signed(OURS, BANK, REQUEST)
    assert delivery.is_signed(BANK, OURS.key, REQUEST)
    for request in (
        REQUEST._replace(number=76),
        REQUEST._replace(height=6),
        REQUEST._replace(node="other"),
    ):
        assert not delivery.is_signed(BANK, OURS.key, request)
    for changed in (
        Delivery(2, 78, 9, "AAAA", delivery.signature),
        Delivery(1, 79, 9, "AAAA", delivery.signature),
        Delivery(1, 78, 8, "AAAA", delivery.signature),
        Delivery(1, 78, 9, "AAAB", delivery.signature),
        Delivery(1, 78, 9, "AAAA"),
    ):
        assert not changed.is_signed(BANK, OURS.key, REQUEST)
    assert not delivery.is_signed(BANK, THEIRS.key, REQUEST)


@pytest.mark.parametrize("text", ["", "{}", '{"epoch":-1,"number":1,"height":1}', b"\xff", "[" * 9])
def test_what_is_no_delivery_is_none(text):
    assert parse_delivery(text) is None
