"""Makes dist/bank, the bank as one file that needs no Python, from build.spec.

What is already there is kept if it was made from the same sources with the same tools:

    python tools/make_dist.py                   # or `make dist`
    python tools/make_dist.py --if-possible     # no failure where it cannot be made at all
"""

import hashlib
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from filelock import FileLock

ROOT = Path(__file__).resolve().parents[1]
_SUFFIX = ".exe" if sys.platform == "win32" else ""

EXECUTABLE = ROOT / "dist" / f"bank{_SUFFIX}"
"""One file, which unpacks itself when it starts."""

UNPACKED = ROOT / "dist" / "folder" / f"bank{_SUFFIX}"
"""The same program as a folder, which starts quicker."""

_WORK = ROOT / "build" / "dist"
_MADE_FROM = _WORK / "made-from"
_SOURCES = ("bank_node/**/*.py", "tui/**/*.py", "tui/**/*.tcss", "build.spec", "requirements*.txt")


class BuildError(Exception):
    """The executable could not be made."""


def hindrance() -> str:
    """Why this Python can make no executable; empty when nothing stands in the way."""
    from PyInstaller.depend.bindepend import get_python_library_path
    from PyInstaller.exceptions import PythonLibraryNotFoundError

    try:
        get_python_library_path()
    except PythonLibraryNotFoundError as error:
        why = str(error).removeprefix("ERROR: ")
        return f"no executable can be made: {why} (on Debian: apt install python3-dev)"
    if sys.platform == "linux" and not shutil.which("objdump"):
        return "no executable can be made: objdump is missing (on Debian: apt install binutils)"
    return ""


def make() -> Path:
    """Makes the executable unless it is up to date; where it is. Raises BuildError."""
    _WORK.mkdir(parents=True, exist_ok=True)
    with FileLock(str(_WORK / "lock")):
        wanted = _fingerprint()
        made = _MADE_FROM.read_text(encoding="utf-8") if _MADE_FROM.exists() else ""
        if made != wanted or not EXECUTABLE.exists() or not UNPACKED.exists():
            _MADE_FROM.unlink(missing_ok=True)
            _build()
            _MADE_FROM.write_text(wanted, encoding="utf-8")
    return EXECUTABLE


def _build() -> None:
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "ERROR"]
    command += ["--distpath", str(EXECUTABLE.parent), "--workpath", str(_WORK), "build.spec"]
    ended = subprocess.run(  # noqa: S603 - the command is ours
        command, cwd=ROOT, capture_output=True, encoding="utf-8", errors="replace", check=False
    )
    if ended.returncode:
        raise BuildError(ended.stdout + ended.stderr)


def _fingerprint() -> str:
    """Stands for everything that the executable is made from."""
    digest = hashlib.sha256()
    tools = (platform.platform(), sys.version, sys.prefix, version("pyinstaller"))
    digest.update("\n".join(tools).encode())
    for path in _source_files():
        digest.update(f"\n{path.relative_to(ROOT).as_posix()}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _source_files() -> Iterator[Path]:
    for pattern in _SOURCES:
        yield from sorted(ROOT.glob(pattern))


def main() -> None:
    begun = time.monotonic()
    if why := hindrance():
        sys.exit(None if "--if-possible" in sys.argv[1:] else why)
    try:
        made = make()
    except BuildError as error:
        sys.exit(f"the executable cannot be made:\n{error}")
    size = made.stat().st_size / 1e6
    print(f"{made.relative_to(ROOT)}: {size:.1f} MB, {time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    main()
