"""A request for money between two ledgers: letters that come twice or late, money that fails."""

import pytest
from ledger_model import book
from msgspec.structs import replace
from test_disputes_abroad import BRNO, CAP, PRAGUE, Scene
from test_payment_operations import RULES, proof, terms

from bank_node.banking.payments import agenda
from bank_node.banking.payments.abroad import Expect, Memo
from bank_node.banking.payments.collects import GRACE_US, OWED_US, EndCollect, ExpireCollect
from bank_node.banking.payments.limits import Terms
from bank_node.banking.payments.machines import CollectState
from bank_node.banking.payments.operations import Change
from bank_node.banking.payments.papers import (
    PAYEE,
    PAYER,
    Abroad,
    Agenda,
    Collect,
    agenda_key,
    collect_key,
    dispute_key,
)
from bank_node.banking.payments.records import body_of, check, read
from bank_node.banking.payments.requests_abroad import (
    ApproveAbroad,
    AskAbroad,
    HearAsked,
    HearStands,
    TakeAnswer,
    letter_of,
    payment_abroad,
)
from bank_node.errors import Reason
from bank_node.ledger.audit import Anchor, verify
from bank_node.ledger.entries import settlement_account
from bank_node.ledger.notes import BODY_BYTES_MAX, Note
from bank_node.ledger.transfer_operations import Promise
from bank_node.protocol.letters import parse_letter
from bank_node.protocol.payment_values import Vpa
from bank_node.protocol.request_letters import CollectLetter

S = 1_000_000
BILL = "BRN" + "b" * 32


class Asking(Scene):
    """The shop of Brno asks Alice of Prague, who has 200 units, for 70 within a minute."""

    def __init__(self):
        super().__init__()
        self.rules = RULES._replace(asking="merchants")
        self.collect = Collect(
            BILL, "shop@brno", self.shop.account, "Shop", "alice@brno", 0, 70, "bill", "",
            terms().now.us, terms(60).now.us, CollectState.SENT,
            abroad=Abroad(PRAGUE, PAYER, said=1, category="5411"),
        )  # fmt: skip

    def when(self, seconds=0):
        return Terms(terms(seconds).now, self.rules)

    def asked(self, **changes):
        wanted = replace(self.collect, **changes)
        return self.brno.do(AskAbroad(proof(self.shop), self.when(), wanted))

    def letter(self):
        """What Brno says now, as it reads at the other end."""
        return parse_letter(letter_of(self.at_brno, "CZK").line.encode())

    def deliver(self, letter=None, seconds=0, *, bank=BRNO, answered=True):
        """Has Prague hear a letter of Brno's; what Prague answers."""
        said = letter or self.letter()
        assert isinstance(said, CollectLetter)
        asked = said.asked
        wanted = Collect(
            said.id, asked.payee, asked.account, asked.name, asked.payer, self.alice.account,
            asked.amount, asked.reference, asked.note, terms(seconds).now.us, asked.expires_us,
            abroad=Abroad(bank, PAYEE, category=asked.category),
        )  # fmt: skip
        result = self.prague.do(HearAsked(wanted, said.word, self.when(seconds)))
        refused = result if isinstance(result, Reason) else None
        if answered:
            self.brno.do(TakeAnswer(said.id, said.serial, refused))
        return refused or "heard"

    def report(self):
        """Has Brno hear what Prague says; what Brno answers."""
        said = parse_letter(letter_of(self.at_prague, "CZK").line.encode())
        result = self.brno.do(HearStands(said, PRAGUE))
        refused = result if isinstance(result, Reason) else None
        self.prague.do(TakeAnswer(said.id, said.serial, refused))
        return refused or "heard"

    def approve(self, seconds=0, *, who=None, tries=None):
        """What became of it, or the payment and its transfer, which is not on its way yet."""
        collect, tries = self.at_prague, self.at_prague.there.tries if tries is None else tries
        payment = payment_abroad(collect, f"PRA{0xD000 + tries:032x}", terms(seconds).now.us)
        payment = replace(payment, day=100)
        approve = ApproveAbroad(
            proof(who or self.alice), self.when(seconds), payment, CAP, BILL, tries
        )
        return self.prague.do(approve)

    def pay(self, seconds=0, *, fails=False):
        paid, held = self.approve(seconds)
        return self.carry(self.prague, self.brno, paid, held, fails=fails)

    def end(self, bank, who):
        account = self.alice.account if bank is self.prague else 0
        ended = bank.do(EndCollect(proof(who), self.when(), BILL, account))
        return read(Collect, ended).state if isinstance(ended, Note) else ended

    def expire(self, bank, seconds):
        account = self.alice.account if bank is self.prague else 0
        return bank.do(ExpireCollect(BILL, account, terms(seconds).now.us))

    @property
    def at_prague(self):
        return read(Collect, self.prague.note(collect_key(BILL)))

    @property
    def at_brno(self):
        return read(Collect, self.brno.note(collect_key(BILL)))

    def states(self):
        return str(self.at_prague.state), str(self.at_brno.state)

    def owed(self):
        return self.at_prague.is_owed, self.at_brno.is_owed


