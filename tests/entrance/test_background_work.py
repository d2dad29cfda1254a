"""Verification and exports in the background: what they come to, and that they can be ended."""

import csv
import json

import pytest
from msgspec.structs import replace
from support.polling import until
from support.wire import open_account

from bank_node.service import jobs


@pytest.fixture
def busy(house, console):
    """A bank with some blocks."""
    accounts = [open_account(console.wire, amount) for amount in (5, 6, 7)]
    for account in accounts * 20:
        console.ask(f"AD {account} 1")
    return console


def finished(console, code):
    def document():
        found = console.document(code)
        return None if found["running"] else found

    return until(document, f"{code} has ended", 30)


def test_a_ledger_that_fits_is_verified_block_by_block(house, busy):
    assert busy.document("OV start=1")["of"] in (0, 66)
    verdict = finished(busy, "OV")
    status = busy.document("OS")
    assert (verdict["ok"], verdict["problem"]) == (True, None)
    assert (verdict["height"], verdict["of"]) == (66, 66)
    assert verdict["head_hash"] == status["head_hash"]
    assert busy.document("OE count=1")["events"][0]["kind"] == "LedgerVerified"


def test_memory_that_does_not_fit_the_journal_is_found(house, busy, monkeypatch):
    store = house.node._store
    accounts = store.accounts()
    accounts[1] = replace(accounts[1], balance=accounts[1].balance + 1)
    monkeypatch.setattr(store, "accounts", lambda: accounts)
    busy.document("OV start=1")
    verdict = finished(busy, "OV")
    assert verdict["ok"] is False
    assert str(accounts[1].number) in verdict["problem"]["text"]
    assert busy.document("OE count=1")["events"][0]["kind"] == "VerificationFailed"
    assert busy.document("OS")["warnings"][0]["kind"] == "verification_failed"


def test_a_verification_can_be_ended_and_begun_again(house, busy, monkeypatch):
    # With turns this short and pauses this long it would take minutes.
    monkeypatch.setattr(jobs, "_TURN_NS", 1)
    monkeypatch.setattr(jobs, "_SHARE", 0.0001)
    busy.document("OV start=1")
    assert busy.ask("OV start=1") == "ER It is running already."
    busy.document("OV stop=1")
    assert finished(busy, "OV")["ok"] is None
    monkeypatch.undo()
    busy.document("OV start=1")
    assert finished(busy, "OV")["ok"] is True


def test_stopping_ends_a_verification(house, busy, monkeypatch):
    monkeypatch.setattr(jobs, "_TURN_NS", 1)
    monkeypatch.setattr(jobs, "_SHARE", 0.0001)
    busy.document("OV start=1")
    house.node.stop()
    assert not house.data.joinpath("operator.address").exists()


@pytest.mark.parametrize("form", ["csv", "json"])
def test_exports_hold_everything(house, busy, form):
    for what, count in (("accounts", 3), ("journal", 66)):
        busy.document(f"OZ what={what} format={form}")
        done = finished(busy, "OZ")
        assert (done["what"], done["rows"], done["problem"]) == (what, count, "")
        with open(done["path"], encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file)) if form == "csv" else json.load(file)
        assert len(rows) == count
        assert done["path"].startswith(str(house.data / "export"))
    assert [p.suffix for p in (house.data / "export").iterdir()] == [f".{form}"] * 2


def test_an_export_that_fails_says_why(house, busy):
    (house.data / "export").write_text("in the way")
    busy.document("OZ what=accounts")
    done = finished(busy, "OZ")
    assert done["path"] == ""
    assert done["problem"]
    assert busy.document("OE count=1")["events"][0]["kind"] == "ExportFailed"


@pytest.mark.parametrize("form", ["csv", "json"])
def test_the_operations_log_of_one_account_is_exported_with_its_balance(house, busy, form):
    accounts = [account.number for account in house.node._store.accounts()]
    for account in accounts:
        busy.document(f"OZ what=journal account={account} format={form}")
        done = finished(busy, "OZ")
        assert (done["rows"], done["problem"]) == (22, "")
        assert f"journal-{account}-" in done["path"]
        with open(done["path"], encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file)) if form == "csv" else json.load(file)
        held = house.node._store.account(account).balance
        assert int(rows[-1]["balance"]) == held
        assert all(account in (int(row["debit"]), int(row["credit"])) for row in rows)
