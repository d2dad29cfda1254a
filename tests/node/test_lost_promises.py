"""A payee's bank goes back to an old backup: what was paid arrives after all, and only once."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from support.banks import BankProcess, assert_nothing_is_missing
from support.nodes import Running, some_host
from support.polling import until
from support.processes import run_bank
from support.two_banks import HANDLES, ask, assert_closed, has, join, knows, serve, state
from support.wire import open_account

from bank_node.banking.payments.records import check
from bank_node.ledger.entries import settlement_account
from bank_node.ledger.sqlite_files import backup, restore, verify_file
from bank_node.ledger.transfers import Phase
from bank_node.protocol.transfer_messages import Word

_MONEY, _PLAIN = 5000, 100


class Banks:
    """Alice with money in Prague, and a bank of Brno that can be put back to an old backup."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self._hosts = [some_host(), some_host()]
        self._brno = stack.enter_context(ExitStack())
        self.prague = stack.enter_context(self._serve(0))
        self._start_brno()
        self.alice = join(self.prague, "alice", _MONEY)
        self.shop = join(self.brno, "shop", category="5411")
        self.plain, self.account = opened(self.prague), opened(self.brno)
        assert ask(self.prague, f"AD {self.plain} {_PLAIN}") == "AD"

    def _serve(self, number: int):
        return serve(self.folder, self._hosts[number], self._hosts, HANDLES[number],
                     payments__asking="everybody")  # fmt: skip

    def _start_brno(self) -> None:
        self.brno = self._brno.enter_context(self._serve(1))
        pair = (self.prague, self.brno)
        until(lambda: knows(*pair) and knows(*pair[::-1]), "banks know each other", 20)

    def ledger(self, number: int) -> Path:
        return self.folder / self._hosts[number] / "bank.db"

    def back_up(self, name: str) -> Path:
        backup(self.ledger(1), self.folder / name)
        return self.folder / name

    def put_back(self, copy: Path) -> None:
        self._brno.close()
        restore(copy, self.ledger(1), replace=True)
        self._start_brno()

    def hold_back_commits(self):
        """What is decided in Prague is not said in Brno, until the result is called."""
        office = self.prague.node.transfers._post_office
        send, held = office.send, []

        def send_others(messages) -> None:
            held.extend(m for m in messages if m[2].word is Word.COMMIT)
            send([m for m in messages if m[2].word is not Word.COMMIT])

        def let_go() -> None:
            office.send = send
            self.prague.node.transfers._post(send, held)

        office.send = send_others
        return let_go

    def kinds(self) -> list[str]:
        return [event.kind for _, event in self.prague.node.events.ring.read(0, 1000).items]

    def position(self, one: Running, other: Running) -> int:
        account = one.node._store.account(settlement_account(other.bank))
        return account.balance if account else 0

    def assert_all_is_there(self, paid: int) -> None:
        """Not a unit is missing or was made, and both ledgers fit."""
        assert_closed(self.prague, self.brno)
        assert self.position(self.prague, self.brno) == paid
        assert self.position(self.brno, self.prague) == -paid
        totals = [verify_file(self.ledger(n), check_note=check).total for n in (0, 1)]
        assert totals == [_MONEY + _PLAIN - paid, paid]


def opened(bank: Running) -> str:
    return ask(bank, "AC").removeprefix("AC ")


@pytest.fixture
def banks(tmp_path: Path) -> Iterator[Banks]:
    with ExitStack() as stack:
        yield Banks(tmp_path, stack)


def asked(banks: Banks, amount: int, reference: str) -> str:
    reply = ask(banks.brno, f"PC shop@brno alice@prague {amount} {reference} 2580 600")
    assert reply.startswith("PC "), reply
    return reply.split()[1]


def test_what_an_old_backup_does_not_know_is_promised_and_taken_again(banks):
    known = asked(banks, 30, "known")
    old = banks.back_up("old.db")
    unknown = asked(banks, 700, "unknown")
    for request in (known, unknown):
        until(lambda: state(banks.prague, request)["state"] == "pending", "it is asked")  # noqa: B023
    let_go = banks.hold_back_commits()
    assert ask(banks.prague, f"TR {banks.plain} {banks.account} 50 t") == "TR t committed"
    payments = [
        ask(banks.prague, line).split()[1]
        for line in (
            "PP alice@prague shop@brno 200 r1 2580 for~lunch",
            f"PP alice@prague {banks.account} 5 r2 2580",
            f"PA alice@prague {known} 2580",
            f"PA alice@prague {unknown} 2580",
        )
    ]
    assert [state(banks.prague, p)["state"] for p in payments] == ["deemed"] * 4
    assert has(banks.brno, "shop@brno") == 0
    banks.put_back(old)
    let_go()
    until(lambda: has(banks.brno, "shop@brno") == 930, "the shop has its money", 30)
    assert ask(banks.brno, f"AB {banks.account}") == "AB 55"
    banks.assert_all_is_there(985)
    for payment in payments:
        here, there = state(banks.prague, payment), state(banks.brno, payment)
        assert here["state"] == there["state"] == "success"
        assert here["rrn"] == there["rrn"]
    assert state(banks.brno, known)["state"] == "paid"
    assert ask(banks.brno, f"PS {unknown}").startswith("ER")
    until(lambda: {"PromiseLost", "PromiseRenewed"} <= set(banks.kinds()), "operators hear of it")
    # What was taken again is a payment like any other: it can be given back.
    assert ask(banks.brno, f"PX shop@brno {payments[3]} 700 back 2580").startswith("PX ")
    banks.assert_all_is_there(285)


