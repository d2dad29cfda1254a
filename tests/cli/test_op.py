"""`bank op`: every command of the operator as people and scripts type it."""

import json
import signal
import subprocess
import sys

import pytest
from support.processes import ROOT, Served, environment
from support.wire import Wire, open_account


@pytest.fixture
def op(bank, served):
    """Runs `bank op` on the served bank."""
    return lambda *arguments: bank("op", *arguments, "--data", served.data)


def lines(run):
    assert (run.returncode, run.stderr) == (0, ""), run
    return run.stdout


def document(run):
    return json.loads(lines(run))


LOOKS = {
    "status": "serving",
    "metrics": "traffic_lines_lost",
    "accounts": "1 of 1 matching",
    "events": "NodeStarted",
    "log": "ready on",
    "traffic": "AC -> AC ",
    "peers": "this one",
    "journal": "hash",
    "settings": "network.scan_every",
}


@pytest.mark.parametrize("command", LOOKS)
def test_everything_can_be_looked_at_by_people_and_by_programs(op, served, command):
    with served.wire() as wire:
        open_account(wire)
    assert LOOKS[command] in lines(op(command))
    assert isinstance(document(op(command, "--json")), dict)


def test_an_account_and_its_history(op, served):
    with served.wire() as wire:
        number = open_account(wire, 700).partition("/")[0]
    told = lines(op("account", number))
    assert "deposited" in told
    assert "700" in told
    assert document(op("account", number, "--json"))["balance"] == 700
    assert document(op("accounts", "--filter", ">700", "--json"))["matching"] == 0
    assert document(op("accounts", "--sort", "-balance", "--json"))["rows"][0]["balance"] == 700
    found = document(op("journal", "--account", number, "--json"))
    assert [entry["kind"] for entry in found["entries"]] == ["deposited", "opened"]


def test_a_setting_is_changed_and_saved(op, served):
    assert lines(op("set", "language", "cs", "--save")) == "language = cs\n"
    with served.wire() as wire:
        assert wire.ask("XX") == "ER Neznámý příkaz."
    assert json.loads((served.data / "config.json").read_text()) == {"language": "cs"}


def test_what_the_node_refuses_is_one_line_and_exit_code_1(op):
    run = op("set", "network.port", "65531")
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr == (
        "bank: The setting network.port can be changed only in the settings file, "
        "for the next start.\n"
    )


def test_the_ledger_is_verified_and_exported_inside_the_node(op, served):
    with served.wire() as wire:
        open_account(wire, 5)
    assert "the ledger fits: 2 blocks" in lines(op("verify"))
    assert document(op("verify", "--json"))["ok"] is True
    path, _, rows = lines(op("export", "journal", "--format", "json")).strip().rpartition(": ")
    assert rows == "2 rows"
    with open(path, encoding="utf-8") as file:
        assert len(json.load(file)) == 2


def test_the_banks_around(op, served):
    assert "this one" in lines(op("scan"))
    assert document(op("plan", "0", "--json"))["plan"]["banks"] == []
    assert op("plan", "1").returncode == 1
    run = op("ask", "192.0.2.1")
    assert run.returncode == 1
    assert "outside of the network" in run.stderr


def test_draining_resuming_and_stopping(op, served):
    assert lines(op("drain")) == "draining\n"
    assert lines(op("resume")) == "serving\n"
    assert document(op("stop", "--json")) == {"state": "stopping"}
    assert served.ended() == (0, "")


def test_events_can_be_followed(served):
    command = ["op", "events", "--follow", "--json", "--data", served.data]
    follower = subprocess.Popen(
        [sys.executable, "-m", "bank_node", *map(str, command)],
        env=environment(PYTHONUNBUFFERED="1"),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Whoever runs the tests in the background may have had them ignore the key.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        seen = read_until(follower, "NodeStarted")
        host, _, port = (served.data / "operator.address").read_text().partition(":")
        with Wire((host, int(port))) as wire:
            wire.ask("OA " + (served.data / "operator.token").read_text().strip())
            wire.ask("OX do=drain")
        seen += read_until(follower, "DrainStarted")
        assert len(set(seen)) == len(seen), "nothing is told twice"
        follower.send_signal(signal.SIGINT)
        _, told = follower.communicate(timeout=60)
    finally:
        follower.kill()
        follower.communicate()
    assert (follower.returncode, told.strip()) == (0, "")


def read_until(follower, kind):
    """The numbers of the events up to the first of a kind."""
    seen = []
    while True:
        event = json.loads(follower.stdout.readline())
        seen.append(event["seq"])
        if event["kind"] == kind:
            return seen


def test_a_node_can_be_named_instead_of_found(bank, served):
    address = (served.data / "operator.address").read_text().strip()
    run = bank("op", "status", "--connect", address, "--token-file",
               served.data / "operator.token", "--json")  # fmt: skip
    assert document(run)["code"] == served.host


def test_a_wrong_token_is_refused(bank, served, tmp_path):
    address = (served.data / "operator.address").read_text().strip()
    guess = tmp_path / "guess"
    guess.write_text("A" * 43)
    run = bank("op", "status", "--connect", address, "--token-file", guess)
    assert (run.returncode, run.stderr) == (1, "bank: The token is wrong.\n")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--data", "nowhere"), "there is no token"),
        (("--connect", "127.0.0.1:1"), "127.0.0.1:1 cannot be reached"),
    ],
)
def test_a_node_that_cannot_be_found_is_one_line_and_exit_code_2(bank, arguments, told):
    run = bank("op", "status", *arguments)
    assert (run.returncode, run.stdout) == (2, "")
    assert told in run.stderr
    assert run.stderr.count("\n") == 1


def test_a_node_that_has_gone_is_one_line_and_exit_code_2(bank, tmp_path):
    with Served(tmp_path / "gone", "127.0.0.8") as served:
        served.kill()
    run = bank("op", "status", "--data", tmp_path / "gone")
    assert (run.returncode, run.stdout) == (2, "")
    assert "cannot be reached" in run.stderr
