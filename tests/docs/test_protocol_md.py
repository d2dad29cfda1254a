"""protocol.md is normative, so it is checked: its sessions are played, its tables compared."""

import re
from pathlib import Path

import pytest
from support.nodes import running_node

from bank_node.errors import Reason
from bank_node.protocol.commands import COMMANDS, STORE
from bank_node.protocol.messages import Catalogue

TEXT = (Path(__file__).parents[2] / "protocol.md").read_text(encoding="utf-8")
SESSIONS = re.findall(r"```bank\n(.*?)```", TEXT, re.DOTALL)


def rows(heading):
    """The cells of the table that begins with this heading row."""
    table = TEXT.split(heading + "\n")[1].split("\n\n")[0].splitlines()[1:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


@pytest.mark.parametrize("session", SESSIONS, ids=range(1, len(SESSIONS) + 1))
def test_a_node_answers_as_the_sessions_of_the_specification_say(session, tmp_path):
    accounts = []
    with running_node(tmp_path, network__host="127.0.0.1") as running, running.wire() as wire:
        for asked, told in re.findall(r"^> (.*)\n< (.*)$", session, re.MULTILINE):
            for index, account in enumerate(accounts, 1):
                asked = asked.replace(f"${index}", account)
            reply = wire.ask(asked)
            if reply.startswith("AC "):
                accounts.append(reply[3:].partition("/")[0])
            for index, account in enumerate(accounts, 1):
                told = told.replace(f"${index}", account)
            assert re.fullmatch(re.escape(told).replace(r"\.\.\.", ".*"), reply), asked


def test_there_are_sessions_to_play():
    assert len(SESSIONS) >= 4


def test_the_table_of_commands_is_the_table_in_the_code():
    documented = [
        (code, call.strip("`"), success.strip("`"), does)
        for code, call, success, does in rows("| code | call | success | does |")
    ]
    assert documented == [
        (row.code, row.usage, row.reply, row.summary) for row in COMMANDS.values()
    ]


def test_the_errors_of_each_command_are_documented_in_their_order():
    documented = {
        code: [name for name in errors.split(", ") if name]
        for code, errors in rows("| code | errors |")
    }
    assert documented == {
        row.code: [reason.value for reason in row.errors if reason not in STORE]
        for row in COMMANDS.values()
    }


def test_the_sentences_of_the_specification_are_those_of_the_catalogue():
    catalogue = Catalogue("en")
    documented = dict(re.findall(r"^\| ([a-z_]+) \| ([A-Z].*) \|$", TEXT, re.MULTILINE))
    assert documented == {
        reason.value: catalogue.error_sentence(reason)
        for reason in Reason
        if reason.value in documented
    }
    assert {reason.value for row in COMMANDS.values() for reason in row.errors} <= set(documented)
