"""`bank verify` names the first block that does not fit, whatever was done to the file."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest

BLOCKS = 33


def change(ledger, *statements: str) -> None:
    with closing(sqlite3.connect(ledger / "bank.db")) as connection, connection:
        for statement in statements:
            connection.execute(statement)


@pytest.fixture
def verified(bank, ledger) -> Callable[[], tuple[int, dict[str, object]]]:
    def verify() -> tuple[int, dict[str, object]]:
        ended = bank("verify", "--data", ledger, "--json")
        assert "Traceback" not in ended.stderr
        return ended.returncode, json.loads(ended.stdout)

    return verify


def test_a_sound_ledger_fits(bank, ledger, verified):
    code, report = verified()
    assert code == 0
    assert report["fits"]
    assert (report["blocks"], report["entries"]) == (BLOCKS, BLOCKS)
    assert (report["accounts"], report["total"]) == (3, 60)
    told = bank("verify", "--data", ledger)
    assert told.returncode == 0
    assert f"{BLOCKS} blocks" in told.stdout


@pytest.mark.parametrize("height", [1, 17, BLOCKS])
@pytest.mark.parametrize("byte", [0, 24, 40])
def test_one_changed_byte_in_the_body_of_a_block(ledger, verified, height, byte):
    with closing(sqlite3.connect(ledger / "bank.db")) as connection, connection:
        query = "SELECT body FROM blocks WHERE height = ?"
        body = bytearray(connection.execute(query, (height,)).fetchone()[0])
        body[byte] ^= 1
        connection.execute("UPDATE blocks SET body = ? WHERE height = ?", (bytes(body), height))
    code, report = verified()
    assert code == 1
    assert not report["fits"]
    assert report["block"] == height


@pytest.mark.parametrize("kept", [0, 20, BLOCKS - 1])
def test_a_truncated_tail(ledger, verified, kept):
    change(ledger, f"DELETE FROM blocks WHERE height > {kept}")
    code, report = verified()
    assert (code, report["block"]) == (1, kept + 1)


def test_a_missing_block_in_the_middle(ledger, verified):
    change(ledger, "DELETE FROM blocks WHERE height = 12")
    code, report = verified()
    assert code == 1
    assert report["block"] in {12, 13}


def test_two_swapped_blocks(ledger, verified):
    change(
        ledger,
        "UPDATE blocks SET height = 999 WHERE height = 10",
        "UPDATE blocks SET height = 10 WHERE height = 20",
        "UPDATE blocks SET height = 20 WHERE height = 999",
    )
    code, report = verified()
    assert (code, report["block"]) == (1, 10)


def test_a_changed_balance(ledger, verified):
    change(ledger, "UPDATE accounts SET balance = balance + 1 WHERE balance = 20")
    code, report = verified()
    assert code == 1
    assert "does not fit" in str(report["problem"])


def test_a_changed_balance_is_told_with_its_account_in_words(bank, ledger):
    with closing(sqlite3.connect(ledger / "bank.db")) as connection, connection:
        number = connection.execute("SELECT number FROM accounts WHERE balance = 30").fetchone()[0]
        connection.execute("UPDATE accounts SET balance = 31 WHERE number = ?", (number,))
    told = bank("verify", "--data", ledger)
    assert told.returncode == 1
    assert str(number) in told.stdout


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM accounts WHERE balance = 10",
        "UPDATE accounts SET is_open = 0 WHERE balance = 10",
        "INSERT INTO accounts VALUES (77777, 5, 30, 1)",
        "UPDATE snapshot SET hash = zeroblob(32)",
    ],
)
def test_rows_that_the_journal_does_not_tell_of(ledger, verified, statement):
    change(ledger, statement)
    assert verified()[0] == 1


def test_verify_works_while_the_node_serves(bank, served):
    with served.wire() as wire:
        assert wire.ask("AC").startswith("AC ")
        told = bank("verify", "--data", served.data)
        assert (told.returncode, "1 blocks" in told.stdout) == (0, True)
        assert wire.ask("BN") == "BN 1"


def test_a_folder_without_a_ledger_is_one_line_and_exit_code_2(bank, tmp_path):
    ended = bank("verify", "--data", tmp_path / "nothing")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.count("\n") == 1
    assert not (tmp_path / "nothing").exists()
