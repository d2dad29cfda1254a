"""TR, TS and TH: what they ask of the ledger and how they are answered."""

import json

import pytest
from support.nodes import running_node

from bank_node.errors import Reason
from bank_node.ledger.transfer_operations import Move, ReadTransfer
from bank_node.ledger.transfers import Phase, Role, Transfer

OWN = "10.1.2.3"


def record(**changes):
    return Transfer("t", Role.LOCAL, Phase.ENDED, 0, 10_001, 10_002, 5)._replace(**changes)


def test_a_transfer_within_the_bank_is_one_operation(session, ledger):
    session.send(f"TR 10001/{OWN} 10002/{OWN} 5 t")
    assert ledger.operations == [Move("t", 10_001, 10_002, 5)]
    ledger.settle(record())
    assert session.replies == ["TR t committed\r\n"]


def test_without_an_id_the_bank_draws_one_that_sorts_by_time(session, ledger, house):
    session.send(f"TR 10001/{OWN} 10002/{OWN} 5")
    house.now_us += 1000
    session.send(f"TR 10001/{OWN} 10002/{OWN} 5")
    first, second = (operation.key for operation in ledger.operations)
    assert all(operation.is_drawn for operation in ledger.operations)
    assert first < second
    assert len(second) <= 36


def test_a_transfer_that_was_given_up_is_answered_with_its_old_reason(session, ledger):
    session.send(f"TR 10001/{OWN} 10002/{OWN} 5 t")
    ledger.settle(record(phase=Phase.ABORTED, reason="no_such_payee"))
    assert session.replies == ["ER There is no account to pay to.\r\n"]


def test_the_state_of_a_transfer_names_both_accounts_whichever_side_is_here(session, ledger):
    ledger.balance = record()
    assert session.ask("TS t") == f"TS t committed 10001/{OWN} 10002/{OWN} 5"
    ledger.balance = record(role=Role.PAYEE, phase=Phase.RESERVED, bank=1 << 32 | 0x0A000007)
    assert session.ask("TS 10.0.0.7/t") == f"TS 10.0.0.7/t reserved 10002/10.0.0.7 10001/{OWN} 5"
    ledger.balance = Reason.NO_SUCH_TRANSFER
    assert session.ask(f"TS {OWN}/t") == "ER There is no such transfer."
    assert ledger.reads == [ReadTransfer("t"), ReadTransfer("10.0.0.7/t"), ReadTransfer("t")]


@pytest.mark.parametrize("name", ["", "a/b", "x" * 37, "10.1.2/x", "ž", "10.1.2.3/"])
def test_what_is_no_id_is_refused(session, name):
    reply = session.ask(f"TS {name}")
    assert reply.startswith("ER ")


def history(wire, *arguments):
    reply = wire.ask(" ".join(("TH", *map(str, arguments))))
    assert reply.startswith("TH "), reply
    return json.loads(reply[3:])


def test_a_history_tells_each_entry_with_the_balance_after_it(tmp_path):
    with running_node(tmp_path) as running, running.wire() as wire:
        one, two = (wire.ask("AC")[3:] for _ in range(2))
        wire.ask(f"AD {one} 100")
        wire.ask(f"TR {one} {two} 30 x")
        wire.ask(f"AW {one} 20")
        told = history(wire, one)
        assert told["account"] == one
        lines = [(e["kind"], e["amount"], e["balance"]) for e in told["entries"]]
        assert lines == [
            ("withdrawn", -20, 50), ("transferred", -30, 70), ("deposited", 100, 100),
            ("opened", 0, 0),
        ]  # fmt: skip
        moved = told["entries"][1]
        assert (moved["transfer"], moved["other"]) == ("x", two)
        (received,) = history(wire, two, 1)["entries"]
        assert (received["amount"], received["balance"], received["other"]) == (30, 30, one)


def test_a_history_is_read_page_by_page(tmp_path):
    with running_node(tmp_path) as running, running.wire() as wire:
        one = wire.ask("AC")[3:]
        for _ in range(25):
            wire.ask(f"AD {one} 1")
        balances, page = [], history(wire, one)
        while True:
            balances += [entry["balance"] for entry in page["entries"]]
            if "before" not in page:
                break
            page = history(wire, one, 10, page["before"])
        assert balances == [*range(25, 0, -1), 0]
        assert history(wire, one, 1000)["entries"][0]["balance"] == 25
        assert history(wire, one, 0)["entries"] == []
        assert wire.ask(f"TH 99999/{running.bank}").startswith("ER ")


def test_a_history_shows_what_was_asked_before_it_in_the_same_packet(tmp_path):
    with running_node(tmp_path) as running, running.wire() as wire:
        one = wire.ask("AC")[3:]
        for amount in range(1, 20):
            wire.send(f"AD {one} {amount}\r\nTH {one} 1\r\n".encode())
            _, told = wire.lines(2)
            assert json.loads(told[3:])["entries"][0]["amount"] == amount
