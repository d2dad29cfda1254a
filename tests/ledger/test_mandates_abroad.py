"""A mandate between two ledgers: paid once each time, whatever fails, comes twice or late."""

import pytest
from msgspec.structs import replace
from test_disputes_abroad import BRNO, CAP, PRAGUE, Scene
from test_payment_operations import RULES, proof, terms

from bank_node.banking.payments.abroad import Expect, Memo
from bank_node.banking.payments.dues import Todo, due
from bank_node.banking.payments.instalments import AttendAbroad
from bank_node.banking.payments.limits import Moment, Terms
from bank_node.banking.payments.machines import MandateMessage, MandateState
from bank_node.banking.payments.mandates import Direct, Present, Propose
from bank_node.banking.payments.mandates_abroad import (
    HearMandate,
    HearRuns,
    HearWish,
    ProposeAbroad,
    TakeMandateAnswer,
    letter_of,
    plan_of,
)
from bank_node.banking.payments.oversight import RevokeMandate
from bank_node.banking.payments.papers import (
    PAYEE,
    PAYER,
    Mandate,
    MandateAbroad,
    Plan,
    mandate_key,
)
from bank_node.banking.payments.records import (
    Payment,
    activity_key,
    check,
    payment_key,
    read,
    read_activity,
)
from bank_node.banking.payments.refunds import OnItsWay
from bank_node.errors import Reason
from bank_node.ledger.audit import Anchor, verify
from bank_node.ledger.entries import settlement_account
from bank_node.ledger.notes import Note
from bank_node.ledger.transfer_operations import Promise
from bank_node.protocol.letters import parse_letter
from bank_node.protocol.mandate_letters import MandateLetter, RunsLetter
from bank_node.protocol.payment_values import Vpa

PAPER = "BRN" + "e" * 32
DAYS = 86_400
HURRIED = RULES._replace(notice_s=0, retry_s=60, retries=2)


class Paper(Scene):
    """The shop of Brno wants 40 of Alice of Prague, who has 200, in each of some days."""

    def __init__(self, recurrence="daily", *, exact=True, rules=HURRIED):
        super().__init__()
        self.rules, today = rules, terms().now.day
        plan = Plan(40, exact, recurrence, "", 0, today, today + 3)
        self.mandate = Mandate(
            PAPER, "shop@brno", self.shop.account, "Shop", "alice@brno", 0, plan, plan, "m1", "",
            terms().now.us, terms(60).now.us, MandateState.SENT,
            abroad=MandateAbroad(PRAGUE, PAYER, said=1, category="5411"),
        )  # fmt: skip
        assert isinstance(self.brno.do(ProposeAbroad(proof(self.shop), self.when(), self.mandate)),
                          Note)  # fmt: skip

    def when(self, seconds=0, days=0):
        moment = terms(seconds + days * DAYS).now
        return Terms(Moment(moment.us, moment.day + days), self.rules)

    @property
    def here(self):
        return read(Mandate, self.prague.note(mandate_key(PAPER)))

    @property
    def there(self):
        return read(Mandate, self.brno.note(mandate_key(PAPER)))

    def states(self):
        return str(self.here.state), str(self.there.state)

    def from_brno(self):
        return parse_letter(letter_of(self.there, "CZK").line.encode())

    def from_prague(self):
        return parse_letter(letter_of(self.here, "CZK").line.encode())

    def prague_hears(self, letter=None, *, bank=BRNO, answered=True, when=None):
        """Prague hears a letter of Brno's; what it answers."""
        letter, when = letter or self.from_brno(), when or self.when()
        if isinstance(letter, MandateLetter):
            asked, plan = letter.asked, plan_of(letter)
            wanted = Mandate(
                letter.id, asked.payee, asked.account, asked.name, asked.payer, self.alice.account,
                plan, plan, asked.reference, asked.note, terms().now.us, asked.expires_us,
                abroad=MandateAbroad(bank, PAYEE),
            )  # fmt: skip
            hear = HearMandate(wanted, letter.word, letter.serial, when)
        else:
            hear = HearWish(letter, bank, self.alice.account, when)
        return self._answered(self.brno, self.prague.do(hear), letter, 0, answered=answered)

    def brno_hears(self, letter=None, *, bank=PRAGUE, answered=True):
        letter = letter or self.from_prague()
        result = self.brno.do(HearRuns(letter, bank))
        account = self.alice.account
        return self._answered(self.prague, result, letter, account, answered=answered)

    def _answered(self, speaker, result, letter, account, *, answered):
        refused = result if isinstance(result, Reason) else None
        if answered:
            speaker.do(TakeMandateAnswer(letter.id, account, letter.serial, refused))
        return refused or "heard"

    def post(self):
        """Letters until nobody owes the other one anything."""
        for _ in range(10):
            if self.there.is_owed:
                self.prague_hears()
            if self.here.is_owed:
                self.brno_hears()
        assert (self.here.is_owed, self.there.is_owed) == (False, False)

    def say(self, word, bank=None, who=None):
        bank, who = bank or self.prague, who or self.alice
        account = self.alice.account if bank is self.prague else 0
        message = MandateMessage(word)
        told = bank.do(Direct(proof(who), self.when(), PAPER, account, message))
        return str(read(Mandate, told).state) if isinstance(told, Note) else told

    def present(self, amount):
        told = self.brno.do(Present(proof(self.shop), self.when(), PAPER, 0, amount))
        return told if isinstance(told, Reason) else "noted"

    def attend(self, seconds=0, days=0):
        """What Prague does for the mandate now; a payment that sets out is not carried yet."""
        here, when = self.here, self.when(seconds, days)
        if due(here, when.now, when.rules) is Todo.NOTHING:
            return None
        payment_id = f"PRA{0xE000 + 100 * here.occurrence + here.tries:032x}"
        return self.prague.do(AttendAbroad(
            here, here.occurrence, payment_id, PRAGUE, when, here.tries, CAP
        ))  # fmt: skip

    def sets_out(self, seconds=0, days=0):
        """Attends until money sets out."""
        for _ in range(5):
            done = self.attend(seconds, days)
            if done is None or isinstance(done, OnItsWay):
                return done
        raise AssertionError("it never ends")

    def arrive(self, given, seconds=0, days=1, *, fails=False):
        """Carries a payment to its end, which Prague then takes into account."""
        payment = read(Payment, given.note)
        refused = self.carry(self.prague, self.brno, payment, given.transfer, fails=fails)
        if self.here.is_open:
            self.attend(seconds, days)
        return refused


