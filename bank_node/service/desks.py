"""All desks of a gate, each of which hears of changes on its own thread."""

from collections.abc import Callable
from threading import Event, get_ident
from typing import Generic, TypeVar

Desk = TypeVar("Desk")

# How long to wait for a desk to hear of a change; longer means that its thread is stuck.
_HEARING_S = 1.0


class Desks(Generic[Desk]):
    """Belongs to a gate; desks are added on their own threads."""

    def __init__(self) -> None:
        self._desks: list[tuple[int, Callable[..., object], Desk]] = []

    def add(self, desk: Desk, run_soon: Callable[..., object]) -> Desk:
        """Remembers a desk of this thread, which `run_soon` makes call functions."""
        self._desks.append((get_ident(), run_soon, desk))
        return desk

    def tell(self, tell: Callable[[Desk], object]) -> None:
        """Has `tell` called with every desk on its thread; when this returns, all have heard."""
        waiting = []
        for thread, run_soon, desk in self._desks:
            if thread == get_ident():
                tell(desk)
                continue
            heard = Event()
            waiting.append(heard)
            run_soon(_tell, tell, desk, heard)
        for heard in waiting:
            heard.wait(_HEARING_S)


def _tell(tell: Callable[[Desk], object], desk: Desk, heard: Event) -> None:
    tell(desk)
    heard.set()
