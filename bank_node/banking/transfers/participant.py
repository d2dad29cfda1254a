"""The side that is spoken to: what a message does to the ledger, and what is answered.

Pure, and without a memory of its own: the ledger's record of the transfer is all there is.
"""

from bank_node.errors import Reason
from bank_node.ledger.entries import settlement_account
from bank_node.ledger.operations import Operation, Result
from bank_node.ledger.transfer_operations import Promise, Tell
from bank_node.ledger.transfers import Message, Phase, Transfer, key_of
from bank_node.protocol.transfer_messages import (
    ABORTED,
    COMMITTED,
    PREPARED,
    TransferAnswer,
    TransferMessage,
    Word,
)
from bank_node.values import BankCode

_PREPARED, _COMMITTED, _ABORTED = map(TransferAnswer, (PREPARED, COMMITTED, ABORTED))
_TELLS = {
    Word.COMMIT: Message.CREDIT,
    Word.ABORT: Message.RELEASE,
    Word.QUESTION: Message.ASK,
}


def operation_of(
    sender: BankCode, message: TransferMessage, cap: int, evidence: bytes
) -> Operation:
    """What a message of another bank is to the ledger; `cap` is how much that bank may owe."""
    bank = settlement_account(sender)
    if message.word is Word.PREPARE:
        return Promise(key_of(sender, message.id), message.payee, bank, message.payer,
                       message.amount, cap, evidence)  # fmt: skip
    # A question is about a transfer that this bank decides, everything else about the sender's.
    key = message.id if message.word is Word.QUESTION else key_of(sender, message.id)
    # What the bank says that gave a transfer up is no reason of ours.
    reason = Reason.TRANSFER_ABORTED.value if message.word is not Word.COMMIT else ""
    return Tell(_TELLS[message.word], key, bank, reason=reason, evidence=evidence)


def answer_to(message: TransferMessage, result: Result) -> TransferAnswer:
    """What is answered once the ledger has decided, and what it decided is on disk."""
    if isinstance(result, Transfer):
        if result.phase is Phase.ABORTED:
            return _ABORTED
        return _PREPARED if message.word is Word.PREPARE else _COMMITTED
    assert isinstance(result, Reason)
    if message.word is Word.QUESTION and result is Reason.NO_SUCH_TRANSFER:
        # No record is an abort: whatever was promised for it can be let go.
        return _ABORTED
    return TransferAnswer("refused", result)
