"""What a bank that has lost its promise is told of a payment: the same again, or less of it."""

import pytest

from bank_node.banking.payments.abroad import memo_of, parse_memo
from bank_node.banking.payments.again import recollection, tellings_of
from bank_node.banking.payments.records import (
    CHARGEBACK,
    COLLECT,
    MANDATE,
    PAY,
    REFUND,
    Payment,
    body_of,
    payment_key,
)
from bank_node.banking.transfers.flights import Telling
from bank_node.errors import Reason
from bank_node.ledger.notes import Note, ReadNote
from bank_node.ledger.transfers import Phase, Role, Transfer

ID, OTHER = "PRA" + "a" * 32, "BRN" + "b" * 32


def payment(kind: str, **more: object) -> Payment:
    of = "" if kind == PAY else OTHER
    return Payment(
        ID, kind, "alice@prague", 10_001, "shop@brno", 20_002, "10.0.0.2", "Shop", 500, "r1",
        "two~cups", 1, rrn="000000000042", of=of, order="table-4", day=1, **more,
    )  # fmt: skip


@pytest.mark.parametrize("kind", [PAY, REFUND, CHARGEBACK])
def test_a_payment_and_what_goes_back_are_told_in_one_way_only(kind):
    paid = payment(kind)
    assert tellings_of(paid, "CZK") == (Telling(memo_of(paid, "CZK")),)


@pytest.mark.parametrize("kind", [COLLECT, MANDATE])
def test_what_was_asked_for_is_told_without_that_if_nobody_knows_it_any_more(kind):
    first, plain = tellings_of(payment(kind), "CZK")
    assert first == Telling(memo_of(payment(kind), "CZK"))
    known, told = parse_memo(first.memo), parse_memo(plain.memo)
    assert (known.kind, known.of, told.kind, told.of) == (kind, OTHER, PAY, "")
    assert known._replace(kind=PAY, of="") == told, "all else is as it was"


def test_another_currency_keeps_its_amount_and_its_rate():
    abroad = {"other_amount": 20, "other_currency": "EUR", "rate": "25"}
    for told in tellings_of(payment(COLLECT, **abroad), "CZK"):
        assert told.amount == 20
        assert parse_memo(told.memo).exchange == (500, "CZK", "25")


def test_it_is_found_out_from_the_ledger_alone():
    known = recollection("CZK")
    record = Transfer(ID, Role.PAYER, Phase.COMMITTED, 1, 10_001, 20_002, 500)
    assert known.question(record) == ReadNote(payment_key(ID))
    paid = payment(PAY)
    assert known.tellings(Note(payment_key(ID), body_of(paid), True)) == tellings_of(paid, "CZK")
    assert known.tellings(Reason.NO_SUCH_PAYMENT) == (Telling(),), "a transfer without a payment"
    assert known.tellings(Reason.STORE_AWAY) == (), "the ledger is asked again"
    assert known.is_gone(Reason.REQUEST_OVER)
    assert not known.is_gone(Reason.PAYEE_FROZEN)
