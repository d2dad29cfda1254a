"""Event loops: the quicker one where the platform has it."""

import asyncio
import sys


def new_loop() -> asyncio.AbstractEventLoop:
    """A loop of uvloop where that is installed, otherwise one of the standard library."""
    if sys.platform != "win32":
        try:
            import uvloop
        except ImportError:
            return asyncio.new_event_loop()
        return uvloop.new_event_loop()
    return asyncio.new_event_loop()
