"""Faults on purpose, brought to life around the transfers: their ledger, their post, their answers.

Nothing of this exists in a node whose settings do not ask for it.
"""

import asyncio
import ipaddress
import logging
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, cast

from bank_node.banking.transfers import faults
from bank_node.banking.transfers.faults import Fate, Fates, Odds, Trap
from bank_node.banking.transfers.flights import Order
from bank_node.config import Settings
from bank_node.errors import Reason, Refused, StartupError
from bank_node.ledger.operations import Done, Operation, Result
from bank_node.node.submissions import Ledger
from bank_node.protocol.transfer_messages import Messages, joined
from bank_node.service.calls import Answer, Call, Elsewhere, Transfers
from bank_node.values import BankCode

_log = logging.getLogger(__name__)

_OWN_NETWORKS = tuple(
    map(ipaddress.IPv4Network, ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
)
# What was handed to the kernel's door has left by then.
_LEFT_S = 0.1
_REPLY_SHARE = 0.9


class Faults:
    """What the settings of a node want to go wrong."""

    def __init__(self, settings: Settings) -> None:
        """Raises StartupError where faults could meet strangers."""
        wanted, network = settings.faults, settings.network
        self.is_on = wanted.enabled
        self._reply_s = network.timeout * _REPLY_SHARE
        draw = random.Random(wanted.seed).random  # noqa: S311 - chances that come again
        self._fates = Fates(Odds(), draw)
        self.adopt(settings)
        self._crash = Crash(Trap(wanted.crash_at, wanted.crash_after))
        if self.is_on:
            for address in filter(None, (network.host, network.code)):
                if not any(ipaddress.IPv4Address(address) in own for own in _OWN_NETWORKS):
                    raise StartupError(
                        f"faults.enabled is refused together with the public address {address}; "
                        "it is for 127.x.x.x and private networks"
                    )
            _log.warning("FAULTS ARE ON: this bank errs on purpose (%s)", describe(settings))

    def adopt(self, settings: Settings) -> None:
        """Takes over what an operator has changed; may be called from any thread."""
        wanted = settings.faults
        self._fates.cut = frozenset(wanted.cut)
        self._fates.odds = Odds(
            wanted.drop, wanted.delay, wanted.delay_s, wanted.duplicate, wanted.reorder
        )

    def ledger(self, ledger: Ledger) -> Ledger:
        """The ledger as transfers get to see it."""
        return FaultyLedger(ledger, self._crash) if self.is_on else ledger

    def post(self, carrier: Elsewhere) -> Elsewhere:
        """The way to other banks; called on the loop that will use it."""
        if not self.is_on:
            return carrier
        return FaultyPost(carrier, self._crash, self._fates, self._reply_s)

    def counter(self, transfers: Transfers) -> Transfers:
        """What clients and other banks come to for transfers."""
        return cast(Transfers, FaultyCounter(transfers, self._crash)) if self.is_on else transfers


def describe(settings: Settings) -> str:
    """The faults that can happen, in a few words."""
    wanted = settings.faults
    odds = {name: getattr(wanted, name) for name in ("drop", "delay", "duplicate", "reorder")}
    told = [f"{name} {share:g}" for name, share in odds.items() if share]
    if wanted.cut:
        told.append(f"no cable to {' and '.join(wanted.cut)}")
    if wanted.crash_at:
        told.append(f"crash at {wanted.crash_at}")
    return ", ".join(told) or "none is likely"


class Crash:
    """Ends the process at a point, as a power cut would."""

    def __init__(self, trap: Trap) -> None:
        self._trap = trap
        self.is_over = False
        """Whether the node is as good as dead: nothing may be written or sent any more."""

    def before(self, whats: Iterator[str], end: str) -> None:
        self._die(self._trap.springs("before", whats, end))

    def after_durable(self, whats: Iterator[str]) -> None:
        self._die(self._trap.springs("after", whats, "durable"))

    def after_sent(self, whats: Iterator[str]) -> None:
        """Dies when what was sent has left."""
        at = self._trap.springs("after", whats, "sent")
        if at:
            self.is_over = True
            threading.Thread(target=self._die, args=(at, _LEFT_S), daemon=True).start()

    def _die(self, at: str, after_s: float = 0.0) -> None:
        if at:
            time.sleep(after_s)
            _log.critical("crashing on purpose at %s", at)
            if hasattr(signal, "SIGKILL"):
                os.kill(os.getpid(), signal.SIGKILL)
            os._exit(137)


class FaultyLedger:
    """A ledger that its node may not live to hear of."""

    def __init__(self, ledger: Ledger, crash: Crash) -> None:
        self._ledger = ledger
        self._crash = crash

    def submit(self, operations: Sequence[Operation], done: Done) -> None:
        def durable(results: Sequence[Result]) -> None:
            # What was refused has written nothing.
            written = (o for o, r in zip(operations, results, strict=True) if not _refused(r))
            self._crash.after_durable(faults.durables(written))
            done(results)

        self._crash.before(faults.durables(iter(operations)), "durable")
        if not self._crash.is_over:
            self._ledger.submit(operations, durable)

    def call(self, operation: Operation) -> Result:
        return self._ledger.call(operation)


class FaultyPost:
    """A way to other banks on which lines about transfers get lost, late, doubled or overtaken.

    Deposits at banks that know nothing else are carried as they are: no bank sends one twice.
    """

    def __init__(self, carrier: Elsewhere, crash: Crash, fates: Fates, reply_s: float) -> None:
        self._carrier = carrier
        self._crash = crash
        self._fates = fates
        self._reply_s = reply_s
        self._loop = asyncio.get_running_loop()
        self._held: dict[BankCode, list[Callable[[], None]]] = {}

    def forward(
        self,
        bank: BankCode,
        line: bytes,
        trace: int,
        client: Any,
        done: Callable[[bytes | Refused], object],
    ) -> None:
        """See Elsewhere."""
        self._crash.before(faults.sent(line), "sent")
        if self._crash.is_over:
            return
        self._crash.after_sent(faults.sent(line))
        if self._crash.is_over:
            self._carrier.forward(bank, line, trace, client, _unheard)
        elif line.startswith(b"TM "):
            told = _Once(done)
            late = Refused(Reason.BANK_OUTCOME_UNKNOWN, bank=bank)
            self._loop.call_later(self._reply_s, told, late)
            fate = self._fates.next(bank)
            send = partial(self._send, fate, told, bank, line, trace, client)
            self._entrust(bank, fate, send)
        else:
            self._carrier.forward(bank, line, trace, client, done)

    def close(self) -> None:
        """See Elsewhere."""
        self._carrier.close()

    def _entrust(self, bank: BankCode, fate: Fate, send: Callable[[], None]) -> None:
        """Sends the copies of a line when it is time, and what was held back for it."""
        overtaken = self._held.pop(bank, [])
        for late_s in fate.copies:
            if fate.waits:
                self._held.setdefault(bank, []).append(send)
                self._loop.call_later(self._reply_s / 2, self._let_go, bank, send)
            elif late_s:
                self._loop.call_later(late_s, send)
            else:
                send()
        for each in overtaken:
            each()

    def _let_go(self, bank: BankCode, send: Callable[[], None]) -> None:
        """Nothing has overtaken a line for long enough."""
        held = self._held.get(bank, [])
        if send in held:
            held.remove(send)
            send()

    def _send(
        self, fate: Fate, told: "_Once", bank: BankCode, line: bytes, trace: int, client: Any
    ) -> None:
        def answered(answer: bytes | Refused) -> None:
            if isinstance(answer, Refused) or fate.answer == 0:
                told(answer)
            elif fate.answer is not None:
                self._loop.call_later(fate.answer, told, answer)

        try:
            self._carrier.forward(bank, line, trace, client, answered)
        except Refused as refused:
            self._loop.call_soon(told, refused)


class FaultyCounter:
    """Transfers whose node may not live to give its answers."""

    def __init__(self, transfers: Transfers, crash: Crash) -> None:
        self._transfers = transfers
        self._crash = crash

    def begin(self, call: Call, order: Order, done: Callable[[Answer], None]) -> None:
        """See Transfers."""
        self._transfers.begin(call, order, self._told(lambda: iter(("payer.reply",)), done))

    def receive(
        self, sender: BankCode, messages: Messages, signature: str, done: Callable[[Answer], None]
    ) -> None:
        """See Transfers."""
        told = self._told(partial(faults.answered, joined(messages)), done)
        self._transfers.receive(sender, messages, signature, told)

    def __getattr__(self, name: str) -> Any:
        # What only looks at transfers, or decides them by hand, passes no point.
        return getattr(self._transfers, name)

    def _told(
        self, whats: Callable[[], Iterator[str]], done: Callable[[Answer], None]
    ) -> Callable[[Answer], None]:
        def told(answer: Answer) -> None:
            self._crash.before(whats(), "sent")
            if not self._crash.is_over:
                self._crash.after_sent(whats())
                done(answer)

        return told


class _Once:
    """Tells one answer and forgets all later ones."""

    def __init__(self, done: Callable[[bytes | Refused], object]) -> None:
        self._done: Callable[[bytes | Refused], object] = done

    def __call__(self, answer: bytes | Refused) -> None:
        done, self._done = self._done, _unheard
        done(answer)


def _refused(result: Result) -> bool:
    return isinstance(result, Reason)


def _unheard(_answer: bytes | Refused) -> None:
    """Who hears an answer that came too late."""
