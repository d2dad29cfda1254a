"""Payments between real banks: by address and by code, refused with the right code, never lost."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from support.nodes import Running, some_host
from support.polling import until
from support.two_banks import HANDLES, ask, assert_closed, has, join, knows, records, serve, state

from bank_node.banking.payments.abroad import record_key
from bank_node.ledger.notes import ReadNote
from bank_node.ledger.transfer_operations import ReadTransfer
from bank_node.security.identity import new_identity
from bank_node.security.keyring import Pin


@pytest.fixture
def banks(tmp_path: Path) -> Iterator[Callable[..., list[Running]]]:
    """Opens banks that know each other, with handles of their own."""
    with ExitStack() as stack:

        def open_banks(
            count: int = 2, handles: tuple[str, ...] = HANDLES, **overrides: object
        ) -> list[Running]:
            hosts = [some_host() for _ in range(count)]
            opened = [
                stack.enter_context(serve(tmp_path, host, hosts, handle, **overrides))
                for host, handle in zip(hosts, handles, strict=False)
            ]
            for one in opened:
                for other in opened:
                    if one is not other:
                        until(lambda: knows(one, other), "banks know each other")  # noqa: B023
            return opened

        yield open_banks


def test_a_client_pays_somebody_of_another_bank(banks):
    prague, brno = banks()
    join(prague, "alice", 500)
    join(brno, "bohdan")
    told = json.loads(ask(prague, "PR bohdan@brno").removeprefix("PR "))
    assert (told["name"], told["state"]) == ("bohdan", "active")
    assert told["account"].endswith(brno.bank)
    reply = ask(prague, "PP alice@prague bohdan@brno 120 r1 2580 ~for~lunch~13")
    assert reply.startswith("PP PRA")
    assert_closed(prague, brno)
    assert (has(prague, "alice@prague"), has(brno, "bohdan@brno")) == (380, 120)
    told = state(prague, reply.split()[1])
    assert (told["state"], told["code"], told["amount"]) == ("success", "00", 120)
    theirs = state(brno, reply.split()[1])
    assert told["rrn"] == theirs["rrn"] == reply.split()[2]
    assert told["note"] == theirs["note"] == "~for~lunch~13"
    for bank, passed in ((prague, ["pending", "success"]), (brno, ["success"])):
        flow = bank.node.payments.flow
        until(lambda: flow.sums() == (1, {}), "it is told once, at each bank")  # noqa: B023
        assert [item.payment.state for _, item in flow.ring.read(0, 9).items] == passed


def test_the_same_request_pays_once_across_banks(banks):
    prague, brno = banks()
    join(prague, "alice", 500)
    join(brno, "bohdan")
    replies = {ask(prague, "PP alice@prague bohdan@brno 120 r1 2580") for _ in range(3)}
    assert len(replies) == 1
    assert ask(prague, "PP alice@prague bohdan@brno 121 r1 2580").startswith("ER U01")
    assert_closed(prague, brno)
    assert has(brno, "bohdan@brno") == 120


def test_a_payer_hears_apart_that_two_banks_do_not_accept_each_others_messages(banks):
    prague, brno = banks()
    join(prague, "alice", 500)
    join(brno, "bohdan")
    keyring = brno.node.transfers._acquaintance._keyring
    keyring._put(Pin(prague.bank, new_identity(bytes(31) + b"9").key, 1))
    told = ask(prague, "PP alice@prague bohdan@brno 120 r1 2580")
    assert told.startswith("ER U28: The bank of the payee and this one do not accept")
    assert ask(prague, "PP alice@prague bohdan@brno 120 r1 2580") == told
    (record,) = prague.node.payments.flow.ring.read(0, 9).items[-1:]
    assert record[1].payment.why == "provider_apart"
    assert has(prague, "alice@prague") == 500


def test_a_shop_of_another_bank_is_paid_by_its_signed_code(banks):
    prague, brno = banks()
    join(prague, "alice", 5000)
    vmid = join(brno, "shop", category="5411")
    code = ask(brno, f"PG {vmid} 700 order-7")[3:]
    assert ask(prague, f"PY alice@prague {code} 700 r1 2580").startswith("PY PRA")
    forged = code.replace("am=7.00", "am=1.00")
    assert ask(prague, f"PY alice@prague {forged} 100 r2 2580").startswith("ER This code")
    assert_closed(prague, brno)
    assert has(brno, "shop@brno") == 700


def test_an_account_and_a_mobile_number_of_another_bank_are_payees(banks):
    prague, brno = banks()
    join(prague, "alice", 500)
    account = join(brno, "bohdan")
    mmid = ask(brno, "PU cyril@brno Cyril 420777123456 2580").split()[2]
    assert ask(prague, f"PP alice@prague {account} 10 r1 2580").startswith("PP ")
    assert ask(prague, f"PP alice@prague 420777123456:{mmid} 20 r2 2580").startswith("PP ")
    assert_closed(prague, brno)
    assert (has(brno, "bohdan@brno"), has(brno, "cyril@brno")) == (10, 20)


@pytest.mark.parametrize(
    ("payee", "code"),
    [
        ("nobody@brno", "ER U29"),
        ("bohdan@nowhere", "ER U17"),
        ("10001/127.9.9.9", "ER U17"),
        ("frozen@brno", "ER YF"),
    ],
)
def test_who_cannot_be_paid_is_refused_and_costs_nothing(banks, payee, code):
    prague, brno = banks()
    join(prague, "alice", 500)
    join(brno, "frozen")
    assert ask(brno, "PF frozen@brno 2580 frozen") == "PF"
    assert ask(prague, f"PP alice@prague {payee} 100 r1 2580").startswith(code)
    assert_closed(prague, brno)
    assert has(prague, "alice@prague") == 500


def test_what_was_paid_is_told_again_although_the_payee_is_frozen_by_now(banks):
    prague, brno = banks()
    join(prague, "alice", 500)
    join(brno, "bohdan")
    paid = ask(prague, "PP alice@prague bohdan@brno 100 r1 2580")
    assert paid.startswith("PP ")
    assert ask(brno, "PF bohdan@brno 2580 frozen") == "PF"
    # What that bank said of him is a few seconds old.
    prague.node.payments.attendant._counter.around._remembered.clear()
    assert ask(prague, "PP alice@prague bohdan@brno 100 r1 2580") == paid
    assert ask(prague, "PP alice@prague bohdan@brno 100 r2 2580").startswith("ER YF")
    assert_closed(prague, brno)
    assert has(prague, "alice@prague") == 400


def test_the_banks_own_refusals_are_those_of_a_payment_at_home(banks):
    prague, brno = banks(payments__per_payment=1000)
    join(prague, "alice", 500)
    join(brno, "bohdan")
    for amount, pin, code in ((501, 2580, "Z9"), (100, 1470, "ZM"), (1001, 2580, "Z8")):
        told = ask(prague, f"PP alice@prague bohdan@brno {amount} r{amount} {pin}")
        assert told.startswith(f"ER {code}"), told
    assert ask(prague, "PF alice@prague 2580 frozen") == "PF"
    assert ask(prague, "PP alice@prague bohdan@brno 1 r1 2580").startswith("ER YE")


def test_the_payees_bank_has_the_last_word_about_its_client(banks):
    """What was resolved a moment ago is remembered; the promise checks the account again."""
    prague, brno = banks()
    join(prague, "alice", 500)
    join(brno, "bohdan")
    assert ask(prague, "PP alice@prague bohdan@brno 100 r1 2580").startswith("PP ")
    assert ask(brno, "PF bohdan@brno 2580 frozen") == "PF"
    for _ in range(2):
        assert ask(prague, "PP alice@prague bohdan@brno 100 r2 2580").startswith("ER YF")
    assert_closed(prague, brno)
    assert has(prague, "alice@prague") == 400
    limits = ask(prague, "PL alice@prague 2580").split()
    assert int(limits[2]) - int(limits[3]) == 100, "a failed payment uses up no limit"


def test_of_two_banks_whose_handles_look_alike_neither_is_paid(banks):
    # Of the last two banks the first looks like the second one, with `rn` for `m`.
    prague, brno, thief = banks(3, ("prague", "brno", "bmo"))
    join(prague, "alice", 500)
    for bank in (brno, thief):
        join(bank, "bohdan")
    assert ask(prague, "PP alice@prague bohdan@brno 100 r1 2580").startswith("ER U17")
    assert has(prague, "alice@prague") == 500


def test_a_payees_bank_that_is_gone_costs_nothing(banks):
    prague, brno = banks(network__timeout=3.0)
    join(prague, "alice", 500)
    join(brno, "bohdan")
    assert ask(prague, "PP alice@prague bohdan@brno 100 r1 2580").startswith("PP ")
    assert_closed(prague, brno)
    brno.node.stop()
    told = ask(prague, "PP alice@prague bohdan@brno 100 r2 2580")
    assert told.startswith(("ER U28", "ER U34", "ER 01", "ER U17")), told
    assert_closed(prague)
    assert has(prague, "alice@prague") == 400
    final = ask(prague, "PP alice@prague bohdan@brno 100 r2 2580")
    assert final.startswith(("ER U28", "ER U34", "ER U17")), final


def test_a_record_is_closed_in_the_block_that_ends_its_transfer(banks):
    prague, brno = banks()
    join(prague, "alice", 500)
    join(brno, "bohdan")
    payment = ask(prague, "PP alice@prague bohdan@brno 120 r1 2580").split()[1]
    assert_closed(prague, brno)
    for bank, transfer in ((prague, payment), (brno, f"{prague.bank}/{payment}")):
        store = bank.node._store
        ended, note = store.read(ReadTransfer(transfer)), store.read(ReadNote(record_key(transfer)))
        assert (ended.is_open, note.is_open) == (False, False)
        assert store.block_of(ended.entry) == store.block_of(note.entry)


def test_records_that_were_left_open_are_closed_at_the_next_start(banks, tmp_path):
    prague, brno = banks()
    join(prague, "alice", 500)
    join(brno, "bohdan")
    # Neither bank closes what it was told of: as if another node had ended the transfers.
    for bank in (prague, brno):
        bank.node._writer._heard = None
        bank.node.transfers._submissions._ledger = bank.node._writer
    payment = ask(prague, "PP alice@prague bohdan@brno 120 r1 2580").split()[1]
    until(lambda: not prague.node._store.open_transfers(), "the transfer ends")
    assert state(prague, payment)["code"] == "RB"
    assert records(prague, "p:")
    assert records(brno, "i:")
    hosts = [prague.bank, brno.bank]
    for bank, handle in ((prague, "prague"), (brno, "brno")):
        bank.node.stop()
        with serve(tmp_path, bank.bank, hosts, handle) as again:
            assert_closed(again)
            if bank is prague:
                assert state(again, payment)["code"] == "00"
                assert has(again, "alice@prague") == 380


def test_a_payment_that_was_not_decided_before_a_crash_gives_the_money_back(banks, tmp_path):
    prague, brno = banks(network__timeout=2.0)
    join(prague, "alice", 500)
    join(brno, "bohdan")
    assert "active" in ask(prague, "PR bohdan@brno")
    # Nothing leaves for the other bank any more, so the money stays set aside.
    prague.node.transfers._engine.messages.clear()
    prague.node.transfers._post_office.send = lambda messages: None
    assert ask(prague, "PP alice@prague bohdan@brno 120 r1 2580").startswith("ER 01")
    assert has(prague, "alice@prague") == 380
    prague.node.stop()
    with serve(tmp_path, prague.bank, [prague.bank, brno.bank], "prague") as again:
        assert_closed(again)
        assert has(again, "alice@prague") == 500
        assert ask(again, "PP alice@prague bohdan@brno 120 r1 2580").startswith("ER U34")
    assert has(brno, "bohdan@brno") == 0


def test_a_payment_from_another_bank_is_given_back_and_never_above_it(banks):
    prague, brno = banks()
    join(prague, "alice", 500)
    join(brno, "shop", category="5411")
    payment = ask(prague, "PP alice@prague shop@brno 300 r1 2580").split()[1]
    assert_closed(prague, brno)
    back = ask(brno, f"PX shop@brno {payment} 120 b1 2580")
    assert back.startswith("PX BRN"), back
    assert ask(brno, f"PX shop@brno {payment} 120 b1 2580") == back
    assert ask(brno, f"PX shop@brno {payment} 121 b1 2580").startswith("ER U01")
    assert ask(brno, f"PX shop@brno {payment} 181 b2 2580").startswith("ER More")
    assert_closed(prague, brno)
    assert (has(prague, "alice@prague"), has(brno, "shop@brno")) == (320, 180)
    assert state(prague, payment)["refunded"] == state(brno, payment)["refunded"] == 120
    told = state(brno, back.split()[1])
    assert (told["kind"], told["of"], told["state"]) == ("refund", payment, "success")
    # The same refund again is answered as before although the bank of the payer is away by now.
    brno.node.payments.attendant._counter.around.providers = tuple
    assert ask(brno, f"PX shop@brno {payment} 120 b1 2580") == back
    assert ask(brno, f"PX shop@brno {payment} 121 b1 2580").startswith("ER U01")
    assert ask(brno, f"PX shop@brno {payment} 1 b4 2580").startswith("ER U48")
    stolen = ask(prague, f"PX alice@prague {payment} 1 b3 2580")
    assert stolen == "ER U48: There is no such payment."


def test_a_refund_that_its_bank_does_not_take_leaves_the_payment_as_it_was(banks):
    prague, brno = banks()
    join(prague, "alice", 500)
    join(brno, "shop", category="5411")
    payment = ask(prague, "PP alice@prague shop@brno 300 r1 2580").split()[1]
    assert_closed(prague, brno)
    assert ask(prague, "PF alice@prague 2580 frozen") == "PF"
    assert ask(brno, f"PX shop@brno {payment} 120 b1 2580").startswith("ER YF")
    assert_closed(prague, brno)
    assert "refunded" not in state(brno, payment)
    assert ask(prague, "PF alice@prague 2580 active") == "PF"
    assert ask(brno, f"PX shop@brno {payment} 300 b2 2580").startswith("PX ")
    assert_closed(prague, brno)
    assert has(prague, "alice@prague") == 500


def test_a_dispute_about_a_payment_to_another_bank_brings_the_money_back(banks):
    prague, brno = banks(payments__dispute_ask_s=1)
    join(prague, "alice", 500)
    join(brno, "shop", category="5411")
    payment = ask(prague, "PP alice@prague shop@brno 300 r1 2580").split()[1]
    assert_closed(prague, brno)
    dispute, raised = ask(prague, f"PZ alice@prague {payment} raise 2580 cold+soup").split()[1:]
    assert raised == "raised"
    until(lambda: dispute in ask(brno, "PQ shop@brno 2580"), "the other bank has heard", 30)
    assert ask(brno, f"PZ shop@brno {dispute} contest 2580 it+was+hot").endswith("contested")
    until(lambda: state(prague, dispute)["state"] == "contested", "the answer is known", 30)
    assert [each["text"] for each in state(prague, dispute)["said"]] == ["cold soup", "it was hot"]
    assert ask(brno, f"PZ shop@brno {dispute} accept 2580").startswith(f"PZ {dispute} ")
    until(lambda: state(prague, dispute)["state"] == "accepted", "it is over", 30)
    assert_closed(prague, brno)
    assert (has(prague, "alice@prague"), has(brno, "shop@brno")) == (500, 0)
    assert state(prague, state(prague, dispute)["refund"])["of"] == payment


def test_what_is_not_signed_by_the_bank_of_the_payer_is_no_dispute(banks):
    prague, brno = banks()
    line = f"TD {prague.bank} PRA{'0' * 32},PRA{'1' * 32},0,0,cold,0 {'A' * 86}"
    assert ask(brno, line).startswith("ER The messages are not signed"), ask(brno, line)
