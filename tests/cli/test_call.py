"""`bank call`: the reply on stdout, and an exit code that a script can use."""

import socket

import pytest
from support import zoo
from support.nodes import some_host


def at(served) -> tuple[object, ...]:
    host, port = served.address
    return ("--host", host, "--port", port)


def test_a_reply_is_printed_and_the_exit_code_is_0(bank, served):
    called = bank("call", *at(served), "bc")
    assert (called.returncode, called.stdout, called.stderr) == (0, f"BC {served.host}\n", "")


def test_an_error_is_printed_and_the_exit_code_is_1(bank, served):
    called = bank("call", *at(served), f"AB 10000/{served.host}")
    assert (called.returncode, called.stdout) == (1, "ER There is no such account.\n")


def test_nobody_there_is_one_line_and_exit_code_2(bank):
    with socket.create_server((some_host(), 0)) as server:
        host, port = server.getsockname()
    called = bank("call", "--host", host, "--port", port, "BC")
    assert (called.returncode, called.stdout) == (2, "")
    assert called.stderr.count("\n") == 1
    assert f"{host}:{port}" in called.stderr


def test_a_mute_bank_is_given_up_at_the_time_out(bank):
    with socket.create_server((some_host(), 0)) as server:
        host, port = server.getsockname()
        called = bank("call", "--host", host, "--port", port, "--timeout", "0.3", "BC")
    assert (called.returncode, called.stdout) == (2, "")
    assert called.stderr.count("\n") == 1


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_of_stdin_are_sent_one_by_one_on_one_connection(bank, served, end):
    called = bank("call", *at(served), stdin=end.join(("BC", "", "BN", "BA")))
    assert (called.returncode, called.stdout) == (0, f"BC {served.host}\nBN 0\nBA 0\n")


def test_any_error_among_the_lines_of_stdin_is_exit_code_1(bank, served):
    called = bank("call", *at(served), stdin="BN\nnonsense\nBN\n")
    assert called.returncode == 1
    assert called.stdout.splitlines()[::2] == ["BN 0", "BN 0"]


def test_quit_ends_the_conversation(bank, served):
    called = bank("call", *at(served), stdin="BN\nqu\nBN\n")
    assert (called.returncode, called.stdout) == (0, "BN 0\nQU\n")


def test_nothing_on_stdin_is_nothing_done(bank, served):
    called = bank("call", *at(served), stdin="")
    assert (called.returncode, called.stdout) == (0, "")


@pytest.mark.parametrize("behaviour", ["greets", "no end, closes", "pads", "byte order mark"])
def test_a_strangers_bank_is_understood(bank, behaviour):
    with zoo.bank(behaviour, host=some_host()) as peer:
        called = bank("call", "--host", peer.host, "--port", peer.port, stdin="BN\nBA\n")
    assert (called.returncode, called.stdout, called.stderr) == (0, "BN 1\nBA 500\n", "")


def test_an_error_in_a_strangers_words_is_exit_code_1(bank):
    with zoo.bank("code before errors", host=some_host()) as peer:
        called = bank("call", "--host", peer.host, "--port", peer.port, "AR 77777/1.2.3.4")
    assert (called.returncode, called.stdout) == (1, "AR Account does not exists\n")


def test_a_strangers_reply_cannot_drive_the_terminal(bank):
    with zoo.bank("escapes", host=some_host()) as peer:
        called = bank("call", "--host", peer.host, "--port", peer.port, "AB 77777/1.2.3.4")
    assert called.returncode == 1
    assert called.stdout.rstrip("\n").isprintable()
