"""What operators see of transfers, positions and keys, and what they decide by hand."""

from contextlib import ExitStack
from dataclasses import replace

import pytest
from support import zoo
from support.nodes import bank_port, some_host
from support.polling import until
from support.wire import open_account

from bank_node.ledger.entries import settlement_account
from bank_node.ledger.transfer_operations import Promise
from bank_node.node import operator
from bank_node.security.identity import fingerprint
from bank_node.values import AMOUNT_MAX
from entrance.conftest import House

NOTE = "Eva of the other bank says on the phone: nothing came"


@pytest.fixture
def stack():
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def two(stack, tmp_path):
    """Two banks that know each other."""

    def open_two(**overrides):
        hosts = [some_host() for _ in range(2)]
        return [
            House(
                stack, tmp_path / host, network__host=host, network__port=bank_port(host),
                network__subnets=[f"{other}/32" for other in hosts], **overrides,
            )
            for host in hosts
        ]  # fmt: skip

    return open_two


@pytest.fixture
def doubtful(stack, tmp_path):
    """A bank whose deposit at a classic one got no answer: its console, the account, the zoo."""

    def open_one(**overrides):
        peer = stack.enter_context(zoo.bank(host=some_host()))
        house = House(
            stack, tmp_path / "data", network__peers=[f"{peer.host}:{peer.port}"],
            network__timeout=2.0, **overrides,
        )  # fmt: skip
        console, client = house.console(), house.client()
        account = open_account(client, 500)
        assert client.ask(f"AB 10001/{peer.host}") == "AB 500"
        peer.behaviour = replace(peer.behaviour, answers=False, acts=False, closes=True)
        reply = client.ask(f"TR {account} 10001/{peer.host} 200 rent")
        assert "whether the transfer rent was carried out is unknown" in reply
        return house, console, account, peer

    return open_one


def kinds(console, name="kind"):
    return [event[name] for event in console.document("OE")["events"]]


def warnings(console):
    return [warning["kind"] for warning in console.document("OS")["warnings"]]


def test_the_way_of_a_transfer_is_told_at_both_banks(two):
    payer, payee = two()
    source, target = open_account(payer.client(), 500), open_account(payee.client())
    here, there = payer.console(), payee.console()
    assert payer.client().ask(f"TR {source} {target} 200 rent") == "TR rent committed"
    until(lambda: here.document("OF")["open"] == 0, "it is confirmed")

    detail = here.document("OF transfer=rent")
    assert [step["phase"] for step in detail["steps"]] == ["reserved", "committed", "ended"]
    assert [step["signed"] for step in detail["steps"]] == [False, True, True]
    times = [detail["received_us"], *(step["time_us"] for step in detail["steps"])]
    assert times == sorted(times)
    assert detail["complete"]
    assert detail["transfer"]["payer"] == source
    assert detail["transfer"]["payee"] == target
    assert (detail["transfer"]["direction"], detail["transfer"]["amount"]) == ("out", 200)

    other = there.document(f"OF transfer={payer.running.bank}/rent")
    assert [step["kind"] for step in other["steps"]] == ["promised", "credited"]
    assert (other["transfer"]["payer"], other["transfer"]["direction"]) == (source, "in")
    assert here.document(f"OF transfer={payer.running.bank}/rent") == detail


def test_the_states_are_a_stream_and_none_is_told_twice(two):
    payer, payee = two()
    source, target = open_account(payer.client(), 500), open_account(payee.client())
    here, there = payer.console(), payee.console()
    for _ in range(2):
        assert payer.client().ask(f"TR {source} {target} 200 rent") == "TR rent committed"
    until(lambda: here.document("OO")["next"] >= 4, "all states")
    stages = here.document("OO")["stages"]
    assert [s["phase"] for s in stages] == ["received", "reserved", "committed", "ended"]
    assert {s["transfer"] for s in stages} == {"rent"}
    assert [s["phase"] for s in there.document("OO")["stages"]] == ["reserved", "ended"]
    assert here.document("OO after=3")["stages"][0]["seq"] == 4


