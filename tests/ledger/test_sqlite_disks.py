"""Disks that are full and disks that lie, under a ledger in a process of its own."""

import os
import shutil
import subprocess

import pytest
from child_python import run
from ledger_model import assert_state_is_that_of_the_journal, book

from bank_node.errors import StartupError
from bank_node.ledger import sqlite_files
from bank_node.ledger.operations import Deposit, OpenAccount, ReadBalance
from bank_node.ledger.sqlite_store import SqliteStore


@pytest.fixture
def path(tmp_path):
    return tmp_path / "bank.db"


# Fails fsyncs with EIO as soon as the file named by the first variable exists: all of the
# process, or those of files whose name ends as the second variable says.
SHIM = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int is_meant(int fd) {
    const char *end = getenv("FSYNC_FAILS_FOR");
    char link[64], path[4096];
    if (!end) return 1;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < (ssize_t)strlen(end)) return 0;
    path[length] = 0;
    return strcmp(path + length - strlen(end), end) == 0;
}

static int sync_or_fail(const char *name, int fd) {
    const char *flag = getenv("FSYNC_FAILS_IF");
    if (flag && access(flag, F_OK) == 0 && is_meant(fd)) { errno = EIO; return -1; }
    return ((int (*)(int))dlsym(RTLD_NEXT, name))(fd);
}
int fsync(int fd) { return sync_or_fail("fsync", fd); }
int fdatasync(int fd) { return sync_or_fail("fdatasync", fd); }
"""

FAILING_FSYNC = """
import sys, time
from pathlib import Path
from bank_node.errors import Reason
from bank_node.ledger.operations import Deposit, OpenAccount, ReadBalance
from bank_node.ledger.sqlite_store import SqliteStore
from bank_node.ledger.writer import Writer
from bank_node.telemetry.clock import Clock
from bank_node.telemetry.metrics import Metrics

