"""Mistakes at the command line: each is told in words, with exit code 2, never by a traceback."""

import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from support.processes import environment
from support.spawning import PROGRAM, spawn

from bank_node.cli.main import COMMANDS, main
from cli.test_call import at


def groups() -> list[str]:
    """The commands that have commands of their own; the empty name is `bank` itself."""
    context = click.Context(main)
    found = {name: main.get_command(context, name) for name in COMMANDS}
    return ["", *(name for name, command in found.items() if isinstance(command, click.Group))]


@pytest.mark.parametrize(
    "words",
    [
        ["call", "--port", 70000, "BC"],
        ["call", "--port", 0, "BC"],
        ["call", "--timeout", 0, "BC"],
        ["call", "--timeout", -1, "BC"],
        ["demo", "--port", 70000],
        ["user", "balance", "alice@prague", "--port", 70000],
        ["prove", "--connect", "127.0.0.1:70000"],
        ["promote", "--connect", "127.0.0.1"],
        ["simulate", "--connect", "127.0.0.1:²"],
        ["op", "status", "--connect", ":65500"],
        ["tui", "--connect", "here"],
    ],
)
def test_a_port_a_time_and_a_place_are_checked_before_anything_else(bank, words):
    ended = bank(*words)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert re.search(r"Invalid value for '--\w+'", ended.stderr)


@pytest.mark.parametrize(
    "words",
    [
        ["export", "accounts", "--output", "nowhere/file"],
        ["backup", "nowhere/file"],
        ["restore", "--store", "sqlite:////proc/nowhere/bank.db", "LEDGER/bank.db"],
        ["prove", "--output", "nowhere/file"],
    ],
)
def test_a_file_that_cannot_be_written_is_named_in_one_line(bank, ledger, words):
    options = [] if "--store" in words else ["--data", ledger]
    ended = bank(*options_behind(words, options, ledger))
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("bank: ")
    assert ended.stderr.count("\n") == 1
    assert "nowhere" in ended.stderr


def options_behind(words: list[str], options: list[object], ledger: Path) -> list[object]:
    """The words of a command with options; LEDGER stands for the folder of one."""
    first, *rest = (word.replace("LEDGER", str(ledger)) for word in words)
    return [first, *options, *rest]


def test_a_token_that_cannot_be_read_is_no_unpaid_sale(bank):
    ended = bank("machine", "till", "--amount", "5", "--token-file", "nowhere")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "bank: nowhere: No such file or directory\n"


def test_a_picture_that_cannot_be_written_is_named(bank, served):
    handle = bank("call", *at(served), "VE").stdout.partition("handle=")[2].split()[0]
    joined = bank("merchant", "register", f"shop@{handle}", "--name", "Shop", "--category", 5411,
                  "--mobile", 420777123456, *at(served), stdin="2580\n")  # fmt: skip
    token = joined.stdout.split()[-1]
    ended = bank("merchant", "code", "--png", "nowhere/x.png", *at(served), stdin=f"{token}\n")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "bank: nowhere/x.png: No such file or directory\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_disk_behind_stdout_is_one_line(tmp_path):
    with (
        open("/dev/full", "w") as full,
        spawn([*PROGRAM, "config"], cwd=tmp_path, env=environment(), stdout=full,
              stderr=-1) as ended,
    ):  # fmt: skip
        told = ended.communicate()[1]
    assert (ended.returncode, told) == (2, "bank: No space left on device\n")


def test_a_console_without_a_terminal_says_so(bank, served):
    ended = bank("tui", "--data", served.data)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("bank: there is no terminal for a console")


def test_lines_in_one_argument_are_commands_one_by_one(bank, served):
    called = bank("call", *at(served), "BC\nBN\nnonsense")
    assert called.returncode == 1
    assert called.stdout.splitlines()[:2] == [f"BC {served.host}", "BN 0"]
    assert len(called.stdout.splitlines()) == 3


def test_a_pin_in_a_later_line_of_the_argument_is_refused_as_well(bank, served):
    called = bank("call", *at(served), "BC\nPB alice@prague 2580")
    assert (called.returncode, called.stdout) == (2, "")


@pytest.mark.parametrize("payee", ["bob@brno 5", "bob@brno\nAW", ""])
def test_an_argument_that_is_no_word_is_not_sent(bank, served, payee):
    ended = bank("pay", payee, "--from", "a@brno", "--amount", 1, *at(served), stdin="2580\n")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "must be one word" in ended.stderr


@pytest.mark.parametrize("group", groups())
def test_the_help_of_a_group_tells_whole_sentences_in_80_columns(group, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    told = CliRunner().invoke(main, [*([group] if group else []), "--help"]).output
    summaries = re.split(r"\n  (?=\w)", told.partition("Commands:")[2])
    assert len(summaries) > 2
    assert not [each for each in summaries[1:] if each.rstrip()[-1] not in ".)"]
    assert "..." not in told.partition("Commands:")[2]


def test_no_option_is_without_help():
    def walk(command: click.Command, name: str) -> list[str]:
        options = [each for each in command.params if isinstance(each, click.Option)]
        bare = [f"{name} {each.opts[0]}" for each in options if not (each.help or each.hidden)]
        if isinstance(command, click.Group):
            context = click.Context(command)
            for each in command.list_commands(context):
                found = command.get_command(context, each)
                assert found is not None
                bare += walk(found, f"{name} {each}")
        return bare

    assert walk(main, "bank") == []


def test_a_demo_that_cannot_start_says_why_once(bank):
    ended = bank("demo", "--port", 80)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.count("bank: ") == 1
    assert "network.port = 80 is wrong" in ended.stderr


def test_no_line_of_any_help_is_broken_in_a_word(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    told = CliRunner().invoke(main, ["mandate", "answer", "--help"]).output
    assert told.startswith("Usage: main mandate answer [OPTIONS] MANDATE ANSWER\n")
