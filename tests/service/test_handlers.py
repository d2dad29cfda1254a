"""The handlers: which operation a command is, and how its result is told."""

import pytest

from bank_node.ledger.operations import CloseAccount, Deposit, OpenAccount, Withdraw
from bank_node.protocol.commands import COMMANDS
from bank_node.service.handlers import HANDLERS

CLASSIC = ("BC", "AC", "AD", "AW", "AB", "AR", "BA", "BN")


def test_every_command_has_a_handler_and_every_handler_a_command():
    assert set(HANDLERS) == set(COMMANDS)


@pytest.mark.parametrize(
    ("line", "operation", "result", "reply"),
    [
        ("AC", OpenAccount(4711), 12345, "AC 12345/10.1.2.3"),
        ("AD 10001/10.1.2.3 500", Deposit(10001, 500), 0, "AD"),
        ("AD 10001/10.1.2.3 0", Deposit(10001, 0), 0, "AD"),
        ("aw 10001/10.1.2.3 0007", Withdraw(10001, 7), 0, "AW"),
        ("AR 99999/10.1.2.3", CloseAccount(99999), 0, "AR"),
    ],
)
def test_a_write_is_one_operation_and_its_result_one_line(
    session, ledger, line, operation, result, reply
):
    session.send(line)
    assert ledger.operations == [operation]
    ledger.settle(result)
    assert session.replies == [reply + "\r\n"]


@pytest.mark.parametrize(
    ("line", "reply"),
    [("AB 10001/10.1.2.3", "AB 70"), ("BA", "BA 70"), ("BN", "BN 70"), ("BC", "BC 10.1.2.3")],
)
def test_a_read_is_told_as_its_code_and_a_number(session, line, reply):
    assert session.ask(line) == reply


def test_version_tells_name_version_capabilities_and_key(house, session):
    assert (
        session.ask("VE")
        == f"VE a-bank 1.2.3 session ledger transfers commit follow key={house.key}"
    )


@pytest.mark.parametrize("language", ["en", "cs"])
def test_help_lists_every_command_in_one_line(build, language):
    reply = build(language=language).session().ask("HE")
    assert reply.startswith("HE ")
    assert all(code in reply for code in (*CLASSIC, "HE", "VE", "QU"))


@pytest.mark.parametrize(
    ("language", "sentence"),
    [("en", "Account deposit: adds money to an account."), ("cs", "Vklad: přidá peníze na účet.")],
)
def test_help_explains_a_command_in_the_language_of_the_bank(build, language, sentence):
    session = build(language=language).session()
    assert session.ask("HE ad") == f"HE AD <account>/<ip> <number> -> AD: {sentence}"


@pytest.mark.parametrize(
    ("language", "sentence"), [("en", "Unknown command."), ("cs", "Neznámý příkaz.")]
)
def test_an_error_is_told_in_the_language_of_the_bank(build, language, sentence):
    session = build(language=language).session()
    assert session.ask("XY") == f"ER {sentence}"
    assert session.ask("HE XY") == f"ER {sentence}"


def test_help_about_what_is_no_code_says_what_a_code_is(session):
    assert session.ask("HE 12") == "ER A command code is two letters."
