"""The program as a process: started from the sources, as a wheel, or as one packed file.

Knows how the packed file runs; never what the program is for.
"""

import io
import os
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path


def program() -> list[str]:
    """How this program is started once more."""
    if getattr(sys, "frozen", False):
        return [sys.executable]
    return [sys.executable, "-m", "bank_node"]


def as_typed(given: Mapping[str, object]) -> list[str]:
    """Options with their values, as in `--data DIR`; what was not given is left out."""
    return [part for name, value in given.items() if value for part in (name, str(value))]


def settle() -> None:
    """Suits the process to where it runs; called once, before anything else."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            _speak(stream)
    unpacked = _unpacked()
    if unpacked is not None:
        # Asked now: an orphan would be told of another parent.
        watch = (os.getppid(), unpacked)
        threading.Thread(target=_end_with_parent, args=watch, daemon=True).start()


def _speak(stream: io.TextIOWrapper) -> None:
    """No message may fail because of a character that an old code page does not have."""
    # The console itself speaks Unicode everywhere; pipes and files on Windows do not.
    if sys.platform == "win32" and not stream.isatty():
        stream.reconfigure(encoding="utf-8")
    if stream.writable():
        stream.reconfigure(errors="backslashreplace")


def _unpacked() -> Path | None:
    """The temporary folder that the packed file has unpacked itself into, if it has."""
    folder = Path(getattr(sys, "_MEIPASS", sys.prefix))
    beside = Path(sys.executable).parent
    is_packed = getattr(sys, "frozen", False) and beside not in folder.parents
    return folder if is_packed else None


def _end_with_parent(parent: int, unpacked: Path) -> None:
    """Ends this process when its parent is gone, however the parent ended.

    The packed file unpacks itself, starts itself from there, waits and tidies up. Whoever kills
    it knows the first process only, and must not be left with a second one that serves the bank
    on. Nothing is stopped in order: to have been killed is what was asked for.
    """
    import shutil

    with suppress(ProcessLookupError):
        _wait_for_parent(parent)
    shutil.rmtree(unpacked, ignore_errors=True)
    os._exit(1)


def _wait_for_parent(parent: int) -> None:
    """Returns when the parent process has ended. Raises ProcessLookupError if it had already."""
    if sys.platform == "win32":
        import ctypes

        kernel = ctypes.WinDLL("kernel32")
        kernel.OpenProcess.restype = ctypes.c_void_p
        synchronize, forever = 0x0010_0000, 0xFFFF_FFFF
        handle = ctypes.c_void_p(kernel.OpenProcess(synchronize, False, parent))
        kernel.WaitForSingleObject(handle, forever)
    elif hasattr(os, "pidfd_open"):
        import select

        watch = select.poll()
        watch.register(os.pidfd_open(parent), select.POLLIN)
        watch.poll()
    else:
        pause = threading.Event()
        while os.getppid() == parent:
            pause.wait(0.2)
