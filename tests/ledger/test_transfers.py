"""Transfers in every store: against a plain model, through crashes, snapshots and verification."""

import random

import pytest
from ledger_model import LIMIT, Room, book, opened
from plain_transfers import PlainTransfers
from test_store_contract import pending

from bank_node.errors import CorruptLedger, Reason
from bank_node.ledger import audit, lagging_rows, sqlite_schema, sqlite_store
from bank_node.ledger.book import FreeNumbers, State
from bank_node.ledger.entries import CASH, ENTRY, bank_of, settlement_account
from bank_node.ledger.following import follow
from bank_node.ledger.journal import EMPTY_HEAD, Block, head_of, seal
from bank_node.ledger.operations import (
    CloseAccount,
    Deposit,
    ReadBalance,
    ReadTotal,
    Withdraw,
)
from bank_node.ledger.sqlite_files import verify_file
from bank_node.ledger.transfer_operations import Hold, Move, Promise, ReadTransfer, Tell
from bank_node.ledger.transfers import (
    STEPS,
    Message,
    Phase,
    Role,
    Step,
    Transfer,
    decode,
    encode,
)
from bank_node.values import BankCode

OTHERS = [
    settlement_account(BankCode(code)) for code in ("10.0.0.7", "10.0.0.8", "255.255.255.255")
]
# Account 10000 is opened and gets 5.
LEAVES = [ENTRY.pack(1, 0, 10_000, 0, 0, 0), ENTRY.pack(3, 0, 10_000, 5, 0, 1)]
KEYS = [f"t{n}" for n in range(6)] + [f"10.0.0.{n}/t{m}" for n in (7, 8) for m in range(4)]


def stands(result):
    """How the ledger's answer reads in the words of the plain model."""
    if not isinstance(result, Transfer):
        return result
    if result.role is Role.PAYER and result.phase is Phase.ENDED:
        return "confirmed"
    return "reserved" if result.phase is Phase.SENT else result.state


def some_operation(draws, accounts, amounts):
    account, other = draws.choice(accounts), draws.choice(accounts)
    amount, key = draws.choice(amounts), draws.choice(KEYS)
    bank, cap = draws.choice(OTHERS), draws.choice([LIMIT, LIMIT, 120])
    if "/" in key:
        kinds = [
            Promise(key, account, bank, other, amount, cap, draws.choice([b"", b"signed"])),
            Promise(key, account, bank, other, amount, LIMIT),
            Tell(draws.choice(list(Message)[3:]), key, draws.choice([0, bank])),
        ]
    else:
        kinds = [
            Move(key, account, other, amount),
            Move(f"drawn{draws.getrandbits(64):x}", account, other, amount, is_drawn=True),
            Hold(key, account, bank, other, amount, draws.random() < 0.3, cap),
            Hold(key, account, bank, other, amount, False, LIMIT),
            Tell(draws.choice(list(Message)[:4]), key, draws.choice([0, 0, bank]), note="by hand"),
            Tell(Message.POST, key),
        ]
    kinds += [
        Deposit(account, amount),
        Withdraw(account, amount),
        ReadTransfer(key),
    ]
    if draws.random() < 0.05:
        kinds.append(CloseAccount(account))
    return draws.choice(kinds)


def told(operation):
    return not (isinstance(operation, Tell) and operation.message is Message.PROMISE)


def verified(store):
    """The report of a full replay that trusts nothing."""
    return audit.verify(store.blocks(), (), (), audit.Anchor(0, 0, b""))


def assert_is_as(store, model):
    assert {a.number: a.balance for a in store.accounts()} == model.balances
    owed = {a.number: a.balance for a in store.positions() if a.balance}
    assert owed == {bank: balance for bank, balance in model.owed.items() if balance}
    assert store.read(ReadTotal()) == model.total
    assert min(model.balances.values(), default=0) >= 0
    assert sum(model.balances.values()) + sum(model.owed.values()) + model.held == model.cash
    for key in KEYS:
        wanted = model.known[key].stands if key in model.known else Reason.NO_SUCH_TRANSFER
        assert stands(store.read(ReadTransfer(key))) == wanted
    still_open = {key for key, known in model.known.items() if known.stands == "reserved"}
    unconfirmed = {k for k, v in model.known.items() if v[::2] == ("out", "committed")}
    assert {t.key for t in store.open_transfers()} == still_open | unconfirmed
    report = verified(store)
    assert (report.total, report.held) == (model.total, model.held)
    assert report.transfers == len(model.known)


