"""What the engine knows of a transfer on its way, and the words it exchanges with its host."""

from collections.abc import Callable
from enum import Enum
from typing import NamedTuple

from msgspec import Struct, field

from bank_node.errors import Reason
from bank_node.ledger.entries import bank_of
from bank_node.ledger.operations import Operation, Result
from bank_node.ledger.transfer_operations import ReadTransfer, Tell
from bank_node.ledger.transfers import Phase, Role, Transfer
from bank_node.protocol.transfer_messages import TransferAnswer
from bank_node.values import AccountAddress, AccountNumber, Amount, BankCode, TransferId


class Order(NamedTuple):
    """A transfer that a client wants."""

    id: TransferId
    payer: AccountNumber
    payee: AccountAddress
    amount: Amount


class Outcome(NamedTuple):
    """What a client is told: the record if it is committed, else why not (yet)."""

    record: Transfer | None
    reason: Reason | None = None


Told = Callable[[Outcome], object]


class Wait(Enum):
    """What a flight waits for, besides the moment of `next_at`."""

    NOTHING = "nothing"
    LEDGER = "ledger"
    BANK = "bank"


class Parcel(NamedTuple):
    """A transfer that a payment has set money aside for, and what the other bank is told of it."""

    record: Transfer
    memo: str
    amount: int = 0
    """What the other bank is to take, in units of its own currency; 0 if it is the same as here."""


class Telling(NamedTuple):
    """What a payee's bank is told of a transfer beside its parties."""

    memo: str = ""
    amount: int = 0
    """What it is to take, in units of its own currency; 0 if it is the same as here."""


class Recollection(NamedTuple):
    """How the ledger tells what a transfer was for, of which nothing is in memory."""

    question: Callable[[Transfer], Operation]
    tellings: Callable[[Result], tuple[Telling, ...]]
    """Of the answer: what the other bank was told, and in which other words it may be told again
    if what it was for is not there any more. None if the ledger could not say it now."""
    is_gone: Callable[[Reason], bool]
    """Whether a refusal says that what it was for is not there any more."""


NOTHING_TO_RECALL = Recollection(
    lambda record: ReadTransfer(record.key), lambda _: (Telling(),), lambda _: False
)
"""Of transfers that are for no payment."""


class Flight(Struct):
    """A transfer on its way."""

    key: str
    bank: BankCode
    order: Order | None
    record: Transfer | None = None
    wait: Wait = Wait.NOTHING
    next_at: float = 0.0
    attempts: int = 0
    decision: Tell | None = None
    """What the ledger must be told, until it has taken it."""
    is_sent: bool = False
    """Whether the question of this phase is on its way or was answered."""
    is_fresh: bool = False
    refusal: Reason | None = None
    """Why nothing can begin, if only what was before is asked for."""
    memo: str = ""
    """What the other bank is told of the payment that this transfer is for."""
    amount: int = 0
    """What the other bank is to take, in units of its own currency; 0 if it is the same as here."""
    clients: list[tuple[float, Told]] = field(default_factory=list)
    is_lost: bool = False
    """Whether the other bank has lost its promise, and has yet to make it again."""
    tellings: tuple[Telling, ...] = ()
    """How it may be told what to promise again, in the order in which that is tried."""
    renewals: int = 0
    """How often it has made its promise again."""
    is_refused: bool = False
    """Whether it will not make its promise again by itself, so that it is not asked any more."""
    reminder: "Callable[[Flight], object] | None" = None
    """Who wants to hear whether the other bank still has what it has confirmed; None for what is
    not confirmed yet."""
    trouble: str = ""
    """Why it does not go on, for the operator."""
    unheard: Reason | None = None
    """Why what the other bank has said last does not count: it has refused what it was told, or
    not signed its answer. None if it counts, or nothing was said."""

    @property
    def is_decided(self) -> bool:
        """Whether this bank has paid, and sees to it that the other one has taken the money."""
        record = self.record
        return self.reminder is not None or (record is not None and record.phase is Phase.COMMITTED)

    @property
    def is_in_doubt(self) -> bool:
        """Whether it ends by the word of the other bank alone, and that does not come.

        Then, and only then, the operator may decide it.
        """
        record = self.record
        if record is None or self.wait is Wait.LEDGER:
            return False
        if record.phase is Phase.SENT:
            return self.wait is Wait.NOTHING
        # The first question comes long after the promise.
        return record.role is Role.PAYEE and record.phase is Phase.RESERVED and self.attempts > 0


class Deposit(NamedTuple):
    """`AD` to a classic bank for a transfer; sent once, ever."""

    key: str
    bank: BankCode
    payee: AccountNumber
    amount: Amount


class Reply(NamedTuple):
    """What became of one thing that was sent to another bank."""

    answer: TransferAnswer | None
    """None when there is none."""
    was_sent: bool = True
    """Whether anything may have left for the other bank."""
    reason: Reason = Reason.BANK_SILENT
    """Why there is no answer."""
    evidence: bytes = b""


NOT_HEARD = frozenset((Reason.MESSAGES_REFUSED, Reason.ANSWER_NOT_SIGNED))
"""Why something that another bank has said does not count."""

_NOT_YET = {
    Phase.RESERVED: Reason.TRANSFER_PENDING,
    Phase.SENT: Reason.TRANSFER_UNKNOWN,
}


def outcome_of(record: Transfer) -> Outcome:
    """What whoever asked for a transfer is told of where it stands."""
    if record.phase is Phase.ABORTED:
        return Outcome(record, Reason(record.reason or Reason.TRANSFER_ABORTED.value))
    return Outcome(record, _NOT_YET.get(record.phase))


def order_of(record: Transfer | None) -> Order | None:
    """What a client wanted whose transfer to another bank this is; None for others."""
    if record is None or record.role in (Role.PAYEE, Role.LOCAL):
        return None
    payee = AccountAddress(AccountNumber(record.other), bank_of(record.bank))
    return Order(
        TransferId(record.key), AccountNumber(record.account), payee, Amount(record.amount)
    )
