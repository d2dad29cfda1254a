"""The bank workload of Jepsen: clients, a nemesis, and a checker that believes only the ledgers.

Every answer is counted as ok, fail or unknown. A fail is certain, an unknown may have happened:
what a client hears nothing about may be carried out long after it has let go.
"""

import json
import random
import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count, pairwise

from bank_node.ledger.entries import Kind
from bank_node.ledger.sqlite_files import read_journal
from bank_node.ledger.transfers import decode
from support.banks import BankProcess, assert_nothing_is_missing
from support.netns import Host
from support.wire import Wire, open_account

ACCOUNTS_OF_A_BANK = 4
MONEY_OF_AN_ACCOUNT = 500
_CLIENTS_OF_A_BANK = 3
_AMOUNT_MAX = 60
_REPLY_S = 6.0
# What says by itself that nothing is known. All other refusals are certain.
_NOT_KNOWN = re.compile(r"unknown|not decided yet|did not answer in time|internal error")

FAULTS = {
    "BANK_NETWORK_TIMEOUT": "1.5",
    "BANK_FAULTS_ENABLED": "true",
    "BANK_FAULTS_DROP": "0.02",
    "BANK_FAULTS_DELAY": "0.1",
    "BANK_FAULTS_DELAY_S": "2",
    "BANK_FAULTS_DUPLICATE": "0.1",
    "BANK_FAULTS_REORDER": "0.1",
}


@dataclass
class Operation:
    """A transfer that a client asked for."""

    name: str
    payer: str
    payee: str
    amount: int
    outcome: str = "unknown"
    reply: str = ""


@dataclass
class History:
    """What all clients did and heard."""

    operations: list[Operation] = field(default_factory=list)
    reads: int = 0
    problems: list[str] = field(default_factory=list)

    def outcomes(self) -> Counter[str]:
        return Counter(each.outcome for each in self.operations)


class Place:
    """A bank, and where its clients are."""

    def __init__(self, bank: BankProcess, host: Host | None) -> None:
        self.bank, self.host = bank, host
        self.accounts: list[str] = []
        self.is_frozen = False

    def inside(self, work: Callable[[], None]) -> None:
        """Calls a function where the sockets that it makes can reach the bank."""
        if self.host is None:
            work()
        else:
            self.host.inside(work)

    def furnish(self) -> None:
        def open_all() -> None:
            with self.bank.wire() as wire:
                self.accounts = [
                    open_account(wire, MONEY_OF_AN_ACCOUNT) for _ in range(ACCOUNTS_OF_A_BANK)
                ]

        self.inside(open_all)


class Client(threading.Thread):
    """Asks the bank that it sits beside for transfers from and to anywhere."""

    def __init__(
        self,
        place: Place,
        accounts: Sequence[str],
        history: History,
        names: Iterator[int],
        stop: threading.Event,
        seed: int,
    ) -> None:
        super().__init__(daemon=True)
        self._place, self._accounts, self._history = place, accounts, history
        self._names, self._stop_event = names, stop
        self._draw = random.Random(seed)
        self._wire: Wire | None = None
        self._seen: dict[str, dict[int, tuple[int, int]]] = {}

    def run(self) -> None:
        self._place.inside(self._work)

    def _work(self) -> None:
        while not self._stop_event.is_set():
            if self._draw.random() < 0.15:
                self._read()
            else:
                self._transfer()
        self._hang_up()

    def _transfer(self) -> None:
        payer, payee = self._draw.sample(self._accounts, 2)
        operation = Operation(
            f"j{next(self._names)}", payer, payee, self._draw.randint(1, _AMOUNT_MAX)
        )
        line = f"TR {payer} {payee} {operation.amount} {operation.name}"
        if not self._is_connected():
            return
        self._history.operations.append(operation)
        operation.reply = self._ask(line)
        if operation.reply == f"TR {operation.name} committed":
            operation.outcome = "ok"
        elif operation.reply.startswith("ER") and not _NOT_KNOWN.search(operation.reply):
            operation.outcome = "fail"
        elif self._draw.random() < 0.7 and self._is_connected():
            # The same again is the same transfer; only a yes tells anything, because the first
            # try may still be on its way.
            operation.reply = self._ask(line)
            if operation.reply == f"TR {operation.name} committed":
                operation.outcome = "ok"

    def _read(self) -> None:
        """The history of an account: its balances fit, and nothing that was read ever goes."""
        account = self._draw.choice(self._place.accounts)
        reply = self._ask(f"TH {account} 100") if self._is_connected() else ""
        if not reply.startswith("TH {"):
            return
        lines = json.loads(reply[3:])["entries"]
        self._history.reads += 1
        for later, earlier in pairwise(lines):
            if later["balance"] - later["amount"] != earlier["balance"]:
                self._history.problems.append(f"{account}: {later} does not follow {earlier}")
        told = {line["entry"]: (line["amount"], line["balance"]) for line in lines}
        if any(balance < 0 for _, balance in told.values()):
            self._history.problems.append(f"{account} was negative: {told}")
        before = self._seen.get(account, {})
        oldest = min(told, default=0)
        for entry, said in before.items():
            if entry >= oldest and told.get(entry) != said:
                self._history.problems.append(f"{account}: entry {entry} was {said} before")
        self._seen[account] = told

    def _is_connected(self) -> bool:
        if self._wire is None:
            try:
                self._wire = Wire((self._place.bank.host, self._place.bank.port),
                                  deadline_s=_REPLY_S)  # fmt: skip
            except OSError:
                self._stop_event.wait(0.05)
        return self._wire is not None

    def _ask(self, line: str) -> str:
        """The reply, empty if there was none."""
        assert self._wire is not None
        try:
            return self._wire.ask(line)
        except (OSError, AssertionError):
            self._hang_up()
            return ""

    def _hang_up(self) -> None:
        if self._wire is not None:
            self._wire.close()
            self._wire = None


