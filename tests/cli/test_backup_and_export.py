"""`bank backup`, `bank restore` and `bank export`: copies that fit, and nothing overwritten."""

import csv
import io
import json
import sqlite3
import threading
from contextlib import closing

import pytest
from support.nodes import some_host
from support.polling import until
from support.processes import Served
from support.wire import open_account


def test_a_backup_under_load_restores_elsewhere_and_fits(bank, served, tmp_path):
    copy, elsewhere = tmp_path / "copy.db", tmp_path / "elsewhere"
    with served.wire() as wire:
        account = open_account(wire)
        done = threading.Event()
        acknowledged = 0

        def deposit() -> None:
            nonlocal acknowledged
            while not done.is_set():
                wire.send(f"AD {account} 1\n".encode() * 64)
                acknowledged += wire.lines(64).count("AD")

        depositor = threading.Thread(target=deposit)
        depositor.start()
        until(lambda: acknowledged > 1000, "the load is under way")
        before = acknowledged
        taken = bank("backup", "--data", served.data, copy)
        after = acknowledged + 64
        done.set()
        depositor.join(60)
    assert (taken.returncode, taken.stderr) == (0, "")
    assert after > before + 64
    restored = bank("restore", "--data", elsewhere, copy)
    assert (restored.returncode, restored.stderr) == (0, "")
    assert bank("verify", "--data", elsewhere).returncode == 0
    with Served(elsewhere, some_host()) as again, again.wire() as wire:
        assert before <= int(wire.ask("BA").split()[1]) <= after
        assert wire.ask("BN") == "BN 1"


def test_a_backup_does_not_overwrite_a_file(bank, ledger, tmp_path):
    (tmp_path / "mine.db").write_text("precious")
    ended = bank("backup", "--data", ledger, tmp_path / "mine.db")
    assert ended.returncode == 2
    assert (tmp_path / "mine.db").read_text() == "precious"


def test_restore_is_refused_over_a_live_node(bank, served, ledger):
    with served.wire() as wire:
        open_account(wire, 5)
        ended = bank("restore", "--replace", "--data", served.data, ledger / "bank.db")
        assert ended.returncode == 2
        assert ended.stderr.count("\n") == 1
        assert "in use" in ended.stderr
        assert wire.ask("BA") == "BA 5"


def test_restore_over_a_ledger_needs_replace(bank, ledger, tmp_path):
    copy = tmp_path / "copy.db"
    assert bank("backup", "--data", ledger, copy).returncode == 0
    with Served(ledger, some_host()) as served:
        with served.wire() as wire:
            open_account(wire, 1000)
        served.stop()
    refused = bank("restore", "--data", ledger, copy)
    assert refused.returncode == 2
    assert "--replace" in refused.stderr
    assert "total 1060" in bank("verify", "--data", ledger).stdout
    assert bank("restore", "--replace", "--data", ledger, copy).returncode == 0
    assert "total 60" in bank("verify", "--data", ledger).stdout


def test_a_backup_that_does_not_fit_is_not_restored(bank, ledger, tmp_path):
    with closing(sqlite3.connect(ledger / "bank.db")) as connection, connection:
        connection.execute("UPDATE accounts SET balance = balance + 1 WHERE balance = 20")
    ended = bank("restore", "--data", tmp_path / "new", ledger / "bank.db")
    assert ended.returncode == 1
    assert not (tmp_path / "new" / "bank.db").exists()


@pytest.mark.parametrize("form", ["csv", "json"])
def test_accounts_are_exported_with_their_balances(bank, ledger, form):
    exported = bank("export", "--data", ledger, "--format", form, "accounts")
    assert (exported.returncode, exported.stderr) == (0, "")
    rows = read(exported.stdout, form)
    assert sorted(int(row["balance"]) for row in rows) == [10, 20, 30]
    numbers = [int(row["number"]) for row in rows]
    assert numbers == sorted(numbers)


@pytest.mark.parametrize("form", ["csv", "json"])
def test_every_entry_of_the_journal_is_exported_in_order(bank, ledger, tmp_path, form):
    file = tmp_path / "journal"
    exported = bank("export", "--data", ledger, "--format", form, "--output", file, "journal")
    assert (exported.returncode, exported.stdout) == (0, "")
    rows = read(file.read_text(encoding="utf-8"), form)
    assert [int(row["entry"]) for row in rows] == list(range(1, 34))
    assert [row["kind"] for row in rows] == ["opened"] * 3 + ["deposited"] * 30
    assert sum(int(row["amount"]) for row in rows) == 60
    assert all(row["time"].endswith("+00:00") for row in rows)


@pytest.mark.parametrize("form", ["csv", "json"])
def test_the_entries_of_one_account_are_exported_with_its_balance(bank, ledger, form):
    exported = bank("export", "--data", ledger, "--format", "json", "accounts")
    for account in json.loads(exported.stdout):
        number = account["number"]
        exported = bank(
            "export", "--data", ledger, "--format", form, "--account", number, "journal"
        )
        rows = read(exported.stdout, form)
        assert len(rows) == 11
        assert all(str(number) in (str(row["debit"]), str(row["credit"])) for row in rows)
        balances = [int(row["balance"]) for row in rows]
        assert balances == [account["balance"] // 10 * n for n in range(11)]
    refused = bank("export", "--data", ledger, "--account", 10_000, "accounts")
    assert (refused.returncode, "--account is for the journal" in refused.stderr) == (2, True)


def test_a_transfer_is_named_in_the_exported_journal(bank, served):
    with served.wire() as wire:
        payer, payee = open_account(wire, 50), open_account(wire)
        assert wire.ask(f"TR {payer} {payee} 20 rent") == "TR rent committed"
    exported = bank("export", "--data", served.data, "--format", "json", "journal")
    *_, last = json.loads(exported.stdout)
    assert (last["kind"], last["amount"], last["transfer"]) == ("transferred", 20, "rent")


@pytest.mark.parametrize("what", ["accounts", "journal"])
def test_an_empty_bank_is_exported_as_an_empty_array(bank, served, what):
    exported = bank("export", "--data", served.data, "--format", "json", what)
    assert (exported.returncode, json.loads(exported.stdout)) == (0, [])


def read(text: str, form: str) -> list[dict[str, str]]:
    if form == "json":
        rows: list[dict[str, str]] = json.loads(text)
        return rows
    return list(csv.DictReader(io.StringIO(text)))
