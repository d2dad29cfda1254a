"""The operations of clients, and the rules they follow: each is decided whole on the ledger.

Pure. What a PIN check came to is handed in; that it counts, even when it was wrong, is written
here, in the very block that the answer waits for. So no answer about a PIN gets out before the
ledger remembers the try, however many are made at once and whatever crashes.
"""

from msgspec import Struct
from msgspec.structs import replace

from bank_node.banking.payments import limits, takings
from bank_node.banking.payments.limits import Terms
from bank_node.banking.payments.names import is_reserved, mmid_of, rrn_of
from bank_node.banking.payments.records import (
    Claim,
    Mobile,
    Payment,
    Person,
    activity_key,
    body_of,
    body_of_activity,
    mobile_key,
    payment_key,
    person_key,
    read,
    read_activity,
    told_again,
    vpa_key,
)
from bank_node.errors import Reason
from bank_node.ledger import book, moves, noting
from bank_node.ledger.operations import OpenAccount, Procedure, Result
from bank_node.ledger.state import State
from bank_node.ledger.transfer_operations import Move
from bank_node.protocol.payment_values import Vpa
from bank_node.values import AccountNumber, Amount, BankCode

NOBODY = 0
"""Stands for the account of a client that there is none of."""
VPAS_MAX = 5
"""Addresses of one client."""
ACCOUNTS_MAX = 50
"""Accounts under one mobile number."""
_PLACES = 1000

# What the ledger says of a transfer, as payers are told it.
_AS_PAYMENT = {
    Reason.INSUFFICIENT_FUNDS: Reason.NOT_ENOUGH_MONEY,
    Reason.NO_SUCH_PAYEE: Reason.NO_SUCH_ADDRESS,
    Reason.TRANSFER_ID_TAKEN: Reason.REFERENCE_TAKEN,
}


class Proof(Struct, frozen=True):
    """What the check of a PIN came to."""

    account: int
    verifier: str
    """What the PIN was compared with; somebody may have changed it meanwhile."""
    is_right: bool


class Register(Procedure, frozen=True):
    """Opens an account for a new client. Its result is the note of the Person."""

    draw: int
    vpa: Vpa
    name: str
    mobile: str
    category: str
    verifier: str
    bank: BankCode
    now_us: int

    @property
    def touched(self) -> tuple[int | str, ...]:
        return (vpa_key(self.vpa), mobile_key(self.mobile))

    def decide(self, state: State) -> Result:
        if is_reserved(self.vpa) or vpa_key(self.vpa) in state.notes:
            return Reason.VPA_TAKEN
        known = state.notes.get(mobile_key(self.mobile))
        accounts = read(Mobile, known).accounts if known else {}
        if len(accounts) >= ACCOUNTS_MAX:
            return Reason.TOO_MANY_ACCOUNTS
        account = book.open_account(state, OpenAccount(self.draw))
        if isinstance(account, Reason):
            return account
        mmid = self._mmid(account, accounts)
        person = Person(
            account, self.name, self.mobile, mmid, self.category, (str(self.vpa),), self.verifier,
            self.now_us,
        )  # fmt: skip
        _write(state, vpa_key(self.vpa), Claim(str(self.vpa), account))
        _write(state, mobile_key(self.mobile), Mobile(accounts | {mmid: account}))
        return noting.write(state, person_key(account), body_of(person), guards=account)

    def _mmid(self, account: int, taken: dict[str, int]) -> str:
        places = (mmid_of(self.bank, (account + n) % _PLACES) for n in range(_PLACES))
        return next(mmid for mmid in places if mmid not in taken)


class WithPin(Procedure, frozen=True):
    """What a client asks for with its PIN."""

    proof: Proof
    terms: Terms

    @property
    def touched(self) -> tuple[int | str, ...]:
        return touched_by(self.proof.account)

    def authenticate(self, state: State) -> Person | Reason:
        """The client, if the PIN was right; else counts the try."""
        known = self.recognise(state)
        return known if isinstance(known, Reason) else known[0]

    def recognise(self, state: State) -> tuple[Person, limits.Activity] | Reason:
        """The same, and what has lately happened on the account."""
        proof = self.proof
        note = state.notes.get(person_key(proof.account))
        if note is None:
            return Reason.WRONG_PIN
        person, activity = read(Person, note), self.activity(state)
        if limits.is_locked(activity, self.terms.now):
            return Reason.PIN_LOCKED
        if proof.is_right and proof.verifier == person.verifier:
            if activity.wrong_pins:
                activity = limits.right_pin(activity)
                self.note_activity(state, activity)
            return person, activity
        after = limits.wrong_pin(activity, self.terms.rules, self.terms.now)
        self.note_activity(state, after)
        return Reason.PIN_LOCKED if limits.is_locked(after, self.terms.now) else Reason.WRONG_PIN

    def spend(
        self, person: Person, activity: limits.Activity, amount: int
    ) -> limits.Activity | Reason:
        """What there is to be noted once a client has spent an amount; why it may not, now."""
        if person.is_frozen:
            return Reason.FROZEN
        now, rules = self.terms.now, self.terms.rules
        why = limits.refusal(activity, person.own_limits, rules, person.opened_us, amount, now)
        return why or limits.spent(activity, person.opened_us, amount, now)

    def activity(self, state: State) -> limits.Activity:
        return read_activity(state.notes.get(activity_key(self.proof.account)))

    def note_activity(self, state: State, after: limits.Activity) -> None:
        noting.write(state, activity_key(self.proof.account), body_of_activity(after))


