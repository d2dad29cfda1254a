"""A dispute between two ledgers: letters that come twice, late, forged or not at all."""

import pytest
from ledger_model import book
from msgspec.structs import replace
from test_payment_operations import RULES, Bank, proof, terms

from bank_node.banking.payments.abroad import Expect, Memo, PayAbroad, memo_of, parse_memo
from bank_node.banking.payments.chargebacks import Accept, Settle
from bank_node.banking.payments.closing import Finish, concerned
from bank_node.banking.payments.disputes import Raise, Say
from bank_node.banking.payments.disputes_abroad import Hear, Heed, answer_of, letter_of, statements
from bank_node.banking.payments.limits import Terms
from bank_node.banking.payments.machines import DisputeMessage
from bank_node.banking.payments.papers import PAYER, Dispute, Statement, dispute_key
from bank_node.banking.payments.records import (
    Payment,
    activity_key,
    check,
    incoming_key,
    payment_key,
    read,
    read_activity,
)
from bank_node.banking.payments.refunds import OnItsWay
from bank_node.errors import Reason
from bank_node.ledger.audit import Anchor, verify
from bank_node.ledger.entries import settlement_account
from bank_node.ledger.notes import Note, ReadNote
from bank_node.ledger.transfer_operations import Promise, Tell
from bank_node.ledger.transfers import Message, Transfer
from bank_node.protocol.dispute_messages import DisputeAnswer
from bank_node.protocol.payment_values import Vpa

PRAGUE, BRNO = "10.0.0.1", "10.0.0.2"
CAP = 10**12
DAY = 86_400
DISPUTE = "PRA" + "d" * 32


class Side(Bank):
    """One of the two banks."""

    def __init__(self, code, other):
        super().__init__()
        self.code, self.other = code, other

    def note(self, key):
        return self.do(ReadNote(key))

    @property
    def dispute(self):
        return read(Dispute, self.note(dispute_key(DISPUTE)))


