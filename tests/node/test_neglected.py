"""What is open in the ledger and forgotten by who began it comes to its end all the same."""

import pytest
from support.polling import until
from support.two_banks import Town, ask, has, state, two_banks

from bank_node.ledger.entries import settlement_account
from bank_node.ledger.transfer_operations import Hold, Promise, ReadTransfer, Tell
from bank_node.ledger.transfers import Message
from bank_node.values import AMOUNT_MAX

BOTH_LOOKS_S = 30


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    with two_banks(tmp_path_factory.mktemp("banks")) as pair:
        for bank in pair:
            attendant = bank.node.payments.attendant
            attendant._every_s = 0.1
            attendant._neglected._every_s = attendant._neglected._look_at = 0.0
        yield pair


@pytest.fixture
def town(pair):
    return Town(pair)


def test_money_that_nobody_remembers_to_have_set_aside_comes_back(town):
    """The answer of the ledger got lost, as when no follower confirmed it in time."""
    payer = ask(town.prague, "AC").split()[1]
    ask(town.prague, f"AD {payer} 50")
    hold = Hold("lost", int(payer[:5]), settlement_account(town.brno.bank), 10_001, 20, False,
                AMOUNT_MAX)  # fmt: skip
    town.prague.node._writer.call(hold)
    assert ask(town.prague, f"AB {payer}") == "AB 30"
    until(lambda: ask(town.prague, f"AB {payer}") == "AB 50", "the money is back", BOTH_LOOKS_S)
    assert ask(town.prague, "TS lost").split()[2] == "aborted"


def test_a_commit_that_nobody_remembers_to_say_is_said(town):
    """The node that began the transfer died, and another one of the bank goes on."""
    payer, payee = ask(town.prague, "AC").split()[1], ask(town.brno, "AC").split()[1]
    ask(town.prague, f"AD {payer} 50")
    here, there = settlement_account(town.prague.bank), settlement_account(town.brno.bank)
    source, target = int(payer[:5]), int(payee[:5])
    town.prague.node._writer.call(Hold("late", source, there, target, 20, False, AMOUNT_MAX))
    key = f"{town.prague.bank}/late"
    town.brno.node._writer.call(Promise(key, target, here, source, 20, AMOUNT_MAX))
    town.prague.node._writer.call(Tell(Message.POST, "late"))
    until(lambda: ask(town.brno, f"AB {payee}") == "AB 20", "the money has arrived", BOTH_LOOKS_S)
    assert ask(town.prague, f"AB {payer}") == "AB 30"


def test_a_node_that_leads_no_more_says_no_commit(town, monkeypatch):
    """The node that leads now may not know of it, and then the money is still there."""
    here, there = settlement_account(town.prague.bank), settlement_account(town.brno.bank)
    payer, payee = ask(town.prague, "AC").split()[1], ask(town.brno, "AC").split()[1]
    source, target = int(payer[:5]), int(payee[:5])
    transfers, key = town.prague.node.transfers, f"{town.prague.bank}/deposed"
    with monkeypatch.context() as patch:
        patch.setattr(transfers._proxy, "_leads", lambda: False)
        writer = town.prague.node._writer
        writer.call(Hold("deposed", source, there, target, 0, False, AMOUNT_MAX))
        town.brno.node._writer.call(Promise(key, target, here, source, 0, AMOUNT_MAX))
        writer.call(Tell(Message.POST, "deposed"))
        writer.bar(True)
        until(lambda: getattr(transfers.flight("deposed"), "attempts", 0) > 2, "it tries",
              BOTH_LOOKS_S)  # fmt: skip
        assert town.brno.node._writer.call(ReadTransfer(key)).is_open
        writer.bar(False)
    until(lambda: ask(town.brno, f"TS {key}").split()[2] == "committed", "it leads again",
          BOTH_LOOKS_S)  # fmt: skip


def test_a_promise_that_nobody_remembers_is_asked_about(town):
    payee = ask(town.brno, "AC").split()[1]
    key = f"{town.prague.bank}/never"
    promise = Promise(key, int(payee[:5]), settlement_account(town.prague.bank), 10_001, 20,
                      AMOUNT_MAX)  # fmt: skip
    town.brno.node._writer.call(promise)
    assert ask(town.brno, f"AR {payee}").startswith("ER A transfer")
    until(lambda: ask(town.brno, f"AR {payee}") == "AR", "it is let go", BOTH_LOOKS_S)


def test_the_record_of_a_payment_that_has_ended_is_closed(town, monkeypatch):
    """What is not acknowledged in the end is told to nobody who would close it."""
    writer = town.prague.node._writer
    with monkeypatch.context() as patch:
        patch.setattr(writer, "_heard", None)
        reply = ask(town.prague, f"PP {town.pa} {town.sh} 70 r1 2580")
        town.prague.node._writer.between(lambda: None)
    payment = reply.split()[1]
    until(lambda: state(town.prague, payment)["state"] == "success", "it is closed", BOTH_LOOKS_S)
    assert has(town.brno, town.sh) == 70
