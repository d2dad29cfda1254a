"""Knocks at many ports of one address at once: which of them accept a connection?

Knows sockets and nothing of banks. An open port proves nothing yet; whoever knocked gets the
connection and asks over it. Ports are tried by one callback each instead of a task each, which
takes a third of the processor time; a scan does thousands of them beside the bank's own work.
"""

import asyncio
import errno
import socket
import sys
from collections.abc import Awaitable, Callable, Sequence

from bank_node.errors import BankError

Opened = Callable[[int, socket.socket], None]
"""Told the port and the connection, which is the callee's to close."""

Knock = Callable[[str, Sequence[int], float, Opened], Awaitable[None]]
"""See `knock`."""

_UNDER_WAY = frozenset((errno.EINPROGRESS, errno.EWOULDBLOCK))
# Errors that tell of this machine and nothing of the other one.
_OWN_FAULT = frozenset(
    (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL)
)


class NoSocket(BankError):
    """This machine has no socket to spare, so nothing was learnt of the address."""


async def knock(address: str, ports: Sequence[int], timeout_s: float, opened: Opened) -> None:
    """Tries all ports at the same time and returns when each has answered or the time is over.

    `opened` is called for each port as soon as it accepts. Raises NoSocket.
    """
    # The event loop of Windows knows no callbacks for sockets that become writable.
    way = _knock_by_tasks if sys.platform == "win32" else _knock_by_callbacks
    await way(address, ports, timeout_s, opened)


async def _knock_by_callbacks(
    address: str, ports: Sequence[int], timeout_s: float, opened: Opened
) -> None:
    loop = asyncio.get_running_loop()
    waiting: dict[int, tuple[int, socket.socket]] = {}
    settled = loop.create_future()

    def ready(handle: int) -> None:
        port, sock = waiting.pop(handle)
        loop.remove_writer(handle)
        if sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            sock.close()
        else:
            opened(port, sock)
        if not waiting and not settled.done():
            settled.set_result(None)

    try:
        for port in ports:
            sock = _new_socket()
            try:
                error = sock.connect_ex((address, port))
                if error in _UNDER_WAY:
                    waiting[sock.fileno()] = port, sock
                    loop.add_writer(sock.fileno(), ready, sock.fileno())
                    continue
                _check(error)
            except BaseException:
                sock.close()
                raise
            if error:
                sock.close()
            else:
                opened(port, sock)
        if waiting:
            await asyncio.wait((settled,), timeout=timeout_s)
    finally:
        for handle, (_, sock) in waiting.items():
            loop.remove_writer(handle)
            sock.close()


async def _knock_by_tasks(
    address: str, ports: Sequence[int], timeout_s: float, opened: Opened
) -> None:
    loop = asyncio.get_running_loop()

    async def attempt(port: int) -> None:
        sock = _new_socket()
        try:
            async with asyncio.timeout(timeout_s):
                await loop.sock_connect(sock, (address, port))
        except OSError as error:
            sock.close()
            _check(error.errno or 0)
        except BaseException:
            sock.close()
            raise
        else:
            opened(port, sock)

    # All of them end before an error is told, so that none is left behind.
    ends = await asyncio.gather(*map(attempt, ports), return_exceptions=True)
    for end in ends:
        if end is not None:
            raise end


def _new_socket() -> socket.socket:
    try:
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    except OSError as error:
        raise NoSocket(str(error)) from None
    sock.setblocking(False)
    return sock


def _check(error: int) -> None:
    if error in _OWN_FAULT:
        raise NoSocket(errno.errorcode[error])
