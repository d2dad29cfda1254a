"""Requests for money between two real banks: asked, paid, declined, taken back; forged and lost."""

import json
import time
from itertools import count

import pytest
from support.nodes import Running
from support.polling import until
from support.two_banks import Town, ask, has, state, tell, two_banks, waiting

from bank_node.protocol.letter_words import Asked
from bank_node.protocol.request_letters import ASKED, CollectLetter, CollectStands
from bank_node.security.identity import new_identity

_numbers = count()


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    with two_banks(tmp_path_factory.mktemp("banks")) as pair:
        yield pair


@pytest.fixture
def town(pair):
    return Town(pair)


def test_what_somebody_of_another_bank_asks_for_is_paid_once_it_is_approved(town):
    bill = town.asked(700, more="600 two+cups")
    assert town.states(bill) == ("pending", "pending")
    (row,) = waiting(town.prague, town.pa)
    assert (row["id"], row["amount"], row["note"], row["payee"], row["payee_name"]) == (
        bill, 700, "two cups", town.sh, town.sh.partition("@")[0]
    )  # fmt: skip
    _, payment, rrn = ask(town.prague, f"PA {town.pa} {bill} 2580").split()
    town.both_are(bill, "paid")
    assert town.owns() == (4300, 700)
    for bank in (town.prague, town.brno):
        paid = state(bank, payment)
        assert (paid["kind"], paid["of"], paid["order"], paid["state"]) == (
            "collect", bill, "bill", "success"
        )  # fmt: skip
        assert state(bank, bill)["payment"] == payment
    assert waiting(town.prague, town.pa) == []
    assert ask(town.prague, f"PA {town.pa} {bill} 2580") == f"PA {payment} {rrn}"
    assert town.owns() == (4300, 700)


def test_what_was_asked_for_and_paid_is_given_back_or_disputed_like_any_payment(town):
    bill = town.asked(700)
    payment = ask(town.prague, f"PA {town.pa} {bill} 2580").split()[1]
    town.both_are(bill, "paid")
    assert ask(town.brno, f"PX {town.sh} {payment} 200 back 2580 cold").startswith("PX BRN")
    until(lambda: has(town.prague, town.pa) == 4500, "it is back", 20)
    disputed = ask(town.prague, f"PZ {town.pa} {payment} raise 2580 cold+soup")
    assert disputed.startswith("PZ PRA"), disputed
    dispute = disputed.split()[1]
    until(lambda: ask(town.brno, f"PS {dispute}").startswith("PS"), "the other bank knows", 20)
    assert ask(town.brno, f"PZ {town.sh} {dispute} accept 2580").startswith("PZ PRA")
    until(lambda: town.owns() == (5000, 0), "all of it is back", 20)


def test_the_same_request_again_is_the_same_one_and_another_one_is_refused(town):
    assert town.asked(700) == town.asked(700)
    assert town.ask_for(701).startswith("ER U01")
    assert len(waiting(town.prague, town.pa)) == 1


def test_a_payer_declines_what_another_bank_asks_for(town):
    bill = town.asked(700)
    assert ask(town.prague, f"PD {town.pa} {bill} 2580") == "PD declined"
    town.both_are(bill, "declined")
    assert ask(town.prague, f"PA {town.pa} {bill} 2580").startswith("ER ZA")
    assert ask(town.brno, f"PD {town.sh} {bill} 2580").startswith("ER The request is over")


def test_a_payee_takes_its_request_back(town):
    bill = town.asked(700)
    assert ask(town.brno, f"PD {town.sh} {bill} 2580") == "PD cancelled"
    town.both_are(bill, "cancelled")
    assert ask(town.prague, f"PA {town.pa} {bill} 2580").startswith("ER The request is over")
    assert town.owns() == (5000, 0)


def test_a_request_that_nobody_answers_expires_at_both_banks(town):
    bill = town.asked(700, more="3")
    until(lambda: state(town.prague, bill)["state"] == "expired", "it expires", 20)
    town.both_are(bill, "expired")
    assert ask(town.prague, f"PA {town.pa} {bill} 2580").startswith("ER U69")


