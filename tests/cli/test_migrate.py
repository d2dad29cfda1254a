"""`bank migrate` carries a ledger over and back without losing a unit, and overwrites nothing."""

import shutil
import subprocess
import sys

import pytest
from support.mariadb import open_store
from support.nodes import some_host
from support.polling import until
from support.processes import ROOT, Served, environment

from bank_node.ledger.operations import ReadTotal


@pytest.fixture
def database(mariadb):
    return mariadb.new_database()


@pytest.fixture
def url(mariadb, database):
    return mariadb.url(database)


def file_url(folder):
    return f"sqlite:///{folder / 'bank.db'}"


def head(bank, url):
    told = bank("verify", "--store", url)
    assert told.returncode == 0, told.stdout
    return told.stdout


def test_a_ledger_goes_to_a_database_and_back(bank, ledger, url, tmp_path):
    before = head(bank, file_url(ledger))
    there = bank("migrate", "--from", file_url(ledger), "--to", url)
    assert there.returncode == 0, there.stderr
    assert "total 60" in there.stdout
    assert head(bank, url) == before
    store = open_store(url)
    assert (store.read(ReadTotal()), len(store.accounts())) == (60, 3)
    store.close()
    back = bank("migrate", "--from", url, "--to", file_url(tmp_path / "back"))
    assert back.returncode == 0, back.stderr
    assert head(bank, file_url(tmp_path / "back")) == before
    with Served(tmp_path / "back", some_host()) as served, served.wire() as wire:
        assert [wire.ask("BA"), wire.ask("BN")] == ["BA 60", "BN 3"]


def test_the_password_is_not_shown(bank, ledger, url):
    there = bank("migrate", "--from", file_url(ledger), "--to", url)
    assert there.returncode == 0
    again = bank("migrate", "--from", file_url(ledger), "--to", url)
    for text in (there.stdout, there.stderr, again.stdout, again.stderr):
        assert "%3A%40ss" not in text
        assert "p:@ss" not in text


def test_a_target_that_is_not_empty_is_refused(bank, ledger, url, tmp_path):
    assert bank("migrate", "--from", file_url(ledger), "--to", url).returncode == 0
    for target in (url, file_url(ledger)):
        source = file_url(ledger) if target == url else url
        refused = bank("migrate", "--from", source, "--to", target)
        assert refused.returncode == 2
        assert "there is a ledger" in refused.stderr
    assert "total 60" in head(bank, url)


def test_a_migration_that_was_interrupted_goes_on_where_it_stopped(
    bank, ledger, mariadb, database, url
):
    """Half of the blocks are there; what is there already is not sent again."""
    before = head(bank, file_url(ledger))
    assert bank("migrate", "--from", file_url(ledger), "--to", url).returncode == 0
    mariadb.ask(
        f"DELETE FROM {database}.bank_blocks WHERE height > 20",
        f"DELETE FROM {database}.bank_accounts",
        f"UPDATE {database}.bank_snapshot SET sequence = 0, height = 0",
        f"INSERT INTO {database}.bank_facts VALUES ('unfinished migration', 1)",
        f"UPDATE {database}.bank_blocks SET offer = 77",
    )
    served = bank("serve", "--data", ledger.parent / "n", "--store", url, "--port", 0)
    assert served.returncode == 2
    assert "half of a ledger" in served.stderr
    again = bank("migrate", "--from", file_url(ledger), "--to", url)
    assert again.returncode == 0, again.stderr
    assert head(bank, url) == before
    kept = mariadb.ask(f"SELECT count(*) FROM {database}.bank_blocks WHERE offer = 77")
    assert kept == [(20,)]


def test_a_migration_killed_at_any_moment_can_be_run_again(bank, ledger, mariadb, url, database):
    before = head(bank, file_url(ledger))
    command = [sys.executable, "-m", "bank_node", "migrate", "--from", file_url(ledger)]
    process = subprocess.Popen(
        [*command, "--to", url], cwd=ROOT, env=environment(),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    marked = f"SHOW TABLES IN {database} LIKE 'bank_facts'"
    until(lambda: mariadb.ask(marked), "the migration has begun", 20)
    process.kill()
    process.wait(60)
    again = bank("migrate", "--from", file_url(ledger), "--to", url)
    finished = "there is a ledger" in again.stderr
    assert finished or again.returncode == 0, again.stderr
    assert head(bank, url) == before


def test_half_of_another_ledger_is_not_continued(bank, ledger, mariadb, database, url, tmp_path):
    assert bank("migrate", "--from", file_url(ledger), "--to", url).returncode == 0
    mariadb.ask(
        f"DELETE FROM {database}.bank_blocks WHERE height > 20",
        f"INSERT INTO {database}.bank_facts VALUES ('unfinished migration', 1)",
        f"UPDATE {database}.bank_blocks SET hash = REVERSE(hash) WHERE height = 20",
    )
    refused = bank("migrate", "--from", file_url(ledger), "--to", url)
    assert refused.returncode == 2
    assert "another ledger" in refused.stderr


def test_a_file_that_a_node_serves_is_not_migrated(bank, served, url):
    with served.wire() as wire:
        assert wire.ask("AC").startswith("AC ")
        refused = bank("migrate", "--from", file_url(served.data), "--to", url)
    assert refused.returncode == 2
    assert "in use" in refused.stderr


def test_a_ledger_that_does_not_fit_is_not_migrated(bank, ledger, url, tmp_path):
    broken = tmp_path / "broken"
    shutil.copytree(ledger, broken)
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(broken / "bank.db")) as connection, connection:
        connection.execute("UPDATE accounts SET balance = balance + 1 WHERE balance = 20")
    refused = bank("migrate", "--from", file_url(broken), "--to", url)
    assert refused.returncode == 1
    assert "does not fit" in refused.stderr


@pytest.mark.parametrize("target", ["bank.db", "postgres://x@y/z", "mysql://nobody"])
def test_a_wrong_url_is_one_line(bank, ledger, target):
    refused = bank("migrate", "--from", file_url(ledger), "--to", target)
    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1


def test_backup_of_a_database_says_what_to_do_instead(bank, url, tmp_path):
    refused = bank("backup", "--store", url, tmp_path / "copy.db")
    assert refused.returncode == 2
    assert "bank migrate" in refused.stderr
