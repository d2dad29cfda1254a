"""Disputes on a ledger, with a clock of their own: who may say what, when, and what it costs."""

import pytest
from ledger_model import book
from msgspec.structs import replace
from test_payment_operations import RULES, Bank, proof, terms

from bank_node.banking.payments import agenda
from bank_node.banking.payments.chargebacks import Accept, Settle
from bank_node.banking.payments.disputes import STATEMENTS_MAX, Raise, Say, due
from bank_node.banking.payments.limits import Terms
from bank_node.banking.payments.machines import DISPUTE_STEPS, DisputeMessage, DisputeState
from bank_node.banking.payments.operations import Change, Pay
from bank_node.banking.payments.papers import Agenda, Dispute, Statement, agenda_key, dispute_key
from bank_node.banking.payments.records import Payment, body_of, check, payment_key, read
from bank_node.banking.payments.refunds import GiveBack
from bank_node.errors import Reason
from bank_node.ledger.audit import Anchor, verify
from bank_node.ledger.notes import BODY_BYTES_MAX, Note, ReadNote, ReadNotes
from bank_node.ledger.operations import OpenAccount, Withdraw

DAY = 86_400
ANSWER, DECIDE, RETRY = 7 * DAY, 14 * DAY, 3600


class Scene(Bank):
    """A shop that alice paid 300 of her 500 units."""

    def __init__(self):
        super().__init__()
        self.alice, self.shop = self.join("alice", 500), self.join("shop", category="5411")
        self.eve = self.join("eve", 500)
        self.paid = read(Payment, self.pay(self.alice, self.shop, 300))

    def at(self, seconds):
        return Terms(terms(seconds).now, RULES)

    def raised(self, seconds=0, text="cold", by=None, payment=None):
        payment = payment or self.paid
        now_us = terms(seconds).now.us
        wanted = Dispute(
            "BRN" + payment.id[3:][::-1], payment.id, payment.payer, payment.payer_account,
            payment.payee, payment.payee_account, payment.amount,
            (Statement("payer", text, now_us),), now_us, now_us + ANSWER * 1_000_000,
        )  # fmt: skip
        return self.do(Raise(proof(by or self.alice), self.at(seconds), wanted))

    @property
    def dispute(self):
        note = self.do(ReadNote(dispute_key("BRN" + self.paid.id[3:][::-1])))
        return read(Dispute, note)

    def say(self, who, message, text="", seconds=0):
        return self.do(Say(proof(who), self.at(seconds), self.dispute, message, text))

    def contest(self, seconds=0):
        return self.say(self.shop, DisputeMessage.CONTEST, "it was hot", seconds)

    def withdraw(self):
        return self.say(self.alice, DisputeMessage.WITHDRAW)

    def back(self, kind="chargeback", number=None, amount=300):
        dispute, paid = self.dispute, self.paid
        number = dispute.tries if number is None else number
        return Payment(
            f"BRN{number + 0xC000:032x}", kind, paid.payee, paid.payee_account, paid.payer,
            paid.payer_account, "1.2.3.4", "", amount, dispute.id, "", 0, of=paid.id,
        )  # fmt: skip

    def settling(self, message=None, seconds=0):
        return Settle(self.dispute, message, self.back(), 0, self.at(seconds))

    def settle(self, message=None, seconds=0):
        return self.do(self.settling(message, seconds))

    def accept(self, who=None, *, right=True):
        who = who or self.shop
        return self.do(Accept(proof(who, right=right), self.at(0), self.dispute, self.back()))

    def refund(self, amount):
        refund = self.back("refund", 0x100 + amount, amount)
        return self.do(GiveBack(proof(self.shop), self.at(0), refund, 0, self.dispute))

    def lists(self):
        people = (self.alice, self.shop)
        notes = self.do(ReadNotes(tuple(agenda_key(person.account) for person in people)))
        return [read(Agenda, note).items if note else () for note in notes]

    def owns(self):
        return self.balance(self.alice), self.balance(self.shop)


@pytest.fixture
def scene():
    return Scene()


@pytest.fixture
def open_one(scene):
    scene.raised()
    return scene


def test_only_who_paid_can_dispute_a_payment(scene):
    assert scene.raised(by=scene.shop) is Reason.NO_SUCH_PAYMENT
    assert scene.raised(by=scene.eve) is Reason.NO_SUCH_PAYMENT
    assert isinstance(scene.raised(), Note)
    assert scene.dispute.state == "raised"


def test_the_same_dispute_again_changes_nothing_and_another_one_is_refused(scene):
    first = scene.raised()
    assert scene.raised(60) == first
    assert scene.raised(text="hair in it") is Reason.REFERENCE_TAKEN
    scene.withdraw()
    assert read(Dispute, scene.raised()).state == "withdrawn"


def test_a_payment_can_be_disputed_until_its_last_day_and_not_at_its_end(scene):
    assert scene.raised(45 * DAY) is Reason.DISPUTE_LATE
    assert isinstance(scene.raised(45 * DAY - 1), Note)