def test_a_payment_that_fails_leaves_the_request_waiting_and_is_paid_by_another_try(town):
    bill = town.asked(5700)
    assert ask(town.prague, f"PA {town.pa} {bill} 2580").startswith("ER Z9")
    assert ask(town.prague, f"PA {town.pa} {bill} 2581").startswith("ER ZM")
    assert town.states(bill) == ("pending", "pending")
    assert ask(town.prague, f"PP {town.bo} {town.pa} 1000 gift 2580").startswith("PP ")
    assert ask(town.brno, f"PF {town.sh} 2580 frozen") == "PF"
    # It sets out, and the bank of the payee does not take it.
    assert ask(town.prague, f"PA {town.pa} {bill} 2580").startswith("ER YF")
    until(lambda: town.states(bill) == ("pending", "pending"), "it waits again", 20)
    assert state(town.prague, bill)["why"] == "payee_frozen"
    assert has(town.prague, town.pa) == 6000
    assert ask(town.brno, f"PF {town.sh} 2580 active") == "PF"
    assert ask(town.prague, f"PA {town.pa} {bill} 2580").startswith("PA ")
    town.both_are(bill, "paid")
    assert town.owns() == (300, 5700)


def test_nobody_but_who_was_asked_answers_and_nobody_but_who_asked_takes_it_back(town):
    bill = town.asked(700)
    for bank, thief in ((town.prague, town.bo), (town.brno, town.other), (town.brno, town.sh)):
        told = ask(bank, f"PA {thief} {bill} 2580")
        assert told == "ER There is no such request that concerns you.", thief
    for bank, thief in ((town.prague, town.bo), (town.brno, town.other)):
        assert ask(bank, f"PD {thief} {bill} 2580").startswith("ER There is no such request")
    assert town.states(bill) == ("pending", "pending")


@pytest.mark.parametrize(
    ("payer", "code"), [("nobody@prague", "ER U29"), ("alice@nowhere", "ER U17")]
)
def test_who_is_nowhere_is_asked_for_nothing(town, payer, code):
    told = ask(town.brno, f"PC {town.sh} {payer} 100 bill 2580")
    assert told.startswith(code), told
    # The reference is free for another request.
    assert town.asked(100)


def test_one_who_asks_too_often_is_stopped_by_the_payers_bank_and_others_are_not(town):
    for n in range(10):
        town.asked(1, f"n{n}")
    for _ in range(2):
        assert town.ask_for(1, "n11") == "ER Too many requests wait for this client."
    told = ask(town.brno, f"PC {town.other} {town.pa} 1 x 2580")
    assert told.startswith("PC "), told
    assert len(waiting(town.prague, town.pa)) == 11


# What other banks say.


def letter(town: Town, **changes: object) -> CollectLetter:
    """What the bank of the shop would say."""
    account = int(json.loads(ask(town.brno, f"PR {town.sh}")[3:])["account"].partition("/")[0])
    until_us = town.brno.node.payments.attendant._counter.clock.now_us() + 60_000_000
    asked = Asked(town.sh, account, "5411", town.pa, 100, "CZK", "bill", until_us, "Shop")
    said = CollectLetter(f"BRN{next(_numbers):032x}", 1, ASKED, asked)
    for name, value in changes.items():
        if name in Asked._fields:
            said = said._replace(asked=said.asked._replace(**{name: value}))
        else:
            said = said._replace(**{name: value})
    return said


def test_a_bank_asks_only_for_its_own_clients(town):
    shop = letter(town)
    assert tell(town.brno, town.prague, shop).answer == "heard"
    for payee in (town.bo, "shop@ostrava"):
        told = tell(town.brno, town.prague, letter(town, payee=payee))
        assert told.answer == "vpa_foreign"
    assert tell(town.brno, town.prague, letter(town, payer="xx@brno")).answer == "no_such_address"
    assert len(waiting(town.prague, town.pa)) == 1


