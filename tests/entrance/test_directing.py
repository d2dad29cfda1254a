"""What operators can do to a running node, and what they cannot."""

import json

import pytest
from support.wire import open_account


def test_the_language_changes_for_everybody_at_once(house, console):
    client = house.client()
    assert client.ask("XX") == "ER Unknown command."
    assert console.document("OH key=language value=cs")["value"] == "cs"
    assert client.ask("XX") == house.client().ask("XX") == console.ask("XX") == "ER Neznámý příkaz."
    assert console.document("OS")["language"] == "cs"
    assert house.stranger().ask("OS").startswith("ER Nejdříve OA <token>;")


def test_the_traffic_log_is_switched_off_and_on(house, console):
    client = house.client()
    client.ask("BC")
    console.document("OH key=log.traffic value=false")
    client.ask("BA")
    console.document("OH key=log.traffic value=true")
    client.ask("BN")
    assert [line["request"] for line in console.document("OT")["lines"]] == ["BC", "BN"]
    house.node.stop()
    logged = (house.data / "log" / "traffic.log").read_text()
    assert "BC -> " in logged
    assert "BN -> " in logged
    assert "BA -> " not in logged


def test_a_change_is_told_to_whoever_watches(house, console):
    console.document("OH key=robbery.objective value=closest")
    event = house.console().document("OE count=1")["events"][0]
    assert event["kind"] == "SettingChanged"
    assert event["fields"] == {"key": "robbery.objective", "value": "closest"}
    row = next(
        row for row in console.document("OG")["settings"] if row["key"] == "robbery.objective"
    )
    assert (row["value"], row["origin"]) == ("closest", "operator")


def test_a_change_is_saved_only_if_that_is_wanted(house, console):
    console.document("OH key=language value=cs")
    assert not house.file.exists()
    console.document("OH key=log.level value=debug save=1")
    assert json.loads(house.file.read_text()) == {"log": {"level": "debug"}}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("key=language value=de", "ER The setting is wrong: operator: language"),
        ("key=nonsense value=1", "ER The setting is wrong: operator: nonsense"),
        ("key=network.port value=65530", "ER The setting network.port can be changed only in"),
        ("key=data value=x", "ER The setting data can be changed only in"),
        ("key=language", "ER The field value= is missing"),
    ],
)
def test_a_wrong_change_changes_nothing(console, change, told):
    before = console.document("OG")
    assert console.ask(f"OH {change}").startswith(told)
    assert console.document("OG") == before


def test_draining_refuses_new_clients_and_changes_and_ends_again(house, console):
    client = house.client()
    account = open_account(client, 5)
    assert console.document("OX do=drain") == {"state": "draining"}
    refused = "ER The bank is being drained and takes no new work, nothing was booked."
    for command in ("AC", f"AD {account} 1", f"AW {account} 1", f"AR {account}"):
        assert client.ask(command) == refused
        assert console.ask(command) == refused
    assert client.ask(f"AB {account}") == "AB 5"
    assert house.client().rest() == refused + "\r\n"
    assert house.console().document("OS")["state"] == "draining", "operators still get in"
    assert console.document("OX do=resume") == {"state": "serving"}
    assert client.ask(f"AD {account} 1") == "AD"
    assert house.client().ask("BN") == "BN 1"


def test_stopping_is_left_to_whoever_runs_the_node(house, console):
    assert console.document("OX do=stop") == {"state": "stopping"}
    assert house.stops == [True]


@pytest.mark.parametrize(
    "command", ["AC", "AD 10001/{bank} 1", "OX do=stop", "OH key=language value=cs", "OZ"]
)
def test_who_may_only_look_changes_nothing(start, command):
    house = start(operator__read_only=True)
    console = house.console()
    reply = console.ask(command.format(bank=house.running.bank))
    assert reply == "ER Operators may only look, operator.read_only is set."
    assert console.document("OS")["read_only_console"] is True
    assert console.ask("BN") == "BN 0"
    assert house.client().ask("AC").startswith("AC "), "clients are no operators"


def test_looking_only_can_be_switched_on_but_not_off_again(console):
    assert console.document("OH key=operator.read_only value=true")["value"] is True
    assert console.ask("OH key=operator.read_only value=false").startswith("ER Operators may only")