def test_what_is_back_already_cannot_be_disputed(scene):
    refund = Payment(
        "BRN" + "e" * 32, "refund", "shop@brno", scene.shop.account, "alice@brno",
        scene.alice.account, "1.2.3.4", "", 300, "b", "", 0, of=scene.paid.id,
    )  # fmt: skip
    scene.do(GiveBack(proof(scene.shop), scene.at(0), refund))
    assert scene.raised() is Reason.NOT_DISPUTABLE
    assert scene.raised(by=scene.shop, payment=refund) is Reason.NOT_DISPUTABLE


def test_who_has_no_address_loses_no_dispute_by_silence(scene):
    plain = replace(scene.eve, account=scene.do(OpenAccount(4711)), vpas=())
    paid = read(Payment, scene.pay(scene.alice, plain, 10, "r2"))
    assert scene.raised(payment=paid) is Reason.NOT_DISPUTABLE


def test_a_dispute_waits_on_the_lists_of_both_sides_until_it_is_over(open_one):
    assert [[key for key, _ in items] for items in open_one.lists()] == [
        [open_one.dispute.key], [open_one.dispute.key]
    ]  # fmt: skip
    open_one.withdraw()
    assert open_one.lists() == [(), ()]


def test_a_full_list_fits_into_a_note_and_hides_nobody_from_disputes(scene):
    full = agenda.ITEMS_MAX + agenda.DISPUTES_MAX
    items = tuple((dispute_key(f"BRN{n:032x}"), 99_999) for n in range(full))
    assert len(body_of(Agenda(99_999, items))) <= BODY_BYTES_MAX
    payments = [scene.pay(scene.alice, scene.shop, 1, f"d{n:03}") for n in range(31)]
    raised = [scene.raised(payment=read(Payment, paid)) for paid in payments]
    assert [type(each) for each in raised] == [Note] * 30 + [Reason]
    assert raised[-1] is Reason.TOO_MANY_REQUESTS
    other = scene.pay(scene.eve, scene.shop, 1, "e1")
    dispute = read(Dispute, scene.raised(by=scene.eve, payment=read(Payment, other)))
    assert dispute.key not in dict(scene.lists()[1])


def test_who_accepts_gives_back_what_is_left_and_no_more(open_one):
    open_one.refund(100)
    open_one.accept()
    assert open_one.dispute.state == "accepted"
    assert open_one.owns() == (500, 0)
    back = read(Payment, open_one.do(ReadNote(payment_key(open_one.dispute.refund))))
    assert (back.kind, back.amount, back.dispute) == ("refund", 200, open_one.dispute.id)
    open_one.accept()
    assert open_one.owns() == (500, 0)


def test_only_the_payee_can_accept_and_only_with_its_pin(open_one):
    assert open_one.accept(open_one.alice) is Reason.NO_SUCH_REQUEST
    assert open_one.accept(open_one.eve) is Reason.NO_SUCH_REQUEST
    assert open_one.accept(right=False) is Reason.WRONG_PIN
    assert open_one.owns() == (200, 300)


def test_who_accepts_without_the_money_has_accepted_nothing(open_one):
    payment = Payment(
        "BRN" + "f" * 32, "pay", "shop@brno", open_one.shop.account, "eve@brno",
        open_one.eve.account, "1.2.3.4", "eve", 300, "r", "", 0,
    )  # fmt: skip
    assert isinstance(open_one.do(Pay(proof(open_one.shop), open_one.at(0), payment)), Note)
    assert open_one.accept() is Reason.NOT_ENOUGH_MONEY
    assert open_one.dispute.state == "raised"


def test_who_does_not_answer_until_the_deadline_has_lost(open_one):
    assert open_one.settle(seconds=ANSWER - 1) is Reason.REQUEST_PENDING
    back = read(Payment, open_one.settle(seconds=ANSWER))
    assert (back.kind, back.amount) == ("chargeback", 300)
    assert (open_one.dispute.state, open_one.dispute.decided) == ("charged_back", "time")
    assert open_one.owns() == (500, 0)


def test_what_was_contested_and_not_decided_stays_paid(open_one):
    open_one.contest(ANSWER - 1)
    assert open_one.settle(seconds=ANSWER) is Reason.REQUEST_PENDING
    open_one.settle(seconds=ANSWER - 1 + DECIDE)
    assert (open_one.dispute.state, open_one.dispute.decided) == ("rejected", "time")
    assert open_one.owns() == (200, 300)


@pytest.mark.parametrize(
    ("message", "state", "owns"),
    [
        (DisputeMessage.CHARGE, "charged_back", (500, 0)),
        (DisputeMessage.REJECT, "rejected", (200, 300)),
    ],
)
def test_the_operator_decides_what_was_contested(open_one, message, state, owns):
    open_one.contest()
    for _ in range(2):
        open_one.settle(message)
        assert (open_one.dispute.state, open_one.dispute.decided) == (state, "operator")
        assert open_one.owns() == owns
    other = DisputeMessage.REJECT if state == "charged_back" else DisputeMessage.CHARGE
    assert open_one.settle(other) is Reason.REQUEST_OVER


