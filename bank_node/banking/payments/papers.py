"""What people ask of each other and of the bank: collects, mandates, disputes; their records.

Pure, and below the other rooms of payments: it knows neither clients nor the ledger. What may
happen to each is one table in `machines.py`. Days are counted from the year 1, in the bank's own
time zone; moments are microseconds since 1970; amounts are units.
"""

from typing import TYPE_CHECKING

from msgspec import UNSET, Struct, UnsetType

from bank_node.banking.payments.machines import (
    COLLECT_OPEN,
    DISPUTE_OPEN,
    MANDATE_OPEN,
    CollectState,
    DisputeState,
    MandateState,
)
from bank_node.values import BankCode

PAYER, PAYEE = "payer", "payee"
"""The sides of a paper."""
PAID = "paid"
"""What a payment of a mandate to another bank has come to, unless it has failed."""


class Abroad(Struct, frozen=True, forbid_unknown_fields=True):
    """What is kept beside a paper whose other side is a client of another bank."""

    bank: BankCode
    side: str
    """Which side that is: PAYER or PAYEE."""
    said: int = 0
    """How often this bank has had something to say; it says it until the other one has heard."""
    told: int = 0
    """The latest of it that the other bank has heard."""
    heard: int = 0
    """The latest that was heard of the other bank."""
    tries: int = 0
    """How many payments have failed: each has a name of its own."""
    why: str = ""
    """Why the last one failed, or the other bank does not take the paper: the name of a refusal."""
    category: str = ""
    """What the payee trades with."""
    amount: int = 0
    """What it is in the currency of the other bank; 0 if it is the same here."""
    currency: str = ""
    rate: str = ""
    """What 1 of the payee's currency costs in the payer's."""


class MandateAbroad(Abroad, frozen=True, forbid_unknown_fields=True):
    """What is kept beside a mandate whose other side is a client of another bank."""

    wish: str = ""
    """What the payee wants and the payer's bank has not heard; empty for the mandate itself."""
    wish_amount: int = 0
    wish_end: int = 0
    wish_occurrence: int = 0
    paying: str = ""
    """The payment that is on its way, or has ended and is not taken into account yet."""
    outcome: str = ""
    """What that came to: PAID, or why it failed."""


class Between:
    """What papers have in common that may be between two banks."""

    __slots__ = ()
    if TYPE_CHECKING:
        payer_account: int
        payee_account: int
        abroad: Abroad | UnsetType

    @property
    def is_owed(self) -> bool:
        """Whether the other bank has something yet to hear."""
        return self.abroad is not UNSET and self.abroad.told < self.abroad.said

    @property
    def here(self) -> tuple[int, ...]:
        """The accounts of this bank that it concerns."""
        sides = {PAYER: self.payer_account, PAYEE: self.payee_account}
        if self.abroad is not UNSET:
            del sides[self.abroad.side]
        return tuple(sides.values())

    def side_of(self, account: int) -> str:
        """Which side an account of this bank is; empty if it is none."""
        there = self.abroad.side if self.abroad is not UNSET else ""
        if there != PAYER and account == self.payer_account:
            return PAYER
        return PAYEE if there != PAYEE and account == self.payee_account else ""

    def is_with(self, bank: str, side: str) -> bool:
        """Whether it is between this bank and another one, whose client is that side."""
        return self.abroad is not UNSET and (self.abroad.bank, self.abroad.side) == (bank, side)


