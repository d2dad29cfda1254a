"""Starts `bank` processes, as copies of a loaded one where that makes no difference."""

import atexit
import ctypes
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

PROGRAM = (sys.executable, "-m", "bank_node")
_ZYGOTE = Path(__file__).with_name("zygote.py")
_PR_SET_CHILD_SUBREAPER = 36
# Variables that a process reads before it runs anything of ours.
_EARLY = ("PYTHON", "LD_", "MALLOC_")
# What runs the rest of a command line in a network namespace; its name follows.
_ON_HOST = ("ip", "netns", "exec")


def spawn(
    command: Sequence[str], *, env: Mapping[str, str], **options: Any
) -> "subprocess.Popen[str]":
    """Like `Popen(command, env=env, text=True, ...)`."""
    kind = _Copy if _can_be_copied(command, env) else subprocess.Popen
    return kind(command, env=env, text=True, **options)


def _can_be_copied(command: Sequence[str], env: Mapping[str, str]) -> bool:
    _, words = _placed(command)
    return sys.platform == "linux" and tuple(words[: len(PROGRAM)]) == PROGRAM and _Zygote.fits(env)


def _placed(command: Sequence[str]) -> tuple[str, Sequence[str]]:
    """The network namespace that a command is to run in, empty for this one, and the rest of it."""
    if tuple(command[: len(_ON_HOST)]) == _ON_HOST:
        return command[len(_ON_HOST)], command[len(_ON_HOST) + 1 :]
    return "", command


class _Zygote:
    """The loaded process of this test process, started when it is first needed."""

    _one: "_Zygote | None" = None
    _lock = threading.Lock()

    def __init__(self, env: Mapping[str, str]) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, _ZYGOTE, str(theirs.fileno())],
                env={key: env[key] for key in env if key == "PATH" or key.startswith(_EARLY)},
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        self._early = _early(env)
        self._prctl = ctypes.CDLL(None, use_errno=True).prctl
        atexit.register(self._close)

    @classmethod
    def fits(cls, env: Mapping[str, str]) -> bool:
        """Whether a copy of it is what a process with this environment would be."""
        with cls._lock:
            cls._one = cls._one or cls(env)
            return cls._one._early == _early(env)

    @classmethod
    def copy(cls, request: dict[str, Any], descriptors: Sequence[int]) -> int:
        """The process id of a new copy, which is a child of this process."""
        with cls._lock:
            assert cls._one
            return cls._one._copy(json.dumps(request).encode(), descriptors)

    def _copy(self, request: bytes, descriptors: Sequence[int]) -> int:
        self._prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        try:
            socket.send_fds(self._socket, [request], list(descriptors))
            return int(self._socket.recv(32))
        finally:
            # Orphans of others are none of our business.
            self._prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)

    def _close(self) -> None:
        self._socket.close()
        self._process.wait()


def _early(env: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in env.items() if key.startswith(_EARLY)}


class _Copy(subprocess.Popen[str]):
    """A process that was not loaded but copied; everything else of it is as always."""

    def _execute_child(self, args: Sequence[str], *rest: Any) -> None:
        """Takes the place of fork and exec, with the arguments that `Popen` gives."""
        _, _, _, _, cwd, env, _, _, _, *pipes = rest
        p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite = pipes[:6]
        descriptors = [
            own if own != -1 else inherited
            for inherited, own in enumerate((p2cread, c2pwrite, errwrite))
        ]
        namespace, words = _placed(args)
        request = {
            "namespace": namespace,
            "arguments": list(words[len(PROGRAM) :]),
            "cwd": os.fspath(cwd or Path.cwd()),
            "env": dict(env),
        }
        try:
            self.pid = _Zygote.copy(request, descriptors)
            self._child_created = True
        finally:
            self._close_pipe_fds(p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite)