def test_settling_twice_in_one_batch_gives_back_once(open_one):
    twice = [open_one.settling(seconds=ANSWER)] * 2
    book(open_one.store, *twice)
    assert open_one.owns() == (500, 0)


def test_what_is_not_there_is_owed_and_taken_once_it_is(open_one):
    spent = Payment(
        "BRN" + "f" * 32, "pay", "shop@brno", open_one.shop.account, "eve@brno",
        open_one.eve.account, "1.2.3.4", "eve", 300, "r", "", 0,
    )  # fmt: skip
    open_one.do(Pay(proof(open_one.shop), open_one.at(0), spent))
    stale = open_one.settling(seconds=ANSWER)
    open_one.do(stale)
    owed = open_one.dispute
    assert (owed.state, owed.why, owed.tries) == ("owed", "not_enough_money", 1)
    assert open_one.do(stale) is Reason.NO_SUCH_REQUEST
    assert open_one.settle(seconds=ANSWER + RETRY - 1) is Reason.REQUEST_PENDING
    open_one.pay(open_one.eve, open_one.shop, 350, "r9")
    open_one.settle(seconds=ANSWER + RETRY)
    assert (open_one.dispute.state, open_one.dispute.decided) == ("charged_back", "time")
    assert open_one.owns() == (500, 50)


def test_a_frozen_account_gets_its_money_back_and_gives_it_back(open_one):
    for person in (open_one.alice, open_one.shop):
        open_one.do(Change(proof(person), open_one.at(0), is_frozen=True))
    assert open_one.accept() is Reason.FROZEN
    open_one.settle(DisputeMessage.CHARGE)
    assert open_one.owns() == (500, 0)


def test_a_refund_of_all_that_is_left_ends_the_dispute(open_one):
    open_one.refund(200)
    assert open_one.dispute.state == "raised"
    open_one.refund(100)
    assert (open_one.dispute.state, open_one.dispute.decided) == ("accepted", "refund")
    assert open_one.settle(DisputeMessage.CHARGE) is Reason.REQUEST_OVER
    assert open_one.owns() == (500, 0)


def test_each_side_says_so_much_and_the_same_only_once(open_one):
    for n in range(STATEMENTS_MAX):
        for _ in range(2):
            assert isinstance(open_one.say(open_one.shop, None, f"text {n}"), Note)
    assert open_one.say(open_one.shop, None, "one more") is Reason.TOO_MUCH_SAID
    assert isinstance(open_one.say(open_one.alice, None, "my side"), Note)
    assert open_one.say(open_one.eve, None, "me too") is Reason.NO_SUCH_REQUEST
    assert len(open_one.dispute.said) == STATEMENTS_MAX + 2


def test_nobody_speaks_for_the_other_side(open_one):
    assert open_one.say(open_one.alice, DisputeMessage.CONTEST, "x") is Reason.NO_SUCH_REQUEST
    assert open_one.say(open_one.shop, DisputeMessage.WITHDRAW) is Reason.NO_SUCH_REQUEST


def test_what_is_over_is_not_discussed(open_one):
    open_one.withdraw()
    assert open_one.say(open_one.alice, None, "but") is Reason.REQUEST_OVER
    assert open_one.contest() is Reason.REQUEST_OVER
    assert open_one.accept() is Reason.REQUEST_OVER
    assert isinstance(open_one.withdraw(), Note)
    assert open_one.owns() == (200, 300)


@pytest.mark.parametrize("seed", range(40))
def test_whatever_is_said_in_whatever_order_the_table_and_the_money_agree(scene, seed):
    scene.raised()
    draw, now = seed * 2654435761 + 1, 0
    for _ in range(8):
        draw = draw * 6364136223846793005 + 1442695040888963407 & (1 << 64) - 1
        now += (draw >> 40) % (4 * DAY)
        before = scene.dispute.state
        step = (draw >> 20) % 7
        if step == 0:
            scene.contest(now)
        elif step == 1:
            scene.accept()
        elif step == 2:
            scene.refund(1 + (draw >> 30) % 200)
        elif step == 3:
            scene.settle((DisputeMessage.CHARGE, DisputeMessage.REJECT)[draw >> 50 & 1], now)
        elif step == 4:
            scene.do(Withdraw(scene.shop.account, 50))
        elif step == 5 and draw >> 55 & 1:
            scene.withdraw()
        else:
            scene.settle(seconds=now)
        after = scene.dispute.state
        steps = {DISPUTE_STEPS[before, message] for message in DisputeMessage} | {before}
        assert after in steps
    paid = read(Payment, scene.do(ReadNote(payment_key(scene.paid.id))))
    assert 0 <= paid.refunded <= paid.amount
    assert scene.balance(scene.alice) == 200 + paid.refunded
    if scene.dispute.state in (DisputeState.ACCEPTED, DisputeState.CHARGED_BACK):
        assert paid.refunded == paid.amount
    assert due(scene.dispute, scene.at(1000 * DAY).now) is None or scene.dispute.is_open
    report = verify(scene.store.blocks(), (), (), Anchor(0, 0, b""), check_note=check)
    assert report.entries > 10
