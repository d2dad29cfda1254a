"""The counter where clients are served: what payments need to know of their bank."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from bank_node.banking.payments.limits import Moment, Rules, Terms
from bank_node.banking.payments.names import Merchant, make_vmid, open_vmid, payment_id
from bank_node.errors import Reason, Refused
from bank_node.protocol.payment_values import Vpa
from bank_node.security.signing import CodeKey
from bank_node.service.calls import Answer, Call, Ledger
from bank_node.service.flow import Attempt, Flow
from bank_node.service.newsroom import Newsroom
from bank_node.service.steps import Pins, Steps, Walk
from bank_node.telemetry.clock import Clock

if TYPE_CHECKING:
    # These know this module.
    from bank_node.service.payees import Around
    from bank_node.service.tickets import Session

_LOOPBACK = "127."


class Counter(Struct, frozen=True):
    """See the module."""

    handle: str
    currency: str
    rates: Mapping[str, str]
    """What 1 of other currencies costs in that of this bank."""
    rules: Rules
    ledger: Ledger
    pins: Pins
    code_key: CodeKey
    ids_key: bytes
    """The secret that ids of payments are made with."""
    vmids_key: bytes
    """The secret that merchants' tokens are made with."""
    clock: Clock
    day_of: Callable[[int], int]
    """Which day, counted from the year 1, a moment (in microseconds) is where the bank is."""
    new_salt: Callable[[], bytes]
    flow: Flow
    newsroom: Newsroom
    around: "Around"
    """The other banks that have payments."""
    may_be_overheard: bool = False
    """Whether PINs are taken over connections that others can read."""

    @property
    def capabilities(self) -> tuple[str, ...]:
        """What other banks are told of it."""
        words = f"handle={self.handle}", f"currency={self.currency}"
        return ("payments", *words, f"codekey={self.code_key.public}")

    def terms(self) -> Terms:
        """The rules, and what time it is."""
        now_us = self.clock.now_us()
        return Terms(Moment(now_us, self.day_of(now_us)), self.rules)

    def payment_id(self, account: int, reference: str) -> str:
        return payment_id(self.ids_key, self.handle, account, reference)

    def vmid(self, account: int, serial: int) -> str:
        return make_vmid(self.vmids_key, Merchant(account, serial))

    def merchant(self, vmid: str) -> Merchant:
        """Raises Refused(NO_SUCH_MERCHANT)."""
        return open_vmid(self.vmids_key, vmid)

    def own(self, vpa: Vpa) -> Vpa:
        """An address if it is of this bank. Raises Refused(VPA_FOREIGN)."""
        if vpa.handle != self.handle:
            raise Refused(Reason.VPA_FOREIGN, handle=self.handle)
        return vpa


def counter_of(call: Call) -> Counter:
    """The counter that a request is for; commands that need one are served only where one is."""
    assert call.bank.counter is not None, "a bank with payments has a counter"
    return call.bank.counter


def in_steps(
    steps: Callable[[Counter, Call], Steps],
    *,
    is_secret: bool = True,
    attempt: Callable[[Call], Attempt] | None = None,
) -> Callable[[Call, Callable[[Answer], None]], None]:
    """What answers a command by taking steps.

    One with a secret is refused on a connection that others can read (UNPROTECTED). Of one that
    is an `attempt` to pay, the operators are told when it is refused.
    """

    def later(call: Call, done: Callable[[Answer], None]) -> None:
        counter = counter_of(call)
        if is_secret and not counter.may_be_overheard and not is_protected(call.session):
            raise Refused(Reason.UNPROTECTED)
        details = call.bank.following.details
        told = _watched(counter.flow, attempt, call, done) if attempt else done
        Walk(steps(counter, call), counter.ledger, counter.pins, details, told).start(call.decide)

    return later


def _watched(
    flow: Flow,
    attempt: Callable[[Call], Attempt],
    call: Call,
    done: Callable[[Answer], None],
) -> Callable[[Answer], None]:
    def told(answer: Answer) -> None:
        if isinstance(answer, Refused):
            flow.refused(attempt(call), answer, asked_us(call))
        done(answer)

    return told


def asked_us(call: Call) -> int:
    """When a request was received."""
    clock = call.bank.clock
    return clock.now_us() - (clock.monotonic_ns() - call.started_ns) // 1000


def is_protected(session: "Session") -> bool:
    """Whether nobody on the way can read what a session says: it never leaves this machine."""
    return session.peer.startswith(_LOOPBACK)