def test_transfers_that_are_done_are_told_newest_first_and_page_by_page(two):
    payer, payee = two()
    source, target = open_account(payer.client(), 500), open_account(payee.client())
    own = open_account(payer.client())
    console, client = payer.console(), payer.client()
    client.ask(f"TR {source} {own} 5 inside")
    client.ask(f"TR {source} {target} 10 outside")
    client.ask(f"TR {source} 99999/{payee.running.bank} 10 nobody")
    until(lambda: console.document("OF")["open"] == 0, "all have ended")
    rows, before = [], ""
    while True:
        page = console.document(f"OF show=done count=1{before}")
        rows += page["rows"]
        if page["next"] is None:
            break
        before = f" before={page['next']}"
    assert [(row["transfer"], row["state"]) for row in rows] == [
        ("nobody", "aborted"), ("outside", "committed"), ("inside", "committed"),
    ]  # fmt: skip
    assert rows[0]["reason"] == "no_such_payee"
    assert rows[2]["bank"] is None
    assert [row["transfer"] for row in console.document("OF show=done")["rows"]] == [
        row["transfer"] for row in rows
    ]


def test_a_deposit_without_an_answer_is_in_doubt_until_the_operator_gives_it_up(doubtful):
    house, console, account, peer = doubtful()
    page = console.document("OF show=doubt")
    assert (page["open"], page["in_doubt"]) == (1, 1)
    (row,) = page["rows"]
    assert (row["transfer"], row["state"], row["waits_for"]) == ("rent", "unknown", "operator")
    assert row["in_doubt"]
    assert "transfers_in_doubt" in warnings(console)
    until(lambda: "TransferInDoubt" in kinds(console), "an event")
    assert console.document("OO")["stages"][-1]["in_doubt"]

    told = console.document(f"OW transfer=rent do=abort note={NOTE}")["transfer"]
    assert (told["state"], told["note"]) == ("aborted", NOTE)
    assert house.client().ask(f"AB {account}") == "AB 500"
    assert peer.count("AD") == 1
    until(lambda: console.document("OF")["open"] == 0, "an end of the flight")
    assert "transfers_in_doubt" not in warnings(console)
    assert "TransferDecided" in kinds(console)
    assert any(NOTE in line["text"] for line in console.document("OL")["lines"])
    detail = console.document("OF transfer=rent")
    assert detail["steps"][-1]["note"] == NOTE
    assert detail["transfer"]["note"] == NOTE


def test_a_deposit_without_an_answer_is_carried_out_by_hand_and_then_owed(doubtful):
    house, console, account, peer = doubtful()
    told = console.document(f"OW transfer=rent do=commit note={NOTE}")["transfer"]
    assert told["state"] == "committed"
    assert house.client().ask(f"AB {account}") == "AB 300"
    (position,) = console.document("OU")["rows"]
    assert (position["bank"], position["vostro"], position["net"]) == (peer.host, 200, -200)
    assert console.ask(f"OW transfer=rent do=abort note={NOTE}").startswith("ER There is no such")


def test_what_is_not_in_doubt_is_not_decided_by_hand(two):
    payer, payee = two()
    source, target = open_account(payer.client(), 500), open_account(payee.client())
    assert payer.client().ask(f"TR {source} {target} 200 rent") == "TR rent committed"
    console = payer.console()
    until(lambda: console.document("OF")["open"] == 0, "it is confirmed")
    for key in ("rent", "nobody", "10.1.2.3/x"):
        assert console.ask(f"OW transfer={key} do=commit note=x").startswith("ER There is no such")
    promise(payee, payer.running.bank, target)
    there = payee.console()
    # The payer's bank is there, so it is asked and says that nothing came of it.
    until(lambda: there.document("OF")["open"] == 0, "it was asked about")
    assert payee.client().ask(f"AB {target}") == "AB 200"


