"""`bank scan`, `bank plan` and `bank demo`: the network from the shell."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from support import zoo
from support.nodes import bank_port, some_host
from support.processes import ROOT, environment, run_bank
from support.wire import Wire

TARGET = 1000


@pytest.fixture
def banks() -> Iterator[list[zoo.Peer]]:
    """Four banks: two that are fine, one with an absurd amount, one that never answers."""
    with ExitStack() as stack:
        opened = []
        for behaviour, balances in (
            ("orderly", (600,)),
            ("ends LF CR", (500, 100)),
            ("float amount", (1,)),
            ("mute", (1,)),
        ):
            host = some_host()
            accounts = {10001 + n: balance for n, balance in enumerate(balances)}
            opened.append(
                stack.enter_context(
                    zoo.bank(behaviour, host=host, port=bank_port(host), accounts=accounts)
                )
            )
        yield opened


def look(*arguments: object, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    return run_bank(*arguments, cwd=tmp_path)


def test_scan_tells_who_is_there_and_whom_a_plan_would_leave_out(banks, tmp_path):
    subnets = [f"{peer.host}/32" for peer in banks]
    done = look("scan", "--json", *subnets, tmp_path=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    found = {row["address"]: row for row in json.loads(done.stdout)["banks"]}
    assert set(found) == {peer.host for peer in banks[:3]}
    fine, odd, absurd = (found[peer.host] for peer in banks[:3])
    assert (fine["port"], fine["amount"], fine["clients"]) == (banks[0].port, 600, 1)
    assert fine["oddities"] == []
    assert (odd["amount"], odd["clients"]) == (600, 2)
    assert odd["oddities"]
    assert absurd["left_out"]


def test_scan_prints_a_table_that_no_bank_can_spoil(banks, tmp_path):
    done = look("scan", f"{banks[0].host}/32", tmp_path=tmp_path)
    assert done.returncode == 0
    assert banks[0].host in done.stdout
    assert "1 bank on 1 address in" in done.stdout


def test_plan_is_the_exact_one_and_names_the_banks_left_out(banks, tmp_path):
    subnets = [f"{peer.host}/32" for peer in banks]
    done = look("plan", TARGET, "--frontier", "--json", *subnets, tmp_path=tmp_path)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert {bank["address"] for bank in document["plan"]["banks"]} == {
        banks[0].host,
        banks[1].host,
    }
    assert document["plan"]["proven"]
    assert (document["plan"]["amount"], document["plan"]["clients"]) == (1200, 3)
    assert [point["clients"] for point in document["frontier"]] == [1, 3]
    assert banks[2].host in {each["address"] for each in document["left_out"]}


def test_a_plan_beyond_the_network_ends_with_code_1_and_what_there_is(banks, tmp_path):
    done = look("plan", 1201, f"{banks[0].host}/32", tmp_path=tmp_path)
    assert done.returncode == 1
    assert "hold only 600 in all" in done.stdout


def test_a_wrong_subnet_is_refused_before_anything_is_dialled(tmp_path):
    done = look("scan", "10.1.2.3/33", tmp_path=tmp_path)
    assert done.returncode == 2
    assert "10.1.2.3/33" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGINT for one process")
# A terminal that is closed sends the second one.
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGHUP])
def test_demo_opens_banks_that_work_together_and_leaves_nothing_behind(end, tmp_path):
    folder = tmp_path / "banks"
    process = subprocess.Popen(
        [sys.executable, "-m", "bank_node", "demo", "--banks", "2", "--port", "0",
         "--data", str(folder), "--quiet"],
        cwd=tmp_path,
        env=environment(PYTHONUNBUFFERED="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    try:
        assert process.stdout
        opened = process.stdout.readline()
        assert opened.startswith("2 banks are open: 127.0.0.1:")
        host, _, port = opened.split()[-1].partition(":")
        with Wire((host, int(port))) as wire:
            assert wire.ask("BC") == "BC 127.0.0.2"
            assert wire.ask("BN") != "BN 0"
        process.send_signal(end)
        out, err = process.communicate(timeout=120)
    finally:
        process.kill()
    assert (process.returncode, err) == (0, "")
    assert out.endswith("stopping\n")
    assert {each.name for each in folder.iterdir()} == {"127.0.0.1", "127.0.0.2"}
    assert ROOT.exists()
