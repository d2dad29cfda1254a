"""What is noted down of clients and payments, and under which keys. Pure.

Bodies are JSON with the fields in the order of these classes, so each has one form only. A key
begins with the kind of its record; those of papers are in `papers.py`.
"""

from collections.abc import Callable
from hashlib import sha256
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from bank_node.banking.payments.exchange import Exchange
from bank_node.banking.payments.limits import Activity, Own
from bank_node.banking.payments.papers import (
    MANDATES,
    PAPERS,
    Agenda,
    Collect,
    Dispute,
    Mandate,
    Paper,
    Request,
)
from bank_node.errors import CorruptLedger, Reason
from bank_node.ledger.notes import Note
from bank_node.protocol.payment_values import Vpa

PEOPLE, ACTIVITIES, ADDRESSES, MOBILES, TAKINGS = "u:", "a:", "v:", "m:", "r:"
"""What the keys begin with of clients, of what lately happened on their accounts, of payment
addresses, of mobile numbers, and of what merchants were paid."""
OUTGOING, INCOMING = "p:", "i:"
PAYMENTS = (OUTGOING, INCOMING)
"""Of payments that clients of this bank make, and of those that come from other banks."""
_NAME_MAX = 60
PAY, WITHDRAW, PAY_IN = "pay", "withdraw", "pay in"
REFUND, CHARGEBACK = "refund", "chargeback"
COLLECT, MANDATE = "collect", "mandate"
_BACKWARDS = (REFUND, CHARGEBACK)
PENDING, SUCCESS, FAILED = "pending", "success", "failed"


class Person(Struct, frozen=True, forbid_unknown_fields=True):
    """A client: a user, or a merchant if the category is not 0000."""

    account: int
    name: str
    mobile: str
    mmid: str
    category: str
    vpas: tuple[str, ...]
    """The addresses, the first one claimed first."""
    verifier: str
    """What is kept of the PIN."""
    opened_us: int
    is_frozen: bool = False
    per_payment: int | None = None
    per_day: int | None = None
    serial: int = 1
    """Which of its tokens is the valid one."""
    is_held: bool = False
    """Whether it was the bank that froze it, so that the client cannot let it go on."""

    @property
    def own_limits(self) -> Own:
        return Own(self.per_payment, self.per_day)

    @property
    def vpa(self) -> str:
        return self.vpas[0]


class Claim(Struct, frozen=True, forbid_unknown_fields=True):
    """An address, and whose it is."""

    vpa: str
    account: int


class Mobile(Struct, frozen=True, forbid_unknown_fields=True):
    """The accounts of one mobile number by their MMIDs."""

    accounts: dict[str, int]


class Payment(Struct, frozen=True, forbid_unknown_fields=True):
    """A payment that was carried out, or is on its way to another bank."""

    id: str
    kind: str
    payer: str
    """The address, or the account where there is none."""
    payer_account: int
    payee: str
    """Who was to be paid, as it was written."""
    payee_account: int
    payee_bank: str
    payee_name: str
    amount: int
    reference: str
    note: str
    time_us: int
    rrn: str = ""
    """Its retrieval number, which the payer's bank gives once it is booked; both banks tell it."""
    of: str = ""
    """The payment that this one gives back, or what it was asked for with."""
    refunded: int = 0
    """How much of it was given back."""
    order: str = ""
    """The payee's own reference, as a scanned code told it."""
    payer_bank: str = ""
    """The bank of the payer, if it is another one than this."""
    day: int = 0
    """The day at the payer's bank that a payment to another bank counts for; 0 for others."""
    state: str = SUCCESS
    why: str = ""
    """Why it failed: the name of a refusal."""
    dispute: str = ""
    """The dispute about it, or that it settles."""
    other_amount: int = 0
    """What it is at the other bank, in the currency of that one; 0 if it is the same here."""
    other_currency: str = ""
    rate: str = ""
    """What 1 of the payee's currency cost in the payer's, in the payment that was made at first."""

    @property
    def is_local(self) -> bool:
        """Whether payer and payee are clients of the bank that keeps the record."""
        return not self.payer_bank and not self.day

    @property
    def exchange(self) -> Exchange | None:
        """What it is on the side of the other bank; None for one of the same currency."""
        if not self.other_currency:
            return None
        return Exchange(self.other_amount, self.other_currency, self.rate)

    @property
    def is_backwards(self) -> bool:
        """Whether it gives another payment back."""
        return self.kind in _BACKWARDS

    @property
    def original_key(self) -> str:
        """Where the payment that it gives back is kept."""
        if self.day:
            return incoming_key(f"{self.payee_bank}/{self.of}")
        return payment_key(self.of)

    def is_same(self, other: "Payment") -> bool:
        """Whether a request asks for this very payment."""
        return (
            self.kind, self.payer_account, self.payee, self.amount, self.note, self.of, self.order
        ) == (
            other.kind, other.payer_account, other.payee, other.amount, other.note, other.of,
            other.order,
        )  # fmt: skip