class Scene:
    """Alice of Prague paid the shop of Brno 300 of her 500 units, and it has arrived."""

    def __init__(self):
        self.prague, self.brno = Side(PRAGUE, BRNO), Side(BRNO, PRAGUE)
        self.alice = self.prague.join("alice", 500)
        self.shop = self.brno.join("shop", category="5411")
        self.payment = Payment(
            "PRA" + "a" * 32, "pay", "alice@brno", self.alice.account, "shop@brno",
            self.shop.account, BRNO, "shop", 300, "r1", "", terms().now.us,
        )  # fmt: skip
        paid, held = self.prague.do(PayAbroad(proof(self.alice), terms(), self.payment, CAP))
        self.carry(self.prague, self.brno, paid, held)
        self.to_prague = self.to_brno = True

    def at(self, seconds=0):
        return Terms(terms(seconds).now, RULES)

    def carry(self, here, there, payment, held, *, fails=False):
        """Drives the transfer of a payment to its end, and closes the records of both sides."""
        memo = parse_memo(memo_of(payment, "CZK"))
        promise = Promise(
            f"{here.code}/{payment.id}", payment.payee_account, settlement_account(here.code),
            payment.payer_account, payment.amount, CAP,
        )  # fmt: skip
        promised = there.do(Expect(promise, memo, terms()))
        refused = promised if isinstance(promised, Reason) else None
        if fails or refused:
            why = (refused or Reason.BANK_SILENT).value
            self.tell(here, payment_key(payment.id), Message.VOID, payment.id, why)
            if not refused:
                key = incoming_key(promise.key)
                self.tell(there, key, Message.RELEASE, promise.key, "transfer_aborted")
            return refused
        self.do(here, Tell(Message.POST, payment.id))
        self.tell(there, incoming_key(promise.key), Message.CREDIT, promise.key)
        self.tell(here, payment_key(payment.id), Message.ACKNOWLEDGE, payment.id)
        return None

    def do(self, bank, operation):
        result = bank.do(operation)
        assert isinstance(result, Transfer), result
        return result

    def tell(self, bank, key, message, transfer, reason=""):
        ended = self.do(bank, Tell(message, transfer, reason=reason))
        record = read(Payment, bank.note(key))
        assert isinstance(bank.do(Finish(key, ended, concerned(record))), Note)

    def raised(self, text="cold"):
        now_us = terms().now.us
        wanted = Dispute(
            DISPUTE, self.payment.id, "alice@brno", self.alice.account, "shop@brno",
            self.shop.account, 300, (Statement("payer", text, now_us),), now_us, now_us,
            payee_bank=BRNO,
        )  # fmt: skip
        return self.prague.do(Raise(proof(self.alice), self.at(), wanted))

    def hear(self, letter, seconds=0, bank=PRAGUE):
        """What Brno answers to a letter."""
        paid = read(Payment, self.brno.note(incoming_key(f"{PRAGUE}/{self.payment.id}")))
        now_us = terms(seconds).now.us
        wanted = Dispute(
            letter.dispute, letter.payment, paid.payer, paid.payer_account, paid.payee,
            paid.payee_account, 300, (Statement(PAYER, letter.text, now_us),), now_us,
            now_us + RULES.dispute_answer_s * 1_000_000, payer_bank=bank,
        )  # fmt: skip
        result = self.brno.do(Hear(wanted, letter, self.at(seconds)))
        if isinstance(result, Reason):
            return DisputeAnswer(refused=result)
        return answer_of(read(Dispute, result), letter)

    def exchange(self, seconds=0):
        """Letters until neither side has more to say."""
        told = 0
        for _ in range(12):
            answer = self.hear(letter_of(self.prague.dispute, told), seconds)
            self.prague.do(Heed(self.prague.dispute, answer, self.at(seconds)))
            told = answer.heard
            mine, theirs = self.prague.dispute, answer.said
            if told == len(statements(mine, "payer")) and theirs == len(statements(mine, "payee")):
                return

    def say(self, bank, who, message, text=""):
        return bank.do(Say(proof(who), self.at(), bank.dispute, message, text))

    def back(self):
        known = self.brno.dispute
        return Payment(
            f"BRN{known.tries + 0xC000:032x}", "chargeback", "shop@brno", self.shop.account,
            "alice@brno", self.alice.account, PRAGUE, "", 300, known.id, "", terms().now.us,
            of=self.payment.id, day=100, dispute=known.id,
        )  # fmt: skip

    def settle(self, message=None, seconds=0, *, fails=False):
        given = self.brno.do(Settle(self.brno.dispute, message, self.back(), CAP, self.at(seconds)))
        return self.arrive(given, fails=fails)

    def arrive(self, given, *, fails=False):
        if isinstance(given, OnItsWay):
            payment = read(Payment, given.note)
            return self.carry(self.brno, self.prague, payment, given.transfer, fails=fails)
        return given

    def owns(self):
        return self.prague.balance(self.alice), self.brno.balance(self.shop)

    def refunded(self):
        mine = self.prague.note(payment_key(self.payment.id))
        theirs = self.brno.note(incoming_key(f"{PRAGUE}/{self.payment.id}"))
        return read(Payment, mine).refunded, read(Payment, theirs).refunded


@pytest.fixture
def scene():
    scene = Scene()
    assert scene.owns() == (200, 300)
    assert isinstance(scene.raised(), Note)
    return scene


def test_a_dispute_is_the_same_on_both_sides_after_letters(scene):
    scene.exchange()
    scene.say(scene.brno, scene.shop, DisputeMessage.CONTEST, "it was hot")
    scene.say(scene.brno, scene.shop, None, "ask the cook")
    scene.say(scene.prague, scene.alice, None, "see the photo")
    scene.exchange()
    mine, theirs = scene.prague.dispute, scene.brno.dispute
    assert mine.state == theirs.state == "contested"
    for side in ("payer", "payee"):
        assert [s.text for s in statements(mine, side)] == [
            s.text for s in statements(theirs, side)
        ]
    assert (len(mine.said), theirs.amount) == (4, 300)


