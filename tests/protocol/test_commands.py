"""The command table: classic rows as the world knows them, and every column well formed."""

import re

import pytest

from bank_node.errors import Reason, Refused
from bank_node.protocol.command import FIELDS
from bank_node.protocol.commands import (
    BEFORE,
    COMMANDS,
    ELSEWHERE,
    STORE,
    Audience,
    Effect,
    Route,
    parse_command_code,
    visible_commands,
)
from bank_node.service.handlers import HANDLERS

# Code, usage, reply, route, effect: facts of the classic protocol.
CLASSIC = (
    ("BC", "BC", "BC <ip>", Route.OWN, Effect.NONE),
    ("AC", "AC", "AC <account>/<ip>", Route.OWN, Effect.WRITES),
    ("AD", "AD <account>/<ip> <number>", "AD", Route.BY_ACCOUNT, Effect.WRITES),
    ("AW", "AW <account>/<ip> <number>", "AW", Route.BY_ACCOUNT, Effect.WRITES),
    ("AB", "AB <account>/<ip>", "AB <number>", Route.BY_ACCOUNT, Effect.READS),
    ("AR", "AR <account>/<ip>", "AR", Route.OWN_ACCOUNT, Effect.WRITES),
    ("BA", "BA", "BA <number>", Route.OWN, Effect.READS),
    ("BN", "BN", "BN <number>", Route.OWN, Effect.READS),
)
CLASSIC_CODES = {"BC", "AC", "AD", "AW", "AB", "AR", "BA", "BN", "RP"}

rows = pytest.mark.parametrize("row", COMMANDS.values(), ids=COMMANDS)


def test_every_command_has_a_handler_and_every_handler_a_command():
    assert set(HANDLERS) == set(COMMANDS)


@rows
def test_a_command_has_an_operation_exactly_if_it_touches_the_ledger(row):
    handler = HANDLERS[row.code]
    # What takes several steps names its operations as it goes.
    has_operation = handler.operation is not None or (
        row.effect is Effect.WRITES and handler.later is not None
    )
    assert has_operation == (row.effect in (Effect.READS, Effect.WRITES))


@pytest.mark.parametrize(("code", "usage", "reply", "route", "effect"), CLASSIC)
def test_a_classic_command_is_what_the_world_speaks(code, usage, reply, route, effect):
    row = COMMANDS[code]
    assert (row.usage, row.reply, row.route, row.effect) == (usage, reply, route, effect)
    assert row.audience is Audience.PUBLIC
    assert not row.closes


@rows
def test_exactly_the_classic_codes_are_no_extensions(row):
    assert row.extension == (row.code not in CLASSIC_CODES)


@rows
def test_a_row_is_filed_under_its_code_of_two_capital_letters(row):
    assert COMMANDS[row.code] is row
    assert re.fullmatch("[A-Z]{2}", row.code)


@rows
def test_no_code_can_be_taken_for_an_error(row):
    assert row.code != "ER"


@rows
def test_a_reply_begins_with_the_code_of_its_command(row):
    assert row.reply.split(" ")[0] == row.code


@rows
def test_a_summary_is_one_printable_sentence(row):
    assert row.summary.isprintable()
    assert row.summary.endswith(".")


@rows
def test_reasons_of_a_row_exist_and_are_named_once(row):
    assert all(isinstance(reason, Reason) for reason in row.errors)
    assert len(set(row.errors)) == len(row.errors)
    assert not set(row.errors) & (set(BEFORE) - {Reason.UNKNOWN_COMMAND})


@rows
def test_exactly_the_commands_that_write_can_fail_at_the_store(row):
    writes = row.effect is Effect.WRITES
    assert set(STORE).issubset(row.errors) == writes
    assert bool(set(STORE) & set(row.errors)) == writes
    if writes:
        assert row.errors[-len(STORE) :] == STORE


