"""Processes as people start them: a leader is killed under load, its follower is promoted."""

import json
import random
import shutil
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from support.nodes import some_host
from support.polling import until
from support.processes import Served, run_bank
from support.wire import Wire, open_account

from bank_node.ledger.sqlite_files import verify_file

_CLIENTS = 3
_PIPELINE = 8


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def state(served: Served) -> dict[str, object]:
    with served.wire() as wire:
        return dict(json.loads(wire.ask("FS").removeprefix("FS ")))


class Depositor(threading.Thread):
    """Keeps a pipeline of deposits to its own account full until the node is gone."""

    def __init__(self, wire: Wire, account: str) -> None:
        super().__init__()
        self._wire, self.account = wire, account
        self.acknowledged = self.sent = 0

    def run(self) -> None:
        with suppress(ConnectionError, AssertionError, OSError):
            while True:
                self.sent += _PIPELINE
                self._wire.send(f"AD {self.account} 1\r\n".encode() * _PIPELINE)
                self.acknowledged += self._wire.lines(_PIPELINE).count("AD")
        self._wire.close()


@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_that_was_acknowledged_is_lost_when_the_leader_is_killed(
    stack: ExitStack, tmp_path: Path, seed: int
) -> None:
    host = some_host()
    first, second = tmp_path / "first", tmp_path / "second"
    waiting = {"BANK_REPLICATION_WAIT_FOR": "1"}
    leader = stack.enter_context(Served(first, host, **waiting))
    second.mkdir()
    shutil.copy(first / "identity.key", second)
    address = "{}:{}".format(*leader.address)
    follower = stack.enter_context(Served(second, host, "--follow", address))
    with leader.wire() as wire:
        accounts = [open_account(wire) for _ in range(_CLIENTS)]
    clients = [Depositor(leader.wire(), account) for account in accounts]
    for client in clients:
        client.start()
    goal = random.Random(seed).randrange(50, 1500)
    until(lambda: sum(each.acknowledged for each in clients) >= goal, "the load is under way", 30.0)
    leader.kill()
    for client in clients:
        client.join(60)
    where = "{}:{}".format(*follower.address)
    promoted = run_bank("promote", "--data", second, "--connect", where, cwd=tmp_path)
    assert (promoted.returncode, promoted.stderr) == (0, "")
    assert promoted.stdout == f"the bank {host} is led from here, in epoch 2\n"
    with follower.wire() as wire:
        for client in clients:
            found = int(wire.ask(f"AB {client.account}").split()[1])
            assert client.acknowledged <= found <= client.sent
        assert wire.ask(f"AD {accounts[0]} 1") == "AD"

    old = stack.enter_context(Served(first, host, port=leader.address[1]))
    with old.wire() as wire:
        assert where in wire.ask(f"AD {accounts[0]} 1")
    assert state(old)["role"] == "deposed"
    for each in (old, follower):
        each.terminate()
        assert each.ended()[0] == 0
    assert verify_file(second / "bank.db").total >= sum(each.acknowledged for each in clients)


def test_a_follower_that_is_stopped_can_be_promoted_too(stack: ExitStack, tmp_path: Path) -> None:
    host = some_host()
    first, second = tmp_path / "first", tmp_path / "second"
    leader = stack.enter_context(Served(first, host))
    second.mkdir()
    shutil.copy(first / "identity.key", second)
    address = "{}:{}".format(*leader.address)
    follower = stack.enter_context(Served(second, host, "--follow", address))
    refused = run_bank("promote", "--data", first, cwd=tmp_path)
    assert (refused.returncode, "is no follower" in refused.stderr) == (2, True)
    follower.stop()
    promoted = run_bank("promote", "--data", second, cwd=tmp_path)
    assert (promoted.returncode, promoted.stderr) == (0, "")
    again = stack.enter_context(Served(second, host, "--follow", address))
    assert (state(again)["role"], state(again)["epoch"]) == ("leader", 2)
    until(lambda: state(leader)["role"] == "deposed", "the old leader has heard")


def test_a_follower_without_the_key_of_the_bank_says_what_is_missing(
    stack: ExitStack, tmp_path: Path
) -> None:
    host = some_host()
    leader = stack.enter_context(Served(tmp_path / "first", host))
    address = "{}:{}".format(*leader.address)
    options = ("serve", "--data", tmp_path / "second", "--host", host, "--port", 0)
    ended = run_bank(*options, "--follow", address, cwd=tmp_path)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "copy identity.key" in ended.stderr
    shutil.copy(tmp_path / "first" / "identity.key", tmp_path / "second")
    ended = run_bank(*options, "--follow", f"{host}:1", cwd=tmp_path)
    assert (ended.returncode, "cannot be followed" in ended.stderr) == (2, True)
    ended = run_bank(*options, "--follow", "nowhere", cwd=tmp_path)
    assert (ended.returncode, "replication.follow" in ended.stderr) == (2, True)