class Collect(Between, Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody asks somebody else for money."""

    id: str
    payee: str
    """Who asks, and gets the money."""
    payee_account: int
    payee_name: str
    payer: str
    payer_account: int
    amount: int
    reference: str
    note: str
    time_us: int
    expires_us: int
    state: CollectState = CollectState.PENDING
    payment: str = ""
    """What it was paid with."""
    abroad: Abroad | UnsetType = UNSET
    """What there is of another bank; left out within one bank."""

    @property
    def key(self) -> str:
        return collect_key(self.id)

    @property
    def is_open(self) -> bool:
        return self.state in COLLECT_OPEN

    @property
    def there(self) -> Abroad | None:
        """What there is of another bank."""
        return None if self.abroad is UNSET else self.abroad

    def is_same(self, other: "Collect") -> bool:
        """Whether a request asks for this very collect."""
        return (self.payee_account, self.payer, self.asked_amount, self.note) == (
            other.payee_account, other.payer, other.asked_amount, other.note
        )  # fmt: skip

    @property
    def asked_amount(self) -> int:
        """What the payee asks for, in the currency of its bank."""
        return self.amount if self.there is None else self.there.amount or self.amount


class Plan(Struct, frozen=True, forbid_unknown_fields=True):
    """How much a mandate allows, and when."""

    amount: int
    is_exact: bool
    """Whether each payment is of just this amount, or of at most this amount."""
    recurrence: str
    day_rule: str
    """`on`, `before` or `after`; empty for recurrences without a day."""
    day: int
    start: int
    end: int
    """The last day."""


class Mandate(Between, Struct, frozen=True, forbid_unknown_fields=True):
    """A payer's standing permission for a payee to be paid, again and again."""

    id: str
    payee: str
    payee_account: int
    payee_name: str
    payer: str
    payer_account: int
    asked: Plan
    """What was asked for at first."""
    plan: Plan
    reference: str
    note: str
    time_us: int
    expires_us: int
    """Until when it may be approved."""
    state: MandateState = MandateState.PENDING
    proposed: Plan | None = None
    """What the payee wants instead; counts when the payer approves it."""
    period: int = 0
    """Which period of the plan is the next to be paid, from 0."""
    occurrence: int = 0
    """How many have come before, paid or not: the payment of each has a name of its own."""
    first: int = 0
    last: int = 0
    """The days between which the next one may be paid, both included."""
    presented: int = 0
    """What the payee asks for this time; 0 while it has not said."""
    noticed_us: int = 0
    """When the payer was told of the next payment; 0 while it was not."""
    confirmed: bool = False
    """Whether the payer has agreed to the next payment, where it must each time."""
    tries: int = 0
    next_try_us: int = 0
    paid: int = 0
    """How many were paid."""
    last_payment: str = ""
    why: str = ""
    """Why the last try failed: the name of a refusal."""
    abroad: MandateAbroad | UnsetType = UNSET
    """What there is of another bank; left out within one bank."""

    @property
    def key(self) -> str:
        return mandate_key(self.id)

    @property
    def there(self) -> MandateAbroad | None:
        """What there is of another bank."""
        return None if self.abroad is UNSET else self.abroad

    @property
    def is_open(self) -> bool:
        return self.state in MANDATE_OPEN

    @property
    def amount_due(self) -> int:
        """What the next payment is of; 0 while nobody has said."""
        if self.presented or not self.plan.is_exact or self.plan.recurrence == "aspresented":
            return self.presented
        return self.plan.amount

    def is_same(self, other: "Mandate") -> bool:
        """Whether a request asks for this very mandate, as it was asked for at first."""
        return (self.payee_account, self.payer, self.note, self.asked) == (
            other.payee_account, other.payer, other.note, other.asked
        )  # fmt: skip


class Statement(Struct, frozen=True, forbid_unknown_fields=True, array_like=True):
    """What one side says to a dispute."""

    by: str
    """`payer` or `payee`."""
    text: str
    time_us: int


class Dispute(Struct, frozen=True, forbid_unknown_fields=True):
    """A payer wants the money of a payment back."""

    id: str
    payment: str
    payer: str
    payer_account: int
    payee: str
    payee_account: int
    amount: int
    """What is to be given back: what had not been when it was raised."""
    said: tuple[Statement, ...]
    """Evidence of both sides; the first is why the payer raised it."""
    time_us: int
    deadline_us: int
    """When it is decided by itself as it stands, or the money is tried again to be taken."""
    state: DisputeState = DisputeState.RAISED
    decided: str = ""
    """By whom or what: `payer`, `payee`, `operator`, `time` or `refund`."""
    refund: str = ""
    """The payment that gives the money back."""
    tries: int = 0
    """How many of those have failed: each has a name of its own."""
    why: str = ""
    """Why the last one failed: the name of a refusal."""
    payer_bank: str = ""
    """The bank of the payer, if it is another one than this."""
    payee_bank: str = ""
    """The bank of the payee, which decides, if it is another one than this."""
    withdrawing: bool = False
    """Whether the payer has let go of it, and the bank of the payee has not heard yet."""

    @property
    def key(self) -> str:
        return dispute_key(self.id)

    @property
    def is_open(self) -> bool:
        return self.state in DISPUTE_OPEN

    @property
    def is_paying(self) -> bool:
        """Whether the money is on its way back."""
        return self.is_open and bool(self.refund)

    @property
    def here(self) -> tuple[int, ...]:
        """The accounts of this bank that it concerns."""
        sides = ((self.payer_account, self.payer_bank), (self.payee_account, self.payee_bank))
        return tuple(account for account, bank in sides if not bank)

    def side_of(self, account: int) -> str:
        """Which side an account of this bank is; empty if it is none."""
        if account not in self.here:
            return ""
        is_payer = not self.payer_bank and account == self.payer_account
        return PAYER if is_payer else PAYEE


class Agenda(Struct, frozen=True, forbid_unknown_fields=True):
    """What waits for a client or concerns it now: keys, and the account that began each."""

    account: int
    items: tuple[tuple[str, int], ...] = ()

    @property
    def key(self) -> str:
        return agenda_key(self.account)


Request = Collect | Mandate
"""What one client wants of another, who may be at another bank."""
COLLECTS, MANDATES, DISPUTES, AGENDAS = "c:", "w:", "d:", "q:"
"""What the keys of papers begin with."""
REQUESTS = (COLLECTS, MANDATES)
Paper = Request | Dispute | Agenda
PAPERS: dict[str, type[Struct]] = {
    COLLECTS: Collect, MANDATES: Mandate, DISPUTES: Dispute, AGENDAS: Agenda,
}  # fmt: skip
"""By what their keys begin with."""


def collect_key(collect_id: str) -> str:
    return COLLECTS + collect_id


def mandate_key(mandate_id: str) -> str:
    return MANDATES + mandate_id


def dispute_key(dispute_id: str) -> str:
    return DISPUTES + dispute_id


def agenda_key(account: int) -> str:
    return f"{AGENDAS}{account}"
