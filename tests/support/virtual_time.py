"""An event loop on which waiting takes no time: when nothing is left to do, its clock jumps."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


class _JumpingSelector(selectors.DefaultSelector):  # type: ignore[misc, valid-type]
    """Tells the clock how long it would have waited."""

    def __init__(self) -> None:
        super().__init__()
        self.time_s = 1000.0

    def select(self, timeout: float | None = None) -> list[Any]:
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "everybody waits for somebody else"
            self.time_s += max(0.0, timeout)
        return ready


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.time_s


def run(main: Coroutine[Any, Any, Result]) -> Result:
    """Runs to the end, at once. Only for code that waits for clocks and not for sockets."""
    with asyncio.Runner(loop_factory=_Loop) as runner:
        return runner.run(main)


async def pass_time(seconds: float) -> None:
    """Lets so much of the loop's time pass; everything that is due meanwhile happens."""
    await asyncio.sleep(seconds)
