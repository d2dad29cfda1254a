"""`bank call`: one command to a bank, or a conversation with it."""

import sys
from collections.abc import Iterator

import click

from bank_node.cli.options import PORT, SECONDS
from bank_node.network.client import Client, Kind
from bank_node.network.replies import code_of, judge
from bank_node.protocol.commands import COMMANDS, Audience

_PORT = 65525
_EXIT_REFUSED = 1


@click.command()
@click.argument("command", required=False)
@click.option("--host", default="127.0.0.1", show_default=True, help="The bank to talk to.")
@click.option("--port", type=PORT, default=_PORT, show_default=True, help="Its port.")
@click.option(
    "--timeout", type=SECONDS, default=6.0, show_default=True, help="Seconds to wait for a reply."
)
def call(command: str | None, host: str, port: int, timeout: float) -> None:
    """Send COMMAND to a bank and print its reply.

    Exit code 0, 1 if a reply is an error, 2 if the bank cannot be reached. Without COMMAND the
    lines of stdin are sent one by one; on a terminal that is a prompt.
    """
    commands = command.splitlines() if command is not None else []
    if any(map(_has_secrets, commands)):
        raise click.UsageError(
            "a PIN does not belong on a command line, where others can read it: start `bank call` "
            "without a command and type it there"
        )
    refused = False
    with Client(host, port, timeout) as bank:
        for line in commands if command is not None else _lines():
            if not line.strip():
                continue
            reply = bank.call(line)
            click.echo(reply)
            refused = refused or judge(code_of(line), reply).kind is Kind.REFUSED
            if line.strip().upper() == "QU":
                break
    if refused:
        sys.exit(_EXIT_REFUSED)


def _has_secrets(command: str) -> bool:
    words = command.split()
    row = COMMANDS.get(words[0].upper()) if words else None
    return row is not None and row.audience is Audience.PUBLIC and bool(row.secrets)


def _lines() -> Iterator[str]:
    if not sys.stdin.isatty():
        yield from (line.rstrip("\r\n") for line in sys.stdin)
        return
    while True:
        try:
            yield click.prompt("", prompt_suffix="> ", default="", show_default=False)
        except click.Abort:
            return
