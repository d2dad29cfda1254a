"""Looks at one address: is a bank there, at which port, and of which kind?

Never looks at one address twice at a time nor at too many at once, and believes only a reply to
`BC`. What it learns goes to the directory. Knows nothing of subnets and schedules: whoever calls
it has decided that the address may be dialled.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, NamedTuple, Protocol

from bank_node.errors import BankError
from bank_node.network.exchange import Connector, Deadlines, Endpoint, Stream
from bank_node.network.knock import Knock
from bank_node.network.peers import NOBODY, Directory, Peer
from bank_node.network.reach import is_loopback, ports_to_try
from bank_node.network.replies import Answer, Kind
from bank_node.network.rounds import Pace, looks_elsewhere
from bank_node.values import BankCode

# So many addresses at once are a whole /24. A kernel keeps an unanswered question for a neighbour
# for three seconds and has room for 1,024 neighbours: 256 and three seconds at the default rate of
# 200 leave it some for others.
_BURST = 256
# A healthy bank was seen to need 230 ms for its first byte, and some send slowly byte by byte.
_FIRST_BYTE_MORE_S = 0.25
_REPLY_MORE_S = 3.0
# A peer that was verified may be busy, and nobody waits for it.
_PATIENCE_S = 1.0
# A stranger counts `VE` as a bad command and may ban whoever sends five.
_INTRODUCTION_AGAIN_S = 3600.0
_INTRODUCTION_BACK_S = 600.0


# The family of extensions to which LI belongs.
_LINKS = "session"


class Ask(Protocol):
    """One question over a connection of its own, as `client.ask` does."""

    def __call__(
        self, endpoint: Endpoint, line: str, deadlines: Deadlines, connect: Connector = ...
    ) -> Awaitable[Answer]: ...


_How = Callable[[BankCode], Coroutine[Any, Any, bool]]


class HeldBack(BankError):
    """Too many addresses are being looked at; this one was not dialled."""


class LookLimits(NamedTuple):
    """How hard a lookout may work."""

    time_out_s: float
    """For connecting; an answer may take a little longer."""
    at_once: int
    """Addresses at once; each takes a socket for each port."""
    rate: float
    """Addresses a second where perhaps nobody is, after the first 256."""


class Lookout:
    """The one that dials for the scanner; belongs to one loop."""

    def __init__(
        self,
        directory: Directory,
        limits: LookLimits,
        now: Callable[[], float],
        ask: Ask,
        knock: Knock,
    ) -> None:
        self._directory = directory
        self._now = now
        self._ask = ask
        self._knock = knock
        self._looks: dict[str, _Look] = {}
        self._introducing: set[str] = set()
        # Who has not answered `VE` once: it was busy, or hangs up on what it does not know.
        self._unanswered: set[str] = set()
        self.adopt(limits)

    def adopt(self, limits: LookLimits) -> None:
        """Works by these limits from now on; what is under way ends by the old ones."""
        self._time_out_s = time_out_s = limits.time_out_s
        self._slots = asyncio.Semaphore(limits.at_once)
        self._pace = Pace(limits.rate, _BURST)
        self._quick = Deadlines(
            time_out_s, time_out_s + _FIRST_BYTE_MORE_S, time_out_s + _REPLY_MORE_S
        )
        self._patient = Deadlines(
            time_out_s, time_out_s + _PATIENCE_S, time_out_s + _PATIENCE_S + _REPLY_MORE_S
        )

    async def search(self, address: BankCode, *, within_s: float = float("inf")) -> bool:
        """Asks at the remembered port, then at all others that accept a connection.

        True if a bank answered. Raises NoSocket, and HeldBack if it cannot begin `within_s`.
        """
        return await self._look(address, self._search, within_s)

    async def verify(self, address: BankCode, *, within_s: float = float("inf")) -> bool:
        """Asks a known peer once more, with some patience. Raises as `search` does."""
        return await self._look(address, self._verify, within_s)

    async def introduce(self, address: BankCode) -> None:
        """Asks a peer that may be of our kind for its version, unless it was asked already."""
        peer = self._directory.verified(address)
        if peer is None or peer.port is None or address in self._introducing:
            return
        now = self._now()
        if not _may_be_of_our_kind(peer) or not _should_introduce_itself(peer, now):
            return
        self._introducing.add(address)
        try:
            self._directory.budgets.spent(address, now)
            answer = await self._ask(Endpoint(address, peer.port), "VE", self._patient)
        finally:
            self._introducing.discard(address)
        if answer.kind in (Kind.UNREACHABLE, Kind.UNKNOWN) and address not in self._unanswered:
            # It may have been busy; what it speaks decides how it is paid, so it is asked again.
            self._unanswered.add(address)
            return
        self._unanswered.discard(address)
        if answer.kind is Kind.DONE or peer.is_classic:
            words = answer.text.split()[1:] if answer.kind is Kind.DONE else []
            name, version, *capabilities = [*words, *[""] * (2 - len(words))]
            self._directory.announces(address, name, version, capabilities, self._now())
            if _LINKS in capabilities and self._directory.own != NOBODY:
                # So that it need not wait for a scan of its own to find this bank.
                hint = f"LI {self._directory.own}"
                await self._ask(Endpoint(address, peer.port), hint, self._patient)

    def close(self) -> None:
        """Ends all looks; whoever waits for one is told that nobody was found."""
        for look in self._looks.values():
            look.task.cancel()

    async def _look(self, address: BankCode, how: _How, within_s: float) -> bool:
        """Begins a look, or joins the one under way; it ends early when nobody waits any more."""
        look = self._looks.get(address)
        if look is None:
            wait_s = self._wait_s(address, within_s)
            look = _Look(asyncio.create_task(self._in_turn(address, how, wait_s)))
            self._looks[address] = look
        look.waiters += 1
        try:
            await asyncio.wait((look.task,))
            return not look.task.cancelled() and look.task.result()
        finally:
            look.waiters -= 1
            if not look.waiters:
                look.task.cancel()
                del self._looks[address]

    def _wait_s(self, address: str, within_s: float) -> float:
        """How long to hold back before packets to an address where perhaps nobody is."""
        # On loopback no neighbour has to be asked for, and a bank is there already.
        if is_loopback(address) or self._directory.verified(address):
            return 0.0
        wait_s = self._pace.turn_in(self._now(), at_most_s=within_s)
        if wait_s is None:
            raise HeldBack(f"too many addresses are looked at before {address}")
        return wait_s

    async def _in_turn(self, address: BankCode, how: _How, wait_s: float) -> bool:
        if wait_s:
            await asyncio.sleep(wait_s)
        async with self._slots:
            return await how(address)

    async def _search(self, address: BankCode) -> bool:
        peer = self._directory.get(address)
        remembered = peer.port if peer else None
        if remembered is not None and await self._ask_again(
            Endpoint(address, remembered), self._quick
        ):
            return True
        others = [port for port in ports_to_try(remembered) if port != remembered]
        answers = await self._answers(address, others)
        for port in others:
            if port in answers and answers[port][0].kind is Kind.DONE:
                self._heard(Endpoint(address, port), *answers[port])
                return True
        if remembered is None:
            why = "no port answers as a bank does" if answers else "no port accepts a connection"
            self._directory.missed(address, why, self._now())
        return False

    async def _verify(self, address: BankCode) -> bool:
        peer = self._directory.get(address)
        if peer is None or peer.port is None or looks_elsewhere(peer):
            return await self._search(address)
        return await self._ask_again(Endpoint(address, peer.port), self._patient)

    async def _ask_again(self, endpoint: Endpoint, deadlines: Deadlines) -> bool:
        answer, latency_ms = await self._code_of(endpoint, deadlines)
        if answer.kind is Kind.DONE:
            self._heard(endpoint, answer, latency_ms)
            return True
        self._directory.missed(endpoint.host, answer.text, self._now())
        return False

    async def _answers(
        self, address: BankCode, ports: list[int]
    ) -> dict[int, tuple[Answer, float]]:
        """What each of the ports that accept a connection says to `BC`, over that connection."""
        tasks: dict[int, asyncio.Task[tuple[Answer, float]]] = {}

        def opened(port: int, sock: socket.socket) -> None:
            connection = _Handed(sock)
            tasks[port] = asyncio.create_task(
                self._code_of(Endpoint(address, port), self._quick, connection)
            )
            tasks[port].add_done_callback(lambda _: connection.close_if_unused())

        try:
            await self._knock(address, ports, self._time_out_s, opened)
            await asyncio.gather(*tasks.values())
        finally:
            for task in tasks.values():
                task.cancel()
        return {port: task.result() for port, task in tasks.items()}

    async def _code_of(
        self, endpoint: Endpoint, deadlines: Deadlines, connect: Connector | None = None
    ) -> tuple[Answer, float]:
        """The answer to `BC`, and after how many milliseconds."""
        start = self._now()
        self._directory.budgets.spent(endpoint.host, start)
        connection = () if connect is None else (connect,)
        answer = await self._ask(endpoint, "BC", deadlines, *connection)
        return answer, 1000 * (self._now() - start)

    def _heard(self, endpoint: Endpoint, answer: Answer, latency_ms: float) -> None:
        self._directory.heard(
            BankCode(endpoint.host),
            endpoint.port,
            answer.oddities,
            latency_ms,
            self._now(),
            said=answer.text.removeprefix("BC").strip(),
        )


class _Look:
    """A look at an address, and how many wait for its end."""

    __slots__ = ("task", "waiters")

    def __init__(self, task: asyncio.Task[bool]) -> None:
        self.task = task
        self.waiters = 0


class _Handed:
    """A connector that hands out the connection which an open port brought."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._is_used = False

    async def __call__(self, host: str, port: int) -> Stream:
        self._is_used = True
        try:
            return await asyncio.open_connection(sock=self._sock)
        except BaseException:
            self._sock.close()
            raise

    def close_if_unused(self) -> None:
        if not self._is_used:
            self._sock.close()


def _may_be_of_our_kind(peer: Peer) -> bool:
    return not peer.oddities and not peer.said


def _should_introduce_itself(peer: Peer, now: float) -> bool:
    """Whether it was not asked yet, or may be another program by now."""
    if peer.introduced_at is None:
        return True
    came_back = peer.since > peer.introduced_at
    if not peer.is_classic:
        return came_back
    pause_s = _INTRODUCTION_BACK_S if came_back else _INTRODUCTION_AGAIN_S
    return now - peer.introduced_at > pause_s
