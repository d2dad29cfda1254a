"""The click group, and what all commands have in common: one-line errors and exit codes."""

import sys

import click

from bank_node import __version__
from bank_node.cli.around import plan, scan
from bank_node.cli.audit import backup, export, restore, verify
from bank_node.cli.call import call
from bank_node.cli.demo import demo
from bank_node.cli.migrate import migrate
from bank_node.cli.prove import prove, verify_proof
from bank_node.cli.serve import serve, show_config
from bank_node.errors import BankError

EXIT_ERROR = 2


class _Group(click.Group):
    """Turns the errors of the house into one line on stderr and exit code 2."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except BankError as error:
            click.echo(f"bank: {error}", err=True)
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

    Without a command it serves a bank with the settings of ./config.json.
    """
    if context.invoked_subcommand is None:
        context.invoke(serve, greet=True)


for command in (
    serve,
    call,
    scan,
    plan,
    demo,
    verify,
    prove,
    verify_proof,
    backup,
    restore,
    export,
    migrate,
    show_config,
):
    main.add_command(command)