def test_only_sides_speak_and_only_at_their_own_bank(scene):
    scene.exchange()
    namesake = replace(scene.alice, account=scene.shop.account)
    told = scene.prague.do(
        Say(proof(namesake), scene.at(), scene.prague.dispute, DisputeMessage.CONTEST, "x")
    )
    assert told in (Reason.NO_SUCH_REQUEST, Reason.WRONG_PIN)
    other = replace(scene.shop, account=scene.alice.account)
    told = scene.brno.do(Say(proof(other), scene.at(), scene.brno.dispute, DisputeMessage.WITHDRAW))
    assert told in (Reason.NO_SUCH_REQUEST, Reason.WRONG_PIN)


def test_who_accepts_gives_the_money_back_across_banks(scene):
    scene.exchange()
    accept = Accept(proof(scene.shop), scene.at(), scene.brno.dispute, scene.back(), CAP)
    given = scene.brno.do(accept)
    assert scene.brno.dispute.state == "owed"
    assert scene.brno.do(accept) == scene.brno.note(dispute_key(DISPUTE))
    scene.arrive(given)
    assert (scene.brno.dispute.state, scene.brno.dispute.decided) == ("accepted", "payee")
    assert scene.owns() == (500, 0)
    assert scene.refunded() == (300, 300)
    scene.exchange()
    assert (scene.prague.dispute.state, scene.prague.dispute.refund) == (
        "accepted", scene.back().id
    )  # fmt: skip


def test_a_chargeback_that_fails_on_its_way_is_tried_again_under_another_name(scene):
    scene.exchange()
    first = scene.back().id
    scene.settle(DisputeMessage.CHARGE, fails=True)
    assert (scene.brno.dispute.state, scene.brno.dispute.tries) == ("owed", 1)
    assert scene.owns() == (200, 300)
    assert scene.refunded() == (0, 0)
    assert scene.settle(seconds=1) is Reason.REQUEST_PENDING
    scene.settle(seconds=RULES.dispute_retry_s)
    assert scene.brno.dispute.state == "charged_back"
    assert scene.brno.dispute.refund != first
    assert scene.owns() == (500, 0)
    assert scene.refunded() == (300, 300)


def test_who_does_not_answer_loses_across_banks_too(scene):
    scene.exchange()
    deadline = RULES.dispute_answer_s
    assert scene.settle(seconds=deadline - 1) is Reason.REQUEST_PENDING
    scene.settle(seconds=deadline)
    scene.exchange(deadline)
    assert scene.prague.dispute.state == scene.brno.dispute.state == "charged_back"
    assert scene.owns() == (500, 0)


def test_a_dispute_is_withdrawn_when_the_other_bank_has_heard(scene):
    scene.exchange()
    scene.say(scene.prague, scene.alice, DisputeMessage.WITHDRAW)
    assert (scene.prague.dispute.state, scene.prague.dispute.withdrawing) == ("raised", True)
    scene.exchange()
    for bank in (scene.prague, scene.brno):
        assert (bank.dispute.state, bank.dispute.withdrawing) == ("withdrawn", False)
    assert scene.settle(DisputeMessage.CHARGE) is Reason.REQUEST_OVER


def test_letters_that_come_again_or_late_change_nothing(scene):
    early = letter_of(scene.prague.dispute, 0)
    scene.exchange()
    before = scene.hear(early)
    scene.say(scene.brno, scene.shop, DisputeMessage.CONTEST, "no")
    scene.settle(DisputeMessage.REJECT)
    scene.exchange()
    assert scene.prague.dispute.state == "rejected"
    for _ in range(2):
        assert scene.hear(early).state == "rejected"
        scene.prague.do(Heed(scene.prague.dispute, before, scene.at()))
    assert scene.prague.dispute.state == "rejected"
    assert len(scene.brno.dispute.said) == 2


