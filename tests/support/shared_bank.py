"""Two nodes of one bank under load, and clients that know what the money must come to."""

import random
import threading
import time
from collections.abc import Callable
from pathlib import Path

from support.polling import until
from support.processes import Served, run_bank
from support.wire import Wire, open_account

_IN_FLIGHT = 8


class Client(threading.Thread):
    """Moves money in and out at whichever node serves, and keeps account of what it heard.

    `low` and `high` are what the account may hold: every answer that says yes or no moves both,
    one that says unknown, or none at all, only widens what lies between.
    """

    def __init__(self, node: Callable[[], Served], account: str, seed: int) -> None:
        super().__init__()
        self.account = account
        self._node = node
        self._draws = random.Random(seed)
        self._ends = threading.Event()
        self.low = self.high = 0
        self.acknowledged = self.unknown = 0
        self.refusals: set[str] = set()
        self.slowest_s = 0.0

    def run(self) -> None:
        while not self._ends.is_set():
            try:
                with self._node().wire(deadline_s=20) as wire:
                    while not self._ends.is_set():
                        self._round(wire)
            except (OSError, AssertionError):
                # The node is gone, and its successor is not there yet.
                self._ends.wait(0.02)

    def _round(self, wire: Wire) -> None:
        amounts = [self._draws.choice((1, 2, 3, -1)) for _ in range(_IN_FLIGHT)]
        lines = [f"A{'D' if n > 0 else 'W'} {self.account} {abs(n)}\r\n" for n in amounts]
        began = time.monotonic()
        answered = 0
        try:
            wire.send("".join(lines).encode())
            for amount in amounts:
                self._hear(amount, wire.line())
                answered += 1
        finally:
            for amount in amounts[answered:]:
                self._may_be(amount)
        self.slowest_s = max(self.slowest_s, time.monotonic() - began)

    def _hear(self, amount: int, reply: str) -> None:
        if reply in ("AD", "AW"):
            self.acknowledged += 1
            self.low += amount
            self.high += amount
        elif "outcome is unknown" in reply:
            self._may_be(amount)
        else:
            self.refusals.add(reply)

    def _may_be(self, amount: int) -> None:
        self.unknown += 1
        self.low += min(amount, 0)
        self.high += max(amount, 0)

    def end(self) -> None:
        self._ends.set()
        self.join(30)
        assert not self.is_alive()


class Bank:
    """Two nodes, and clients that work on them until the money is counted."""

    def __init__(self, start: Callable[[int], Served], patience_s: float = 20.0) -> None:
        """`start` starts node 1 or 2; `patience_s` is how long nothing may be booked."""
        self._start = start
        self._patience_s = patience_s
        self.nodes = [start(1), start(2)]
        self.accounts: list[str] = []
        self.clients: list[Client] = []
        self._before: dict[str, tuple[int, int]] = {}

    def open(self, count: int) -> None:
        for number in range(count):
            with self.nodes[number % 2].wire() as wire:
                self.accounts.append(open_account(wire))

    def work(self, seed: int) -> None:
        """Two clients for each account, one at either node."""
        self.clients = [
            Client(lambda index=index: self.nodes[index], account, seed * 1000 + number)
            for number, account in enumerate(self.accounts)
            for index in (0, 1)
        ]
        for client in self.clients:
            client.start()
        self.await_progress(200)

    def await_progress(self, more: int) -> None:
        """Waits until every node has acknowledged so many changes more."""
        for index in (0, 1):
            goal = self._acknowledged(index) + more
            until(
                lambda i=index, g=goal: self._acknowledged(i) >= g,
                "the load goes on",
                self._patience_s,
            )

    def _await_acknowledged(self, index: int, goal: int) -> None:
        reached = lambda: self._acknowledged(index) >= goal  # noqa: E731
        until(reached, f"node {index + 1} goes on", self._patience_s)

    def _acknowledged(self, index: int) -> int:
        return sum(client.acknowledged for client in self.clients[index::2])

    def restart(self, index: int) -> None:
        self.nodes[index].kill()
        self.nodes[index] = self._start(index + 1)

    def count(self, folder: Path, *urls: str) -> None:
        """Ends the clients and compares what both nodes say with what every client heard.

        The ledger is verified at each of these URLs.
        """
        for client in self.clients:
            client.end()
        total = 0
        for number, account in enumerate(self.accounts):
            pair = self.clients[2 * number : 2 * number + 2]
            balances = {balance(node, f"AB {account}") for node in self.nodes}
            assert len(balances) == 1
            (found,) = balances
            low, high = self._before.get(account, (0, 0))
            assert low + sum(c.low for c in pair) <= found <= high + sum(c.high for c in pair)
            self._before[account] = (found, found)
            total += found
        assert {balance(node, "BA") for node in self.nodes} == {total}
        assert {balance(node, "BN") for node in self.nodes} == {len(self.accounts)}
        for url in urls:
            told = run_bank("verify", "--json", cwd=folder, env={"BANK_STORE_URL": url})
            assert told.returncode == 0, told.stdout + told.stderr
            assert f'"total": {total}' in told.stdout


def balance(node: Served, question: str) -> int:
    with node.wire() as wire:
        return int(wire.ask(question).split()[1])