def promise(house, bank, account, amount=70):
    """A promise of an earlier life of a bank, which is taken up now."""
    number = int(account.partition("/")[0])
    operation = Promise(f"{bank}/loan", number, settlement_account(bank), 10_001, amount, 10**9)
    node = house.node
    node._writer.call(operation)
    node.transfers.take_up(node._store.open_transfers())
    until(lambda: node.transfers.flights() or not node._store.open_transfers(), "it is taken up")


@pytest.mark.parametrize(("word", "balance"), [("commit", 70), ("abort", 0)])
def test_a_promise_to_a_bank_that_never_comes_back_is_decided_by_hand(stack, tmp_path, word,
                                                                      balance):  # fmt: skip
    gone = some_host()
    house = House(stack, tmp_path / "data", network__peers=[gone], network__timeout=1.0)
    console, account = house.console(), open_account(house.client())
    promise(house, gone, account)
    key = f"{gone}/loan"
    early = console.ask(f"OW transfer={key} do={word} note=x")
    assert early.startswith(("ER The transfer is not in doubt", "OW ")), early
    until(lambda: console.document("OF show=doubt")["rows"] or early[:2] == "OW", "no answer")
    assert "TransfersRecovered" in kinds(console)
    if early[:2] != "OW":
        (position,) = console.document("OU")["rows"]
        assert (position["coming"], position["net"]) == (70, 0)
        console.document(f"OW transfer={key} do={word} note=The bank is closed for good.")
    assert house.client().ask(f"AB {account}") == f"AB {balance}"
    until(lambda: console.document("OF")["open"] == 0, "it is over")


def test_who_may_only_look_decides_nothing(doubtful):
    house, console, account, _ = doubtful()
    console.document("OH key=operator.read_only value=true")
    for command in (f"OW transfer=rent do=abort note={NOTE}", "OY forget=10.1.2.3",
                    "OY accept=10.1.2.3 key=x", "OR promote=1"):  # fmt: skip
        assert console.ask(command).startswith("ER Operators may only look"), command
    assert console.ask("OU remind=10.1.2.3").startswith("ER Operators may only look")
    for command in ("OF", "OO", "OU", "OY", "OR"):
        console.document(command)
    assert house.client().ask(f"AB {account}") == "AB 300"


@pytest.mark.parametrize("note", ["", "   ", "x" * 401, "é" * 201])
def test_a_note_says_something_and_fits_into_the_ledger(house, console, note):
    reply = console.ask(f"OW transfer=rent do=abort note={note}")
    assert reply.startswith("ER The field note= must be <why>")


def test_positions_of_two_banks_mirror_each_other(two):
    payer, payee = two(transfers__debit_cap=1000)
    source, target = open_account(payer.client(), 900), open_account(payee.client(), 50)
    here, there = payer.console(), payee.console()
    assert payer.client().ask(f"TR {source} {target} 300 a") == "TR a committed"
    assert payee.client().ask(f"TR {target} {source} 20 b") == "TR b committed"
    for console in (here, there):
        until(lambda c=console: c.document("OF")["open"] == 0, "all is confirmed")
    (mine,), (yours,) = here.document("OU")["rows"], there.document("OU")["rows"]
    assert (mine["nostro"], mine["vostro"], mine["net"]) == (0, 280, -280)
    assert (yours["nostro"], yours["vostro"], yours["net"]) == (280, 0, 280)
    assert (mine["room_out"], mine["room_in"], mine["cap"]) == (720, 1280, 1000)
    assert (yours["room_out"], yours["room_in"]) == (1280, 720)
    here.document(f"OU remind={payee.running.bank}")
    until(lambda: not here.document("OU")["reminders"]["running"], "it was asked")
    assert here.document("OU stop=1")["reminders"] == {
        "bank": payee.running.bank, "running": False, "asked": 2, "kept": 2, "renewed": 0,
        "denied": 0, "failed": 0, "trouble": "",
    }  # fmt: skip


