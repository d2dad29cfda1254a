"""What the settings of a bank mean for payments: its handle, its limits, its days.

Also what a message of another bank about a payment is to be taken for.
"""

from collections.abc import Callable
from datetime import datetime

from bank_node.banking.payments.abroad import Expect, parse_memo
from bank_node.banking.payments.limits import Moment, Rules, Terms
from bank_node.banking.payments.names import default_handle
from bank_node.config import Settings
from bank_node.ledger.operations import Operation
from bank_node.ledger.transfer_operations import Promise
from bank_node.node.banks import own_code
from bank_node.node.machine import CLOCK

_MINUTE_US = 60_000_000


def handle_of(settings: Settings) -> str:
    """The end of all payment addresses of a bank."""
    return settings.payments.handle or default_handle(own_code(settings))


def expecting(settings: Settings) -> Callable[[Operation, str], Operation]:
    """Makes of a message of another bank what it asks for: with a memo, to expect a payment."""
    rules, day_of = rules_of(settings), calendar(settings.payments.time_zone)

    def expect(operation: Operation, memo: str) -> Operation:
        if not memo or not isinstance(operation, Promise):
            return operation
        now_us = CLOCK.now_us()
        return Expect(operation, parse_memo(memo), Terms(Moment(now_us, day_of(now_us)), rules))

    return expect


def calendar(name: str) -> Callable[[int], int]:
    """Which day a moment is in a time zone, counted from the year 1; "" is that of this machine."""
    zone = None
    if name:
        from zoneinfo import ZoneInfo  # Most nodes keep the time of their machine.

        zone = ZoneInfo(name)

    # Every payment asks, and days begin with a minute everywhere. A tuple changes as a whole.
    latest = (-1, 0)

    def day_of(us: int) -> int:
        nonlocal latest
        minute, day = latest
        if us // _MINUTE_US != minute:
            day = datetime.fromtimestamp(us / 1e6, zone).toordinal()
            latest = (us // _MINUTE_US, day)
        return day

    return day_of


def rules_of(settings: Settings) -> Rules:
    """What a bank with these settings allows everybody."""
    chosen = settings.payments
    return Rules(
        per_payment=chosen.per_payment,
        per_day=chosen.per_day,
        new_client=chosen.new_client,
        merchant_per_day=chosen.merchant_per_day,
        payments_a_minute=chosen.per_minute,
        asking=chosen.asking,
        asking_s=chosen.asking_s,
        notice_s=chosen.mandate_notice_s,
        unasked=chosen.mandate_unasked,
        retries=chosen.mandate_retries,
        retry_s=chosen.mandate_retry_s,
        dispute_days=chosen.dispute_days,
        dispute_answer_s=chosen.dispute_answer_s,
        dispute_decide_s=chosen.dispute_decide_s,
        dispute_retry_s=chosen.dispute_retry_s,
        dispute_ask_s=chosen.dispute_ask_s,
    )
