"""Who is to be paid: a client of this bank, one of its plain accounts, or somebody of another bank.

Which bank has a handle, and what it says of an address, the node finds out behind `Around`.
"""

from collections.abc import Callable, Generator, Sequence
from functools import partial
from typing import Any, NamedTuple, Protocol

from msgspec import Struct

from bank_node.banking.payments.names import mmid_of, prefix_of
from bank_node.banking.payments.operations import NOBODY
from bank_node.banking.payments.records import (
    Claim,
    Mobile,
    Person,
    activity_key,
    incoming_key,
    mobile_key,
    person_key,
    read,
    vpa_key,
)
from bank_node.banking.payments.uri import NOT_A_MERCHANT
from bank_node.banking.transfers.flights import Parcel, Told
from bank_node.errors import Reason, Refused
from bank_node.ledger.notes import Note, ReadNotes
from bank_node.protocol.payment_values import MobilePayee, Payee, Vpa
from bank_node.service.calls import Call
from bank_node.service.counter import Counter
from bank_node.service.steps import Step, Wait
from bank_node.values import AccountAddress, BankCode


class Provider(NamedTuple):
    """A bank that has payments."""

    bank: BankCode
    handle: str
    code_key: str
    """The key that its codes to scan are signed with; empty while unknown."""


class Resolved(NamedTuple):
    """What a bank says of somebody who is to be paid there."""

    account: int
    name: str
    category: str
    currency: str
    is_frozen: bool


class Around(Protocol):
    """The other banks, as payments need them. Everything may be called from any thread."""

    cap_of: Callable[[BankCode], int]
    """How much this bank may owe another one."""

    def provider_of(self, handle: str) -> Provider | None:
        """The one verified bank that has a handle; None if there is none, or more than one."""

    def provider_at(self, bank: BankCode) -> Provider | None:
        """The bank with a code, if it has payments."""

    def providers(self) -> Sequence[Provider]:
        """All verified banks that have payments."""

    def remembered(self, bank: BankCode, payee: str) -> Resolved | None:
        """What a bank has said of a payee a few seconds ago, if it was asked then."""

    def resolve(
        self, bank: BankCode, payee: str, done: Callable[[Resolved | Refused], object]
    ) -> None:
        """What a bank says of a payee now."""

    def key_of(self, bank: BankCode) -> str | None:
        """The key that is pinned for a bank."""

    def ask(
        self,
        bank: BankCode,
        line: bytes,
        done: Callable[[bytes | Refused], object],
        within_s: float | None = None,
    ) -> None:
        """Has a bank answer a line; `done` hears its reply as it came, or why there is none.

        Within the reply time, or earlier if that is wanted.
        """

    def carry(
        self,
        parcel: Parcel,
        within_s: float,
        told: Told,
    ) -> None:
        """Drives a transfer on its way; `told` hears what became of it within so many seconds."""


class Target(Struct, frozen=True):
    """Somebody who can be paid."""

    person: Person
    bank: BankCode
    code_key: str
    """The key that codes to pay this one are signed with."""
    currency: str
    rate: str = ""
    """What 1 of its currency costs in that of this bank; empty if it is the same one."""


def find_client(vpa: Vpa) -> Generator[Step, Any, tuple[Person | None, Note | None]]:
    """The client of this bank who has an address, and what has lately happened on the account.

    For an address that nobody has, what has happened on that of nobody.
    """
    (note,) = yield ReadNotes((vpa_key(vpa),))
    claim = read(Claim, note) if note else None
    is_theirs = claim is not None and claim.vpa == str(vpa)
    # The same steps for an address that nobody has: the time they take tells nothing.
    account = claim.account if claim and is_theirs else NOBODY
    note, activity = yield ReadNotes((person_key(account), activity_key(account)))
    return (read(Person, note) if is_theirs else None), activity


def find_person(vpa: Vpa) -> Generator[Step, Any, Person | None]:
    """The client of this bank who has an address."""
    person, _ = yield from find_client(vpa)
    return person


def find_payee(counter: Counter, call: Call, payee: Payee) -> Generator[Step, Any, Target]:
    """Who is to be paid; a plain account is a Person without a name.

    Raises Refused(NO_SUCH_PROVIDER, NO_SUCH_ADDRESS, PROVIDER_DOWN or OTHER_CURRENCY).
    """
    provider = provider_for(counter, call, payee)
    if provider is not None:
        return (yield from _abroad(counter, provider, payee))
    if isinstance(payee, Vpa):
        person = yield from find_person(payee)
        if person is None:
            raise Refused(Reason.NO_SUCH_ADDRESS)
        return Target(person, call.bank.code, counter.code_key.public, counter.currency)
    if isinstance(payee, MobilePayee):
        (note,) = yield ReadNotes((mobile_key(payee.mobile),))
        account = read(Mobile, note).accounts.get(payee.mmid) if note else None
        if account is None:
            raise Refused(Reason.NO_SUCH_ADDRESS)
    else:
        account = payee.number
    (note,) = yield ReadNotes((person_key(account),))
    person = read(Person, note) if note else _nobody(account)
    return Target(person, call.bank.code, counter.code_key.public, counter.currency)


def provider_for(counter: Counter, call: Call, payee: Payee) -> Provider | None:
    """The other bank that a payee is a client of; None for this one. Raises Refused."""
    around = counter.around
    provider: Provider | None
    if isinstance(payee, Vpa):
        if payee.handle == counter.handle:
            return None
        provider, told = around.provider_of(payee.handle), payee.handle
    elif isinstance(payee, AccountAddress):
        if payee.bank == call.bank.code:
            return None
        provider, told = around.provider_at(payee.bank), payee.bank
    else:
        # Four digits of an MMID stand for a bank; two banks may happen to have the same ones.
        if _bank_digits(call.bank.code) == payee.mmid[:4]:
            return None
        named = [p for p in around.providers() if _bank_digits(p.bank) == payee.mmid[:4]]
        if len(named) != 1:
            raise Refused(Reason.NO_SUCH_ADDRESS)
        provider, told = named[0], payee.mmid
    # Who asks over a link takes this bank for the one that knows: asking on could go in circles.
    if provider is None or call.session.is_link:
        raise Refused(Reason.NO_SUCH_PROVIDER, handle=told)
    return provider


def received_keys(counter: Counter, payment_id: str) -> tuple[str, ...]:
    """Where a payment with this id that came from another bank may be kept.

    An id begins with letters of its bank's handle, so there are few such banks.
    """
    begun = payment_id[:3]
    return tuple(
        incoming_key(f"{provider.bank}/{payment_id}")
        for provider in counter.around.providers()
        if prefix_of(provider.handle) == begun
    )


def _bank_digits(bank: BankCode) -> str:
    return mmid_of(bank, 0)[:4]


def _abroad(counter: Counter, provider: Provider, payee: Payee) -> Generator[Step, Any, Target]:
    told = counter.around.remembered(provider.bank, str(payee)) or (
        yield Wait(partial(counter.around.resolve, provider.bank, str(payee)))
    )
    rate = ""
    if told.currency != counter.currency:
        rate = counter.rates.get(told.currency, "")
        if not rate:
            raise Refused(Reason.OTHER_CURRENCY)
    person = _nobody(told.account, told.name, told.category, is_frozen=told.is_frozen)
    return Target(person, provider.bank, provider.code_key, told.currency, rate)


def _nobody(
    account: int, name: str = "", category: str = NOT_A_MERCHANT, *, is_frozen: bool = False
) -> Person:
    """Somebody of whom no record is at hand."""
    return Person(account, name, "", "", category, (), "", 0, is_frozen=is_frozen)
