"""What the bank may do to a client without its PIN: freeze, let go on, give a new PIN. Pure."""

from msgspec.structs import replace

from bank_node.banking.payments.known_mandates import find
from bank_node.banking.payments.limits import Activity
from bank_node.banking.payments.machines import MANDATE_STEPS, MandateMessage, MandateState
from bank_node.banking.payments.mandates import keep, revoked
from bank_node.banking.payments.papers import agenda_key, mandate_key
from bank_node.banking.payments.records import (
    Person,
    activity_key,
    body_of,
    body_of_activity,
    person_key,
    read,
    read_activity,
)
from bank_node.errors import Reason
from bank_node.ledger import noting
from bank_node.ledger.operations import Procedure, Result
from bank_node.ledger.state import State


class Oversee(Procedure, frozen=True):
    """Freezes an account, lets it go on, or gives it a new PIN and forgets the wrong ones.

    Fields of None stay as they are. What the bank has frozen, only the bank lets go on. Its
    result is the note of the Person.
    """

    account: int
    is_frozen: bool | None = None
    verifier: str | None = None

    @property
    def touched(self) -> tuple[int | str, ...]:
        return (self.account, person_key(self.account), activity_key(self.account))

    def decide(self, state: State) -> Result:
        note = state.notes.get(person_key(self.account))
        if note is None:
            return Reason.NO_SUCH_CLIENT
        person = changed = read(Person, note)
        if self.is_frozen is not None:
            changed = replace(changed, is_frozen=self.is_frozen, is_held=self.is_frozen)
        if self.verifier is not None:
            changed = replace(changed, verifier=self.verifier)
            self._forget_wrong_pins(state)
        if changed == person:
            return note
        return noting.write(state, note.key, body_of(changed), guards=self.account)

    def _forget_wrong_pins(self, state: State) -> None:
        activity = read_activity(state.notes.get(activity_key(self.account)))
        after: Activity = activity._replace(wrong_pins=0, locked_until_us=0)
        if after != activity:
            noting.write(state, activity_key(self.account), body_of_activity(after))


class RevokeMandate(Procedure, frozen=True):
    """The bank ends a mandate. Its result is the note of the Mandate."""

    mandate_id: str
    payer_account: int

    @property
    def touched(self) -> tuple[int | str, ...]:
        return (mandate_key(self.mandate_id), agenda_key(self.payer_account))

    def decide(self, state: State) -> Result:
        mandate = find(state, self.mandate_id)
        if mandate is None or mandate.payer_account != self.payer_account:
            return Reason.NO_SUCH_REQUEST
        step = MANDATE_STEPS[mandate.state, MandateMessage.REVOKE]
        if isinstance(step, Reason):
            return step
        if step is mandate.state:
            return state.notes[mandate.key]
        assert step is MandateState.REVOKED
        return keep(state, revoked(mandate))