def test_letters_that_are_forged_or_meant_for_others_change_nothing(town):
    stranger = new_identity(b"7" * 32)
    said = letter(town)
    for told in (
        tell(town.brno, town.prague, said, stranger),
        tell(town.brno, town.prague, said, to="127.0.0.9"),
        tell(town.brno, town.prague, said, by=town.prague.bank),
        tell(town.brno, town.prague, said, by="127.0.0.9"),
    ):
        assert told.answer is None
        assert told.reply.startswith("ER "), told.reply
    assert waiting(town.prague, town.pa) == []


def test_letters_that_come_again_or_late_change_nothing(town):
    said = letter(town)
    over = said._replace(serial=2, word="cancelled")
    assert [tell(town.brno, town.prague, said).answer for _ in range(2)] == ["heard"] * 2
    assert [tell(town.brno, town.prague, over).answer for _ in range(2)] == ["heard"] * 2
    assert tell(town.brno, town.prague, said).answer == "heard"
    assert state(town.prague, said.id)["state"] == "cancelled"
    other = said._replace(asked=said.asked._replace(amount=101))
    assert tell(town.brno, town.prague, other).answer == "reference_taken"
    # What is taken back before it has arrived never begins.
    late = letter(town)
    assert tell(town.brno, town.prague, late._replace(word="cancelled")).answer == "heard"
    assert tell(town.brno, town.prague, late).answer == "heard"
    assert state(town.prague, late.id)["state"] == "cancelled"
    old = letter(town, expires_us=1)
    assert tell(town.brno, town.prague, old).answer == "request_expired"


def test_what_the_payers_bank_says_is_believed_only_of_its_own_and_never_without_money(town):
    bill = town.asked(700)
    assert tell(town.prague, town.brno, CollectStands(bill, 1, "paid")).answer == "heard"
    assert state(town.brno, bill)["state"] == "pending"
    said = CollectStands(bill, 1, "declined")
    assert tell(town.brno, town.prague, said).answer == "no_such_request"
    unknown = CollectStands("BRN" + "0" * 32, 1, "declined")
    assert tell(town.prague, town.brno, unknown).answer == "no_such_request"
    assert tell(town.prague, town.brno, said).answer == "heard"
    assert state(town.brno, bill)["state"] == "declined"
    # The other bank contradicts itself: its client's money is not taken for what is over.
    assert ask(town.prague, f"PA {town.pa} {bill} 2580").startswith("ER ZA")
    assert town.owns() == (5000, 0)


# Who listens.


def listening(bank: Running, vpa: str) -> tuple[str, int]:
    token = ask(bank, f"PK {vpa} 2580").split()[1]
    return token, json.loads(ask(bank, f"PE {token}")[3:])["cursor"]


def news_of(bank: Running, token: str, cursor: int, until_state: str) -> list[tuple[str, str]]:
    told: list[tuple[str, str]] = []
    give_up = time.monotonic() + 30
    while time.monotonic() < give_up and until_state not in [state for _, state in told]:
        page = json.loads(ask(bank, f"PE {token} {cursor}")[3:])
        told += [(row["you"], row["state"]) for row in page["news"] if row["kind"] == "collect"]
        cursor = page["cursor"]
    return told


def test_who_listens_is_told_that_what_was_asked_for_is_paid(town):
    payer, payee = listening(town.prague, town.pa), listening(town.brno, town.sh)
    bill = town.asked(700)
    assert ask(town.prague, f"PA {town.pa} {bill} 2580").startswith("PA ")
    assert news_of(town.prague, *payer, "success") == [("payer", "pending"), ("payer", "success")]
    assert news_of(town.brno, *payee, "success") == [
        ("payee", each) for each in ("sent", "pending", "success")
    ]


def test_both_sides_are_told_each_state_at_once_and_once(town):
    payer, payee = listening(town.prague, town.pa), listening(town.brno, town.sh)
    bill = town.asked(700)
    assert news_of(town.prague, *payer, "pending") == [("payer", "pending")]
    assert ask(town.prague, f"PD {town.pa} {bill} 2580") == "PD declined"
    assert news_of(town.prague, *payer, "declined") == [
        ("payer", "pending"), ("payer", "declined")
    ]  # fmt: skip
    assert news_of(town.brno, *payee, "declined") == [
        ("payee", each) for each in ("sent", "pending", "declined")
    ]