def test_what_was_confirmed_long_ago_is_missed_and_brought_back(banks):
    """The bank of Brno goes back to a backup of which every later payment was confirmed already."""
    assert ask(banks.prague, f"TR {banks.plain} {banks.account} 20 early") == "TR early committed"
    assert_closed(banks.prague, banks.brno)
    old = banks.back_up("old.db")
    for n in range(3):
        reply = ask(banks.prague, f"PP alice@prague shop@brno 100 r{n} 2580")
        assert reply.startswith("PP "), reply
        said = f"TR {banks.plain} {banks.account} 7 t{n}"
        assert ask(banks.prague, said) == f"TR t{n} committed"
    assert_closed(banks.prague, banks.brno)
    watch = banks.prague.node.banks.watch
    assert watch.make_round() == []
    banks.put_back(old)
    assert (has(banks.brno, "shop@brno"), ask(banks.brno, f"AB {banks.account}")) == (0, "AB 20")
    assert watch.make_round(), "it has fewer blocks than it once signed"
    until(lambda: has(banks.brno, "shop@brno") == 300, "the shop has its money", 30)
    banks.assert_all_is_there(341)
    until(lambda: "RemindersEnded" in banks.kinds(), "operators hear of it")
    reminders = banks.prague.node._reminders
    done = reminders.progress
    assert (done.asked, done.kept, done.renewed, done.failed) == (7, 1, 6, 0)
    reminders.start(banks.brno.bank)
    until(lambda: reminders.progress.kept == 7, "it knows all of it", 30)
    banks.assert_all_is_there(341)


def test_a_bank_whose_backup_knows_nothing_of_what_it_has_paid_is_told_on_both_sides(banks):
    """Its client has the money back, and the payee keeps it: only people can mend that."""
    old = banks.back_up("old.db")
    assert ask(banks.brno, f"AD {banks.account} 60") == "AD"
    assert ask(banks.brno, f"TR {banks.account} {banks.plain} 60 paid") == "TR paid committed"
    assert_closed(banks.prague, banks.brno)
    banks.put_back(old)
    reminders = banks.prague.node._reminders
    reminders.start(banks.brno.bank)
    until(lambda: reminders.progress.denied == 1, "Prague knows", 30)
    assert "does not know that it has paid it" in reminders.progress.trouble
    assert ask(banks.prague, f"AB {banks.plain}") == f"AB {_PLAIN + 60}"
    assert banks.position(banks.prague, banks.brno) == -60, "what is owed is owed"
    events = banks.brno.node.events.ring
    until(
        lambda: "LedgerBehind" in [event.kind for _, event in events.read(0, 1000).items],
        "Brno is told that its ledger is an old copy",
    )


def test_a_payee_whom_an_old_backup_does_not_know_is_an_alarm_until_the_right_one_is_back(banks):
    old = banks.back_up("old.db")
    target = opened(banks.brno)
    let_go = banks.hold_back_commits()
    paid = ask(banks.prague, f"PP alice@prague {target} 40 r1 2580").split()[1]
    right = banks.back_up("right.db")
    banks.put_back(old)
    let_go()
    until(lambda: "TransferContradicted" in banks.kinds(), "an alarm", 30)
    (flight,) = banks.prague.node.transfers.flights()
    assert flight.trouble.endswith("refuses to make it again: no_such_payee")
    assert flight.record.phase is Phase.COMMITTED
    warned = [warning.kind for warning in banks.prague.node._entrance.warnings()]
    assert "transfers_not_taken" in warned
    assert state(banks.prague, paid)["state"] == "deemed", "nothing takes the money back"
    banks.put_back(right)
    until(lambda: ask(banks.brno, f"AB {target}") == "AB 40", "it has arrived", 40)
    banks.assert_all_is_there(40)


def test_a_bank_killed_under_load_and_put_back_to_an_old_backup_loses_no_unit(tmp_path):
    """As an operator does it, with the commands: neither those under way nor those long over."""
    money, sent = 100_000, 1500
    hosts = [some_host(), some_host()]
    payer, payee = banks = [
        BankProcess(tmp_path / host, host, hosts, BANK_NETWORK_WITNESS_EVERY="0.5")
        for host in hosts
    ]
    try:
        with payer.start().wire() as wire, payee.start().wire() as other:
            source, target = open_account(wire, money), open_account(other)
        hello = f"TR {source} {target} 1"
        until(lambda: payer.ask(hello).startswith("TR "), "the banks know each other", 30)
        run(payee, "backup", tmp_path / "old.db")
        seen = f"LW {payee.host}"
        before = payer.ask(seen)
        with payer.wire(deadline_s=60) as wire:
            wire.send("".join(f"{hello}\r\n" for _ in range(sent)).encode())
            told = wire.lines(500)
            until(lambda: payer.ask(seen) != before, "the payer's bank has seen it grow", 30)
            payee.kill()
            told += wire.lines(sent - 500)
        run(payee, "restore", tmp_path / "old.db", "--replace")
        assert verify_file(payee.ledger).total < 500
        payee.start()

        def amount(bank: BankProcess, account: str) -> int:
            return int(bank.ask(f"AB {account}").removeprefix("AB "))

        def is_all_there() -> bool:
            return amount(payer, source) + amount(payee, target) == money

        until(is_all_there, "all that was paid is there", 60)
        assert_nothing_is_missing(banks, money)
        assert amount(payee, target) > sum(line.startswith("TR ") for line in told) >= 500
        for bank in banks:
            run(bank, "verify")
    finally:
        for bank in banks:
            bank.kill()


def run(bank: BankProcess, *words: object) -> None:
    """A command of `bank` about the ledger of one."""
    done = run_bank(*words, "--data", bank.data, cwd=bank.data)
    assert done.returncode == 0, done