@pytest.fixture
def scene():
    scene = Asking()
    assert isinstance(scene.asked(), Note)
    return scene


@pytest.fixture
def open_one(scene):
    assert scene.deliver() == "heard"
    assert scene.states() == ("pending", "pending")
    assert scene.owed() == (False, False)
    return scene


def test_a_request_is_owed_to_the_other_bank_until_that_has_heard(scene):
    assert (scene.at_brno.state, scene.at_brno.is_owed) == ("sent", True)
    assert scene.deliver(answered=False) == "heard"
    assert scene.at_brno.state == "sent"
    for _ in range(2):
        assert scene.deliver() == "heard"
    assert scene.states() == ("pending", "pending")


def test_it_is_paid_when_the_money_is_promised_and_over_when_it_is_there(open_one):
    paid, held = open_one.approve()
    assert open_one.states() == ("paying", "pending")
    open_one.carry(open_one.prague, open_one.brno, paid, held)
    assert open_one.states() == ("paid", "paid")
    assert open_one.owns() == (130, 370)
    assert open_one.at_prague.payment == open_one.at_brno.payment == paid.id
    assert open_one.owed() == (False, False)
    assert open_one.approve()[0].id == paid.id


def test_a_payment_that_fails_leaves_it_waiting_and_another_one_pays_it_once(open_one):
    first = open_one.approve()[0].id
    assert open_one.pay(fails=True) is None
    assert open_one.states() == ("pending", "pending")
    assert (open_one.at_prague.there.tries, open_one.at_prague.there.why) == (1, "provider_down")
    assert open_one.owns() == (200, 300)
    assert open_one.approve(tries=0) is Reason.REQUEST_PENDING
    open_one.pay()
    assert open_one.states() == ("paid", "paid")
    assert open_one.at_brno.payment != first
    assert open_one.owns() == (130, 370)


def test_while_it_is_being_paid_it_is_neither_declined_nor_taken_back_nor_expires(open_one):
    paid, held = open_one.approve()
    assert open_one.end(open_one.prague, open_one.alice) is Reason.REQUEST_OVER
    assert open_one.expire(open_one.prague, 61) is Reason.REQUEST_PENDING
    open_one.carry(open_one.prague, open_one.brno, paid, held)
    for bank, who in ((open_one.prague, open_one.alice), (open_one.brno, open_one.shop)):
        assert open_one.end(bank, who) is Reason.REQUEST_OVER


def test_what_was_taken_back_is_not_paid_although_the_other_bank_has_not_heard(open_one):
    assert open_one.end(open_one.brno, open_one.shop) == "cancelled"
    assert open_one.at_brno.is_owed
    assert open_one.pay() is Reason.REQUEST_OVER
    assert open_one.states() == ("cancelled", "cancelled")
    assert open_one.owns() == (200, 300)
    assert open_one.deliver() == "heard"
    assert open_one.owed() == (False, False)


def test_a_payer_that_declines_owes_the_other_bank_word_of_it(open_one):
    assert open_one.end(open_one.prague, open_one.alice) == "declined"
    assert open_one.states() == ("declined", "pending")
    assert open_one.owed() == (True, False)
    assert open_one.report() == "heard"
    assert open_one.states() == ("declined", "declined")
    assert open_one.owed() == (False, False)
    assert open_one.approve() is Reason.REQUEST_DECLINED