path, flag = map(Path, sys.argv[1:])
store = SqliteStore(path)
clock = Clock(lambda: time.time_ns() // 1000, time.monotonic_ns)
writer = Writer(store, Metrics(), clock, 100)
writer.start()
number = writer.call(OpenAccount(1))
for _ in range(5):
    assert writer.call(Deposit(number, 10)) == 0
flag.touch()
assert writer.call(Deposit(number, 1)) is Reason.OUTCOME_UNKNOWN
for round in range(4):
    if round == 2:
        flag.unlink()  # The disk says that all is well again: nobody believes it.
    assert writer.call(Deposit(number, 1)) is Reason.STORE_FAILED
    assert writer.call(ReadBalance(number)) == writer.read(ReadBalance(number)) == 50
    assert [block.height for block in store.blocks()] == [1, 2, 3, 4, 5, 6]
def files():
    return [Path(f"{path}{end}").read_bytes() for end in ("", "-wal")]
before = files()
writer.stop()
store.close()
assert files() == before, "closing wrote to the disk that failed"
print(number)
"""


@pytest.fixture
def shim(tmp_path):
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler to build the failing fsync with")
    source, library = tmp_path / "shim.c", tmp_path / "shim.so"
    source.write_text(SHIM)
    command = [compiler, "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"]
    subprocess.run(command, check=True)
    return str(library)


def test_after_a_failed_fsync_writing_ends_reading_goes_on_and_nothing_acknowledged_is_lost(
    path, tmp_path, shim
):
    flag = tmp_path / "the-disk-fails"
    child = run(FAILING_FSYNC, path, flag, LD_PRELOAD=shim, FSYNC_FAILS_IF=str(flag))
    assert child.returncode == 0, child.stderr
    number = int(child.stdout)
    store = SqliteStore(path)
    # The deposit of unknown outcome is there or not; the five acknowledged ones are.
    assert store.read(ReadBalance(number)) in (50, 51)
    assert_state_is_that_of_the_journal(store)
    assert book(store, Deposit(number, 1)) == [0]
    store.close()


FAILING_MOVE_OF_THE_LOG = """
import sys, time
from pathlib import Path
from bank_node.errors import Reason
from bank_node.ledger import sqlite_store
from bank_node.ledger.operations import Deposit, OpenAccount, ReadBalance
from bank_node.ledger.writer import Writer
from bank_node.telemetry.clock import Clock
from bank_node.telemetry.metrics import Metrics

path, flag = map(Path, sys.argv[1:])
sqlite_store._LOG_BYTES_MAX = 50_000
store = sqlite_store.SqliteStore(path)
writer = Writer(store, Metrics(), Clock(lambda: time.time_ns() // 1000, time.monotonic_ns), 100)
writer.start()
number = writer.call(OpenAccount(1))
for _ in range(20):
    assert writer.call(Deposit(number, 1)) == 0
flag.touch()
balance = 20
while writer.call(Deposit(number, 1)) == 0:
    balance += 1
    assert balance < 40, "the log is moved after that much"
flag.unlink()
log = Path(f"{path}-wal").read_bytes()
assert writer.call(Deposit(number, 1)) is Reason.STORE_FAILED
assert writer.call(ReadBalance(number)) == balance
writer.stop()
store.close()
assert Path(f"{path}-wal").read_bytes() == log, "the log is all that is certainly whole"
print(number, balance)
"""


def test_a_failed_fsync_while_the_log_is_moved_ends_writing_and_the_log_keeps_everything(
    path, tmp_path, shim
):
    flag = tmp_path / "the-disk-fails"
    variables = {"FSYNC_FAILS_IF": str(flag), "FSYNC_FAILS_FOR": path.name}
    child = run(FAILING_MOVE_OF_THE_LOG, path, flag, LD_PRELOAD=shim, **variables)
    assert child.returncode == 0, child.stderr
    number, balance = map(int, child.stdout.split())
    store = SqliteStore(path)
    assert store.read(ReadBalance(number)) == balance
    assert_state_is_that_of_the_journal(store)
    store.close()


FULL_DISK = """
import subprocess, sys
from pathlib import Path
from ledger_model import assert_state_is_that_of_the_journal, book, opened
from bank_node.errors import Reason, StoreError
from bank_node.ledger.operations import Deposit, ReadBalance
from bank_node.ledger.sqlite_store import SqliteStore

folder = Path(sys.argv[1])
mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", folder])
if mounted.returncode:
    sys.exit(77)
store = SqliteStore(folder / "bank.db")
(number,) = opened(store, 5)
filler = folder / "filler"
filler.write_bytes(bytes(1_200_000))
booked, errors = 5, []
while len(errors) < 4:
    try:
        book(store, Deposit(number, 1), *[Deposit(number, 0)] * 500)
        booked += 1
    except StoreError as error:
        errors.append((error.reason, error.final))
    assert booked < 1000, "a disk of two megabytes holds more than that"
assert errors == [(Reason.STORE_FULL, False)] * 4, errors
assert store.read(ReadBalance(number)) == booked
assert_state_is_that_of_the_journal(store)
filler.unlink()
assert book(store, Deposit(number, 1), ReadBalance(number)) == [0, booked + 1]
filler.write_bytes(bytes(10))
store.close()
store = SqliteStore(folder / "bank.db")
assert store.read(ReadBalance(number)) == booked + 1
assert_state_is_that_of_the_journal(store)
store.close()
"""


def test_on_a_disk_that_is_really_full_writes_are_refused_until_there_is_room_again(tmp_path):
    unshare = shutil.which("unshare")
    if unshare is None or os.geteuid() != 0:
        pytest.skip("a small disk of its own needs unshare and root")
    if subprocess.run([unshare, "-m", "true"], check=False, capture_output=True).returncode:
        pytest.skip("this machine gives no private mount namespace")
    child = run(FULL_DISK, tmp_path, before=(unshare, "-m"))
    if child.returncode == 77:
        pytest.skip(f"no tmpfs can be mounted: {child.stderr}")
    assert child.returncode == 0, child.stderr


def test_a_restore_that_does_not_come_to_its_end_costs_the_old_ledger_nothing(
    tmp_path, monkeypatch
):
    """What a killed node left in its log beside the file is part of that ledger."""
    served, saved = tmp_path / "served", tmp_path / "saved"
    served.mkdir()
    store = SqliteStore(served / "bank.db")
    (account,) = book(store, OpenAccount(1))
    sqlite_files.backup(served / "bank.db", saved)
    book(store, Deposit(account, 70))
    killed = tmp_path / "killed"
    shutil.copytree(served, killed)
    store.close()

    def fails(_source, _target):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(sqlite_files.os, "replace", fails)
        with pytest.raises(StartupError):
            sqlite_files.restore(saved, killed / "bank.db", replace=True)
    assert sqlite_files.verify_file(killed / "bank.db").total == 70
    sqlite_files.restore(saved, killed / "bank.db", replace=True)
    assert sqlite_files.verify_file(killed / "bank.db").total == 0
