"""The click group, and what all commands have in common: one-line errors and exit codes."""

import os
import sys
from importlib import import_module
from typing import Any, NoReturn

import click

from bank_node import __version__
from bank_node.cli.groups import Group
from bank_node.cli.program import settle
from bank_node.errors import BankError

EXIT_ERROR = 2

# Each command, the module of this room that it is in, and its name there. A module is loaded when
# one of its commands is typed, so that `bank call` need not know how a network is scanned.
COMMANDS = {
    "serve": ("serve", "serve"),
    "tui": ("console", "tui"),
    "web": ("web.command", "web"),
    "call": ("call", "call"),
    "scan": ("around", "scan"),
    "plan": ("around", "plan"),
    "demo": ("demo", "demo"),
    "verify": ("audit", "verify"),
    "prove": ("prove", "prove"),
    "verify-proof": ("prove", "verify_proof"),
    "promote": ("promote", "promote"),
    "backup": ("audit", "backup"),
    "restore": ("audit", "restore"),
    "export": ("audit", "export"),
    "migrate": ("migrate", "migrate"),
    "user": ("payments", "user"),
    "merchant": ("payments", "merchant"),
    "pay": ("payments", "pay"),
    "refund": ("requests", "refund"),
    "collect": ("requests", "collect"),
    "machine": ("machine", "machine"),
    "mandate": ("mandates", "mandate"),
    "dispute": ("disputes", "dispute"),
    "simulate": ("simulate", "simulate"),
    "config": ("serve", "show_config"),
    "op": ("op.group", "op"),
}


class _Group(Group):
    """Loads its commands late; errors become one line on stderr and exit code 2."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(f"bank_node.cli.{module}"), name)
        return command

    def main(self, *args: Any, **kwargs: Any) -> Any:
        settle()
        try:
            return super().main(*args, **kwargs)
        except BankError as error:
            _fail(str(error))
        except OSError as error:
            # A folder without write permission, a full disk: the caller's to mend, as is a name
            # that was mistyped.
            _forget_what_cannot_be_printed()
            what = f"{error.filename}: " if error.filename else ""
            _fail(what + (error.strerror or str(error)))


def _forget_what_cannot_be_printed() -> None:
    """Else the interpreter would try once more at its end, and make an exit code of its own."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(problem: str) -> NoReturn:
    click.echo(f"bank: {problem}", err=True)
    sys.exit(EXIT_ERROR)


@click.group(
    cls=_Group,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="bank")
@click.pass_context
def main(context: click.Context) -> None:
    """A bank node: a durable ledger behind a line protocol that anyone can drive with telnet.

    Without a command it serves a bank with the settings of ./config.json and shows the console
    on it; without a terminal to draw on, it serves the bank alone.
    """
    if context.invoked_subcommand is not None:
        return
    from bank_node.cli.console import has_screen, with_a_bank

    if has_screen():
        with_a_bank(None, None, None)
    else:
        from bank_node.cli.serve import serve

        context.invoke(serve, greet=True)
