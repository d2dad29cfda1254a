"""A node with its operator's port, and connections to it that have shown the token."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from support.nodes import Running, settings
from support.wire import Wire

from bank_node.node import Node
from bank_node.service.office import Office


class Console:
    """A tool of the operator."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire

    def ask(self, command: str) -> str:
        return self.wire.ask(command)

    def document(self, command: str) -> dict[str, Any]:
        """The document in the reply to a command."""
        reply = self.wire.ask(command)
        code, _, text = reply.partition(" ")
        assert code == command[:2], reply
        return dict(json.loads(text))


class House:
    """A node, its data folder, and who asked it to stop."""

    def __init__(self, stack: ExitStack, data: Path, **overrides: object) -> None:
        self._stack = stack
        self.data = data
        self.file = data / "config.json"
        self.stops: list[bool] = []
        self.node = Node(
            settings(data, **overrides),
            settings_file=self.file,
            request_stop=lambda: self.stops.append(True),
        )
        self.running = Running(self.node, self.node.start())
        stack.callback(self.node.stop)

    @property
    def token(self) -> str:
        return (self.data / "operator.token").read_text().strip()

    @property
    def office(self) -> Office:
        office = self.node._entrance._office
        assert office
        return office

    def client(self) -> Wire:
        """A connection of a client."""
        return self._stack.enter_context(self.running.wire())

    def stranger(self) -> Wire:
        """A connection to the operator's port that has shown nothing."""
        address = self.node.operator_address
        assert address
        return self._stack.enter_context(Wire(address))

    def console(self) -> Console:
        """A connection that has shown the token."""
        wire = self.stranger()
        assert wire.ask(f"OA {self.token}") == "OA"
        return Console(wire)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., House]]:
    """Starts a node with settings such as `operator__read_only=True`."""
    with ExitStack() as stack:
        yield lambda **overrides: House(stack, tmp_path / "data", **overrides)


@pytest.fixture
def house(start: Callable[..., House]) -> House:
    return start()


@pytest.fixture
def console(house: House) -> Console:
    return house.console()
