"""What a merchant may be paid in a day: by whom, from where and how often it is asked."""

import pytest
from msgspec.structs import replace
from test_payment_operations import RULES, Bank, proof, terms

from bank_node.banking.payments.abroad import Expect, Memo
from bank_node.banking.payments.limits import Moment, Terms
from bank_node.banking.payments.operations import Pay
from bank_node.banking.payments.records import Payment, check, read
from bank_node.errors import Reason
from bank_node.ledger.audit import Anchor, verify
from bank_node.ledger.entries import settlement_account
from bank_node.ledger.notes import Note
from bank_node.ledger.transfer_operations import Promise
from bank_node.ledger.transfers import Transfer
from bank_node.node.payment_rules import calendar
from bank_node.protocol.payment_values import Vpa

LIMITED = RULES._replace(merchant_per_day=500)


@pytest.fixture
def bank():
    return Bank()


def on(day):
    return Terms(Moment(terms().now.us, day), LIMITED)


def pay(bank, payer, payee, amount, reference, day=100):
    return bank.pay(payer, payee, amount, reference, when=on(day))


def expect(bank, payee, amount, number, day=100):
    promise = Promise(
        f"10.0.0.9/PRA{number:032x}", payee.account, settlement_account("10.0.0.9"), 10_001,
        amount, 10**9,
    )  # fmt: skip
    name, _, handle = payee.vpa.partition("@")
    return bank.do(Expect(promise, Memo("carl@prague", Vpa(name, handle)), on(day)))


def test_a_merchant_is_paid_up_to_its_limit_of_the_day_whoever_pays(bank):
    alice, bob = bank.join("alice", 900), bank.join("bob", 900)
    shop = bank.join("shop", category="5411")
    assert isinstance(pay(bank, alice, shop, 300, "r1"), Note)
    assert isinstance(pay(bank, bob, shop, 200, "r2"), Note)
    assert pay(bank, alice, shop, 1, "r3") is Reason.LIMIT_OF_MERCHANT
    assert bank.balance(shop) == 500
    assert isinstance(pay(bank, alice, shop, 500, "r3", day=101), Note)


def test_a_clock_set_back_does_not_begin_the_day_of_a_merchant_again(bank):
    alice, shop = bank.join("alice", 2000), bank.join("shop", category="5411")
    assert isinstance(pay(bank, alice, shop, 300, "r1"), Note)
    assert isinstance(pay(bank, alice, shop, 100, "r2", day=99), Note)
    assert pay(bank, alice, shop, 101, "r3", day=99) is Reason.LIMIT_OF_MERCHANT
    assert pay(bank, alice, shop, 101, "r3") is Reason.LIMIT_OF_MERCHANT
    assert isinstance(pay(bank, alice, shop, 500, "r3", day=101), Note)


def test_the_same_payment_again_counts_once(bank):
    alice, shop = bank.join("alice", 900), bank.join("shop", category="5411")
    for _ in range(3):
        assert isinstance(pay(bank, alice, shop, 250, "r1"), Note)
    assert isinstance(pay(bank, alice, shop, 250, "r2"), Note)


def test_what_was_refused_does_not_count(bank):
    alice, shop = bank.join("alice", 100), bank.join("shop", category="5411")
    assert pay(bank, alice, shop, 400, "r1") is Reason.NOT_ENOUGH_MONEY
    eve = bank.join("eve", 900)
    assert isinstance(pay(bank, eve, shop, 500, "r2"), Note)


def test_money_from_other_banks_counts_too_and_once(bank):
    alice, shop = bank.join("alice", 900), bank.join("shop", category="5411")
    for _ in range(2):
        assert isinstance(expect(bank, shop, 300, 1), Transfer)
    assert expect(bank, shop, 201, 2) is Reason.LIMIT_OF_MERCHANT
    assert pay(bank, alice, shop, 201, "r1") is Reason.LIMIT_OF_MERCHANT
    assert isinstance(pay(bank, alice, shop, 200, "r1"), Note)


def test_people_are_not_merchants_and_without_a_limit_nothing_is_counted(bank):
    alice, bob = bank.join("alice", 900), bank.join("bob")
    assert isinstance(pay(bank, alice, bob, 800, "r1"), Note)
    shop = bank.join("shop", category="5411")
    assert isinstance(bank.pay(bob, shop, 800, "r2"), Note)
    assert bank.store.open_notes("r:") == []


def test_a_ledger_that_counts_verifies(bank):
    alice, shop = bank.join("alice", 900), bank.join("shop", category="5411")
    pay(bank, alice, shop, 300, "r1")
    verify(bank.store.blocks(), (), (), Anchor(0, 0, b""), check_note=check)
    assert len(bank.store.open_notes("r:")) == 1


def test_a_shop_that_pays_is_a_payer_like_any_other(bank):
    shop, bob = bank.join("shop", 900, category="5411"), bank.join("bob")
    payment = read(Payment, pay(bank, shop, bob, 600, "r1"))
    again = bank.do(Pay(proof(shop), on(100), replace(payment, rrn="")))
    assert read(Payment, again) == payment


def test_days_begin_where_the_bank_is():
    evening_us = 1_767_225_000 * 1_000_000  # 2025-12-31 23:50 in London.
    london, prague = calendar("Europe/London"), calendar("Europe/Prague")
    assert prague(evening_us) == london(evening_us) + 1
    assert calendar("")(evening_us) in (london(evening_us), prague(evening_us))
    midnight_us = evening_us + 600 * 1_000_000
    days = [london(midnight_us + us) - london(evening_us) for us in (-1, 0, -1, 10**11)]
    assert days == [0, 1, 0, 2]
