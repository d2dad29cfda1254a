"""Family P over the wire: money back, and asking for money; what thieves must not get."""

import json
from itertools import count

import pytest
from support.nodes import running_node

_numbers = count()
SETTINGS = {"payments__handle": "brno", "payments__pin_profile": "light"}


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with running_node(tmp_path_factory.mktemp("bank"), **SETTINGS) as running:
        yield running


class Town:
    """A payer with 5000, a friend and a shop, all with the PIN 2580."""

    def __init__(self, wire):
        self.ask = wire.ask
        tag = f"{next(_numbers):03}".translate(str.maketrans("0123456789", "abcdefghjk"))
        self.accounts = {}
        self.pa, self.bo, self.sh = (
            self.join(name + tag, category)
            for name, category in (("pa", None), ("bo", None), ("sh", "5411"))
        )
        assert self.ask(f"AD {self.accounts[self.pa]} 5000") == "AD"

    def join(self, name, category):
        vpa, mobile = f"{name}@brno", f"420888{next(_numbers):06}"
        if category:
            reply = self.ask(f"PM {vpa} {name} {category} {mobile} 2580")
        else:
            reply = self.ask(f"PU {vpa} {name} {mobile} 2580")
        self.accounts[vpa] = reply.split()[1]
        return vpa

    def balance(self, vpa):
        return int(self.ask(f"AB {self.accounts[vpa]}").split()[1])

    def paid(self, amount=1000, reference="r1"):
        return self.ask(f"PP {self.pa} {self.sh} {amount} {reference} 2580").split()[1]

    def state(self, paper):
        return json.loads(self.ask(f"PS {paper}")[3:])

    def asked(self, amount=700, reference="bill", more=""):
        reply = self.ask(f"PC {self.sh} {self.pa} {amount} {reference} 2580 {more}".strip())
        assert reply.startswith("PC "), reply
        return reply.split()[1]


@pytest.fixture
def town(running):
    with running.wire() as wire:
        yield Town(wire)


def test_a_shop_gives_back_in_parts_and_never_more_than_it_got(town):
    payment = town.paid(1000)
    refunds = [town.ask(f"PX {town.sh} {payment} {n} back-{n} 2580") for n in (300, 500)]
    assert all(reply.startswith("PX BRN") for reply in refunds)
    told = town.ask(f"PX {town.sh} {payment} 201 back-3 2580")
    assert told == "ER More would be given back than was paid."
    assert town.ask(f"PX {town.sh} {payment} 200 back-3 2580").startswith("PX ")
    assert (town.balance(town.pa), town.balance(town.sh)) == (5000, 0)
    assert town.ask(f"PX {town.sh} {payment} 1 back-4 2580").startswith("ER More")


def test_a_refund_has_its_own_number_and_names_the_payment_that_it_gives_back(town):
    payment = town.paid(1000)
    _, refund, rrn = town.ask(f"PX {town.sh} {payment} 400 back 2580 broken+cup").split()
    told = town.state(refund)
    assert (told["kind"], told["of"], told["rrn"], told["note"]) == (
        "refund", payment, rrn, "broken cup"
    )  # fmt: skip
    assert told["rrn"] != town.state(payment)["rrn"]
    assert town.state(payment)["refunded"] == 400


def test_the_same_refund_again_gives_nothing_back_again(town):
    payment = town.paid(1000)
    replies = {town.ask(f"PX {town.sh} {payment} 400 back 2580") for _ in range(3)}
    assert len(replies) == 1
    assert town.balance(town.sh) == 600
    assert town.ask(f"PX {town.sh} {payment} 401 back 2580").startswith("ER U01")


def test_a_refund_is_not_refunded(town):
    payment = town.paid(1000)
    refund = town.ask(f"PX {town.sh} {payment} 400 back 2580").split()[1]
    told = town.ask(f"PX {town.pa} {refund} 400 again 2580")
    assert told == "ER This payment cannot be given back."


