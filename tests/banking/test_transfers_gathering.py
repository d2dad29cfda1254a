"""What is decided together with the answers of another bank, and what is not kept waiting."""

import pytest

from bank_node.banking.transfers.gathering import Gathering
from bank_node.ledger.entries import settlement_account
from bank_node.ledger.transfer_operations import Hold, Tell
from bank_node.ledger.transfers import Message
from bank_node.values import BankCode

NEAR, FAR = BankCode("10.0.0.7"), BankCode("10.0.0.8")


def hold(bank, *, is_classic=False):
    return "t", Hold("t", 10_001, settlement_account(bank), 10_002, 5, is_classic, 100)


DECIDED = ("u", Tell(Message.POST, "u"))


@pytest.fixture
def gathering():
    return Gathering(lambda bank: bank == FAR)


def test_money_for_a_message_that_has_to_wait_is_gathered(gathering):
    assert gathering.goes_on([hold(FAR)])
    assert gathering.goes_on([hold(FAR), hold(FAR)])


@pytest.mark.parametrize("other", [DECIDED, hold(NEAR), hold(FAR, is_classic=True)])
def test_what_need_not_wait_takes_along_what_has_gathered(gathering, other):
    assert gathering.goes_on([hold(FAR)])
    assert not gathering.goes_on([hold(FAR), other])
    assert not gathering.goes_on([other])


def test_an_answer_ends_the_waiting_once(gathering):
    assert gathering.goes_on([hold(FAR)])
    gathering.end()
    assert not gathering.goes_on([hold(FAR)])
    assert gathering.goes_on([hold(FAR)])


def test_each_is_looked_at_once_however_many_wait():
    asked = []
    gathering = Gathering(lambda bank: asked.append(bank) or True)
    wanted = []
    for _ in range(50):
        wanted.append(hold(FAR))
        assert gathering.goes_on(wanted)
    assert len(asked) == 50
