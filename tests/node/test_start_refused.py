"""A node that cannot start says why on one line of stderr and exits with 2."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.processes import Served, run_bank


@pytest.fixture
def busy_port(host: str) -> Iterator[int]:
    with socket.create_server((host, 0)) as server:
        yield server.getsockname()[1]


def refusal(tmp_path: Path, *options: object) -> str:
    """The one line that a refused start writes."""
    ended = run_bank("serve", *options, cwd=tmp_path)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.count("\n") == 1, ended.stderr
    assert "Traceback" not in ended.stderr
    return ended.stderr


def test_a_port_in_use(tmp_path: Path, host: str, busy_port: int) -> None:
    told = refusal(tmp_path, "--data", tmp_path / "d", "--host", host, "--port", busy_port)
    assert f"{busy_port} of {host} is in use" in told


def test_an_address_of_another_machine(tmp_path: Path) -> None:
    told = refusal(tmp_path, "--data", tmp_path / "d", "--host", "192.0.2.1", "--port", 0)
    assert "192.0.2.1 is not an address of this machine" in told


def test_a_ledger_that_another_node_serves(
    tmp_path: Path, serve: Callable[..., Served], host: str
) -> None:
    first = serve()
    told = refusal(tmp_path, "--data", first.data, "--host", host, "--port", 0)
    assert "in use by another process" in told
    with first.wire() as wire:
        assert wire.ask("BN") == "BN 0"


def test_a_file_that_is_no_ledger(tmp_path: Path, host: str) -> None:
    (tmp_path / "bank.db").write_bytes(b"this is somebody's diary" * 100)
    told = refusal(tmp_path, "--data", tmp_path, "--host", host, "--port", 0)
    assert str(tmp_path / "bank.db") in told
    assert (tmp_path / "bank.db").read_bytes().startswith(b"this is somebody's diary")


def test_a_data_folder_that_cannot_be(tmp_path: Path, host: str) -> None:
    (tmp_path / "file").touch()
    refusal(tmp_path, "--data", tmp_path / "file" / "data", "--host", host, "--port", 0)


def test_a_refused_start_leaves_the_ledger_free(
    tmp_path: Path, serve: Callable[..., Served], host: str, busy_port: int
) -> None:
    refusal(tmp_path, "--data", tmp_path / "data", "--host", host, "--port", busy_port)
    with serve().wire() as wire:
        assert wire.ask("BN") == "BN 0"
