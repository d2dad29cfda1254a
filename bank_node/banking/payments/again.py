"""A payment told once more, to a bank that has lost its promise to take it. Pure.

The payer was told that it is paid, so the money has to arrive, whatever became meanwhile of what it
was for: a request that the bank of the payee does not have any more, or that is over there by now,
is paid as if nobody had asked. Only money that goes back is told of in no other words. A bank that
knows nothing of the payment that it gives back has lost that one as well: its client still has
the money.
"""

from msgspec.structs import replace

from bank_node.banking.payments.abroad import memo_of, record_key
from bank_node.banking.payments.mandates_abroad import GONE
from bank_node.banking.payments.records import COLLECT, MANDATE, PAY, Payment, read
from bank_node.banking.transfers.flights import Recollection, Telling
from bank_node.errors import Reason
from bank_node.ledger.notes import Note, ReadNote
from bank_node.ledger.operations import Operation, Result
from bank_node.ledger.transfers import Transfer


def recollection(currency: str) -> Recollection:
    """How a bank that keeps a currency finds out what it has told another one of a transfer."""

    def tellings(result: Result) -> tuple[Telling, ...]:
        if result is Reason.NO_SUCH_PAYMENT:
            return (Telling(),)
        return tellings_of(read(Payment, result), currency) if isinstance(result, Note) else ()

    return Recollection(_question, tellings, GONE.__contains__)


def tellings_of(payment: Payment, currency: str) -> tuple[Telling, ...]:
    """What the other bank was told of a payment, and what it may be told instead."""
    known = [payment]
    if payment.kind in (COLLECT, MANDATE):
        known.append(replace(payment, kind=PAY, of=""))
    return tuple(Telling(memo_of(each, currency), payment.other_amount) for each in known)


def _question(record: Transfer) -> Operation:
    return ReadNote(record_key(record.key))
