"""Faults on purpose: what becomes of a line, and which points a node passes."""

import random

from bank_node.banking.transfers.faults import (
    Fate,
    Fates,
    Odds,
    Trap,
    answered,
    durables,
    sent,
)
from bank_node.config.crash_points import CRASH_POINTS, DURABLE, SENT
from bank_node.ledger.operations import Deposit
from bank_node.ledger.transfer_operations import Hold, Promise, ReadTransfer, Tell
from bank_node.ledger.transfers import Message
from bank_node.protocol.transfer_messages import Word


def drawn(seed: int = 1, count: int = 2000, **odds: float) -> list[Fate]:
    fates = Fates(Odds(**odds), random.Random(seed).random)
    return [fates.next("10.0.0.2") for _ in range(count)]


def test_without_odds_nothing_happens_to_a_line():
    assert set(drawn()) == {Fate()}


def test_a_certain_fault_happens_to_every_line():
    assert all(fate.copies == () and fate.answer is None for fate in drawn(drop=1.0))
    assert all(len(fate.copies) == 2 for fate in drawn(duplicate=1.0))
    assert all(fate.waits for fate in drawn(reorder=1.0))
    assert all(0 <= fate.copies[0] < 3 for fate in drawn(delay=1.0, delay_s=3.0))
    assert any(fate.answer > 2 for fate in drawn(delay=1.0, delay_s=3.0))


def test_faults_are_as_likely_as_the_odds_say():
    lost = sum(not fate.copies for fate in drawn(drop=0.1))
    assert 150 < lost < 250


def test_the_same_seed_is_the_same_misfortune_and_the_odds_do_not_disturb_each_other():
    odds = {"drop": 0.2, "delay": 0.3, "delay_s": 1.0, "duplicate": 0.1}
    assert drawn(7, **odds) == drawn(7, **odds) != drawn(8, **odds)
    lost = [not fate.copies for fate in drawn(7, drop=0.2)]
    assert lost == [not fate.copies for fate in drawn(7, **odds)]


def test_nothing_gets_through_a_pulled_cable_until_it_is_plugged_in_again():
    fates = Fates(Odds(), random.Random(1).random, {"10.0.0.2"})
    assert fates.next("10.0.0.2") == Fate((), False, None)
    assert fates.next("10.0.0.3") == Fate()
    fates.cut = ()
    assert fates.next("10.0.0.2") == Fate()


def test_a_trap_springs_at_its_point_once_it_has_spared_enough():
    trap = Trap("payer.after-commit-durable", 2)
    passed = [trap.springs("after", iter(("payer.hold", "payer.commit")), "durable")
              for _ in range(3)]  # fmt: skip
    assert passed == ["", "", "payer.after-commit-durable"]
    assert not trap.springs("before", iter(("payer.commit",)), "durable")
    assert not trap.springs("after", iter(("payer.commit",)), "sent")
    assert not Trap("", 0).springs("after", iter(("payer.commit",)), "sent")


def test_every_operation_line_and_answer_about_transfers_passes_a_point_and_no_other_does():
    written = [
        Hold("a", 10_000, 1, 10_001, 5, False, 9), Promise("a", 10_000, 1, 10_001, 5, 9),
        *(Tell(message, "a") for message in
          (Message.POST, Message.VOID, Message.ACKNOWLEDGE, Message.ASK, Message.CREDIT,
           Message.RELEASE)),
    ]  # fmt: skip
    assert sorted(durables(iter(written))) == sorted(DURABLE)
    assert not list(durables(iter([ReadTransfer("a"), Deposit(10_000, 5)])))
    messages = ";".join(f"{word.value},id" for word in Word)
    spoken = [*sent(f"TM 10.0.0.1 {messages} sig".encode()), *sent(b"AD 10000/10.0.0.2 5")]
    assert sorted([*spoken, *answered(messages), "payer.reply"]) == sorted(SENT)
    assert not list(sent(b"AB 10000/10.0.0.2"))


def test_the_names_of_the_points_are_different():
    assert len(set(CRASH_POINTS)) == 2 * (len(DURABLE) + len(SENT))
