"""A node for one test, with or without a disk that can be stopped."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from support.nodes import Running, StallingStore, running_node, stalling_node


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Starts a node with settings such as `network__timeout=1`."""
    with ExitStack() as stack:

        def start_node(**overrides: object) -> Running:
            return stack.enter_context(running_node(tmp_path / "data", **overrides))

        yield start_node


@pytest.fixture
def node(start: Callable[..., Running]) -> Running:
    """A node with default settings."""
    return start()


@pytest.fixture
def start_stalling(tmp_path: Path) -> Iterator[Callable[..., tuple[Running, StallingStore]]]:
    """Starts a node whose disk can be stopped."""
    with ExitStack() as stack:

        def start_node(**overrides: object) -> tuple[Running, StallingStore]:
            return stack.enter_context(stalling_node(tmp_path / "data", **overrides))

        yield start_node