@rows
def test_every_argument_can_be_refused_with_a_reason_of_its_row(row):
    for argument in row.arguments:
        with pytest.raises(Refused) as caught:
            argument.parse(b"\x01")
        assert caught.value.reason in row.errors


@rows
def test_a_row_that_routes_by_account_has_one_as_its_first_argument(row):
    if row.route is not Route.OWN:
        assert row.arguments[0].shape == "<account>/<ip>"
        assert not row.arguments[0].optional


@rows
def test_optional_arguments_come_last_and_are_shown_in_brackets(row):
    optional = [argument.optional for argument in row.arguments]
    assert optional == sorted(optional)
    assert row.usage.count("[") == sum(optional) + sum(not f.required for f in row.fields)
    assert row.arguments_min == len(optional) - sum(optional)


@rows
def test_a_call_has_a_price_and_a_write_costs_more_than_a_read(row):
    assert row.cost >= COMMANDS["AB"].cost == 1
    assert row.effect is not Effect.WRITES or row.cost > 1


def test_reasons_are_in_the_order_in_which_they_are_found():
    """Form before route, route before state: what the line alone shows comes first."""
    order = (
        Reason.ACCOUNT_FORMAT,
        Reason.AMOUNT_FORMAT,
        Reason.NOT_FORWARDED,
        *ELSEWHERE,
        Reason.NO_SUCH_ACCOUNT,
        Reason.INSUFFICIENT_FUNDS,
        Reason.ACCOUNT_LIMIT,
        Reason.BANK_LIMIT,
        Reason.ACCOUNT_NOT_EMPTY,
        *STORE,
    )
    for row in COMMANDS.values():
        found = [order.index(reason) for reason in row.errors if reason in order]
        assert found == sorted(found), row.code


def test_a_strictly_classic_node_shows_no_extension():
    codes = visible_commands(extensions=False, audience=Audience.PUBLIC)
    assert codes
    assert {code.decode() for code in codes} <= CLASSIC_CODES


def test_extensions_come_on_top_of_the_classic_commands():
    classic = visible_commands(extensions=False, audience=Audience.PUBLIC)
    everything = visible_commands(extensions=True, audience=Audience.PUBLIC)
    assert classic.items() < everything.items()
    assert all(code == row.code.encode() for code, row in everything.items())


@pytest.mark.parametrize("audience", [each for each in Audience if each is not Audience.STRANGER])
def test_an_audience_sees_its_own_rows_and_the_public_ones_only(audience):
    shown = visible_commands(extensions=True, audience=audience)
    assert {row.code for row in shown.values()} == {
        row.code for row in COMMANDS.values() if row.audience in (audience, Audience.PUBLIC)
    }


def test_the_public_sees_nothing_of_the_operator():
    shown = visible_commands(extensions=True, audience=Audience.PUBLIC)
    assert not any(code.startswith(b"O") for code in shown)


def test_without_a_token_there_is_hardly_anything():
    shown = visible_commands(extensions=True, audience=Audience.STRANGER)
    assert set(shown) == {b"OA", b"HE", b"VE", b"QU"}


@rows
def test_a_row_has_arguments_in_their_places_or_by_name(row):
    assert not (row.arguments and row.fields)
    assert set(FIELDS).issubset(row.errors) == bool(row.fields)
    names = [field.name for field in row.fields]
    assert len(set(names)) == len(names)
    assert not any(field.required and field.default is not None for field in row.fields)
    assert [f.takes_rest for f in row.fields[:-1]] == [False] * (len(names) - 1 if names else 0)


@pytest.mark.parametrize("text", [b"ad", b"AD", b"aD"])
def test_a_code_is_read_in_either_case(text):
    assert parse_command_code(text) == "AD"


@pytest.mark.parametrize("text", [b"", b"A", b"ADD", b"A1", b"A ", "č".encode(), b"\xff\xff"])
def test_a_code_is_two_ascii_letters(text):
    with pytest.raises(Refused) as caught:
        parse_command_code(text)
    assert caught.value.reason is Reason.CODE_FORMAT
