"""protocol.md is normative, so it is checked: its sessions are played, its tables compared."""

import json
import re
from pathlib import Path

import pytest
from support.nodes import running_node
from support.wire import Wire

from bank_node.errors import Reason
from bank_node.protocol.commands import COMMANDS, STORE, Audience
from bank_node.protocol.messages import Catalogue

TEXT = (Path(__file__).parents[2] / "protocol.md").read_text(encoding="utf-8")
SESSIONS = re.findall(r"```bank\n(.*?)```", TEXT, re.DOTALL)
OPERATORS = re.findall(r"```operator\n(.*?)```", TEXT, re.DOTALL)
ANYTHING = "..."
audiences = pytest.mark.parametrize("audience", [Audience.PUBLIC, Audience.OPERATOR])


def rows(heading, audience):
    """The cells of the table that begins with this heading row; the operator's is the second."""
    text = TEXT.split(heading + "\n")[1 if audience is Audience.PUBLIC else 2]
    table = text.split("\n\n")[0].splitlines()[1:]
    return [
        [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip()[1:-1])]
        for line in table
    ]


def fits(shown, told):
    """Whether a value is the one shown, where `...` stands for any."""
    if isinstance(shown, dict) and isinstance(told, dict):
        known = shown.keys() - {ANYTHING}
        all_shown = known == told.keys() if ANYTHING not in shown else known <= told.keys()
        return all_shown and all(fits(shown[name], told[name]) for name in known)
    if isinstance(shown, list) and isinstance(told, list):
        return len(shown) == len(told) and all(map(fits, shown, told))
    return shown in (told, ANYTHING)


def assert_fits(shown, told, asked):
    code = shown[:2]
    try:
        document = json.loads(shown[2:])
    except ValueError:
        assert re.fullmatch(re.escape(shown).replace(r"\.\.\.", ".*"), told), asked
    else:
        assert told.startswith(code + " "), (asked, told)
        assert fits(document, json.loads(told[2:])), (asked, told)


def play(session, wire, **known):
    """Sends what a session sends and compares what comes with what it says."""
    accounts = []
    for asked, told in re.findall(r"^> (.*)\n< (.*)$", session, re.MULTILINE):
        names = {**known, **{str(n): account for n, account in enumerate(accounts, 1)}}
        for name, value in names.items():
            asked = asked.replace(f"${name}", value)
        reply = wire.ask(asked)
        if reply[:3] in ("AC ", "PU ", "PM "):
            accounts.append(reply[3:].partition("/")[0])
            names[str(len(accounts))] = accounts[-1]
        learnt = {
            "PM ": ("vmid", -1),
            "PG ": ("uri", 1),
            "PP ": ("payment", 1),
            "PC ": ("request", 1),
            "PH ": ("mandate", 1),
            "PZ ": ("dispute", 1),
        }.get(reply[:3])
        if learnt:
            known[learnt[0]] = names[learnt[0]] = reply.split()[learnt[1]]
        for name, value in names.items():
            told = told.replace(f"${name}", value)
        assert_fits(told, reply, asked)


@pytest.mark.parametrize("session", SESSIONS, ids=range(1, len(SESSIONS) + 1))
def test_a_node_answers_as_the_sessions_of_the_specification_say(session, tmp_path):
    with running_node(tmp_path, network__host="127.0.0.1") as running, running.wire() as wire:
        play(session, wire)


@pytest.mark.parametrize("session", OPERATORS, ids=range(1, len(OPERATORS) + 1))
def test_operators_are_answered_as_the_specification_says(session, tmp_path):
    with running_node(tmp_path, network__host="127.0.0.1") as running:
        token = (tmp_path / "operator.token").read_text().strip()
        with Wire(running.node.operator_address) as wire:
            play(session, wire, token=token)


def test_there_are_sessions_to_play():
    assert len(SESSIONS) >= 4
    assert len(OPERATORS) >= 4


def on_port(row, audience):
    """Whether a row is served on the port of an audience; other banks use the public one."""
    return row.audience is audience or (
        audience is Audience.PUBLIC and row.audience is Audience.PEER
    )


@audiences
def test_the_table_of_commands_is_the_table_in_the_code(audience):
    documented = [
        (code, call.strip("`"), success.strip("`"), does)
        for code, call, success, does in rows("| code | call | success | does |", audience)
    ]
    assert documented == [
        (row.code, row.usage, row.reply, row.summary)
        for row in COMMANDS.values()
        if on_port(row, audience)
    ]


@audiences
def test_the_errors_of_each_command_are_documented_in_their_order(audience):
    documented = {
        code: [name for name in errors.split(", ") if name]
        for code, errors in rows("| code | errors |", audience)
    }
    assert documented == {
        row.code: [reason.value for reason in row.errors if reason not in STORE]
        for row in COMMANDS.values()
        if on_port(row, audience)
    }


def test_the_sentences_of_the_specification_are_those_of_the_catalogue():
    catalogue = Catalogue("en")
    documented = dict(re.findall(r"^\| ([a-z_]+) \| ((?:[A-Z]|01: ).*) \|$", TEXT, re.MULTILINE))
    assert documented == {
        reason.value: catalogue.error_sentence(reason)
        for reason in Reason
        if reason.value in documented
    }
    assert {reason.value for row in COMMANDS.values() for reason in row.errors} <= set(documented)
