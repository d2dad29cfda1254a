"""What payments need of a node: secrets made of the bank's key, threads for PINs, the calendar."""

import logging
import os
import secrets
from datetime import datetime

from bank_node.banking.payments.abroad import Expect, parse_memo
from bank_node.banking.payments.limits import Rules
from bank_node.banking.payments.names import default_handle
from bank_node.config import Settings
from bank_node.ledger.operations import Operation
from bank_node.ledger.transfer_operations import Promise
from bank_node.ledger.writer import Writer
from bank_node.node.banks import own_code
from bank_node.node.machine import CLOCK
from bank_node.security.identity import Identity
from bank_node.security.pins import PROFILES, SALT_BYTES
from bank_node.security.signing import CodeKey
from bank_node.service.counter import Counter
from bank_node.service.flow import Flow
from bank_node.service.newsroom import Newsroom
from bank_node.service.payees import Around
from bank_node.service.steps import Pins
from bank_node.service.workers import Workers

_log = logging.getLogger(__name__)


def pin_threads() -> int:
    """One for each processor: a check is nothing but computing, outside of the interpreter."""
    return os.cpu_count() or 1


def handle_of(settings: Settings) -> str:
    """The end of all payment addresses of a bank."""
    return settings.payments.handle or default_handle(own_code(settings))


def open_counter(
    settings: Settings,
    identity: Identity,
    ledger: Writer,
    workers: Workers,
    around: Around,
    newsroom: Newsroom,
    flow: Flow,
) -> Counter:
    """The counter of a node with these settings and the key of its bank."""
    chosen = settings.payments
    if chosen.pins_in_the_open:
        _log.warning(
            "payments.pins_in_the_open is set: everybody on the way can read the PINs of clients"
        )
    if chosen.pin_profile != "standard":
        _log.warning("payments.pin_profile is light: stolen PINs could be guessed in no time")
    return Counter(
        handle=handle_of(settings),
        currency=chosen.currency,
        rules=Rules(
            per_payment=chosen.per_payment,
            per_day=chosen.per_day,
            new_client=chosen.new_client,
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
        ),
        ledger=ledger,
        pins=Pins(workers, identity.derive("pins"), PROFILES[chosen.pin_profile]),
        code_key=CodeKey(identity.derive("codes")),
        ids_key=identity.derive("ids of payments"),
        vmids_key=identity.derive("tokens of merchants"),
        clock=CLOCK,
        day_of=_day_of,
        new_salt=lambda: secrets.token_bytes(SALT_BYTES),
        newsroom=newsroom,
        flow=flow,
        around=around,
        may_be_overheard=chosen.pins_in_the_open,
    )


def expecting(operation: Operation, memo: str) -> Operation:
    """What a message of another bank asks for: with a memo, to expect a payment."""
    if not memo or not isinstance(operation, Promise):
        return operation
    return Expect(operation, parse_memo(memo), CLOCK.now_us())


def _day_of(us: int) -> int:
    """Which day a moment is where this machine is, counted from the year 1."""
    return datetime.fromtimestamp(us / 1e6).toordinal()
