"""Options that several commands share, and how settings come out of them."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from bank_node.config import Effective, load
from bank_node.errors import StartupError

if TYPE_CHECKING:
    from bank_node.network.client import Endpoint

Function = TypeVar("Function", bound=Callable[..., Any])

_PATH = click.Path(path_type=Path)
FILE = click.Path(path_type=Path, dir_okay=False)
PORT = click.IntRange(1, 65535)
# Of a file that holds something else.
_SHOWN = 80
SECONDS = click.FloatRange(0, min_open=True)


def endpoint(text: str) -> "Endpoint":
    """What `HOST:PORT` names, as typed or as a node has left it. Raises StartupError."""
    from bank_node.network.client import parse_endpoint

    found = parse_endpoint(text.strip())
    if found is None:
        raise StartupError(f"{text[:_SHOWN]!r} is not written HOST:PORT")
    return found


class _HostPort(click.ParamType["Endpoint"]):
    """`HOST:PORT`, as an endpoint."""

    name = "HOST:PORT"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> "Endpoint":
        try:
            return endpoint(value)
        except StartupError as error:
            self.fail(str(error), param, ctx)


HOST_PORT = _HostPort()

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


def entrance_options(function: Function) -> Function:
    """`--connect` and `--token-file`, for every command that goes to a node's operator's port."""
    for option in (
        click.option(
            "--token-file",
            type=FILE,
            help="The file with the node's token; operator.token in the data folder without it.",
        ),
        click.option("--connect", type=HOST_PORT, help="The operator's port of a node elsewhere."),
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
