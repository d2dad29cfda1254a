"""What operators see: figures that fit what clients did, and pages that fit the ledger."""

from itertools import pairwise

import pytest
from support.wire import open_account


def number_of(account):
    return int(account.partition("/")[0])


def test_the_status_is_that_of_the_bank(house, console):
    client = house.client()
    open_account(client, 700)
    status = console.document("OS")
    assert status["code"] == house.running.bank
    assert (status["host"], status["port"]) == house.running.address
    assert (status["total"], status["clients"], status["free_numbers"]) == (700, 1, 89_999)
    assert (status["height"], status["entries"]) == (2, 2)
    assert status["started_us"] <= status["now_us"]
    assert status["warnings"] == []


def test_a_failed_disk_is_a_warning_and_a_state(house, console, monkeypatch):
    monkeypatch.setattr(house.node._writer, "_failed", "store_failed")
    status = console.document("OS")
    assert status["state"] == "read_only"
    assert [warning["kind"] for warning in status["warnings"]] == ["writes_refused"]


def test_metrics_count_what_clients_ask(house, console):
    client = house.client()
    account = open_account(client, 1)
    for _ in range(3):
        client.ask(f"AB {account}")
    client.ask("AB nonsense")
    metrics = console.document("OM")
    assert metrics["connections"] == metrics["operators"] == 1
    balances = metrics["commands"]["AB"]
    assert balances["count"] == sum(balances["buckets"]) == 3
    assert metrics["commands"]["??"]["errors"] == 1
    assert metrics["commit"]["count"] == metrics["batches"] == 2
    assert metrics["cpu_s"] > 0
    assert metrics["rss_bytes"] > 1_000_000


def test_accounts_come_in_pages_with_honest_counts(house, console):
    client = house.client()
    accounts = {number_of(open_account(client, amount)): amount for amount in range(1, 31)}
    rows = []
    while len(rows) < 30:
        page = console.document(f"OC first={len(rows)} count=8 sort=-balance filter=>5")
        assert (page["total"], page["matching"], page["sum_matching"]) == (
            30,
            25,
            sum(range(6, 31)),
        )
        rows += page["rows"]
        if not page["rows"]:
            break
    assert [row["balance"] for row in rows] == list(range(30, 5, -1))
    assert all(accounts[row["number"]] == row["balance"] for row in rows)


def test_what_an_operator_does_shows_in_the_next_page(console):
    for amount in range(1, 6):
        account = open_account(console.wire, amount)
        page = console.document(f"OC filter={number_of(account)}")
        assert page["rows"][0]["balance"] == amount


def test_an_account_has_its_whole_history(house, console):
    account = open_account(house.client(), 100)
    for _ in range(7):
        console.ask(f"AW {account} 10")
    steps, place = [], ""
    while True:
        page = console.document(f"OD account={number_of(account)} count=3{place}")
        assert page["balance"] == 30
        steps += page["history"]
        if not page["more"]:
            break
        place = f" before={page['next']}"
    assert [step["balance"] for step in steps] == [30, 40, 50, 60, 70, 80, 90, 100, 0]
    assert [step["kind"] for step in steps] == ["withdrawn"] * 7 + ["deposited", "opened"]
    assert page["opened_us"] == steps[-1]["time_us"]


def test_an_account_that_is_closed_is_found_in_the_journal(console):
    account = open_account(console.wire)
    assert console.ask(f"AR {account}") == "AR"
    number = number_of(account)
    assert console.document(f"OD account={number}")["open"] is False
    found = console.document(f"OJ account={number}")
    assert [entry["kind"] for entry in found["entries"]] == ["closed", "opened"]
    assert not found["more"]


def test_the_journal_is_a_chain(console):
    account = open_account(console.wire)
    for _ in range(9):
        console.ask(f"AD {account} 1")
    blocks, before = [], ""
    while True:
        page = console.document(f"OJ count=4{before}")
        blocks += page["blocks"]
        if not page["more"]:
            break
        before = f" before={page['next']}"
    assert [block["height"] for block in blocks] == list(range(10, 0, -1))
    assert all(a["previous_hash"] == b["hash"] for a, b in pairwise(blocks))
    assert blocks[0]["hash"] == page["head"]["hash"]
    middle = blocks[4]["time_us"]
    found = console.document(f"OJ since_us={middle} until_us={middle}")
    assert blocks[4]["height"] in [entry["height"] for entry in found["entries"]]
    assert all(entry["time_us"] == middle for entry in found["entries"])


def test_settings_are_shown_with_their_origin_and_without_secrets(start):
    house = start(store__url="")
    rows = {row["key"]: row for row in house.console().document("OG")["settings"]}
    assert rows["network.host"]["value"] == house.running.bank
    assert rows["log.traffic"]["live"] is True
    assert rows["network.port"]["live"] is False
    assert all(row["doc"] and row["expected"] for row in rows.values())


@pytest.mark.parametrize("attack", [b"\x1b[2J", "\u202eevil".encode(), b"\xc3(", b"\x9b31m"])
def test_what_strangers_send_is_shown_without_its_claws(house, console, attack):
    client = house.client()
    client.ask("BC")
    client.send(b"AD " + attack + b"\n")
    client.line()
    lines = console.document("OT count=1")["lines"]
    assert lines[0]["request"].startswith("AD ")
    assert all(str(value).isprintable() for value in lines[0].values())


def test_traffic_has_the_requests_of_clients_and_what_operators_did_to_accounts(house, console):
    open_account(house.client())
    account = open_account(console.wire)
    console.document("OS")
    lines = console.document("OT")["lines"]
    assert [line["request"] for line in lines] == ["AC", "AC"]
    assert lines[1]["reply"] == f"AC {account}"
    assert {line["dir"] for line in lines} == {"in"}