class Nemesis:
    """Kills, freezes and cuts off, one thing after the other, each from one seed."""

    def __init__(self, places: Sequence[Place], seed: int) -> None:
        self._places = places
        self._draw = random.Random(seed)
        self.done: Counter[str] = Counter()

    def rage(self, seconds: float) -> None:
        give_up = time.monotonic() + seconds
        deeds = [self._kill, self._freeze]
        if all(place.host for place in self._places):
            deeds += [self._pull_the_cable, self._lose_a_route]
        while time.monotonic() < give_up:
            self._pause(0.1, 1.0)
            self._draw.choice(deeds)()

    def _pause(self, least: float, most: float) -> None:
        time.sleep(self._draw.uniform(least, most))

    def _kill(self) -> None:
        self.done["kill"] += 1
        bank = self._draw.choice(self._places).bank
        bank.kill()
        self._pause(0.0, 1.5)
        bank.start()

    def _freeze(self) -> None:
        """For longer than anybody waits for it, often."""
        self.done["freeze"] += 1
        served = self._draw.choice(self._places).bank.served
        assert served is not None
        served.process.send_signal(signal.SIGSTOP)
        self._pause(0.5, 4.0)
        served.process.send_signal(signal.SIGCONT)

    def _pull_the_cable(self) -> None:
        self.done["cable"] += 1
        host = self._draw.choice(self._places).host
        assert host is not None
        host.pull_the_cable()
        self._pause(0.5, 4.0)
        host.plug_the_cable_in()

    def _lose_a_route(self) -> None:
        """What one says does not arrive, what the other says does."""
        self.done["route"] += 1
        one, other = (place.host for place in self._draw.sample(list(self._places), 2))
        assert one is not None
        assert other is not None
        one.lose_the_route_to(other)
        self._pause(0.5, 4.0)
        one.find_the_route_to(other)


def run(places: Sequence[Place], seconds: float, seed: int) -> tuple[History, Nemesis]:
    """The whole workload; the banks run already and are healed at the end, without faults."""
    for place in places:
        place.furnish()
    accounts = [account for place in places for account in place.accounts]
    history, names, stop = History(), count(1), threading.Event()
    clients = [
        Client(place, accounts, history, names, stop, seed * 1000 + number)
        for number, place in enumerate(places * _CLIENTS_OF_A_BANK)
    ]
    nemesis = Nemesis(places, seed)
    for client in clients:
        client.start()
    try:
        nemesis.rage(seconds)
    finally:
        stop.set()
        for client in clients:
            client.join()
    for place in places:
        # The way of the faults ends with its process; a start takes up what it has left.
        place.bank.kill()
        place.bank.start(BANK_FAULTS_ENABLED="false")
    return history, nemesis


def check(places: Sequence[Place], history: History) -> None:
    """Everything that has to be true once all has healed."""
    money = len(places) * ACCOUNTS_OF_A_BANK * MONEY_OF_AN_ACCOUNT
    assert_nothing_is_missing([place.bank for place in places], money, within_s=60)
    assert not history.problems, history.problems[:5]
    left, arrived = booked(places)
    by_name = {each.name: each for each in history.operations}
    assert left.keys() | arrived.keys() <= by_name.keys()
    for name, operation in by_name.items():
        times = left[name], arrived[name]
        assert times in ((0, 0), (1, 1)), f"{operation} is booked {times} times"
        assert operation.outcome != "ok" or times == (1, 1), f"{operation} is lost"
        assert operation.outcome != "fail" or times == (0, 0), f"{operation} was carried out"
    expected = Counter({a: MONEY_OF_AN_ACCOUNT for place in places for a in place.accounts})
    for name in left:
        operation = by_name[name]
        expected[operation.payer] -= operation.amount
        expected[operation.payee] += operation.amount
    for place in places:
        assert balances(place) == {a: expected[a] for a in place.accounts}


def booked(places: Sequence[Place]) -> tuple[Counter[str], Counter[str]]:
    """How often each transfer has left an account, and arrived at one, as the journals say."""
    left, arrived = Counter[str](), Counter[str]()
    for place in places:
        for block in read_journal(place.bank.ledger):
            for entry, payload in block.payloads().items():
                kind, record = block.entry(entry).kind, decode(payload, entry)
                if kind in (Kind.TRANSFERRED, Kind.POSTED):
                    left[record.id] += 1
                if kind in (Kind.TRANSFERRED, Kind.CREDITED):
                    arrived[record.id] += 1
    return left, arrived


def balances(place: Place) -> dict[str, int]:
    found: dict[str, int] = {}

    def ask() -> None:
        with place.bank.wire() as wire:
            for account in place.accounts:
                found[account] = int(wire.ask(f"AB {account}").removeprefix("AB "))

    place.inside(ask)
    return found


def close(places: Sequence[Place]) -> None:
    for place in places:
        with suppress(ProcessLookupError):
            place.bank.kill()
