"""Clients who move money from bank to bank and remember what they were told.

A client that hears nothing asks again, with the same id. An answer is yes, no, or none so far; a
refusal of a second try is no answer, because the first one may still be on its way.
"""

import itertools
import random
import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple

from bank_node.cli.child import Bank
from bank_node.errors import Reason
from bank_node.network.client import Client, Unreachable
from bank_node.protocol.messages import LANGUAGES, Catalogue

_AT_EACH_BANK = 16
_PAUSE_S = 0.25
_ATTEMPTS = 8
_AMOUNT_MAX = 50

# Answers after which nothing is known; what follows the first words names the transfer.
_NOT_KNOWN = tuple(
    "ER " + Catalogue(language).error_sentence(reason).partition("{")[0]
    for language in LANGUAGES
    for reason in (
        Reason.TRANSFER_PENDING,
        Reason.OUTCOME_UNKNOWN,
        Reason.TIMED_OUT,
        Reason.INTERNAL,
    )
)


class Asked(NamedTuple):
    """A transfer that a client wanted."""

    payer: str
    """The code of the bank that was asked, which is the payer's."""
    payee: str
    amount: int


class Tally:
    """Every transfer that was asked for, and what was told of it; for many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.asked: dict[str, Asked] = {}
        self.yes: set[str] = set()
        self.no: dict[str, str] = {}

    def wanted(self, name: str, asked: Asked) -> None:
        with self._lock:
            self.asked[name] = asked

    def told(self, name: str, no: str = "") -> None:
        """The answer for good: yes, or why not."""
        with self._lock:
            if no:
                self.no[name] = no
            else:
                self.yes.add(name)

    def counts(self) -> tuple[int, int, int]:
        """How many were told yes, how many no, and how many nothing so far."""
        with self._lock:
            yes, no = len(self.yes), len(self.no)
            return yes, no, len(self.asked) - yes - no


class Traffic:
    """Some clients at each bank, each on a thread of its own."""

    def __init__(self, network: Sequence[Bank], accounts: dict[str, list[str]]) -> None:
        """`accounts` are the accounts of each bank, as `<number>/<ip>`."""
        self.tally = Tally()
        self._accounts = accounts
        self._stop = threading.Event()
        # Two runs over the same ledgers must not use an id twice.
        self._run = f"{random.getrandbits(40):010x}"
        self._numbers = itertools.count(1)
        self._threads = [
            threading.Thread(target=self._serve, args=(bank,), daemon=True)
            for bank in network
            for _ in range(_AT_EACH_BANK)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Lets every client hear the answer that it waits for, and no more."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _serve(self, bank: Bank) -> None:
        client = _Persistent(bank.client, self._stop)
        try:
            while not self._stop.is_set():
                self._transfer(bank, client)
        finally:
            client.close()

    def _transfer(self, bank: Bank, client: "_Persistent") -> None:
        choice = random.choice
        payee = choice([each for host, owned in self._accounts.items() if host != bank.host
                        for each in owned])  # fmt: skip
        amount = random.randint(1, _AMOUNT_MAX)  # noqa: S311 - a show, not a secret
        name = f"{self._run}-{next(self._numbers)}"
        line = f"TR {choice(self._accounts[bank.host])} {payee} {amount} {name}"
        self.tally.wanted(name, Asked(bank.host, payee.partition("/")[2], amount))
        for attempt in range(_ATTEMPTS):
            reply = client.ask(line)
            if reply == f"TR {name} committed":
                self.tally.told(name)
                return
            is_final = reply.startswith("ER") and not reply.startswith(_NOT_KNOWN)
            if attempt and is_final:
                # A no to a later try is one only if the bank has written it down.
                is_final = client.ask(f"TS {name}").startswith(f"TS {name} aborted")
            if is_final:
                self.tally.told(name, no=reply)
                return
            self._stop.wait(_PAUSE_S)
            if self._stop.is_set():
                return


class _Persistent:
    """A connection that is made again when it is lost; nothing is sent twice by itself."""

    def __init__(self, connect: Callable[[], Client], stop: threading.Event) -> None:
        self._connect = connect
        self._stop = stop
        self._client: Client | None = None

    def ask(self, line: str) -> str:
        """The reply, empty when there was none."""
        try:
            if self._client is None:
                self._client = self._connect()
            return self._client.call(line)
        except Unreachable:
            self.close()
            self._stop.wait(_PAUSE_S)
            return ""

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
