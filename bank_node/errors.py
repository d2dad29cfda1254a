"""The one error tree: whose fault it is, whether it may be tried again, what is told outside.

A `Reason` is the stable name of a refusal; its sentence in each language is in
`protocol/messages.py`. Nothing else in the house invents error texts for the wire.
"""

from enum import Enum


class Reason(Enum):
    """Why a request was refused. The value is the key of the message catalogue."""

    # The form of a line and of its arguments.
    UNKNOWN_COMMAND = "unknown_command"
    LINE_TOO_LONG = "line_too_long"
    NOT_TEXT = "not_text"
    ARGUMENT_COUNT = "argument_count"
    ACCOUNT_FORMAT = "account_format"
    AMOUNT_FORMAT = "amount_format"
    CODE_FORMAT = "code_format"
    POSITION_FORMAT = "position_format"
    WORD_FORMAT = "word_format"
    FIELD_FORMAT = "field_format"
    FIELD_UNKNOWN = "field_unknown"
    FIELD_TWICE = "field_twice"
    FIELD_MISSING = "field_missing"
    TRANSFER_ID_FORMAT = "transfer_id_format"
    TRANSFER_MESSAGE_FORMAT = "transfer_message_format"
    VPA_FORMAT = "vpa_format"
    MOBILE_FORMAT = "mobile_format"
    PIN_FORMAT = "pin_format"
    CATEGORY_FORMAT = "category_format"
    REFERENCE_FORMAT = "reference_format"
    PAYMENT_ID_FORMAT = "payment_id_format"
    PAYMENT_AMOUNT = "payment_amount"
    TEXT_FORMAT = "text_format"
    PAYEE_FORMAT = "payee_format"
    FROZEN_FORMAT = "frozen_format"
    DISPUTE_FORMAT = "dispute_format"
    RECURRENCE_FORMAT = "recurrence_format"
    DATE_FORMAT = "date_format"
    AMOUNT_RULE_FORMAT = "amount_rule_format"
    ANSWER_FORMAT = "answer_format"
    SECONDS_FORMAT = "seconds_format"

    # Accounts.
    NO_SUCH_ACCOUNT = "no_such_account"
    NO_FREE_ACCOUNT = "no_free_account"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    ACCOUNT_LIMIT = "account_limit"
    BANK_LIMIT = "bank_limit"
    ACCOUNT_NOT_EMPTY = "account_not_empty"
    ACCOUNT_IN_TRANSFER = "account_in_transfer"
    ACCOUNT_GUARDED = "account_guarded"

    # The ledger and its proofs.
    NO_SUCH_ENTRY = "no_such_entry"
    NO_SUCH_SIZE = "no_such_size"
    NO_SUCH_HEAD = "no_such_head"
    NO_SUCH_BLOCK = "no_such_block"

    # Other banks.
    NOT_FORWARDED = "not_forwarded"
    OUT_OF_REACH = "out_of_reach"
    NOT_OURS = "not_ours"
    BANK_NOT_FOUND = "bank_not_found"
    BANK_SILENT = "bank_silent"
    BANK_BUSY = "bank_busy"
    BANK_OUTCOME_UNKNOWN = "bank_outcome_unknown"
    BANK_REFUSED = "bank_refused"
    TARGET_TOO_HIGH = "target_too_high"
    NOT_SIGNED = "not_signed"
    MESSAGES_REFUSED = "messages_refused"
    ANSWER_NOT_SIGNED = "answer_not_signed"
    NO_SUCH_KEY = "no_such_key"

    # Transfers.
    NO_SUCH_PAYEE = "no_such_payee"
    SAME_ACCOUNT = "same_account"
    DEBIT_CAP = "debit_cap"
    TOO_MANY_PROMISES = "too_many_promises"
    TRANSFER_ID_TAKEN = "transfer_id_taken"
    TRANSFER_PENDING = "transfer_pending"
    TRANSFER_UNKNOWN = "transfer_unknown"
    TRANSFER_COMMITTED = "transfer_committed"
    TRANSFER_ABORTED = "transfer_aborted"
    NO_SUCH_TRANSFER = "no_such_transfer"
    TRANSFER_UNDECIDED = "transfer_undecided"
    NOT_IN_DOUBT = "not_in_doubt"

    # Clients, their addresses and PINs.
    VPA_TAKEN = "vpa_taken"
    VPA_FOREIGN = "vpa_foreign"
    NO_SUCH_ADDRESS = "no_such_address"
    NO_SUCH_PROVIDER = "no_such_provider"
    NO_SUCH_MERCHANT = "no_such_merchant"
    NO_SUCH_CLIENT = "no_such_client"
    TOO_MANY_ACCOUNTS = "too_many_accounts"
    PIN_TOO_EASY = "pin_too_easy"
    WRONG_PIN = "wrong_pin"
    PIN_LOCKED = "pin_locked"
    UNPROTECTED = "unprotected"
    FROZEN = "frozen"
    PAYEE_FROZEN = "payee_frozen"
    HELD_BY_BANK = "held_by_bank"
    TOKEN_REFUSED = "token_refused"  # noqa: S105

    # Payments.
    NOT_ENOUGH_MONEY = "not_enough_money"
    LIMIT_OF_PAYMENT = "limit_of_payment"
    LIMIT_OF_DAY = "limit_of_day"
    LIMIT_OF_NEW_CLIENT = "limit_of_new_client"
    LIMIT_OF_MERCHANT = "limit_of_merchant"
    TOO_MANY_PAYMENTS = "too_many_payments"
    REFERENCE_TAKEN = "reference_taken"
    NO_SUCH_PAYMENT = "no_such_payment"
    URI_REFUSED = "uri_refused"
    PROVIDER_DOWN = "provider_down"
    PROVIDER_APART = "provider_apart"
    PAYER_BANK_DOWN = "payer_bank_down"
    PAYEE_CHANGED = "payee_changed"
    PAYMENT_PENDING = "payment_pending"
    PAYMENT_REVERTED = "payment_reverted"
    RISK = "risk"
    OTHER_CURRENCY = "other_currency"

    # Refunds, disputes, requests for money, mandates.
    NOT_REFUNDABLE = "not_refundable"
    REFUND_TOO_MUCH = "refund_too_much"
    NOT_DISPUTABLE = "not_disputable"
    DISPUTE_LATE = "dispute_late"
    TOO_MUCH_SAID = "too_much_said"
    ASKING_OFF = "asking_off"
    NO_SUCH_REQUEST = "no_such_request"
    REQUEST_PENDING = "request_pending"
    REQUEST_DECLINED = "request_declined"
    REQUEST_EXPIRED = "request_expired"
    REQUEST_OVER = "request_over"
    TERMS_CHANGED = "terms_changed"
    TOO_MANY_REQUESTS = "too_many_requests"
    NO_SUCH_DAY = "no_such_day"
    AMOUNT_RULE = "amount_rule"

    # Operators.
    TOKEN_FIRST = "token_first"  # noqa: S105
    TOKEN_WRONG = "token_wrong"  # noqa: S105
    LOCKED_OUT = "locked_out"
    READ_ONLY = "read_only"
    DRAINING = "draining"
    NOT_LIVE = "not_live"
    SETTING_WRONG = "setting_wrong"
    REPLY_TOO_LONG = "reply_too_long"
    ALREADY_RUNNING = "already_running"
    NOT_HERE = "not_here"

    # The nodes of one bank.
    NOT_LEADER = "not_leader"
    NOT_THIS_BANK = "not_this_bank"
    HISTORIES_PART = "histories_part"
    NO_FOLLOWER = "no_follower"
    FOLLOWER_FAILED = "follower_failed"

    # The state of the node.
    TOO_BUSY = "too_busy"
    TOO_MANY_CONNECTIONS = "too_many_connections"
    STOPPING = "stopping"
    STORE_FULL = "store_full"
    STORE_FAILED = "store_failed"
    STORE_AWAY = "store_away"
    TIMED_OUT = "timed_out"
    OUTCOME_UNKNOWN = "outcome_unknown"
    INTERNAL = "internal"