def test_it_expires_at_the_payers_bank_first_and_late_money_is_refused_by_the_payees(open_one):
    assert open_one.expire(open_one.brno, 60) is Reason.REQUEST_PENDING
    held = open_one.approve(59.9)
    assert isinstance(held, tuple)
    assert isinstance(open_one.expire(open_one.brno, 60 + GRACE_US // S), Note)
    assert open_one.carry(
        open_one.prague, open_one.brno, held[0], held[1]
    ) is Reason.REQUEST_EXPIRED  # fmt: skip
    assert open_one.states() == ("expired", "expired")
    assert open_one.owns() == (200, 300)


def test_a_word_that_nobody_hears_is_given_up_a_day_after_its_request(open_one):
    open_one.end(open_one.prague, open_one.alice)
    late = 60 + OWED_US // S
    assert open_one.expire(open_one.prague, late - 1) is Reason.REQUEST_PENDING
    assert isinstance(open_one.expire(open_one.prague, late), Note)
    assert not open_one.at_prague.is_owed
    assert not open_one.prague.note(collect_key(BILL)).is_open


def test_letters_that_come_again_or_late_change_nothing(open_one):
    asked = letter_of(replace(open_one.at_brno, state=CollectState.PENDING), "CZK")
    open_one.end(open_one.brno, open_one.shop)
    taken_back = open_one.letter()
    assert open_one.deliver() == "heard"
    before = open_one.prague.note(collect_key(BILL))
    for late in (asked, taken_back, asked):
        assert open_one.deliver(late) == "heard"
    assert open_one.prague.note(collect_key(BILL)) == before
    assert open_one.states() == ("cancelled", "cancelled")
    # An answer to the first letter that comes after the second one does not stand for that.
    assert isinstance(open_one.brno.do(TakeAnswer(BILL, 1, None)), Note)


def test_an_answer_to_an_earlier_letter_is_not_one_to_a_later_one(scene):
    assert scene.end(scene.brno, scene.shop) == "cancelled"
    scene.brno.do(TakeAnswer(BILL, 1, None))
    assert (scene.at_brno.state, scene.at_brno.is_owed) == ("cancelled", True)
    assert scene.deliver() == "heard"
    assert scene.states() == ("cancelled", "cancelled")


@pytest.mark.parametrize(
    ("why", "state", "told"),
    [(Reason.ASKING_OFF, "refused", "asking_off"), (Reason.NO_SUCH_ADDRESS, "refused",
     "no_such_address"), (Reason.INSUFFICIENT_FUNDS, "refused", "risk"),
     (Reason.NO_SUCH_PROVIDER, "sent", ""), (Reason.NOT_LEADER, "sent", "")],
)  # fmt: skip
def test_only_what_is_final_ends_a_request_that_the_other_bank_does_not_take(
    scene, why, state, told
):
    scene.brno.do(TakeAnswer(BILL, 1, why))
    assert (scene.at_brno.state, scene.at_brno.there.why) == (state, told)
    assert scene.at_brno.is_owed is (state == "sent")


@pytest.mark.parametrize(
    ("rule", "category", "answer"),
    [("merchants", "5411", "heard"), ("merchants", "0000", Reason.ASKING_OFF),
     ("everybody", "0000", "heard"), ("nobody", "5411", Reason.ASKING_OFF)],
)  # fmt: skip
def test_the_payers_bank_says_who_may_ask_its_clients(rule, category, answer):
    scene = Asking()
    scene.asked(abroad=Abroad(PRAGUE, PAYER, said=1, category=category))
    scene.rules = RULES._replace(asking=rule)
    assert scene.deliver() == answer


def test_the_payees_bank_says_which_of_its_clients_may_ask():
    scene = Asking()
    scene.rules = RULES._replace(asking="nobody")
    assert scene.asked() is Reason.ASKING_OFF
    scene.rules = RULES
    scene.brno.do(Change(proof(scene.shop), scene.when(), is_frozen=True))
    assert scene.asked() is Reason.FROZEN


def test_the_same_request_again_is_one_and_another_one_is_refused(open_one):
    before = open_one.brno.note(collect_key(BILL))
    assert open_one.asked() == before
    assert open_one.asked(amount=71) is Reason.REFERENCE_TAKEN
    other = open_one.letter()
    other = other._replace(asked=other.asked._replace(amount=71))
    assert open_one.deliver(other, answered=False) is Reason.REFERENCE_TAKEN
    assert open_one.deliver(bank="10.0.0.9", answered=False) is Reason.REFERENCE_TAKEN


@pytest.mark.parametrize(
    "changes",
    [{"bank": settlement_account("10.0.0.9")}, {"amount": 69}, {"amount": 71}, {"payee": 10_001}],
)
def test_money_that_is_not_what_was_asked_for_pays_no_request(open_one, changes):
    promise = replace(Promise(
        f"{PRAGUE}/PRA{'f' * 32}", open_one.shop.account, settlement_account(PRAGUE),
        open_one.alice.account, 70, CAP,
    ), **changes)  # fmt: skip
    memo = Memo("alice@brno", Vpa("shop", "brno"), kind="collect", of=BILL)
    (told,) = book(open_one.brno.store, Expect(promise, memo, terms()))
    assert told in (Reason.NO_SUCH_REQUEST, Reason.PAYEE_CHANGED)
    assert open_one.states() == ("pending", "pending")


def test_two_payments_at_once_pay_a_request_once(open_one):
    open_one.approve()
    for number, wanted in ((1, int), (2, Reason)):
        promise = Promise(
            f"{PRAGUE}/PRA{number:032x}", open_one.shop.account, settlement_account(PRAGUE),
            open_one.alice.account, 70, CAP,
        )  # fmt: skip
        memo = Memo("alice@brno", Vpa("shop", "brno"), kind="collect", of=BILL)
        (told,) = book(open_one.brno.store, Expect(promise, memo, terms()))
        assert isinstance(told, Reason) is (wanted is Reason), told
    assert told is Reason.REQUEST_PENDING


def test_nobody_else_approves_and_an_account_of_the_other_bank_is_nobody_here(open_one):
    thief = open_one.prague.join("mallory")
    said = open_one.letter()._replace(id="BRN" + "c" * 32)
    said = said._replace(asked=said.asked._replace(account=thief.account))
    assert open_one.deliver(said, answered=False) == "heard"
    ended = open_one.prague.do(
        EndCollect(proof(thief), open_one.when(), said.id, open_one.alice.account)
    )
    assert ended is Reason.NO_SUCH_REQUEST
    assert open_one.approve(who=thief) is Reason.NO_SUCH_REQUEST


def test_what_the_payers_bank_says_is_heard_of_that_bank_only(open_one):
    open_one.end(open_one.prague, open_one.alice)
    said = letter_of(open_one.at_prague, "CZK")
    assert open_one.brno.do(HearStands(said, "10.0.0.9")) is Reason.NO_SUCH_REQUEST
    assert open_one.prague.do(HearStands(said, PRAGUE)) is Reason.NO_SUCH_REQUEST
    assert open_one.states() == ("declined", "pending")


def test_banks_fill_the_list_of_a_client_only_so_far_and_it_fits_into_a_note(open_one):
    def hears(number, bank, account):
        wanted = replace(
            open_one.at_prague, id=f"BRN{number:032x}", payee_account=account,
            abroad=Abroad(bank, PAYEE, category="5411"),
        )  # fmt: skip
        return open_one.prague.do(HearAsked(wanted, "asked", open_one.when()))

    heard = [hears(n, "10.0.0.9", 20_000 + n // 9) for n in range(30)]
    assert [type(each) for each in heard] == [Note] * 25 + [Reason] * 5
    assert isinstance(hears(90, "10.0.0.8", 20_000), Note)
    heard = [hears(100 + n, "10.0.0.7", 20_000) for n in range(11)]
    assert [type(each) for each in heard] == [Note] * 10 + [Reason]
    items = read(Agenda, open_one.prague.note(agenda_key(open_one.alice.account))).items
    assert len(items) == 37
    longest = tuple(
        [(dispute_key(f"BRN{n:032x}"), 99_999) for n in range(agenda.DISPUTES_MAX)]
        + [(collect_key(f"BRN{n:032x}"), -99_999_999) for n in range(agenda.ITEMS_MAX)]
    )
    assert len(body_of(Agenda(99_999, longest))) <= BODY_BYTES_MAX
    assert agenda.stranger("255.255.255.255", 99_999) >= -99_999_999


def test_records_of_requests_within_a_bank_are_written_as_ever(open_one):
    plain = replace(open_one.collect, payer_account=open_one.alice.account)
    body = body_of(Collect(*[getattr(plain, name) for name in plain.__struct_fields__[:13]]))
    assert b"abroad" not in body


def test_both_ledgers_verify_after_requests(open_one):
    open_one.pay(fails=True)
    open_one.pay()
    for bank in (open_one.prague, open_one.brno):
        report = verify(bank.store.blocks(), (), (), Anchor(0, 0, b""), check_note=check)
        assert report.entries > 10
