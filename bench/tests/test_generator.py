"""The generator against a node whose money can be counted."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.ground import the_ground

from bench.bank_server import Bank, RunningBank, naive_bank
from bench.errors import BenchError
from bench.generator import Generator, Load, Target
from bench.workbench import Workbench

ACCOUNTS = 20


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    folder = tmp_path_factory.mktemp("bench")
    with the_ground():
        yield Workbench(
            generator=Generator(folder),
            folder=folder,
            seconds=0.2,
            warmup_s=0.1,
            rounds=1,
            accounts=ACCOUNTS,
            say=lambda _: None,
        )


@pytest.fixture
def node(bench: Workbench) -> Bank:
    return naive_bank(bench)


@pytest.fixture
def bank(node: Bank, tmp_path: Path) -> Iterator[RunningBank]:
    with node.running(tmp_path) as running:
        node.open_accounts(running)
        yield running


def test_every_opened_account_is_written_down_once(bank: RunningBank) -> None:
    accounts = bank.target.accounts.read_text().split()
    assert len(accounts) == len(set(accounts)) == ACCOUNTS


@pytest.mark.parametrize("in_flight", [1, 7])
def test_acknowledged_deposits_are_the_total_of_the_bank(
    node: Bank, bank: RunningBank, in_flight: int
) -> None:
    load = Load("ad", connections=5, in_flight=in_flight)
    result = node.bench.generator.run(bank.target, load, seconds=0.3, warmup_s=0.1)
    assert bank.ask("BA") == f"BA {result.acknowledged_total}"
    assert 0 < result.requests < result.acknowledged_total
    assert 0 < result.p50_us <= result.p99_us <= result.max_us


def test_a_count_of_requests_is_kept_exactly(node: Bank, bank: RunningBank) -> None:
    load = Load("ad", connections=3, in_flight=4, requests=101, sequential=True)
    result = node.bench.generator.run(bank.target, load, seconds=20)
    assert result.requests == result.acknowledged_total == 101
    assert result.seconds < 20


def test_idle_connections_are_asked_before_and_after(node: Bank, bank: RunningBank) -> None:
    load = Load("ab", connections=2, idle_connections=150)
    result = node.bench.generator.run(bank.target, load, seconds=0.2)
    assert (result.idle_served, result.idle_answered_after) == (150, 150)
    assert (result.idle_refused, result.idle_lost) == (0, 0)


def test_wrong_replies_yield_no_figure(node: Bank, bank: RunningBank) -> None:
    bank.target.accounts.write_text("99999/127.0.0.1\n")
    with pytest.raises(BenchError, match="ER no such account"):
        node.bench.generator.run(bank.target, Load("ab"), seconds=0.1)


def test_a_node_that_forgets_money_yields_no_figure(node: Bank, bank: RunningBank) -> None:
    bank.deposited = 1
    with pytest.raises(BenchError, match="deposits of 1 were acknowledged, but: BA"):
        node.load(bank, Load("ad", connections=2))


def test_a_server_that_closes_at_once_ends_the_run(bench: Workbench, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        target = Target("bank", "127.0.0.1", server.getsockname()[1], tmp_path / "none")
        threading.Thread(target=_accept_and_close, args=(server, 4), daemon=True).start()
        load = Load("bc", connections=4)
        result = bench.generator.run_unchecked(target, load, seconds=30)
    assert (result.lost, result.unanswered, result.requests) == (4, 4, 0)


def test_nobody_there_is_an_error_with_a_reason(bench: Workbench, tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        target = Target("bank", "127.0.0.1", unused.getsockname()[1], tmp_path / "none")
        with pytest.raises(BenchError, match="cannot connect: Connection refused"):
            bench.generator.run(target, Load("bc"), seconds=1)


def test_a_whole_measurement_leaves_nothing_behind(bench: Workbench) -> None:
    bench = replace(bench, accounts=3)
    with naive_bank(bench).ready(Load("ad", connections=2)) as measure:
        assert measure().rate > 0
    assert not list(bench.folder.glob("bank-*"))


def _accept_and_close(server: socket.socket, count: int) -> None:
    for _ in range(count):
        connection, _ = server.accept()
        # Reading first keeps the close orderly; unread bytes would make it a reset.
        connection.recv(100)
        connection.close()
