"""The commands people type: `bank` and its subcommands, each a few lines over the rooms."""

from bank_node.cli.main import main

__all__ = ["main"]
