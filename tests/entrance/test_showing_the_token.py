"""Who is let in at the operator's port, and what the public port knows of it: nothing."""

import socket

import pytest
from support.processes import Served, run_bank
from support.wire import Wire

from bank_node.protocol.commands import COMMANDS, Audience

FIRST = "ER Say OA <token> first; the token is in the file operator.token of the data folder."
OPERATOR_CODES = [row.code for row in COMMANDS.values() if row.audience is Audience.OPERATOR]
GUESS = "A" * 43


@pytest.mark.parametrize("command", ["OS", "OX do=stop", "AC", "BA", "RP 5", "nonsense", "OC x=1"])
def test_without_the_token_nothing_is_served(house, command):
    assert house.stranger().ask(command) == FIRST


def test_without_the_token_one_can_ask_for_help_and_leave(house):
    stranger = house.stranger()
    assert stranger.ask("HE").startswith("HE Commands: HE VE QU OA.")
    assert stranger.ask("HE OX").startswith("ER ")
    assert stranger.ask("VE").startswith("VE p2p-bank-node ")
    assert stranger.ask("QU") == "QU"
    assert stranger.rest() == ""


def test_with_the_token_everything_is_served_on_that_connection_only(house):
    console = house.console()
    assert console.ask("AC").startswith("AC ")
    assert console.document("OS")["clients"] == 1
    assert house.stranger().ask("OS") == FIRST


def test_the_token_and_commands_can_come_in_one_packet(house):
    stranger = house.stranger()
    stranger.send(f"OS\nOA {house.token}\nBN\nAC\nBN\n".encode())
    first, token, before, account, after = stranger.lines(5)
    assert (first, token, before, after) == (FIRST, "OA", "BN 0", "BN 1")
    assert account.startswith("AC ")


@pytest.mark.parametrize("guess", [GUESS, "x", "x" * 200])
def test_the_third_wrong_token_ends_the_connection(house, guess):
    stranger = house.stranger()
    for _ in range(2):
        assert stranger.ask(f"OA {guess}") == "ER The token is wrong."
    assert stranger.ask(f"OA {guess}") == "ER The token is wrong."
    assert stranger.rest() == ""


def test_an_address_that_guesses_is_locked_out_whatever_it_says_then(house):
    console = house.console()
    for _ in range(3):
        stranger = house.stranger()
        stranger.send(f"OA {GUESS}\n".encode() * 3)
        stranger.rest()
    assert house.stranger().ask(f"OA {GUESS}") == "ER The token is wrong."
    stranger = house.stranger()
    assert stranger.ask(f"OA {house.token}") == (
        "ER Too many wrong tokens from your address, try again in a minute."
    )
    assert stranger.rest() == ""
    kinds = [event["kind"] for event in console.document("OE")["events"]]
    assert "OperatorLockedOut" in kinds, "whoever was inside stays inside"


@pytest.mark.parametrize("code", OPERATOR_CODES)
def test_the_public_port_knows_no_command_of_the_operator(house, code):
    client = house.client()
    assert client.ask(f"{code} {house.token}") == "ER Unknown command."
    assert client.ask(f"HE {code}") == "ER Unknown command."
    assert code not in client.ask("HE")


def test_no_token_gets_into_a_log(house):
    stranger = house.stranger()
    for line in (f"OA {GUESS}", f"OA{GUESS}", f"OA x {GUESS}", f"A\x08OA {GUESS}", f"  oa {GUESS}"):
        stranger = house.stranger()
        stranger.ask(line)
    console = house.console()
    for document in (console.document("OT"), console.document("OL"), console.document("OE")):
        assert GUESS not in str(document)
        assert house.token not in str(document)
    house.node.stop()
    logged = b"".join(path.read_bytes() for path in (house.data / "log").iterdir())
    assert GUESS.encode() not in logged
    assert house.token.encode() not in logged


def test_a_node_can_be_without_an_operator_s_port(start):
    house = start(operator__enabled=False)
    assert house.node.operator_address is None
    assert not (house.data / "operator.token").exists()


def test_a_port_that_is_taken_is_no_reason_not_to_serve(start, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        while not 1024 <= port < 65525:
            pytest.skip("the system gave a port of banks")
        house = start(operator__port=port)
        host, told = (house.data / "operator.address").read_text().strip().split(":")
        assert (host, int(told)) == house.node.operator_address
        assert int(told) != port
        assert house.console().document("OS")["state"] == "serving"
    house.node.stop()
    assert not (house.data / "operator.address").exists()


def test_the_token_of_a_served_bank_is_kept_over_a_restart(tmp_path):
    tokens = []
    for _ in range(2):
        with Served(tmp_path / "served", "127.0.0.9") as served:
            tokens.append((served.data / "operator.token").read_text())
            host, _, port = (served.data / "operator.address").read_text().partition(":")
            with Wire((host, int(port))) as wire:
                assert wire.ask("OA " + tokens[-1].strip()) == "OA"
                assert wire.ask("OX do=stop").startswith('OX {"state":"stopping"}')
            assert served.ended() == (0, "")
    assert tokens[0] == tokens[1]
    assert run_bank("verify", "--data", tmp_path / "served", cwd=tmp_path).returncode == 0
