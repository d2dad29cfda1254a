"""Event loops: the quicker one where the platform has it, and how other threads call into one."""

import asyncio
import sys
from collections import deque
from collections.abc import Callable


def new_loop() -> asyncio.AbstractEventLoop:
    """A loop of uvloop where that is installed, otherwise one of the standard library."""
    if sys.platform != "win32":
        try:
            import uvloop
        except ImportError:
            return asyncio.new_event_loop()
        return uvloop.new_event_loop()
    return asyncio.new_event_loop()


class Inbox:
    """Calls for a loop from other threads, which wake it once for all that have gathered.

    Waking a loop is a call of the system, and the thread that wakes it has to wait for the
    interpreter afterwards: for every request that costs more than what is asked for.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._calls: deque[tuple[Callable[..., object], tuple[object, ...]]] = deque()
        self._is_awaited = False

    def post(self, call: Callable[..., object], *arguments: object) -> None:
        """Has something called on the loop, in the order of all posts. From any thread.

        Raises RuntimeError after the end of the loop.
        """
        self._calls.append((call, arguments))
        # Lowered before the calls are taken out, so that none is left behind.
        if not self._is_awaited:
            self._is_awaited = True
            try:
                self._loop.call_soon_threadsafe(self._deliver)
            except RuntimeError:
                self._is_awaited = False
                self._calls.clear()
                raise

    def _deliver(self) -> None:
        self._is_awaited = False
        calls = self._calls
        # What is posted meanwhile has its own turn, behind the sockets that are ready.
        for _ in range(len(calls)):
            call, arguments = calls.popleft()
            try:
                call(*arguments)
            except Exception as error:
                self._loop.call_exception_handler(
                    {"message": f"a call to {call!r} failed", "exception": error}
                )
