"""The way to a node's operator's port: where it is, its token, and one question after the other."""

import json
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from bank_node.cli.options import config_option, effective, endpoint, entrance_options
from bank_node.config import (
    OPERATOR_ADDRESS_FILE,
    OPERATOR_TOKEN_FILE,
    Settings,
    data_folder,
)
from bank_node.errors import BankError
from bank_node.network.client import Client, Endpoint
from bank_node.values import one_line

Function = TypeVar("Function", bound=Callable[..., Any])

_PATH = click.Path(path_type=Path)
_REPLY_BYTES_MAX = 8 * 2**20
# Longer than a node lets anybody wait for news.
_TIMEOUT_S = 40.0
_EXIT_REFUSED = 1


class NoEntrance(BankError):
    """The operator's port of a node cannot be found or entered."""


class Refusal(click.ClickException):
    """The node refused a command: its sentence on stderr, exit code 1."""

    exit_code = _EXIT_REFUSED

    def show(self, file: Any = None) -> None:
        """Prints the sentence as all errors of the house are printed."""
        click.echo(f"bank: {self.message}", err=True, file=file)


class Operator:
    """A connection that has shown the token."""

    def __init__(self, host: str, port: int, token: str) -> None:
        """Raises Unreachable, or Refusal for a wrong token."""
        self._client = Client(
            host,
            port,
            _TIMEOUT_S,
            reconnects=False,
            reply_bytes_max=_REPLY_BYTES_MAX,
            ends_lines=True,
        )
        try:
            self.ask(f"OA {token}")
        except BaseException:
            self._client.close()
            raise

    def ask(self, line: str) -> str:
        """The reply to a command. Raises Refusal when it is an error."""
        reply = self._client.call(line)
        if reply.startswith("ER"):
            raise Refusal(reply[2:].strip())
        return reply

    def document(self, command: str, /, **fields: object) -> dict[str, Any]:
        """The document in the reply to a command with these fields; None is left out.

        Raises Refusal, or NoEntrance when it is no document.
        """
        words = [f"{name}={value}" for name, value in fields.items() if value is not None]
        reply = self.ask(one_line(" ".join((command, *words))))
        try:
            found = json.loads(reply[2:])
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise NoEntrance(f"this is no reply of an operator's port: {one_line(reply)[:80]}")
        return found

    def close(self) -> None:
        """Ends the connection."""
        self._client.close()


def operator_options(function: Function) -> Function:
    """The options that find the port and the token; the command gets an Operator for them."""

    @wraps(function)
    def run(
        *,
        config: Path | None,
        data: Path | None,
        connect: Endpoint | None,
        token_file: Path | None,
        **others: Any,
    ) -> Any:
        settings = effective(config, data, None).settings
        operator = Operator(*_endpoint(settings, connect), token_of(settings, token_file))
        try:
            return function(operator, **others)
        finally:
            operator.close()

    decorated: Any = run
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print JSON."),
        entrance_options,
        click.option("--data", type=_PATH, help="The folder of the bank's files."),
        config_option,
    ):
        decorated = option(decorated)
    return decorated  # type: ignore[no-any-return]


def _endpoint(settings: Settings, connect: Endpoint | None) -> Endpoint:
    """Where operators connect: as said, as the running node has written down, as configured."""
    if connect is not None:
        return connect
    try:
        where = (data_folder(settings) / OPERATOR_ADDRESS_FILE).read_text(encoding="ascii")
    except (OSError, ValueError):
        return Endpoint(settings.operator.host, settings.operator.port)
    return endpoint(where)


def token_of(settings: Settings, token_file: Path | None) -> str:
    """The token of a node: in a file as said, or in its data folder. Raises NoEntrance."""
    from bank_node.security.tokens import read_token

    path = token_file or data_folder(settings) / OPERATOR_TOKEN_FILE
    try:
        token = read_token(path)
    except OSError as error:
        raise NoEntrance(f"the token {path} cannot be read: {error.strerror}") from None
    if not token:
        raise NoEntrance(f"there is no token in {path}; name the bank's folder with --data")
    return token
