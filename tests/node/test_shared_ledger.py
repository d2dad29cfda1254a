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
from support.shared_bank import Bank, balance
from support.wire import open_account

CODE = "10.77.7.7"
_TIMEOUT_S = 3.0

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
    bank.count(tmp_path, url)

    bank.work(seed=2)
    for _ in range(4):
        mariadb.kill_connections()
        bank.await_progress(50)
    bank.count(tmp_path, url)

    bank.work(seed=3)
    mariadb.kill()
    until(lambda: any("cannot be reached" in r for c in bank.clients for r in c.refusals), "away")
    mariadb.start()
    bank.await_progress(100)
    bank.restart(1)
    bank.await_progress(100)
    bank.count(tmp_path, url)
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
        bank.count(tmp_path, url)


def test_a_database_that_hangs_is_told_within_the_time_to_a_reply(
    bank: Bank, mariadb: MariaDb, url: str, tmp_path: Path
) -> None:
    bank.open(2)
    mariadb.freeze()
    try:
        for question in ("BA", "AC", f"AD {bank.accounts[0]} 5", f"AB {bank.accounts[0]}", "BN"):
            with bank.nodes[0].wire(deadline_s=30) as wire:
                began = time.monotonic()
                reply = wire.ask(question)
                assert reply.startswith("ER ")
                assert time.monotonic() - began < 3 * _TIMEOUT_S
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
