"""Whole nodes on hosts of their own in one subnet: found, cut off, found again, and nobody else.

The hosts are network namespaces that the test makes itself; see support/netns.py.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from support.netns import Host, lan, requires_namespaces
from support.polling import until
from support.processes import Served
from support.wire import Wire

__all__ = ["requires_namespaces"]

PATIENCE_S = 30.0
HOSTS = 4
PORT = 65525

pytestmark = pytest.mark.usefixtures("requires_namespaces")


class BankHost:
    """A host with a node on it."""

    def __init__(self, host: Host, served: Served) -> None:
        self.host = host
        self.served = served

    @property
    def address(self) -> str:
        return self.host.address

    def ask(self, line: str) -> str:
        """Asks the node from a client on the same host."""

        def ask() -> str:
            with Wire((self.address, PORT), deadline_s=15.0) as wire:
                return wire.ask(line)

        return self.host.inside(ask)


@pytest.fixture(scope="module")
def banks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[BankHost]]:
    """Nodes with the default subnet, the /24 of their address; each test plugs in what it pulls."""
    folder = tmp_path_factory.mktemp("hosts")
    with ExitStack() as stack:
        hosts = stack.enter_context(lan(HOSTS))
        yield [
            BankHost(
                host,
                stack.enter_context(
                    Served(
                        folder / host.address,
                        host.address,
                        port=PORT,
                        prefix=host.command(),
                        BANK_NETWORK_SUBNETS="[]",
                        BANK_NETWORK_TIMEOUT="3",
                    )
                ),
            )
            for host in hosts
        ]


def plan_counts(bank: BankHost, count: int) -> Callable[[], bool]:
    """Whether a plan of this bank counts so many banks."""
    return lambda: bank.ask("RP 9000000000000000000").endswith(f"banks counted: {count}.")


def figure(bank: BankHost, code: str) -> int:
    return int(bank.ask(code).removeprefix(f"{code} "))


def test_hosts_of_a_subnet_find_each_other_and_dial_nobody_outside(banks):
    first, *others = banks
    for bank in banks:
        account = bank.ask("AC").removeprefix("AC ")
        assert bank.ask(f"AD {account} 100") == "AD"
    until(plan_counts(first, HOSTS), "all banks are found", PATIENCE_S)
    # Other tests may have left accounts.
    clients = sum(figure(bank, "BN") for bank in banks)
    money = sum(figure(bank, "BA") for bank in banks)
    plan = f"only {clients} clients are harmed; {money} is taken."
    until(lambda: first.ask(f"RP {money}").endswith(plan), "all their money is planned", PATIENCE_S)
    account = others[0].ask("AC").removeprefix("AC ")
    assert first.ask(f"AD {account} 7") == "AD"
    assert others[0].ask(f"AB {account}") == "AB 7"
    looked_for = first.host.neighbours()
    assert {bank.address for bank in others} <= looked_for
    assert all(address.startswith("10.77.0.") for address in looked_for)
    assert first.ask("AB 10001/10.78.0.1").startswith("ER The bank 10.78.0.1 is outside")


def test_a_pulled_cable_is_noticed_and_a_plugged_one_found_again(banks):
    first, second, *_ = banks
    account = second.ask("AC").removeprefix("AC ")
    until(lambda: first.ask(f"AB {account}") == "AB 0", "the bank is found", PATIENCE_S)
    second.host.pull_the_cable()
    reply = first.ask(f"AD {account} 5")
    assert reply.startswith("ER ")
    until(
        lambda: first.ask(f"AB {account}").startswith("ER No bank answers at"),
        "the loss is noticed",
        PATIENCE_S,
    )
    second.host.plug_the_cable_in()
    until(lambda: first.ask(f"AB {account}").startswith("AB "), "it is found again", PATIENCE_S)
    booked = first.ask(f"AB {account}")
    assert booked == second.ask(f"AB {account}")
    assert booked == "AB 0" or (booked == "AB 5" and "the outcome is unknown" in reply)


def test_a_route_that_is_lost_one_way_loses_no_money_and_tells_no_lie(banks):
    first, second, *_ = banks
    account = second.ask("AC").removeprefix("AC ")
    until(lambda: first.ask(f"AB {account}") == "AB 0", "the bank is found", PATIENCE_S)
    # Requests arrive, replies do not.
    second.host.lose_the_route_to(first.host)
    replies = [first.ask(f"AD {account} 1") for _ in range(4)]
    assert all(reply.startswith("ER ") for reply in replies)
    second.host.find_the_route_to(first.host)
    until(lambda: first.ask(f"AB {account}").startswith("AB "), "found again", PATIENCE_S)
    booked = int(second.ask(f"AB {account}").removeprefix("AB "))
    assert booked <= sum("the outcome is unknown" in reply for reply in replies)
