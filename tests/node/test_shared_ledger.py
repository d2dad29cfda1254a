"""Two nodes on one MariaDB survive any kill, and the money is counted each time."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from support.mariadb import MariaDb
from support.polling import until
from support.processes import Served, run_bank
from support.wire import Wire, open_account

CODE = "10.77.7.7"
_TIMEOUT_S = 3.0
_IN_FLIGHT = 8

Start = Callable[[int], Served]


@pytest.fixture
def url(mariadb: MariaDb) -> str:
    return mariadb.url(mariadb.new_database())


@pytest.fixture
def start(url: str, tmp_path: Path) -> Iterator[Start]:
    """Starts node number n of the bank, each on an address of its own."""
    with ExitStack() as stack:

        def start(number: int) -> Served:
            served = Served(
                tmp_path / f"node{number}",
                f"127.0.40.{number}",
                BANK_STORE_URL=url,
                BANK_NETWORK_CODE=CODE,
                BANK_NETWORK_TIMEOUT=str(_TIMEOUT_S),
            )
            return stack.enter_context(served)

        yield start


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

    def __init__(self, start: Start) -> None:
        self._start = start
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
            until(lambda i=index, g=goal: self._acknowledged(i) >= g, "the load goes on", 20)

    def _acknowledged(self, index: int) -> int:
        return sum(client.acknowledged for client in self.clients[index::2])

    def restart(self, index: int) -> None:
        self.nodes[index].kill()
        self.nodes[index] = self._start(index + 1)

    def count(self, url: str, folder: Path) -> None:
        """Ends the clients and compares what both nodes say with what every client heard."""
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
        told = run_bank("verify", "--json", cwd=folder, env={"BANK_STORE_URL": url})
        assert told.returncode == 0, told.stdout + told.stderr
        assert f'"total": {total}' in told.stdout


def balance(node: Served, question: str) -> int:
    with node.wire() as wire:
        return int(wire.ask(question).split()[1])


@pytest.fixture
def bank(start: Start) -> Bank:
    return Bank(start)


def test_both_nodes_answer_for_the_bank_and_see_each_others_accounts(bank: Bank) -> None:
    with bank.nodes[0].wire() as here, bank.nodes[1].wire() as there:
        assert [here.ask("BC"), there.ask("BC")] == [f"BC {CODE}"] * 2
        account = open_account(here, 100)
        assert account.endswith(f"/{CODE}")
        assert there.ask(f"AB {account}") == "AB 100"
        assert there.ask(f"AW {account} 30") == "AW"
        assert here.ask(f"AB {account}") == "AB 70"
        assert here.ask(f"AW {account} 71").startswith("ER ")
        assert there.ask(f"AW {account} 70") == "AW"
        assert here.ask(f"AR {account}") == "AR"
        assert there.ask(f"AB {account}") == here.ask(f"AB {account}")
        assert there.ask("BN") == "BN 0"
    for node in bank.nodes:
        node.stop()


def test_kills_of_nodes_database_and_connections_lose_nothing(
    bank: Bank, mariadb: MariaDb, url: str, tmp_path: Path
) -> None:
    bank.open(3)
    bank.work(seed=1)
    bank.restart(0)
    bank.await_progress(100)
    bank.count(url, tmp_path)

    bank.work(seed=2)
    for _ in range(4):
        mariadb.kill_connections()
        bank.await_progress(50)
    bank.count(url, tmp_path)

    bank.work(seed=3)
    mariadb.kill()
    until(lambda: any("cannot be reached" in r for c in bank.clients for r in c.refusals), "away")
    mariadb.start()
    bank.await_progress(100)
    bank.restart(1)
    bank.await_progress(100)
    bank.count(url, tmp_path)
    assert max(client.slowest_s for client in bank.clients) < _TIMEOUT_S + 1


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(5))
def test_many_kills_lose_nothing(
    bank: Bank, mariadb: MariaDb, url: str, tmp_path: Path, seed: int
) -> None:
    draws = random.Random(seed)
    bank.open(4)
    for round_ in range(15):
        bank.work(seed=seed * 100 + round_)
        what = draws.choice(("node", "node", "database", "connections", "hang"))
        if what == "node":
            bank.restart(draws.randrange(2))
        elif what == "database":
            mariadb.kill()
            mariadb.start()
        elif what == "hang":
            mariadb.freeze()
            threading.Event().wait(draws.random() * 3)
            mariadb.thaw()
        else:
            for _ in range(5):
                mariadb.kill_connections()
        bank.await_progress(50)
        bank.count(url, tmp_path)


def test_a_database_that_hangs_is_told_within_the_time_to_a_reply(
    bank: Bank, mariadb: MariaDb, url: str, tmp_path: Path
) -> None:
    bank.open(2)
    mariadb.freeze()
    try:
        for question in ("BA", "AC", f"AD {bank.accounts[0]} 5", f"AB {bank.accounts[0]}", "BN"):
            with bank.nodes[0].wire(deadline_s=_TIMEOUT_S + 1) as wire:
                began = time.monotonic()
                reply = wire.ask(question)
                assert reply.startswith("ER ")
                assert time.monotonic() - began < _TIMEOUT_S + 0.5
    finally:
        mariadb.thaw()
    with bank.nodes[0].wire() as wire:
        until(lambda: wire.ask("BN").startswith("BN "), "the database is back", 10)
        assert wire.ask("BC") == f"BC {CODE}"
    opened = balance(bank.nodes[0], "BN")
    assert opened in (2, 3)
    assert balance(bank.nodes[1], "BN") == opened
    assert balance(bank.nodes[1], "BA") in (0, 5)


def test_passwords_are_nowhere_in_logs_and_config(bank: Bank, url: str, tmp_path: Path) -> None:
    told = run_bank("config", cwd=tmp_path, env={"BANK_STORE_URL": url})
    logs = [path.read_text() for path in tmp_path.glob("node*/log/bank.log")]
    assert len(logs) == 2
    for text in (told.stdout, told.stderr, *logs):
        assert "%3A%40ss" not in text
        assert "p:@ss" not in text