def test_a_bank_that_is_open_to_others_without_a_cap_warns_until_somebody_has_chosen_one(
    stack, tmp_path, monkeypatch, caplog
):
    console = House(stack, tmp_path / "one").console()
    assert "no_debit_cap" not in warnings(console), "on one machine there are no strangers"
    monkeypatch.setattr(operator, "is_loopback", lambda _address: False)
    assert "no_debit_cap" in warnings(console)
    # The largest number is as much as before, but now somebody wants it.
    console.document(f"OH key=transfers.debit_cap value={AMOUNT_MAX}")
    assert "no_debit_cap" not in warnings(console)
    assert "debit_cap bounds that" not in caplog.text
    House(stack, tmp_path / "another")
    assert "debit_cap bounds that" in caplog.text


def test_a_bank_with_a_cap_of_its_own_is_bound_by_it_at_once(two):
    payer, payee = two()
    source, target = open_account(payer.client(), 900), open_account(payee.client())
    console, other = payer.console(), payee.running.bank
    console.document(f'OH key=transfers.debit_caps value=["{other}=100","10.9.9.9=1"]')
    client = payer.client()
    assert client.ask(f"TR {source} {target} 101 a").startswith("ER One of the two banks would owe")
    assert client.ask(f"TR {source} {target} 100 b") == "TR b committed"
    assert console.document("OU")["rows"][0]["cap"] == 100
    console.document("OH key=transfers.debit_caps value=[]")
    assert client.ask(f"TR {source} {target} 101 c") == "TR c committed"
    for wrong in ('["nowhere=5"]', '["10.9.9.9"]', '["10.9.9.9=-1"]',
                  '["10.9.9.9=1","10.9.9.9=2"]'):  # fmt: skip
        reply = console.ask(f"OH key=transfers.debit_caps value={wrong}")
        assert reply.startswith("ER The setting is wrong"), reply


def test_the_payees_bank_keeps_its_own_cap_for_the_payers(two):
    payer, payee = two()
    source, target = open_account(payer.client(), 900), open_account(payee.client())
    payee.console().document(
        f'OH key=transfers.debit_caps value=["{payer.running.bank}=100"]'
    )  # fmt: skip
    reply = payer.client().ask(f"TR {source} {target} 101 a")
    assert reply.startswith("ER One of the two banks would owe")


def test_a_changed_key_waits_for_the_operator_and_can_be_forgotten(house, console):
    ring = house.node.banks.keyring
    old, new = key_of(1), key_of(2)
    assert ring.offer("10.1.2.3", old, 5)
    assert ring.offer("10.1.2.2", old, 5)
    assert not ring.offer("10.1.2.3", new, 6)
    told = console.document("OY")
    assert (told["total"], told["changed"]) == (2, 1)
    first = told["rows"][0]
    assert (first["bank"], first["key"], first["offered"]) == ("10.1.2.3", old, new)
    assert first["fingerprint"] == fingerprint(old)
    assert first["offered_fingerprint"] == fingerprint(new)
    assert told["own"]["fingerprint"].startswith("SHA256:")
    assert "keys_changed" in warnings(console)

    reply = console.ask(f"OY accept=10.1.2.3 key={old}")
    assert reply == "ER The bank 10.1.2.3 has no such key."
    told = console.document(f"OY accept=10.1.2.3 key={new}")
    assert ring.key_of("10.1.2.3") == new
    assert told["changed"] == 0
    assert "keys_changed" not in warnings(console)
    assert console.document("OY forget=10.1.2.3")["total"] == 1
    assert ring.key_of("10.1.2.3") is None
    assert kinds(console)[-2:] == ["KeyAccepted", "KeyForgotten"]


def key_of(number):
    from bank_node.security.identity import to_text

    return to_text(bytes([number]) * 32)
