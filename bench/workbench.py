"""What every measurement shares: the generator, the disk, the durations.

Knows no server; a player is anything that can be put under a load and timed.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from bench.generator import Generator, Load


@dataclass(frozen=True, slots=True)
class Workbench:
    generator: Generator
    folder: Path
    seconds: float
    warmup_s: float
    rounds: int
    accounts: int
    say: Callable[[str], None]

    @contextmanager
    def scratch(self, name: str) -> Iterator[Path]:
        """An empty folder on the measured disk, gone afterwards.

        What was written before is synced first, so that no measurement pays for the
        write-back of the one before it.
        """
        path = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.folder))
        try:
            os.sync()
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Measurement:
    """One rate in requests a second, with everything else that was seen on the way."""

    rate: float
    details: dict[str, Any] = field(default_factory=dict)


class Player(Protocol):
    @property
    def name(self) -> str: ...

    def ready(self, load: Load) -> AbstractContextManager[Callable[[], Measurement]]:
        """Starts from nothing and hands over what runs the load once; at rest between the runs."""
        ...
