"""Requests for money on a ledger, with a clock of their own; what a replay says of them."""

import pytest
from ledger_model import book
from test_payment_operations import RULES, Bank, proof, terms

from bank_node.banking.payments.collects import (
    ApproveCollect,
    Ask,
    EndCollect,
    ExpireCollect,
    payment_of,
)
from bank_node.banking.payments.limits import Terms
from bank_node.banking.payments.papers import Collect
from bank_node.banking.payments.records import Payment, check, read
from bank_node.banking.payments.refunds import GiveBack
from bank_node.errors import Reason
from bank_node.ledger.audit import Anchor, verify
from bank_node.ledger.notes import Note, ReadNote

ASKING = RULES._replace(asking="everybody")


@pytest.fixture
def bank():
    return Bank()


def when(seconds):
    return Terms(terms(seconds).now, ASKING)


def asked(bank, payee, payer, amount=100, until=60, reference="bill"):
    collect = Collect(
        "BRN" + (reference + payee.name).encode().hex().ljust(32, "0")[:32], payee.vpa,
        payee.account, payee.name, payer.vpa, payer.account, amount, reference, "",
        terms().now.us, terms(until).now.us,
    )  # fmt: skip
    note = bank.do(Ask(proof(payee), when(0), collect))
    return read(Collect, note) if isinstance(note, Note) else note


def approve(bank, payer, collect, seconds=0):
    payment = payment_of(collect, "BRN" + collect.id[3:][::-1], "1.2.3.4", terms(seconds).now.us)
    return bank.do(ApproveCollect(proof(payer), when(seconds), payment, collect.id))


def state_of(bank, collect):
    return read(Collect, bank.do(ReadNote(collect.key))).state


def test_a_request_can_be_approved_until_its_deadline_and_not_at_it(bank):
    alice, bob = bank.join("alice", 500), bank.join("bob")
    first, second = asked(bank, bob, alice), asked(bank, bob, alice, reference="two")
    assert isinstance(approve(bank, alice, first, 59.999999), Note)
    assert approve(bank, alice, second, 60) is Reason.REQUEST_EXPIRED
    assert state_of(bank, second) == "expired"
    assert bank.balance(bob) == 100


def test_a_request_that_expired_is_closed_by_whoever_looks_first(bank):
    alice, bob = bank.join("alice", 500), bank.join("bob")
    collect = asked(bank, bob, alice)
    early = ExpireCollect(collect.id, alice.account, terms(59).now.us)
    assert bank.do(early) is Reason.REQUEST_PENDING
    for _ in range(2):
        note = bank.do(ExpireCollect(collect.id, alice.account, terms(60).now.us))
        assert read(Collect, note).state == "expired"
    assert approve(bank, alice, collect, 10) is Reason.REQUEST_EXPIRED


def test_approvals_of_one_batch_pay_once(bank):
    alice, bob = bank.join("alice", 500), bank.join("bob")
    collect = asked(bank, bob, alice)
    payment = payment_of(collect, "BRN" + "1" * 32, "1.2.3.4", 0)
    twice = [ApproveCollect(proof(alice), when(0), payment, collect.id)] * 2
    first, second = book(bank.store, *twice)
    assert first == second
    assert bank.balance(bob) == 100


def test_declining_and_approving_in_one_batch_is_decided_in_order(bank):
    alice, bob = bank.join("alice", 500), bank.join("bob")
    collect = asked(bank, bob, alice)
    payment = payment_of(collect, "BRN" + "1" * 32, "1.2.3.4", 0)
    end = EndCollect(proof(alice), when(0), collect.id, alice.account)
    assert book(bank.store, end, ApproveCollect(proof(alice), when(0), payment, collect.id))[1] is (
        Reason.REQUEST_DECLINED
    )
    assert bank.balance(bob) == 0


def test_refunds_of_one_batch_are_never_above_the_payment(bank):
    alice, shop = bank.join("alice", 500), bank.join("shop", category="5411")
    paid = read(Payment, bank.pay(alice, shop, 300))

    def back(n):
        refund = Payment(
            f"BRN{n:032x}", "refund", shop.vpa, shop.account, alice.vpa, alice.account, "1.2.3.4",
            "", 200, f"b{n}", "", 0, of=paid.id,
        )  # fmt: skip
        return GiveBack(proof(shop), terms(), refund)

    results = book(bank.store, back(1), back(2))
    assert isinstance(results[0], Note)
    assert results[1] is Reason.REFUND_TOO_MUCH
    assert bank.balance(alice) == 400


def test_a_ledger_with_requests_and_refunds_verifies(bank):
    alice, bob = bank.join("alice", 500), bank.join("bob")
    approve(bank, alice, asked(bank, bob, alice))
    asked(bank, bob, alice, reference="open")
    report = verify(bank.store.blocks(), (), (), Anchor(0, 0, b""), check_note=check)
    assert report.entries > 10


def test_a_client_with_a_full_list_can_be_asked_again_once_something_is_over(bank):
    alice, bob = bank.join("alice", 500), bank.join("bob")
    collects = [asked(bank, bob, alice, 1, reference=f"n{n:02}") for n in range(10)]
    assert asked(bank, bob, alice, 1, reference="more") is Reason.TOO_MANY_REQUESTS
    bank.do(EndCollect(proof(bob), when(0), collects[0].id, alice.account))
    assert isinstance(asked(bank, bob, alice, 1, reference="more"), Collect)


def test_asking_oneself_is_refused(bank):
    alice = bank.join("alice", 500)
    assert asked(bank, alice, alice) is Reason.SAME_ACCOUNT
