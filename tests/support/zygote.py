"""A process that has loaded the program once and becomes a new bank for each request.

Loading the modules is most of what a short-lived `bank` costs. A forked copy of a process that has
loaded them, and done nothing else, starts in a tenth of the time and is a process like any other:
it has its own id, can be killed, and nothing that it does is seen by the next one.
"""

import ctypes
import gc
import json
import os
import runpy
import socket
import sys
import time

_CLONE_NEWNET = 0x40000000
# What nearly every command loads.
_LOADED = ("bank_node.cli.main", "bank_node.node", "bank_node.cli.op.group", "rich.table", "uvloop")


def serve(requests: socket.socket) -> list[str]:
    """Forks for each request; returns in every copy, with the arguments that it is to run."""
    while True:
        request, descriptors, _, _ = socket.recv_fds(requests, 1 << 20, 3)
        if not request:
            os._exit(0)
        read_end, write_end = os.pipe()
        between = os.fork()
        if between == 0:
            child = os.fork()
            if child:
                # With its parent gone, the copy belongs to the process that asked for it.
                os.write(write_end, str(child).encode())
                os._exit(0)
            for descriptor in (read_end, write_end):
                os.close(descriptor)
            requests.close()
            return _prepared(json.loads(request), descriptors)
        os.waitpid(between, 0)
        requests.send(os.read(read_end, 32))
        for descriptor in (read_end, write_end, *descriptors):
            os.close(descriptor)


def _prepared(request: dict, descriptors: list[int]) -> list[str]:
    """Makes this process what a program finds at its start."""
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
    for descriptor in descriptors:
        os.close(descriptor)
    sys.stdin = os.fdopen(0, "r", encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False)
    if request["namespace"]:
        _enter(request["namespace"])
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    time.tzset()
    return request["arguments"]


def _enter(namespace: str) -> None:
    """Moves this process to the network of a namespace, as `ip netns exec` does."""
    with open(f"/run/netns/{namespace}", "rb") as place:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.setns(place.fileno(), _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")


if __name__ == "__main__":
    for module in _LOADED:
        __import__(module)
    gc.collect()
    gc.freeze()
    sys.argv[1:] = serve(socket.socket(fileno=int(sys.argv[1])))
    runpy.run_module("bank_node", run_name="__main__", alter_sys=True)