class Miss(Procedure, frozen=True):
    """Counts a PIN for an address that nobody has. Its result is WRONG_PIN.

    It is written down as a client's wrong PIN is: so it takes as long, and who guesses cannot tell
    addresses that exist from those that do not.
    """

    @property
    def touched(self) -> tuple[int | str, ...]:
        return (activity_key(NOBODY),)

    def decide(self, state: State) -> Result:
        activity = read_activity(state.notes.get(activity_key(NOBODY)))
        after = activity._replace(wrong_pins=activity.wrong_pins + 1)
        noting.write(state, activity_key(NOBODY), body_of_activity(after))
        return Reason.WRONG_PIN


class Look(WithPin, frozen=True):
    """Checks the PIN and changes nothing else. Its result is (person, activity, balance)."""

    only_looks = True

    def decide(self, state: State) -> Result:
        known = self.recognise(state)
        if isinstance(known, Reason):
            return known
        person, activity = known
        account = state.accounts.get(person.account)
        assert account is not None, "a guarded account is never closed"
        return (person, activity, account.balance)


class ClaimVpa(WithPin, frozen=True):
    """Gives a client one more address. Its result is the note of the Person."""

    vpa: Vpa

    @property
    def touched(self) -> tuple[int | str, ...]:
        return (*touched_by(self.proof.account), vpa_key(self.vpa))

    def decide(self, state: State) -> Result:
        person = self.authenticate(state)
        if isinstance(person, Reason):
            return person
        if str(self.vpa) in person.vpas:
            return state.notes[person_key(person.account)]
        taken = is_reserved(self.vpa) or vpa_key(self.vpa) in state.notes
        if taken or len(person.vpas) >= VPAS_MAX:
            return Reason.VPA_TAKEN
        _write(state, vpa_key(self.vpa), Claim(str(self.vpa), person.account))
        return _change(state, person, vpas=(*person.vpas, str(self.vpa)))


class Change(WithPin, frozen=True):
    """Changes what a client may change: PIN, limits, frozen or not.

    Fields of None stay as they are. Its result is the note of the Person.
    """

    verifier: str | None = None
    per_payment: int | None = None
    per_day: int | None = None
    is_frozen: bool | None = None

    def decide(self, state: State) -> Result:
        person = self.authenticate(state)
        if isinstance(person, Reason):
            return person
        if self.is_frozen is False and person.is_held:
            return Reason.HELD_BY_BANK
        wanted = {
            name: value
            for name in ("verifier", "per_payment", "per_day", "is_frozen")
            if (value := getattr(self, name)) is not None
        }
        if all(getattr(person, name) == value for name, value in wanted.items()):
            return state.notes[person_key(person.account)]
        return _change(state, person, **wanted)


class Pay(WithPin, frozen=True):
    """Pays somebody of this bank. Its result is the note of the Payment.

    The same payment again changes nothing and has the same result.
    """

    payment: Payment

    @property
    def touched(self) -> tuple[int | str, ...]:
        return touched_by_payment(self.proof.account, self.payment, self.terms)

    def decide(self, state: State) -> Result:
        client = self.recognise(state)
        if isinstance(client, Reason):
            return client
        payment, key = self.payment, payment_key(self.payment.id)
        known = state.notes.get(key)
        if known is not None:
            return told_again(known, payment)
        activity = self.spend(*client, payment.amount)
        if isinstance(activity, Reason):
            return activity
        note = state.notes.get(person_key(payment.payee_account))
        payee = read(Person, note) if note is not None else None
        if payee is not None and payee.is_frozen:
            return Reason.PAYEE_FROZEN
        why = takings.refusal(state, payee, payment.amount, self.terms)
        if why is not None:
            return why
        moved = moves.carry_out(state, Move(
            payment.id, AccountNumber(self.proof.account), AccountNumber(payment.payee_account),
            Amount(payment.amount),
        ))  # fmt: skip
        if isinstance(moved, Reason):
            return _AS_PAYMENT.get(moved, moved)
        self.note_activity(state, activity)
        takings.count(state, payee, payment.amount, self.terms)
        booked = replace(payment, rrn=rrn_of(moved.entry))
        return noting.write(state, key, body_of(booked), is_open=False)


def touched_by(account: int) -> tuple[int | str, ...]:
    """What every operation of a client touches."""
    return (account, person_key(account), activity_key(account))


def touched_by_payment(account: int, payment: Payment, terms: Terms) -> tuple[int | str, ...]:
    """What paying somebody of this bank touches."""
    return (*touched_by(account), payment.payee_account, person_key(payment.payee_account),
            payment_key(payment.id), payment.id,
            *takings.touched_by_takings(payment.payee_account, terms))  # fmt: skip


def _write(state: State, key: str, record: Claim | Mobile) -> None:
    noting.write(state, key, body_of(record))


def _change(state: State, person: Person, **wanted: object) -> Result:
    changed = replace(person, **wanted)
    key = person_key(person.account)
    return noting.write(state, key, body_of(changed), guards=person.account)