@pytest.fixture
def paper():
    paper = Paper()
    assert paper.prague_hears() == "heard"
    assert paper.states() == ("pending", "pending")
    assert paper.say("approve") == "active"
    paper.post()
    assert paper.states() == ("active", "active")
    return paper


def test_each_day_is_paid_once_and_both_banks_know(paper):
    for day in range(1, 4):
        given = paper.sets_out(days=day)
        assert paper.sets_out(days=day) is None, "nothing more sets out meanwhile"
        paper.arrive(given, days=day)
        assert paper.sets_out(days=day) is None
        paper.post()
        assert paper.here.paid == paper.there.paid == day
    assert paper.owns() == (80, 420)
    assert paper.states() == ("completed", "completed")


def test_a_payment_that_fails_is_tried_again_under_another_name_and_made_once(paper):
    first = paper.sets_out(days=1)
    paper.arrive(first, fails=True)
    assert paper.owns() == (200, 300)
    assert (paper.here.tries, paper.here.why) == (1, "provider_down")
    assert paper.sets_out(days=1) is None, "not before its time"
    second = paper.sets_out(seconds=61, days=1)
    assert read(Payment, second.note).id != read(Payment, first.note).id
    paper.arrive(second)
    paper.post()
    assert (paper.there.paid, paper.there.tries, paper.there.why) == (1, 0, "")
    assert paper.owns() == (160, 340)


def test_a_day_whose_payments_all_fail_is_left_out_and_the_next_one_is_paid(paper):
    for number in range(3):
        paper.arrive(paper.sets_out(seconds=61 * number, days=1), 61 * number, fails=True)
    assert paper.sets_out(seconds=600, days=1) is None
    paper.arrive(paper.sets_out(days=2), days=2)
    assert (paper.here.paid, paper.owns()) == (1, (160, 340))


def test_what_is_on_its_way_when_its_day_is_over_is_counted_and_nothing_twice(paper):
    given = paper.sets_out(days=1)
    assert paper.attend(days=9) is None
    paper.arrive(given)
    assert paper.sets_out(days=2) is not None
    assert paper.here.paid == 1


def test_a_failed_payment_of_a_mandate_gives_no_limit_back(paper):
    before = read_activity(paper.prague.note(activity_key(paper.alice.account)))
    paper.arrive(paper.sets_out(days=1), fails=True)
    assert read_activity(paper.prague.note(activity_key(paper.alice.account))) == before


