"""What the banks around say that they hold: BA and BN of all of them, at most a few seconds old.

Runs on the network thread. Whoever asks while a bank is being asked shares that answer, so no
flood of surveys becomes a flood on the network.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from bank_node.network.exchange import Deadlines, Endpoint
from bank_node.network.peers import Directory, Peer
from bank_node.network.replies import ABSURD_NUMBER, Answer, Kind
from bank_node.values import BankCode

_log = logging.getLogger(__name__)

# A robbery is planned with figures of this age; a burst of plans asks each bank once.
_FRESH_S = 3.0
# Where asking would get us banned, figures of this age have to do.
_STALE_S = 60.0
_AT_ONCE = 128
_QUESTIONS = ("BA", "BN")


class Figures(NamedTuple):
    """What a bank says that it holds."""

    address: BankCode
    amount: int
    clients: int


class Figuring(NamedTuple):
    """All banks whose figures can be counted on, and the others with the reason."""

    banks: tuple[Figures, ...]
    left_out: tuple[tuple[BankCode, str], ...]


Ask = Callable[[Endpoint, str, Deadlines, int], Awaitable[Answer]]
"""One question over a connection of its own; the last argument is the number of its request."""


class Surveyor:
    """Asks the verified banks for their figures. All methods belong to the network thread."""

    def __init__(self, directory: Directory, ask: Ask, now: Callable[[], float]) -> None:
        """`now` is monotonic seconds."""
        self._directory = directory
        self._ask = ask
        self._now = now
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._asking: dict[BankCode, asyncio.Task[str]] = {}

    async def survey(self, within_s: float, trace: int) -> Figuring:
        """The figures of all banks but this one, as far as they come in time."""
        tasks = {peer.code: self._learning(peer, within_s, trace) for peer in self._peers()}
        if tasks:
            # A task that others wait for as well must not end with this survey.
            await asyncio.wait(tasks.values(), timeout=within_s)
        proper = {peer.code for peer in self._directory.banks()}
        banks, left_out = [], []
        for code, task in tasks.items():
            why = _told(task)
            peer = self._directory.get(code)
            if not why and code not in proper:
                why = "it is another name of a bank that is counted"
            if why or peer is None or peer.amount is None or peer.clients is None:
                left_out.append((code, why or "it has gone"))
            else:
                banks.append(Figures(code, peer.amount, peer.clients))
        silent = [peer for peer in self._directory.snapshot() if not peer.is_verified]
        left_out += [(peer.code, peer.last_error or "it did not answer yet") for peer in silent]
        return Figuring(tuple(banks), tuple(left_out))

    async def survey_one(self, peer: Peer, within_s: float, trace: int) -> None:
        """Brings the figures of one verified bank up to date, as far as they come in time."""
        await asyncio.wait([self._learning(peer, within_s, trace)], timeout=within_s)

    def _peers(self) -> list[Peer]:
        return [peer for peer in self._directory.snapshot() if peer.is_verified]

    def _learning(self, peer: Peer, within_s: float, trace: int) -> "asyncio.Task[str]":
        task = self._asking.get(peer.code)
        if task is None:
            task = asyncio.create_task(self._learn(peer, within_s, trace))
            self._asking[peer.code] = task
            task.add_done_callback(lambda _: self._asking.pop(peer.code, None))
        return task

    async def _learn(self, peer: Peer, within_s: float, trace: int) -> str:
        """Brings the directory up to date; why a bank cannot be counted on, or an empty text."""
        if self._age_s(peer) <= _FRESH_S:
            return peer.absurd
        if peer.is_classic and self._directory.budgets.left(peer.code, self._now()) < len(
            _QUESTIONS
        ):
            is_usable = self._age_s(peer) <= _STALE_S
            return peer.absurd if is_usable else "it was asked as often as it may bear"
        assert peer.port is not None
        endpoint = Endpoint(peer.code, peer.port)
        deadlines = Deadlines(within_s, within_s, within_s)
        numbers = []
        async with self._slots:
            for question in _QUESTIONS:
                self._directory.budgets.spent(peer.code, self._now())
                answer = await self._ask(endpoint, question, deadlines, trace)
                if ABSURD_NUMBER in answer.oddities:
                    self._directory.figures(peer.code, self._now(), absurd=answer.text)
                    return answer.text
                if answer.kind is not Kind.DONE:
                    return f"{question}: {answer.text}"
                numbers.append(int(answer.text.split()[1]))
        amount, clients = numbers
        self._directory.figures(peer.code, self._now(), amount=amount, clients=clients)
        known = self._directory.get(peer.code)
        return known.absurd if known else "it has gone"

    def _age_s(self, peer: Peer) -> float:
        if peer.amount_at is None or peer.clients_at is None:
            return float("inf")
        return self._now() - min(peer.amount_at, peer.clients_at)


def _told(task: "asyncio.Task[str]") -> str:
    """Why a bank cannot be counted on; a defect costs the one bank that met it."""
    if not task.done() or task.cancelled():
        return "it took too long"
    if error := task.exception():
        _log.error("a bank could not be asked", exc_info=error)
        return "asking it failed"
    return task.result()
