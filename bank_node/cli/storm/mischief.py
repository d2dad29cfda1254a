"""What is done to the banks: killed, frozen, cut off from each other; and how all is healed.

On top of that their messages get lost, late, doubled and overtaken all the time (docs/faults.md).
"""

import json
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import combinations

import click

from bank_node.cli.child import Bank
from bank_node.cli.op.entrance import Operator
from bank_node.cli.options import endpoint
from bank_node.config import OPERATOR_ADDRESS_FILE, OPERATOR_TOKEN_FILE
from bank_node.errors import BankError
from bank_node.security.tokens import read_token

SETTINGS = {
    "BANK_FAULTS_ENABLED": "true",
    "BANK_FAULTS_DROP": "0.005",
    "BANK_FAULTS_DELAY": "0.05",
    "BANK_FAULTS_DELAY_S": "2",
    "BANK_FAULTS_DUPLICATE": "0.05",
    "BANK_FAULTS_REORDER": "0.05",
    "BANK_NETWORK_TIMEOUT": "2",
    "BANK_LOG_TRAFFIC": "false",
}
_CALM = {"drop": "0.0", "delay": "0.0", "duplicate": "0.0", "reorder": "0.0", "cut": "[]"}

_PAUSE_S = (1.0, 4.0)
_KILLED_S = (0.3, 1.5)
# Mostly longer than any bank waits for another one.
_FROZEN_S = (0.5, 3.5)
_CUT_S = (1.0, 4.0)
_TICK_S = 0.1
_AGAIN_S = 0.5


@contextmanager
def entrance_of(bank: Bank) -> Iterator[Operator]:
    """The operator's port of a bank. Raises BankError, OSError or ClickException."""
    where = (bank.folder / OPERATOR_ADDRESS_FILE).read_text(encoding="ascii")
    operator = Operator(*endpoint(where), read_token(bank.folder / OPERATOR_TOKEN_FILE))
    try:
        yield operator
    finally:
        operator.close()


class Mischief:
    """Does harm on a thread of its own until it is told to heal everything."""

    def __init__(self, network: Sequence[Bank]) -> None:
        self._network = network
        self._stop = threading.Event()
        self._undo: list[tuple[float, Callable[[], bool]]] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.state = {bank.host: "serving" for bank in network}
        self.cut: set[frozenset[str]] = set()
        """Pairs of banks without a cable between them."""
        self.kills = {bank.host: 0 for bank in network}
        self.freezes = {bank.host: 0 for bank in network}
        self.cuts = 0

    def start(self) -> None:
        self._thread.start()

    def heal(self) -> None:
        """Ends all harm: every bank serves, every cable is plugged in, no message gets lost.

        Raises StartupError when a bank does not start any more.
        """
        self._stop.set()
        self._thread.join()
        for _, undo in self._undo:
            while not undo():
                time.sleep(_TICK_S)
        self._undo.clear()
        for bank in self._network:
            with entrance_of(bank) as operator:
                for key, value in _CALM.items():
                    operator.document("OH", key=f"faults.{key}", value=value)

    def _run(self) -> None:
        next_at = time.monotonic() + 1.0
        while not self._stop.wait(_TICK_S):
            now = time.monotonic()
            for due in [each for each in self._undo if each[0] <= now]:
                self._undo.remove(due)
                try:
                    is_undone = due[1]()
                except BankError:
                    # Tried again, in the end by `heal`, which says what is wrong.
                    is_undone = False
                if not is_undone:
                    self._undo.append((now + _AGAIN_S, due[1]))
            if now >= next_at:
                self._harm(now)
                next_at = now + _between(_PAUSE_S)

    def _harm(self, now: float) -> None:
        well = [bank for bank in self._network if self.state[bank.host] == "serving"]
        # One bank at least goes on, or there is nothing to see.
        kinds = [self._pull_a_cable]
        if len(well) > 1:
            kinds += [self._kill]
            if hasattr(signal, "SIGSTOP"):
                kinds += [self._freeze]
        random.choice(kinds)(well, now)  # noqa: S311 - a show, not a secret

    def _kill(self, well: list[Bank], now: float) -> None:
        bank = random.choice(well)  # noqa: S311 - a show, not a secret
        bank.kill()
        self.state[bank.host] = "killed"
        self.kills[bank.host] += 1

        def back() -> bool:
            bank.start()
            self.state[bank.host] = "serving"
            self._wire(bank)
            return True

        self._undo.append((now + _between(_KILLED_S), back))

    def _freeze(self, well: list[Bank], now: float) -> None:
        bank = random.choice(well)  # noqa: S311 - a show, not a secret
        bank.send(signal.SIGSTOP)
        self.state[bank.host] = "frozen"
        self.freezes[bank.host] += 1

        def thaw() -> bool:
            bank.send(signal.SIGCONT)
            self.state[bank.host] = "serving"
            return True

        self._undo.append((now + _between(_FROZEN_S), thaw))

    def _pull_a_cable(self, well: list[Bank], now: float) -> None:
        whole = [pair for pair in combinations(well, 2)
                 if frozenset(bank.host for bank in pair) not in self.cut]  # fmt: skip
        if not whole:
            return
        pair = random.choice(whole)  # noqa: S311 - a show, not a secret
        cable = frozenset(bank.host for bank in pair)
        self.cut.add(cable)
        self.cuts += 1
        for bank in pair:
            self._wire(bank)

        def plug_in() -> bool:
            # A frozen bank would let nobody in; a killed one comes back with what is true then.
            if any(self.state[host] == "frozen" for host in cable):
                return False
            self.cut.discard(cable)
            for bank in pair:
                if self.state[bank.host] == "serving":
                    self._wire(bank)
            return True

        self._undo.append((now + _between(_CUT_S), plug_in))

    def _wire(self, bank: Bank) -> None:
        """Tells a bank to whom it has no cable."""
        others = sorted(host for cable in self.cut if bank.host in cable
                        for host in cable if host != bank.host)  # fmt: skip
        with suppress(BankError, OSError, click.ClickException), entrance_of(bank) as operator:
            operator.document(
                "OH", key="faults.cut", value=json.dumps(others, separators=(",", ":"))
            )


def _between(bounds: tuple[float, float]) -> float:
    return random.uniform(*bounds)  # noqa: S311 - a show, not a secret
