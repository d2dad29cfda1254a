"""Hanging up on a bank that owes an answer, so that nothing of the question arrives any more."""

import asyncio
import socket
import struct
import sys
from contextlib import suppress

# struct linger: on, and no time at all; Windows has shorts where others have ints.
_RESET_AT_CLOSE = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


def cut(transport: asyncio.WriteTransport) -> None:
    """Ends a connection and takes back what has not arrived yet.

    An ordinary close leaves it to the kernel to deliver what was written, for minutes if need be:
    a deposit would be booked long after its caller was told that the outcome is unknown.
    """
    sock = transport.get_extra_info("socket")
    if sock is not None:
        with suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)
    transport.abort()
