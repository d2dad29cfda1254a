"""Transfers between hosts that lose sight of each other, or whose payer's bank sleeps for a while.

The hosts are network namespaces that the test makes itself; see support/netns.py.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from support.banks import BankProcess, assert_nothing_is_missing
from support.netns import Host, lan, requires_namespaces
from support.polling import until
from support.wire import Wire, open_account

__all__ = ["requires_namespaces"]

PORT = 65525
START = 100_000
TIMEOUT_S = "1"
PATIENCE_S = 30.0
LOAD = 2000
PULLED_AFTER = 50

pytestmark = pytest.mark.usefixtures("requires_namespaces")


class BankHost:
    """A host with a bank on it."""

    def __init__(self, host: Host, bank: BankProcess) -> None:
        self.host, self.bank = host, bank

    def wire(self) -> Wire:
        return self.host.inside(lambda: Wire((self.host.address, PORT), deadline_s=PATIENCE_S))

    def ask(self, line: str) -> str:
        with self.wire() as wire:
            return wire.ask(line)

    def open_transfers(self) -> int:
        report = self.bank.report()
        return report.open_transfers if report else -1

    def signal(self, number: int) -> None:
        assert self.bank.served is not None
        self.bank.served.process.send_signal(number)


class Pair:
    """The payer's bank and the payee's, which know each other."""

    def __init__(self, payer: BankHost, payee: BankHost) -> None:
        self.payer, self.payee = payer, payee
        with payer.wire() as wire:
            self.source = open_account(wire, START)
        with payee.wire() as wire:
            self.target = open_account(wire)
        hello = f"TR {self.source} {self.target} 0"
        until(lambda: payer.ask(hello).startswith("TR "), "the banks know each other", PATIENCE_S)
        until(lambda: not payer.open_transfers() + payee.open_transfers(), "the greeting is over")

    def begin(self, wire: Wire) -> None:
        """Asks for many transfers of 1 and reads no answer yet."""
        lines = f"TR {self.source} {self.target} 1\r\n" * LOAD
        # The bank takes no more than it can answer, so this may wait for the answers.
        threading.Thread(target=wire.send, args=(lines.encode(),), daemon=True).start()

    def count(self) -> int:
        """Waits for the end of all transfers, and counts; how much has arrived."""
        banks = [self.payer.bank, self.payee.bank]
        _, arrived = assert_nothing_is_missing(banks, START, within_s=PATIENCE_S)
        return arrived.total


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with ExitStack() as stack:
        hosts = stack.enter_context(lan(2))
        addresses = [host.address for host in hosts]
        opened = []
        for host in hosts:
            bank = BankProcess(
                tmp_path / host.address,
                host.address,
                addresses,
                port=PORT,
                prefix=host.command(),
                BANK_NETWORK_TIMEOUT=TIMEOUT_S,
            )
            stack.callback(bank.kill)
            bank.start()
            opened.append(BankHost(host, bank))
        yield Pair(*opened)


def test_a_cable_pulled_between_promise_and_commit_leaves_every_transfer_in_doubt_until_it_is_back(
    pair,
):
    with pair.payer.wire() as wire:
        pair.begin(wire)
        told = wire.lines(PULLED_AFTER)
        pair.payee.host.pull_the_cable()
        told += wire.lines(LOAD - len(told))
    in_doubt = pair.payee.open_transfers()
    assert in_doubt > 0, "the cable was pulled too early or too late"
    told.append(pair.payer.ask(f"TR {pair.source} {pair.target} 1"))
    assert told[-1].startswith("ER ")
    # A promise is neither carried out nor let go by the one who made it.
    assert pair.payee.open_transfers() == in_doubt
    pair.payee.host.plug_the_cable_in()
    arrived = pair.count()
    assert arrived == sum(line.endswith("committed") for line in told)
    assert arrived < LOAD


def test_promises_that_are_not_heard_of_are_given_up_by_the_payer_and_kept_by_the_payee(pair):
    # What the payer's bank says arrives; what the payee's bank answers does not.
    pair.payee.host.lose_the_route_to(pair.payer.host)
    assert pair.payer.ask(f"TR {pair.source} {pair.target} 7 lost").startswith("ER ")
    aborted = f"TS lost aborted {pair.source} {pair.target} 7"
    until(lambda: pair.payer.ask("TS lost") == aborted, "it was given up")
    assert pair.payer.ask("BA") == f"BA {START}"
    until(lambda: pair.payee.open_transfers() == 1, "the payee's bank has made its promise")
    assert pair.payee.ask("BA") == "BA 0"
    pair.payee.host.find_the_route_to(pair.payer.host)
    assert pair.count() == 0
    told = pair.payee.ask(f"TS {pair.payer.host.address}/lost")
    assert told.split()[2] == "aborted"


def test_a_bank_that_slept_beyond_the_time_out_while_it_was_asked_decides_everything_once(pair):
    with pair.payer.wire() as wire:
        pair.begin(wire)
        told = wire.lines(PULLED_AFTER)
        pair.payer.signal(signal.SIGSTOP)
        until(lambda: pair.payee.open_transfers() > 0, "promises were made")
        # A bank that comes back asks about its promises; the questions wait for the sleeper.
        pair.payee.bank.kill()
        pair.payee.bank.start()
        until(lambda: has_connected(pair.payee.host, pair.payer.host), "it has asked")
        pair.payer.signal(signal.SIGCONT)
        told += wire.lines(LOAD - len(told))
    arrived = pair.count()
    certain = sum(line.endswith("committed") for line in told)
    refused = sum(line.startswith("ER") and not is_open(line) for line in told)
    assert certain <= arrived <= LOAD - refused


def is_open(answer: str) -> bool:
    """Whether an answer says that nothing is known yet."""
    return "not decided yet" in answer or "outcome is unknown" in answer


def has_connected(one: Host, other: Host) -> bool:
    """Whether a host has a connection to the bank of another one, or is still making it."""
    told = one.run("cat", "/proc/net/tcp").stdout
    address = "".join(f"{int(part):02X}" for part in reversed(other.address.split(".")))
    return f"{address}:{PORT:04X}" in told
