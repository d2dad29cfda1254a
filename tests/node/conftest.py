"""Real processes of `bank serve`, each on an address of its own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from support.nodes import some_host
from support.one_bank import Nodes
from support.processes import Served


@pytest.fixture
def host() -> str:
    return some_host()


@pytest.fixture
def serve(tmp_path: Path, host: str) -> Iterator[Callable[..., Served]]:
    """Starts `bank serve` on one data folder and one address; killed at the end if need be."""
    with ExitStack() as stack:

        def start(*options: object, **variables: str) -> Served:
            served = Served(tmp_path / "data", host, *options, **variables)
            return stack.enter_context(served)

        yield start


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[Nodes]:
    with ExitStack() as stack:
        yield Nodes(tmp_path, stack, some_host())
