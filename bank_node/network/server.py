"""The socket server: I/O threads that each run an event loop, all listening on one socket.

Knows connections and deadlines; is handed a desk for each thread and never learns what money is.
`start` returns when the node accepts, or raises what went wrong in the thread that met it.
"""

import asyncio
import errno
import socket
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future

from bank_node.errors import Reason, StartupError
from bank_node.network.connection import Connection, Limits
from bank_node.network.door import Desk, DeskFactory
from bank_node.network.loops import Inbox, new_loop

# Often enough for a 0.4 s pause and a timeout of seconds, seldom enough for 10,000 connections.
_SWEEP_S = 0.25
_DRAIN_POLL_S = 0.005
# The kernel cuts this down to net.core.somaxconn; bursts of thousands of clients must fit.
_BACKLOG = 8192


class Presence:
    """How many clients are connected to the node, over all of its I/O threads."""

    def __init__(
        self,
        changed: Callable[[int], None],
        refused: Callable[[], None],
        dropped: Callable[[], None],
    ) -> None:
        """`dropped` is told of each client that was cut off because it did not read."""
        self._lock = threading.Lock()
        self._changed = changed
        self._refused = refused
        self._dropped = dropped
        self.count = 0
        self.is_draining = False
        """Whether nobody new is let in."""

    def enter(self, limit: int) -> Reason | None:
        """Counts a client in, or says why not."""
        with self._lock:
            if self.is_draining or self.count >= limit:
                self._refused()
                return Reason.DRAINING if self.is_draining else Reason.TOO_MANY_CONNECTIONS
            self.count += 1
            self._changed(self.count)
            return None

    def leave(self) -> None:
        with self._lock:
            self.count -= 1
            self._changed(self.count)

    def drop(self) -> None:
        """Counts a client that is about to be cut off."""
        with self._lock:
            self._dropped()


class IoThread:
    """One event loop on one thread, with its desk and its connections."""

    def __init__(
        self,
        name: str,
        listener: socket.socket,
        limits: Limits,
        desks: DeskFactory,
        now_ns: Callable[[], int],
        presence: Presence,
    ) -> None:
        self.limits = limits
        self.now_ns = now_ns
        self.connections: set[Connection] = set()
        self._presence = presence
        self._desks = desks
        self._listener = listener
        self._round_ends = False
        self.outbox: list[tuple[Connection, bytes]] = []
        self._ready: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._loop: asyncio.AbstractEventLoop
        self.desk: Desk

    def start(self) -> None:
        """Returns when the loop accepts connections."""
        self._thread.start()
        self._ready.result()

    def stop(self, deadline_s: float) -> None:
        """Answers what was accepted, closes all connections and ends the thread."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set_result, deadline_s)
            self._thread.join()

    def admit(self, connection: Connection) -> Reason | None:
        refusal = self._presence.enter(self.limits.connections_max)
        if refusal is None:
            self.connections.add(connection)
        return refusal

    def forget(self, connection: Connection) -> None:
        if connection in self.connections:
            self.connections.remove(connection)
            self._presence.leave()

    def count_dropped(self) -> None:
        self._presence.drop()

    def end_round_soon(self) -> None:
        """Has replies sent and the desk flushed, after all sockets of this round were read."""
        if not self._round_ends:
            self._round_ends = True
            self._loop.call_soon(self._end_round)

    def next_round(self, call: Callable[[], object]) -> None:
        """Has something called after the sockets that are ready now."""
        self._loop.call_soon(call)

    def _end_round(self) -> None:
        self._round_ends = False
        # The ledger begins while replies are sent, and who has a reply finds it counted.
        self.desk.flush()
        self.send()

    def send(self) -> None:
        """Writes the replies that were to wait for the end of the round."""
        outbox, self.outbox = self.outbox, []
        for connection, reply in outbox:
            connection.send(reply)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            try:
                runner.run(self._serve())
            except BaseException as error:
                if self._ready.done():
                    raise
                self._ready.set_exception(error)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping: asyncio.Future[float] = self._loop.create_future()
        self.desk = self._desks(Inbox(self._loop).post)
        server = await self._loop.create_server(
            lambda: Connection(self), sock=self._listener, backlog=_BACKLOG
        )
        self._ready.set_result(None)
        while not self._stopping.done():
            await asyncio.wait([self._stopping], timeout=_SWEEP_S)
            now_ns = self.now_ns()
            for connection in list(self.connections):
                connection.sweep(now_ns)
            self.desk.flush()
        server.close()
        await self._drain(self._stopping.result())

    async def _drain(self, deadline_s: float) -> None:
        give_up = self._loop.time() + deadline_s
        while self.connections and self._loop.time() < give_up:
            for connection in list(self.connections):
                connection.drain()
            self.desk.flush()
            await asyncio.sleep(_DRAIN_POLL_S)
        for connection in list(self.connections):
            connection.abort()
        # The loop hears of the ends in its next round.
        await asyncio.sleep(0)
        self.desk.flush()
        self.desk.close()


class Server:
    """Listens on one address with one or several I/O threads."""

    def __init__(
        self,
        host: str,
        port: int,
        limits: Limits,
        io_threads: int,
        desks: DeskFactory,
        now_ns: Callable[[], int],
        presence: Presence,
        name: str = "io",
    ) -> None:
        """`name` is what its threads are called."""
        self._name = name
        self._host = host
        self._port = port
        self._limits = limits
        self._desks = desks
        self._now_ns = now_ns
        self._presence = presence
        # The completion ports of Windows do not share a socket, so there one thread has it.
        self._io_threads = 1 if sys.platform == "win32" else io_threads
        self._threads: list[IoThread] = []

    def start(self) -> tuple[str, int]:
        """Accepts from now on; returns the address. Raises StartupError."""
        listener = _listen(self._host, self._port)
        address: tuple[str, int] = listener.getsockname()[:2]
        for index in range(self._io_threads):
            thread = IoThread(
                f"{self._name}-{index}",
                listener.dup() if index else listener,
                self._limits,
                self._desks,
                self._now_ns,
                self._presence,
            )
            thread.start()
            self._threads.append(thread)
        return address

    def stop(self, deadline_s: float) -> None:
        """Ends within the deadline: no new connections, accepted requests are answered."""
        stoppers = [
            threading.Thread(target=thread.stop, args=(deadline_s,)) for thread in self._threads
        ]
        for stopper in stoppers:
            stopper.start()
        for stopper in stoppers:
            stopper.join()


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket on exactly this address, so that one bank is found once."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if sys.platform != "win32":
            # Lets a node restart at once; on Windows the option would let two nodes share a port.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        else:
            # And without this one a stranger who sets that option could take the port over.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise StartupError(_why_not(host, port, error)) from None
    return listener


def _why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"the port {port} of {host} is in use by another program"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is not an address of this machine, set network.host to one that is"
    return f"cannot listen on {host}:{port}: {error.strerror}"
