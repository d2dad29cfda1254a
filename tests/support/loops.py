"""Tests that are coroutines."""

import asyncio
from collections.abc import Callable
from functools import wraps
from typing import Any


def in_a_loop(test: Callable[..., Any]) -> Callable[..., None]:
    """Runs an async test on a loop of its own, at most three minutes: machines may be busy."""

    @wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        async def bounded() -> None:
            await asyncio.wait_for(test(*args, **kwargs), 180)

        asyncio.run(bounded())

    return run
