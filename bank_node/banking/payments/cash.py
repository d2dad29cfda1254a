"""Cash at a machine: a client draws money, or pays some in, once for each reference. Pure."""

from msgspec.structs import replace

from bank_node.banking.payments.limits import Activity
from bank_node.banking.payments.names import rrn_of
from bank_node.banking.payments.operations import WithPin, touched_by
from bank_node.banking.payments.records import (
    PAY_IN,
    Payment,
    Person,
    body_of,
    payment_key,
    told_again,
)
from bank_node.errors import Reason
from bank_node.ledger import book, noting
from bank_node.ledger.operations import Deposit, Result, Withdraw
from bank_node.ledger.state import State
from bank_node.values import AccountNumber, Amount


class Cash(WithPin, frozen=True):
    """Draws cash or pays it in, as the kind of `payment` says. Its result is the note of it.

    The same again changes nothing and has the same result.
    """

    payment: Payment

    @property
    def touched(self) -> tuple[int | str, ...]:
        return (*touched_by(self.proof.account), payment_key(self.payment.id))

    def decide(self, state: State) -> Result:
        client = self.recognise(state)
        if isinstance(client, Reason):
            return client
        payment = self.payment
        known = state.notes.get(payment_key(payment.id))
        if known is not None:
            return told_again(known, payment)
        spent = self._move(state, *client)
        if isinstance(spent, Reason):
            return Reason.NOT_ENOUGH_MONEY if spent is Reason.INSUFFICIENT_FUNDS else spent
        booked = replace(payment, rrn=rrn_of(state.sequence))
        if spent is not None:
            self.note_activity(state, spent)
        return noting.write(state, payment_key(payment.id), body_of(booked), is_open=False)

    def _move(self, state: State, person: Person, activity: Activity) -> Activity | Reason | None:
        """Books the money; why not, if it may not be.

        What there is to be noted of the account where money was drawn.
        """
        account, amount = AccountNumber(person.account), Amount(self.payment.amount)
        if self.payment.kind == PAY_IN:
            if person.is_frozen:
                return Reason.FROZEN
            result = book.decide(state, Deposit(account, amount))
            return result if isinstance(result, Reason) else None
        spent = self.spend(person, activity, amount)
        if isinstance(spent, Reason):
            return spent
        result = book.withdraw(state, Withdraw(account, amount))
        return result if isinstance(result, Reason) else spent
