"""`bank machine`: a till says PAID, an ATM moves cash once, and neither believes in what is not."""

import json
import subprocess
import threading
from contextlib import ExitStack, suppress
from queue import Empty, SimpleQueue

import pytest
from support.nodes import bank_port, some_host
from support.polling import until
from support.processes import Served, environment
from support.spawning import PROGRAM, spawn

from cli.test_call import at
from cli.test_payments import join

_TOWNS = ("prague", "brno")


class Machine:
    """A `bank machine` process, whose output is read as it comes."""

    def __init__(self, folder, *arguments):
        self.process = spawn(
            [*PROGRAM, "machine", *map(str, arguments)],
            cwd=folder, env=environment(), bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self._lines = SimpleQueue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self._lines.put(line.rstrip("\n"))

    def type(self, *lines):
        self.process.stdin.write("".join(line + "\n" for line in lines))
        self.process.stdin.flush()

    def until(self, *words):
        """The first line that has one of these words in it."""
        seen = []
        try:
            while True:
                seen.append(self._lines.get(timeout=20))
                if any(word in seen[-1] for word in words):
                    return seen[-1]
        except Empty:
            raise AssertionError(f"never said {words}: {seen[-5:]}") from None

    def end(self):
        self.process.stdin.close()
        return self.process.wait(60)


@pytest.fixture
def machine(tmp_path):
    machines = []

    def start(*arguments):
        machines.append(Machine(tmp_path, *arguments))
        return machines[-1]

    yield start
    for each in machines:
        each.process.kill()
        each.process.wait()
        each.reader.join(60)
        each.process.stdout.close()
        with suppress(BrokenPipeError):
            each.process.stdin.close()


@pytest.fixture
def towns(tmp_path):
    """Two banks that know each other."""
    hosts = [some_host(), some_host()]
    with ExitStack() as stack:
        banks = [
            stack.enter_context(
                Served(
                    tmp_path / town, host, port=bank_port(host), BANK_PAYMENTS_HANDLE=town,
                    BANK_NETWORK_SUBNETS=json.dumps([f"{each}/32" for each in hosts]),
                    BANK_NETWORK_SCAN_EVERY="0.5", BANK_PAYMENTS_PIN_PROFILE="light",
                )
            )
            for host, town in zip(hosts, _TOWNS, strict=True)
        ]  # fmt: skip
        yield banks


def test_a_till_says_paid_when_a_client_of_another_bank_has_paid_its_code(bank, towns, machine):
    prague, brno = towns
    payer = join(bank, prague, "prague", "alice")
    shop = join(bank, brno, "brno", "shop", "--category", "5411", what="merchant")
    assert prague.ask(f"AD {payer['account']} 5000") == "AD"
    till = machine("till", "--amount", "12.50", *at(brno))
    till.type(shop["token"])
    uri = till.until("upi://pay")
    assert "█" in till.until("upi://", "to pay") or "12.50" in uri
    until(lambda: prague.ask("PR shop@brno").startswith("PR"), "the banks know each other", 20)
    paid = bank("pay", uri, "--from", "alice@prague", *at(prague), stdin="2580\n")
    assert paid.returncode == 0, paid.stdout + paid.stderr
    assert "PAID 12.50 by alice@prague" in till.until("PAID")
    assert till.end() == 0
    assert prague.ask(f"AB {payer['account']}") == "AB 3750"
    until(lambda: brno.ask(f"AB {shop['account']}") == "AB 1250", "the shop has the money")


def test_a_till_that_loses_its_bank_says_so_and_misses_nothing(bank, tmp_path, machine):
    host, folder = some_host(), tmp_path / "bank"
    port = bank_port(host)
    settings = {"BANK_PAYMENTS_HANDLE": "brno", "BANK_PAYMENTS_PIN_PROFILE": "light"}
    with Served(folder, host, port=port, **settings) as served:
        payer = join(bank, served, "brno", "alice")
        shop = join(bank, served, "brno", "shop", "--category", "5411", what="merchant")
        assert served.ask(f"AD {payer['account']} 5000") == "AD"
        till = machine("till", *at(served))
        till.type(shop["token"], "7", "three", "7.50")
        uri = till.until("upi://pay")
        served.kill()
        till.until("the bank does not answer")
    with Served(folder, host, port=port, **settings) as served:
        assert served.ask(f"PY alice@brno {uri} 700 r1 2580").startswith("PY ")
        assert "PAID 7.00" in till.until("PAID")
        till.until("is not an amount")
        till.until("to pay: 7.50")


def test_a_sale_that_is_not_paid_in_time_ends_with_exit_code_1(bank, served, machine):
    handle = next(w for w in served.ask("VE").split() if w.startswith("handle="))[7:]
    shop = join(bank, served, handle, "shop", "--category", "5411", what="merchant")
    till = machine("till", "--amount", "1", "--seconds", "1", *at(served))
    till.type(shop["token"] + "x")
    till.until("refuses")
    assert till.end() == 1


def test_an_atm_tells_the_balance_and_moves_cash(bank, served, machine):
    handle = next(w for w in served.ask("VE").split() if w.startswith("handle="))[7:]
    user = join(bank, served, handle, "alice")
    vpa = f"alice@{handle}"
    atm = machine("atm", *at(served))
    atm.type(vpa, "2580", "pay in 50")
    assert "booked: 50.00" in atm.until("booked")
    atm.type(vpa, "2580", "draw 20.50")
    assert "take your cash: 20.50" in atm.until("cash")
    atm.type(vpa, "2580", "draw 100")
    assert "Z9" in atm.until("Z9")
    atm.type(vpa, "1470", "balance")
    assert "ZM" in atm.until("ZM")
    atm.type(vpa, "2580", "balance")
    assert "29.50" in atm.until("balance 2")
    assert atm.end() == 0
    assert served.ask(f"AB {user['account']}") == "AB 2950"


def test_cash_is_moved_once_for_each_reference(bank, served):
    handle = next(w for w in served.ask("VE").split() if w.startswith("handle="))[7:]
    user = join(bank, served, handle, "alice")
    vpa = f"alice@{handle}"
    assert len({served.ask(f"PI {vpa} 500 a1 2580") for _ in range(3)}) == 1
    assert len({served.ask(f"PW {vpa} 200 a2 2580") for _ in range(3)}) == 1
    assert served.ask(f"PW {vpa} 200 a1 2580").startswith("ER U01")
    assert served.ask(f"PF {vpa} 2580 frozen") == "PF"
    assert served.ask(f"PW {vpa} 1 a3 2580").startswith("ER YE")
    assert served.ask(f"PI {vpa} 1 a4 2580").startswith("ER YE")
    assert served.ask(f"AB {user['account']}") == "AB 300"
    assert served.ask("BA") == "BA 300"
