"""Mandates on a ledger, with a clock of their own: paid when they may be, and never twice."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from ledger_model import book
from msgspec.structs import replace
from test_payment_operations import RULES, Bank, proof

from bank_node.banking.payments.dues import Todo, asked_of_payer, due
from bank_node.banking.payments.limits import Moment, Terms
from bank_node.banking.payments.machines import MandateMessage
from bank_node.banking.payments.mandates import Attend, Direct, Present, Propose
from bank_node.banking.payments.operations import Change
from bank_node.banking.payments.papers import Mandate, Plan
from bank_node.banking.payments.records import Payment, check, read
from bank_node.errors import Reason
from bank_node.ledger.audit import Anchor, verify
from bank_node.ledger.notes import Note, ReadNote
from bank_node.ledger.operations import Deposit

PRAGUE = ZoneInfo("Europe/Prague")
HOUR = 3600
SHOPPING = RULES._replace(per_payment=100_000)


class Clock:
    """A moment in Prague, which has days of 23 and 25 hours."""

    def __init__(self, text):
        self.s = int(datetime.fromisoformat(text).replace(tzinfo=PRAGUE).timestamp())

    def terms(self):
        local = datetime.fromtimestamp(self.s, PRAGUE)
        return Terms(Moment(self.s * 1_000_000, local.toordinal()), SHOPPING)

    def __str__(self):
        return datetime.fromtimestamp(self.s, PRAGUE).strftime("%Y-%m-%d %H:%M")


class Desk:
    """A payer with money, a shop, and one mandate between them."""

    def __init__(self, start, recurrence, until, amount=100, *, exact=True, money=10_000):
        self.bank = Bank()
        self.payer = self.bank.join("alice", money)
        self.shop = self.bank.join("shop", category="5411")
        self.clock = Clock(start)
        name, _, rest = recurrence.partition(":")
        rule, _, number = rest.partition(":")
        today = self.clock.terms().now.day
        last = datetime.fromisoformat(until).toordinal()
        plan = Plan(amount, exact, name, rule, int(number or 0), today, last)
        now_us = self.clock.terms().now.us
        self.first = Mandate(
            "BRN" + "a" * 32, self.shop.vpa, self.shop.account, "Shop", self.payer.vpa,
            self.payer.account, plan, plan, "plan-1", "", now_us, now_us + 1800 * 1_000_000,
        )  # fmt: skip
        self.proposed = self.do(Propose(proof(self.shop), self.clock.terms(), self.first))

    def do(self, operation):
        return self.bank.do(operation)

    @property
    def mandate(self):
        return read(Mandate, self.do(ReadNote(self.first.key)))

    def say(self, message, who=None, *terms):
        result = self.do(Direct(proof(who or self.payer), self.clock.terms(), self.first.id,
                                self.payer.account, MandateMessage(message), *terms))  # fmt: skip
        return read(Mandate, result).state if isinstance(result, Note) else result

    def present(self, amount):
        return self.do(Present(proof(self.shop), self.clock.terms(), self.first.id,
                               self.payer.account, amount))  # fmt: skip

    def attend(self, mandate=None, *, times=1):
        mandate = mandate or self.mandate
        payment_id = f"BRN{mandate.occurrence:032x}"
        attend = Attend(mandate, mandate.occurrence, payment_id, "1.2.3.4", self.clock.terms())
        return book(self.bank.store, *[attend] * times)

    def run(self, hours, step=HOUR):
        """Attends every hour; tells when it was paid."""
        paid = []
        for _ in range(hours):
            for _ in range(3):
                mandate, terms = self.mandate, self.clock.terms()
                if due(mandate, terms.now, terms.rules) is Todo.NOTHING:
                    break
                (result,) = self.attend()
                if isinstance(result, Note) and result.key.startswith("p:"):
                    paid.append(str(self.clock))
            self.clock.s += step
        return paid


def test_an_approved_mandate_is_paid_each_month_after_a_day_of_notice_until_it_ends():
    desk = Desk("2026-01-10T09:00", "monthly:on:31", "2026-04-30")
    assert desk.say("approve") == "active"
    paid = desk.run(24 * 120)
    assert paid == [f"2026-0{n} 00:00" for n in ("1-31", "2-28", "3-31", "4-30")]
    assert desk.mandate.state == "completed"
    assert desk.bank.balance(desk.shop) == 400


def test_nothing_is_paid_before_the_payer_has_approved_or_after_it_declined():
    for answer in (None, "decline"):
        desk = Desk("2026-01-10T09:00", "daily", "2026-02-10")
        if answer:
            desk.say(answer)
        assert desk.run(72) == []
    assert desk.mandate.state == "declined"


def test_a_mandate_that_nobody_answers_expires_and_cannot_be_approved_then():
    desk = Desk("2026-01-10T09:00", "daily", "2026-02-10")
    desk.clock.s += 1800
    assert desk.say("approve") is Reason.REQUEST_EXPIRED
    assert desk.mandate.state == "expired"


@pytest.mark.parametrize(
    ("start", "days"),
    [("2026-03-27T12:00", ["03-28", "03-29", "03-30", "03-31"]),
     ("2026-10-23T12:00", ["10-24", "10-25", "10-26", "10-27"])],
)  # fmt: skip
def test_each_day_is_paid_once_when_clocks_are_put_forward_and_back(start, days):
    desk = Desk(start, "daily", "2027-01-01")
    desk.say("approve")
    paid = desk.run(24 * 4 + 6)
    assert [each[5:10] for each in paid] == days
    assert desk.bank.balance(desk.shop) == 400


def test_one_occurrence_is_paid_once_however_often_it_is_attended_to():
    desk = Desk("2026-01-10T09:00", "monthly:after:1", "2026-04-30")
    desk.say("approve")
    desk.attend()
    desk.clock.s += 24 * HOUR
    before = desk.mandate
    results = desk.attend(times=3)
    assert read(Payment, results[0]).kind == "mandate"
    assert results[1:] == [Reason.NO_SUCH_REQUEST] * 2
    # Somebody who has slept since then wakes up with the old record.
    assert desk.attend(before) == [Reason.NO_SUCH_REQUEST]
    assert desk.bank.balance(desk.shop) == 100


def test_no_payment_is_made_before_its_notice_is_a_day_old():
    desk = Desk("2026-01-10T09:00", "monthly:after:1", "2026-04-30")
    desk.say("approve")
    assert desk.run(24 * 3)[0] == "2026-01-11 09:00"


def test_a_payment_without_money_is_tried_again_and_given_up_after_nine_retries():
    desk = Desk("2026-01-10T09:00", "monthly:after:1", "2026-03-31", money=0)
    desk.say("approve")
    desk.run(24 + 9 * 2)
    assert (desk.mandate.tries, desk.mandate.why) == (9, "not_enough_money")
    desk.run(2)
    assert (desk.mandate.tries, desk.mandate.occurrence) == (0, 1)
    assert desk.mandate.paid == 0


def test_a_retry_pays_once_there_is_money():
    desk = Desk("2026-01-10T09:00", "monthly:after:1", "2026-03-31", money=0)
    desk.say("approve")
    desk.run(25)
    desk.do(Deposit(desk.payer.account, 150))
    assert len(desk.run(24)) == 1
    assert desk.mandate.why == ""


def test_a_window_that_passes_without_money_is_missed_and_the_next_one_comes():
    desk = Desk("2026-01-10T09:00", "monthly:on:20", "2026-03-31", money=0)
    desk.say("approve")
    desk.run(24 * 12)
    desk.do(Deposit(desk.payer.account, 150))
    assert desk.run(24 * 40) == ["2026-02-20 00:00"]


def test_a_pause_lets_windows_pass_and_going_on_pays_the_next_one():
    desk = Desk("2026-01-10T09:00", "monthly:on:20", "2026-03-31")
    desk.say("approve")
    assert desk.say("pause") == "paused"
    assert desk.run(24 * 20) == []
    assert desk.say("resume") == "active"
    assert desk.run(24 * 25) == ["2026-02-20 00:00"]


@pytest.mark.parametrize("side", ["payer", "shop"])
def test_a_revoked_mandate_is_never_paid_again(side):
    desk = Desk("2026-01-10T09:00", "daily", "2026-03-31")
    desk.say("approve")
    assert desk.say("revoke", getattr(desk, side)) == "revoked"
    assert desk.run(72) == []
    assert desk.say("approve") is Reason.REQUEST_OVER


def test_only_the_payer_answers_and_strangers_do_not_even_see_it():
    desk = Desk("2026-01-10T09:00", "daily", "2026-03-31")
    thief = desk.bank.join("thief")
    for message in MandateMessage:
        assert desk.say(message, thief) is Reason.NO_SUCH_REQUEST
    assert desk.say("approve", desk.shop) is Reason.NO_SUCH_REQUEST
    assert desk.say("resume", desk.shop) is Reason.NO_SUCH_REQUEST


def test_a_mandate_of_at_most_an_amount_waits_until_the_payee_says_how_much():
    desk = Desk("2026-01-10T09:00", "monthly:after:1", "2026-03-31", exact=False)
    desk.say("approve")
    assert desk.run(48) == []
    assert desk.present(101) is Reason.AMOUNT_RULE
    assert isinstance(desk.present(70), Note)
    assert desk.present(80) is Reason.REQUEST_PENDING
    assert len(desk.run(25)) == 1
    assert desk.bank.balance(desk.shop) == 70


def test_as_presented_is_paid_each_time_that_it_is_presented():
    desk = Desk("2026-01-10T09:00", "aspresented", "2026-03-31", exact=False)
    desk.say("approve")
    for amount in (10, 20):
        assert desk.run(26) == []
        desk.present(amount)
        assert len(desk.run(26)) == 1
    assert desk.bank.balance(desk.shop) == 30
    assert desk.mandate.state == "active"


def test_onetime_is_paid_once_and_over():
    desk = Desk("2026-01-10T09:00", "onetime", "2026-03-31")
    desk.say("approve")
    assert len(desk.run(24 * 10)) == 1
    assert desk.mandate.state == "completed"


def test_a_large_payment_waits_for_the_payers_word_each_time():
    desk = Desk("2026-01-10T09:00", "monthly:after:1", "2026-03-31", amount=5000)
    desk.clock.terms = lambda terms=desk.clock.terms: Terms(
        terms().now, SHOPPING._replace(unasked=4999)
    )
    desk.say("approve")
    assert desk.run(48) == []
    desk.say("approve")
    assert len(desk.run(24)) == 1
    assert desk.run(24 * 40) == []


def test_an_approval_that_is_said_once_more_is_not_about_the_next_payment():
    desk = Desk("2026-01-10T09:00", "monthly:after:1", "2026-03-31", amount=5000)
    desk.clock.terms = lambda terms=desk.clock.terms: Terms(
        terms().now, SHOPPING._replace(unasked=4999)
    )
    desk.say("approve")
    assert desk.run(48) == []
    assert desk.say("approve") == "active"
    assert len(desk.run(24)) == 1
    assert desk.say("approve") == "active", "whoever heard no answer asks again"
    assert not desk.mandate.confirmed
    assert desk.run(24 * 40) == []


def test_other_terms_count_once_the_payer_approves_them():
    desk = Desk("2026-01-10T09:00", "monthly:on:20", "2026-03-31")
    desk.say("approve")
    wanted = Mandate(**{name: getattr(desk.mandate, name) for name in Mandate.__struct_fields__})
    plan = Plan(250, True, "monthly", "on", 20, wanted.plan.start, wanted.plan.end)
    changed = Mandate(**{**{n: getattr(wanted, n) for n in Mandate.__struct_fields__},
                         "plan": plan})  # fmt: skip
    desk.do(Propose(proof(desk.shop), desk.clock.terms(), changed, changes=True))
    assert desk.run(24 * 15) == ["2026-01-20 00:00"]
    assert desk.bank.balance(desk.shop) == 100
    assert desk.say("approve") == "active"
    assert desk.run(24 * 40) == ["2026-02-20 00:00"]
    assert desk.bank.balance(desk.shop) == 350


def test_an_answer_that_names_terms_is_about_those_only():
    desk = Desk("2026-01-10T09:00", "monthly:on:31", "2026-04-30")
    end = desk.first.plan.end
    assert desk.say("approve", None, 101, end) is Reason.TERMS_CHANGED
    assert desk.say("approve", None, 100, end + 1) is Reason.TERMS_CHANGED
    assert desk.mandate.state == "pending"
    assert desk.say("approve", None, 100, end) == "active"
    assert desk.say("approve", None, 100, end) == "active", "the same answer again"
    greedy = replace(desk.mandate, plan=replace(desk.first.plan, amount=9_000))
    desk.do(Propose(proof(desk.shop), desk.clock.terms(), greedy, changes=True))
    assert desk.say("approve", None, 100, end) is Reason.TERMS_CHANGED
    assert desk.mandate.plan.amount == 100
    assert desk.say("decline", None, 9_000, end) == "active"
    assert desk.mandate.proposed is None


def test_what_an_approval_agrees_to_is_told_in_the_words_that_it_is_held_to():
    desk = Desk("2026-01-10T09:00", "monthly:on:31", "2026-04-30", amount=5000)
    end, rules = desk.first.plan.end, SHOPPING._replace(unasked=4999)
    desk.clock.terms = lambda terms=desk.clock.terms: Terms(terms().now, rules)

    def asked():
        return asked_of_payer(desk.mandate, rules)

    assert asked() == ("mandate", 5000, end)
    assert desk.say("approve", None, *asked()[1:]) == "active"
    assert asked() is None, "the payer was not told of a payment yet"
    desk.run(24 * 20)
    assert asked() == ("payment", 5000, end), "it is above what is paid unasked"
    assert asked_of_payer(desk.mandate, SHOPPING) is None
    other = replace(desk.mandate, plan=replace(desk.first.plan, amount=4000, end=end - 1))
    desk.do(Propose(proof(desk.shop), desk.clock.terms(), other, changes=True))
    assert asked() == ("terms", 4000, end - 1)
    assert desk.say("approve", None, 5000, end) is Reason.TERMS_CHANGED
    assert desk.say("approve", None, *asked()[1:]) == "active"
    assert asked() is None
    desk.say("revoke")
    assert asked() is None


def test_other_terms_do_not_pay_a_month_again():
    desk = Desk("2026-01-10T09:00", "monthly:after:1", "2026-03-31")
    desk.say("approve")
    assert len(desk.run(48)) == 1
    desk.do(Propose(proof(desk.shop), desk.clock.terms(), desk.mandate, changes=True))
    desk.say("approve")
    assert desk.run(24 * 15) == []


def test_a_frozen_payer_pays_nothing_and_pays_again_when_it_is_not():
    desk = Desk("2026-01-10T09:00", "monthly:after:1", "2026-03-31")
    desk.say("approve")
    desk.do(Change(proof(desk.payer), desk.clock.terms(), is_frozen=True))
    assert desk.run(30) == []
    assert desk.mandate.why == "frozen"
    desk.do(Change(proof(desk.payer), desk.clock.terms(), is_frozen=False))
    assert len(desk.run(4)) == 1


def test_the_same_mandate_again_is_the_same_one_and_other_terms_are_not():
    desk = Desk("2026-01-10T09:00", "daily", "2026-03-31")
    desk.say("approve")
    again = desk.do(Propose(proof(desk.shop), desk.clock.terms(), desk.first))
    assert read(Mandate, again).state == "active"
    plan = Plan(101, True, "daily", "", 0, desk.first.plan.start, desk.first.plan.end)
    other = {n: getattr(desk.first, n) for n in Mandate.__struct_fields__}
    wanted = Mandate(**{**other, "asked": plan, "plan": plan})
    assert desk.do(Propose(proof(desk.shop), desk.clock.terms(), wanted)) is Reason.REFERENCE_TAKEN


def test_a_ledger_with_mandates_verifies():
    desk = Desk("2026-01-10T09:00", "daily", "2026-01-20")
    desk.say("approve")
    desk.run(24 * 12)
    blocks = desk.bank.store.blocks()
    report = verify(blocks, (), (), Anchor(0, 0, b""), check_note=check)
    assert report.entries > 20
