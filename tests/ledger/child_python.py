"""Scripts in a process of their own, on this tree."""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def run(script, *arguments, before=(), **environ):
    """A Python of its own, on this tree; its output is in the report when it fails."""
    path = os.pathsep.join([str(ROOT), str(HERE)])
    return subprocess.run(
        [*before, sys.executable, "-c", script, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": path, **environ},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
