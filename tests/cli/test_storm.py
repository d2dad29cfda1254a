"""`bank demo --faults`: banks are killed and cut off, and at the end not a unit is missing."""

import signal
import socket
import subprocess
import sys
from types import SimpleNamespace

import pytest
from support.ground import the_ground
from support.processes import environment

from bank_node.cli.storm.audit import Audit, Verified
from bank_node.cli.storm.traffic import Asked
from bank_node.ledger.entries import settlement_account
from bank_node.ledger.transfers import Phase, Role, Transfer
from bank_node.values import BANK_PORTS

A, B = "10.0.0.1", "10.0.0.2"


def free_port(hosts):
    """A port on which banks are looked for and that is free at all of these addresses."""
    for port in BANK_PORTS:
        try:
            for host in hosts:
                with socket.create_server((host, port)):
                    pass
        except OSError:
            continue
        return port
    pytest.skip("all ports of banks are taken")


@pytest.fixture
def ground():
    with the_ground():
        yield


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="banks cannot be frozen here")
@pytest.mark.usefixtures("ground")
@pytest.mark.parametrize(("ends", "banks"), [("by itself", 3), ("by Ctrl+C", 2)])
def test_a_storm_ends_with_every_unit_in_its_place(tmp_path, ends, banks):
    port = free_port([f"127.0.0.{n + 1}" for n in range(banks)])
    by_hand = ends == "by Ctrl+C"
    process = subprocess.Popen(
        [sys.executable, "-m", "bank_node", "demo", "--banks", str(banks), "--port", str(port),
         "--data", str(tmp_path / "banks"), "--faults", "--seconds", "600" if by_hand else "3"],
        cwd=tmp_path,
        env=environment(PYTHONUNBUFFERED="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    try:
        assert process.stdout
        opened = process.stdout.readline()
        assert opened.startswith(f"{banks} banks hold "), process.communicate(timeout=60)
        if by_hand:
            process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=240)
    finally:
        process.kill()
    assert (process.returncode, err) == (0, ""), out
    assert out.count(": fits,") == banks
    assert out.endswith("not a unit is missing\n")


def record(key, bank, role, phase=Phase.ENDED, amount=7):
    return Transfer(key, role, phase, settlement_account(bank), 10_000, 10_001, amount)


def books(host, total, owed, *records, fits=True, is_open=0):
    kept = {each.key: each for each in records}
    return SimpleNamespace(
        host=host,
        verified=Verified(fits, total, len(kept), is_open, "told"),
        positions=owed,
        committed=kept.get,
    )


def audit(one, other, yes=("t",), no=()):
    return Audit(
        [one, other], 100, {"t": Asked(A, B, 7)}, set(yes), dict.fromkeys(no, "ER")
    ).problems


LEFT, ARRIVED = record("t", B, Role.PAYER), record(f"{A}/t", A, Role.PAYEE)
PAYER, PAYEE = (A, 93, {B: 7}), (B, 7, {A: -7})


def test_an_audit_is_content_when_everything_fits():
    assert audit(books(*PAYER, LEFT), books(*PAYEE, ARRIVED)) == []


def test_what_nobody_was_told_may_be_either_but_is_counted():
    done = Audit(
        [books(*PAYER, LEFT), books(*PAYEE, ARRIVED)], 100, {"t": Asked(A, B, 7)}, set(), {}
    )
    assert (done.problems, done.late) == ([], [1, 0])
    undone = Audit([books(A, 100, {}), books(B, 0, {})], 100, {"t": Asked(A, B, 7)}, set(), {})
    assert (undone.problems, undone.late) == ([], [0, 1])


@pytest.mark.parametrize(
    ("one", "other", "told", "problem"),
    [
        (books(A, 92, {B: 7}, LEFT), books(*PAYEE, ARRIVED), {}, "there were 100 units"),
        (books(A, 93, {B: 8}, LEFT), books(*PAYEE, ARRIVED), {}, f"{A} owes {B} 8, which"),
        (books(*PAYER, LEFT, fits=False), books(*PAYEE, ARRIVED), {}, f"the ledger of {A} told"),
        (books(*PAYER, LEFT), books(*PAYEE, ARRIVED, is_open=1), {}, f"1 transfers of {B} have no"),
        (books(*PAYER, LEFT), books(*PAYEE), {}, "the transfer t is carried out at one bank only"),
        (books(*PAYER), books(*PAYEE), {}, "the transfer t was told to be carried out, and is not"),
        (
            books(*PAYER, LEFT), books(*PAYEE, ARRIVED), {"yes": (), "no": ("t",)},
            "the transfer t was told to be refused, and is carried out",
        ),
        (
            books(*PAYER, LEFT), books(*PAYEE, record(f"{A}/t", A, Role.PAYEE, amount=8)), {},
            "the transfer t is booked as another one",
        ),
    ],
)  # fmt: skip
def test_an_audit_names_what_is_wrong(one, other, told, problem):
    assert any(each.startswith(problem) for each in audit(one, other, **told))
