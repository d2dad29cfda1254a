"""Which of the misbehaving banks a scan over real sockets finds, and what it does to them."""

import asyncio
import sys
from contextlib import ExitStack

import pytest
from support.nodes import WORKER
from support.zoo import BEHAVIOURS, bank

from bank_node.network.peers import Directory
from bank_node.network.reach import Reach
from bank_node.network.scanner import ScanLimits, Scanner

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux answers on all of 127.0.0.0/8"
)

PORT = 65533
NETWORK = f"127.78.{WORKER}"

# Those that never tell their code; the others are all banks.
NOT_FOUND = {
    "mute", "mute but acts", "hangs up", "resets", "resets mid reply", "long line",
    "endless line",
}  # fmt: skip


@pytest.fixture(scope="module")
def zoo():
    """The whole zoo after one scan: the banks by behaviour, the directory, the seconds."""

    async def scan():
        directory = Directory(f"{NETWORK}.1")
        reach = Reach(f"{NETWORK}.1", [f"{NETWORK}.0/26"])
        now = asyncio.get_running_loop().time
        end = await Scanner(reach, directory, ScanLimits(), now).scan()
        return directory, end

    with ExitStack() as stack:
        banks = {
            name: stack.enter_context(bank(name, host=f"{NETWORK}.{n}", port=PORT))
            for n, name in enumerate(BEHAVIOURS, 2)
        }
        directory, end = asyncio.run(scan())
        yield banks, directory, end


@pytest.mark.parametrize("name", BEHAVIOURS)
def test_every_bank_that_tells_its_code_in_whatever_way_is_found(name, zoo):
    banks, directory, _ = zoo
    peer = directory.verified(banks[name].host)
    assert (peer is None) == (name in NOT_FOUND)
    if peer:
        assert peer.port == PORT


def test_no_bank_was_asked_for_its_code_twice_or_anything_but_its_code_and_version(zoo):
    banks, _, _ = zoo
    for name, peer in banks.items():
        assert peer.received.count("BC") == 1, name
        assert set(peer.received) <= {"BC", "VE"}, name
        assert peer.received.count("VE") <= 1, name


def test_a_bank_that_is_plainly_not_ours_was_not_asked_what_it_may_hold_against_us(zoo):
    banks, directory, _ = zoo
    for name, peer in banks.items():
        row = directory.verified(peer.host)
        if row and row.oddities:
            assert "VE" not in peer.received, name


def test_the_slowest_of_them_costs_its_own_time_only(zoo):
    assert zoo[2].seconds < 8