@pytest.mark.parametrize("thief", ["pa", "bo"])
def test_nobody_but_the_payee_gives_a_payment_back(town, thief):
    payment = town.paid(1000)
    told = town.ask(f"PX {getattr(town, thief)} {payment} 100 back 2580")
    assert told == "ER U48: There is no such payment."
    assert town.balance(town.sh) == 1000


def test_a_refund_without_money_is_refused_and_can_be_tried_again(town):
    payment = town.paid(1000)
    town.ask(f"PP {town.sh} {town.bo} 900 spent 2580")
    assert town.ask(f"PX {town.sh} {payment} 500 back 2580").startswith("ER Z9")
    assert town.ask(f"PX {town.sh} {payment} 100 back 2580").startswith("PX ")


def test_a_wrong_pin_gives_nothing_back(town):
    payment = town.paid(1000)
    assert town.ask(f"PX {town.sh} {payment} 100 back 2581").startswith("ER ZM")
    assert town.balance(town.sh) == 1000


def test_what_is_asked_for_is_paid_once_it_is_approved(town):
    bill = town.asked(700, more="600 two+cups")
    waiting = json.loads(town.ask(f"PQ {town.pa} 2580")[3:])["requests"]
    assert [(row["id"], row["amount"], row["note"]) for row in waiting] == [(bill, 700, "two cups")]
    _, payment, _ = town.ask(f"PA {town.pa} {bill} 2580").split()
    assert town.balance(town.sh) == 700
    assert town.state(payment)["kind"] == "collect"
    assert (town.state(bill)["state"], town.state(bill)["payment"]) == ("paid", payment)
    assert town.ask(f"PQ {town.pa} 2580") == 'PQ {"requests":[]}'


def test_a_request_is_paid_once_however_often_it_is_approved(town):
    bill = town.asked(700)
    assert len({town.ask(f"PA {town.pa} {bill} 2580") for _ in range(3)}) == 1
    assert town.balance(town.sh) == 700


def test_the_same_request_again_is_the_same_one(town):
    assert town.asked(700) == town.asked(700)
    assert town.ask(f"PC {town.sh} {town.pa} 701 bill 2580").startswith("ER U01")


def test_nobody_approves_or_declines_what_somebody_else_was_asked_for(town):
    bill = town.asked(700)
    for thief in (town.bo, town.sh):
        told = town.ask(f"PA {thief} {bill} 2580")
        assert told == "ER There is no such request that concerns you."
    assert town.ask(f"PD {town.bo} {bill} 2580").startswith("ER There is no such request")
    assert town.state(bill)["state"] == "pending"


def test_what_was_declined_or_taken_back_is_not_paid(town):
    first, second = town.asked(700, "one"), town.asked(700, "two")
    assert town.ask(f"PD {town.pa} {first} 2580") == "PD declined"
    assert town.ask(f"PA {town.pa} {first} 2580") == "ER ZA: The request was declined."
    assert town.ask(f"PD {town.sh} {second} 2580") == "PD cancelled"
    assert town.ask(f"PA {town.pa} {second} 2580") == "ER The request is over already."
    assert town.balance(town.sh) == 0


def test_a_refused_payment_leaves_the_request_waiting(town):
    bill = town.asked(6000)
    assert town.ask(f"PA {town.pa} {bill} 2580").startswith("ER Z9")
    assert town.ask(f"PA {town.pa} {bill} 2581").startswith("ER ZM")
    assert town.ask(f"AD {town.accounts[town.pa]} 1000") == "AD"
    assert town.ask(f"PA {town.pa} {bill} 2580").startswith("PA ")


def test_only_merchants_ask_for_money_unless_the_bank_says_otherwise(town, running):
    told = town.ask(f"PC {town.bo} {town.pa} 100 please 2580")
    assert told == "ER This bank does not let you ask others for money."


def test_one_who_asks_too_often_is_stopped_and_others_are_not(town):
    for n in range(10):
        town.asked(1, f"n{n}")
    told = town.ask(f"PC {town.sh} {town.pa} 1 n11 2580")
    assert told == "ER Too many requests wait for this client."
    other = town.join("ot" + town.sh[2:].partition("@")[0], "5812")
    assert town.ask(f"PC {other} {town.pa} 1 x 2580").startswith("PC ")