class Takings(Struct, frozen=True, forbid_unknown_fields=True):
    """What a merchant was paid on the last day on which it was."""

    account: int
    day: int
    amount: int


Record = Person | Claim | Mobile | Payment | Takings | Paper
Body = TypeVar("Body", Person, Claim, Mobile, Payment, Takings, Collect, Mandate, Dispute, Agenda)


# An Activity as it is written: its fields in their order.
_Active = tuple[int, int, int, int, int, int, int]

_encode = msgspec.json.Encoder().encode
_RECORDS: tuple[type[Struct], ...] = (
    Person, Claim, Mobile, Payment, Takings, Collect, Mandate, Dispute, Agenda,
)  # fmt: skip
_decoders: dict[type, Callable[[bytes], Any]] = {
    kind: msgspec.json.Decoder(kind).decode for kind in _RECORDS
}
_decode_activity = msgspec.json.Decoder(_Active).decode


def body_of(record: Record) -> bytes:
    """A record as the body of a note."""
    return _encode(record)


def read(kind: type[Body], note: Note) -> Body:
    """The record in a note. Raises CorruptLedger if it is none of this kind."""
    try:
        record: Body = _decoders[kind](note.body)
    except msgspec.MsgspecError as error:
        raise CorruptLedger(f"the note {note.key} cannot be read: {error}") from None
    return record


def told_again(known: Note, wanted: Payment | Request) -> Note | Reason:
    """What asking again comes to: the note that is there, unless something else is asked for.

    That a reference means one thing only is protocol.md, section 14.
    """
    kind: Any = type(wanted)
    return known if read(kind, known).is_same(wanted) else Reason.REFERENCE_TAKEN


def request_of(note: Note) -> Request:
    """The request in a note, of whichever kind. Raises CorruptLedger if it is none."""
    return read(Mandate, note) if note.key.startswith(MANDATES) else read(Collect, note)


def body_of_activity(activity: Activity) -> bytes:
    """An activity as the body of a note."""
    return _encode(activity)


def read_activity(note: Note | None) -> Activity:
    """The activity in a note; without one, nothing has happened. Raises CorruptLedger."""
    if note is None:
        return Activity()
    try:
        return Activity._make(_decode_activity(note.body))
    except msgspec.MsgspecError as error:
        raise CorruptLedger(f"the note {note.key} cannot be read: {error}") from None


def person_key(account: int) -> str:
    return f"{PEOPLE}{account}"


def activity_key(account: int) -> str:
    return f"{ACTIVITIES}{account}"


def takings_key(account: int) -> str:
    return f"{TAKINGS}{account}"


def vpa_key(vpa: Vpa) -> str:
    """The key of all addresses that look like this one."""
    skeleton = vpa.skeleton
    if len(skeleton) > _NAME_MAX:
        return ADDRESSES + "#" + sha256(skeleton.encode()).hexdigest()[: _NAME_MAX - 1]
    return ADDRESSES + skeleton


def mobile_key(mobile: str) -> str:
    return MOBILES + mobile


def payment_key(payment_id: str) -> str:
    """The key of a payment that this bank's client makes."""
    return OUTGOING + payment_id


def incoming_key(transfer_key: str) -> str:
    """The key of a payment that comes from another bank: `<bank>/<payment>`."""
    return INCOMING + transfer_key


_KINDS: dict[str, type[Struct]] = {
    PEOPLE: Person, ADDRESSES: Claim, MOBILES: Mobile, OUTGOING: Payment, INCOMING: Payment,
    TAKINGS: Takings, **PAPERS,
}  # fmt: skip


def check(note: Note) -> None:
    """Proves that a note is one of these and says what its key says. Raises CorruptLedger."""
    if note.key.startswith(ACTIVITIES):
        read_activity(note)
        return
    kind = _KINDS.get(note.key[:2])
    if kind is None:
        raise CorruptLedger(f"nobody knows what the note {note.key} is")
    record: Any = read(kind, note)  # type: ignore[type-var]
    if _key_of(record, note) != note.key or _encode(record) != note.body:
        raise CorruptLedger(f"the note {note.key} holds another record")


def _key_of(record: Record, note: Note) -> str:
    if isinstance(record, Person):
        return person_key(record.account)
    if isinstance(record, Claim):
        name, _, handle = record.vpa.partition("@")
        return vpa_key(Vpa(name, handle))
    if isinstance(record, Payment):
        bank = record.payer_bank
        return incoming_key(f"{bank}/{record.id}") if bank else payment_key(record.id)
    if isinstance(record, Takings):
        return takings_key(record.account)
    return note.key if isinstance(record, Mobile) else record.key
