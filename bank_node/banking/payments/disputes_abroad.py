"""A dispute between clients of two banks: the bank of the payee decides, that of the payer asks.

Pure. Each side keeps a record of its own. `Hear` takes in what the payer's bank says, `Heed` what
the payee's answers; either may come again, late or not at all, and what is over stays over.
"""

from msgspec.structs import replace

from bank_node.banking.payments import agenda
from bank_node.banking.payments.disputes import (
    STATEMENTS_MAX,
    end,
    find,
    is_disputable,
    with_statement,
    withdrawn,
)
from bank_node.banking.payments.limits import Terms
from bank_node.banking.payments.machines import DISPUTE_STEPS, DisputeMessage, DisputeState
from bank_node.banking.payments.papers import PAYEE, PAYER, Dispute, Statement
from bank_node.banking.payments.records import (
    PENDING,
    Payment,
    body_of,
    incoming_key,
    person_key,
    read,
)
from bank_node.banking.payments.refunds import touched_by_dispute
from bank_node.errors import Reason
from bank_node.ledger import noting
from bank_node.ledger.operations import Procedure, Result
from bank_node.ledger.state import State
from bank_node.protocol.dispute_messages import DisputeAnswer
from bank_node.protocol.dispute_messages import DisputeMessage as Letter
from bank_node.security.dialogue import Dialogue

ABOUT_DISPUTES = Dialogue("TD", "dispute")
BY_BANK = "bank"
"""Who has decided a dispute that the bank of the payee does not take."""
# What the bank of the payee will say again however often it is asked.
_FINAL = frozenset((Reason.NOT_DISPUTABLE, Reason.DISPUTE_LATE, Reason.REFERENCE_TAKEN))


def statements(dispute: Dispute, side: str) -> list[Statement]:
    """What one side has said so far."""
    return [each for each in dispute.said if each.by == side]


def letter_of(dispute: Dispute, told: int) -> Letter:
    """What the payer's bank says next, if the other one has so many of the payer's texts."""
    own = statements(dispute, PAYER)
    text = own[told].text if told < len(own) else ""
    heard = len(statements(dispute, PAYEE))
    return Letter(dispute.id, dispute.payment, heard, told, text, dispute.withdrawing)


def answer_of(dispute: Dispute, letter: Letter) -> DisputeAnswer:
    """What the payee's bank answers."""
    of_payee = statements(dispute, PAYEE)
    text = of_payee[letter.heard].text if letter.heard < len(of_payee) else ""
    return DisputeAnswer(
        dispute.state.value, dispute.deadline_us, len(statements(dispute, PAYER)), len(of_payee),
        text, dispute.decided, dispute.refund, dispute.why,
    )  # fmt: skip


class Hear(Procedure, frozen=True):
    """Takes in what the bank of a payer says. Its result is the note of the Dispute.

    `wanted` is the dispute as it would begin here.
    """

    wanted: Dispute
    letter: Letter
    terms: Terms

    @property
    def touched(self) -> tuple[int | str, ...]:
        return (*touched_by_dispute(self.wanted), person_key(self.wanted.payee_account),
                self._payment_key)  # fmt: skip

    @property
    def _payment_key(self) -> str:
        return incoming_key(f"{self.wanted.payer_bank}/{self.wanted.payment}")

    def decide(self, state: State) -> Result:
        wanted = self.wanted
        known = find(state, wanted.id)
        if known is None:
            return self._begin(state)
        if (known.payer_bank, known.payment) != (wanted.payer_bank, wanted.payment):
            return Reason.REFERENCE_TAKEN
        after = self._heard(known)
        if after == known:
            return state.notes[known.key]
        return agenda.file_dispute(state, after)

    def _begin(self, state: State) -> Result:
        wanted, letter, note = self.wanted, self.letter, state.notes.get(self._payment_key)
        if note is None or letter.number or not letter.text:
            return Reason.NO_SUCH_PAYMENT
        payment = read(Payment, note)
        if payment.state == PENDING:
            return Reason.PAYMENT_PENDING
        if payment.dispute:
            return Reason.REFERENCE_TAKEN
        why = is_disputable(payment, self.terms.now.us, self.terms.rules)
        if person_key(payment.payee_account) not in state.notes:
            why = Reason.NOT_DISPUTABLE
        if why is not None:
            return why
        disputed = replace(payment, dispute=wanted.id)
        noting.write(state, note.key, body_of(disputed), is_open=note.is_open)
        begun = replace(wanted, amount=payment.amount - payment.refunded)
        if letter.withdrawn:
            begun = replace(begun, state=DisputeState.WITHDRAWN, decided=PAYER)
        return agenda.file_dispute(state, begun)

    def _heard(self, known: Dispute) -> Dispute:
        letter, after = self.letter, known
        is_discussed = known.is_open and known.state is not DisputeState.OWED
        if letter.text and is_discussed and letter.number == len(statements(known, PAYER)):
            said = with_statement(known, Statement(PAYER, letter.text, self.terms.now.us))
            after = known if isinstance(said, Reason) else said
        if letter.withdrawn:
            let_go = withdrawn(after)
            after = after if isinstance(let_go, Reason) else let_go
        return after


class Heed(Procedure, frozen=True):
    """Takes in what the bank of the payee answers. Its result is the note of the Dispute."""

    known: Dispute
    """As it was when that bank was asked."""
    answer: DisputeAnswer
    terms: Terms

    @property
    def touched(self) -> tuple[int | str, ...]:
        return touched_by_dispute(self.known)

    def decide(self, state: State) -> Result:
        dispute = find(state, self.known.id)
        if dispute is None or not dispute.payee_bank:
            return Reason.NO_SUCH_REQUEST
        if not dispute.is_open:
            return state.notes[dispute.key]
        if self.answer.refused is not None:
            return self._refused(state, dispute, self.answer.refused)
        after = self._after(dispute)
        return state.notes[dispute.key] if after == dispute else agenda.file_dispute(state, after)

    def _refused(self, state: State, dispute: Dispute, why: Reason) -> Result:
        step = DISPUTE_STEPS[dispute.state, DisputeMessage.REJECT]
        if why not in _FINAL or not isinstance(step, DisputeState):
            return state.notes[dispute.key]
        end(state, replace(dispute, withdrawing=False), step, BY_BANK)
        ended = find(state, dispute.id)
        assert ended is not None, "it was noted down a moment ago"
        return agenda.file_dispute(state, replace(ended, why=why.value))

    def _after(self, dispute: Dispute) -> Dispute:
        answer, of_payee = self.answer, statements(dispute, PAYEE)
        after = dispute
        # Two nodes of the bank may have asked for the same text.
        is_next = len(of_payee) == len(statements(self.known, PAYEE))
        if answer.text and is_next and len(of_payee) < min(answer.said, STATEMENTS_MAX):
            said = Statement(PAYEE, answer.text, self.terms.now.us)
            after = replace(after, said=(*after.said, said))
        # An answer that comes late, or again, must not take a dispute back to where it was.
        ways = {DISPUTE_STEPS[dispute.state, message].value for message in DisputeMessage}
        if answer.state not in ways:
            return after
        after = replace(
            after, state=DisputeState(answer.state), deadline_us=answer.deadline_us,
            decided=answer.decided, refund=answer.refund, why=answer.why,
        )  # fmt: skip
        return after if after.is_open else replace(after, withdrawing=False)
