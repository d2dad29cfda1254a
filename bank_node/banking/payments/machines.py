"""The state machines of collects, mandates and disputes: a table each, with a line for every case.

Pure. A cell is the state afterwards, or why the message is refused; a cell that is the state
itself means that nothing is to be done. The names of the states are what everybody is told.
"""

from enum import StrEnum

from bank_node.errors import Reason


class CollectState(StrEnum):
    """Where a request for money stands."""

    SENT = "sent"
    """At the bank of the payee: that of the payer has not said yet that it has it."""
    PENDING = "pending"
    PAYING = "paying"
    """The money is on its way to another bank."""
    PAID = "paid"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REFUSED = "refused"
    """The bank of the payer does not take it."""


class CollectMessage(StrEnum):
    """What can be said to a request for money, or happen to it."""

    APPROVE = "approve"
    DECLINE = "decline"
    CANCEL = "cancel"
    EXPIRE = "expire"
    HEAR = "hear"
    """The bank of the payer has it."""
    REFUSE = "refuse"
    """The bank of the payer does not take it."""
    SEND = "send"
    """Money for it sets out to another bank."""
    ARRIVE = "arrive"
    """The money is there."""
    FAIL = "fail"
    """The money has come back."""


class MandateState(StrEnum):
    """Where a mandate stands."""

    SENT = "sent"
    """At the bank of the payee: that of the payer has not said yet that it has it."""
    PENDING = "pending"
    ACTIVE = "active"
    PAUSED = "paused"
    DECLINED = "declined"
    REVOKED = "revoked"
    EXPIRED = "expired"
    COMPLETED = "completed"
    REFUSED = "refused"
    """The bank of the payer does not take it."""


class MandateMessage(StrEnum):
    """What can be said to a mandate, or happen to it."""

    APPROVE = "approve"
    DECLINE = "decline"
    EXPIRE = "expire"
    PAUSE = "pause"
    RESUME = "resume"
    REVOKE = "revoke"
    COMPLETE = "complete"
    HEAR = "hear"
    """The bank of the payer has it."""
    REFUSE = "refuse"
    """The bank of the payer does not take it."""


class DisputeState(StrEnum):
    """Where a dispute stands."""

    RAISED = "raised"
    CONTESTED = "contested"
    OWED = "owed"
    """Decided for the payer; the payee has not got the money to give back."""
    ACCEPTED = "accepted"
    CHARGED_BACK = "charged_back"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class DisputeMessage(StrEnum):
    """What can be said to a dispute."""

    CONTEST = "contest"
    ACCEPT = "accept"
    """The payee gives the money back."""
    REFUND = "refund"
    """Nothing is left to be given back."""
    CHARGE = "charge"
    """It is decided for the payer, and the money taken."""
    OWE = "owe"
    """It is decided for the payer, and there is no money to take."""
    REJECT = "reject"
    WITHDRAW = "withdraw"


COLLECT_ASKED = frozenset((CollectState.SENT, CollectState.PENDING))
"""States of a request that waits for its payer."""
COLLECT_OPEN = COLLECT_ASKED | {CollectState.PAYING}
MANDATE_ASKED = frozenset((MandateState.SENT, MandateState.PENDING))
"""States of a mandate that waits for its payer's approval."""
MANDATE_OPEN = MANDATE_ASKED | {MandateState.ACTIVE, MandateState.PAUSED}
DISPUTE_OPEN = frozenset((DisputeState.RAISED, DisputeState.CONTESTED, DisputeState.OWED))

_OVER, _LATE, _NO = Reason.REQUEST_OVER, Reason.REQUEST_EXPIRED, Reason.REQUEST_DECLINED
_NOT_YET = Reason.REQUEST_PENDING

_C = CollectState
_COLLECTS: dict[CollectState, tuple[CollectState | Reason, ...]] = {
    # APPROVE, DECLINE, CANCEL, EXPIRE, HEAR, REFUSE, SEND, ARRIVE, FAIL
    _C.SENT: (_NOT_YET, _C.DECLINED, _C.CANCELLED, _C.EXPIRED, _C.PENDING, _C.REFUSED,
              _C.PAYING, _NOT_YET, _C.SENT),
    _C.PENDING: (_C.PAID, _C.DECLINED, _C.CANCELLED, _C.EXPIRED, _C.PENDING, _C.PENDING,
                 _C.PAYING, _NOT_YET, _C.PENDING),
    _C.PAYING: (_NOT_YET, _OVER, _OVER, _C.PAYING, _C.PAYING, _C.PAYING,
                _C.PAYING, _C.PAID, _C.PENDING),
    _C.PAID: (_C.PAID, _OVER, _OVER, _C.PAID, _C.PAID, _C.PAID, _C.PAID, _C.PAID, _C.PAID),
    _C.DECLINED: (_NO, _C.DECLINED, _OVER, _C.DECLINED, _C.DECLINED, _C.DECLINED,
                  _NO, _NO, _C.DECLINED),
    _C.CANCELLED: (_OVER, _OVER, _C.CANCELLED, _C.CANCELLED, _C.CANCELLED, _C.CANCELLED,
                   _OVER, _OVER, _C.CANCELLED),
    _C.EXPIRED: (_LATE, _LATE, _LATE, _C.EXPIRED, _C.EXPIRED, _C.EXPIRED,
                 _LATE, _LATE, _C.EXPIRED),
    _C.REFUSED: (_OVER, _OVER, _OVER, _C.REFUSED, _C.REFUSED, _C.REFUSED,
                 _OVER, _OVER, _C.REFUSED),
}  # fmt: skip

