"""Operations of clients on a ledger: PINs that count, payments that happen once, guards."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_model import book

from bank_node.banking.payments.limits import Moment, Rules, Terms
from bank_node.banking.payments.operations import Change, ClaimVpa, Look, Pay, Proof, Register
from bank_node.banking.payments.records import Payment, Person, check, read
from bank_node.errors import CorruptLedger, Reason
from bank_node.ledger.audit import Anchor, Row, verify
from bank_node.ledger.memory_store import MemoryStore
from bank_node.ledger.notes import Note
from bank_node.ledger.operations import (
    CloseAccount,
    Deposit,
    ReadBalance,
    ReadTotal,
    Withdraw,
    is_yes,
)
from bank_node.ledger.transfer_operations import Move
from bank_node.protocol.payment_values import Vpa

S = 1_000_000
RULES = Rules(per_payment=1000, per_day=3000, new_client=3000, payments_a_minute=1000)
START = Moment(1_700_000_000 * S, 100)


def terms(seconds=0, day=100):
    return Terms(Moment(START.us + int(seconds * S), day), RULES)


class Bank:
    """Clients on a ledger in memory."""

    def __init__(self):
        self.store = MemoryStore()
        self.draw = 0

    def do(self, operation):
        return book(self.store, operation)[0]

    def join(self, name, money=0, mobile="420777123456", category="0000"):
        self.draw += 7
        vpa = Vpa(name, "brno")
        note = self.do(
            Register(self.draw, vpa, name, mobile, category, f"pin of {name}", "1.2.3.4", START.us)
        )
        if isinstance(note, Reason):
            return note
        person = read(Person, note)
        if money:
            self.do(Deposit(person.account, money))
        return person

    def pay(self, payer, payee, amount, reference="r1", *, right=True, when=None, **changes):
        payment = Payment(
            "BRN" + (reference + payer.name).encode().hex().ljust(32, "0")[:32], "pay", payer.vpa,
            payer.account, payee.vpa if payee.vpas else str(payee.account), payee.account,
            "1.2.3.4", payee.name, amount, reference, "", START.us, **changes,
        )  # fmt: skip
        return self.do(Pay(proof(payer, right=right), when or terms(), payment))

    def balance(self, person):
        return self.do(ReadBalance(person.account))


def proof(person, *, right=True):
    return Proof(person.account, person.verifier, right)


@pytest.fixture
def bank():
    return Bank()


def test_money_goes_from_payer_to_payee(bank):
    alice, bob = bank.join("alice", 500), bank.join("bob")
    paid = read(Payment, bank.pay(alice, bob, 120))
    assert (bank.balance(alice), bank.balance(bob)) == (380, 120)
    assert paid.rrn.isdigit()
    assert len(paid.rrn) == 12


def test_the_same_payment_again_changes_nothing_and_has_the_same_answer(bank):
    alice, bob = bank.join("alice", 500), bank.join("bob")
    first = bank.pay(alice, bob, 120)
    assert bank.pay(alice, bob, 120, when=terms(999)) == first
    assert bank.balance(bob) == 120


def test_a_reference_with_another_content_is_refused(bank):
    alice, bob, carol = bank.join("alice", 500), bank.join("bob"), bank.join("carol")
    bank.pay(alice, bob, 120)
    assert bank.pay(alice, bob, 121) is Reason.REFERENCE_TAKEN
    assert bank.pay(alice, carol, 120) is Reason.REFERENCE_TAKEN
    assert bank.balance(alice) == 380


def test_a_refused_payment_leaves_its_reference_free(bank):
    alice, bob = bank.join("alice"), bank.join("bob")
    assert bank.pay(alice, bob, 120) is Reason.NOT_ENOUGH_MONEY
    bank.do(Deposit(alice.account, 500))
    assert isinstance(bank.pay(alice, bob, 120), Note)


def test_a_wrong_pin_pays_nothing_and_the_third_one_locks_even_the_right_one_out(bank):
    alice, bob = bank.join("alice", 500), bank.join("bob")
    answers = [bank.pay(alice, bob, 1, f"r{n}", right=False) for n in range(3)]
    assert answers == [Reason.WRONG_PIN, Reason.WRONG_PIN, Reason.PIN_LOCKED]
    assert bank.pay(alice, bob, 1) is Reason.PIN_LOCKED
    assert bank.pay(alice, bob, 1, when=terms(86_399)) is Reason.PIN_LOCKED
    assert bank.balance(bob) == 0
    assert isinstance(bank.pay(alice, bob, 1, when=terms(86_400, 101)), Note)


def test_guesses_that_are_decided_in_one_batch_are_all_counted(bank):
    alice = bank.join("alice", 500)
    looks = [Look(proof(alice, right=n == 3), terms()) for n in range(5)]
    assert book(bank.store, *looks) == [
        Reason.WRONG_PIN, Reason.WRONG_PIN, Reason.PIN_LOCKED, Reason.PIN_LOCKED,
        Reason.PIN_LOCKED,
    ]  # fmt: skip


def test_a_pin_that_was_checked_against_an_older_one_is_wrong(bank):
    alice = bank.join("alice", 500)
    bank.do(Change(proof(alice), terms(), verifier="another"))
    assert bank.do(Look(proof(alice), terms())) is Reason.WRONG_PIN


def test_a_second_registration_takes_nothing_from_the_first(bank):
    alice = bank.join("alice", 500)
    for again in ("alice", "al1ce", "a-lice", "ALICE".lower()):
        assert bank.join(again) is Reason.VPA_TAKEN
    assert bank.balance(alice) == 500
    assert bank.do(Look(proof(alice), terms()))[0] == alice


@pytest.mark.parametrize("name", ["bank", "adm1n", "sup-port", "upi"])
def test_nobody_gets_an_address_that_looks_like_the_bank_itself(bank, name):
    assert bank.join(name) is Reason.VPA_TAKEN


def test_an_mmid_is_unique_under_its_mobile_number(bank):
    people = [bank.join(f"user{c}x") for c in "abcdefgh"]
    assert len({person.mmid for person in people}) == len(people)


def test_a_mobile_number_has_fifty_accounts_at_most(bank):
    letters = "abcdefgh"
    joined = [bank.join(f"user{a}{b}") for a in letters for b in letters]
    assert [person for person in joined if person is Reason.TOO_MANY_ACCOUNTS] == joined[50:]
    assert isinstance(bank.join("usern", mobile="420777123457"), Person)


def test_addresses_are_claimed_up_to_five_and_only_free_ones(bank):
    alice, _ = bank.join("alice"), bank.join("bob")
    claims = [
        bank.do(ClaimVpa(proof(alice), terms(), Vpa(name, "brno")))
        for name in ("bob", "b0b", "queen", "queen", "white", "black", "green", "brown")
    ]
    assert [getattr(c, "key", c) for c in claims] == [
        Reason.VPA_TAKEN, Reason.VPA_TAKEN, *[f"u:{alice.account}"] * 5, Reason.VPA_TAKEN,
    ]  # fmt: skip


def test_a_clients_account_is_emptied_or_closed_by_no_classic_command(bank):
    alice, bob = bank.join("alice", 500), bank.join("bob")
    for attempt in (
        Withdraw(alice.account, 1),
        Move("x", alice.account, bob.account, 1),
        CloseAccount(bob.account),
    ):
        assert bank.do(attempt) is Reason.ACCOUNT_GUARDED
    assert bank.balance(alice) == 500


def test_a_frozen_account_neither_pays_nor_is_paid(bank):
    alice, bob = bank.join("alice", 500), bank.join("bob", 500)
    bank.do(Change(proof(alice), terms(), is_frozen=True))
    assert bank.pay(alice, bob, 1) is Reason.FROZEN
    assert bank.pay(bob, alice, 1) is Reason.PAYEE_FROZEN
    bank.do(Change(proof(alice), terms(), is_frozen=False))
    assert isinstance(bank.pay(alice, bob, 1), Note)


def test_limits_are_those_of_the_bank_and_of_the_client(bank):
    alice, bob = bank.join("alice", 9000), bank.join("bob")
    assert bank.pay(alice, bob, 1001) is Reason.LIMIT_OF_PAYMENT
    bank.do(Change(proof(alice), terms(), per_payment=10, per_day=15))
    assert bank.pay(alice, bob, 11) is Reason.LIMIT_OF_PAYMENT
    assert isinstance(bank.pay(alice, bob, 10), Note)
    assert bank.pay(alice, bob, 6, "r2") is Reason.LIMIT_OF_DAY


def test_somebody_without_an_address_can_be_paid(bank):
    alice = bank.join("alice", 500)
    assert bank.pay(alice, Person(10_001, "", "", "", "0000", (), "", 0), 5) is (
        Reason.NO_SUCH_ADDRESS
    )
    assert bank.pay(alice, alice, 5) is Reason.SAME_ACCOUNT


def _verified(store):
    rows = [Row.of(account) for account in store.accounts()]
    return verify(store.blocks(), rows, [], Anchor(0, 0, b""), check_note=check)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc"), st.integers(1, 1500),
                          st.integers(0, 3), st.booleans()), max_size=25))  # fmt: skip
@settings(max_examples=50)
def test_whatever_is_paid_no_unit_is_lost_and_the_ledger_verifies(payments):
    bank = Bank()
    people = {name: bank.join(name * 4, 2000) for name in "abc"}
    expected = dict.fromkeys("abc", 2000)
    done = set()
    for payer, payee, amount, reference, right in payments:
        result = bank.pay(people[payer], people[payee], amount, f"r{reference}", right=right)
        if isinstance(result, Note) and (payer, reference) not in done:
            done.add((payer, reference))
            expected[payer] -= amount
            expected[payee] += amount
    assert {name: bank.balance(person) for name, person in people.items()} == expected
    assert bank.do(ReadTotal()) == 6000
    assert _verified(bank.store).total == 6000


def test_verification_refuses_a_note_that_is_no_record_of_payments():
    for note in (
        Note("x:1", b"{}", True),
        Note("u:1", b"{}", True),
        Note("u:1", b"[]", True),
        Note("a:1", b"[1]", True),
        Note("v:bob", b'{"vpa":"alice@brno","account":10001}', True),
        Note("v:alice", b'{"vpa":"alice@brno", "account":10001}', True),
    ):
        with pytest.raises(CorruptLedger):
            check(note)


def test_a_look_with_a_pin_is_told_although_changes_wait_for_followers(bank):
    """As a balance without one is; a change that was made before is a change all the same."""
    client = bank.join("alice")
    look = Look(proof(client), terms())
    assert not is_yes(look, bank.do(look))
    frozen = Change(proof(client), terms(), is_frozen=True)
    assert is_yes(frozen, bank.do(frozen))
    assert is_yes(frozen, bank.do(frozen))