def test_what_two_nodes_of_a_bank_hear_at_once_is_noted_down_once(scene):
    scene.exchange()
    scene.say(scene.brno, scene.shop, DisputeMessage.CONTEST, "no")
    scene.say(scene.brno, scene.shop, None, "here is the receipt")
    known = scene.prague.dispute
    answers = [scene.hear(letter_of(known, 1)) for _ in range(2)]
    for answer in answers:
        scene.prague.do(Heed(known, answer, scene.at()))
    scene.exchange()
    told = [[each.text for each in statements(bank.dispute, "payee")]
            for bank in (scene.prague, scene.brno)]  # fmt: skip
    assert told == [["no", "here is the receipt"]] * 2


def test_an_answer_never_takes_a_dispute_back(scene):
    scene.exchange()
    early = scene.hear(letter_of(scene.prague.dispute, 1))
    scene.say(scene.brno, scene.shop, DisputeMessage.CONTEST, "no")
    scene.exchange()
    scene.prague.do(Heed(scene.prague.dispute, early, scene.at()))
    assert scene.prague.dispute.state == "contested"
    odd = early._replace(state="paid_twice")
    scene.prague.do(Heed(scene.prague.dispute, odd, scene.at()))
    assert scene.prague.dispute.state == "contested"


@pytest.mark.parametrize(
    ("why", "state"),
    [(Reason.NOT_DISPUTABLE, "rejected"), (Reason.DISPUTE_LATE, "rejected"),
     (Reason.PAYMENT_PENDING, "raised"), (Reason.NO_SUCH_PAYMENT, "raised")],
)  # fmt: skip
def test_only_what_is_final_ends_a_dispute_that_the_other_bank_does_not_take(scene, why, state):
    scene.prague.do(Heed(scene.prague.dispute, DisputeAnswer(refused=why), scene.at()))
    assert scene.prague.dispute.state == state


def test_another_bank_cannot_speak_about_the_payment(scene):
    letter = letter_of(scene.prague.dispute, 0)
    assert scene.hear(letter, bank="10.0.0.9").refused is Reason.NO_SUCH_PAYMENT
    scene.exchange()
    assert scene.hear(letter, bank="10.0.0.9").refused is Reason.REFERENCE_TAKEN
    second = letter._replace(dispute="PRA" + "e" * 32)
    assert scene.hear(second).refused is Reason.REFERENCE_TAKEN


@pytest.mark.parametrize(
    "changes", [{"payer": 10_001}, {"amount": 301}, {"bank": settlement_account("10.0.0.9")}]
)
def test_money_that_does_not_come_from_where_the_payment_went_is_no_refund(scene, changes):
    promise = replace(Promise(
        f"{BRNO}/BRN{'f' * 32}", scene.alice.account, settlement_account(BRNO),
        scene.shop.account, 300, CAP,
    ), **changes)  # fmt: skip
    memo = Memo("shop@brno", Vpa("alice", "brno"), kind="refund", of=scene.payment.id)
    (told,) = book(scene.prague.store, Expect(promise, memo, terms()))
    assert told in (Reason.NO_SUCH_PAYMENT, Reason.REFUND_TOO_MUCH)


def test_both_ledgers_verify_after_a_dispute(scene):
    scene.exchange()
    scene.settle(DisputeMessage.CHARGE, fails=True)
    scene.settle(DisputeMessage.CHARGE)
    scene.exchange()
    for bank in (scene.prague, scene.brno):
        report = verify(bank.store.blocks(), (), (), Anchor(0, 0, b""), check_note=check)
        assert report.entries > 10


def test_a_payment_that_fails_while_the_clock_is_set_back_is_taken_off_the_day_it_counted_for():
    scene = Scene()
    yesterday = terms(day=99)
    failing = replace(scene.payment, id="PRA" + "b" * 32, amount=100, reference="r2")
    paid, held = scene.prague.do(PayAbroad(proof(scene.alice), yesterday, failing, CAP))
    assert spent_of(scene) == (100, 400)
    scene.carry(scene.prague, scene.brno, paid, held, fails=True)
    assert spent_of(scene) == (100, 300)


def spent_of(scene):
    activity = read_activity(scene.prague.note(activity_key(scene.alice.account)))
    return activity.day, activity.spent
