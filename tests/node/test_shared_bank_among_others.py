"""One bank that is two nodes on one ledger, and another bank: payments, requests, news."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from support.nodes import some_host
from support.polling import until
from support.two_banks import ask, knows, serve, state


class Banks:
    """Prague, whose nodes are `one` and `two`, and Brno; `pa` has 1000, `sh` is a shop."""

    def __init__(self, folder, url, stack):
        code, second, brno = some_host(), some_host(), some_host()
        asking = {"payments__asking": "everybody"}
        shared = {"store__url": url, "network__code": code, **asking}
        self.one = stack.enter_context(serve(folder, code, [brno], "prague", **shared))
        (folder / second).mkdir()
        shutil.copy(folder / code / "identity.key", folder / second)
        self.two = stack.enter_context(serve(folder, second, [brno], "prague", **shared))
        self.brno = stack.enter_context(serve(folder, brno, [code], "brno", **asking))
        pairs = [(self.one, self.brno), (self.two, self.brno), (self.brno, self.one)]
        until(lambda: all(knows(*pair) for pair in pairs), "banks know each other", 30)
        self.account = ask(self.one, "PU pa@prague Pa 420777000001 2580").split()[1]
        assert ask(self.two, f"AD {self.account} 1000") == "AD"
        ask(self.brno, "PM sh@brno Sh 5411 420777000002 2580")

    def at_both(self, line):
        """The same line to both nodes at once; what they answer."""
        with ThreadPoolExecutor(2) as threads:
            return list(threads.map(lambda node: ask(node, line), (self.one, self.two)))


@pytest.fixture(scope="module")
def banks(mariadb, tmp_path_factory):
    with ExitStack() as stack:
        url = mariadb.url(mariadb.new_database())
        yield Banks(tmp_path_factory.mktemp("banks"), url, stack)


def test_a_payment_asked_for_at_both_nodes_is_made_once(banks):
    first, second = banks.at_both("PP pa@prague sh@brno 100 r1 2580")
    assert first == second
    assert first.startswith("PP PRA")
    until(lambda: ask(banks.brno, "PB sh@brno 2580") == "PB 100", "it has arrived", 20)
    assert ask(banks.one, f"AB {banks.account}") == "AB 900"


def test_a_request_approved_at_both_nodes_is_paid_once(banks):
    before = int(ask(banks.brno, "PB sh@brno 2580").split()[1])
    request = ask(banks.brno, "PC sh@brno pa@prague 70 bill 2580").split()[1]
    until(lambda: request in ask(banks.two, "PQ pa@prague 2580"), "it is on the list", 20)
    first, second = banks.at_both(f"PA pa@prague {request} 2580")
    assert first == second
    for bank in (banks.one, banks.two, banks.brno):
        until(lambda bank=bank: state(bank, request)["state"] == "paid", "it is paid", 20)
    assert ask(banks.brno, "PB sh@brno 2580") == f"PB {before + 70}"


def test_news_of_what_the_other_node_did_are_told_although_nobody_else_asks(banks):
    token = ask(banks.two, "PK pa@prague 2580").split()[1]
    cursor = json.loads(ask(banks.two, f"PE {token}")[3:])["cursor"]
    payment = ask(banks.one, "PP pa@prague sh@brno 3 n1 2580").split()[1]
    until(lambda: state(banks.one, payment)["state"] == "success", "it has arrived", 20)
    assert payment in ask(banks.two, f"PE {token} {cursor}")
