"""Options that several commands share, and how settings come out of them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from bank_node.config import Effective, load

Function = TypeVar("Function", bound=Callable[..., Any])

_PATH = click.Path(path_type=Path)

config_option = click.option("--config", type=_PATH, help="The settings file (config.json).")


def settings_options(function: Function) -> Function:
    """`--config`, `--data` and `--store`, for every command that works on a bank's files."""
    for option in (
        click.option("--store", metavar="URL", help="The store, e.g. sqlite:///path/bank.db."),
        click.option("--data", type=_PATH, help="The folder of the bank's files."),
        config_option,
    ):
        function = option(function)
    return function


def effective(
    config: Path | None, data: Path | None, store: str | None, **overrides: object
) -> Effective:
    """The settings of a command line. Raises SettingsError."""
    import os

    named = {key.replace("__", "."): value for key, value in overrides.items()}
    return load(config, os.environ, {"data": data, "store.url": store, **named})