def run(room, seed, steps, amounts):
    draws, model = random.Random(seed), PlainTransfers()
    accounts = opened(room.store, *[0] * 4)
    model.balances = dict.fromkeys(accounts, 0)
    for number in accounts[:2]:
        assert book(room.store, Deposit(number, 300)) == [model.decide(Deposit(number, 300))]
    for step in range(steps):
        batch = [
            some_operation(draws, [*accounts, 10], amounts) for _ in range(draws.randint(1, 8))
        ]
        batch = list(filter(told, batch))
        if draws.random() < 0.1:
            pending(room.store, *batch)
            room.store.discard()
            continue
        for operation, result in zip(batch, book(room.store, *batch), strict=True):
            assert stands(result) == model.decide(operation), (step, operation)
        if room.is_durable and draws.random() < 0.1:
            room.reopen()
        if step % 5 == 0:
            assert_is_as(room.store, model)
    assert_is_as(room.store, model)


@pytest.mark.parametrize("seed", range(6))
def test_transfers_come_to_what_a_plain_bank_says(room, seed):
    run(room, seed, 40, [0, 1, 50, 100])


@pytest.mark.parametrize("seed", range(3))
def test_transfers_at_the_upper_end_of_all_amounts(room, seed):
    run(room, seed, 40, [1, LIMIT // 2, LIMIT])


@pytest.mark.parametrize("seed", range(6))
def test_rows_that_lag_tell_the_same_after_any_restart(tmp_path, monkeypatch, seed):
    """A snapshot is taken every few entries, in portions of two rows."""
    monkeypatch.setattr(lagging_rows, "SNAPSHOT_ENTRIES", 10)
    monkeypatch.setattr(sqlite_store, "_PORTION_ROWS", 2)
    monkeypatch.setattr(lagging_rows, "_LOOK_NUMBERS", 30_000)
    room = Room(lambda: sqlite_store.SqliteStore(tmp_path / "bank.db"), is_durable=True)
    run(room, seed, 60, [0, 1, 50, 100])
    report = verify_file(tmp_path / "bank.db")
    assert report.entries == room.store.head.sequence
    room.store.close()
    report = verify_file(tmp_path / "bank.db")
    assert report.entries > 10


def test_the_same_transfer_again_is_one_transfer_and_its_answer_the_same(room):
    one, two = opened(room.store, 100, 0)
    first, again = book(room.store, Move("m", one, two, 30), Move("m", one, two, 30))
    (later,) = book(room.store, Move("m", one, two, 30))
    assert first == again == later
    assert book(room.store, Move("m", one, two, 31)) == [Reason.TRANSFER_ID_TAKEN]
    assert [room.store.read(ReadBalance(n)) for n in (one, two)] == [70, 30]


def test_a_transfer_with_a_drawn_id_is_found_by_it_and_leaves_the_claims_of_others(room):
    one, two = opened(room.store, 100, 0)
    cap = 60
    book(room.store, Hold("h", one, OTHERS[0], 10_001, 60, False, cap))
    (moved,) = book(room.store, Move("m", one, two, 30, is_drawn=True))
    assert book(room.store, ReadTransfer("m")) == [moved]
    assert book(room.store, Move("m", one, two, 30)) == [moved]
    assert book(room.store, Hold("i", two, OTHERS[0], 10_001, 1, False, cap)) == [Reason.DEBIT_CAP]


def test_a_hold_takes_the_money_from_the_client_and_leaves_it_in_the_total(room):
    (one,) = opened(room.store, 100)
    book(room.store, Hold("h", one, OTHERS[0], 10_001, 100, False, LIMIT))
    assert (room.store.read(ReadBalance(one)), room.store.read(ReadTotal())) == (0, 100)
    assert book(room.store, CloseAccount(one)) == [Reason.ACCOUNT_IN_TRANSFER]
    book(room.store, Tell(Message.POST, "h"))
    assert room.store.read(ReadTotal()) == 0
    assert [(a.number, a.balance) for a in room.store.positions()] == [(OTHERS[0], 100)]
    assert book(room.store, CloseAccount(one)) == [0], "what is committed needs the payer no more"


def test_a_promise_can_always_be_kept(room):
    one, two = opened(room.store, 10, 0)
    book(room.store, Promise("10.0.0.7/p", two, OTHERS[0], 10_001, LIMIT - 10, LIMIT))
    assert book(room.store, Deposit(one, 1)) == [Reason.BANK_LIMIT]
    assert book(room.store, CloseAccount(two)) == [Reason.ACCOUNT_IN_TRANSFER]
    (kept,) = book(room.store, Tell(Message.CREDIT, "10.0.0.7/p", OTHERS[0], evidence=b"word"))
    assert (kept.state, kept.evidence) == ("committed", b"word")
    assert room.store.read(ReadBalance(two)) == LIMIT - 10


def test_the_word_that_led_to_many_entries_of_a_block_is_kept_once(room):
    (one,) = opened(room.store, 0)
    keys = [f"10.0.0.7/p{n}" for n in range(3)]
    promises = [Promise(key, one, OTHERS[0], 10_001, 1, LIMIT, b"line") for key in keys]
    first, *others = book(room.store, *promises)
    assert (first.evidence, first.evidence_entry) == (b"line", 0)
    assert {(each.evidence, each.evidence_entry) for each in others} == {(b"", first.entry)}
    tells = [Tell(Message.CREDIT, key, OTHERS[0], evidence=b"line") for key in keys]
    first, *others = book(room.store, *tells)
    assert first.evidence == b"line", "each block stands for itself"
    assert {each.evidence_entry for each in others} == {first.entry}
    if room.is_durable:
        room.reopen()
        assert book(room.store, *map(ReadTransfer, keys)) == [first, *others]


def test_nobody_but_the_other_bank_can_say_anything_to_a_transfer(room):
    (one,) = opened(room.store, 10)
    book(room.store, Hold("h", one, OTHERS[0], 10_001, 5, False, LIMIT))
    for message in Message:
        if message is not Message.PROMISE:
            told_by_stranger = book(room.store, Tell(message, "h", OTHERS[1]))
            assert told_by_stranger == [Reason.NO_SUCH_TRANSFER]
    assert stands(room.store.read(ReadTransfer("h"))) == "reserved"


def test_the_table_says_something_to_every_message_in_every_phase():
    rows = {(role, phase) for role, phase, _ in STEPS}
    assert set(STEPS) == {(*row, message) for row in rows for message in Message}
    assert {role for role, _ in rows} == set(Role)
    for role in Role:
        assert (role, None) in rows


@pytest.mark.parametrize(("place", "step"), STEPS.items())
def test_every_line_of_the_table_keeps_what_is_decided(place, step):
    role, phase, message = place
    if not isinstance(step, Step):
        return
    assert (role, step.phase) in {(r, p) for r, p, _ in STEPS}, "a step leads into the table"
    assert phase not in (Phase.ENDED, Phase.ABORTED), "what has ended stays as it is"
    if phase is Phase.COMMITTED:
        assert step.phase is Phase.ENDED
    assert STEPS[role, step.phase, message] == "same", "saying it twice is saying it once"


@pytest.mark.parametrize(
    "transfer",
    [
        Transfer("x", Role.LOCAL, Phase.ENDED, 0, 10_000, 99_999, LIMIT, entry=7),
        Transfer("10.0.0.7/" + "y" * 36, Role.PAYEE, Phase.ABORTED, OTHERS[2], 1, 2, 3,
                 "no_such_payee", "by hand: ž", b"\0" * 400, entry=8),
        Transfer("10.0.0.7/z", Role.PAYEE, Phase.RESERVED, OTHERS[0], 1, 2, 3, evidence_entry=8,
                 entry=9),
    ],
)  # fmt: skip
def test_a_record_reads_back_as_it_was_written_and_no_other_way(transfer):
    payload = encode(transfer)
    assert decode(payload, transfer.entry) == transfer
    for changed in (payload[:-1], payload + b"x", b"\2" + payload[1:], b"", payload[:40]):
        with pytest.raises(CorruptLedger):
            decode(changed, 1)


def test_a_settlement_account_names_its_bank_and_no_client_has_its_number():
    for code in ("0.0.0.0", "10.1.2.3", "255.255.255.255"):
        number = settlement_account(BankCode(code))
        assert bank_of(number) == code
        assert number > 99_999 > CASH


def test_a_ledger_of_an_older_version_is_opened_and_its_blocks_verify(tmp_path, monkeypatch):
    path = tmp_path / "bank.db"
    monkeypatch.setattr(sqlite_schema, "MIGRATIONS", sqlite_schema.MIGRATIONS[:1])
    old = sqlite_schema.open_for_writing(path)
    from bank_node.ledger.book import ENTRY

    block = seal(
        EMPTY_HEAD, [ENTRY.pack(1, 0, 10_000, 0, 0, 0), ENTRY.pack(3, 0, 10_000, 5, 0, 1)], 1
    )
    old.execute("INSERT INTO blocks VALUES (?, ?, ?, ?, ?, ?, ?)", block[:7])
    old.close()
    monkeypatch.undo()
    store = sqlite_store.SqliteStore(path)
    assert store.read(ReadBalance(10_000)) == 5
    assert book(store, Hold("h", 10_000, OTHERS[0], 10_000, 5, False, LIMIT))[0].state == "reserved"
    store.close()
    assert verify_file(path).entries == 3


@pytest.mark.parametrize(
    "forged",
    [
        Transfer("h", Role.PAYER, Phase.COMMITTED, OTHERS[0], 10_000, 10_001, 5),
        Transfer("h", Role.PAYER, Phase.RESERVED, OTHERS[0], 10_000, 10_001, 6),
        Transfer("h", Role.LOCAL, Phase.ENDED, 0, 10_000, 10_001, 5),
    ],
)
def test_a_forged_record_is_found_although_its_block_fits(forged):
    held = ENTRY.pack(6, 10_000, 1, 5, 2, 0)
    honest = Transfer("h", Role.PAYER, Phase.RESERVED, OTHERS[0], 10_000, 10_001, 5)
    for record, fits in ((honest, True), (forged, False)):
        block = seal(EMPTY_HEAD, [*LEAVES, held + encode(record)], 1)
        if fits:
            assert audit.verify([block], (), (), audit.Anchor(0, 0, b"")).held == 5
        else:
            with pytest.raises(CorruptLedger):
                audit.verify([block], (), (), audit.Anchor(0, 0, b""))


@pytest.mark.parametrize("place", [3, 2])
def test_evidence_that_is_named_must_be_in_the_block(place):
    """Entry 3 is the one that carries it, entry 2 is a deposit of another block."""
    promised = ENTRY.pack(9, 0, 0, 0, 0, 0)
    records = [
        Transfer("10.0.0.7/a", Role.PAYEE, Phase.RESERVED, OTHERS[0], 10_000, 1, 5, evidence=b"x"),
        Transfer("10.0.0.7/b", Role.PAYEE, Phase.RESERVED, OTHERS[0], 10_000, 1, 5,
                 evidence_entry=place),
    ]  # fmt: skip
    opening = seal(EMPTY_HEAD, LEAVES, 1)
    block = seal(head_of(opening), [promised + encode(record) for record in records], 1)
    following = State({}, FreeNumbers(range(10_000, 100_000)))
    follow(following, opening)
    if place == 3:
        assert audit.verify([opening, block], (), (), audit.Anchor(0, 0, b"")).open_transfers == 2
        follow(following, block)
    else:
        for take in (lambda: audit.verify([opening, block], (), (), audit.Anchor(0, 0, b"")),
                     lambda: follow(following, block)):  # fmt: skip
            with pytest.raises(CorruptLedger, match="evidence of entry 4"):
                take()


def test_many_transfers_of_one_block_are_found_by_reading_it_once(room, monkeypatch):
    accounts = opened(room.store, 1000, 0)
    keys = [f"m{n}" for n in range(50)]
    book(room.store, *[Move(key, *accounts, 1) for key in keys])
    read = []
    real = Block.payloads

    def counted(block):
        read.append(block.height)
        return real(block)

    monkeypatch.setattr(Block, "payloads", counted)
    found = book(room.store, *[ReadTransfer(key) for key in keys])
    assert [transfer.key for transfer in found] == keys
    assert len(read) == 1