class BankError(Exception):
    """Root of every error that this package raises on purpose."""


class Refused(BankError):
    """The caller's request cannot be done and nothing was booked; repeating it is useless."""

    def __init__(self, reason: Reason, **details: object) -> None:
        super().__init__(reason.value, details)
        self.reason = reason
        self.details = details


class StartupError(BankError):
    """The node cannot start. `str(error)` is one line for the operator; the exit code is 2."""


class StoreError(BankError):
    """The store could not make a batch durable; the batch is not in the ledger.

    `final` says that the store must not be written to again by this process: after a failed
    fsync nobody knows what the disk holds, so only a restart, which reads it back, may go on.
    """

    def __init__(self, message: str, *, reason: Reason, final: bool) -> None:
        super().__init__(message)
        self.reason = reason
        self.final = final


class OutcomeUnknown(StoreError):
    """The store failed at a moment that leaves open whether the batch is durable."""

    def __init__(self, message: str, *, final: bool = True) -> None:
        super().__init__(message, reason=Reason.OUTCOME_UNKNOWN, final=final)


class Conflict(BankError):
    """Another writer was faster: the batch is certainly not booked and may be decided again."""


class CorruptLedger(BankError):
    """The stored ledger contradicts itself; `height` is the first block that does not fit."""

    def __init__(self, message: str, *, height: int | None = None) -> None:
        super().__init__(message)
        self.height = height
