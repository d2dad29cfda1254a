"""An empty folder to type commands in, and ledgers to type them at."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from support.nodes import running_node, some_host
from support.processes import Served, run_bank
from support.wire import open_account

Bank = Callable[..., CompletedProcess[str]]


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    """Runs `bank` with arguments in an empty folder."""
    folder = tmp_path / "cwd"
    folder.mkdir()

    def run(
        *arguments: object, stdin: str = "", env: dict[str, str] | None = None
    ) -> CompletedProcess[str]:
        return run_bank(*arguments, cwd=folder, stdin=stdin, env=env)

    return run


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A bank that is being served by a process of its own."""
    with ExitStack() as stack:
        yield stack.enter_context(Served(tmp_path / "served", some_host()))


@pytest.fixture(scope="session")
def ledger_of_many_blocks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with 3 accounts, a total of 60, and a block for every request."""
    data = tmp_path_factory.mktemp("ledger")
    with running_node(data, log__traffic=False) as node, node.wire() as wire:
        accounts = [open_account(wire) for _ in range(3)]
        for _ in range(10):
            for account, amount in zip(accounts, (1, 2, 3), strict=True):
                assert wire.ask(f"AD {account} {amount}") == "AD"
    return data


@pytest.fixture
def ledger(ledger_of_many_blocks: Path, tmp_path: Path) -> Path:
    """A copy of that data folder, to do anything with."""
    return Path(shutil.copytree(ledger_of_many_blocks, tmp_path / "ledger"))