def test_what_the_payee_has_revoked_is_not_paid_although_the_other_bank_has_not_heard(paper):
    assert paper.say("revoke", paper.brno, paper.shop) == "revoked"
    assert paper.arrive(paper.sets_out(days=1)) is Reason.REQUEST_OVER
    assert paper.states() == ("revoked", "revoked")
    assert paper.owns() == (200, 300)
    paper.post()
    assert paper.sets_out(days=2) is None


def test_a_payment_that_is_on_its_way_when_its_mandate_is_revoked_is_counted(paper):
    given = paper.sets_out(days=1)
    assert paper.say("revoke") == "revoked"
    paper.arrive(given)
    paper.post()
    assert (paper.here.paid, paper.there.state) == (1, "revoked")
    assert paper.sets_out(days=2) is None
    assert paper.owns() == (160, 340)


def test_the_operator_of_either_bank_ends_a_mandate(paper):
    account = paper.alice.account
    for bank, number in ((paper.brno, 0), (paper.prague, account)):
        assert isinstance(bank.do(RevokeMandate(PAPER, number)), Note)
        paper.post()
        assert paper.states() == ("revoked", "revoked")


def test_what_a_payee_wants_is_said_until_it_is_heard_and_heard_once():
    paper = Paper("aspresented", exact=False)
    paper.prague_hears()
    paper.say("approve")
    paper.post()
    assert paper.present(41) is Reason.AMOUNT_RULE
    assert paper.present(30) == paper.present(30) == "noted"
    assert paper.present(31) is Reason.REQUEST_PENDING
    said = paper.from_brno()
    for _ in range(3):
        assert paper.prague_hears(said) == "heard"
    paper.post()
    assert paper.here.presented == paper.there.presented == 30
    paper.arrive(paper.sets_out(), days=0)
    paper.post()
    assert paper.owns() == (170, 330)
    # The same words again, a while later, are not about the payment after that.
    assert paper.prague_hears(said, answered=False) == "heard"
    late = said._replace(serial=said.serial + 5)
    assert paper.prague_hears(late, answered=False) is Reason.REQUEST_OVER
    assert paper.here.presented == 0


def test_other_terms_are_proposed_there_and_refused_by_the_rules_of_that_bank(paper):
    plan = replace(paper.there.plan, amount=50)
    wanted = replace(paper.there, plan=plan)
    change = Propose(proof(paper.shop), paper.when(), wanted, changes=True)
    assert isinstance(paper.brno.do(change), Note)
    letter = paper.from_brno()
    paper.rules = HURRIED._replace(per_payment=49)
    assert paper.prague_hears(letter) is Reason.LIMIT_OF_PAYMENT
    assert (paper.there.there.why, paper.there.is_owed) == ("limit_of_payment", False)
    paper.rules = HURRIED
    assert isinstance(paper.brno.do(change), Note)
    assert paper.prague_hears() == "heard"
    paper.post()
    assert paper.here.proposed == paper.there.proposed == plan
    assert paper.say("approve") == "active"
    paper.post()
    assert paper.there.plan == plan


@pytest.mark.parametrize("amount", [40, 50])
def test_a_payment_under_other_terms_is_another_one_than_those_that_failed_before(paper, amount):
    first = paper.sets_out(days=1)
    paper.arrive(first, fails=True)
    plan = replace(paper.there.plan, amount=amount, end=paper.there.plan.end + 5)
    wanted = replace(paper.there, plan=plan)
    assert isinstance(paper.brno.do(Propose(proof(paper.shop), paper.when(), wanted, changes=True)),
                      Note)  # fmt: skip
    paper.prague_hears()
    assert paper.say("approve") == "active"
    second = paper.sets_out(days=1)
    assert second.transfer.is_open
    assert read(Payment, second.note).id != read(Payment, first.note).id
    paper.arrive(second)
    paper.post()
    assert (paper.here.paid, paper.owns()) == (1, (200 - amount, 300 + amount))


def test_news_of_a_mandate_that_come_late_take_nothing_back(paper):
    early = paper.from_prague()
    paper.say("pause")
    paused = paper.from_prague()
    assert paper.brno_hears(paused) == "heard"
    for late in (early, paused, early):
        assert paper.brno_hears(late, answered=False) == "heard"
    assert paper.there.state == "paused"
    assert paper.brno_hears(bank="10.0.0.9", answered=False) is Reason.NO_SUCH_REQUEST


