"""Documents that prove: honest ones hold, and whatever is changed in them, they do not."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_model import book, opened

from bank_node.errors import Reason, Refused
from bank_node.ledger.book import Entry, Kind
from bank_node.ledger.log import Log
from bank_node.ledger.memory_store import MemoryStore
from bank_node.ledger.merkle import Tree, leaf_hash
from bank_node.ledger.operations import Deposit, OpenAccount
from bank_node.ledger.proofs import (
    DOCUMENT_BYTES_MAX,
    Consistency,
    ProofRefused,
    TwoHistories,
    check_document,
    parse_document,
    sign_head,
    to_json,
)
from bank_node.ledger.transfer_operations import Move
from bank_node.security.identity import new_identity

BANK = "10.0.0.1"
OURS, THEIRS = (new_identity(bytes([n]) * 32) for n in (1, 2))
NUMBER = 10_000


def ledger(*deposits: int) -> MemoryStore:
    """One account, and a block of three deposits for each amount."""
    store = MemoryStore()
    book(store, OpenAccount(0))
    for amount in deposits:
        book(store, *[Deposit(NUMBER, amount + more) for more in (0, 1, 2)])
    return store


def log_of(store: MemoryStore, identity=OURS) -> Log:
    return Log(store, BANK, identity, lambda: 1_700_000_000_000_000)


STORE = ledger(100, 200, 300, 400, 500, 600)
LOG = log_of(STORE)
BLOCKS = STORE.head.height
ENTRIES = STORE.head.sequence


def documents():
    return {
        "head": LOG.head(),
        "inclusion": LOG.inclusion(9),
        "consistency": LOG.consistency(3, 6),
        "two histories": TwoHistories(LOG.head(), log_of(ledger(1, 2, 3, 4, 5, 6)).head()),
    }


kinds = pytest.mark.parametrize("kind", documents())


def test_a_head_tells_size_and_root_and_is_signed_by_the_bank():
    head = LOG.head()
    leaves = [leaf_hash(block.header.packed()) for block in STORE.blocks()]
    assert (head.bank, head.epoch, head.size, head.key) == (BANK, 1, BLOCKS, OURS.key)
    assert bytes.fromhex(head.root) == Tree(leaves).root()


@pytest.mark.parametrize("entry", range(1, ENTRIES + 1))
def test_every_entry_is_proven(entry):
    proven = check_document(LOG.inclusion(entry), OURS.key)
    assert proven.sequence == entry
    block = STORE.block_of(entry)
    assert proven == (entry, dict(block.entries())[entry], block.time_us, None)


def test_a_proof_tells_what_the_entry_was():
    proven = check_document(LOG.inclusion(3))
    assert proven.entry == Entry(Kind.DEPOSITED, 0, NUMBER, 101, 0, 2)


@pytest.mark.parametrize("first", range(1, BLOCKS + 1))
def test_every_earlier_ledger_is_proven_to_be_the_beginning(first):
    for second in range(first, BLOCKS + 1):
        check_document(LOG.consistency(first, second), OURS.key)
    assert LOG.consistency(first, None).second.size == BLOCKS


def test_proofs_follow_a_ledger_that_grows():
    store = ledger(1)
    log = log_of(store)
    heads = [log.head()]
    for amount in range(5):
        book(store, Deposit(NUMBER, amount))
        proof = log.consistency(heads[-1].size, None)
        assert (proof.first.size, proof.first.root) == (heads[-1].size, heads[-1].root)
        check_document(proof, OURS.key)
        check_document(log.inclusion(store.head.sequence), OURS.key)
        heads.append(log.head())
    assert [head.size for head in heads] == [2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("entry", [0, ENTRIES + 1, 2**63 - 1])
def test_an_entry_that_is_not_there_is_refused(entry):
    with pytest.raises(Refused) as caught:
        LOG.inclusion(entry)
    assert caught.value.reason is Reason.NO_SUCH_ENTRY


@pytest.mark.parametrize(("first", "second"), [(BLOCKS + 1, None), (3, 2), (1, BLOCKS + 1)])
def test_a_size_that_is_not_there_is_refused(first, second):
    with pytest.raises(Refused) as caught:
        LOG.consistency(first, second)
    assert (caught.value.reason, caught.value.details) == (Reason.NO_SUCH_SIZE, {"blocks": BLOCKS})


def test_a_log_that_somebody_else_is_reading_for_too_long_is_busy():
    log = log_of(STORE)
    with log._lock, pytest.raises(Refused) as caught:
        log.head(within_s=0)
    assert caught.value.reason is Reason.TOO_BUSY


@kinds
def test_a_document_survives_its_way_through_json(kind):
    document = documents()[kind]
    text = to_json(document)
    assert "\n" not in text
    assert parse_document(text) == parse_document(text.encode()) == document
    check_document(parse_document(text), OURS.key)


@kinds
def test_another_key_than_the_right_one_is_refused(kind):
    with pytest.raises(ProofRefused):
        check_document(documents()[kind], THEIRS.key)


def leaves_of(value, path=()):
    """Where the values of a document are."""
    if isinstance(value, dict):
        return [p for k, v in value.items() for p in leaves_of(v, (*path, k))]
    if isinstance(value, list):
        return [p for i, v in enumerate(value) for p in leaves_of(v, (*path, i))]
    return [path]


def changed(document, path, value):
    *outer, last = path
    inner = document
    for step in outer:
        inner = inner[step]
    inner[last] = value(inner[last])
    return document


def is_refused(document) -> bool:
    try:
        check_document(parse_document(json.dumps(document)), OURS.key)
    except ProofRefused:
        return True
    return False


OTHER_CHARACTER = {"0": "1", "a": "b", "A": "B"}


@kinds
def test_every_field_that_is_changed_is_found(kind):
    text = to_json(documents()[kind])
    paths = leaves_of(json.loads(text))
    assert len(paths) >= 7
    for path in paths:
        for change in (
            lambda v: v + 1 if isinstance(v, int) else OTHER_CHARACTER.get(v[0], "0") + v[1:],
            lambda v: v - 1 if isinstance(v, int) else v[:-1],
            lambda v: 2**63 if isinstance(v, int) else v + "0",
            lambda v: 0 if isinstance(v, int) and v else "",
            lambda v: str(v) if isinstance(v, int) else 5,
            lambda _: None,
            lambda v: [v],
        ):
            assert is_refused(changed(json.loads(text), path, change)), path


@kinds
def test_a_field_that_is_missing_or_one_too_many_is_found(kind):
    text = to_json(documents()[kind])
    for name in json.loads(text):
        without = json.loads(text)
        del without[name]
        assert is_refused(without), name
    assert is_refused({**json.loads(text), "more": 1})


@settings(max_examples=200)
@given(st.data())
def test_parts_of_other_honest_documents_do_not_fit(data):
    """Swapping fields between true proofs must never give a proof of something else."""
    make = data.draw(
        st.sampled_from(
            [
                lambda n: LOG.inclusion(n % ENTRIES + 1),
                lambda n: LOG.consistency(n % BLOCKS + 1, None),
            ]
        )
    )
    one, other = (json.loads(to_json(make(data.draw(st.integers(0, 40))))) for _ in range(2))
    name = data.draw(st.sampled_from([name for name in one if name != "kind"]))
    mixed = {**one, name: other[name]}
    if mixed not in (one, other) and not is_refused(mixed):
        # What then still holds is the same claim with another true proof of it.
        kept = ("entry", "record", "block") if "entry" in one else ()
        assert [mixed[each] for each in kept] == [one[each] for each in kept]


def test_a_truncated_text_is_no_proof():
    text = to_json(LOG.inclusion(5))
    for end in range(len(text)):
        with pytest.raises(ProofRefused):
            parse_document(text[:end])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "null",
        '{"kind":"x"}',
        "[" * 50_000,
        b"\xff\xfe",
        "x" * (DOCUMENT_BYTES_MAX + 1),
    ],
)
def test_what_is_no_document_is_refused(text):
    with pytest.raises(ProofRefused):
        parse_document(text)


def test_a_block_of_another_bank_proves_nothing_here():
    strange = log_of(ledger(7, 8, 9, 10, 11, 12)).inclusion(9)
    mixed = {**json.loads(to_json(strange)), "head": json.loads(to_json(LOG.head()))}
    assert is_refused(mixed)


def test_a_head_that_somebody_else_signed_in_the_name_of_the_bank_is_found():
    head = json.loads(to_json(log_of(STORE, THEIRS).head()))
    assert is_refused(head)
    assert is_refused({**head, "key": OURS.key})


def test_a_rewritten_ledger_is_not_consistent_with_what_was_signed():
    rewritten = log_of(ledger(100, 999, 300, 400, 500, 600))
    proof = rewritten.consistency(5, 7)
    check_document(proof, OURS.key)
    forged = Consistency(LOG.consistency(5, 5).first, proof.second, proof.path)
    with pytest.raises(ProofRefused, match="does not begin"):
        check_document(forged, OURS.key)


def test_two_true_heads_are_no_evidence():
    one, later = LOG.head(), sign_head(OURS, BANK, 1, BLOCKS, bytes.fromhex(LOG.head().root), 5)
    for first, second in ((one, one), (one, later), (one, LOG.consistency(2, 2).first)):
        with pytest.raises(ProofRefused):
            check_document(TwoHistories(first, second))


def test_heads_of_two_banks_or_keys_are_no_evidence():
    other = log_of(ledger(1, 2, 3, 4, 5, 6), THEIRS).head()
    elsewhere = sign_head(OURS, "10.0.0.2", 1, BLOCKS, bytes(32), 5)
    for second in (other, elsewhere):
        with pytest.raises(ProofRefused, match="not of the same"):
            check_document(TwoHistories(LOG.head(), second))


def test_an_entry_of_a_kind_from_the_future_is_not_described():
    record = bytes(50)
    proof = LOG.inclusion(1)
    tree = Tree([leaf_hash(record)])
    header = next(iter(STORE.blocks())).header._replace(root=tree.root())
    log = Tree([leaf_hash(header.packed())])
    document = json.loads(to_json(proof))
    document["record"], document["block"]["root"] = record.hex(), tree.root().hex()
    document["block_path"] = []
    document["head"] = json.loads(to_json(sign_head(OURS, BANK, 1, 1, log.root(), 5)))
    with pytest.raises(ProofRefused, match="does not know"):
        check_document(parse_document(json.dumps(document)))


def test_a_proof_of_a_transfer_tells_its_record():
    store = MemoryStore()
    one, two = opened(store, 10, 0)
    (moved,) = book(store, Move("rent", one, two, 7))
    log = log_of(store)
    proven = check_document(log.inclusion(moved.entry), OURS.key)
    assert proven.transfer == moved