_M = MandateState
_MANDATES: dict[MandateState, tuple[MandateState | Reason, ...]] = {
    # APPROVE, DECLINE, EXPIRE, PAUSE, RESUME, REVOKE, COMPLETE, HEAR, REFUSE
    _M.SENT: (_NOT_YET, _M.DECLINED, _M.EXPIRED, _NOT_YET, _NOT_YET, _M.REVOKED, _NOT_YET,
              _M.PENDING, _M.REFUSED),
    _M.PENDING: (_M.ACTIVE, _M.DECLINED, _M.EXPIRED, _NOT_YET, _NOT_YET, _M.REVOKED, _NOT_YET,
                 _M.PENDING, _M.PENDING),
    _M.ACTIVE: (_M.ACTIVE, _OVER, _M.ACTIVE, _M.PAUSED, _M.ACTIVE, _M.REVOKED, _M.COMPLETED,
                _M.ACTIVE, _M.ACTIVE),
    _M.PAUSED: (_M.PAUSED, _OVER, _M.PAUSED, _M.PAUSED, _M.ACTIVE, _M.REVOKED, _M.COMPLETED,
                _M.PAUSED, _M.PAUSED),
    _M.DECLINED: (_NO, _M.DECLINED, _M.DECLINED, _NO, _NO, _NO, _NO, _M.DECLINED, _M.DECLINED),
    _M.REVOKED: (_OVER, _OVER, _M.REVOKED, _OVER, _OVER, _M.REVOKED, _OVER,
                 _M.REVOKED, _M.REVOKED),
    _M.EXPIRED: (_LATE, _LATE, _M.EXPIRED, _LATE, _LATE, _LATE, _LATE, _M.EXPIRED, _M.EXPIRED),
    _M.COMPLETED: (_OVER, _OVER, _M.COMPLETED, _OVER, _OVER, _OVER, _M.COMPLETED,
                   _M.COMPLETED, _M.COMPLETED),
    _M.REFUSED: (_OVER, _OVER, _M.REFUSED, _OVER, _OVER, _OVER, _OVER, _M.REFUSED, _M.REFUSED),
}  # fmt: skip

_D = DisputeState
_DISPUTES: dict[DisputeState, tuple[DisputeState | Reason, ...]] = {
    # CONTEST, ACCEPT, REFUND, CHARGE, OWE, REJECT, WITHDRAW
    _D.RAISED: (_D.CONTESTED, _D.ACCEPTED, _D.ACCEPTED, _D.CHARGED_BACK, _D.OWED, _D.REJECTED,
                _D.WITHDRAWN),
    _D.CONTESTED: (_D.CONTESTED, _D.ACCEPTED, _D.ACCEPTED, _D.CHARGED_BACK, _D.OWED, _D.REJECTED,
                   _D.WITHDRAWN),
    _D.OWED: (_OVER, _D.ACCEPTED, _D.ACCEPTED, _D.CHARGED_BACK, _D.OWED, _OVER, _D.WITHDRAWN),
    _D.ACCEPTED: (_OVER, _D.ACCEPTED, _D.ACCEPTED, _OVER, _OVER, _OVER, _OVER),
    _D.CHARGED_BACK: (_OVER, _OVER, _D.CHARGED_BACK, _D.CHARGED_BACK, _OVER, _OVER, _OVER),
    _D.REJECTED: (_OVER, _OVER, _D.REJECTED, _OVER, _OVER, _D.REJECTED, _OVER),
    _D.WITHDRAWN: (_OVER, _OVER, _D.WITHDRAWN, _OVER, _OVER, _OVER, _D.WITHDRAWN),
}  # fmt: skip


COLLECT_STEPS = {
    (state, message): cell
    for state, cells in _COLLECTS.items()
    for message, cell in zip(CollectMessage, cells, strict=True)
}
MANDATE_STEPS = {
    (state, message): cell
    for state, cells in _MANDATES.items()
    for message, cell in zip(MandateMessage, cells, strict=True)
}
DISPUTE_STEPS = {
    (state, message): cell
    for state, cells in _DISPUTES.items()
    for message, cell in zip(DisputeMessage, cells, strict=True)
}