@pytest.mark.parametrize("state", ["sent", "refused", "nonsense"])
def test_a_bank_cannot_say_what_makes_no_sense_of_a_mandate(paper, state):
    odd = paper.from_prague()._replace(serial=99, state=state)
    assert isinstance(odd, RunsLetter)
    assert paper.brno_hears(odd, answered=False) is Reason.NO_SUCH_REQUEST
    assert paper.there.state == "active"


def test_what_was_revoked_before_it_was_heard_of_never_begins():
    paper = Paper()
    asked = paper.from_brno()
    assert paper.say("revoke", paper.brno, paper.shop) == "revoked"
    assert paper.prague_hears() == "heard"
    assert paper.prague_hears(asked, answered=False) == "heard"
    assert paper.states() == ("revoked", "revoked")
    assert paper.say("approve") is Reason.REQUEST_OVER


def test_an_approval_that_the_payees_bank_hears_of_late_counts():
    """It was approved in time, and the bank of the payee was away."""
    paper = Paper()
    paper.prague_hears()
    assert paper.say("approve") == "active"
    now = paper.when(seconds=3600)
    assert due(paper.there, now.now, now.rules) is Todo.NOTHING
    paper.post()
    assert paper.states() == ("active", "active")


def test_a_mandate_that_nobody_answers_expires_and_the_payees_bank_is_told():
    paper = Paper()
    paper.prague_hears()
    assert isinstance(paper.attend(seconds=61), Note)
    paper.post()
    assert paper.states() == ("expired", "expired")


@pytest.mark.parametrize("bank", ["10.0.0.9", PRAGUE])
def test_money_of_a_bank_or_for_an_account_that_the_mandate_does_not_name_is_refused(paper, bank):
    payee = paper.shop.account if bank != PRAGUE else paper.brno.join("other").account
    promise = Promise(
        f"{bank}/PRA{'f' * 32}", payee, settlement_account(bank), paper.alice.account, 40, CAP
    )
    name = "shop" if bank != PRAGUE else "other"
    memo = Memo("alice@brno", Vpa(name, "brno"), kind="mandate", of=PAPER)
    assert paper.brno.do(Expect(promise, memo, terms())) is Reason.NO_SUCH_REQUEST


def test_an_account_that_happens_to_have_the_number_of_the_other_side_is_nobody(paper):
    thief = paper.prague.join("mallory")
    odd = replace(paper.here, payee_account=thief.account)
    said = paper.from_brno()
    assert isinstance(said, MandateLetter)
    other = said._replace(id="BRN" + "f" * 32, asked=said.asked._replace(account=thief.account))
    assert paper.prague_hears(other, answered=False) == "heard"
    revoke = Direct(proof(thief), paper.when(), other.id, paper.alice.account,
                    MandateMessage.REVOKE)  # fmt: skip
    assert paper.prague.do(revoke) is Reason.NO_SUCH_REQUEST
    change = Propose(proof(thief), paper.when(), replace(odd, id=other.id), changes=True)
    assert paper.prague.do(change) is Reason.NO_SUCH_REQUEST
    show = Present(proof(thief), paper.when(), other.id, paper.alice.account, 40)
    assert paper.prague.do(show) is Reason.NO_SUCH_REQUEST


def test_both_ledgers_verify_after_mandates(paper):
    paper.arrive(paper.sets_out(days=1), fails=True)
    given = paper.sets_out(seconds=61, days=1)
    paper.arrive(given)
    paper.post()
    paid = read(Payment, paper.prague.note(payment_key(read(Payment, given.note).id)))
    assert (paid.kind, paid.of, paid.state) == ("mandate", PAPER, "success")
    for bank in (paper.prague, paper.brno):
        report = verify(bank.store.blocks(), (), (), Anchor(0, 0, b""), check_note=check)
        assert report.entries > 10


def test_money_that_has_arrived_is_counted_although_the_payee_revokes_at_that_moment(paper):
    given = paper.sets_out(days=1)
    payment = read(Payment, given.note)
    paper.carry(paper.prague, paper.brno, payment, given.transfer)
    assert paper.here.there.outcome == "paid"
    paper.say("revoke", paper.brno, paper.shop)
    paper.post()
    assert paper.states() == ("revoked", "revoked")
    assert (paper.here.paid, paper.here.last_payment) == (1, payment.id)
